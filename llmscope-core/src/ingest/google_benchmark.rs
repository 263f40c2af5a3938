//! Google Benchmark: repetitions of benchmarks, as JSON and CSV.
//!
//! Traps: a repetition is the mean of its iterations, so it is a run, and no sequence of measurements. Aggregates of
//! repetitions are rows of the same file, or its only rows (`--benchmark_report_aggregates_only`); in an aggregate,
//! `iterations` counts repetitions. Times are in the unit of their row. The times of a failed repetition are 0.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::empty::no_requests;
use super::rows;
use super::runs::Runs;
use super::statistics;
use super::tool::{Format, Parsed, Reading};
use super::when::{Moment, TimeRules};
use crate::error::{Error, Location, Result};
use crate::metric::Unit;
use crate::quantity::counted;
use crate::session::Warning;

pub(super) const JSON: Format = Format {
    name: "google-benchmark",
    title: "Google Benchmark repetitions (JSON)",
    recognizes: |signature| signature.has_all(&["context", "benchmarks[].real_time", "benchmarks[].time_unit"]),
    reading: Reading::Whole(json),
};

pub(super) const CSV: Format = Format {
    name: "google-benchmark-csv",
    title: "Google Benchmark repetitions (CSV)",
    recognizes: |signature| signature.has_columns(&["name", "iterations", "real_time", "cpu_time", "time_unit"]),
    reading: Reading::Whole(csv),
};

#[derive(Deserialize)]
struct Report {
    context: Context,
    benchmarks: Vec<Repetition>,
}

#[derive(Deserialize)]
struct Context {
    date: Option<String>,
}

#[derive(Deserialize)]
struct Repetition {
    name: String,
    run_name: Option<String>,
    run_type: Option<String>,
    aggregate_name: Option<String>,
    #[serde(default)]
    error_occurred: bool,
    #[serde(default)]
    skipped: bool,
    iterations: Option<f64>,
    real_time: Option<f64>,
    cpu_time: Option<f64>,
    time_unit: Option<String>,
}

/// The names of aggregates of times, which end the names of their rows. A coefficient of variation is not a time.
const AGGREGATES: [&str; 4] = ["mean", "median", "stddev", "cv"];

impl Repetition {
    /// The benchmark, and the aggregate if the row is one.
    fn parts(&self) -> (&str, Option<&str>) {
        let of_name = || {
            let (name, ending) = self.name.rsplit_once('_')?;
            AGGREGATES.contains(&ending).then_some((name, ending))
        };
        let run_name = self.run_name.as_deref().unwrap_or(&self.name);
        match &self.run_type {
            Some(kind) if kind == "iteration" => (run_name, None),
            Some(_) => (run_name, Some(self.aggregate_name.as_deref().unwrap_or_default())),
            None => of_name().map_or((run_name, None), |(name, aggregate)| (name, Some(aggregate))),
        }
    }

    fn seconds(&self, time: Option<f64>) -> Option<f64> {
        Unit::Second.convert(time?, self.time_unit.as_deref().unwrap_or("ns"))
    }
}

fn json(source: &str, text: &str) -> Result<Parsed> {
    let report: Report = serde_json::from_str(text).map_err(|error| Error::of_json(Location::of(source), &error))?;
    let started_at = report.context.date.as_deref().and_then(|text| match TimeRules::default().of_text(text) {
        Some(Moment::At(time)) => time.get(),
        _ => None,
    });
    let mut runs = runs(source, report.benchmarks.into_iter().map(|repetition| (1, repetition)))?;
    // The time at which the program began: repetitions have none of their own.
    if let Some(at) = started_at {
        let cell = super::Cell::Text(at.to_string());
        let cells = vec![cell; runs.table.rows()];
        runs.table.columns.push(super::Column { name: "started_at".to_owned(), cells });
    }
    Ok(Parsed::Runs(runs))
}

fn csv(source: &str, text: &str) -> Result<Parsed> {
    let mut repetitions = Vec::new();
    let warnings = rows::read(source, text, "give the result of at least one benchmark", |row| {
        let repetition = Repetition {
            name: row.text("name").unwrap_or_default().to_owned(),
            run_name: None,
            run_type: None,
            aggregate_name: None,
            error_occurred: row.text("error_occurred").is_some_and(|text| text == "true"),
            skipped: row.text("skipped").is_some_and(|text| text == "true"),
            iterations: row.number("iterations")?,
            real_time: row.number("real_time")?,
            cpu_time: row.number("cpu_time")?,
            time_unit: row.text("time_unit").map(str::to_owned),
        };
        repetitions.push((row.location.line.unwrap_or(1), repetition));
        Ok(())
    })?;
    let mut runs = runs(source, repetitions)?;
    runs.warnings.extend(warnings);
    Ok(Parsed::Runs(runs))
}

fn runs(source: &str, repetitions: impl IntoIterator<Item = (u64, Repetition)>) -> Result<Runs> {
    let (mut runs, mut left_out) = (Runs::default(), [0, 0]);
    let mut ended = Vec::new();
    for (line, repetition) in repetitions {
        match (repetition.error_occurred, repetition.skipped) {
            (true, _) => left_out[0] += 1,
            (_, true) => left_out[1] += 1,
            _ => ended.push((line, repetition)),
        }
    }
    let repeated: BTreeSet<&str> = ended
        .iter()
        .filter_map(|(_, repetition)| Some(repetition.parts()).filter(|(_, aggregate)| aggregate.is_none()))
        .map(|(name, _)| name)
        .collect();
    let mut aggregated: Option<&str> = None;
    for (line, repetition) in &ended {
        let (name, aggregate) = repetition.parts();
        match aggregate {
            Some(_) if repeated.contains(name) => continue,
            // The aggregates of a benchmark follow one another: they are one row.
            Some(_) if aggregated == Some(name) => {}
            _ => {
                runs.begin(*line);
                runs.text("run", Some(name));
            }
        }
        aggregated = aggregate.map(|_| name);
        let statistic = statistics::name(aggregate.unwrap_or("mean"));
        if let Some(statistic) = statistic {
            runs.number(&format!("e2e_s.{statistic}"), repetition.seconds(repetition.real_time));
            runs.number(&format!("cpu_s.{statistic}"), repetition.seconds(repetition.cpu_time));
        }
        runs.number(if aggregate.is_none() { "iterations" } else { "repetitions" }, repetition.iterations);
    }
    if runs.table.rows() == 0 {
        return Err(no_requests(source, "give the result of at least one benchmark without an error"));
    }
    for (count, how) in left_out.into_iter().zip(["failed", "the benchmark skipped"]) {
        if count > 0 {
            let message = format!("left out {} that {how}", counted(count, "repetition"));
            runs.warnings.push(Warning { location: Location::of(source), message });
        }
    }
    Ok(runs)
}
