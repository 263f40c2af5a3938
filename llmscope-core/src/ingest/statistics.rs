//! Statistics by the names that tools give them, and by ours: one spelling for all summaries of runs.

use std::collections::BTreeMap;

use serde_json::Value;

use super::runs::Runs;

/// Statistics of one metric, by their names in the file.
pub(super) type Statistics = BTreeMap<String, Value>;

/// Our name of a statistic: `mean`, `std`, `min`, `max`, or a percentile such as `p99.9`.
pub(super) fn name(theirs: &str) -> Option<String> {
    let ours = match theirs.to_ascii_lowercase().as_str() {
        "mean" | "avg" | "average" => "mean",
        "median" | "med" => "p50",
        "std" | "stddev" | "stdev" | "std_dev" | "sd" => "std",
        "min" | "minimum" => "min",
        "max" | "maximum" => "max",
        // Percentiles of tools of the JavaScript world, without a point.
        "p995" => "p99.5",
        "p999" => "p99.9",
        other => return percentile(other),
    };
    Some(ours.to_owned())
}

/// `p99`, `p(99)`, `p99.9`, `p99_9` and `p99p9`.
fn percentile(theirs: &str) -> Option<String> {
    let rank = theirs.strip_prefix('p')?.trim_start_matches('(').trim_end_matches(')').replace(['_', 'p'], ".");
    let is_plain = rank.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let rank: f64 = rank.parse().ok().filter(|_| is_plain)?;
    (0.0..=100.0).contains(&rank).then(|| format!("p{rank}"))
}

impl Runs {
    /// Sets the statistics of a metric of the current run. `scale` converts them to the unit of the column.
    pub(super) fn statistics<'s>(
        &mut self,
        column: &str,
        statistics: impl IntoIterator<Item = (&'s String, &'s Value)>,
        scale: impl Fn(f64) -> Option<f64>,
    ) {
        for (theirs, value) in statistics {
            if let (Some(statistic), Some(value)) = (name(theirs), value.as_f64().and_then(&scale)) {
                self.number(&format!("{column}.{statistic}"), Some(value));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_one_statistic() {
        for (theirs, ours) in [
            ("Average", Some("mean")),
            ("med", Some("p50")),
            ("stddev", Some("std")),
            ("p(95)", Some("p95")),
            ("p50.0", Some("p50")),
            ("p99_9", Some("p99.9")),
            ("p99p9", Some("p99.9")),
            ("p0p1", Some("p0.1")),
            ("p999", Some("p99.9")),
            ("p101", None),
            ("pnan", None),
            ("period", None),
            ("units", None),
            ("p", None),
        ] {
            assert_eq!(name(theirs).as_deref(), ours, "{theirs}");
        }
    }
}
