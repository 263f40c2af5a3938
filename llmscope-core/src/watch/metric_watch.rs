//! The alarms of one metric of an endpoint.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::incident_report::{AlarmEvent, IncidentPart, IncidentReport};
use super::times::Times;
use crate::analysis::Direction;
use crate::column::{Meaning, Preference};
use crate::detector::{Changed, FalseAlarmRate, Incident, IncidentEvent, Learning, Scale, Settings, ShiftWatch};
use crate::error::Result;
use crate::ingest::TokenColumns;
use crate::metric::{Bounds, Metric, TpotDefinition};
use crate::session::RequestRecord;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct MetricWatch {
    pub(super) metric: Metric,
    /// The definition of the values, if they are times per token.
    definition: TpotDefinition,
    pub(super) watch: ShiftWatch,
    times: Times,
    /// The report of the open incident, and the number of its alarms then.
    pub(super) report: Option<IncidentReport>,
    #[serde(default)]
    reported_alarms: u64,
}

impl MetricWatch {
    pub(super) fn new(metric: Metric, false_alarms: FalseAlarmRate, learn: usize) -> Result<Self> {
        let scale = if metric.bounds() == Bounds::NONE { Scale::Linear } else { Scale::Logarithm };
        let settings = Settings { false_alarms, learn, scale, columns: columns(metric) };
        Ok(Self {
            metric,
            definition: TpotDefinition::FIRST,
            watch: ShiftWatch::new(settings)?,
            times: Times::default(),
            report: None,
            reported_alarms: 0,
        })
    }

    /// Judges the value of a request, if it has one.
    pub(super) fn push(&mut self, record: &RequestRecord, at: Timestamp) -> Vec<AlarmEvent> {
        let Some(value) = record.metric(self.metric).filter(|value| value.is_finite()) else { return Vec::new() };
        let mut events = Vec::new();
        if self.metric == Metric::Tpot {
            let definition = record.tpot_definition();
            if definition < self.definition {
                // From a former client: not comparable with what was learned.
                return events;
            }
            if definition > self.definition {
                self.definition = definition;
                if self.watch.detector().pushed() > 0 {
                    events.extend(self.relearn(at));
                }
            }
        }
        let before = self.watch.detector().learning();
        // A finite value with its token counts is never refused.
        let Ok(watched) = self.watch.push(value, &tokens(self.metric, record)) else { return events };
        self.times.push(at);
        events.extend(self.progress(before));
        if watched.events.is_empty() {
            self.refresh(at);
        }
        events.extend(watched.events.into_iter().filter_map(|event| self.event(event, at)));
        events
    }

    /// The present level counts as normal from now on.
    pub(super) fn relearn(&mut self, at: Timestamp) -> Option<AlarmEvent> {
        self.watch.relearn();
        self.report.take().map(|report| AlarmEvent::Ended(IncidentReport { at, accepted: true, ..report }))
    }

    /// Forgets everything, as a new watch with these settings.
    pub(super) fn forget(&mut self) -> Result<()> {
        let Settings { false_alarms, learn, .. } = *self.watch.detector().settings();
        *self = Self::new(self.metric, false_alarms, learn)?;
        Ok(())
    }

    /// The event of what was learned, each time that it was fitted.
    fn progress(&self, before: Option<Learning>) -> Option<AlarmEvent> {
        let (before, now) = (before?, self.watch.detector().learning());
        match now {
            None => Some(self.learned()),
            Some(Learning { values, information: Some(information) }) if before.information != Some(information) => {
                Some(AlarmEvent::Learning { metric: self.metric, values, information })
            }
            Some(_) => None,
        }
    }

    fn learned(&self) -> AlarmEvent {
        let detector = self.watch.detector();
        let is_ratio = detector.settings().scale == Scale::Logarithm;
        let smallest_visible = detector.smallest_visible().filter(|_| is_ratio);
        AlarmEvent::Learned { metric: self.metric, values: detector.learned(), smallest_visible }
    }

    /// Brings the report of an open incident up to date with its last alarm.
    fn refresh(&mut self, at: Timestamp) {
        let alarms = self.watch.incident().map(|incident| (incident.alarms, *incident));
        if let Some((alarms, incident)) = alarms
            && alarms != self.reported_alarms
        {
            self.report = Some(self.reported(&incident, at));
            self.reported_alarms = alarms;
        }
    }

    fn event(&mut self, event: IncidentEvent, at: Timestamp) -> Option<AlarmEvent> {
        Some(match event {
            IncidentEvent::Opened(incident) => {
                self.reported_alarms = incident.alarms;
                let report = self.reported(&incident, at);
                AlarmEvent::Opened(self.report.insert(report).clone())
            }
            IncidentEvent::Worse(incident) => {
                self.reported_alarms = incident.alarms;
                let report = self.reported(&incident, at);
                AlarmEvent::Worse(self.report.insert(report).clone())
            }
            IncidentEvent::Ended(_) => AlarmEvent::Ended(IncidentReport { at, ..self.report.take()? }),
        })
    }

    fn reported(&self, incident: &Incident, at: Timestamp) -> IncidentReport {
        let Incident { changed, since, last, size, interval, .. } = *incident;
        let detector = self.watch.detector();
        let is_ratio = detector.settings().scale == Scale::Logarithm;
        // After a while, the time of the beginning is not known exactly any more.
        let is_known = self.watch.detector().pushed() - since.min(last) <= Times::EXACT;
        let earlier = self.report.as_ref().map(|report| report.since).filter(|_| !is_known);
        let since_at = earlier.or_else(|| self.times.at(since));
        IncidentReport {
            metric: Some(self.metric),
            part: if changed == Changed::MoreVaried { IncidentPart::Spread } else { IncidentPart::Level },
            direction: direction(self.metric, changed),
            since: since_at.unwrap_or(at),
            at,
            requests: last - since.min(last) + 1,
            ratio: size.filter(|_| is_ratio),
            difference: size.filter(|_| !is_ratio),
            interval: interval.map(|(lower, upper)| [lower, upper]),
            failed: None,
            share_before: None,
            error: None,
            adjusted_for_load: detector.load().is_some(),
            false_alarms: Some(detector.settings().false_alarms.values()),
            beat_s: None,
            accepted: false,
        }
    }

    /// True if a state from outside can be used.
    pub(super) fn is_valid(&self) -> bool {
        self.times.is_valid()
            && self.watch.detector().settings().columns == columns(self.metric)
            && self.report.is_some() == self.watch.incident().is_some()
    }
}

fn direction(metric: Metric, changed: Changed) -> Direction {
    match (changed, Meaning::of_metric(metric).preference) {
        (Changed::MoreVaried, _) => Direction::Worse,
        (_, Preference::Unknown) => Direction::Unknown,
        (changed, preference) => Direction::of_level(preference, changed == Changed::Larger),
    }
}

/// The number of token counts on which a metric depends.
const fn columns(metric: Metric) -> usize {
    match metric {
        Metric::Ttft => 1,
        Metric::E2e => 2,
        _ => 0,
    }
}

/// Tokens of the prompt that did not come from the cache for the time to the first token; those of prompt and answer for the
/// end-to-end latency.
fn tokens(metric: Metric, record: &RequestRecord) -> Vec<f64> {
    #[allow(clippy::cast_precision_loss, reason = "a token count is far below 2^53")]
    let count = |count: Option<u64>| count.map_or(f64::NAN, |count| count as f64);
    let input = count(record.input_tokens);
    match metric {
        Metric::Ttft => {
            let cached = record.attribute(TokenColumns::NAMES[1]).filter(|count| *count >= 0.0).unwrap_or(0.0);
            vec![if cached < input { input - cached } else { 0.0 * input }]
        }
        Metric::E2e => vec![input, count(record.output_tokens)],
        _ => Vec::new(),
    }
}
