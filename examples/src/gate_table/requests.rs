//! One run a side: how often a gate fails, given the requests alone.

use anyhow::Result;
use llmscope_core::gate::{GatePlan, Statistic, gate};

use crate::document::Document;
use crate::process::{Latencies, Random, Shape};
use crate::simulation::{Count, session, simulate};

const SIZES: [usize; 3] = [50, 200, 1000];
const RHOS: [f64; 4] = [0.0, 0.3, 0.6, 0.9];
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

/// Writes the tables of false alarms and of power.
pub(crate) fn write(document: &mut Document, repetitions: u64) -> Result<()> {
    let cells = cells();
    // A rate near one half needs fewer repetitions than a small one.
    let counts =
        simulate(&cells, |cell| count(*cell, if cell.shift > 0.0 { repetitions.div_ceil(4) } else { repetitions }))?;
    for (index, alpha) in ALPHAS.into_iter().enumerate() {
        document.fill(&format!("false-fail {alpha}"), &false_fails(&cells, &counts, index))?;
    }
    document.fill("power", &powers(&cells, &counts))
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

/// The plans of a cell: each family at each alpha if nothing has changed, otherwise each allowed shift.
fn plans(cell: Cell) -> Vec<GatePlan> {
    let plan = |statistics: &[Statistic], alpha, max_shift| GatePlan {
        statistics: statistics.to_vec(),
        alpha,
        max_shift,
        // The answer is about the two runs, so that the requests are all that varies.
        run_sd: Some(0.0),
        ..GatePlan::default()
    };
    if cell.shift > 0.0 {
        return ALLOWED.map(|allowed| plan(&Statistic::DEFAULT, 0.01, allowed)).to_vec();
    }
    ALPHAS.iter().flat_map(|&alpha| FAMILIES.iter().map(move |(_, statistics)| plan(statistics, alpha, 0.0))).collect()
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
        let baseline = session(&[latencies.draw(&mut random, cell.rho, cell.n, 1.0)])?;
        let candidate = session(&[latencies.draw(&mut random, cell.rho, cell.n, 1.0 + cell.shift)])?;
        for (plan, count) in plans.iter().zip(&mut counts) {
            count.add(&gate(&baseline, &candidate, plan)?);
        }
    }
    Ok(counts)
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
