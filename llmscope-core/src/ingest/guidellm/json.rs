//! The JSON report: benchmarks, each with its requests grouped by outcome.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{LOADS, REPORTED};
use crate::error::{Error, Location, Result};
use crate::ingest::runs::{Runs, of_ms};
use crate::ingest::tool::Parsed;
use crate::ingest::{failure, timestamp};
use crate::quantity::counted;
use crate::session::{
    AttributeValue, Environment, RequestError, RequestRecord, Session, SessionHeader, Software, Status, Warning,
};

#[derive(Deserialize)]
struct Report {
    metadata: Metadata,
    /// Schema 1: the arguments of the command line.
    args: Option<Value>,
    /// Schema 2: the specification, with the user's labels.
    config: Option<Value>,
    benchmarks: Vec<Benchmark>,
}

#[derive(Deserialize)]
struct Metadata {
    guidellm_version: Option<String>,
    python_version: Option<String>,
    platform: Option<String>,
}

#[derive(Deserialize)]
struct Benchmark {
    config: Configuration,
    #[serde(default)]
    metrics: BTreeMap<String, Value>,
    #[serde(default)]
    requests: Outcomes,
    /// The start and end of the measurement: warm-up precedes it, cooldown follows it.
    start_time: Option<f64>,
    end_time: Option<f64>,
    duration: Option<f64>,
}

#[derive(Deserialize)]
struct Configuration {
    strategy: Strategy,
    backend: Option<Value>,
}

#[derive(Deserialize)]
struct Strategy {
    type_: String,
    streams: Option<f64>,
    max_concurrency: Option<f64>,
    rate: Option<f64>,
    time_scale: Option<f64>,
}

#[derive(Deserialize, Default)]
struct Outcomes {
    successful: Option<Vec<Request>>,
    incomplete: Option<Vec<Request>>,
    errored: Option<Vec<Request>>,
}

#[derive(Deserialize)]
struct Request {
    request_id: Option<String>,
    info: Info,
    output_metrics: Option<Usage>,
    request_start_time: Option<f64>,
    request_end_time: Option<f64>,
    request_latency: Option<f64>,
    prompt_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cached_tokens: Option<f64>,
    time_to_first_token_ms: Option<f64>,
    time_to_first_output_token_ms: Option<f64>,
    time_per_output_token_ms: Option<f64>,
    inter_token_latency_ms: Option<f64>,
}

#[derive(Deserialize)]
struct Info {
    error: Option<String>,
    #[serde(default)]
    timings: Timings,
    settings: Option<Settings>,
}

#[derive(Deserialize, Default)]
struct Timings {
    targeted_start: Option<f64>,
    request_start: Option<f64>,
    token_iterations: Option<f64>,
}

#[derive(Deserialize)]
struct Settings {
    relative_timestamp: Option<f64>,
}

#[derive(Deserialize)]
struct Usage {
    total_tokens: Option<f64>,
}

pub(super) fn read(source: &str, text: &str) -> Result<Parsed> {
    let report: Report = serde_json::from_str(text).map_err(|error| Error::of_json(Location::of(source), &error))?;
    let benchmarks = &report.benchmarks;
    if benchmarks.iter().all(|benchmark| benchmark.metrics.is_empty() && benchmark.requests.is_empty()) {
        return Err(Error::Format {
            location: Location::of(source).field("benchmarks"),
            problem: "no benchmark with requests or metrics".to_owned(),
            fix: "give the report of a finished run".to_owned(),
        });
    }
    // guidellm has an option to keep no requests.
    if benchmarks.iter().all(|benchmark| benchmark.requests.is_empty()) {
        return Ok(Parsed::Runs(summaries(&report)));
    }
    let mut session = Session::default();
    let mut warnings = Vec::new();
    let (mut clock_steps, mut cut_off) = (0, 0);
    for (index, benchmark) in benchmarks.iter().enumerate() {
        let at = Location::of(source).field(&format!("benchmarks[{index}].requests"));
        warnings.extend(benchmark.sampled(at));
        session.records.extend(benchmark.records(&mut clock_steps));
        cut_off += benchmark.requests.incomplete.iter().flatten().filter(|request| request.is_cut_off()).count();
    }
    if cut_off > 0 {
        let message = format!(
            "left out {} that guidellm cut off at the end of the run: {} did not fail",
            counted(cut_off, "request"),
            if cut_off == 1 { "it" } else { "they" }
        );
        warnings.push(Warning { location: Location::of(source), message });
    }
    if clock_steps > 0 {
        let message = format!(
            "left out the negative latency of {}: guidellm measures with the wall clock, which was set back",
            counted(clock_steps, "request")
        );
        warnings.push(Warning { location: Location::of(source), message });
    }
    session.header =
        SessionHeader { started_at: session.records.iter().find_map(|record| record.started_at), ..report.header() };
    Ok(Parsed::Session(session, warnings))
}

impl Report {
    fn header(&self) -> SessionHeader {
        let models: Vec<_> = self.benchmarks.iter().map(|benchmark| self.model(benchmark)).collect();
        let mut labels = BTreeMap::new();
        let mut label = |name: &str, value: Option<&str>| {
            labels.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        };
        let setting = |name: &str| self.benchmarks.first()?.config.backend.as_ref()?.get(name)?.as_str();
        label("backend", setting("kind").or_else(|| self.args.as_ref()?.get("backend")?.as_str()));
        label("target", setting("target"));
        label("python_version", self.metadata.python_version.as_deref());
        let own = self.config.as_ref().and_then(|config| config.pointer("/metadata/labels")).and_then(Value::as_object);
        for (name, value) in own.into_iter().flatten() {
            label(name, value.as_str());
        }
        SessionHeader {
            recorder: Some(Software { name: "guidellm".to_owned(), version: self.metadata.guidellm_version.clone() }),
            model: models
                .first()
                .copied()
                .flatten()
                .filter(|&first| models.iter().all(|&m| m == Some(first)))
                .map(str::to_owned),
            labels,
            environment: self
                .metadata
                .platform
                .as_ref()
                .map(|platform| Environment { os: Some(platform.clone()), ..Environment::default() }),
            ..SessionHeader::default()
        }
    }

    fn model<'r>(&'r self, benchmark: &'r Benchmark) -> Option<&'r str> {
        let of = |value: &'r Option<Value>| value.as_ref()?.get("model")?.as_str();
        of(&benchmark.config.backend).or_else(|| of(&self.args))
    }
}

impl Outcomes {
    fn is_empty(&self) -> bool {
        [&self.successful, &self.incomplete, &self.errored].into_iter().flatten().all(Vec::is_empty)
    }
}

impl Benchmark {
    /// A warning if the report keeps only a random sample of the requests.
    fn sampled(&self, location: Location) -> Option<Warning> {
        let made = self.metrics.get("request_totals")?.get("successful")?.as_u64()?;
        let kept = self.requests.successful.as_ref().map_or(0, Vec::len) as u64;
        (kept < made).then(|| Warning {
            location,
            message: format!(
                "the file has {kept} of {made} successful requests, because guidellm kept only a random sample: \
                 consecutive requests in the file were not consecutive in time"
            ),
        })
    }

    /// The requests of all outcomes, in the order in which they began.
    fn records(&self, clock_steps: &mut usize) -> Vec<RequestRecord> {
        let outcomes = [
            (&self.requests.successful, Status::Ok),
            (&self.requests.incomplete, Status::Cancelled),
            (&self.requests.errored, Status::Error),
        ];
        let mut requests: Vec<(&Request, Status)> = outcomes
            .into_iter()
            .flat_map(|(requests, status)| requests.iter().flatten().map(move |request| (request, status)))
            .filter(|(request, status)| *status != Status::Cancelled || !request.is_cut_off())
            .collect();
        let begun = |request: &Request| request.request_start_time.or(request.request_end_time).unwrap_or(f64::MAX);
        requests.sort_by(|(a, _), (b, _)| begun(a).total_cmp(&begun(b)));
        requests.into_iter().map(|(request, status)| self.record(request, status, clock_steps)).collect()
    }

    fn record(&self, request: &Request, status: Status, clock_steps: &mut usize) -> RequestRecord {
        let mut record = RequestRecord {
            started_at: request.request_start_time.and_then(timestamp::of_epoch_s),
            warmup: self.is_warm_up(request),
            input_tokens: request.prompt_tokens,
            output_tokens: request.output_tokens,
            // Without a usage report, each chunk counts as one token.
            tokens_estimated: request.output_tokens.is_some()
                && request.output_metrics.as_ref().is_none_or(|usage| usage.total_tokens.is_none()),
            attributes: self.config.strategy.attributes(),
            ..RequestRecord::default()
        };
        if let Some(id) = &request.request_id {
            record.attributes.insert("request_id".to_owned(), AttributeValue::Text(id.clone()));
        }
        if self.is_cooldown(request) {
            record.attributes.insert("phase".to_owned(), AttributeValue::Text("cooldown".to_owned()));
        }
        let delay_s = request.delay_s();
        let is_scheduled = self.config.strategy.is_scheduled(request);
        record.sched_delay_s = delay_s.filter(|_| is_scheduled);
        (record.status, record.error) = request.outcome(status);
        let mut steps = false;
        let mut duration = |seconds: Option<f64>| {
            steps |= seconds.is_some_and(|seconds| seconds < 0.0);
            seconds.filter(|&seconds| seconds >= 0.0)
        };
        if record.succeeded() {
            record.ttft_s = duration(request.time_to_first_token_ms.map(of_ms));
            record.e2e_s = duration(request.request_latency);
            record.tpot_s = duration(request.inter_token_latency_ms.map(of_ms));
            let own = [
                ("time_per_output_token_with_ttft_s", duration(request.time_per_output_token_ms.map(of_ms))),
                ("time_to_first_output_token_s", duration(request.time_to_first_output_token_ms.map(of_ms))),
                ("request_dispatch_delay_s", delay_s.filter(|_| !is_scheduled)),
                ("cached_tokens", request.cached_tokens),
                ("token_iterations", request.info.timings.token_iterations),
            ];
            let own =
                own.into_iter().filter_map(|(name, value)| Some((name.to_owned(), AttributeValue::Number(value?))));
            record.attributes.extend(own);
        }
        *clock_steps += usize::from(steps);
        record
    }

    /// True if a request ended before the measurement began: guidellm excludes it from its own figures.
    fn is_warm_up(&self, request: &Request) -> bool {
        self.start_time.zip(request.request_end_time).is_some_and(|(start, ended)| ended < start)
    }

    /// True if a request began after the measurement ended.
    fn is_cooldown(&self, request: &Request) -> bool {
        self.end_time.zip(request.request_start_time).is_some_and(|(end, began)| began > end)
    }
}

/// guidellm's message for a request that was under way when the run ended.
const CUT_OFF: &str = "Request was cancelled";

impl Request {
    /// True if the tool ended the request with the run: it is censored, and did not fail.
    fn is_cut_off(&self) -> bool {
        self.info.error.as_deref().is_some_and(|error| error.trim().trim_end_matches('.') == CUT_OFF)
    }

    /// The time from the scheduled start to the actual start.
    fn delay_s(&self) -> Option<f64> {
        Some(self.info.timings.request_start? - self.info.timings.targeted_start?)
    }

    fn outcome(&self, status: Status) -> (Status, Option<RequestError>) {
        let message = self.info.error.as_deref().unwrap_or_default();
        match status {
            Status::Ok => (Status::Ok, None),
            Status::Cancelled => {
                let message = Some(message.to_owned()).filter(|message| !message.is_empty());
                (Status::Cancelled, Some(RequestError { kind: "cancelled".to_owned(), code: None, message }))
            }
            _ => {
                let (status, error) = failure::of_text(message);
                (status, Some(error))
            }
        }
    }
}

impl Strategy {
    /// The name under which guidellm prints the strategy.
    fn name(&self) -> String {
        let type_ = &self.type_;
        match type_.as_str() {
            "concurrent" => self.streams.map_or(type_.clone(), |streams| format!("{type_}@{streams}")),
            "throughput" => match self.max_concurrency {
                Some(most) => format!("{type_}@{most}"),
                None => format!("{type_}@unlimited"),
            },
            "trace" => self.time_scale.map_or(type_.clone(), |scale| format!("{type_}@{scale:.2}")),
            _ => self.rate.map_or(type_.clone(), |rate| format!("{type_}@{rate:.2}")),
        }
    }

    /// True if requests have a scheduled start: other strategies send a request as soon as a slot is free.
    fn is_scheduled(&self, request: &Request) -> bool {
        match self.type_.as_str() {
            "constant" | "poisson" => true,
            "trace" => request.info.settings.as_ref().is_some_and(|settings| settings.relative_timestamp.is_some()),
            _ => false,
        }
    }

    /// The requests that are under way at a time. For other strategies, `max_concurrency` is a ceiling.
    fn concurrency(&self) -> Option<f64> {
        let ceiling = matches!(self.type_.as_str(), "concurrent" | "throughput").then_some(self.max_concurrency);
        self.streams.or(ceiling.flatten())
    }

    fn attributes(&self) -> BTreeMap<String, AttributeValue> {
        let numbers = [("concurrency", self.concurrency()), ("request_rate_per_s", self.rate)];
        numbers
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), AttributeValue::Number(value?))))
            .chain([("run".to_owned(), AttributeValue::Text(self.name()))])
            .collect()
    }
}

/// One row per benchmark, from a report that kept no requests. Percentiles are order statistics without interpolation.
fn summaries(report: &Report) -> Runs {
    let mut runs = Runs::default();
    for benchmark in &report.benchmarks {
        let strategy = &benchmark.config.strategy;
        runs.begin(1);
        runs.text("run", Some(&strategy.name()));
        runs.text("model", report.model(benchmark));
        runs.started_at(benchmark.start_time.and_then(timestamp::of_epoch_s));
        runs.number("concurrency", strategy.concurrency());
        runs.number("request_rate_per_s", strategy.rate);
        let total = |status: &str| benchmark.metrics.get("request_totals")?.get(status)?.as_f64();
        runs.number("requests", total("total"));
        runs.number("failed", total("errored"));
        runs.number("incomplete", total("incomplete"));
        runs.number("duration_s", benchmark.duration);
        let successful = |field: &str| {
            let distribution = benchmark.metrics.get(field)?.get("successful")?;
            distribution.get("count")?.as_f64().filter(|&count| count > 0.0)?;
            Some(distribution)
        };
        for (field, _, _, column) in LOADS {
            runs.number(column, successful(field).and_then(|distribution| distribution.get("mean")?.as_f64()));
        }
        for reported in REPORTED {
            let Some(distribution) = successful(reported.field) else { continue };
            for (name, statistic) in [("mean", "mean"), ("std_dev", "std"), ("min", "min"), ("max", "max")] {
                reported.put(&mut runs, statistic, distribution.get(name).and_then(Value::as_f64));
            }
            for (name, statistic) in PERCENTILES {
                let value = distribution.get("percentiles").and_then(|percentiles| percentiles.get(name)?.as_f64());
                reported.put(&mut runs, statistic, value);
            }
        }
    }
    runs
}

/// The report's percentiles. Their names have no decimal point.
const PERCENTILES: &[(&str, &str)] = &[
    ("p001", "p0.1"),
    ("p01", "p1"),
    ("p05", "p5"),
    ("p10", "p10"),
    ("p25", "p25"),
    ("p50", "p50"),
    ("p75", "p75"),
    ("p90", "p90"),
    ("p95", "p95"),
    ("p99", "p99"),
    ("p999", "p99.9"),
];
