//! The origin of the data: the files, the program that recorded them, and the machine.

use std::collections::BTreeMap;

use jiff::Timestamp;
use llmscope_core::analysis::SourceLog;
use llmscope_core::quantity::counted;
use llmscope_core::session::{ClientHealth, Environment, RunEvent, Software};
use maud::{Markup, html};

/// The files that were recorded with a simulated endpoint.
pub(super) fn simulated(logs: &[SourceLog]) -> Vec<String> {
    let is_simulated = |run: &&SourceLog| run.header.as_ref().is_some_and(|header| header.simulated);
    logs.iter().filter(is_simulated).map(|run| run.source.clone()).collect()
}

/// An event that happened while a file was recorded.
pub(super) struct Event {
    pub(super) source: String,
    pub(super) at: Timestamp,
    pub(super) message: String,
}

/// The events of all files.
pub(super) fn events(logs: &[SourceLog]) -> Vec<Event> {
    let of_run = |run: &SourceLog| {
        let event =
            |event: &RunEvent| Event { source: run.source.clone(), at: event.at, message: event.message.clone() };
        run.events.iter().map(event).collect::<Vec<_>>()
    };
    logs.iter().flat_map(of_run).collect()
}

pub(super) fn section(logs: &[SourceLog]) -> Markup {
    html! {
        section.plain id="environment" aria-labelledby="environment-title" {
            h2 id="environment-title" { "Data sources" }
            div.runs {
                @for run in logs { (card(run)) }
            }
        }
    }
}

fn card(run: &SourceLog) -> Markup {
    let source = if run.source == "-" { "standard input" } else { run.source.as_str() };
    html! {
        article.run {
            h3 { (run.header.as_ref().and_then(|header| header.name.as_deref()).unwrap_or(source)) }
            @if let Some(description) = run.header.as_ref().and_then(|header| header.description.as_deref()) {
                p { (description) }
            }
            dl.pairs {
                @for (name, value) in facts(run, source) {
                    div { dt { (name) } dd { (value) } }
                }
            }
            @if let Some(labels) = run.header.as_ref().map(|header| &header.labels).filter(|labels| !labels.is_empty()) {
                (label_list(labels))
            }
            @if !run.events.is_empty() {
                h4 { "Events" }
                ul.events {
                    @for event in &run.events { li { time { (format!("{:.0}", event.at)) } " " (event.message) } }
                }
            }
        }
    }
}

fn label_list(labels: &BTreeMap<String, String>) -> Markup {
    html! {
        h4 { "Labels" }
        dl.pairs {
            @for (name, value) in labels { div { dt { (name) } dd { (value) } } }
        }
    }
}

fn facts(run: &SourceLog, source: &str) -> Vec<(&'static str, String)> {
    let mut facts = vec![("file", source.to_owned()), ("format", run.tool.label().to_owned())];
    let records = if run.header.is_some() { "request" } else { "row" };
    let mut counts = counted(run.records, records);
    for (count, what) in [(run.warmup, "warm-up (excluded)"), (run.failed, "failed")] {
        if count > 0 {
            counts.push_str(&format!(", {count} {what}"));
        }
    }
    facts.push(("measured", counts));
    let Some(header) = &run.header else { return facts };
    let mut add = |name, value: Option<String>| facts.extend(value.map(|value| (name, value)));
    add("started", header.started_at.map(|at| format!("{at:.0}")));
    add("provider", header.provider.clone());
    add("model", header.model.clone());
    add("recorded by", header.recorder.as_ref().map(version));
    if header.simulated {
        add("endpoint", Some("simulated".to_owned()));
    }
    for (name, value) in header.environment.iter().flat_map(machine) {
        add(name, Some(value));
    }
    add("client", run.client_health.as_ref().map(client));
    facts
}

fn version(software: &Software) -> String {
    [Some(software.name.as_str()), software.version.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn machine(environment: &Environment) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    let mut add = |name, value: Option<String>| facts.extend(value.map(|value| (name, value)));
    add("engine", environment.engine.as_ref().map(version));
    let processor = environment.cpu.as_ref().map(|cpu| {
        let cores = cpu.logical_cores.map(|cores| format!("{cores} logical cores"));
        [cpu.model.clone(), cpu.architecture.clone(), cores].into_iter().flatten().collect::<Vec<_>>().join(", ")
    });
    add("processor", processor.filter(|text| !text.is_empty()));
    add("memory", environment.memory_bytes.map(gibibytes));
    for gpu in &environment.gpus {
        let driver = gpu.driver.as_ref().map(|driver| format!("driver {driver}"));
        let parts = [Some(gpu.name.clone()), gpu.memory_bytes.map(gibibytes), driver];
        add("GPU", Some(parts.into_iter().flatten().collect::<Vec<_>>().join(", ")));
    }
    add("system", environment.os.clone());
    add("kernel", environment.kernel.clone());
    add("container", environment.container.clone());
    facts
}

fn gibibytes(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30))
}

fn client(health: &ClientHealth) -> String {
    if health.bottleneck {
        format!("was the bottleneck: {}", health.reasons.join("; "))
    } else {
        "was not the bottleneck".to_owned()
    }
}
