//! Service level objectives: limits of single requests and of whole runs.
//!
//! An objective of a request (`ttft=500ms`) is an upper specification limit. The share of the requests that meet it is
//! the goodput, and there is no verdict. An objective of a run (`ttft.p99=500ms`, `errors=1%`) limits a share of the
//! requests: a [`Certificate`] reports whether the run meets it.

mod certificate;
mod notation;

pub use certificate::{Certificate, CertificateStatus};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cast::float;
use crate::measure::Measure;
use crate::metric::Metric;

/// One service level objective. Its text is `ttft=500ms`, `ttft.p99=500ms` or `errors=1%`.
///
/// ```
/// use llmscope_core::{Metric, Objective};
///
/// let objectives = Objective::list("ttft=500ms,e2e.p99=10s,errors=1%")?;
/// assert_eq!(objectives[0], Objective::Request { metric: Metric::Ttft, limit: 0.5 });
/// assert_eq!(objectives[1], Objective::Quantile { metric: Metric::E2e, p: 0.99, limit: 10.0 });
/// assert_eq!(objectives[2].to_string(), "errors=1%");
///
/// let error = "ttft=500".parse::<Objective>().unwrap_err();
/// assert_eq!(error.to_string(), "invalid objective ttft=500: expected a limit with its unit, such as 500ms or 10s");
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[doc(alias("SLO", "SLI", "service level objective", "goodput"))]
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(into = "String", try_from = "String")]
#[schemars(with = "String")]
pub enum Objective {
    /// `ttft=500ms`: the largest accepted value of a request.
    Request {
        /// The metric: a time or a cost.
        metric: Metric,
        /// The limit, in the metric's unit.
        limit: f64,
    },
    /// `ttft.p99=500ms`: the largest accepted quantile of the successful requests of a run.
    Quantile {
        /// The metric: a time or a cost.
        metric: Metric,
        /// The quantile: above 0 and below 1.
        p: f64,
        /// The limit, in the metric's unit.
        limit: f64,
    },
    /// `errors=1%`: the largest accepted share of failed requests of a run.
    Errors {
        /// The limit: above 0 and below 1.
        limit: f64,
    },
}

impl Objective {
    /// The metric that is limited; [`Metric::ErrorRate`] for the share of failed requests.
    ///
    /// ```
    /// use llmscope_core::{Metric, Objective};
    ///
    /// assert_eq!("tpot.p95=20ms".parse::<Objective>()?.metric(), Metric::Tpot);
    /// assert_eq!("errors=1%".parse::<Objective>()?.metric(), Metric::ErrorRate);
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    #[must_use]
    pub const fn metric(self) -> Metric {
        match self {
            Self::Request { metric, .. } | Self::Quantile { metric, .. } => metric,
            Self::Errors { .. } => Metric::ErrorRate,
        }
    }

    /// True if the objective limits this measure: its metric, or the column of that name.
    ///
    /// ```
    /// use llmscope_core::{Measure, Metric, Objective};
    ///
    /// let objective: Objective = "ttft.p99=500ms".parse()?;
    /// assert!(objective.limits(&Measure::Metric(Metric::Ttft)));
    /// assert!(!objective.limits(&Measure::Metric(Metric::E2e)));
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    #[must_use]
    pub fn limits(self, measure: &Measure) -> bool {
        measure.name() == self.metric().name()
    }

    /// The share of the requests of a run that may fail or exceed the limit: 1 − p for a quantile. `None` for an
    /// objective of a request.
    ///
    /// ```
    /// use llmscope_core::Objective;
    ///
    /// assert_eq!("errors=1%".parse::<Objective>()?.allowed_share(), Some(0.01));
    /// assert_eq!("ttft=500ms".parse::<Objective>()?.allowed_share(), None);
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    #[must_use]
    pub fn allowed_share(self) -> Option<f64> {
        match self {
            Self::Request { .. } => None,
            Self::Quantile { p, .. } => Some(1.0 - p),
            Self::Errors { limit } => Some(limit),
        }
    }

    /// The share of the requests whose value is at most the limit of an objective of a request. A request without a
    /// value failed or was not measured, and counts as not met. `None` without requests, and for an objective of a run.
    ///
    /// ```
    /// use llmscope_core::Objective;
    ///
    /// let objective: Objective = "ttft=500ms".parse()?;
    /// assert_eq!(objective.met_share([Some(0.31), Some(0.5), Some(0.72), None]), Some(0.5));
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    #[must_use]
    pub fn met_share(self, values: impl IntoIterator<Item = Option<f64>>) -> Option<f64> {
        let Self::Request { limit, .. } = self else { return None };
        let (mut met, mut n) = (0, 0);
        for value in values {
            n += 1;
            met += usize::from(value.is_some_and(|value| value <= limit));
        }
        (n > 0).then(|| float(met) / float(n))
    }
}
