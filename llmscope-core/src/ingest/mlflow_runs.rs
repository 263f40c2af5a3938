//! MLflow: the runs of experiments as CSV (`mlflow experiments csv`, `search_runs`), newest first.
//!
//! Traps: the status is that of the process of a run, not of its requests. A run that did not finish has metrics of an
//! unknown part. A metric is its last value.

use super::rows;
use super::runs::Runs;
use super::timestamp;
use super::tool::{Format, Parsed, Reading};
use crate::error::{Location, Result};
use crate::quantity::counted;
use crate::session::Warning;

pub(super) const FORMAT: Format = Format {
    name: "mlflow-runs",
    title: "MLflow runs (CSV)",
    recognizes: |signature| signature.has_columns(&["run_id", "experiment_id", "status", "artifact_uri", "start_time"]),
    reading: Reading::Whole(read),
};

fn read(source: &str, text: &str) -> Result<Parsed> {
    let (mut runs, mut unfinished) = (Runs::default(), 0);
    let warnings = rows::read(source, text, "export an experiment with at least one run", |row| {
        if row.text("status").is_some_and(|status| status != "FINISHED") {
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
    if runs.table.rows() == 0 {
        return Err(super::empty::no_requests(source, "export an experiment with at least one finished run"));
    }
    if unfinished > 0 {
        let message = format!("left out {} that did not finish", counted(unfinished, "run"));
        runs.warnings.push(Warning { location: Location::of(source), message });
    }
    Ok(Parsed::Runs(runs))
}
