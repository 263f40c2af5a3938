//! A study of several runs, for terminals.

use std::io::Write;

use anstyle::Style;
use anyhow::Result;
use llmscope_core::analysis::Study;
use llmscope_core::quantity::counted;

use super::{bare_table, facts, heading, verdict_style, wrapped};
use crate::output::{BAD, CAUTION, DIM};

/// The table lists this many runs and counts the rest. Runs outside the limits are always listed.
const MAX_RUNS: usize = 30;

pub(super) fn write(out: &mut impl Write, study: &Study, width: usize) -> Result<()> {
    let verdict = format!("RUNS {}", study.verdict.label().to_uppercase());
    let titles = [study.metric_title(), study.group_title()];
    heading(out, verdict_style(study.verdict), &verdict, &titles, width)?;
    wrapped(out, width, DIM, "  ", &study.scope().join(" · "))?;
    facts(out, width, study.facts())?;
    runs(out, study, width)?;
    for violation in &study.violations {
        wrapped(out, width, Style::new(), "  ", &format!("{violation} (of the run means)"))?;
    }
    for warning in &study.warnings {
        wrapped(out, width, CAUTION, "  ! ", warning)?;
    }
    Ok(())
}

fn runs(out: &mut impl Write, study: &Study, width: usize) -> Result<()> {
    let mut table = bare_table(width);
    table.set_header([" run", "n", "mean", "σ", ""]);
    let mut left_out = 0_usize;
    for (position, (mut row, run)) in study.run_rows().into_iter().zip(&study.runs).enumerate() {
        if position < MAX_RUNS || run.out {
            row[0] = format!(" {}", row[0]);
            table.add_row(row);
        } else {
            left_out += 1;
        }
    }
    writeln!(out)?;
    for (index, line) in table.lines().enumerate() {
        let style = match index {
            0 => DIM,
            _ if line.contains("OUT of the limits") => BAD,
            _ => Style::new(),
        };
        writeln!(out, "{style}{}{style:#}", line.trim_end())?;
    }
    if left_out > 0 {
        wrapped(out, width, DIM, "  ", &format!("… and {}; --format json lists all", counted(left_out, "more run")))?;
    }
    Ok(())
}
