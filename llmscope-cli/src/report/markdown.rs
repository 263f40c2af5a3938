//! The Markdown report: tables for pull requests and issues.

use std::io::Write;

use anyhow::Result;
use llmscope_core::analysis::{DecidedBy, RankedAnswer, index};
use llmscope_core::quantity::with_unit;
use llmscope_core::{Analysis, Report};

/// The answers and then the patterns, or only the patterns if the rules decide.
pub(crate) fn write(out: &mut impl Write, report: &Report) -> Result<()> {
    if report.decided_by == DecidedBy::Changes {
        answers(out, report)?;
        writeln!(out, "\nPatterns\n")?;
    }
    patterns(out, report)?;
    studies(out, report)
}

/// The headline, and one row per series, the most urgent one first.
fn answers(out: &mut impl Write, report: &Report) -> Result<()> {
    writeln!(out, "{}\n", report.headline())?;
    writeln!(out, "| verdict | group | metric | n | answer |")?;
    writeln!(out, "| --- | --- | --- | ---: | --- |")?;
    for answer in &report.answers {
        writeln!(out, "| {} |", answer_row(report, answer).map(|cell| escaped(&cell)).join(" | "))?;
    }
    Ok(())
}

fn answer_row(report: &Report, answer: &RankedAnswer) -> [String; 5] {
    let analysis = &report.analyses[answer.analysis];
    [
        format!("**{}**", answer.verdict.label()),
        analysis.group_title(),
        analysis.metric.clone(),
        analysis.n.to_string(),
        answer.text.clone(),
    ]
}

/// An answer quotes messages of a log: none of them may begin a tag or a link, or end a cell or a line. `p < 0.01` is
/// left as it is.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' if rest.peek() != Some(&' ') => safe.push_str("&lt;"),
            '|' | '`' | '[' | '\\' => safe.extend(['\\', c]),
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

/// One row per series with the verdict of the rules, limits and capability, and the measurements behind the limits.
fn patterns(out: &mut impl Write, report: &Report) -> Result<()> {
    writeln!(out, "| group | metric | verdict | n | center | limits | rules broken | Cpk | Ppk |")?;
    writeln!(out, "| --- | --- | --- | ---: | ---: | --- | --- | --- | --- |")?;
    for analysis in &report.analyses {
        writeln!(out, "| {} |", row(analysis).map(|cell| cell.replace('|', "\\|")).join(" | "))?;
    }
    bases(out, report)
}

/// The measurements behind the limits, and how often the rules signal although nothing changed.
fn bases(out: &mut impl Write, report: &Report) -> Result<()> {
    let lines = report.analyses.iter().filter_map(|analysis| {
        let basis = analysis.basis_words()?;
        let false_alarm = analysis.patterns.false_alarm.map(|share| format!("; {}", share.describe()));
        let title = escaped(&analysis.title());
        Some(format!("- Limits of {title}: from {basis}{}", false_alarm.unwrap_or_default()))
    });
    let lines: Vec<String> = lines.collect();
    if !lines.is_empty() {
        writeln!(out, "\n{}", lines.join("\n"))?;
    }
    Ok(())
}

/// One row per study of several runs.
fn studies(out: &mut impl Write, report: &Report) -> Result<()> {
    if report.studies.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\n| runs of | metric | verdict | runs | n | mean | σ within | σ between | σ total | out | Cpk | Ppk |"
    )?;
    writeln!(out, "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- | --- | --- |")?;
    for study in &report.studies {
        let cells = [
            study.group_title(),
            study.metric.clone(),
            format!("**{}**", study.verdict.label()),
            study.runs.len().to_string(),
            study.n.to_string(),
            study.quantity(study.mean),
            study.quantity(study.within.sigma),
            study.quantity(study.between.sigma),
            study.quantity(study.total.sigma),
            study.runs_out().join(", "),
            study.capability.map(|c| index(c.cpk, c.cpk_interval)).unwrap_or_default(),
            study.performance.map(|p| index(p.ppk, p.ppk_interval)).unwrap_or_default(),
        ];
        writeln!(out, "| {} |", cells.map(|cell| cell.replace('|', "\\|")).join(" | "))?;
    }
    Ok(())
}

fn row(analysis: &Analysis) -> [String; 9] {
    let quantity = |value: f64| with_unit(analysis.unit, value);
    let constant = |line: &llmscope_core::Line| line.constant().map_or("varies".to_owned(), quantity);
    let limits = analysis.limits.as_ref();
    let transform = analysis.transform.map(|power| format!(" ({})", power.describe())).unwrap_or_default();
    [
        analysis.group_title(),
        analysis.metric.clone(),
        format!("**{}**", analysis.patterns.verdict.label()),
        analysis.n.to_string(),
        limits.map(|limits| constant(&limits.center)).unwrap_or_default(),
        limits
            .map(|limits| format!("{} … {}{transform}", constant(&limits.lower), constant(&limits.upper)))
            .unwrap_or_default(),
        analysis.broken_rules(),
        analysis.capability.map(|c| index(c.cpk, c.cpk_interval)).unwrap_or_default(),
        analysis.performance.map(|p| index(p.ppk, p.ppk_interval)).unwrap_or_default(),
    ]
}
