//! The alarms of one endpoint.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::failure_watch::FailureWatch;
use super::incident_report::{AlarmEvent, IncidentReport};
use super::metric_watch::MetricWatch;
use super::promise::{Channel, Promise};
use crate::detector::{FailureDetector, ShiftWatch};
use crate::error::{Error, Result};
use crate::metric::Metric;
use crate::session::RequestRecord;

const SCHEMA: &str = "llmscope.alarms/1";

/// Judges the requests of one endpoint as they arrive: whether a metric shifts or more requests fail, at a stated rate of false
/// alarms.
///
/// The time to the first token and the end-to-end latency are judged at equal token counts. Warm-up requests are ignored. Its
/// JSON is its complete state: a watch that is read back continues as the one that was written, bit for bit.
///
/// ```
/// use llmscope_core::watch::{AlarmEvent, AlarmWatch, Promise};
/// use llmscope_core::{Metric, RequestRecord};
///
/// let mut watch = AlarmWatch::new(&[Metric::Ttft], "1/1000".parse()?, 100)?;
/// let noise = |i: u32| (0.2 * ((f64::from(i) * 12.9898).sin() * 43_758.545).fract()).exp();
/// let mut events = Vec::new();
/// for i in 0..500 {
///     let ttft_s = if i < 400 { 0.3 } else { 0.45 } * noise(i);
///     let record = RequestRecord { ttft_s: Some(ttft_s), ..RequestRecord::default() };
///     events.extend(watch.push(&record, "2026-11-30T12:00:00Z".parse().unwrap()));
/// }
/// let [AlarmEvent::Learned { .. }, AlarmEvent::Opened(report)] = &events[..] else { panic!("{events:?}") };
/// assert!(report.to_string().starts_with("ttft_s slower by "));
/// // The size becomes known with further requests.
/// let open = watch.incidents().next().expect("the slowdown lasts");
/// assert!(open.ratio.is_some_and(|ratio| (1.4..1.6).contains(&ratio)));
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "State", into = "State")]
pub struct AlarmWatch(State);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct State {
    schema: String,
    metrics: Vec<MetricWatch>,
    failures: FailureWatch,
}

impl AlarmWatch {
    /// A watch that learns from the first `learn` requests, 20 to 2,048.
    ///
    /// # Errors
    /// [`Error::Parameter`] for another number of requests.
    pub fn new(metrics: &[Metric], promise: Promise, learn: usize) -> Result<Self> {
        let rate = |channel| promise.rate(channel, 1.0, metrics.len());
        let of_metric = |&metric: &Metric| MetricWatch::new(metric, rate(Channel::Shift), learn);
        Ok(Self(State {
            schema: SCHEMA.to_owned(),
            metrics: metrics.iter().map(of_metric).collect::<Result<_>>()?,
            failures: FailureWatch::new(rate(Channel::Failures), learn)?,
        }))
    }

    /// Judges a request that was sent at this time.
    pub fn push(&mut self, record: &RequestRecord, at: Timestamp) -> Vec<AlarmEvent> {
        if record.warmup {
            return Vec::new();
        }
        let mut events: Vec<_> = self.0.failures.push(record, at).into_iter().collect();
        for metric in &mut self.0.metrics {
            events.extend(metric.push(record, at));
        }
        events
    }

    /// Adapts the rates of false alarms to the number of values a second, and to the numbers of watched metrics and endpoints.
    /// True if one of them changed.
    pub fn share(&mut self, promise: Promise, values_per_s: f64, metrics: usize, endpoints: usize) -> bool {
        let shift = promise.rate(Channel::Shift, values_per_s, metrics);
        let failures = promise.rate(Channel::Failures, values_per_s, endpoints);
        let mut has_changed = self.0.failures.detector.set_false_alarms(failures);
        for metric in &mut self.0.metrics {
            has_changed |= metric.watch.set_false_alarms(shift);
        }
        has_changed
    }

    /// The present level of this metric counts as normal from now on; `None`: that of all metrics and of the failures.
    pub fn relearn(&mut self, metric: Option<Metric>, at: Timestamp) -> Vec<AlarmEvent> {
        let chosen = |watch: &&mut MetricWatch| metric.is_none_or(|metric| watch.metric == metric);
        let mut ended: Vec<_> =
            self.0.metrics.iter_mut().filter(chosen).filter_map(|watch| watch.relearn(at)).collect();
        if metric.is_none() {
            ended.extend(self.0.failures.relearn(at));
        }
        ended
    }

    /// Forgets what was learned of a metric, with its open incident.
    ///
    /// # Errors
    /// [`Error::Parameter`] for settings that [`AlarmWatch::new`] refuses.
    pub fn forget(&mut self, metric: Metric) -> Result<()> {
        self.0.metrics.iter_mut().filter(|watch| watch.metric == metric).try_for_each(MetricWatch::forget)
    }

    /// The open incidents.
    pub fn incidents(&self) -> impl Iterator<Item = &IncidentReport> {
        self.0.failures.report.iter().chain(self.0.metrics.iter().filter_map(|watch| watch.report.as_ref()))
    }

    /// What is known of each metric.
    pub fn metrics(&self) -> impl Iterator<Item = (Metric, &ShiftWatch)> {
        self.0.metrics.iter().map(|watch| (watch.metric, &watch.watch))
    }

    /// What is known of the failures.
    #[must_use]
    pub const fn failures(&self) -> &FailureDetector {
        &self.0.failures.detector
    }

    /// Keeps these metrics, and adds those that are not watched yet.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a number of requests that [`AlarmWatch::new`] refuses.
    pub fn watch_metrics(&mut self, metrics: &[Metric], promise: Promise, learn: usize) -> Result<()> {
        self.0.metrics.retain(|watch| metrics.contains(&watch.metric));
        for &metric in metrics {
            if self.0.metrics.iter().all(|watch| watch.metric != metric) {
                self.0.metrics.push(MetricWatch::new(metric, promise.rate(Channel::Shift, 1.0, metrics.len()), learn)?);
            }
        }
        Ok(())
    }
}

impl From<AlarmWatch> for State {
    fn from(watch: AlarmWatch) -> Self {
        watch.0
    }
}

impl TryFrom<State> for AlarmWatch {
    type Error = Error;

    fn try_from(state: State) -> Result<Self> {
        let is_valid =
            state.schema == SCHEMA && state.metrics.iter().all(MetricWatch::is_valid) && state.failures.is_valid();
        if is_valid {
            return Ok(Self(state));
        }
        let expected = "a state that llmscope.alarms/1 describes";
        Err(Error::Parameter { name: "state of the alarms", value: state.schema, expected })
    }
}
