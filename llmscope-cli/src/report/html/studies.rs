//! Studies of several runs: the variation within and between runs, and the runs outside the limits.

use llmscope_core::analysis::Study;
use maud::{Markup, html};

use super::layout::badge;

pub(super) fn sections(studies: &[Study]) -> Markup {
    html! { @for study in studies { (section(study)) } }
}

fn section(study: &Study) -> Markup {
    let name = format!("{} over several runs", study.metric_title());
    html! {
        section.series.study aria-label={ (study.group_title()) " " (name) } {
            header {
                @if !study.group_title().is_empty() { p.overline { (study.group_title()) } }
                h2 { (name) }
                (badge(study.verdict))
            }
            p.facts { (study.scope().join(" · ")) }
            @if !study.warnings.is_empty() {
                ul.callouts aria-label="Warnings" {
                    @for warning in &study.warnings { li { (warning) } }
                }
            }
            dl.pairs {
                @for (name, value) in study.facts() {
                    div { dt { (name) } dd { (value) } }
                }
            }
            (runs(study))
            @if !study.violations.is_empty() {
                ul { @for violation in &study.violations { li { (violation) " (of the run means)" } } }
            }
        }
    }
}

fn runs(study: &Study) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label={ "Runs of " (study.group_title()) " " (study.metric) } {
            table.violations {
                thead {
                    tr {
                        th scope="col" { "Run" }
                        th.number scope="col" { "n" }
                        th.number scope="col" { "Mean" }
                        th.number scope="col" { "σ" }
                        th scope="col" { "Status" }
                    }
                }
                tbody {
                    @for [name, n, mean, sigma, place] in study.run_rows() {
                        tr {
                            th scope="row" { (name) }
                            td.number { (n) }
                            td.number { (mean) }
                            td.number { (sigma) }
                            td { (place) }
                        }
                    }
                }
            }
        }
    }
}
