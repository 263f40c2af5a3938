//! Mean and standard deviation of columns of a log by group: what a query engine does with it, by our readers.
//!
//! `group-log FILE GROUP COLUMN…` prints a line of JSON for each group and column.

#![allow(clippy::print_stdout, reason = "the result of the program")]

use std::fs::File;

use llmscope_core::Measure;
use llmscope_core::analysis::{Gathering, Selection};
use llmscope_core::ingest::{self, Opened};
use llmscope_core::stats::Moments;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(path), Some(group)) = (arguments.next(), arguments.next()) else {
        return Err("usage: group-log FILE GROUP COLUMN…".into());
    };
    let measures = arguments.map(Measure::Column).collect();
    let mut gathering = Gathering::new(Selection { measures, by: Some(vec![group.clone()]), ..Selection::default() });
    match ingest::open(&path, File::open(&path)?, None)? {
        Opened::Log(log) => gathering.add(&log)?,
        Opened::Stream(stream) => gathering.add_stream(*stream)?,
    }
    for series in gathering.finish()? {
        let (sample, _) = series.sample(None)?;
        let moments = Moments::of(sample.values());
        let line = serde_json::json!({
            "group": series.group.get(&group), "column": series.measure.name(), "n": sample.len(),
            "mean": moments.mean(), "sd": moments.standard_deviation(),
        });
        println!("{line}");
    }
    Ok(())
}
