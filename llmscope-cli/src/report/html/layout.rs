//! The structure of the page: head, header, sections, footer.

use anyhow::Result;
use llmscope_core::analysis::{DecidedBy, SeriesVerdict};
use llmscope_core::quantity::counted;
use llmscope_core::{Analysis, Verdict};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::assets::Assets;
use super::change::tone;
use super::{answers, environment, island, methods, section, studies, verdicts};
use crate::analyze::Judged;

/// The report as one HTML document.
pub(crate) fn page(judged: &Judged, title: Option<&str>) -> Result<String> {
    let title = title.filter(|title| !title.trim().is_empty()).unwrap_or("LLMscope report");
    let assets = Assets::new();
    let events = environment::events(&judged.logs);
    let island = island::json(judged, &events)?;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(assets.policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content={ "llmscope " (env!("CARGO_PKG_VERSION")) };
                link rel="icon" href="data:,";
                title { (title) }
                style { (PreEscaped(&assets.style)) }
            }
            body {
                a.skip href="#verdicts" { "Skip to the verdicts" }
                (header(judged, title))
                main {
                    (first_table(judged))
                    @for index in 0..judged.report.analyses.len() {
                        (section::section(judged, index, &events))
                    }
                    (studies::sections(&judged.report.studies))
                    (environment::section(&judged.logs))
                    (methods::section(&judged.report))
                }
                (footer(judged))
                script type="application/json" id="data" { (PreEscaped(island)) }
                @for script in assets.scripts() {
                    script { (PreEscaped(script)) }
                }
            }
        }
    };
    Ok(page.into_string())
}

/// The answers, or the verdicts of the rules if these decide.
fn first_table(judged: &Judged) -> Markup {
    match judged.report.decided_by {
        DecidedBy::Changes => answers::table(judged),
        DecidedBy::Rules => verdicts::table(judged),
    }
}

fn headline(judged: &Judged) -> String {
    match judged.report.decided_by {
        DecidedBy::Changes => judged.report.headline(),
        DecidedBy::Rules => verdicts::sentence(judged),
    }
}

fn header(judged: &Judged, title: &str) -> Markup {
    let simulated = environment::simulated(&judged.logs);
    html! {
        header.top {
            @if !simulated.is_empty() {
                p.simulated role="note" {
                    strong { "Simulated" }
                    " The endpoint of " (simulated.join(", ")) " was simulated. These numbers do not describe a real service."
                }
            }
            p.overline { "Statistical process control" }
            h1 { (title) }
            p.lead { (headline(judged)) }
            p.facts {
                (counted(judged.logs.len(), "file")) " · "
                @if let Some(at) = judged.report.generated_at { "judged " (format!("{at:.0}")) }
            }
        }
    }
}

fn footer(judged: &Judged) -> Markup {
    html! {
        footer {
            p {
                "Written by llmscope " (env!("CARGO_PKG_VERSION"))
                @if let Some(at) = judged.report.generated_at { " at " (format!("{at:.0}")) }
                ". This page is self-contained and makes no network requests. All times are UTC; positions start at 0."
            }
        }
    }
}

// SVG paths, because fonts may lack these characters.
const CHECK_MARK: &str = "M3 8.5l3.2 3.2L13 4.8";
const CROSS: &str = "M4 4l8 8M12 4l-8 8";
const ELLIPSIS: &str = "M3 8h.01M8 8h.01M13 8h.01";
const EXCLAMATION_MARK: &str = "M8 2.5v7M8 13.5h.01";

/// The badge of a verdict of the rules.
pub(super) fn badge(verdict: Verdict) -> Markup {
    match verdict {
        Verdict::InControl => labelled("good", CHECK_MARK, verdict.label()),
        Verdict::OutOfControl => labelled("bad", CROSS, verdict.label()),
        Verdict::NotEnoughData => labelled("warning", ELLIPSIS, verdict.label()),
    }
}

/// The badge of a series verdict.
pub(super) fn answer_badge(analysis: &Analysis) -> Markup {
    let (class, path) = match analysis.verdict {
        SeriesVerdict::Failing => ("bad", CROSS),
        SeriesVerdict::Changed => match tone(analysis.answer.direction) {
            "good" => ("good", CHECK_MARK),
            class => (class, EXCLAMATION_MARK),
        },
        SeriesVerdict::Stable => ("good", CHECK_MARK),
        SeriesVerdict::NotEnoughData => ("warning", ELLIPSIS),
    };
    labelled(class, path, analysis.verdict.label())
}

/// An icon and a label, so that a verdict does not depend on color alone.
fn labelled(class: &str, path: &str, label: &str) -> Markup {
    html! {
        span class={ "badge " (class) } {
            svg viewBox="0 0 16 16" aria-hidden="true" focusable="false" { path d=(path) {} }
            (label)
        }
    }
}
