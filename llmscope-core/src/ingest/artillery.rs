//! Artillery: the report of a run (`--output`), as JSON. Its `aggregate` is a row of runs.
//!
//! Traps: `http.response_time` ends with the first byte of the response, and includes error responses but not requests
//! without a response. `vusers.failed` counts only the latter. Percentiles are rounded to their buckets, about 1 %.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::empty::no_requests;
use super::runs::{Runs, of_ms};
use super::statistics::Statistics;
use super::tool::{Format, Parsed, Reading};
use crate::error::{Error, Location, Result};
use crate::session::Warning;

pub(super) const FORMAT: Format = Format {
    name: "artillery",
    title: "Artillery report (JSON)",
    recognizes: |signature| signature.has_all(&["aggregate.counters", "aggregate.summaries", "intermediate"]),
    reading: Reading::Whole(read),
};

#[derive(Deserialize)]
struct Report {
    aggregate: Aggregate,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Aggregate {
    counters: BTreeMap<String, f64>,
    #[serde(default)]
    rates: BTreeMap<String, f64>,
    #[serde(default)]
    summaries: BTreeMap<String, Statistics>,
    first_metric_at: Option<i64>,
    last_metric_at: Option<i64>,
}

impl Aggregate {
    /// The sum of the counters below a prefix whose rest meets a condition.
    fn sum(&self, prefix: &str, is_one: impl Fn(&str) -> bool) -> f64 {
        let below = self.counters.iter().filter_map(|(name, count)| Some((name.strip_prefix(prefix)?, count)));
        below.filter(|(rest, _)| is_one(rest)).map(|(_, count)| count).sum()
    }
}

/// Statistics, by their names in the file and ours, in the order in which they are preferred.
const SUMMARIES: [(&str, &str); 3] = [
    ("http.response_time.2xx", "first_byte_s"),
    ("http.response_time", "response_first_byte_s"),
    ("vusers.session_length", "session_s"),
];

fn read(source: &str, text: &str) -> Result<Parsed> {
    let report: Report = serde_json::from_str(text).map_err(|error| Error::of_json(Location::of(source), &error))?;
    let aggregate = report.aggregate;
    let requests = aggregate.counters.get("http.requests").copied().filter(|&requests| requests > 0.0);
    let Some(requests) = requests else {
        return Err(no_requests(source, "give the report of a run that made HTTP requests"));
    };
    let refused = aggregate.sum("http.codes.", |code| code.parse::<u16>().is_ok_and(|code| code >= 400));
    let without = aggregate.sum("errors.", |_| true);
    let mut runs = Runs::default();
    runs.begin(1);
    let at = |ms: Option<i64>| ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let [begin, end] = [aggregate.first_metric_at, aggregate.last_metric_at].map(at);
    runs.started_at(begin);
    runs.number(
        "duration_s",
        begin.zip(end).map(|(begin, end)| (end - begin).total(jiff::Unit::Second).unwrap_or(f64::NAN)),
    );
    runs.number("requests", Some(requests));
    runs.number("failed", Some(refused + without));
    runs.number("requests_per_s", aggregate.rates.get("http.request_rate").copied());
    for (theirs, ours) in SUMMARIES {
        let statistics = aggregate.summaries.get(theirs).into_iter().flatten();
        runs.statistics(ours, statistics, |milliseconds| Some(of_ms(milliseconds)));
    }
    if refused + without > 0.0 {
        let message = format!(
            "{} of {requests} requests failed ({refused} error responses, {without} without a response): \
             response_first_byte_s includes error responses, first_byte_s only successes",
            refused + without
        );
        runs.warnings.push(Warning { location: Location::of(source), message });
    }
    Ok(Parsed::Runs(runs))
}
