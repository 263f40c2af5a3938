//! Statistical process control: is a process in control, where is it not, and how capable is it?
//!
//! # Modules
pub mod analysis;
pub mod capability;
pub mod chart;
pub mod error;
pub mod factors;
pub mod ingest;
pub mod limits;
pub mod metric;
pub mod plot;
pub mod quantity;
pub mod rules;
pub mod sample;
pub mod session;
pub mod sigma;
pub mod stats;

pub use analysis::{Analysis, Plan, Report, Verdict, analyze};
pub use capability::SpecificationLimits;
pub use chart::{Chart, ChartKind, Phase, Standards, attributes::Counts};
pub use error::{Error, Location, Result};
pub use limits::{Clamped, ControlLimits, LIMIT_MULTIPLE, Line};
pub use metric::{Bounds, Metric, Unit};
pub use rules::{Judgement, Monitor, NelsonRule, Pattern, Rule, RuleCode, RuleMask, RuleSet, Side, Signal, Violation};
pub use sample::{Missing, Sample, Subgroups};
pub use session::{RequestRecord, Session, SessionWriter};
pub use sigma::{SigmaEstimate, SigmaEstimator};
