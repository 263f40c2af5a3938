//! Google Benchmark: repetitions of benchmarks, as JSON and CSV.
//!
//! Traps: a repetition is the mean of its iterations, so it is a run, and no sequence of measurements. Aggregates of
//! repetitions are rows of the same file. Times are in the unit of their row.

use serde::Deserialize;

use super::empty::no_requests;
use super::rows;
use super::runs::Runs;
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
    #[serde(default)]
    error_occurred: bool,
    iterations: Option<f64>,
    real_time: Option<f64>,
    cpu_time: Option<f64>,
    time_unit: Option<String>,
}

/// The endings of names of aggregates.
const AGGREGATES: [&str; 4] = ["_mean", "_median", "_stddev", "_cv"];

impl Repetition {
    fn is_aggregate(&self) -> bool {
        match &self.run_type {
            Some(kind) => kind != "iteration",
            None => AGGREGATES.iter().any(|ending| self.name.ends_with(ending)),
        }
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
            error_occurred: row.text("error_occurred").is_some_and(|text| text == "true"),
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
    let (mut runs, mut failed) = (Runs::default(), 0);
    for (line, repetition) in repetitions {
        if repetition.is_aggregate() {
            continue;
        }
        if repetition.error_occurred {
            failed += 1;
            continue;
        }
        let unit = repetition.time_unit.as_deref().unwrap_or("ns");
        let seconds = |time: Option<f64>| time.and_then(|time| Unit::Second.convert(time, unit));
        runs.begin(line);
        runs.text("run", Some(repetition.run_name.as_deref().unwrap_or(&repetition.name)));
        runs.number("e2e_s.mean", seconds(repetition.real_time));
        runs.number("cpu_s.mean", seconds(repetition.cpu_time));
        runs.number("iterations", repetition.iterations);
    }
    if runs.table.rows() == 0 {
        return Err(no_requests(source, "give the result of at least one benchmark without an error"));
    }
    if failed > 0 {
        let message = format!("left out {} that failed", counted(failed, "repetition"));
        runs.warnings.push(Warning { location: Location::of(source), message });
    }
    Ok(runs)
}
