//! Criterion.rs: the samples of one benchmark (`sample.json`), in order of time.
//!
//! Traps: a time is the total of its iterations, in nanoseconds. `estimates.json` has no samples.

use serde::Deserialize;

use super::attributes::numbers;
use super::runs::of_ns;
use super::tool::{Format, Parsed, Reading};
use crate::error::{Error, Location, Result};
use crate::session::{RequestRecord, Session, SessionHeader, Software};

pub(super) const FORMAT: Format = Format {
    name: "criterion",
    title: "Criterion.rs samples (sample.json)",
    recognizes: |signature| signature.has_all(&["sampling_mode", "iters", "times"]),
    reading: Reading::Whole(read),
};

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
