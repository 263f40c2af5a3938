//! `--json`: the statistics of each entry, with the histogram of its response times.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{run_name, times_name, warn};
use crate::error::{Error, Location, Result, excerpt};
use crate::ingest::attributes::count;
use crate::ingest::empty::no_requests;
use crate::ingest::runs::{Runs, of_ms};
use crate::ingest::timestamp;
use crate::ingest::tool::Parsed;

#[derive(Deserialize)]
struct Entry {
    name: String,
    method: Option<String>,
    start_time: Option<f64>,
    last_request_timestamp: Option<f64>,
    num_requests: u64,
    num_none_requests: u64,
    num_failures: u64,
    total_response_time: f64,
    max_response_time: Option<f64>,
    min_response_time: Option<f64>,
    /// Requests by their rounded response time in milliseconds.
    response_times: BTreeMap<String, u64>,
}

/// The percentiles that the reader reports, a subset of those that Locust prints.
const PERCENTILES: [(&str, f64); 6] =
    [("p50", 0.5), ("p75", 0.75), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p99.9", 0.999)];

pub(super) fn read(source: &str, text: &str) -> Result<Parsed> {
    let entries: Vec<Entry> =
        serde_json::from_str(text).map_err(|error| Error::of_json(Location::of(source), &error))?;
    if entries.is_empty() {
        return Err(no_requests(source, "give the statistics of a run that sent requests"));
    }
    let mut runs = Runs::default();
    for (index, entry) in entries.iter().enumerate() {
        runs.begin(1);
        entry.put(&mut runs, || Location::of(source).field(&format!("[{index}].response_times")))?;
    }
    warn(&mut runs, source, entries.iter().any(|entry| entry.num_failures > 0));
    Ok(Parsed::Runs(runs))
}

impl Entry {
    fn put(&self, runs: &mut Runs, location: impl FnOnce() -> Location) -> Result<()> {
        let name = times_name(self.num_failures > 0);
        // Requests with a response time.
        let timed = self.num_requests.saturating_sub(self.num_none_requests);
        let duration_s = || Some(self.last_request_timestamp? - self.start_time?).filter(|&seconds| seconds > 0.0);
        runs.text("run", Some(&run_name(self.method.as_deref().unwrap_or_default(), &self.name)));
        runs.started_at(self.start_time.and_then(timestamp::of_epoch_s));
        runs.number("requests", Some(count(self.num_requests)));
        runs.number("failed", Some(count(self.num_failures)));
        runs.number("duration_s", duration_s());
        runs.number("requests_per_s", duration_s().map(|seconds| count(self.num_requests) / seconds));
        if timed > 0 {
            let histogram = self.histogram(location)?;
            runs.number(&format!("{name}.mean"), Some(of_ms(self.total_response_time) / count(timed)));
            runs.number(&format!("{name}.min"), self.min_response_time.map(of_ms));
            runs.number(&format!("{name}.max"), self.max_response_time.map(of_ms));
            for (percentile, share) in PERCENTILES {
                runs.number(&format!("{name}.{percentile}"), quantile(&histogram, timed, share).map(of_ms));
            }
        }
        Ok(())
    }

    /// Response times with their counts, in descending order.
    fn histogram(&self, location: impl FnOnce() -> Location) -> Result<Vec<(f64, u64)>> {
        let mut histogram = Vec::with_capacity(self.response_times.len());
        for (text, &times) in &self.response_times {
            let Ok(time) = text.parse::<f64>() else {
                return Err(Error::Format {
                    location: location(),
                    problem: format!("\"{}\" is not a response time", excerpt(text)),
                    fix: "give the JSON as Locust printed it".to_owned(),
                });
            };
            histogram.push((time, times));
        }
        histogram.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        Ok(histogram)
    }
}

/// The response time within which a share of the requests finished, as Locust computes it (`locust/stats.py`): it
/// descends from the maximum until at most that share of the requests is below.
fn quantile(histogram: &[(f64, u64)], requests: u64, share: f64) -> Option<f64> {
    let within = (count(requests) * share).floor();
    let mut above = 0_u64;
    histogram.iter().find_map(|&(time, times)| {
        above = above.saturating_add(times);
        (count(requests.saturating_sub(above)) <= within).then_some(time)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_locust() {
        // locust.stats.calculate_response_time_percentile({110: 2, 120: 14, 130: 27, 180: 1}, 44, …), Locust 2.47.0.
        let histogram = [(180.0, 1), (130.0, 27), (120.0, 14), (110.0, 2)];
        for (share, expected) in [(0.5, 130.0), (0.1, 120.0), (0.99, 180.0), (0.999, 180.0), (1.0, 180.0)] {
            assert_eq!(quantile(&histogram, 44, share), Some(expected), "{share}");
        }
        assert_eq!(quantile(&[], 3, 0.5), None);
    }
}
