//! The result of a gate.

use std::collections::BTreeMap;
use std::path::PathBuf;

use llmscope_core::gate::{self as core, OpenInterval, Statistic};
use llmscope_core::{Objective, Unit, plot};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::analysis::{Excluded, Quantiles};
use crate::answer::{FailureCount, Since};
use crate::document::{self, record, token};
use crate::error::Result;
use crate::{frame, html, picture};

record! {
    /// Whether the requests of a run meet an objective, at a known chance of a wrong answer.
    Certificate(llmscope_core::Certificate) {
        /// The objective: ``"ttft.p99=500ms"``, ``"errors=1%"``.
        objective: String = |objective: &Objective| objective.to_string(),
        /// ``"met"``, ``"missed"`` or ``"cannot_tell"``.
        status: String = token,
        /// The chance that an answer is wrong.
        alpha: f64,
        /// The share of the requests that failed or exceeded the limit; ``None`` without requests.
        observed: Option<f64>,
        /// The one-sided bound of the share: the lower one if more than the allowed share was observed, otherwise the
        /// upper one. ``None`` for fewer than 20 effective requests.
        bound: Option<f64>,
        /// The number of requests; for a quantile, of successful ones.
        n: usize,
        /// The number of independent requests with the same information.
        effective: f64,
        /// The number of runs.
        runs: usize,
        /// How many more requests would decide, if the objective is undecided.
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
    /// The measurements of one side of a gate.
    Arm(core::Arm) {
        /// The files or names of the data.
        source: Vec<String>,
        /// The number of measurements.
        n: usize,
        /// The numbers of requests that are left out.
        excluded: Excluded = |excluded: &llmscope_core::analysis::Excluded| Excluded(*excluded),
        /// The number of independent measurements that carry the same information about the typical one.
        effective: f64,
        /// Quantiles.
        quantiles: Option<Quantiles> =
            |quantiles: &Option<llmscope_core::analysis::Quantiles>| quantiles.map(Quantiles),
    }
}

record! {
    /// One figure of the candidate, compared with the baseline's. An open end of an interval is ``None``.
    Comparison(core::Comparison) {
        /// The figure: ``"typical"``, ``"p95"``, ``"error_rate"``, ``"missed_objective"``.
        statistic: String = |statistic: &Statistic| statistic.to_string(),
        /// The baseline's value.
        baseline: Option<f64>,
        /// The candidate's value.
        candidate: Option<f64>,
        /// candidate/baseline − 1; ``None`` for shares.
        shift: Option<f64>,
        /// The interval of the true shift, ``(lower, upper)``.
        shift_interval: Option<(Option<f64>, Option<f64>)> = ends,
        /// candidate − baseline.
        difference: Option<f64>,
        /// The interval of the true difference, ``(lower, upper)``.
        difference_interval: Option<(Option<f64>, Option<f64>)> = ends,
        /// The largest allowed shift (negative if less is worse), or the largest allowed difference of a share.
        allowed: f64,
        /// The probability that an end of the interval is wrong.
        level: f64,
        /// ``"worse"``, ``"not_worse"``, ``"cannot_tell"`` or ``"not_enough_data"``.
        decision: String = token,
        /// For failed requests, the p-value of Fisher's exact test, if more requests failed than allowed.
        p: Option<f64>,
        /// The smallest change that data like these detect as worse four times out of five.
        minimal_detectable: Option<f64>,
        /// The approximate number of requests per side for a decision.
        need: Option<usize>,
        /// The number of runs per side for a decision, if no number of requests is enough.
        need_runs: Option<usize>,
        /// The reason for a missing interval.
        reason: Option<String>,
    }
    {
        /// The change with its interval as text: ``"+12 % [8 %, 17 %]"``.
        #[getter]
        fn change(&self) -> String {
            self.0.change()
        }

        /// For an undecided comparison, what would decide it; otherwise empty.
        #[getter]
        fn advice(&self) -> String {
            advice(&self.0)
        }

        fn __str__(&self) -> String {
            let change = self.0.change();
            let gap = if change.is_empty() { "" } else { " " };
            format!("{}{gap}{change}: {}", self.0.statistic, self.0.decision.words())
        }
    }
}

record! {
    /// One metric of one group on both sides of a gate. Properties that do not apply are ``None``.
    GatePair(core::Pair) {
        /// The names and values that the baseline's requests have in common.
        group: BTreeMap<String, String>,
        /// Those of the candidate's requests, if they differ.
        candidate_group: Option<BTreeMap<String, String>>,
        /// The metric or column.
        metric: String,
        /// Its unit: ``"s"``, ``"s/token"``, ``"1/s"``, …
        unit: &'static str = |unit: &Unit| unit.symbol(),
        /// True for a metric of which less is worse, such as tokens per second.
        less_is_worse: bool,
        /// ``"lower_is_better"``, ``"higher_is_better"`` or ``"unknown"``: then a shift in either direction is worse.
        direction: String = document::token,
        /// The source of the direction: ``"metric"``, ``"user"``, ``"tool"``, ``"name"`` (a guess) or ``"unknown"``.
        direction_from: String = document::token,
        /// The baseline.
        baseline: Arm = |arm: &core::Arm| Arm(arm.clone()),
        /// The candidate.
        candidate: Arm = |arm: &core::Arm| Arm(arm.clone()),
        /// The comparisons.
        comparisons: Vec<Comparison> = |all: &Vec<core::Comparison>| all.iter().cloned().map(Comparison).collect(),
        /// The kinds of the candidate's failures, the most frequent ones first.
        failures: Vec<FailureCount> =
            |all: &Vec<llmscope_core::analysis::answer::FailureCount>| all.iter().cloned().map(FailureCount).collect(),
        /// Where a candidate that is worse changed while it was measured.
        since: Option<Since> = |since: &Option<llmscope_core::analysis::answer::Since>| since.clone().map(Since),
        /// What changed there, as one sentence.
        since_text: Option<String>,
        /// The objective of this metric, in its unit.
        objective: Option<f64>,
        /// Warnings: what to know before you trust the numbers.
        warnings: Vec<String>,
    }
    {
        /// The number of runs of each side and how much they differ, as a dictionary.
        #[getter]
        fn runs<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
            self.0.runs.as_ref().map(|runs| document::to_dict(py, runs)).transpose()
        }

        /// The token counts of both sides, as a dictionary.
        #[getter]
        fn load<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
            self.0.load.as_ref().map(|load| document::to_dict(py, load)).transpose()
        }

        /// Mann and Whitney's test, as a dictionary of ``u``, ``superiority`` and ``p``.
        #[getter]
        fn rank_test<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
            self.0.rank_test.as_ref().map(|test| document::to_dict(py, test)).transpose()
        }

        /// The candidate on the baseline's frozen control chart, as a dictionary. For information only.
        #[getter]
        fn chart<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
            self.0.chart.as_ref().map(|chart| document::to_dict(py, chart)).transpose()
        }

        /// The number of measurements of each side, with their sources.
        #[getter]
        fn scope(&self) -> String {
            self.0.scope()
        }

        /// Facts as sentences: failures, runs, load, the candidate's own change, rank test, frozen chart.
        #[getter]
        fn facts(&self) -> Vec<String> {
            self.0.facts()
        }

        fn __str__(&self) -> String {
            section(&self.0)
        }
    }
}

record! {
    /// Whether a candidate is worse than a baseline, and the comparisons behind the verdict. Returned by :func:`gate`.
    ///
    /// A notebook displays it as a picture of the intervals against the allowed change.
    Gate(core::Gate) shown as text {
        /// The schema version of :meth:`to_json`: ``"llmscope.gate/2"``.
        schema: String,
        /// ``"pass"``, ``"fail"`` or ``"not_enough_data"``.
        verdict: &'static str = |verdict: &core::GateVerdict| verdict.key(),
        /// True if the candidate fails more requests than allowed, or misses an objective for failed requests.
        failing: bool,
        /// The decisive comparison, in one line.
        headline: String,
        /// The chance of failing an unchanged candidate.
        alpha: f64,
        /// The number of comparisons that share alpha.
        family: usize,
        /// The probability that an end of an interval is wrong, for all figures but the typical request.
        level: f64,
        /// One pair for each group and metric.
        pairs: Vec<GatePair> = |pairs: &Vec<core::Pair>| pairs.iter().cloned().map(GatePair).collect(),
        /// Whether the candidate meets the objectives of a run.
        certificates: Vec<Certificate> = certificates,
        /// Groups and metrics that only one side has, and other warnings.
        warnings: Vec<String>,
    }
    {
        /// The verdict as text: ``"worse"``, ``"not worse"``, ``"failing"``, ``"not enough data to tell"``; without a
        /// baseline ``"met"`` or ``"missed"``.
        #[getter]
        fn label(&self) -> &'static str {
            self.0.label()
        }

        /// The exit status of the command line: 1 if the verdict is ``"fail"``, otherwise 0.
        #[getter]
        fn exit_status(&self) -> u8 {
            u8::from(self.0.verdict == core::GateVerdict::Fail)
        }

        /// The guarantee of the answer, in a few sentences.
        #[getter]
        fn promise(&self) -> String {
            self.0.promise()
        }

        /// One row per comparison: group, metric, statistic, the figures, the change with its interval, the decision.
        ///
        /// Args:
        ///     backend: ``"pandas"``, ``"polars"`` or ``"pyarrow"``; by default, the first that is imported, otherwise
        ///         the first that is installed.
        #[pyo3(signature = (backend = None))]
        fn to_frame<'py>(&self, py: Python<'py>, backend: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
            frame::of(&rows(py, &self.0)?, backend)
        }

        /// The picture as SVG: each interval against the allowed change.
        fn to_svg(&self) -> String {
            plot::gate_svg(&self.0)
        }

        /// Writes the picture to a file whose name ends in ``.svg`` or ``.png``.
        fn save(&self, py: Python<'_>, path: PathBuf) -> Result<()> {
            picture::save(py, self.to_svg(), path)
        }

        fn _repr_html_(&self) -> String {
            html::gate(&self.0)
        }
    }
}

fn ends(interval: &Option<OpenInterval>) -> Option<(Option<f64>, Option<f64>)> {
    interval.map(|OpenInterval { lower, upper }| (lower, upper))
}

fn certificates(all: &[core::Certified]) -> Vec<Certificate> {
    all.iter().map(|one| Certificate(one.certificate.clone())).collect()
}

/// What would decide an undecided comparison.
fn advice(comparison: &core::Comparison) -> String {
    let is_open = matches!(comparison.decision, core::Decision::CannotTell | core::Decision::NotEnoughData);
    if is_open { comparison.advice() } else { String::new() }
}

/// The verdict and the headline, then each metric with its comparisons.
fn text(gate: &core::Gate) -> String {
    let mut parts = vec![format!("{}  {}", gate.label().to_uppercase(), gate.headline)];
    parts.extend(gate.pairs.iter().map(section));
    if !gate.certificates.is_empty() {
        let lines = gate.certificates.iter().map(|one| format!("  {}", one.certificate.text));
        parts.push(std::iter::once("objectives".to_owned()).chain(lines).collect::<Vec<_>>().join("\n"));
    }
    parts.extend(gate.warnings.iter().map(|warning| format!("! {warning}")));
    parts.push(gate.promise());
    parts.join("\n\n")
}

/// The comparisons of a pair as aligned columns, and what to know about them.
fn section(pair: &core::Pair) -> String {
    let heading = format!("{}  {}", pair.metric_title(), pair.group_title());
    let mut lines = vec![heading.trim_end().to_owned(), format!("  {}", pair.scope())];
    let row = |one: &core::Comparison| {
        let figures = [one.baseline, one.candidate].map(|value| pair.figure(one, value));
        let [baseline, candidate] = figures;
        [pair.short_title(one), baseline, candidate, one.change(), one.decision.words().to_owned(), advice(one)]
    };
    let rows: Vec<[String; 6]> = pair.comparisons.iter().map(row).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = [0, 1, 2, 3, 4, 5].map(width);
    for row in &rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        lines.push(format!("  {}", cells.collect::<Vec<_>>().join("  ")).trim_end().to_owned());
    }
    lines.extend(pair.facts().iter().map(|fact| format!("  {fact}")));
    lines.extend(pair.warnings.iter().map(|warning| format!("  ! {warning}")));
    lines.join("\n")
}

/// One row per comparison; the names of the groups come first.
fn rows<'py>(py: Python<'py>, gate: &core::Gate) -> PyResult<Bound<'py, PyDict>> {
    let columns = PyDict::new(py);
    let all: Vec<_> = gate.comparisons().collect();
    let names: std::collections::BTreeSet<&String> = gate.pairs.iter().flat_map(|pair| pair.group.keys()).collect();
    for name in names {
        columns.set_item(name, PyList::new(py, all.iter().map(|(pair, _)| pair.group.get(name)))?)?;
    }
    let texts = |name: &str, text: &dyn Fn(&core::Pair, &core::Comparison) -> String| {
        columns.set_item(name, all.iter().map(|(pair, one)| text(pair, one)).collect::<Vec<_>>())
    };
    texts("metric", &|pair, _| pair.metric.clone())?;
    texts("unit", &|pair, _| pair.unit.symbol().to_owned())?;
    texts("statistic", &|_, one| one.statistic.to_string())?;
    let float = |count: usize| u32::try_from(count).map_or(f64::INFINITY, f64::from);
    let lower = |interval: Option<OpenInterval>| interval.and_then(|interval| interval.lower);
    let upper = |interval: Option<OpenInterval>| interval.and_then(|interval| interval.upper);
    type Number<'a> = (&'a str, &'a dyn Fn(&core::Comparison) -> Option<f64>);
    let numbers: [Number<'_>; 13] = [
        ("baseline", &|one| one.baseline),
        ("candidate", &|one| one.candidate),
        ("shift", &|one| one.shift),
        ("shift_lower", &|one| lower(one.shift_interval)),
        ("shift_upper", &|one| upper(one.shift_interval)),
        ("difference", &|one| one.difference),
        ("difference_lower", &|one| lower(one.difference_interval)),
        ("difference_upper", &|one| upper(one.difference_interval)),
        ("allowed", &|one| Some(one.allowed)),
        ("p", &|one| one.p),
        ("minimal_detectable", &|one| one.minimal_detectable),
        ("need", &|one| one.need.map(float)),
        ("need_runs", &|one| one.need_runs.map(float)),
    ];
    for (name, number) in numbers {
        let values = all.iter().map(|(_, one)| number(one).unwrap_or(f64::NAN));
        columns.set_item(name, numpy::PyArray1::from_iter(py, values))?;
    }
    texts("decision", &|_, one| token(&one.decision))?;
    Ok(columns)
}
