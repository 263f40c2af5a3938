//! From two sets of data to a gate.

use std::collections::BTreeMap;

use llmscope_core::analysis::{Guess, Selection, Series};
use llmscope_core::gate::{self as core, GatePlan, Statistic};
use llmscope_core::{Error, Metric, Objective, Unit};
use pyo3::prelude::*;

use crate::analyze::objectives_of;
use crate::capability::quantity;
use crate::error::{Result, refuse_guess};
use crate::gate_result::Gate;
use crate::input::{Found, Request, find, names, stated};
use crate::rules::read_or_nelson;
use crate::work::{self, ANALYZING};

/// Judges whether a candidate is worse than a baseline, at a given chance of failing an unchanged candidate.
///
/// A candidate is worse if the whole interval of a change is beyond ``max_shift``, and not worse if the whole interval
/// is within it. Otherwise the data do not decide. It is failing if more requests failed than ``max_share_increase``
/// allows. The options and the result are those of ``llmscope gate`` on the command line.
///
/// Each path, log or session of a side is a run. With fewer than four runs in total, the differences between runs are
/// assumed (``run_sd``).
///
/// Args:
///     baseline: The data of the baseline, as for :func:`analyze`. Without a candidate: the run whose objectives are
///         judged.
///     candidate: The data of the candidate. Not needed with an objective of a run in ``slo``.
///     metric: The metric of requests or the column to compare, or several. By default, ``"ttft_s"``, ``"e2e_s"`` and
///         ``"tpot_s"``, as far as the data have them, or the only other column of a data frame. For bare numbers, a
///         name for them.
///     by: Names to group by, or several. By default, provider, model and run, if the data have them.
///     statistic: The figures to compare: ``"typical"``, quantiles such as ``"p95"``, ``"error_rate"``, or several. By
///         default, typical, p50, p90, p95, p99 and the error rate.
///     max_shift: The largest allowed shift for the worse: a number, or a text such as ``"10%"``.
///     max_share_increase: The largest allowed increase of the share of requests that fail or miss an objective.
///     alpha: The chance of failing an unchanged candidate, over all comparisons, above 0 and at most 0.2.
///     run_sd: How much runs of one build differ, as a standard deviation, if there are too few runs to measure it. 0
///         restricts the answer to the runs that were measured. By default, 10 % for latencies.
///     slo: Objectives, separated by commas or as a list. Those of a request (``"ttft=500ms"``) are compared as shares.
///         Those of a run (``"ttft.p99=500ms,errors=1%"``) are judged for the candidate.
///     rules: The rules on the baseline's frozen chart, which do not decide. By default, Nelson's.
///     missing: Policy for missing values: ``"error"``, ``"break"`` or ``"drop"``; by default, ``"break"`` for requests
///         and ``"error"`` for columns.
///     units: The units of columns whose names give none or another one: ``{"latency": "ms"}``.
///     higher_is_better: A column of which more is better, or several.
///     lower_is_better: A column of which less is better, or several.
///     status: Which rows of a table succeeded: ``"code=ok,200..299"`` names a column and its values, and ``"none"``
///         ignores such columns. By default, columns such as ``status``, ``success`` and ``error`` say so.
///     strict: True to refuse a direction that is guessed from a name.
///
/// Returns:
///     The result. Too few data result in the verdict ``"not_enough_data"``, not an error.
///
/// Raises:
///     UnknownNameError: If the sides have no group or no measure in common.
///     ParameterError: If a parameter is out of range, for a guess with ``strict=True``, and without a candidate or an
///         objective of a run.
///
/// Example:
///     >>> import llmscope as ls
///     >>> import numpy as np
///     >>> main, branch = np.random.default_rng(1).lognormal(-1.2, 0.2, (2, 400))
///     >>> gate = ls.gate(main, 1.3 * branch, metric="ttft_s", run_sd=0)
///     >>> gate.verdict, gate.exit_status
///     ('fail', 1)
///     >>> print(gate.pairs[0].comparisons[0].change)
///     +31 % [26 %, 36 %]
#[pyfunction]
#[pyo3(signature = (
    baseline, candidate = None, *, metric = None, by = None, statistic = None, max_shift = None,
    max_share_increase = None, alpha = None, run_sd = None, slo = None, rules = None, missing = None, units = None,
    higher_is_better = None, lower_is_better = None, status = None, strict = false
))]
#[allow(clippy::too_many_arguments, reason = "keyword arguments in Python")]
pub(crate) fn gate<'py>(
    py: Python<'py>,
    baseline: &Bound<'py, PyAny>,
    candidate: Option<&Bound<'py, PyAny>>,
    metric: Option<&Bound<'py, PyAny>>,
    by: Option<&Bound<'py, PyAny>>,
    statistic: Option<&Bound<'py, PyAny>>,
    max_shift: Option<&Bound<'py, PyAny>>,
    max_share_increase: Option<&Bound<'py, PyAny>>,
    alpha: Option<&Bound<'py, PyAny>>,
    run_sd: Option<&Bound<'py, PyAny>>,
    slo: Option<&Bound<'py, PyAny>>,
    rules: Option<&Bound<'py, PyAny>>,
    missing: Option<&str>,
    units: Option<BTreeMap<String, String>>,
    higher_is_better: Option<&Bound<'py, PyAny>>,
    lower_is_better: Option<&Bound<'py, PyAny>>,
    status: Option<&str>,
    strict: bool,
) -> Result<Gate> {
    let defaults = GatePlan::default();
    let share = |value| quantity(value, Unit::One);
    let plan = GatePlan {
        max_shift: share(max_shift)?.unwrap_or(defaults.max_shift),
        max_share_increase: share(max_share_increase)?.unwrap_or(defaults.max_share_increase),
        alpha: share(alpha)?.unwrap_or(defaults.alpha),
        run_sd: share(run_sd)?,
        statistics: statistic.map(statistics_of).transpose()?.unwrap_or(defaults.statistics),
        objectives: slo.map(objectives_of).transpose()?.unwrap_or_default(),
        rules: read_or_nelson(rules)?,
        missing: missing.map(str::parse).transpose()?,
    };
    let request = Request {
        metrics: metric
            .map(names)
            .transpose()?
            .map(|names| with_objectives(names, &plan.objectives))
            .unwrap_or_default(),
        by: by.map(names).transpose()?,
        groups: Some(Selection::groups_of_runs()),
        companion: None,
        stated: stated(units, higher_is_better, lower_is_better)?,
        status: status.map(str::parse).transpose()?.unwrap_or_default(),
    };
    let Some(candidate) = candidate else {
        return certified(py, find(baseline, request)?.series, plan);
    };
    let (baseline, candidate) = sides(find(baseline, request.clone())?, find(candidate, request)?);
    core::check_common_measure(&baseline, &candidate)?;
    if strict {
        refuse_guess(Guess::first_of(&baseline, true, false))?;
    }
    let size: usize = baseline.iter().chain(&candidate).map(|series| series.values.len()).sum();
    let result = work::run(py, size.saturating_mul(ANALYZING), move || core::gate(&baseline, &candidate, &plan))??;
    Ok(Gate(result))
}

/// Judges the objectives of a run.
fn certified(py: Python<'_>, series: Vec<Series>, plan: GatePlan) -> Result<Gate> {
    if plan.objectives.iter().all(|objective| objective.allowed_share().is_none()) {
        Err(Error::Parameter {
            name: "candidate",
            value: String::new(),
            expected: "data to compare with the baseline, or an objective of a run, such as slo=\"ttft.p99=500ms\"",
        })?;
    }
    let size: usize = series.iter().map(|series| series.values.len()).sum();
    Ok(Gate(work::run(py, size.saturating_mul(ANALYZING), move || core::certify(&series, &plan))??))
}

/// The requested metrics, and each metric with an objective.
fn with_objectives(mut metrics: Vec<String>, objectives: &[Objective]) -> Vec<String> {
    // The failed requests are known with any metric.
    let names = objectives.iter().map(|objective| objective.metric()).filter(|metric| *metric != Metric::ErrorRate);
    for name in names.map(|metric| metric.name().to_owned()) {
        if !metrics.contains(&name) {
            metrics.push(name);
        }
    }
    metrics
}

fn statistics_of(statistic: &Bound<'_, PyAny>) -> Result<Vec<Statistic>> {
    Ok(names(statistic)?.iter().flat_map(|names| names.split(',')).map(str::parse).collect::<Result<_, Error>>()?)
}

/// The series of both sides. The name of data in memory does not identify them: a name that both sides have, of different
/// objects, is left out.
fn sides(baseline: Found, candidate: Found) -> (Vec<Series>, Vec<Series>) {
    let is_same = |name: &str| {
        let addresses = |found: &Found| -> Vec<usize> {
            found.in_memory.iter().filter(|(own, _)| own == name).map(|(_, address)| *address).collect()
        };
        let others = addresses(&candidate);
        addresses(&baseline).iter().any(|address| others.contains(address))
    };
    let in_both =
        |name: &str| [&baseline, &candidate].iter().all(|side| side.in_memory.iter().any(|(own, _)| own == name));
    let names = baseline.in_memory.iter().map(|(name, _)| name.clone());
    let ambiguous: Vec<String> = names.filter(|name| in_both(name) && !is_same(name)).collect();
    let without = |mut series: Vec<Series>| {
        for one in &mut series {
            one.sources.retain(|source| !ambiguous.contains(source));
        }
        series
    };
    (without(baseline.series), without(candidate.series))
}
