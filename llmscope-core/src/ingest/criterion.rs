//! Criterion.rs: the samples of one benchmark (`sample.json`), in order of time, and its estimates (`estimates.json`).
//!
//! Traps: a time is the total of its iterations, in nanoseconds. Estimates are bootstrapped from the samples: a row of
//! runs. `slope` replaces the mean if the samples have rising numbers of iterations. No file names its benchmark.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::attributes::numbers;
use super::runs::{Runs, of_ns};
use super::tool::{Format, Parsed, Reading};
use crate::error::{Error, Location, Result};
use crate::session::{RequestRecord, Session, SessionHeader, Software, Warning};

pub(super) const FORMAT: Format = Format {
    name: "criterion",
    title: "Criterion.rs samples (sample.json)",
    recognizes: |signature| signature.has_all(&["sampling_mode", "iters", "times"]),
    reading: Reading::Whole(read),
};

pub(super) const ESTIMATES: Format = Format {
    name: "criterion-estimates",
    title: "Criterion.rs estimates (estimates.json)",
    recognizes: |signature| {
        signature.has_all(&["mean.point_estimate", "median.point_estimate", "median_abs_dev.point_estimate"])
    },
    reading: Reading::Whole(estimates),
};

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
}

fn estimates(source: &str, text: &str) -> Result<Parsed> {
    let estimates: BTreeMap<String, Option<Estimate>> =
        serde_json::from_str(text).map_err(|error| Error::of_json(Location::of(source), &error))?;
    let mut runs = Runs::default();
    runs.begin(1);
    for (theirs, ours) in
        [("median", "e2e_s.p50"), ("mean", "e2e_s.mean"), ("std_dev", "e2e_s.std"), ("slope", "time_per_iteration_s")]
    {
        let estimate = estimates.get(theirs).and_then(Option::as_ref);
        runs.number(ours, estimate.map(|estimate| of_ns(estimate.point_estimate)));
    }
    let message =
        "Criterion.rs does not name the benchmark in this file: give the estimates of one benchmark".to_owned();
    runs.warnings.push(Warning { location: Location::of(source), message });
    Ok(Parsed::Runs(runs))
}

#[derive(Deserialize)]
struct Samples {
    iters: Vec<f64>,
    times: Vec<f64>,
}

fn read(source: &str, text: &str) -> Result<Parsed> {
    let Samples { iters, times } =
        serde_json::from_str(text).map_err(|error| Error::of_json(Location::of(source), &error))?;
    let is_count = |iterations: &f64| *iterations >= 1.0;
    if iters.is_empty() || iters.len() != times.len() || !iters.iter().all(is_count) {
        return Err(Error::Format {
            location: Location::of(source).field("iters"),
            problem: format!("{} counts of iterations for {} times", iters.len(), times.len()),
            fix: "give the file as Criterion.rs wrote it".to_owned(),
        });
    }
    let record = |(iterations, time): (&f64, &f64)| RequestRecord {
        e2e_s: Some(of_ns(*time) / iterations),
        attributes: numbers([("iterations", Some(*iterations))]).collect(),
        ..RequestRecord::default()
    };
    let records = iters.iter().zip(&times).map(record).collect();
    let recorder = Some(Software { name: "Criterion.rs".to_owned(), version: None });
    let header = SessionHeader { recorder, ..SessionHeader::default() };
    Ok(Parsed::Session(Session { header, records, ..Session::default() }, Vec::new()))
}
