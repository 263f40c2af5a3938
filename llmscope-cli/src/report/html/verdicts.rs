//! The table of all verdicts of the rules, if these decide.

use llmscope_core::analysis::index;
use llmscope_core::quantity::{number_to, scale_of};
use llmscope_core::{Analysis, Verdict};
use maud::{Markup, html};

use super::layout::badge;
use super::{section, sparkline};
use crate::analyze::Judged;

/// `2 of 12 series are out of control.`
pub(super) fn sentence(judged: &Judged) -> String {
    let analyses = &judged.report.analyses;
    let count = |verdict| analyses.iter().filter(|analysis| analysis.patterns.verdict == verdict).count();
    let (out, few) = (count(Verdict::OutOfControl), count(Verdict::NotEnoughData));
    let all = analyses.len();
    let be = |count: usize| if count == 1 { "is" } else { "are" };
    let mut sentence = match out {
        0 if analyses.is_empty() => "There are no series to judge.".to_owned(),
        0 if all == 1 && few == 1 => "The series does not have enough data.".to_owned(),
        0 if few == all => format!("None of the {all} series has enough data."),
        0 if all == 1 => "The series is in control.".to_owned(),
        0 => format!("None of the {all} series is out of control."),
        1 if all == 1 => "The series is out of control.".to_owned(),
        _ => format!("{out} of {all} series {} out of control.", be(out)),
    };
    if few > 0 && few < all {
        sentence.push_str(&format!(" {few} {} not enough data.", if few == 1 { "has" } else { "have" }));
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
                            th scope="col" { "Chart" }
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
            td { (badge(analysis.patterns.verdict)) }
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
    let Some(first) = analysis.patterns.violations.iter().min_by_key(|violation| violation.first_signal) else {
        let need = analysis.need.map(|need| format!("{} of {need} points", analysis.n));
        return html! { @if let Some(need) = need { (need) } };
    };
    let more = analysis.patterns.violations.len() - 1;
    html! {
        code { (first.rule) } " at " (first.first_signal)
        @if more > 0 { span.muted { ", " (more) " more" } }
    }
}
