//! Results in a notebook: pictures as images, which also a notebook shows that its reader does not trust yet.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use llmscope_core::analysis::{Analysis, MOST_VIOLATIONS, Study, index};
use llmscope_core::plot::{self, escaped};
use llmscope_core::quantity::noun_for;

const CELL: &str = "padding:2px 12px 2px 0;text-align:left;vertical-align:top;white-space:pre-wrap";

/// An SVG picture as an image, scaled to the width of the cell. Jupyter removes inline SVG and scripts from a notebook
/// that is not trusted.
pub(crate) fn image(svg: &str, alt: &str) -> String {
    let data = BASE64_STANDARD.encode(svg);
    format!("<img src=\"data:image/svg+xml;base64,{data}\" alt=\"{}\" style=\"max-width:100%\">", escaped(alt))
}

/// An analysis: its chart over the report as a table.
pub(crate) fn analysis(analysis: &Analysis) -> String {
    let chart = image(&plot::svg(analysis), &format!("{}: {}", title(analysis), analysis.verdict.label()));
    let mut html = format!("<div style=\"max-width:1100px\">{chart}");
    html.push_str("<table style=\"border:none;margin:0\">");
    row(&mut html, "measured", &analysis.scope().join(" · "));
    for (name, text) in analysis.facts() {
        row(&mut html, name, &text);
    }
    for violation in analysis.violations.iter().take(MOST_VIOLATIONS) {
        row(&mut html, "violation", &violation.to_string());
    }
    if let rest @ 1.. = analysis.violations.len().saturating_sub(MOST_VIOLATIONS) {
        row(&mut html, "", &format!("… and {rest} more {}", noun_for(&rest, "violation")));
    }
    for warning in &analysis.warnings {
        row(&mut html, "⚠", warning);
    }
    html.push_str("</table></div>");
    html
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

/// A table of all verdicts, with collapsible analyses; a single analysis is open.
pub(crate) fn report(analyses: &[Arc<Analysis>], studies: &[Study]) -> String {
    if let ([only], []) = (analyses, studies) {
        return analysis(only);
    }
    let heads = ["group", "metric", "verdict", "n", "center", "rules broken", "Cpk", "Ppk"];
    let cells = |tag: &str, texts: &[String]| -> String {
        texts.iter().map(|text| format!("<{tag} style=\"{CELL}\">{}</{tag}>", escaped(text))).collect()
    };
    let mut html = format!("<table><tr>{}</tr>", cells("th", &heads.map(str::to_owned)));
    for analysis in analyses {
        let center = analysis.limits.as_ref().and_then(|limits| limits.center.constant());
        let texts = [
            analysis.group_title(),
            analysis.metric.clone(),
            analysis.verdict.label().to_owned(),
            analysis.n.to_string(),
            center.map(|center| analysis.quantity(center)).unwrap_or_default(),
            analysis.broken_rules(),
            analysis.capability.map(|c| index(c.cpk, c.cpk_interval)).unwrap_or_default(),
            analysis.performance.map(|p| index(p.ppk, p.ppk_interval)).unwrap_or_default(),
        ];
        let color = plot::verdict_color(analysis.verdict);
        html.push_str(&format!("<tr style=\"border-left:4px solid {color}\">{}</tr>", cells("td", &texts)));
    }
    html.push_str("</table>");
    for one in analyses {
        let title = format!("{} {}: {}", one.group_title(), one.metric, one.verdict.label());
        html.push_str(&format!("<details><summary>{}</summary>{}</details>", escaped(&title), analysis(one)));
    }
    for study in studies {
        let runs = format!("{} runs", study.runs.len());
        let title = format!("{runs} {} {}: {}", study.group_title(), study.metric, study.verdict.label());
        let text = study.to_string().lines().map(escaped).collect::<Vec<_>>().join("\n");
        html.push_str(&format!("<details><summary>{}</summary><pre>{text}</pre></details>", escaped(&title)));
    }
    html
}
