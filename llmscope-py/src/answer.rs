//! The answer about a series, and the order of the answers of a call.

use std::collections::BTreeMap;

use jiff::Timestamp;
use llmscope_core::analysis::answer::{self as core, Direction, Part};

use crate::document::record;
use crate::gate_result::Certificate;

record! {
    /// The run with which a change begins.
    SinceRun(core::SinceRun) {
        /// Position of the run in the order of the runs, 0-based.
        index: usize,
        /// The 95 % interval of that position, ``(first, last)``.
        interval: (usize, usize) = |&[first, last]: &[usize; 2]| (first, last),
        /// The file of the run, with the line of its summary if a file holds several.
        name: String,
        /// The time at which the run began, or the date of its summary (RFC 3339).
        t: Option<String> = time,
        /// The number of runs since, this one included.
        count: usize,
    }
}

record! {
    /// Where a change is.
    Since(core::Since) {
        /// Position of the first value after the change, 0-based.
        index: usize,
        /// The time of that value (RFC 3339).
        t: Option<String> = time,
        /// The 95 % interval of the position, ``(first, last)``.
        interval: (usize, usize) = |&[first, last]: &[usize; 2]| (first, last),
        /// The run that begins there, if the change is one between runs.
        run: Option<SinceRun> = |run: &Option<core::SinceRun>| run.clone().map(SinceRun),
    }
}

record! {
    /// One change of one part of a series.
    Change(core::Change) {
        /// ``"level"``, ``"failures"``, ``"spread"`` or ``"slow_requests"``.
        part: &'static str = |part: &Part| part.name(),
        /// ``"worse"``, ``"better"`` or ``"unknown"``, which counts as worse.
        direction: &'static str = |direction: &Direction| direction.name(),
        /// Where the change is.
        since: Since = |since: &core::Since| Since(since.clone()),
        /// The quotient of the values after and before the change, if all values are positive.
        ratio: Option<f64>,
        /// The difference of the values after and before the change, if there is no quotient.
        difference: Option<f64>,
        /// The 95 % interval of the quotient or of the difference, ``(lower, upper)``.
        interval: Option<(f64, f64)> = bounds,
        /// The median before the change, or the share of failed requests.
        before: f64,
        /// The median after the change, or the share of failed requests.
        after: f64,
        /// The probability of so clear a change in this part of this series if nothing changed.
        p: f64,
        /// The same for the whole call.
        p_call: f64,
    }
}

record! {
    /// A change of the token counts of the requests: the load, not the server.
    LoadChange(core::LoadChange) {
        /// ``"input_tokens"`` or ``"output_tokens"``.
        name: String,
        /// Position of the first measurement after the change, 0-based.
        index: usize,
        /// The time of that measurement (RFC 3339).
        t: Option<String> = time,
        /// The quotient of the counts after and before the change.
        ratio: f64,
        /// The probability of so clear a change if the counts never changed.
        p: f64,
    }
}

record! {
    /// A kind of failure and how often it occurred.
    FailureCount(core::FailureCount) {
        /// What failed.
        label: String,
        /// The number of such failures.
        count: usize,
        /// The message of the first such failure.
        example: Option<String>,
    }
}

record! {
    /// How failed requests are distributed over runs of which only summaries are known.
    FailedRuns(core::FailedRuns) {
        /// The number of runs whose failures are known.
        count: usize,
        /// The number of runs with a failed request.
        with_failures: usize,
        /// The number of runs in which every request failed.
        all_failed: usize,
    }
}

record! {
    /// The failed requests of a series.
    Failures(core::Failures) {
        /// The number of failed requests.
        count: usize,
        /// The number of all requests.
        requests: usize,
        /// The share of failed requests.
        share: f64,
        /// The number of failed requests in a row at the end.
        last_in_a_row: usize,
        /// The kinds of failures, the most frequent ones first.
        kinds: Vec<FailureCount> = |kinds: &Vec<core::FailureCount>| kinds.iter().cloned().map(FailureCount).collect(),
        /// The runs with failures, if each value summarizes a run.
        runs: Option<FailedRuns> = |runs: &Option<core::FailedRuns>| runs.map(FailedRuns),
    }
}

record! {
    /// Single requests that are far slower than the others of their stage.
    SlowRequests(core::SlowRequests) {
        /// The number of slow requests.
        count: usize,
        /// Position of the slowest one among the measurements, 0-based.
        index: usize,
        /// Its time (RFC 3339).
        t: Option<String> = time,
        /// The slowest value, in the unit of the metric.
        slowest: f64,
        /// The median of its stage.
        median: f64,
        /// The probability of so slow a request if the logarithms are normal about the level of their stage.
        p: f64,
    }
}

record! {
    /// The verdict between the runs of a series.
    RunsJudged(core::RunsJudged) {
        /// The number of runs.
        count: usize,
        /// If there are too few runs for a verdict between them, how many more are needed.
        need: Option<usize>,
        /// The probability of so clear a change of the run medians if the runs differ by chance only.
        p: Option<f64>,
        /// The level of the last run.
        last: Option<f64>,
        /// The limits that the other runs predict for the last one, ``(lower, upper)``.
        limits: Option<(f64, f64)> = bounds,
    }
}

record! {
    /// The answer about one metric of one group: what changed, since when, by how much, and how far to trust it.
    /// Properties that do not apply are ``None``.
    ///
    /// Positions of a change of the level or of the spread count measurements. Those of a change of the failure share
    /// count requests, failed ones included.
    ///
    /// Example:
    ///     >>> import llmscope as ls
    ///     >>> steady = [0.31, 0.29, 0.30, 0.32, 0.28] * 8
    ///     >>> answer = ls.analyze(steady + [x + 0.1 for x in steady], metric="ttft_s").answer
    ///     >>> answer.part, answer.direction, answer.since.index, round(answer.ratio, 2)
    ///     ('level', 'worse', 40, 1.33)
    Answer(core::Answer) shown as sentence {
        /// The part that changed most: ``"level"``, ``"failures"``, ``"spread"`` or ``"slow_requests"``.
        part: Option<&'static str> = |part: &Option<Part>| part.map(Part::name),
        /// ``"worse"``, ``"better"`` or ``"unknown"``, which counts as worse.
        direction: Option<&'static str> = |direction: &Option<Direction>| direction.map(Direction::name),
        /// Where the change is.
        since: Option<Since> = |since: &Option<core::Since>| since.clone().map(Since),
        /// The quotient of the values after and before the change, if all values are positive.
        ratio: Option<f64>,
        /// The difference of the values after and before the change, in the unit of the metric, if there is no
        /// quotient.
        difference: Option<f64>,
        /// The 95 % interval of the quotient or of the difference, ``(lower, upper)``.
        interval: Option<(f64, f64)> = bounds,
        /// The probability of so clear a change in this part of this series if nothing changed.
        p: Option<f64>,
        /// The same for the whole call: at most alpha if the series changed.
        p_call: Option<f64>,
        /// The token counts for which the values were adjusted.
        adjusted_for: Vec<String>,
        /// Changes of the token counts, which are the load and not the server; ``None`` if no counts are known.
        load: Option<Vec<LoadChange>> =
            |load: &Option<Vec<core::LoadChange>>| load.as_ref().map(|all| all.iter().cloned().map(LoadChange).collect()),
        /// Events of the session at the time of the change.
        events: Vec<String>,
        /// All changes, in the order of the parts and of time.
        changes: Vec<Change> = |changes: &Vec<core::Change>| changes.iter().cloned().map(Change).collect(),
        /// Failed requests.
        failures: Option<Failures> = |failures: &Option<core::Failures>| failures.clone().map(Failures),
        /// Single slow requests. They make a series changed only with ``spikes=True``.
        slow_requests: Option<SlowRequests> = |slow: &Option<core::SlowRequests>| slow.map(SlowRequests),
        /// The verdict between several runs.
        runs: Option<RunsJudged> = |runs: &Option<core::RunsJudged>| runs.map(RunsJudged),
        /// Whether the requests meet the objectives of a run (``slo``).
        objectives: Vec<Certificate> =
            |all: &Vec<llmscope_core::Certificate>| all.iter().cloned().map(Certificate).collect(),
        /// The share of all requests that succeeded within the objectives of a request (``slo``), by objective.
        goodput: BTreeMap<String, f64> =
            |all: &Vec<core::Goodput>| all.iter().map(|one| (one.objective.to_string(), one.share)).collect(),
        /// The number of independent measurements with the same information.
        effective_n: Option<f64>,
        /// If there are too few measurements for a verdict, how many more are needed.
        need: Option<usize>,
        /// The answer as one sentence.
        text: String,
    }
    {
        fn __str__(&self) -> &str {
            &self.0.text
        }
    }
}

record! {
    /// The answer about one series, in the order of urgency.
    RankedAnswer(core::RankedAnswer) {
        /// The index of the analysis in the report.
        analysis: usize,
        /// The names and values that the group's requests have in common.
        group: BTreeMap<String, String>,
        /// The metric or column.
        metric: String,
        /// ``"failing"``, ``"changed"``, ``"stable"`` or ``"not_enough_data"``.
        verdict: &'static str = |verdict: &core::SeriesVerdict| verdict.name(),
        /// ``"worse"``, ``"better"`` or ``"unknown"``, which counts as worse.
        direction: Option<&'static str> = |direction: &Option<Direction>| direction.map(Direction::name),
        /// The answer as one sentence.
        text: String,
    }
}

fn time(t: &Option<Timestamp>) -> Option<String> {
    t.map(|t| t.to_string())
}

fn bounds(interval: &Option<[f64; 2]>) -> Option<(f64, f64)> {
    interval.map(|[lower, upper]| (lower, upper))
}

/// `Answer('slower by 119 % …')`.
fn sentence(answer: &core::Answer) -> String {
    format!("Answer('{}')", answer.text)
}
