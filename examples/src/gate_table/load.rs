//! A load that differs between the sides: longer answers are no slower server.

use anyhow::Result;
use llmscope_core::analysis::{Measure, Selection, Series};
use llmscope_core::gate::{GatePlan, gate};
use llmscope_core::{Metric, ingest};

use crate::document::Document;
use crate::process::Random;
use crate::simulation::{Count, simulate};

const REQUESTS: usize = 300;

/// What changes: the factor of the tokens, and that of the time that a request of as many tokens takes.
#[derive(Debug, Clone, Copy)]
struct Cell {
    name: &'static str,
    tokens: f64,
    slower: f64,
    /// The standard deviation of the logarithm of the tokens.
    variation: f64,
}

const CELLS: [Cell; 6] = [
    Cell { name: "nothing", tokens: 1.0, slower: 1.0, variation: 0.8 },
    Cell { name: "1.3 times the tokens", tokens: 1.3, slower: 1.0, variation: 0.8 },
    Cell { name: "1.3 times the tokens, which vary little", tokens: 1.3, slower: 1.0, variation: 0.2 },
    Cell { name: "a server that is 20 % slower", tokens: 1.0, slower: 1.2, variation: 0.8 },
    Cell { name: "both", tokens: 1.3, slower: 1.2, variation: 0.8 },
    Cell { name: "a server that is 20 % slower, tokens that vary little", tokens: 1.0, slower: 1.2, variation: 0.2 },
];

/// Writes the table of false alarms and of power if the load differs.
pub(crate) fn write(document: &mut Document, repetitions: u64) -> Result<()> {
    let counts = simulate(&CELLS, |cell| count(*cell, repetitions))?;
    let mut table = "| what changes | fails, 0 % allowed | fails, 5 % allowed |\n| --- | --- | --- |\n".to_owned();
    for (cell, counts) in CELLS.iter().zip(&counts) {
        let rates = counts.iter().map(|count| count.rate()).collect::<Vec<_>>().join(" | ");
        table += &format!("| {} | {rates} |\n", cell.name);
    }
    document.fill("load", &table)
}

fn count(cell: Cell, repetitions: u64) -> Result<Vec<Count>> {
    let allowed = [0.0, 0.05];
    let mut counts = vec![Count::default(); allowed.len()];
    for repetition in 0..repetitions {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small positive numbers")]
        let cell_seed = (cell.tokens * 10.0 + cell.slower * 100.0 + cell.variation * 1000.0) as u64;
        let mut random = Random::new(cell_seed * 1_000_003 + repetition * 7_919);
        let unchanged = Cell { tokens: 1.0, slower: 1.0, ..cell };
        let (baseline, candidate) = (answers(&mut random, unchanged)?, answers(&mut random, cell)?);
        for (&max_shift, count) in allowed.iter().zip(&mut counts) {
            let plan = GatePlan { max_shift, run_sd: Some(0.0), ..GatePlan::default() };
            count.add(&gate(&baseline, &candidate, &plan)?);
        }
    }
    Ok(counts)
}

/// Requests with exp(5 + σZ) tokens, each of which takes 20 ms after 0.3 s, with errors of 20 %.
fn answers(random: &mut Random, cell: Cell) -> Result<Vec<Series>> {
    let mut record = || {
        let tokens = (cell.tokens * (5.0 + cell.variation * random.normal()).exp()).round().max(1.0);
        let seconds = cell.slower * (0.3 + 0.02 * tokens) * (0.2 * random.normal()).exp();
        format!(r#"{{"status":"ok","e2e_s":{seconds},"output_tokens":{tokens}}}"#)
    };
    let records = (0..REQUESTS).map(|_| record()).collect::<Vec<_>>().join(",");
    let text = format!(r#"{{"schema":"llmscope.session/1","provider":"simulated","model":"m","records":[{records}]}}"#);
    let log = ingest::read("simulated", text.as_bytes(), None)?;
    let measures = vec![Measure::Metric(Metric::E2e)];
    Ok(Selection { measures, ..Selection::default() }.series([&log])?)
}
