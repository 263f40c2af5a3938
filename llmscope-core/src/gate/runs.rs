//! The differences between runs of one build, which are a part of every interval.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::measured::Measured;
use super::plan::Statistic;
use crate::cast::float;
use crate::stats::special::normal_quantile_upper;
use crate::stats::student_quantile_upper;

/// With fewer degrees of freedom, the differences between runs cannot be measured to any use, and are assumed.
const FEWEST_DEGREES_OF_FREEDOM: usize = 2;

/// How much the runs of one build differ.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Runs {
    /// The number of runs of the baseline.
    pub baseline: usize,
    /// The number of runs of the candidate.
    pub candidate: usize,
    /// The standard deviation of the typical request between the runs of one side, as a share of its value.
    pub sd: f64,
    /// True if the standard deviation is assumed ([`GatePlan::run_sd`](super::GatePlan::run_sd)), because there are fewer
    /// than four runs.
    pub assumed: bool,
}

/// The ends of an interval; infinite if they are open.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ends {
    pub(super) lower: f64,
    pub(super) upper: f64,
}

/// What the differences between runs do to the interval of one figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum RunEffect {
    /// The interval is at least that of Student's test of the runs' own figures (1908), whose unit is the run.
    Student { difference: f64, half_width: f64 },
    /// The half width is added to that of the requests, squared. The figure of a single run is unknown.
    Added { half_width: f64 },
}

impl RunEffect {
    pub(super) fn widened(self, estimate: f64, within: Ends) -> Ends {
        match self {
            Self::Student { difference, half_width } => Ends {
                lower: within.lower.min(difference - half_width),
                upper: within.upper.max(difference + half_width),
            },
            Self::Added { half_width } => within.plus(estimate, half_width),
        }
    }
}

impl Ends {
    /// The interval with a further, independent component of its half width.
    pub(super) fn plus(self, estimate: f64, half_width: f64) -> Self {
        Self {
            lower: estimate - (estimate - self.lower).hypot(half_width),
            upper: estimate + (self.upper - estimate).hypot(half_width),
        }
    }
}

/// The figures of the runs of each side.
struct RunFigures {
    baseline: Vec<f64>,
    candidate: Vec<f64>,
}

impl RunFigures {
    fn of(
        baseline: &Measured,
        candidate: &Measured,
        statistic: Statistic,
        scale: impl Fn(f64) -> f64 + Copy,
    ) -> Option<Self> {
        Some(Self { baseline: baseline.by_run(statistic, scale)?, candidate: candidate.by_run(statistic, scale)? })
    }

    fn difference(&self) -> f64 {
        mean(&self.candidate) - mean(&self.baseline)
    }

    /// The standard deviation within the sides, pooled over both.
    fn sd(&self) -> f64 {
        let squares = |figures: &[f64]| {
            let center = mean(figures);
            figures.iter().map(|figure| (figure - center).powi(2)).sum::<f64>()
        };
        ((squares(&self.baseline) + squares(&self.candidate)) / self.degrees_of_freedom()).sqrt()
    }

    fn degrees_of_freedom(&self) -> f64 {
        float(self.baseline.len() + self.candidate.len()) - 2.0
    }
}

fn mean(figures: &[f64]) -> f64 {
    figures.iter().sum::<f64>() / float(figures.len())
}

/// The component between the runs of a pair.
pub(super) struct RunComponent {
    runs: Runs,
    assumed_sd: f64,
}

impl RunComponent {
    /// The component of a pair, given the standard deviation that is assumed if it cannot be measured.
    pub(super) fn of(baseline: &Measured, candidate: &Measured, assumed_sd: f64) -> Self {
        let count = (baseline.run_count(), candidate.run_count());
        let is_measured = count.0 + count.1 >= FEWEST_DEGREES_OF_FREEDOM + 2;
        let positive = baseline.is_positive() && candidate.is_positive();
        let figures = (is_measured && positive)
            .then(|| RunFigures::of(baseline, candidate, Statistic::Typical, f64::ln))
            .flatten();
        let sd = figures.as_ref().map_or(assumed_sd, RunFigures::sd);
        Self { runs: Runs { baseline: count.0, candidate: count.1, sd, assumed: figures.is_none() }, assumed_sd }
    }

    /// The standard deviation that is assumed for a single run on each side.
    pub(super) const fn assumed_sd(&self) -> f64 {
        self.assumed_sd
    }

    pub(super) const fn runs(&self) -> Runs {
        self.runs
    }

    /// √(1/R₁ + 1/R₂), the standard error of a difference of means for a standard deviation of 1.
    fn unit_error(&self) -> f64 {
        (1.0 / float(self.runs.baseline) + 1.0 / float(self.runs.candidate)).sqrt()
    }

    /// The quantile of the distribution of the standardized difference between the runs.
    fn quantile(&self, level: f64) -> f64 {
        let quantile = if self.runs.assumed {
            normal_quantile_upper(level)
        } else {
            student_quantile_upper(level, float(self.runs.baseline + self.runs.candidate) - 2.0)
        };
        quantile.unwrap_or(0.0)
    }

    /// The half width of the interval of a relative difference between two unchanged builds, each with these runs of
    /// infinitely many requests.
    pub(super) fn half_width(&self, level: f64) -> f64 {
        self.quantile(level) * self.runs.sd * self.unit_error()
    }

    /// The effect on the interval of a figure on a scale; on a scale of differences, the assumed deviation is relative to
    /// this size.
    pub(super) fn effect(
        &self,
        (baseline, candidate): (&Measured, &Measured),
        statistic: Statistic,
        level: f64,
        scale: impl Fn(f64) -> f64 + Copy,
        size: f64,
    ) -> RunEffect {
        let figures = if self.runs.assumed { None } else { RunFigures::of(baseline, candidate, statistic, scale) };
        match figures {
            Some(figures) => RunEffect::Student {
                difference: figures.difference(),
                half_width: self.quantile(level) * figures.sd() * self.unit_error(),
            },
            None => RunEffect::Added { half_width: self.half_width(level) * size },
        }
    }
}
