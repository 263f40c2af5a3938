//! All verdicts at a glance.

use llmscope_core::analysis::index;
use llmscope_core::quantity::{number_to, scale_of};
use llmscope_core::{Analysis, Verdict};
use maud::{Markup, html};

use super::outline::badge;
use super::{section, sparkline};
use crate::analyze::Judged;

/// `2 of 12 series are out of control.`
pub(super) fn sentence(judged: &Judged) -> String {
    let analyses = &judged.report.analyses;
    let count = |verdict| analyses.iter().filter(|analysis| analysis.verdict == verdict).count();
    let (out, thin) = (count(Verdict::OutOfControl), count(Verdict::NotEnoughData));
    let all = format!("{} series", analyses.len());
    let be = |count: usize| if count == 1 { "is" } else { "are" };
    let mut sentence = match out {
        0 if analyses.is_empty() => "There is nothing to judge.".to_owned(),
        0 if thin == analyses.len() => format!("There are too few data to judge: {all}."),
        0 if analyses.len() == 1 => "The one series is in control.".to_owned(),
        0 => format!("No series out of {} is out of control.", analyses.len()),
        1 if analyses.len() == 1 => "The one series is out of control.".to_owned(),
        _ => format!("{out} of {all} {} out of control.", be(out)),
    };
    if thin > 0 && thin < analyses.len() {
        sentence.push_str(&format!(" {thin} {} too short to judge.", be(thin)));
    }
    sentence
}

pub(super) fn table(judged: &Judged) -> Markup {
    let analyses = &judged.report.analyses;
    let capable = analyses.iter().any(|analysis| analysis.performance.is_some());
    let grouped = analyses.iter().any(|analysis| !analysis.group.is_empty());
    html! {
        section.plain id="verdicts" aria-labelledby="verdicts-title" {
            h2 id="verdicts-title" { "Verdicts" }
            div.scroll tabindex="0" role="region" aria-label="Table of verdicts" {
                table.verdicts {
                    thead {
                        tr {
                            th scope="col" { "Verdict" }
                            @if grouped { th scope="col" { "Group" } }
                            th scope="col" { "Metric" }
                            th scope="col" { "Course" }
                            th.number scope="col" { "n" }
                            th.number scope="col" { "Mean" }
                            th.number scope="col" { "Control limits" }
                            @if capable { th.number scope="col" { "Ppk" } }
                            th scope="col" { "First violation" }
                        }
                    }
                    tbody {
                        @for (index, analysis) in analyses.iter().enumerate() { (row(index, analysis, grouped, capable)) }
                    }
                }
            }
        }
    }
}

fn row(position: usize, analysis: &Analysis, grouped: bool, capable: bool) -> Markup {
    html! {
        tr {
            td { (badge(analysis.verdict)) }
            @if grouped { td.group { (analysis.group_title()) } }
            th.metric scope="row" { a href={ "#" (section::id(position)) } { (analysis.metric) } }
            td { (sparkline::of(analysis)) }
            td.number { (analysis.n) }
            td.number { @if let Some(mean) = analysis.mean { (analysis.quantity(mean)) } }
            td.number { (limits(analysis)) }
            @if capable { td.number { @if let Some(p) = analysis.performance { (index(p.ppk, None)) } } }
            td.first { (first_violation(analysis)) }
        }
    }
}

/// `53.06 … 71.81 ms`
fn limits(analysis: &Analysis) -> String {
    let Some(limits) = &analysis.limits else { return String::new() };
    let (Some(lower), Some(upper)) = (limits.lower.constant(), limits.upper.constant()) else {
        return "vary".to_owned();
    };
    let (factor, symbol) = scale_of(analysis.plotted_unit(), upper);
    let one = |value: f64| number_to(value * factor, analysis.resolution() * factor);
    format!("{} … {} {symbol}", one(lower), one(upper)).trim_end().to_owned()
}

fn first_violation(analysis: &Analysis) -> Markup {
    let Some(first) = analysis.violations.iter().min_by_key(|violation| violation.first_signal) else {
        let need = analysis.need.map(|need| format!("{} of {need} points", analysis.n));
        return html! { @if let Some(need) = need { (need) } };
    };
    let more = analysis.violations.len() - 1;
    html! {
        code { (first.rule) } " at " (first.first_signal)
        @if more > 0 { span.muted { ", " (more) " more" } }
    }
}
