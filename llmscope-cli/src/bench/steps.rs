//! The steps of a run: one load after the other, with a row for each in the summary.

use std::io::Write;

use anyhow::Result;
use comfy_table::{CellAlignment, Table, presets};
use llmscope_core::plot::{self, LoadStep};
use llmscope_core::quantity::{number, scale_of};
use llmscope_core::session::{ClientHealth, RequestRecord};
use llmscope_core::{Metric, Unit};
use llmscope_harness::{Distribution, LoadStage, Objectives, Summary, Tally};
use schemars::JsonSchema;
use serde::Serialize;

use crate::output::{BAD, DIM};

/// The latencies of a row.
const LATENCIES: [&str; 4] = [Metric::Ttft.name(), Metric::Tpot.name(), "icl_s", Metric::E2e.name()];

/// The steps of a run so far; empty for a run with a single load.
pub(crate) struct Steps {
    objectives: Objectives,
    steps: Vec<Step>,
}

struct Step {
    stage: LoadStage,
    tally: Tally,
    health: Option<ClientHealth>,
}

/// A step of a run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct StepReport {
    /// The load as text, by which `analyze` groups: `8 clients`, `4/s`.
    load_step: String,
    /// Number of clients of a closed loop.
    #[serde(skip_serializing_if = "Option::is_none")]
    concurrency: Option<usize>,
    /// Offered rate of an open loop, in requests per second. The served rate is `requests_per_s` of the summary.
    #[serde(skip_serializing_if = "Option::is_none")]
    offered_per_s: Option<f64>,
    /// Statistics of the step.
    summary: Summary,
    /// Health of the client during the step, without its connections; absent if the step did not end.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_health: Option<ClientHealth>,
}

impl Steps {
    pub(crate) const fn new(objectives: Objectives) -> Self {
        Self { objectives, steps: Vec::new() }
    }

    pub(crate) fn begin(&mut self, stage: &LoadStage) {
        if stage.step {
            let tally = Tally::new(self.objectives.clone());
            self.steps.push(Step { stage: stage.clone(), tally, health: None });
        }
    }

    pub(crate) fn push(&mut self, record: &RequestRecord) {
        if let Some(step) = self.steps.last_mut() {
            step.tally.push(record);
        }
    }

    pub(crate) fn end(&mut self, health: ClientHealth) {
        if let Some(step) = self.steps.last_mut() {
            step.health = Some(health);
        }
    }

    pub(crate) fn reports(&self) -> Vec<StepReport> {
        let report = |step: &Step| StepReport {
            load_step: step.stage.load(),
            concurrency: step.stage.concurrency,
            offered_per_s: step.stage.rate_per_s,
            summary: step.tally.summary(),
            client_health: step.health.clone(),
        };
        self.steps.iter().map(report).collect()
    }
}

/// What the steps measured, for their picture and the knee.
pub(super) fn measured(steps: &[StepReport]) -> Vec<LoadStep> {
    let latency = |step: &StepReport, metric: Metric| {
        step.summary.metrics.get(metric.name()).map(|&Distribution { p50, p99, .. }| [p50, p99])
    };
    let step = |step: &StepReport| LoadStep {
        label: step.load_step.clone(),
        served_per_s: step.summary.requests_per_s.unwrap_or_default(),
        e2e_s: latency(step, Metric::E2e).unwrap_or_default(),
        ttft_s: latency(step, Metric::Ttft),
    };
    steps.iter().map(step).collect()
}

/// The load at the knee.
pub(super) fn knee(steps: &[StepReport]) -> Option<String> {
    plot::knee(&measured(steps)).and_then(|index| steps.get(index)).map(|step| step.load_step.clone())
}

/// A row for each step, the knee, and the reasons why the client was the bottleneck in some of them.
pub(super) fn write(out: &mut impl Write, steps: &[StepReport]) -> Result<()> {
    for line in table(steps).lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    writeln!(out, "{DIM}latencies: p50 / p99{DIM:#}")?;
    if let Some(load) = knee(steps) {
        writeln!(out, "knee: {load}{DIM}, the largest served rate for its latency{DIM:#}")?;
    }
    writeln!(out)?;
    for step in steps {
        let Some(health) = step.client_health.as_ref().filter(|health| health.bottleneck) else { continue };
        let (load, reasons) = (&step.load_step, health.reasons.join("; "));
        writeln!(out, "{BAD}{load}: this machine was the bottleneck{BAD:#}: {reasons}")?;
    }
    Ok(())
}

fn table(steps: &[StepReport]) -> Table {
    let has_objectives = steps.iter().any(|step| step.summary.good_share.is_some());
    let is_open = steps.iter().any(|step| step.offered_per_s.is_some());
    let mut columns: Vec<(String, Vec<String>)> = Vec::new();
    let mut column = |title: &str, cell: &dyn Fn(&StepReport) -> Option<String>| {
        columns.push((title.to_owned(), steps.iter().map(|step| cell(step).unwrap_or_default()).collect()));
    };
    column("load", &|step| Some(step.load_step.clone()));
    if is_open {
        column("offered/s", &|step| step.offered_per_s.map(number));
    }
    column("served/s", &|step| step.summary.requests_per_s.map(number));
    column("tokens/s", &|step| step.summary.output_tokens_per_s.map(number));
    for name in LATENCIES {
        let known = |step: &StepReport| step.summary.metrics.get(name).cloned();
        let Some(largest) = steps.iter().filter_map(known).map(|known| known.p50).reduce(f64::max) else { continue };
        let (factor, symbol) = scale_of(Unit::Second, largest);
        let cell = |Distribution { p50, p99, .. }: Distribution| {
            let [p50, p99] = [p50, p99].map(|value| number(value * factor));
            format!("{p50} / {p99}")
        };
        column(&format!("{} ({symbol})", name.trim_end_matches("_s")), &|step| known(step).map(cell));
    }
    if has_objectives {
        column("good/s", &|step| step.summary.goodput_per_s.map(number));
    }
    column("failed", &|step| Some(step.summary.failed.to_string()));
    column("client", &|step| {
        let is_judged = step.summary.requests - step.summary.failed >= ClientHealth::MIN_RESPONSES;
        let health = step.client_health.as_ref().filter(|_| is_judged)?;
        Some(if health.bottleneck { "bottleneck" } else { "healthy" }.to_owned())
    });
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(columns.iter().map(|(title, _)| title));
    for row in 0..steps.len() {
        table.add_row(columns.iter().map(|(_, cells)| &cells[row]));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
