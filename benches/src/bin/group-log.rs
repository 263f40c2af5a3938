//! Mean and standard deviation of a log's columns by group: a query engine's work, done with LLMscope's readers.
//!
//! `group-log FILE GROUP COLUMN…` prints a line of JSON for each group and column.

#![allow(clippy::print_stdout, reason = "the program prints its result")]

use std::fs::File;
use std::thread::{self, ScopedJoinHandle};

use llmscope_core::Measure;
use llmscope_core::analysis::{LogSource, Selection, Series};
use llmscope_core::ingest;
use llmscope_core::stats::Moments;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(path), Some(group)) = (arguments.next(), arguments.next()) else {
        return Err("usage: group-log FILE GROUP COLUMN…".into());
    };
    let measures = arguments.map(Measure::Column).collect();
    let selection = Selection { measures, by: Some(vec![group.clone()]), ..Selection::default() };
    let log = ingest::open(&path, File::open(&path)?, None)?;
    let all = selection.gather([Ok::<_, llmscope_core::Error>(LogSource::once(log))])?.series;
    let lines: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = all.iter().map(|series| scope.spawn(|| line(series, &group))).collect();
        workers.into_iter().map(ScopedJoinHandle::join).collect()
    });
    for line in lines {
        println!("{}", line.map_err(|_| "a thread panicked")??);
    }
    Ok(())
}

fn line(series: &Series, group: &str) -> llmscope_core::Result<serde_json::Value> {
    let (sample, _) = series.sample(None)?;
    let moments = Moments::of(sample.values());
    Ok(serde_json::json!({
        "group": series.group.get(group), "column": series.measure.name(), "n": sample.len(),
        "mean": moments.mean(), "sd": moments.standard_deviation(),
    }))
}
