//! The summary of a run, in the metrics that benchmarks usually report.

use std::collections::BTreeMap;
use std::str::FromStr;

use hdrhistogram::Histogram;
use jiff::{SignedDuration, Timestamp};
use llmscope_core::session::{AttributeValue, RequestRecord};
use llmscope_core::stats::{QuantileMethod, Sorted, mean};
use llmscope_core::{Metric, Unit};
use schemars::JsonSchema;
use serde::Serialize;

use crate::error::{Error, Result};

/// Objectives of a request. A request is good if it meets all of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Objectives {
    /// Maximum time to first token, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttft_s: Option<f64>,
    /// Maximum time per output token, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tpot_s: Option<f64>,
    /// Maximum end-to-end latency, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub e2e_s: Option<f64>,
}

impl Objectives {
    /// True if there are no objectives.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// True if a request succeeded and met every objective. A metric that was not measured counts as not met, except
    /// the time per token of a response of one token, which is undefined.
    #[must_use]
    pub fn are_met_by(&self, record: &RequestRecord) -> bool {
        let within =
            |limit: Option<f64>, value: Option<f64>| limit.is_none_or(|limit| value.is_some_and(|v| v <= limit));
        let one_token = record.output_tokens == Some(1);
        record.succeeded()
            && within(self.ttft_s, record.ttft_s)
            && within(self.e2e_s, record.e2e_s)
            && (one_token || within(self.tpot_s, record.tpot_s))
    }
}

impl FromStr for Objectives {
    type Err = Error;

    /// Parses `ttft=500ms,tpot=50ms,e2e=10s`; `e2el` is another name of `e2e`.
    fn from_str(text: &str) -> Result<Self> {
        let mut objectives = Self::default();
        for part in text.split(',').filter(|part| !part.trim().is_empty()) {
            let refuse = || Error::Setting {
                name: "objective",
                value: part.to_owned(),
                expected: "expected ttft=500ms, tpot=50ms or e2e=10s".to_owned(),
            };
            let (name, value) = part.split_once('=').ok_or_else(refuse)?;
            let seconds = Unit::Second.parse(value.trim()).ok().filter(|seconds| *seconds > 0.0).ok_or_else(refuse)?;
            match name.trim() {
                "ttft" => objectives.ttft_s = Some(seconds),
                "tpot" | "itl" => objectives.tpot_s = Some(seconds),
                "e2e" | "e2el" => objectives.e2e_s = Some(seconds),
                _ => return Err(refuse()),
            }
        }
        Ok(objectives)
    }
}

/// One metric over the successful requests of a run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Distribution {
    /// Number of requests with this metric.
    pub n: usize,
    /// Arithmetic mean.
    pub mean: f64,
    /// Median (all quantiles use method 7 of Hyndman and Fan).
    pub p50: f64,
    /// 90th percentile.
    pub p90: f64,
    /// 95th percentile.
    pub p95: f64,
    /// 99th percentile.
    pub p99: f64,
    /// Maximum.
    pub max: f64,
}

impl Distribution {
    /// `None` if there are no values, or if one is not finite.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        if !values.iter().all(|value| value.is_finite()) {
            return None;
        }
        let sorted = Sorted::of(values);
        let at = |p: f64| sorted.quantile(p, QuantileMethod::HyndmanFan7);
        Some(Self {
            n: values.len(),
            mean: mean(values)?,
            p50: at(0.5)?,
            p90: at(0.9)?,
            p95: at(0.95)?,
            p99: at(0.99)?,
            max: at(1.0)?,
        })
    }
}

/// The summary of a run. Warm-up requests are excluded; failed requests are counted and have no latency.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Summary {
    /// Number of requests that ended.
    pub requests: usize,
    /// Number of requests that failed.
    pub failed: usize,
    /// Number of failures by kind.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub errors: BTreeMap<String, usize>,
    /// The first message of each kind of failure, as the server or the client worded it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub error_messages: BTreeMap<String, String>,
    /// Number of responses that ended without a finish reason and token counts. They count as successes.
    #[serde(skip_serializing_if = "is_zero")]
    pub unfinished: usize,
    /// Number of responses whose time per output token is unknown, by reason: `no_token_counts`, `hidden_reasoning`,
    /// `one_read`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tpot_absent: BTreeMap<String, usize>,
    /// Number of retries.
    pub retries: u64,
    /// Time from the first issue to the last end, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wall_s: Option<f64>,
    /// Successful requests per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_s: Option<f64>,
    /// Output tokens of successful requests per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_tokens_per_s: Option<f64>,
    /// Input tokens of all prompts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u64>,
    /// Output tokens of all responses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
    /// Requests per second that met every objective, if there are objectives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goodput_per_s: Option<f64>,
    /// Share of requests that met every objective, if there are objectives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub good_share: Option<f64>,
    /// Total cost, in US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// The metrics by name, and `icl_s`, the gaps between the chunks of all requests.
    pub metrics: BTreeMap<String, Distribution>,
}

/// Builds the summary of a run incrementally. It keeps about a hundred bytes for each request, independent of the
/// length of its response.
#[derive(Debug, Clone)]
pub struct Tally {
    objectives: Objectives,
    requests: usize,
    good: usize,
    errors: BTreeMap<String, usize>,
    error_messages: BTreeMap<String, String>,
    unfinished: usize,
    tpot_absent: BTreeMap<String, usize>,
    retries: u64,
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cost_usd: Option<f64>,
    values: [Vec<f64>; Tally::METRICS.len()],
    gaps_ns: Histogram<u64>,
    gap_sum_s: f64,
}

impl Tally {
    /// The metrics of the summary, in the order of the phases of a request.
    pub const METRICS: [Metric; 6] =
        [Metric::Connect, Metric::Ttft, Metric::TtftFromWrite, Metric::Tpot, Metric::E2e, Metric::SchedDelay];

    /// An empty tally.
    #[must_use]
    pub fn new(objectives: Objectives) -> Self {
        // Gaps between chunks are numerous and not judged one by one: a histogram with three significant digits is
        // enough.
        let gaps_ns = Histogram::new_with_bounds(1, 3_600_000_000_000, 3)
            .unwrap_or_else(|_| unreachable!("the bounds are constants that the crate accepts"));
        Self {
            objectives,
            requests: 0,
            good: 0,
            errors: BTreeMap::new(),
            error_messages: BTreeMap::new(),
            unfinished: 0,
            tpot_absent: BTreeMap::new(),
            retries: 0,
            started_at: None,
            ended_at: None,
            input_tokens: None,
            output_tokens: None,
            cost_usd: None,
            values: Default::default(),
            gaps_ns,
            gap_sum_s: 0.0,
        }
    }

    /// Adds one request. Warm-up requests are ignored.
    pub fn push(&mut self, record: &RequestRecord) {
        if record.warmup {
            return;
        }
        self.requests += 1;
        self.good += usize::from(self.objectives.are_met_by(record));
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of attempts")]
        record.attribute("retries").into_iter().for_each(|retries| self.retries += retries as u64);
        self.update_span(record);
        if !record.succeeded() {
            self.count_failure(record);
            return;
        }
        self.unfinished += usize::from(record.attributes.contains_key("unfinished"));
        if let Some(AttributeValue::Text(reason)) = record.attributes.get("tpot_absent") {
            *self.tpot_absent.entry(reason.clone()).or_default() += 1;
        }
        add(&mut self.input_tokens, record.input_tokens);
        add(&mut self.output_tokens, record.output_tokens);
        add(&mut self.cost_usd, record.cost_usd);
        for (values, metric) in self.values.iter_mut().zip(Self::METRICS) {
            values.extend(record.metric(metric).filter(|value| value.is_finite()));
        }
        for gap_s in &record.icl_s {
            self.gap_sum_s += gap_s;
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates at both ends")]
            self.gaps_ns.saturating_record((gap_s * 1e9) as u64);
        }
    }

    fn count_failure(&mut self, record: &RequestRecord) {
        let kind = record.error.as_ref().map_or("unknown", |error| &error.kind);
        *self.errors.entry(kind.to_owned()).or_default() += 1;
        if let Some(message) = record.error.as_ref().and_then(|error| error.message.as_ref()) {
            self.error_messages.entry(kind.to_owned()).or_insert_with(|| message.clone());
        }
    }

    fn update_span(&mut self, record: &RequestRecord) {
        let Some(started_at) = record.started_at else { return };
        let lasted_s = record.e2e_s.or_else(|| record.attribute("failed_after_s")).unwrap_or(0.0);
        let lasted = SignedDuration::try_from_secs_f64(lasted_s).unwrap_or_default();
        let ended_at = started_at.checked_add(lasted).unwrap_or(started_at);
        self.started_at = Some(self.started_at.map_or(started_at, |earlier| earlier.min(started_at)));
        self.ended_at = Some(self.ended_at.map_or(ended_at, |later| later.max(ended_at)));
    }

    /// The values of a metric so far, in the order in which the requests ended.
    #[must_use]
    pub fn values(&self, metric: Metric) -> &[f64] {
        let position = Self::METRICS.iter().position(|&known| known == metric);
        position.map_or(&[], |position| &self.values[position])
    }

    /// Number of requests that failed so far.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.errors.values().sum()
    }

    /// The summary so far.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let (requests, failed) = (self.requests, self.failed());
        let wall_s = self.started_at.zip(self.ended_at).map(|(start, end)| end.duration_since(start).as_secs_f64());
        let rate = |amount: f64| wall_s.filter(|&wall_s| wall_s > 0.0).map(|wall_s| amount / wall_s);
        let has_objectives = !self.objectives.is_empty();
        let metrics = self.values.iter().zip(Self::METRICS);
        let metrics =
            metrics.filter_map(|(values, metric)| Some((metric.name().to_owned(), Distribution::of(values)?)));
        Summary {
            requests,
            failed,
            errors: self.errors.clone(),
            error_messages: self.error_messages.clone(),
            unfinished: self.unfinished,
            tpot_absent: self.tpot_absent.clone(),
            retries: self.retries,
            wall_s,
            requests_per_s: rate(float(requests - failed)),
            #[allow(clippy::cast_precision_loss, reason = "token counts are far below 2^53")]
            output_tokens_per_s: self.output_tokens.and_then(|tokens| rate(tokens as f64)),
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens,
            goodput_per_s: has_objectives.then(|| rate(float(self.good))).flatten(),
            good_share: (has_objectives && requests > 0).then(|| float(self.good) / float(requests)),
            cost_usd: self.cost_usd,
            metrics: metrics.chain(self.gaps().map(|gaps| ("icl_s".to_owned(), gaps))).collect(),
        }
    }

    fn gaps(&self) -> Option<Distribution> {
        let gaps = &self.gaps_ns;
        #[allow(clippy::cast_precision_loss, reason = "at most an hour of nanoseconds, far below 2^53")]
        let at = |q: f64| gaps.value_at_quantile(q) as f64 * 1e-9;
        let n = usize::try_from(gaps.len()).ok().filter(|&n| n > 0)?;
        let mean = self.gap_sum_s / float(n);
        Some(Distribution { n, mean, p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99), max: at(1.0) })
    }
}

impl Summary {
    /// The summary of a run that has ended.
    #[must_use]
    pub fn of(records: &[RequestRecord], objectives: &Objectives) -> Self {
        let mut tally = Tally::new(objectives.clone());
        records.iter().for_each(|record| tally.push(record));
        tally.summary()
    }
}

fn add<N: std::ops::Add<Output = N> + Default>(sum: &mut Option<N>, amount: Option<N>) {
    if let Some(amount) = amount {
        *sum = Some(sum.take().unwrap_or_default() + amount);
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde requires")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

#[allow(clippy::cast_precision_loss, reason = "counts of requests are far below 2^53")]
fn float(count: usize) -> f64 {
    count as f64
}
