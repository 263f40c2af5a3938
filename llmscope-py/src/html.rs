//! Results in a notebook: pictures as images, which also a notebook shows that its reader does not trust yet.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use llmscope_core::Verdict;
use llmscope_core::analysis::{Analysis, Direction, MOST_VIOLATIONS, Report, SeriesVerdict, index};
use llmscope_core::gate::{Gate, GateVerdict};
use llmscope_core::plot::{self, escaped};
use llmscope_core::quantity::noun_for;

const CELL: &str = "padding:2px 12px 2px 0;text-align:left;vertical-align:top;white-space:pre-wrap";

/// An SVG picture as an image, scaled to the width of the cell. Jupyter removes inline SVG and scripts from a notebook
/// that is not trusted.
pub(crate) fn image(svg: &str, alt: &str) -> String {
    let data = BASE64_STANDARD.encode(svg);
    format!("<img src=\"data:image/svg+xml;base64,{data}\" alt=\"{}\" style=\"max-width:100%\">", escaped(alt))
}

/// An analysis: its verdict and answer, its chart, and the report as a table.
pub(crate) fn analysis(analysis: &Analysis) -> String {
    let mut html = String::from("<div style=\"max-width:1100px\">");
    let color = answer_color(analysis.verdict, analysis.answer.direction);
    let verdict = format!("<strong style=\"color:{color}\">{}</strong>", escaped(analysis.verdict.label()));
    html.push_str(&format!("<p>{} {verdict}<br>{}</p>", escaped(&title(analysis)), escaped(&analysis.answer.text)));
    patterns(&mut html, analysis);
    html.push_str("</div>");
    html
}

/// The chart over the patterns and the numbers.
fn patterns(html: &mut String, analysis: &Analysis) {
    let alt = format!("{}: {}", title(analysis), analysis.patterns.verdict.label());
    html.push_str(&image(&plot::svg(analysis), &alt));
    html.push_str("<table style=\"border:none;margin:0\">");
    row(html, "measured", &analysis.scope().join(" · "));
    for (name, text) in analysis.facts() {
        row(html, name, &text);
    }
    row(html, "patterns", analysis.patterns.verdict.label());
    for violation in analysis.patterns.violations.iter().take(MOST_VIOLATIONS) {
        row(html, "violation", &violation.to_string());
    }
    if let rest @ 1.. = analysis.patterns.violations.len().saturating_sub(MOST_VIOLATIONS) {
        row(html, "", &format!("… and {rest} more {}", noun_for(&rest, "violation")));
    }
    for warning in &analysis.warnings {
        row(html, "⚠", warning);
    }
    html.push_str("</table>");
}

/// A gate: its verdict and headline, its picture, and what it is based on.
pub(crate) fn gate(gate: &Gate) -> String {
    let color = plot::verdict_color(match gate.verdict {
        GateVerdict::Pass => Verdict::InControl,
        GateVerdict::Fail => Verdict::OutOfControl,
        GateVerdict::NotEnoughData => Verdict::NotEnoughData,
    });
    let mut html = String::from("<div style=\"max-width:1100px\">");
    let verdict = format!("<strong style=\"color:{color}\">{}</strong>", escaped(gate.label()));
    html.push_str(&format!("<p>{verdict}<br>{}</p>", escaped(&gate.headline)));
    html.push_str(&image(&plot::gate_svg(gate), &format!("gate: {}", gate.label())));
    html.push_str("<table style=\"border:none;margin:0\">");
    for warning in &gate.warnings {
        row(&mut html, "⚠", warning);
    }
    for pair in &gate.pairs {
        row(&mut html, pair.metric_title(), &pair.scope());
        for fact in pair.facts() {
            row(&mut html, "", &fact);
        }
        for warning in &pair.warnings {
            row(&mut html, "⚠", warning);
        }
    }
    row(&mut html, "promise", &gate.promise());
    html.push_str("</table></div>");
    html
}

/// The color of a verdict on a series: that of the rules' verdict with the same weight.
const fn answer_color(verdict: SeriesVerdict, direction: Option<Direction>) -> &'static str {
    plot::verdict_color(match (verdict, direction) {
        (SeriesVerdict::Stable, _) | (SeriesVerdict::Changed, Some(Direction::Better)) => Verdict::InControl,
        (SeriesVerdict::Failing | SeriesVerdict::Changed, _) => Verdict::OutOfControl,
        (SeriesVerdict::NotEnoughData, _) => Verdict::NotEnoughData,
    })
}

/// The group and the metric.
pub(crate) fn title(analysis: &Analysis) -> String {
    let group = analysis.group_title();
    if group.is_empty() { analysis.metric_title() } else { format!("{group}: {}", analysis.metric_title()) }
}

fn row(html: &mut String, name: &str, text: &str) {
    html.push_str(&format!(
        "<tr><th style=\"{CELL}\">{}</th><td style=\"{CELL}\">{}</td></tr>",
        escaped(name),
        escaped(text)
    ));
}

/// The headline and the answers, then the patterns of each series; a single analysis is open.
pub(crate) fn report(headline: &str, analyses: &[Arc<Analysis>], call: &Report) -> String {
    let mut html = format!("<p>{}</p>", escaped(headline));
    if let ([only], []) = (analyses, &call.studies[..]) {
        html.push_str(&analysis(only));
        return html;
    }
    answers(&mut html, analyses, call);
    html.push_str("<p><strong>Patterns</strong></p>");
    verdicts(&mut html, analyses);
    for one in analyses {
        let title = format!("{}: {}", one.title(), one.patterns.verdict.label());
        html.push_str(&format!("<details><summary>{}</summary>{}</details>", escaped(&title), analysis(one)));
    }
    for study in &call.studies {
        let runs = format!("{} runs", study.runs.len());
        let title = format!("{runs} {} {}: {}", study.group_title(), study.metric, study.verdict.label());
        let text = study.to_string().lines().map(escaped).collect::<Vec<_>>().join("\n");
        html.push_str(&format!("<details><summary>{}</summary><pre>{text}</pre></details>", escaped(&title)));
    }
    html
}

/// The answers as a table, the most urgent one first.
fn answers(html: &mut String, analyses: &[Arc<Analysis>], call: &Report) {
    html.push_str(&format!("<table><tr>{}</tr>", cells("th", &["verdict", "group", "metric", "answer"])));
    for answer in &call.answers {
        let group = analyses[answer.analysis].group_title();
        let texts = [answer.verdict.label(), &group, &answer.metric, &answer.text];
        html.push_str(&colored(answer_color(answer.verdict, answer.direction), &texts));
    }
    html.push_str("</table>");
}

/// The verdicts of the rules and the main numbers as a table.
fn verdicts(html: &mut String, analyses: &[Arc<Analysis>]) {
    let heads = ["group", "metric", "verdict", "n", "center", "rules broken", "Cpk", "Ppk"];
    html.push_str(&format!("<table><tr>{}</tr>", cells("th", &heads)));
    for analysis in analyses {
        let center = analysis.limits.as_ref().and_then(|limits| limits.center.constant());
        let texts = [
            analysis.group_title(),
            analysis.metric.clone(),
            analysis.patterns.verdict.label().to_owned(),
            analysis.n.to_string(),
            center.map(|center| analysis.quantity(center)).unwrap_or_default(),
            analysis.broken_rules(),
            analysis.capability.map(|c| index(c.cpk, c.cpk_interval)).unwrap_or_default(),
            analysis.performance.map(|p| index(p.ppk, p.ppk_interval)).unwrap_or_default(),
        ];
        html.push_str(&colored(plot::verdict_color(analysis.patterns.verdict), &texts));
    }
    html.push_str("</table>");
}

/// A row with a colored left edge.
fn colored(color: &str, texts: &[impl AsRef<str>]) -> String {
    format!("<tr style=\"border-left:4px solid {color}\">{}</tr>", cells("td", texts))
}

fn cells(tag: &str, texts: &[impl AsRef<str>]) -> String {
    texts.iter().map(|text| format!("<{tag} style=\"{CELL}\">{}</{tag}>", escaped(text.as_ref()))).collect()
}
