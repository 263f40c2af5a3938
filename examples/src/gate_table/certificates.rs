//! Certificates at the border: how often an answer is wrong.

use anyhow::Result;
use llmscope_core::objective::CertificateStatus;
use llmscope_core::stats::special::normal_quantile;
use llmscope_core::{Objective, Sample};

use crate::document::Document;
use crate::process::Random;
use crate::simulation::simulate;

const ALPHA: f64 = 0.01;
/// The objective is p90 ≤ 1, and exactly 10 % of the latencies of all runs together exceed 1.
const OBJECTIVE: &str = "ttft.p90=1s";
const REQUESTS: usize = 300;

#[derive(Debug, Clone, Copy)]
struct Cell {
    runs: usize,
    run_sd: f64,
    rho: f64,
}

/// Writes the table of wrong answers.
pub(crate) fn write(document: &mut Document, repetitions: u64) -> Result<()> {
    let mut cells = Vec::new();
    for (runs, sds) in [(1, &[0.0][..]), (3, &[0.0, 0.05, 0.1]), (5, &[0.0, 0.05, 0.1]), (8, &[0.0, 0.05, 0.1])] {
        for &run_sd in sds {
            cells.extend([0.0, 0.6].map(|rho| Cell { runs, run_sd, rho }));
        }
    }
    let counts = simulate(&cells, |cell| count(*cell, repetitions))?;
    let mut table =
        "| runs | run sd | ρ | met, wrongly | missed, wrongly |\n| ---: | ---: | ---: | ---: | ---: |\n".to_owned();
    for (cell, (met, missed)) in cells.iter().zip(&counts) {
        let percent = |count: u64| format!("{:.2} %", 100.0 * count as f64 / repetitions as f64);
        table += &format!(
            "| {} | {:.0} % | {} | {} | {} |\n",
            cell.runs,
            cell.run_sd * 100.0,
            cell.rho,
            percent(*met),
            percent(*missed)
        );
    }
    document.fill("certificates", &table)
}

fn count(cell: Cell, repetitions: u64) -> Result<(u64, u64)> {
    let objective: Objective = OBJECTIVE.parse()?;
    let starts: Vec<usize> = (1..cell.runs).map(|run| run * REQUESTS).collect();
    let (mut met, mut missed) = (0, 0);
    for repetition in 0..repetitions {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small positive numbers")]
        let cell_seed = cell.runs as u64 * 10_000 + (cell.run_sd * 1000.0) as u64 + (cell.rho * 10.0) as u64;
        let mut random = Random::new(cell_seed * 1_000_003 + repetition * 7_919);
        let values = (0..cell.runs).flat_map(|_| run(cell, &mut random)).collect::<Vec<_>>();
        let sample = Sample::new(values)?.with_breaks(starts.clone())?;
        match objective.certify(&sample, &starts, ALPHA)?.map(|certificate| certificate.status) {
            Some(CertificateStatus::Met) => met += 1,
            Some(CertificateStatus::Missed) => missed += 1,
            Some(CertificateStatus::CannotTell) | None => {}
        }
    }
    Ok((met, missed))
}

/// One run of lognormal latencies with σ = 0.5, scaled so that 10 % of all latencies of all runs exceed 1.
fn run(cell: Cell, random: &mut Random) -> Vec<f64> {
    let sigma = 0.5_f64.hypot(cell.run_sd);
    let ln_scale = -sigma * normal_quantile(0.9).unwrap_or(0.0);
    let effect = cell.run_sd * random.normal();
    let mut z = random.normal();
    let innovation = (1.0 - cell.rho * cell.rho).sqrt();
    let mut next = || {
        z = cell.rho * z + innovation * random.normal();
        (ln_scale + effect + 0.5 * z).exp()
    };
    (0..REQUESTS).map(|_| next()).collect()
}
