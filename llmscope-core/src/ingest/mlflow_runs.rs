//! MLflow: the runs of experiments, newest first, as CSV (`mlflow experiments csv`, `search_runs`) and JSON (the API
//! `runs/search`, `Run.to_dictionary`, the frame of `search_runs`).
//!
//! Traps: the status is that of the process of a run, not of its requests. A run that did not finish has metrics of an
//! unknown part. A metric is its last value. The API has lists of keys and values, `to_dictionary` has maps.

use serde_json::{Map, Value};

use super::documents;
use super::rows;
use super::runs::Runs;
use super::timestamp;
use super::tool::{Format, Parsed, Reading};
use super::when::{Moment, of_seconds};
use crate::error::{Location, Result};
use crate::metric::Unit;
use crate::quantity::counted;
use crate::session::Warning;

pub(super) const FORMAT: Format = Format {
    name: "mlflow-runs",
    title: "MLflow runs (CSV)",
    recognizes: |signature| signature.has_columns(&["run_id", "experiment_id", "status", "artifact_uri", "start_time"]),
    reading: Reading::Whole(read),
};

pub(super) const JSON: Format = Format {
    name: "mlflow-runs-json",
    title: "MLflow runs (JSON)",
    recognizes: |signature| {
        let has_run = |prefix: &str| signature.has_all(&[&format!("{prefix}info.run_id"), &format!("{prefix}data")]);
        let has_row = |prefix: &str| {
            ["run_id", "experiment_id", "artifact_uri"].iter().all(|name| signature.has(&format!("{prefix}{name}")))
        };
        signature.is_json() && (["runs[].", "[].", ""].into_iter().any(has_run) || ["[].", ""].into_iter().any(has_row))
    },
    reading: Reading::Whole(read_json),
};

const NO_RUNS: &str = "export an experiment with at least one run";

fn read(source: &str, text: &str) -> Result<Parsed> {
    let (mut runs, mut unfinished) = (Runs::default(), 0);
    let warnings = rows::read(source, text, NO_RUNS, |row| {
        if row.text("status").is_some_and(|status| status != FINISHED) {
            unfinished += 1;
            return Ok(());
        }
        runs.begin(row.location.line.unwrap_or(1));
        // Two exports of an experiment have the same runs.
        runs.text("uid", row.text("run_id"));
        runs.started_at(row.text("start_time").and_then(timestamp::of_text_or_utc));
        for (name, cell) in row.fields().filter(|(_, cell)| !cell.is_empty()) {
            if let Some(metric) = name.strip_prefix("metrics.") {
                runs.number(metric, Some(rows::number(&row.location, name, cell)?));
            } else if let Some(parameter) = name.strip_prefix("params.") {
                runs.text(parameter, Some(cell));
            }
        }
        Ok(())
    })?;
    runs.warnings = warnings;
    finished(source, runs, unfinished)
}

const FINISHED: &str = "FINISHED";

/// The runs of an export, of which some may not have finished.
fn finished(source: &str, mut runs: Runs, unfinished: usize) -> Result<Parsed> {
    if runs.table.rows() == 0 {
        return Err(super::empty::no_requests(source, "export an experiment with at least one finished run"));
    }
    if unfinished > 0 {
        let message = format!("left out {} that did not finish", counted(unfinished, "run"));
        runs.warnings.push(Warning { location: Location::of(source), message });
    }
    Ok(Parsed::Runs(runs))
}

fn read_json(source: &str, text: &str) -> Result<Parsed> {
    let (documents, warnings) = documents::read::<Value>(source, text)?;
    let (mut runs, mut unfinished) = (Runs { warnings, ..Runs::default() }, 0);
    for document in &documents {
        let pages = document.value.get("runs").and_then(Value::as_array);
        for run in pages.map_or(std::slice::from_ref(&document.value), Vec::as_slice) {
            let run = Run::of(run);
            if run.status.is_some_and(|status| status != FINISHED) {
                unfinished += 1;
            } else {
                run.add_to(&mut runs, document.line);
            }
        }
    }
    finished(source, runs, unfinished)
}

/// A run as JSON.
struct Run<'v> {
    id: Option<&'v str>,
    status: Option<&'v str>,
    start_time: Option<&'v Value>,
    metrics: Vec<(&'v str, &'v Value)>,
    parameters: Vec<(&'v str, &'v Value)>,
}

impl<'v> Run<'v> {
    fn of(run: &'v Value) -> Self {
        let info = run.get("info").unwrap_or(run);
        let text = |name: &str| info.get(name).and_then(Value::as_str);
        let values = |kind: &str| match run.get("data") {
            Some(data) => pairs(data.get(kind)),
            None => columns(run.as_object(), kind),
        };
        Self {
            id: text("run_id"),
            status: text("status"),
            start_time: info.get("start_time"),
            metrics: values("metrics"),
            parameters: values("params"),
        }
    }

    fn add_to(&self, runs: &mut Runs, line: u64) {
        runs.begin(line);
        runs.text("uid", self.id);
        runs.started_at(self.start_time.and_then(started_at));
        for (name, value) in &self.metrics {
            runs.number(name, number(value).filter(|value| value.is_finite()));
        }
        for (name, value) in &self.parameters {
            match value {
                Value::Null => {}
                Value::String(text) => runs.text(name, Some(text)),
                other => runs.text(name, Some(&other.to_string())),
            }
        }
    }
}

/// The entries of a map, or of a list of keys and values.
fn pairs(values: Option<&Value>) -> Vec<(&str, &Value)> {
    match values {
        Some(Value::Object(map)) => map.iter().map(|(name, value)| (name.as_str(), value)).collect(),
        Some(Value::Array(list)) => {
            list.iter().filter_map(|pair| Some((pair["key"].as_str()?, pair.get("value")?))).collect()
        }
        _ => Vec::new(),
    }
}

/// The columns `metrics.NAME` or `params.NAME` of a row of the frame.
fn columns<'v>(row: Option<&'v Map<String, Value>>, kind: &str) -> Vec<(&'v str, &'v Value)> {
    let of_kind = |name: &'v str| name.strip_prefix(kind)?.strip_prefix('.');
    row.into_iter().flatten().filter_map(|(name, value)| Some((of_kind(name)?, value))).collect()
}

/// A number, which the API may write as text.
fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

/// Milliseconds since 1970, or a time as text.
fn started_at(value: &Value) -> Option<jiff::Timestamp> {
    let seconds = number(value).and_then(|count| Unit::Second.convert(count, "ms")).unwrap_or(f64::NAN);
    match of_seconds(seconds) {
        Some(Moment::At(time)) => time.get(),
        _ => value.as_str().and_then(timestamp::of_text_or_utc),
    }
}
