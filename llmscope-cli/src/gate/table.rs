//! The answer for people: the line that decides, then each metric with its comparisons.

use std::io::Write;

use anstyle::Style;
use anyhow::Result;
use comfy_table::CellAlignment;
use llmscope_core::Metric;
use llmscope_core::gate::{Certified, Comparison, Decision, Gate, GateVerdict, Pair};
use llmscope_core::objective::CertificateStatus;
use llmscope_core::quantity::{number, scale_of};

use crate::output::{BAD, BOLD, CAUTION, DIM, GOOD};
use crate::report::table::{bare_table, wrapped};

pub(super) fn write(out: &mut impl Write, gate: &Gate, width: usize) -> Result<()> {
    let style = match gate.verdict {
        GateVerdict::Pass => GOOD,
        GateVerdict::Fail => BAD,
        GateVerdict::NotEnoughData => CAUTION,
    };
    writeln!(out, "{style}{}{style:#}  {BOLD}{}{BOLD:#}", gate.label().to_uppercase(), gate.headline)?;
    for pair in &gate.pairs {
        writeln!(out)?;
        section(out, pair, width)?;
    }
    if !gate.certificates.is_empty() {
        writeln!(out, "\n{BOLD}objectives{BOLD:#}")?;
    }
    for Certified { certificate, .. } in &gate.certificates {
        let style = if certificate.status == CertificateStatus::Missed { BAD } else { Style::new() };
        wrapped(out, width, style, "  ", &certificate.text)?;
    }
    writeln!(out)?;
    for warning in &gate.warnings {
        wrapped(out, width, CAUTION, "! ", warning)?;
    }
    wrapped(out, width, DIM, "", &gate.promise())
}

fn section(out: &mut impl Write, pair: &Pair, width: usize) -> Result<()> {
    let symbol = Shown::of(pair).symbol;
    let symbol = if symbol.is_empty() { String::new() } else { format!(" ({symbol})") };
    writeln!(out, "{BOLD}{}{symbol}{BOLD:#}  {}", pair.metric_title(), pair.group_title())?;
    wrapped(out, width, DIM, "  ", &pair.scope())?;
    let mut table = bare_table(width);
    table.set_header(["", "baseline", "candidate", "change", "", "detects", "needs"]);
    let unit = Shown::of(pair);
    for comparison in &pair.comparisons {
        table.add_row(row(pair, comparison, &unit));
    }
    for column in [1, 2, 5, 6] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let decisions = pair.comparisons.iter().map(|comparison| comparison.decision);
    let mut decisions = decisions.peekable();
    for (index, line) in table.lines().enumerate() {
        let begins = decisions.peek().is_some_and(|decision| index > 0 && line.contains(decision.words()));
        let style = match begins.then(|| decisions.next()).flatten() {
            _ if index == 0 => DIM,
            Some(Decision::Worse) => BAD,
            _ => Style::new(),
        };
        writeln!(out, "{style}{}{style:#}", line.trim_end())?;
    }
    for fact in pair.facts() {
        wrapped(out, width, DIM, "  ", &fact)?;
    }
    for warning in &pair.warnings {
        wrapped(out, width, CAUTION, "  ! ", warning)?;
    }
    Ok(())
}

/// All figures of a metric in one unit, which its heading then says.
struct Shown {
    factor: f64,
    symbol: &'static str,
}

impl Shown {
    fn of(pair: &Pair) -> Self {
        if pair.metric == Metric::ErrorRate.name() {
            return Self { factor: 100.0, symbol: "%" };
        }
        let typical = pair.baseline.quantiles.or(pair.candidate.quantiles).map_or(0.0, |quantiles| quantiles.p50);
        let (factor, symbol) = scale_of(pair.unit, typical);
        Self { factor, symbol }
    }
}

fn row(pair: &Pair, comparison: &Comparison, unit: &Shown) -> Vec<String> {
    let share = comparison.statistic.is_share();
    let figure = |value: Option<f64>| match value {
        Some(_) if share => pair.figure(comparison, value),
        Some(value) => number(value * unit.factor),
        None => String::new(),
    };
    let open = matches!(comparison.decision, Decision::CannotTell | Decision::NotEnoughData);
    vec![
        format!(" {}", pair.short_title(comparison)),
        figure(comparison.baseline),
        figure(comparison.candidate),
        comparison.change(),
        comparison.decision.words().to_owned(),
        if open { comparison.detectable() } else { String::new() },
        needed(comparison),
    ]
}

/// The number of requests or runs that would decide.
fn needed(comparison: &Comparison) -> String {
    match (comparison.need, comparison.need_runs) {
        (Some(requests), _) => requests.to_string(),
        (None, Some(runs)) => format!("{runs} runs"),
        (None, None) => String::new(),
    }
}
