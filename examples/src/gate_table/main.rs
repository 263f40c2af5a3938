//! Writes the tables of `docs/gate.md`: how often a gate fails when nothing has changed, and how often it detects a shift.
//!
//! `cargo run --release -p llmscope-examples --bin gate-table -- docs/gate.md [REPETITIONS] [TABLE]`, or `make gate-table`.
//! TABLE is `requests`, `runs`, `load` or `certificates`; by default, all of them.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool that reports its progress")]
#![allow(clippy::cast_precision_loss, reason = "counts of repetitions")]

mod certificates;
mod document;
mod load;
mod process;
mod requests;
mod runs;
mod simulation;

use anyhow::{Context as _, Result, ensure};

use document::Document;

type Table = (&'static str, fn(&mut Document, u64) -> Result<()>);

const TABLES: [Table; 4] = [
    ("requests", requests::write),
    ("runs", runs::write),
    ("load", load::write),
    ("certificates", certificates::write),
];

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let path = args.next().context("expected: gate-table docs/gate.md [REPETITIONS] [TABLE]")?;
    let repetitions = match args.next() {
        Some(text) => text.parse().with_context(|| format!("invalid REPETITIONS {text}: expected a whole number"))?,
        None => 2000,
    };
    let wanted = args.next();
    let mut document = Document::open(&path)?;
    let tables = TABLES.iter().filter(|(name, _)| wanted.as_ref().is_none_or(|wanted| wanted == name));
    let mut written = 0;
    for (name, write) in tables {
        write(&mut document, repetitions)?;
        println!("{path}: simulated the tables of {name} with {repetitions} repetitions of each cell");
        written += 1;
    }
    ensure!(written > 0, "invalid TABLE {}: expected requests, runs, load or certificates", wanted.unwrap_or_default());
    Ok(())
}
