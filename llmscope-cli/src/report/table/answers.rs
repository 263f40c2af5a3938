//! The first screen: which series changed, since when, by how much, and how far to trust it.

use std::io::Write;

use anstyle::Style;
use anyhow::Result;
use llmscope_core::analysis::{Direction, RankedAnswer, SeriesVerdict, Study};
use llmscope_core::quantity::counted;
use llmscope_core::{Report, Verdict};

use super::wrapped;
use crate::output::{BAD, BOLD, CAUTION, DIM, GOOD};

/// The most series that are listed one by one; the rest is counted.
const MOST_LISTED: usize = 20;

pub(super) fn write(out: &mut impl Write, report: &Report, width: usize) -> Result<()> {
    wrapped(out, width, BOLD, "", &report.headline())?;
    writeln!(out)?;
    let (plain, listed): (Vec<_>, Vec<_>) = report.answers.iter().partition(|answer| is_plain(report, answer));
    for answer in listed.iter().take(MOST_LISTED) {
        one(out, report, answer, width)?;
    }
    let rest = listed.len().saturating_sub(MOST_LISTED);
    if rest > 0 {
        wrapped(out, width, DIM, "  ", &format!("… and {}; --format json lists all", counted(rest, "more series")))?;
    }
    stable(out, report, &plain, width)?;
    for study in report.studies.iter().filter(|study| study.verdict == Verdict::OutOfControl) {
        runs(out, study, width)?;
    }
    Ok(())
}

/// The runs that deviate from the others. Their chart does not decide, because its rules have no stated false-alarm rate.
fn runs(out: &mut impl Write, study: &Study, width: usize) -> Result<()> {
    let title = [study.group_title(), study.metric.clone()].join(" ");
    write!(out, "{CAUTION}{:<16}{CAUTION:#}", "RUNS")?;
    wrapped(out, width.saturating_sub(16), BOLD, "", title.trim())?;
    let outside = format!("outside the limits of the run means: {}", study.runs_out().join(", "));
    wrapped(out, width, Style::new(), "  ", &outside)
}

/// True for a stable series about which there is nothing else to say.
fn is_plain(report: &Report, answer: &RankedAnswer) -> bool {
    let analysis = &report.analyses[answer.analysis];
    let answer_of = &analysis.answer;
    let has_objectives = !answer_of.objectives.is_empty() || !answer_of.goodput.is_empty();
    let has_notes = answer_of.failures.is_some() || answer_of.slow_requests.is_some() || has_objectives;
    answer.verdict == SeriesVerdict::Stable && !has_notes
}

/// The verdict and the series on one line, the answer below it.
fn one(out: &mut impl Write, report: &Report, answer: &RankedAnswer, width: usize) -> Result<()> {
    let style = style(answer.verdict, answer.direction);
    let title = report.analyses[answer.analysis].title();
    write!(out, "{style}{:<16}{style:#}", answer.verdict.label().to_uppercase())?;
    wrapped(out, width.saturating_sub(16), BOLD, "", &title)?;
    wrapped(out, width, Style::new(), "  ", &answer.text)
}

/// The stable series in one paragraph.
fn stable(out: &mut impl Write, report: &Report, plain: &[&RankedAnswer], width: usize) -> Result<()> {
    if plain.is_empty() {
        return Ok(());
    }
    let mut titles: Vec<String> =
        plain.iter().map(|answer| report.analyses[answer.analysis].title()).take(MOST_LISTED).collect();
    if plain.len() > MOST_LISTED {
        titles.push(format!("… {} in all", plain.len()));
    }
    write!(out, "{GOOD}{:<16}{GOOD:#}", "STABLE")?;
    wrapped(out, width.saturating_sub(16), BOLD, "", &counted(plain.len(), "series"))?;
    wrapped(out, width, DIM, "  ", &titles.join(", "))
}

fn style(verdict: SeriesVerdict, direction: Option<Direction>) -> Style {
    match (verdict, direction) {
        (SeriesVerdict::Failing, _) => BAD,
        (SeriesVerdict::Changed, Some(Direction::Better)) | (SeriesVerdict::Stable, _) => GOOD,
        (SeriesVerdict::Changed, _) => BAD,
        (SeriesVerdict::NotEnoughData, _) => CAUTION,
    }
}
