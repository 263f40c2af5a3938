//! `--output-format json`: statistics of a run.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{DNS, FIRST_BYTE};
use crate::error::{Error, Location, Result};
use crate::ingest::attributes::count;
use crate::ingest::empty::no_requests;
use crate::ingest::http;
use crate::ingest::on_one_line;
use crate::ingest::runs::Runs;
use crate::ingest::tool::Parsed;
use crate::quantity::counted;
use crate::session::Warning;

/// Durations are in seconds everywhere except in the block `metrics.latency_ms`, which repeats some of them and is
/// ignored. Statistics without data are null.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    summary: Summary,
    #[serde(default)]
    latency_percentiles: Percentiles,
    /// Only with `--stats-success-breakdown`.
    latency_percentiles_successful: Option<Percentiles>,
    #[serde(default)]
    first_byte_percentiles: Percentiles,
    #[serde(default)]
    details: Details,
    status_code_distribution: BTreeMap<u16, u64>,
    #[serde(default)]
    error_distribution: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    total: Option<f64>,
    slowest: Option<f64>,
    fastest: Option<f64>,
    average: Option<f64>,
    requests_per_sec: Option<f64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Details {
    #[serde(rename = "DNSDialup")]
    dns_dialup: Statistics,
    #[serde(rename = "DNSLookup")]
    dns_lookup: Statistics,
    #[serde(rename = "firstByte")]
    first_byte: Statistics,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Statistics {
    average: Option<f64>,
    fastest: Option<f64>,
    slowest: Option<f64>,
}

/// `p50`, `p99.9`, …
type Percentiles = BTreeMap<String, Option<f64>>;

/// oha's name for requests that it aborted at the end of the run.
const DEADLINE: &str = "aborted due to deadline";

pub(super) fn read(source: &str, text: &str) -> Result<Parsed> {
    let report: Report = serde_json::from_str(text).map_err(|error| Error::of_json(Location::of(source), &error))?;
    let responses = sum(report.status_code_distribution.values());
    let refusals = report.status_code_distribution.iter().filter(|(status, _)| http::refusal(**status).is_some());
    let refused = sum(refusals.map(|(_, count)| count));
    let aborted = report.error_distribution.get(DEADLINE).copied().unwrap_or(0);
    let errors = report.error_distribution.iter().filter(|(message, _)| *message != DEADLINE);
    let without = sum(errors.map(|(_, count)| count));
    if [responses, without, aborted] == [0; 3] {
        return Err(no_requests(source, "give the result of a run that sent at least one request"));
    }
    let mut runs = Runs::default();
    runs.begin(1);
    runs.number("requests", Some(count(responses.saturating_add(without))));
    runs.number("failed", Some(count(refused.saturating_add(without))));
    runs.number("aborted_at_deadline", Some(count(aborted)));
    runs.number("duration_s", report.summary.total);
    runs.number("requests_per_s", report.summary.requests_per_sec);
    let (failed, requests) = (refused.saturating_add(without), responses.saturating_add(without));
    if failed > 0 {
        let message = format!("{failed} of {} failed: {}", counted_u64(requests, "request"), report.failures());
        runs.warnings.push(Warning { location: Location::of(source), message });
    }
    report.put_latencies(&mut runs, source, refused);
    percentiles(&mut runs, FIRST_BYTE, &report.first_byte_percentiles);
    statistics(&mut runs, FIRST_BYTE, &report.details.first_byte);
    // Statistics of the requests that opened a connection.
    statistics(&mut runs, "connect_s", &report.details.dns_dialup);
    statistics(&mut runs, DNS, &report.details.dns_lookup);
    Ok(Parsed::Runs(runs))
}

fn counted_u64(count: u64, noun: &str) -> String {
    counted(usize::try_from(count).unwrap_or(usize::MAX), noun)
}

impl Report {
    /// The number of failures of each kind.
    fn failures(&self) -> String {
        let refusals = self.status_code_distribution.iter().filter(|(status, _)| http::refusal(**status).is_some());
        let refusals = refusals.map(|(status, count)| format!("{count} {status}"));
        let errors = self.error_distribution.iter().filter(|(message, _)| *message != DEADLINE);
        let errors = errors.map(|(message, count)| format!("{count} {}", on_one_line(message)));
        refusals.chain(errors).collect::<Vec<_>>().join(", ")
    }

    /// oha's latencies include all responses. An error response has no latency of a request, so if there are any, only
    /// the percentiles that oha computes from successes count as latencies.
    fn put_latencies(&self, runs: &mut Runs, source: &str, refused: u64) {
        let name = if refused == 0 { "e2e_s" } else { "response_s" };
        percentiles(runs, name, &self.latency_percentiles);
        let Summary { average, fastest, slowest, .. } = self.summary;
        statistics(runs, name, &Statistics { average, fastest, slowest });
        if refused > 0 {
            self.latency_percentiles_successful.iter().for_each(|of_success| percentiles(runs, "e2e_s", of_success));
            let message = format!(
                "oha's statistics include {}: they are named response_s here{}",
                counted_u64(refused, "error response"),
                if self.latency_percentiles_successful.is_some() {
                    "; e2e_s covers only successes"
                } else {
                    ", not e2e_s; run oha with --stats-success-breakdown"
                }
            );
            runs.warnings.push(Warning { location: Location::of(source), message });
        }
    }
}

fn sum<'n>(counts: impl Iterator<Item = &'n u64>) -> u64 {
    counts.fold(0, |sum, count| sum.saturating_add(*count))
}

fn percentiles(runs: &mut Runs, name: &str, percentiles: &Percentiles) {
    // By rank: in alphabetical order, p5 would follow p10.
    let rank = |name: &str| name.strip_prefix('p').and_then(|rank| rank.parse::<f64>().ok());
    let mut ranked: Vec<_> = percentiles.iter().filter_map(|(p, &value)| Some((rank(p)?, p, value))).collect();
    ranked.sort_by(|(a, ..), (b, ..)| a.total_cmp(b));
    for (_, percentile, value) in ranked {
        runs.number(&format!("{name}.{percentile}"), value);
    }
}

fn statistics(runs: &mut Runs, name: &str, statistics: &Statistics) {
    runs.number(&format!("{name}.mean"), statistics.average);
    runs.number(&format!("{name}.min"), statistics.fastest);
    runs.number(&format!("{name}.max"), statistics.slowest);
}
