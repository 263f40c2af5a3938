//! The summary at the end of a run in its three forms: `--summary-export`, the argument of `handleSummary`, and the
//! machine-readable one of version 2. Durations are in milliseconds in all of them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::DURATIONS;
use crate::error::{Error, Location, Result};
use crate::ingest::empty::no_requests;
use crate::ingest::runs::{Runs, of_ms};
use crate::ingest::tool::Parsed;
use crate::quantity::counted;
use crate::session::Warning;

#[derive(Deserialize, Default)]
#[serde(default)]
struct Report {
    metrics: BTreeMap<String, Value>,
    results: Results,
    state: State,
    config: Config,
    metadata: Metadata,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Results {
    metrics: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
    contains: Option<String>,
    #[serde(default)]
    values: BTreeMap<String, Value>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct State {
    test_run_duration_ms: Option<f64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Config {
    /// In seconds.
    duration: Option<f64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Metadata {
    generated_at: Option<String>,
}

/// The statistics of a metric.
struct Metric {
    is_time: bool,
    values: BTreeMap<String, f64>,
}

type Metrics = BTreeMap<String, Metric>;

pub(super) fn read(source: &str, text: &str) -> Result<Parsed> {
    let report: Report = serde_json::from_str(text).map_err(|error| Error::of_json(Location::of(source), &error))?;
    let metrics = report.metrics();
    let value = |metric: &str, name: &str| metrics.get(metric).and_then(|metric| metric.values.get(name)).copied();
    let requests = value("http_reqs", "count").filter(|&requests| requests > 0.0);
    let Some(requests) = requests else {
        return Err(no_requests(source, "give the summary of a script that made HTTP requests"));
    };
    // The older forms count as passes the cases in which the rate's condition was true: here, failures.
    let failed = value("http_req_failed", "matches").or_else(|| value("http_req_failed", "passes"));
    let mut runs = Runs::default();
    runs.begin(1);
    runs.number("requests", Some(requests));
    runs.number("failed", failed);
    runs.number("requests_per_s", value("http_reqs", "rate"));
    runs.number("duration_s", report.state.test_run_duration_ms.map(of_ms).or(report.config.duration));
    runs.text("generated_at", report.metadata.generated_at.as_deref());
    match failed {
        Some(failed) if failed > 0.0 => {
            let message = format!(
                "{failed} of {} failed, and k6's statistics include them: there is no e2e_s, and \
                 {EXPECTED_NAME} covers only the expected responses",
                counted(requests, "request")
            );
            runs.warnings.push(Warning { location: Location::of(source), message });
        }
        // The mean of a sum is the sum of the means if they cover the same requests; other statistics do not add up.
        _ => runs.number("e2e_s.mean", sum(value("http_req_blocked", "avg"), value("http_req_duration", "avg"))),
    }
    for (name, metric) in &metrics {
        put(&mut runs, name, metric);
    }
    Ok(Parsed::Runs(runs))
}

fn sum(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    Some(of_ms(one? + other?))
}

/// k6's name for the durations of requests with an expected response, and ours.
const EXPECTED: &str = "http_req_duration{expected_response:true}";
const EXPECTED_NAME: &str = "http_req_duration_of_expected_s";

/// The statistics of a duration: k6's own, or one that the script defines.
fn put(runs: &mut Runs, name: &str, metric: &Metric) {
    let name = match name {
        EXPECTED => EXPECTED_NAME.to_owned(),
        _ if DURATIONS.contains(&name) || (metric.is_time && !name.contains('{')) => format!("{name}_s"),
        _ => return,
    };
    for (statistic, &milliseconds) in &metric.values {
        if let Some(statistic) = statistic_name(statistic) {
            runs.number(&format!("{name}.{statistic}"), Some(of_ms(milliseconds)));
        }
    }
}

/// Our names of `avg`, `med`, `p(90)` and `p90`.
fn statistic_name(theirs: &str) -> Option<String> {
    let percentile = || {
        let rank = theirs.strip_prefix('p')?.trim_start_matches('(').trim_end_matches(')');
        rank.parse::<f64>().ok().map(|_| format!("p{rank}"))
    };
    match theirs {
        "avg" => Some("mean".to_owned()),
        "med" => Some("p50".to_owned()),
        "min" | "max" => Some(theirs.to_owned()),
        _ => percentile(),
    }
}

impl Report {
    /// The metrics by name, in every form.
    fn metrics(&self) -> Metrics {
        let listed = self.results.metrics.iter().map(|named| {
            let is_time = named.contains.as_deref() == Some("time");
            (named.name.clone(), Metric { is_time, values: finite(named.values.iter()) })
        });
        let keyed = self.metrics.iter().filter_map(|(name, metric)| {
            let is_time = metric.get("contains").and_then(Value::as_str) == Some("time");
            let values = metric.get("values").unwrap_or(metric).as_object()?;
            Some((name.clone(), Metric { is_time, values: finite(values.iter()) }))
        });
        listed.chain(keyed).collect()
    }
}

fn finite<'v>(values: impl Iterator<Item = (&'v String, &'v Value)>) -> BTreeMap<String, f64> {
    values.filter_map(|(name, value)| Some((name.clone(), value.as_f64()?))).collect()
}
