//! The table of all answers, the most urgent one first.

use llmscope_core::Analysis;
use maud::{Markup, html};

use super::layout::answer_badge;
use super::{section, sparkline};
use crate::analyze::Judged;
use crate::meaning::deciding_guesses;

pub(super) fn table(judged: &Judged) -> Markup {
    let report = &judged.report;
    let guesses =
        if judged.directions_decide { deciding_guesses(&judged.series, &report.analyses) } else { Vec::new() };
    let grouped = report.analyses.iter().any(|analysis| !analysis.group.is_empty());
    html! {
        section.plain id="verdicts" aria-labelledby="verdicts-title" {
            h2 id="verdicts-title" { "Verdicts" }
            div.scroll tabindex="0" role="region" aria-label="Table of verdicts" {
                table.verdicts.answers {
                    thead {
                        tr {
                            th scope="col" { "Verdict" }
                            @if grouped { th scope="col" { "Group" } }
                            th scope="col" { "Metric" }
                            th scope="col" { "Chart" }
                            th.number scope="col" { "n" }
                            th scope="col" { "Answer" }
                        }
                    }
                    tbody {
                        @for answer in &report.answers {
                            (row(answer.analysis, &report.analyses[answer.analysis], grouped))
                        }
                    }
                }
            }
            @if !guesses.is_empty() {
                ul.callouts aria-label="Guesses" {
                    @for guess in guesses { li { (guess) } }
                }
            }
        }
    }
}

fn row(position: usize, analysis: &Analysis, grouped: bool) -> Markup {
    html! {
        tr {
            td { (answer_badge(analysis)) }
            @if grouped { td.group { (analysis.group_title()) } }
            th.metric scope="row" { a href={ "#" (section::id(position)) } { (analysis.metric) } }
            td { (sparkline::with_change(analysis)) }
            td.number { (analysis.n) }
            td.answer { (analysis.answer.text) }
        }
    }
}
