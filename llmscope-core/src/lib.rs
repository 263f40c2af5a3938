//! Statistical process control: is a process in control, where is it not, and how capable is it?
//!
//! ```
//! use llmscope_core::{RuleSet, Sample, SigmaEstimator, chart::individuals};
//!
//! let ttft_s = [0.31, 0.29, 0.30, 0.32, 0.30, 0.31, 0.29, 0.30, 0.31, 0.30, 0.52, 0.31, 0.30, 0.29, 0.31];
//! let chart = individuals::estimate(&Sample::new(&ttft_s[..])?, SigmaEstimator::AverageMovingRange)?;
//! let violations = chart.judge(&RuleSet::nelson())?.violations;
//! assert_eq!(violations[0].rule.as_str(), "nelson-1");
//! assert_eq!(violations[0].first, 10);
//! # Ok::<(), llmscope_core::Error>(())
//! ```
//!
//! # What is where
//! - [`Sample`] and [`Subgroups`] hold finite measurements in time order; [`Missing`] says what a gap means.
//! - [`chart`] makes control charts: phase I from the data, phase II against frozen [`Standards`].
//! - [`rules`] judges them: [`rules::judge`] a whole chart, [`Monitor`] one point at a time, with equal answers.
//! - [`capability`] compares with specification limits; [`stats`], [`factors`] and [`sigma`] are what it all stands on.
//! - [`session`] and [`ingest`] read and write logs; [`analyze`] goes from a log's [`analysis::Series`] to an
//!   [`Analysis`]; [`plot`] draws it.
//! - [`watch`] learns limits from a series that goes on for weeks, freezes them and judges what comes.
//!
//! # What it does not do
//! It asks no network and no clock, and prints nothing. Every function refuses what it cannot compute with an [`Error`]
//! that carries the offending values; no result is NaN or infinite.
//!
//! # Features
//! All off by default:
//! - `png`: [`plot`] renders charts as PNG, with a font inside.
//! - `compression`: logs that gzip or zstd packed are read as they are.
//! - `parallel`: large charts are judged by several threads, with the same answer.

pub mod analysis;
pub mod capability;
mod cast;
pub mod chart;
pub mod error;
pub mod factors;
pub mod files;
pub mod gate;
pub mod ingest;
pub mod limits;
mod measure;
pub mod metric;
pub mod plot;
pub mod quantity;
pub mod rules;
pub mod sample;
pub mod session;
pub mod sigma;
pub mod stats;
pub mod transform;
pub mod watch;

pub use analysis::{Analysis, Plan, Report, Verdict, analyze};
pub use capability::SpecificationLimits;
pub use chart::{Chart, ChartKind, Phase, Standards, attributes::Counts};
pub use error::{Error, Location, Result};
pub use limits::{Clamped, ControlLimits, LIMIT_MULTIPLE, Line};
pub use measure::Measure;
pub use metric::{Bounds, Metric, Unit};
pub use rules::{Judgement, Monitor, NelsonRule, Pattern, Rule, RuleCode, RuleMask, RuleSet, Side, Signal, Violation};
pub use sample::{Missing, Sample, Subgroups};
pub use session::{RequestRecord, Session, SessionWriter};
pub use sigma::{SigmaEstimate, SigmaEstimator};
pub use transform::{PowerTransform, Transform};
