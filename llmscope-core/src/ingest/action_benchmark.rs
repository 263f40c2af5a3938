//! github-action-benchmark: the history of benchmarks of a repository, `data.js` (`window.BENCHMARK_DATA = {…}`) or the
//! same object as JSON. A value of a benchmark at a commit is a run.
//!
//! Traps: `date` is when the workflow ran, in milliseconds, and the `timestamp` of the commit is not. `range` has another
//! meaning for each tool: a spread, a standard deviation, a relative error. Results of pytest and Benchmark.js are rates.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::empty::no_requests;
use super::runs::Runs;
use super::tool::{Format, Parsed, Reading};
use crate::error::{Error, Location, Result};
use crate::metric::Unit;

pub(super) const FORMAT: Format = Format {
    name: "github-action-benchmark",
    title: "github-action-benchmark history (data.js)",
    recognizes: |signature| {
        signature.text.starts_with(BEGIN) || signature.has_all(&["lastUpdate", "repoUrl", "entries"])
    },
    reading: Reading::Whole(read),
};

const BEGIN: &str = "window.BENCHMARK_DATA";

#[derive(Deserialize)]
struct History {
    entries: BTreeMap<String, Vec<Entry>>,
}

#[derive(Deserialize)]
struct Entry {
    commit: Option<Commit>,
    /// Milliseconds since 1970.
    date: Option<i64>,
    tool: Option<String>,
    benches: Vec<Bench>,
}

#[derive(Deserialize)]
struct Commit {
    id: Option<String>,
}

#[derive(Deserialize)]
struct Bench {
    name: String,
    value: f64,
    #[serde(default)]
    unit: String,
}

fn read(source: &str, text: &str) -> Result<Parsed> {
    let history: History =
        serde_json::from_str(object(text)).map_err(|error| Error::of_json(Location::of(source), &error))?;
    let mut runs = Runs::default();
    for (suite, entries) in &history.entries {
        for entry in entries {
            let at = entry.date.and_then(|date| Timestamp::from_millisecond(date).ok());
            for bench in &entry.benches {
                runs.begin(1);
                runs.text("run", Some(&format!("{suite} > {}", bench.name)));
                runs.started_at(at);
                runs.text("commit", entry.commit.as_ref().and_then(|commit| commit.id.as_deref()));
                bench.put(&mut runs, entry.tool.as_deref());
            }
        }
    }
    if runs.table.rows() == 0 {
        return Err(no_requests(source, "give the history of at least one benchmark"));
    }
    Ok(Parsed::Runs(runs))
}

/// The object that the script assigns. Line numbers stay, because only the first line has the assignment.
fn object(text: &str) -> &str {
    let text = text.trim();
    let assigned = text.strip_prefix(BEGIN).and_then(|rest| rest.trim_start().strip_prefix('='));
    assigned.unwrap_or(text).trim_end_matches(|c: char| c == ';' || c.is_whitespace())
}

impl Bench {
    /// A time of an iteration or operation in seconds, a rate by its name, or a number of which only the unit is known.
    fn put(&self, runs: &mut Runs, tool: Option<&str>) {
        let of_one = ["/iter", "/op", "/iteration"].iter().find_map(|ending| self.unit.strip_suffix(ending));
        let unit = of_one.unwrap_or(&self.unit);
        let known = unit.parse::<Unit>().ok();
        let seconds = known.and_then(|known| Unit::Second.convert(self.value, &known.to_string()));
        if let Some(seconds) = seconds.filter(|_| !unit.is_empty()) {
            runs.number("e2e_s.mean", Some(seconds));
        } else if ["/s", "/sec", "/second"].iter().any(|period| unit.ends_with(period)) {
            runs.number("operations_per_s", Some(self.value));
        } else {
            // A score is better if it is larger.
            let is_score = tool == Some("customBiggerIsBetter");
            runs.number(if is_score { "score" } else { "value" }, Some(self.value));
            runs.text("unit", Some(&self.unit));
        }
    }
}
