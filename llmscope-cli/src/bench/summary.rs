//! The summary of a run, as text and as JSON.

use std::io::Write;
use std::path::Path;

use anyhow::Result;
use comfy_table::{CellAlignment, Table, presets};
use llmscope_core::analysis::MIN_POINTS;
use llmscope_core::chart::individuals;
use llmscope_core::quantity::{counted, number, scale_of};
use llmscope_core::session::{ClientHealth, SessionHeader};
use llmscope_core::text::visible;
use llmscope_core::{Metric, RuleSet, Sample, SigmaEstimator, Unit};
use llmscope_harness::{Distribution, FoundLoad, Summary, Tally};
use schemars::JsonSchema;
use serde::Serialize;

use super::progress::title;
use super::steps::{self, StepReport};
use super::{BenchArgs, found};
use crate::output::{self, BAD, BOLD, CAUTION, DIM, GOOD, Sink};

/// The output of `bench --json`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "LLMscope benchmark", extend("$id" = "https://llmscope.dev/schema/bench-1.json"))]
pub(crate) struct BenchReport {
    /// The version of the format: `llmscope.bench/1`.
    schema: String,
    /// The file of the records; absent if they were written to standard output.
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    /// True if the endpoint was simulated.
    simulated: bool,
    /// Statistics of the run.
    summary: Summary,
    /// The steps of a run with several loads, in order. The summary mixes their loads.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    steps: Vec<StepReport>,
    /// The load at the knee: the largest served rate divided by the median end-to-end latency. Absent with
    /// fewer than three steps, and if no step is at least a tenth slower.
    #[serde(skip_serializing_if = "Option::is_none")]
    knee: Option<String>,
    /// The highest load that keeps the objectives, if it was searched.
    #[serde(skip_serializing_if = "Option::is_none")]
    found_load: Option<FoundLoad>,
    /// Health of the client: how far the times can be trusted.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_health: Option<ClientHealth>,
}

/// What a run measured.
pub(super) struct Run<'r> {
    pub(super) header: &'r SessionHeader,
    pub(super) summary: &'r Summary,
    pub(super) tally: &'r Tally,
    pub(super) steps: Vec<StepReport>,
    pub(super) health: Option<&'r ClientHealth>,
    pub(super) found: Option<&'r FoundLoad>,
}

/// Prints the summary to standard output, or to standard error if the session itself is on standard output.
pub(super) fn report(args: &BenchArgs, run: Run<'_>, path: Option<&Path>) -> Result<()> {
    if args.json {
        let document = BenchReport {
            schema: "llmscope.bench/1".to_owned(),
            session: path.map(|path| path.display().to_string()),
            simulated: run.header.simulated,
            summary: run.summary.clone(),
            knee: steps::knee(&run.steps),
            steps: run.steps,
            found_load: run.found.cloned(),
            client_health: run.health.cloned(),
        };
        let mut sink = Sink::stdout();
        sink.write_json(&document)?;
        return sink.finish();
    }
    let mut text = Vec::new();
    write(&mut text, &run)?;
    if path.is_some() {
        let mut sink = Sink::stdout();
        sink.write_all(&text)?;
        sink.finish()?;
    } else {
        output::write_text(&text);
    }
    if let Some(path) = path {
        output::say(DIM, "session:", &path.display().to_string());
        output::say(DIM, "analyze it:", &format!("llmscope analyze {}", path.display()));
    }
    Ok(())
}

fn write(out: &mut impl Write, run: &Run<'_>) -> Result<()> {
    let Run { header, summary, tally, steps, health, found } = run;
    writeln!(out, "{BOLD}{}{BOLD:#}", title(header))?;
    writeln!(out, "{}", scope(summary).join(" · "))?;
    if summary.failed > 0 {
        writeln!(out, "{BAD}{}{BAD:#}", failures(summary))?;
        for (kind, message) in &summary.error_messages {
            writeln!(out, "{DIM}  {kind}: {}{DIM:#}", visible(message))?;
        }
    }
    for warning in warnings(summary).into_iter().chain(health.and_then(closed_connections)) {
        writeln!(out, "{CAUTION}{warning}{CAUTION:#}")?;
    }
    writeln!(out)?;
    let responses = tally.values(Metric::Ttft).len();
    if !steps.is_empty() {
        // Statistics of all loads together describe none of them.
        steps::write(out, steps)?;
        found.map_or(Ok(()), |found| found::write(out, found))?;
        return health.map_or(Ok(()), |health| write_health(out, health, responses));
    }
    if !summary.metrics.is_empty() {
        for line in table(summary).lines() {
            writeln!(out, "{}", line.trim_end())?;
        }
        writeln!(out)?;
    }
    for metric in [Metric::Ttft, Metric::Tpot, Metric::E2e] {
        let verdict = verdict(tally.values(metric));
        if !verdict.is_empty() {
            let style = if verdict.starts_with("in control") { GOOD } else { CAUTION };
            writeln!(out, "{:<8} {style}{verdict}{style:#}", metric.name())?;
        }
    }
    health.map_or(Ok(()), |health| write_health(out, health, responses))
}

/// A server that closes its connection after each response makes every request open a new one.
fn closed_connections(health: &ClientHealth) -> Option<String> {
    let (opened, reused) = (health.connections_opened, health.connections_reused);
    let closes = opened > 10 && reused < opened / 10;
    closes.then(|| {
        let opened = counted(opened, "connection");
        format!("{opened} opened and {reused} reused: ttft contains opening them; ttft_from_write does not")
    })
}

/// What the numbers of this run do not say.
fn warnings(summary: &Summary) -> Vec<String> {
    let mut warnings = Vec::new();
    for (reason, &responses) in &summary.tpot_absent {
        let responses = counted(responses, "response");
        let why = match reason.as_str() {
            "no_token_counts" => "the server reports no tokens (stream_options.include_usage)",
            "hidden_reasoning" => "the tokens include reasoning that was not streamed",
            "one_read" => {
                "the response arrived at once; the server or a proxy buffers it, and ttft is not the first token's"
            }
            other => other,
        };
        warnings.push(format!("tpot is unknown for {responses}: {why}"));
    }
    if summary.unfinished > 0 {
        let responses = counted(summary.unfinished, "response");
        warnings.push(format!("{responses} ended without a finish reason and token counts, and may be incomplete"));
    }
    warnings
}

fn scope(summary: &Summary) -> Vec<String> {
    let mut parts = vec![counted(summary.requests, "request")];
    let mut part = |value: Option<f64>, unit: &str| {
        if let Some(value) = value {
            parts.push(format!("{} {unit}", number(value)));
        }
    };
    part(summary.wall_s, "s");
    part(summary.requests_per_s, "requests/s");
    part(summary.output_tokens_per_s, "output tokens/s");
    part(summary.goodput_per_s, "good requests/s");
    part(summary.good_share.map(|share| share * 100.0), "% good");
    part(summary.cost_usd, "USD");
    if summary.retries > 0 {
        parts.push(counted(summary.retries, "retry"));
    }
    parts
}

/// `3 failed: timeout ×2, cut ×1`.
pub(super) fn failures(summary: &Summary) -> String {
    format!("{} failed: {}", summary.failed, kinds(summary))
}

/// `timeout ×2, cut ×1`.
pub(super) fn kinds(summary: &Summary) -> String {
    summary.errors.iter().map(|(kind, count)| format!("{kind} ×{count}")).collect::<Vec<_>>().join(", ")
}

fn table(summary: &Summary) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["", "mean", "p50", "p90", "p95", "p99", "max", "n"]);
    let known = Tally::METRICS.iter().map(|metric| (metric.name(), metric.unit()));
    for (name, unit) in known.chain([("icl_s", Unit::Second)]) {
        let Some(distribution) = summary.metrics.get(name) else { continue };
        // It differs from the time to first token only where requests open connections.
        if name == Metric::TtftFromWrite.name() && !summary.metrics.contains_key(Metric::Connect.name()) {
            continue;
        }
        table.add_row(row(name, unit, distribution));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// All values of a row in one unit, which is part of its name.
fn row(name: &str, unit: Unit, distribution: &Distribution) -> Vec<String> {
    let (factor, symbol) = scale_of(unit, distribution.p50);
    let Distribution { n, mean, p50, p90, p95, p99, max } = distribution;
    let values = [mean, p50, p90, p95, p99, max].map(|value| number(value * factor));
    let title = format!("{} ({symbol})", name.trim_end_matches("_s"));
    std::iter::once(title).chain(values).chain([n.to_string()]).collect()
}

/// The verdict of an individuals chart of the values so far: `in control`, or the rules that signal.
pub(super) fn verdict(values: &[f64]) -> String {
    let judged = || {
        let chart = individuals::estimate(&Sample::new(values).ok()?, SigmaEstimator::AverageMovingRange).ok()?;
        let rules = RuleSet::nelson();
        let violations = chart.judge(&rules).ok()?.violations;
        let broken = rules.rules().iter().map(|rule| {
            let code = rule.code();
            (code, violations.iter().filter(|violation| &violation.rule == code).count())
        });
        Some(broken.filter(|(_, count)| *count > 0).map(|(code, count)| format!("{code} ×{count}")).collect::<Vec<_>>())
    };
    match values.len() {
        0 => String::new(),
        n if n < MIN_POINTS => format!("not enough data: {n} of {MIN_POINTS} points"),
        _ => match judged() {
            None => String::new(),
            Some(broken) if broken.is_empty() => "in control".to_owned(),
            Some(broken) => format!("out of control: {}", broken.join(", ")),
        },
    }
}

fn write_health(out: &mut impl Write, health: &ClientHealth, responses: usize) -> Result<()> {
    let ms = |seconds: Option<f64>| seconds.map(|seconds| format!("{} ms (p99)", number(seconds * 1e3)));
    let percent = |share: Option<f64>| share.map(|share| format!("{} %", number(share * 100.0)));
    let facts = [
        ("timers late by", ms(health.timer_lag_p99_s)),
        ("bytes unread for", ms(health.unread_p99_s)),
        ("CPU", percent(health.cpu_share)),
        ("waited for CPU", percent(health.cpu_wait_share)),
    ];
    let mut facts: Vec<String> =
        facts.into_iter().filter_map(|(name, fact)| Some(format!("{name} {}", fact?))).collect();
    if health.connections_opened > 0 {
        let (opened, reused) = (health.connections_opened, health.connections_reused);
        facts.push(format!("{} opened, reused {}", counted(opened, "connection"), counted(reused, "time")));
    }
    if health.bottleneck {
        writeln!(out, "{BAD}client   this machine was the bottleneck{BAD:#}: {}", health.reasons.join("; "))?;
    } else if responses < ClientHealth::MIN_RESPONSES {
        let fewest = ClientHealth::MIN_RESPONSES;
        writeln!(out, "client   not judged: {}, and at least {fewest} are needed", counted(responses, "response"))?;
    } else {
        writeln!(out, "client   {GOOD}healthy{GOOD:#}")?;
    }
    writeln!(out, "{DIM}         {}{DIM:#}", facts.join(" · "))?;
    Ok(())
}
