//! Several runs a side, whose levels differ: how often a gate of an unchanged build fails, and how often it passes.

use anyhow::Result;
use llmscope_core::analysis::Series;
use llmscope_core::gate::{GatePlan, gate};

use crate::document::Document;
use crate::process::{Latencies, Random, Shape};
use crate::simulation::{Count, session, simulate};

const RUN_SDS: [f64; 4] = [0.0, 0.02, 0.05, 0.10];
const RUNS: [usize; 4] = [1, 3, 5, 8];
const RHOS: [f64; 2] = [0.0, 0.6];
const REQUESTS: usize = 300;
/// The largest allowed shifts: none at all, which is the hardest promise, and one that a stable build can keep.
const ALLOWED: [f64; 2] = [0.0, 0.10];

/// The candidates of the table of power: requests per run, standard deviation between runs, and true shift.
const CHANGES: [(f64, f64); 6] = [(0.0, 0.15), (0.02, 0.15), (0.05, 0.25), (0.10, 0.40), (0.0, 0.0), (0.02, 0.0)];

/// A build that is measured in some runs.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Cell {
    shape: Shape,
    rho: f64,
    run_sd: f64,
    runs: usize,
    requests: usize,
    shift: f64,
}

/// Writes the tables of false alarms and of power with several runs.
pub(crate) fn write(document: &mut Document, repetitions: u64) -> Result<()> {
    let cells = unchanged();
    let counts = simulate(&cells, |cell| count(*cell, repetitions, &ALLOWED))?;
    document.fill("runs", &false_fails(&cells, &counts))?;
    let cells: Vec<Cell> = CHANGES
        .into_iter()
        .map(|(run_sd, shift)| Cell { shape: Shape::Lognormal, rho: 0.0, run_sd, runs: 5, requests: 1000, shift })
        .collect();
    let counts = simulate(&cells, |cell| count(*cell, repetitions.div_ceil(4), &[0.05, 0.10]))?;
    document.fill("runs power", &powers(&cells, &counts))
}

fn unchanged() -> Vec<Cell> {
    let mut cells = Vec::new();
    for run_sd in RUN_SDS {
        for runs in RUNS {
            for shape in Shape::ALL {
                cells.extend(RHOS.map(|rho| Cell { shape, rho, run_sd, runs, requests: REQUESTS, shift: 0.0 }));
            }
        }
    }
    cells
}

fn count(cell: Cell, repetitions: u64, allowed: &[f64]) -> Result<Vec<Count>> {
    let latencies = Latencies::new(cell.shape);
    let mut counts = vec![Count::default(); allowed.len()];
    for repetition in 0..repetitions {
        let mut random = Random::new(cell.seed() + repetition * 7_919);
        let baseline = cell.side(&latencies, &mut random, 1.0)?;
        let candidate = cell.side(&latencies, &mut random, 1.0 + cell.shift)?;
        for (&max_shift, count) in allowed.iter().zip(&mut counts) {
            count.add(&gate(&baseline, &candidate, &GatePlan { max_shift, ..GatePlan::default() })?);
        }
    }
    Ok(counts)
}

impl Cell {
    /// The seed of a cell, so that the tables do not depend on the number of threads.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small positive numbers")]
    fn seed(self) -> u64 {
        let shape = u64::from(self.shape == Shape::Lognormal);
        let digits = [
            (self.rho * 10.0) as u64,
            (self.run_sd * 100.0).round() as u64,
            self.runs as u64,
            (self.shift * 100.0).round() as u64,
            shape,
            self.requests as u64,
        ];
        digits.into_iter().fold(77, |seed: u64, digit| seed.wrapping_mul(1_000_003).wrapping_add(digit))
    }

    /// The runs of one side. Each run multiplies all of its latencies by exp(σZ).
    fn side(self, latencies: &Latencies, random: &mut Random, factor: f64) -> Result<Vec<Series>> {
        let mut run = || {
            let effect = (self.run_sd * random.normal()).exp();
            latencies.draw(random, self.rho, self.requests, factor * effect)
        };
        session(&(0..self.runs).map(|_| run()).collect::<Vec<_>>())
    }
}

fn false_fails(cells: &[Cell], counts: &[Vec<Count>]) -> String {
    let mut table =
        "| run sd | runs a side | latencies | ρ | fails, 0 % allowed | passes, 10 % allowed | undecided |\n".to_owned();
    table += "| ---: | ---: | --- | ---: | --- | ---: | ---: |\n";
    for (cell, counts) in cells.iter().zip(counts) {
        let [strict, wide] = counts[..] else { continue };
        let undecided = wide.gates - wide.passed - wide.failed;
        table += &format!(
            "| {:.0} % | {} | {} | {} | {} | {} | {} |\n",
            cell.run_sd * 100.0,
            cell.runs,
            cell.shape.name(),
            cell.rho,
            strict.rate(),
            wide.percent(wide.passed),
            wide.percent(undecided)
        );
    }
    let all = counts.iter().map(|counts| counts[0].failed as f64 / counts[0].gates as f64).collect::<Vec<_>>();
    let mean = 100.0 * all.iter().sum::<f64>() / all.len() as f64;
    // The contract: no cell's lower 99.9 % bound is above alpha.
    let above = counts.iter().filter(|counts| counts[0].interval(0.001).0 > GatePlan::default().alpha).count();
    table + &format!("\nMean over the cells: {mean:.2} %. Cells whose 99.9 % interval lies above alpha: {above}.\n")
}

fn powers(cells: &[Cell], counts: &[Vec<Count>]) -> String {
    let mut table =
        "| run sd | true shift | fails, 5 % allowed | passes, 5 % | fails, 10 % | passes, 10 % |\n".to_owned();
    table += "| ---: | ---: | ---: | ---: | ---: | ---: |\n";
    for (cell, counts) in cells.iter().zip(counts) {
        let columns = counts.iter().flat_map(|count| [count.percent(count.failed), count.percent(count.passed)]);
        table += &format!(
            "| {:.0} % | {:.0} % | {} |\n",
            cell.run_sd * 100.0,
            cell.shift * 100.0,
            columns.collect::<Vec<_>>().join(" | ")
        );
    }
    table
}
