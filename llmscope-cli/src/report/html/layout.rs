//! The structure of the page: head, header, sections, footer.

use anyhow::Result;
use llmscope_core::Verdict;
use llmscope_core::quantity::counted;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::assets::Assets;
use super::{environment, island, methods, section, studies, verdicts};
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
                    (verdicts::table(judged))
                    @for (index, (analysis, series)) in judged.report.analyses.iter().zip(&judged.series).enumerate() {
                        (section::section(index, analysis, series, judged.missing, &events))
                    }
                    (studies::sections(&judged.report.studies))
                    (environment::section(&judged.logs))
                    (methods::section(&judged.report.analyses))
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
            p.lead { (verdicts::sentence(judged)) }
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

/// The icon and the label of a verdict, so that it does not depend on color alone.
pub(super) fn badge(verdict: Verdict) -> Markup {
    // A check mark, a cross or an ellipsis. SVG paths, because fonts may lack these characters.
    let (class, path) = match verdict {
        Verdict::InControl => ("good", "M3 8.5l3.2 3.2L13 4.8"),
        Verdict::OutOfControl => ("bad", "M4 4l8 8M12 4l-8 8"),
        Verdict::NotEnoughData => ("warning", "M3 8h.01M8 8h.01M13 8h.01"),
    };
    html! {
        span class={ "badge " (class) } {
            svg viewBox="0 0 16 16" aria-hidden="true" focusable="false" { path d=(path) {} }
            (verdict.label())
        }
    }
}
