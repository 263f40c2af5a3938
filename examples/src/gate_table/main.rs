//! Writes the tables of `docs/gate.md`: how often a gate fails when nothing has changed, and how often it detects a shift.
//!
//! `cargo run --release -p llmscope-examples --bin gate-table -- docs/gate.md [REPETITIONS]`, or `make gate-table`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool that reports its progress")]
#![allow(clippy::cast_precision_loss, reason = "counts of repetitions")]

mod process;

use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result};
use llmscope_core::analysis::{Measure, Selection, Series};
use llmscope_core::gate::{Decision, GatePlan, Statistic, gate};
use llmscope_core::stats::Proportion;
use llmscope_core::{Metric, ingest};

use process::{Latencies, Random, Shape};

const SIZES: [usize; 3] = [50, 200, 1000];
const RHOS: [f64; 3] = [0.0, 0.3, 0.6];
const ALPHAS: [f64; 2] = [0.01, 0.05];
const SHIFTS: [f64; 4] = [0.02, 0.05, 0.10, 0.20];
const ALLOWED: [f64; 2] = [0.0, 0.05];
/// The statistics that share alpha: one alone, or all together.
const FAMILIES: [(&str, &[Statistic]); 5] = [
    ("typical alone", &[Statistic::Typical]),
    ("p50 alone", &[Statistic::Quantile(0.5)]),
    ("p95 alone", &[Statistic::Quantile(0.95)]),
    ("p99 alone", &[Statistic::Quantile(0.99)]),
    ("all of these and p90", &Statistic::DEFAULT),
];

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let path = args.next().context("expected: gate-table docs/gate.md [REPETITIONS]")?;
    let repetitions = match args.next() {
        Some(text) => text.parse().with_context(|| format!("invalid REPETITIONS {text}: expected a whole number"))?,
        None => 2000,
    };
    let cells = cells();
    let counts = simulate(&cells, repetitions)?;
    let mut text = std::fs::read_to_string(&path).with_context(|| path.clone())?;
    for (index, alpha) in ALPHAS.into_iter().enumerate() {
        text = filled(&text, &format!("false-fail {alpha}"), &false_fails(&cells, &counts, index))?;
    }
    text = filled(&text, "power", &powers(&cells, &counts))?;
    std::fs::write(&path, text).with_context(|| path.clone())?;
    println!("{path}: simulated {} cells with {repetitions} repetitions each", cells.len());
    Ok(())
}

/// A process, a sample size and the true shift.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Cell {
    shape: Shape,
    rho: f64,
    n: usize,
    shift: f64,
}

fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for n in SIZES {
        for shape in Shape::ALL {
            cells.extend(RHOS.map(|rho| Cell { shape, rho, n, shift: 0.0 }));
        }
        for rho in [0.0, 0.6] {
            cells.extend(SHIFTS.map(|shift| Cell { shape: Shape::Lognormal, rho, n, shift }));
        }
    }
    cells
}

/// The verdicts of the gates of one plan.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    gates: u64,
    failed: u64,
    without_data: u64,
}

impl Count {
    /// The share of failed gates with its 95 % Monte Carlo interval: `0.9 % [0.6, 1.4]`.
    fn rate(self) -> String {
        let share = self.failed as f64 / self.gates as f64;
        let (low, high) = Proportion { share, size: self.gates as f64 }.wilson(0.025).unwrap_or((0.0, 1.0));
        let no_data = self.without_data as f64 / self.gates as f64;
        match no_data {
            1.0 => "not enough data".to_owned(),
            _ => {
                let note =
                    if no_data >= 0.01 { format!("; {:.0} % not enough data", no_data * 100.0) } else { String::new() };
                format!("{:.2} % [{:.2}, {:.2}]{note}", share * 100.0, low * 100.0, high * 100.0)
            }
        }
    }
}

/// The plans of a cell: each family at each alpha if nothing has changed, otherwise each allowed shift.
fn plans(cell: Cell) -> Vec<GatePlan> {
    let plan = |statistics: &[Statistic], alpha, max_shift| GatePlan {
        statistics: statistics.to_vec(),
        alpha,
        max_shift,
        ..GatePlan::default()
    };
    if cell.shift > 0.0 {
        return ALLOWED.map(|allowed| plan(&Statistic::DEFAULT, 0.01, allowed)).to_vec();
    }
    ALPHAS.iter().flat_map(|&alpha| FAMILIES.iter().map(move |(_, statistics)| plan(statistics, alpha, 0.0))).collect()
}

fn simulate(cells: &[Cell], repetitions: u64) -> Result<Vec<Vec<Count>>> {
    let next = AtomicUsize::new(0);
    let counts = Mutex::new(vec![Vec::new(); cells.len()]);
    let work = || -> Result<()> {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(&cell) = cells.get(index) else { return Ok(()) };
            // A rate near one half needs fewer repetitions than a small one.
            let counted = count(cell, if cell.shift > 0.0 { repetitions.div_ceil(4) } else { repetitions })?;
            counts.lock().unwrap_or_else(PoisonError::into_inner)[index] = counted;
            eprintln!("cell {} of {} done: {cell:?}", index + 1, cells.len());
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| anyhow::anyhow!("a thread panicked"))?)
    })?;
    Ok(counts.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn count(cell: Cell, repetitions: u64) -> Result<Vec<Count>> {
    let latencies = Latencies::new(cell.shape);
    let plans = plans(cell);
    let mut counts = vec![Count::default(); plans.len()];
    for repetition in 0..repetitions {
        // Each cell and repetition has its own seed, so the tables do not depend on the number of threads.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small positive numbers")]
        let cell_seed = (cell.rho * 10.0) as u64 + 10 * cell.n as u64 + 100_000 * (cell.shift * 100.0).round() as u64;
        let shape_seed = if cell.shape == Shape::Lognormal { 0 } else { 1 << 40 };
        let mut random = Random::new(shape_seed + cell_seed * 1_000_003 + repetition * 7_919);
        let baseline = series(&latencies.draw(&mut random, cell.rho, cell.n, 1.0))?;
        let candidate = series(&latencies.draw(&mut random, cell.rho, cell.n, 1.0 + cell.shift))?;
        for (plan, count) in plans.iter().zip(&mut counts) {
            let answer = gate(&baseline, &candidate, plan)?;
            count.gates += 1;
            let all = |decision| answer.comparisons().all(|(_, comparison)| comparison.decision == decision);
            count.failed += u64::from(answer.comparisons().any(|(_, c)| c.decision == Decision::Worse));
            count.without_data += u64::from(all(Decision::NotEnoughData));
        }
    }
    Ok(counts)
}

fn series(values: &[f64]) -> Result<Vec<Series>> {
    let mut text = "ttft_s\n".to_owned();
    for value in values {
        writeln!(text, "{value}")?;
    }
    let log = ingest::read("simulated", text.as_bytes(), None)?;
    let measures = vec![Measure::Metric(Metric::Ttft)];
    Ok(Selection { measures, ..Selection::default() }.series([&log])?)
}

fn false_fails(cells: &[Cell], counts: &[Vec<Count>], alpha: usize) -> String {
    let names = FAMILIES.map(|(name, _)| name);
    let mut table = format!("| latencies | ρ | n per side | {} |\n", names.join(" | "));
    table += &format!("| --- | ---: | ---: |{}\n", " --- |".repeat(names.len()));
    for (cell, counts) in cells.iter().zip(counts).filter(|(cell, _)| cell.shift == 0.0) {
        let rates = counts[alpha * names.len()..][..names.len()].iter().map(|count| count.rate());
        let rates = rates.collect::<Vec<_>>().join(" | ");
        table += &format!("| {} | {} | {} | {rates} |\n", cell.shape.name(), cell.rho, cell.n);
    }
    table
}

fn powers(cells: &[Cell], counts: &[Vec<Count>]) -> String {
    let heads =
        ALLOWED.map(|allowed| SHIFTS.map(|shift| format!("{:.0} % over {:.0} %", shift * 100.0, allowed * 100.0)));
    let mut table = format!("| ρ | n per side | {} |\n", heads.concat().join(" | "));
    table += &format!("| ---: | ---: |{}\n", " ---: |".repeat(ALLOWED.len() * SHIFTS.len()));
    for n in SIZES {
        for rho in [0.0, 0.6] {
            let find = |shift: f64| {
                cells.iter().position(|c| c.n == n && c.rho == rho && c.shift == shift).map(|index| &counts[index])
            };
            let mut rates = Vec::new();
            for allowed in 0..ALLOWED.len() {
                for shift in SHIFTS {
                    let count = find(shift).map(|counts| counts[allowed]).unwrap_or_default();
                    rates.push(format!("{:.0} %", 100.0 * count.failed as f64 / count.gates.max(1) as f64));
                }
            }
            table += &format!("| {rho} | {n} | {} |\n", rates.join(" | "));
        }
    }
    table
}

/// Replaces the text between the begin and end markers of this name with the table.
fn filled(text: &str, name: &str, table: &str) -> Result<String> {
    let (begin, end) = (format!("<!-- begin {name} -->\n"), format!("<!-- end {name} -->"));
    let missing = || format!("no markers `begin {name}` and `end {name}` in the document");
    let from = text.find(&begin).with_context(missing)? + begin.len();
    let to = text.find(&end).filter(|&to| to >= from).with_context(missing)?;
    Ok(format!("{}{table}{}", &text[..from], &text[to..]))
}
