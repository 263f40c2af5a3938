//! The progress of a run, on the terminal.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use llmscope_core::quantity::{number, with_unit};
use llmscope_core::session::SessionHeader;
use llmscope_core::{Metric, Unit};
use llmscope_harness::{LoadStage, Summary, Tally};

use super::summary::{failures, verdict};
use crate::output::{self, CAUTION};

/// Time between two updates of the lines.
const REFRESH: Duration = Duration::from_millis(500);
/// A summary sorts all results so far. The pause after it is this many times as long, so that a long run is not slowed.
const REST: u32 = 20;

/// A bar with a few lines below it, on standard error; hidden if that is not a terminal.
pub(crate) struct Progress {
    bar: ProgressBar,
    /// When the lines are next updated.
    due: Instant,
    is_quiet: bool,
    title: String,
}

impl Progress {
    pub(crate) fn new(is_quiet: bool, header: &SessionHeader) -> Self {
        let target = if is_quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr_with_hz(10) };
        let bar = ProgressBar::with_draw_target(None, target);
        Self { bar, due: Instant::now(), is_quiet, title: title(header) }
    }

    /// Shows the begin of a stage.
    pub(crate) fn begin_stage(&mut self, stage: &LoadStage) {
        let bar = if stage.requests.is_some() {
            " {wide_bar} {pos}/{len} {elapsed} (about {eta} left)"
        } else {
            " {pos} requests {elapsed}"
        };
        if let Ok(style) = ProgressStyle::with_template(&format!("{{prefix}}{bar}\n{{msg}}")) {
            self.bar.set_style(style);
        }
        let what = match (stage.warmup, stage.step) {
            (true, _) => format!("{} · warm-up", self.title),
            (false, true) => format!("{} · {}", self.title, stage.load()),
            (false, false) => self.title.clone(),
        };
        self.bar.set_prefix(what);
        self.bar.reset();
        match stage.requests {
            Some(requests) => self.bar.set_length(requests),
            None => self.bar.unset_length(),
        }
    }

    /// Counts one more result.
    pub(crate) fn advance(&mut self, tally: &Tally) {
        self.bar.inc(1);
        self.show(tally);
    }

    pub(crate) fn show(&mut self, tally: &Tally) {
        let begun = Instant::now();
        if self.bar.is_hidden() || begun < self.due {
            return;
        }
        self.bar.set_message(lines(&tally.summary(), tally).join("\n"));
        self.bar.tick();
        self.due = Instant::now() + REFRESH.max(begun.elapsed() * REST);
    }

    pub(crate) fn print(&self, message: &str) {
        if !self.is_quiet {
            self.bar.suspend(|| output::say(CAUTION, "note:", message));
        }
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// Provider and model of a run. A simulation is labelled as simulated everywhere.
pub(crate) fn title(header: &SessionHeader) -> String {
    if header.simulated {
        return "SIMULATED endpoint".to_owned();
    }
    [&header.provider, &header.model].into_iter().flatten().cloned().collect::<Vec<_>>().join(" · ")
}

fn lines(summary: &Summary, tally: &Tally) -> Vec<String> {
    let mut lines = Vec::new();
    for (metric, name) in [(Metric::Ttft, "TTFT"), (Metric::Tpot, "TPOT"), (Metric::E2e, "e2e ")] {
        let Some(distribution) = summary.metrics.get(metric.name()) else { continue };
        let quantity = |value: f64| with_unit(Unit::Second, value);
        let (p50, p99) = (quantity(distribution.p50), quantity(distribution.p99));
        lines.push(format!("  {name}  p50 {p50:<10} p99 {p99:<10} {}", verdict(tally.values(metric))));
    }
    let rates = [(summary.requests_per_s, "requests/s"), (summary.output_tokens_per_s, "tokens/s")];
    let mut parts: Vec<String> =
        rates.into_iter().filter_map(|(rate, unit)| Some(format!("{} {unit}", number(rate?)))).collect();
    if summary.failed > 0 {
        parts.push(failures(summary));
    }
    lines.push(format!("  {}", parts.join(" · ")));
    lines
}
