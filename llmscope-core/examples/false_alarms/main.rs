//! Simulates what the verdict of a series promises, and writes `docs/false-alarms.md`.
//!
//! `cargo run --release -p llmscope-core --example false_alarms -- docs/false-alarms.md [--series N]`, or
//! `make promises`. The seed of each series is fixed. N is the number of series of a cell (default 2000).

#![allow(clippy::print_stderr, reason = "a program that reports its progress")]

mod cells;
mod count;
mod page;
mod parallel;
mod random;
mod table;

use std::error::Error;
use std::time::Instant;

use cells::{CHANGED, CHANGES, Cell, Change};
use count::{Count, Truth};

type Failure = Box<dyn Error + Send + Sync>;

/// The number of requests of a series with a change.
const CHANGED_SIZE: usize = 300;

/// Series of one process, to be judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Task {
    cell: Cell,
    n: usize,
    change: Option<(&'static str, Change)>,
}

impl Task {
    /// Judges this series.
    fn judge(&self, series: usize, count: &mut Count) -> Result<(), Failure> {
        let requests = match self.change {
            None => self.cell.requests(self.n, series),
            Some(change) => self.cell.changed(self.n, series, change),
        };
        let truth = match self.change {
            Some((_, Change::Level(ratio))) => Some(Truth { ratio, at: self.n / 2 }),
            _ => None,
        };
        Ok(count.add(&requests.series()?, truth)?)
    }
}

fn main() -> Result<(), Failure> {
    let (path, series) = arguments(std::env::args().skip(1))?;
    let tasks = tasks();
    let counts = simulate(&tasks, series)?;
    let results: Vec<(Task, Count)> = tasks.into_iter().zip(counts).collect();
    std::fs::write(&path, page::written(&results, series)).map_err(|error| format!("{path}: {error}"))?;
    Ok(())
}

/// The page to write, and the number of series of a cell.
fn arguments(mut given: impl Iterator<Item = String>) -> Result<(String, usize), Failure> {
    const USAGE: &str = "expected: false_alarms PAGE [--series N]";
    let (mut path, mut series) = (None, 2000);
    while let Some(argument) = given.next() {
        if argument == "--series" {
            let number = given.next().ok_or(USAGE)?;
            series = number.parse().map_err(|_| format!("invalid --series {number}: expected a whole number"))?;
        } else {
            path = Some(argument);
        }
    }
    Ok((path.ok_or(USAGE)?, series))
}

fn tasks() -> Vec<Task> {
    let mut tasks: Vec<Task> = cells::unchanged().map(|(cell, n)| Task { cell, n, change: None }).collect();
    for cell in CHANGED.iter().filter_map(|name| cells::named(name)) {
        tasks.extend(CHANGES.map(|change| Task { cell, n: CHANGED_SIZE, change: Some(change) }));
    }
    tasks
}

/// The verdicts on the series of each task.
fn simulate(tasks: &[Task], series: usize) -> Result<Vec<Count>, Failure> {
    let started = Instant::now();
    let mut counts = Vec::with_capacity(tasks.len());
    for (done, task) in tasks.iter().enumerate() {
        counts.push(simulated(task, series)?);
        let change = task.change.map_or("no change", |(name, _)| name);
        let seconds = started.elapsed().as_secs();
        eprintln!("{} of {}: {}, {} requests, {change} ({seconds} s)", done + 1, tasks.len(), task.cell.name, task.n);
    }
    Ok(counts)
}

fn simulated(task: &Task, series: usize) -> Result<Count, Failure> {
    let judged = parallel::in_parallel(series, |index| {
        let mut count = Count::default();
        task.judge(index, &mut count).map(|()| count)
    })?;
    let mut total = Count::default();
    judged.into_iter().for_each(|count| total += count);
    Ok(total)
}
