//! The native half of the Python package `llmscope`: signatures with one call each, and the mapping of errors. It
//! contains no computations.
//!
//! Python's `help()` shows the doc comments of classes and functions; their examples are tests.

#![allow(clippy::needless_pass_by_value, reason = "Python's arguments arrive by value")]

mod analysis;
mod analyze;
mod answer;
mod bench;
mod capability;
mod chart;
mod data;
mod detector;
mod document;
mod error;
mod estimate;
mod factors;
mod foreign;
mod frame;
mod gate;
mod gate_result;
mod html;
mod input;
mod judgement;
mod monitor;
mod picture;
mod probe;
mod rules;
mod session;
mod sixpack;
mod standards;
mod stats;
mod table;
mod values;
mod work;

use mimalloc::MiMalloc;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[pymodule]
mod _native {
    #[pymodule_export]
    use super::_restore;
    #[pymodule_export]
    use super::analysis::{
        Analysis, Basis, ColumnReport, Component, Dispersion, Excluded, Patterns, Quantiles, Report, Run, Shift,
        SigmaReport, Stage, Study,
    };
    #[pymodule_export]
    use super::analyze::analyze;
    #[pymodule_export]
    use super::answer::{
        Answer, Change, FailedRuns, FailureCount, Failures, LoadChange, RankedAnswer, RunsJudged, Since, SinceRun,
        SlowRequests,
    };
    #[pymodule_export]
    use super::bench::bench;
    #[pymodule_export]
    use super::capability::{
        Capability, ExpectedPpm, Performance, SigmaEstimate, Specification, capability, expected_ppm, performance,
        sigma,
    };
    #[pymodule_export]
    use super::chart::{Chart, ControlLimits};
    #[pymodule_export]
    use super::detector::{Alarm, Detection, Detector, Evidence, Learning};
    #[pymodule_export]
    use super::estimate::{attributes_chart, cusum_chart, ewma_chart, individuals, moving_average_chart, xbar};
    #[pymodule_export]
    use super::factors::{Factors, c4, c5, d2, d3, d4, factors};
    #[pymodule_export]
    use super::gate::gate;
    #[pymodule_export]
    use super::gate_result::{Arm, Certificate, Comparison, Gate, GatePair};
    #[pymodule_export]
    use super::judgement::{Judgement, judge};
    #[pymodule_export]
    use super::monitor::Monitor;
    #[pymodule_export]
    use super::picture::{_png, Picture};
    #[pymodule_export]
    use super::probe::probe;
    #[pymodule_export]
    use super::rules::{Rule, RuleSet, Signal, Violation};
    #[pymodule_export]
    use super::session::{Log, Session, read_log, read_session};
    #[pymodule_export]
    use super::sixpack::{imr, sixpack};
    #[pymodule_export]
    use super::standards::Standards;
    #[pymodule_export]
    use super::stats::{
        ChangePoint, Moments, Normality, anderson_darling, autocorrelation, change_points, moments, quantile,
    };

    #[pymodule_export]
    #[allow(non_upper_case_globals, reason = "Python's name")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}

/// Restores a pickled object from the name of its class and its JSON.
#[pyfunction]
fn _restore<'py>(py: Python<'py>, name: &str, state: &str) -> PyResult<Bound<'py, PyAny>> {
    macro_rules! restored {
        ($($class:ident = $make:expr),* $(,)?) => {
            match name {
                $(stringify!($class) => Ok(Bound::new(py, ($make)(document::from_json(state)?))?.into_any()),)*
                _ => Err(PyValueError::new_err(format!("llmscope has no class {name}"))),
            }
        };
    }
    restored! {
        Alarm = detector::Alarm,
        Analysis = |state: analysis::AnalysisState| analysis::Analysis::from(state),
        Answer = answer::Answer,
        Arm = gate_result::Arm,
        Basis = analysis::Basis,
        Capability = capability::Capability,
        Certificate = gate_result::Certificate,
        Change = answer::Change,
        ChangePoint = stats::ChangePoint,
        Chart = chart::Chart::of,
        ColumnReport = analysis::ColumnReport,
        Comparison = gate_result::Comparison,
        ControlLimits = chart::ControlLimits,
        Component = analysis::Component,
        Detection = |detection: detector::Detection| detection,
        Detector = |detector: llmscope_core::detector::Detector| detector::Detector::from(detector),
        Dispersion = analysis::Dispersion,
        Evidence = detector::Evidence,
        Excluded = analysis::Excluded,
        ExpectedPpm = capability::ExpectedPpm,
        Factors = factors::Factors,
        FailedRuns = answer::FailedRuns,
        FailureCount = answer::FailureCount,
        Failures = answer::Failures,
        Gate = gate_result::Gate,
        GatePair = gate_result::GatePair,
        Judgement = |(judgement, rules, chart): judgement::JudgementState| {
            let chart = chart.and_then(|chart| Py::new(py, chart::Chart::of(chart)).ok());
            judgement::Judgement::new(judgement, rules, chart)
        },
        Learning = detector::Learning,
        LoadChange = answer::LoadChange,
        Moments = stats::Moments,
        Monitor = monitor::Monitor,
        Normality = stats::Normality,
        Patterns = analysis::Patterns,
        Performance = capability::Performance,
        Picture = |(svg, alt): (String, String)| picture::Picture { svg, alt },
        Quantiles = analysis::Quantiles,
        RankedAnswer = answer::RankedAnswer,
        Report = |state: analysis::ReportState| analysis::Report::from(state),
        Rule = rules::Rule,
        RuleSet = rules::RuleSet,
        Run = analysis::Run,
        RunsJudged = answer::RunsJudged,
        Session = |session: llmscope_core::Session| session::Session(std::sync::Arc::new(session)),
        Shift = analysis::Shift,
        SigmaEstimate = capability::SigmaEstimate,
        SigmaReport = analysis::SigmaReport,
        Signal = rules::Signal,
        Since = answer::Since,
        SinceRun = answer::SinceRun,
        SlowRequests = answer::SlowRequests,
        Specification = capability::Specification,
        Stage = analysis::Stage,
        Standards = standards::Standards,
        Study = analysis::Study,
        Violation = rules::Violation,
    }
}
