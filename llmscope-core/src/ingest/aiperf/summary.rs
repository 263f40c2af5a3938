//! Summaries in JSON: metrics by tag, each with a unit and its statistics.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{DISTRIBUTIONS, FIGURES, KNOWN_UNITS, in_si};
use crate::error::{Error, Location, Result};
use crate::ingest::runs::Runs;
use crate::ingest::timestamp;
use crate::ingest::tool::Parsed;

/// Where each version stores the settings, newest first.
const MODELS: &[&str] = &["/models/items/0/name", "/endpoint/model_names/0", "/model_names/0"];
const CONCURRENCIES: &[&str] = &["/loadgen/concurrency", "/perf_analyzer/stimulus/concurrency"];
const RATES: &[&str] = &["/loadgen/request_rate", "/perf_analyzer/stimulus/request_rate"];

pub(super) fn read(source: &str, text: &str) -> Result<Parsed> {
    let summary: Map<String, Value> =
        serde_json::from_str(text).map_err(|error| Error::of_json(Location::of(source), &error))?;
    let mut runs = Runs::default();
    runs.begin(1);
    describe(&mut runs, summary.get("input_config"));
    // A local time without an offset does not identify an instant.
    runs.text("start_time_local", summary.get("start_time").and_then(Value::as_str));
    put(&mut runs, &summary, || Location::of(source))?;
    Ok(Parsed::Runs(runs))
}

#[derive(Deserialize)]
struct Slices {
    timeslices: Vec<Slice>,
    input_config: Option<Value>,
}

#[derive(Deserialize)]
struct Slice {
    start_ns: i64,
    end_ns: i64,
    #[serde(flatten)]
    metrics: Map<String, Value>,
}

/// One row per timeslice: requests that began in the same period form a natural subgroup.
pub(super) fn read_slices(source: &str, text: &str) -> Result<Parsed> {
    let slices: Slices = serde_json::from_str(text).map_err(|error| Error::of_json(Location::of(source), &error))?;
    if slices.timeslices.is_empty() {
        return Err(Error::Format {
            location: Location::of(source).field("timeslices"),
            problem: "no timeslices".to_owned(),
            fix: "give the file of a run with --slice-duration".to_owned(),
        });
    }
    let mut runs = Runs::default();
    for (index, slice) in slices.timeslices.iter().enumerate() {
        runs.begin(1);
        describe(&mut runs, slices.input_config.as_ref());
        runs.started_at(timestamp::of_epoch_ns(slice.start_ns));
        put(&mut runs, &slice.metrics, || Location::of(source).field(&format!("timeslices[{index}]")))?;
        // The metric of that name extends to the end of the last request that began in the slice.
        #[allow(clippy::cast_precision_loss, reason = "a slice is far below the 104 days of 2^53 ns")]
        let length_s = slice.end_ns.checked_sub(slice.start_ns).map(|ns| ns as f64 / 1e9);
        runs.number("duration_s", length_s);
    }
    Ok(Parsed::Runs(runs))
}

/// Adds the model and the load from the settings.
fn describe(runs: &mut Runs, settings: Option<&Value>) {
    let Some(settings) = settings else { return };
    let find =
        |places: &[&str]| places.iter().find_map(|place| settings.pointer(place)).filter(|value| !value.is_null());
    let measured = settings
        .get("phases")
        .and_then(Value::as_array)
        .and_then(|phases| phases.iter().find(|phase| phase.get("kind").and_then(Value::as_str) == Some("profiling")));
    let load =
        |name: &str, places: &[&str]| measured.and_then(|phase| phase.get(name)).or_else(|| find(places))?.as_f64();
    runs.text("model", find(MODELS).and_then(Value::as_str));
    runs.number("concurrency", load("concurrency", CONCURRENCIES));
    runs.number("request_rate_per_s", load("rate", RATES));
}

fn put(runs: &mut Runs, metrics: &Map<String, Value>, location: impl Fn() -> Location) -> Result<()> {
    let average = |tag: &str| metrics.get(tag)?.get("avg")?.as_f64();
    let succeeded = average("request_count");
    let failed = average("error_request_count");
    let all = average("completed_request_count")
        .or_else(|| failed.map(|failed| failed + succeeded.unwrap_or_default()))
        .or(succeeded);
    runs.number("requests", all);
    // Without a count of errors, the failures are the completed requests that did not succeed.
    runs.number("failed", failed.or_else(|| Some(average("completed_request_count")? - succeeded?)));
    for (tag, column) in FIGURES {
        let Some(metric) = metrics.get(*tag) else { continue };
        runs.number(column, statistic(tag, metric, "avg", &location)?);
    }
    for (tag, column) in DISTRIBUTIONS {
        let Some(metric) = metrics.get(*tag) else { continue };
        for name in metric.as_object().into_iter().flat_map(Map::keys) {
            if let Some(own) = statistic_name(name) {
                runs.number(&format!("{column}.{own}"), statistic(tag, metric, name, &location)?);
            }
        }
    }
    Ok(())
}

/// Our name of a statistic: `avg` is a mean; `None` for sums and counts.
pub(super) fn statistic_name(name: &str) -> Option<&str> {
    match name {
        "avg" => Some("mean"),
        "min" | "max" | "std" => Some(name),
        _ => name.strip_prefix('p').filter(|percent| percent.parse::<f64>().is_ok()).map(|_| name),
    }
}

fn statistic(tag: &str, metric: &Value, name: &str, location: impl Fn() -> Location) -> Result<Option<f64>> {
    let Some(value) = metric.get(name).and_then(Value::as_f64) else { return Ok(None) };
    let unit = metric.get("unit").and_then(Value::as_str).unwrap_or_default();
    let value = in_si(value, unit).ok_or_else(|| {
        let at = location();
        let field = at.field.as_ref().map_or(format!("{tag}.unit"), |outer| format!("{outer}.{tag}.unit"));
        Error::Format {
            location: at.field(&field),
            problem: format!("unknown unit {unit:?}"),
            fix: KNOWN_UNITS.to_owned(),
        }
    })?;
    Ok(Some(value))
}
