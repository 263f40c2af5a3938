//! Statistical process control: is a process in control, where is it out of control, and how capable is it?
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
//! # Modules
//! - [`Sample`] and [`Subgroups`] hold finite measurements in time order; [`Missing`] defines how gaps are handled.
//! - [`chart`] computes control charts: phase I from the data, phase II against frozen [`Standards`].
//! - [`rules`] judges charts: [`rules::judge`] judges a whole chart and [`Monitor`] one point at a time, with equal
//!   results.
//! - [`capability`] compares a process with its specification limits. [`stats`], [`factors`] and [`sigma`] provide the
//!   statistics.
//! - [`objective`] reads service level objectives, and certifies whether a run meets them.
//! - [`mod@column`] says what a column means: its unit, its role, and whether lower or higher is better.
//! - [`session`] and [`ingest`] read and write logs; [`analyze`] turns a log's [`analysis::Series`] into an
//!   [`Analysis`]; [`plot`] draws it.
//! - [`detector`] judges a continuous series at a stated rate of false alarms.
//! - [`watch`] learns limits from a continuous series, freezes them and judges later values.
//!
//! # Guarantees
//! The crate accesses neither the network nor the clock, and prints nothing. Every function reports what it cannot
//! compute as an [`Error`] with the offending values; no result is NaN or infinite.
//!
//! # Features
//! All features are off by default:
//! - `png`: [`plot`] renders charts as PNG, with an embedded font.
//! - `compression`: reads logs that are compressed with gzip or zstd.
//! - `parallel`: judges large charts on several threads, with the same result.

pub mod analysis;
pub mod capability;
mod cast;
pub mod chart;
pub mod column;
pub mod detector;
pub mod error;
pub mod factors;
pub mod files;
pub mod gate;
pub mod ingest;
pub mod limits;
mod measure;
pub mod metric;
pub mod objective;
pub mod plot;
pub mod quantity;
pub mod rules;
pub mod sample;
pub mod session;
pub mod sigma;
mod split_mix;
pub mod stats;
pub mod text;
pub mod transform;
pub mod watch;

pub use analysis::{Analysis, Plan, Report, Verdict, analyze};
pub use capability::SpecificationLimits;
pub use chart::{Chart, ChartKind, Phase, Standards, attributes::Counts};
pub use error::{Error, Location, Result};
pub use limits::{Clamped, ControlLimits, LIMIT_MULTIPLE, Line};
pub use measure::Measure;
pub use metric::{Bounds, Metric, TpotDefinition, Unit};
pub use objective::{Certificate, Objective};
pub use rules::{Judgement, Monitor, NelsonRule, Pattern, Rule, RuleCode, RuleMask, RuleSet, Side, Signal, Violation};
pub use sample::{Missing, Sample, Subgroups};
pub use session::{RequestRecord, Session, SessionWriter};
pub use sigma::{SigmaEstimate, SigmaEstimator};
pub use transform::{PowerTransform, Transform};
