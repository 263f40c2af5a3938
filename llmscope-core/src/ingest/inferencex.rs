//! InferenceX (InferenceMAX until 2026): one result (`agg_*.json`), or all results of a sweep in an array.
//!
//! Traps: times are in seconds, made of milliseconds. `intvty` is the inverse of a time per token, statistic by
//! statistic: its `p99` is the rate of the slowest 1 %, and its `std` is not a deviation. Counts of requests and failures
//! are not in the file.

use std::collections::BTreeMap;

use serde_json::Value;

use super::runs::Runs;
use super::signature::Signature;
use super::tool::{Format, Parsed, Reading};
use super::{documents, statistics};
use crate::error::{Location, Result};
use crate::session::Warning;

pub(super) const FORMAT: Format = Format {
    name: "inferencex",
    title: "InferenceX results (JSON)",
    recognizes: |signature| is_result(signature, "") || is_result(signature, "[]."),
    reading: Reading::Whole(read),
};

fn is_result(signature: &Signature<'_>, prefix: &str) -> bool {
    ["hw", "conc", "tput_per_gpu"].iter().all(|name| signature.has(&format!("{prefix}{name}")))
}

const METRICS: [(&str, &str); 4] = [("ttft", "ttft_s"), ("e2el", "e2e_s"), ("tpot", "tpot_s"), ("itl", "icl_s")];
/// Settings, by their names and ours: a prescribed length is a setting, a measured number of tokens is not.
const RENAMED: [(&str, &str); 4] =
    [("conc", "concurrency"), ("isl", "input_len"), ("osl", "output_len"), ("image", "image_version")];

fn read(source: &str, text: &str) -> Result<Parsed> {
    let (results, mut warnings) = documents::read::<BTreeMap<String, Value>>(source, text)?;
    let mut runs = Runs::default();
    for result in &results {
        runs.begin(result.line);
        for (name, value) in &result.value {
            put(&mut runs, name, value);
        }
    }
    let message =
        "InferenceX omits the counts of requests and failures: a run with failures looks like one without".to_owned();
    warnings.push(Warning { location: Location::of(source), message });
    runs.warnings = warnings;
    Ok(Parsed::Runs(runs))
}

fn put(runs: &mut Runs, name: &str, value: &Value) {
    if let Some((statistic, of)) =
        name.split_once('_').and_then(|(statistic, of)| Some((statistics::name(statistic)?, of)))
    {
        if let Some((_, column)) = METRICS.iter().find(|(theirs, _)| *theirs == of) {
            runs.number(&format!("{column}.{statistic}"), value.as_f64());
        }
        return;
    }
    let name = RENAMED.iter().find(|(theirs, _)| *theirs == name).map_or(name, |(_, ours)| ours);
    match value {
        Value::Number(number) => runs.number(name, number.as_f64()),
        Value::String(text) => runs.text(name, Some(text)),
        Value::Bool(flag) => runs.text(name, Some(&flag.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => {}
    }
}
