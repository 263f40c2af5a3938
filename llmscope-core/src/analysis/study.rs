//! Several runs of the same system: the share of the variation between them, and the capability that remains.

mod words;

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Measure, Plan, Selection, Series, Verdict};
use crate::capability::{self, Capability, ExpectedPpm, Interval, Performance, SpecificationLimits};
use crate::cast::float;
use crate::chart::individuals;
use crate::error::Result;
use crate::ingest::SESSION;
use crate::limits::{ControlLimits, LIMIT_MULTIPLE};
use crate::metric::{Metric, Unit};
use crate::quantity::counted;
use crate::rules::{RuleCode, RuleSet, Violation};
use crate::sample::Sample;
use crate::sigma::{SigmaEstimate, SigmaEstimator};
use crate::stats::{self, Moments, Normality, OneWay, Sorted, VarianceInterval, anderson_darling};

/// On an individuals chart of fewer runs, no run can signal, however far out it is. With x̄ and MR̄ from the same k
/// points, an outlier at an end is at most (k − 1)²/(2.66k) limits from the center line, which exceeds 1 from k = 5.
const MIN_RUNS: usize = 5;
/// Limits from fewer runs are provisional, as are limits from fewer points.
const FIRM_RUNS: usize = 25;
/// A lag-1 autocorrelation above this changes the variance of a run's mean by more than a fifth.
pub(super) const NOTABLE_LAG1: f64 = 0.1;
/// Standard deviations that differ by more than this factor indicate that the runs have no common process (the rule of
/// thumb for the analysis of variance: Moore & McCabe, *Introduction to the Practice of Statistics*).
const UNEQUAL_DISPERSION: f64 = 2.0;
/// Data with a p-value below this are reported as not normal.
const NOT_NORMAL: f64 = 0.005;

/// A metric over several runs: variance components, capability based on the within-run and the total variation, and the
/// runs that are out of control.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Study {
    /// The properties that all runs have in common.
    pub group: BTreeMap<String, String>,
    /// The metric or column.
    pub metric: String,
    /// Its unit.
    pub unit: Unit,
    /// The runs, in time order if their times are known.
    pub runs: Vec<Run>,
    /// The number of measurements of all runs.
    pub n: usize,
    /// The mean of all measurements.
    pub mean: f64,
    /// One-way analysis of variance with the run as a random effect.
    pub anova: OneWay,
    /// Variance within the runs: MS_within.
    pub within: Component,
    /// Variance between the runs: (MS_between − MS_within)/n₀, or 0 if that is negative.
    pub between: Component,
    /// Variance of a single measurement of any run: within + between.
    pub total: Component,
    /// The estimate of the variance between the runs, if it was negative and set to 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub negative_between: Option<f64>,
    /// Share of the total variance that lies between the runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub between_share: Option<f64>,
    /// Confidence level of the intervals.
    pub confidence: f64,
    /// Limits of the run means, estimated from their moving ranges; absent for fewer than 5 runs, whose chart cannot
    /// signal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<ControlLimits>,
    /// Codes of the rules that were applied to the run means.
    pub rules: Vec<RuleCode>,
    /// The violations of these rules, with positions in `runs`.
    pub violations: Vec<Violation>,
    /// The verdict on the run means.
    pub verdict: Verdict,
    /// The number of runs that a judgement needs, if there are too few.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub need: Option<usize>,
    /// Specification limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub specification: Option<SpecificationLimits>,
    /// Indices based on the within-run sigma. Cpk has no interval, because the published ones assume the mean of a
    /// single run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capability: Option<Capability>,
    /// Indices based on the total sigma. Ppk has no interval, for the same reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub performance: Option<Performance>,
    /// Measurements outside the specification limits, per million.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_ppm: Option<f64>,
    /// The share outside the specification limits that normal distributions predict, per million: within a run at the
    /// mean, and overall.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_ppm: Option<ExpectedPpm>,
    /// Anderson–Darling test of the residuals from each run's mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normality: Option<Normality>,
    /// Lag-1 autocorrelation within the runs, pooled over the runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag1: Option<f64>,
    /// Warnings: what to know before trusting the numbers.
    pub warnings: Vec<String>,
}

/// One run of a study.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Run {
    /// The session's name.
    pub name: String,
    /// The time at which the first request was issued, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub started_at: Option<Timestamp>,
    /// The number of measurements.
    pub n: usize,
    /// The mean of the measurements.
    pub mean: f64,
    /// The standard deviation of the measurements.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sigma: Option<f64>,
    /// True if the mean is beyond the limits of the run means.
    pub out: bool,
    /// True if the mean is beyond x̄ ± 3σ_within/√n, the limits of an X̄ chart: it deviates more than the variation of
    /// its own requests explains.
    pub beyond_within: bool,
}

/// A component of variance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Component {
    /// The variance.
    pub variance: f64,
    /// Its square root, in the unit of the metric.
    pub sigma: f64,
    /// The confidence interval of the square root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
}

impl Component {
    fn new(variance: f64, interval: Option<VarianceInterval>) -> Self {
        let interval = interval.map(|of| Interval { lower: of.lower.sqrt(), upper: of.upper.sqrt() });
        Self { variance, sigma: variance.sqrt(), interval }
    }
}

impl Selection {
    /// If this selection groups by session, the selection that also groups by provider, model and run, so that the runs
    /// of each combination are separate. [`runs_of`] combines its series.
    #[must_use]
    pub fn of_runs(&self) -> Option<Self> {
        let by = self.by.as_ref().filter(|by| by.iter().any(|name| name == SESSION))?;
        let further = Self::GROUPS.iter().filter(|name| !by.iter().any(|by| by == *name));
        let by = by.iter().cloned().chain(further.map(|&name| name.to_owned())).collect();
        Some(Self { by: Some(by), ..self.clone() })
    }
}

/// Combines series into runs of the same system: for each metric of each provider and model (and of the other columns
/// they are grouped by), one series per session.
#[must_use]
pub fn runs_of(series: Vec<Series>) -> Vec<Vec<Series>> {
    let mut sets: Vec<Vec<Series>> = Vec::new();
    for series in series {
        let is_like = |one: &Series| one.measure == series.measure && common(one) == common(&series);
        let others = sets.iter_mut().flatten().filter(|one| is_like(one) && !one.has_definition_of(&series));
        let is_part = others.map(|one| one.is_part = true).count() > 0;
        let same = |set: &&mut Vec<Series>| set.iter().all(|one| is_like(one) && one.has_definition_of(&series));
        match sets.iter_mut().find(same) {
            Some(set) => set.push(Series { is_part: is_part || series.is_part, ..series }),
            None => sets.push(vec![Series { is_part: is_part || series.is_part, ..series }]),
        }
    }
    sets
}

/// The properties that the runs of a series have in common.
fn common(series: &Series) -> BTreeMap<String, String> {
    series
        .group
        .iter()
        .filter(|(name, _)| *name != SESSION)
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The study of several runs, each a series of the same measure. `None` for fewer than two runs with measurements, for
/// the error rate, and for counts.
///
/// # Errors
/// The errors of reading the values ([`Series::sample`]).
pub fn study(runs: &[Series], plan: &Plan) -> Result<Option<Study>> {
    let counts = plan.chart.is_some_and(crate::chart::ChartKind::is_attribute);
    let Some(first) = runs.first().filter(|first| !counts && first.measure != Measure::Metric(Metric::ErrorRate))
    else {
        return Ok(None);
    };
    let mut samples = Vec::new();
    for series in runs {
        let (sample, _) = series.sample(plan.missing)?;
        if !sample.is_empty() {
            samples.push((series, sample));
        }
    }
    if samples.iter().all(|(series, _)| series.started_at().is_some()) {
        samples.sort_by_key(|(series, _)| series.started_at());
    }
    let moments: Vec<Moments> = samples.iter().map(|(_, sample)| Moments::of(sample.values())).collect();
    // Fewer than two runs, or no run with two measurements.
    let Ok(anova) = OneWay::of(&moments) else { return Ok(None) };
    let within_sigma = anova.within_variance().sqrt();
    let described = |((series, _), moments): (&(&Series, Sample<'_>), &Moments)| {
        let mean = moments.mean().unwrap_or(anova.mean);
        let n = usize::try_from(moments.count()).unwrap_or(usize::MAX);
        Run {
            name: series.group.get(SESSION).cloned().unwrap_or_default(),
            started_at: series.started_at(),
            n,
            mean,
            sigma: moments.standard_deviation(),
            out: false,
            beyond_within: (mean - anova.mean).abs() > LIMIT_MULTIPLE * within_sigma / float(n).sqrt(),
        }
    };
    let mut study = Study {
        group: first.labels().into_iter().filter(|(name, _)| name != SESSION).collect(),
        metric: first.measure.name().to_owned(),
        unit: first.unit(),
        runs: samples.iter().zip(&moments).map(described).collect(),
        n: anova.n,
        mean: anova.mean,
        anova,
        within: Component::new(anova.within_variance(), anova.within_interval(plan.confidence)),
        between: Component::new(anova.between_variance(), anova.between_interval(plan.confidence)),
        total: Component::new(anova.total_variance(), anova.total_interval(plan.confidence)),
        negative_between: Some(anova.between_estimate()).filter(|&estimate| estimate < 0.0),
        between_share: Some(anova.between_variance() / anova.total_variance()).filter(|share| share.is_finite()),
        confidence: plan.confidence,
        limits: None,
        rules: Vec::new(),
        violations: Vec::new(),
        verdict: Verdict::NotEnoughData,
        need: Some(MIN_RUNS),
        specification: plan.specification,
        capability: None,
        performance: None,
        observed_ppm: None,
        expected_ppm: None,
        normality: residual_normality(&samples, &moments),
        lag1: pooled_lag1(&samples, &moments),
        warnings: Vec::new(),
    };
    study.judge(first, plan)?;
    study.add_capability(&samples);
    study.warnings = study.warnings_of(runs.len());
    Ok(Some(study))
}

impl Study {
    /// Judges the run means on an individuals chart. Its limits include the variation from run to run, which those of
    /// an X̄ chart omit (Janis 1990; Wheeler 1995, *Advanced Topics in Statistical Process Control*, on the three-way
    /// chart).
    fn judge(&mut self, series: &Series, plan: &Plan) -> Result<()> {
        if self.runs.len() < MIN_RUNS {
            return Ok(());
        }
        let means = Sample::new(self.runs.iter().map(|run| run.mean).collect::<Vec<_>>())?;
        let chart = individuals::estimate(&means, SigmaEstimator::AverageMovingRange)?;
        let chart = chart.with_bounds(series.meaning().bounds);
        let rules = if chart.is_degenerate() { RuleSet::none() } else { plan.rules.clone() };
        self.violations = chart.judge(&rules)?.violations;
        self.rules = rules.codes().cloned().collect();
        self.verdict = Verdict::of(self.violations.is_empty());
        self.need = None;
        for (i, run) in self.runs.iter_mut().enumerate() {
            run.out = run.mean < chart.limits.lower.at(i) || run.mean > chart.limits.upper.at(i);
        }
        self.limits = Some(chart.limits);
        Ok(())
    }

    fn add_capability(&mut self, samples: &[(&Series, Sample<'_>)]) {
        let Some(limits) = self.specification else { return };
        let within = SigmaEstimate {
            sigma: self.within.sigma,
            estimator: SigmaEstimator::PooledBiased,
            degrees_of_freedom: Some(self.anova.degrees_of_freedom().1),
        };
        self.capability = capability::capability(self.mean, &within, self.n, &limits, self.confidence)
            .map(|capability| Capability { cpk_interval: None, ..capability });
        self.performance = capability::performance_of_sigma(self.mean, self.total.sigma, self.total.interval, &limits);
        let outside = samples.iter().map(|(_, sample)| {
            limits.observed_ppm(sample.values()).unwrap_or_default() * float(sample.len()) / float(self.n)
        });
        self.observed_ppm = Some(outside.sum());
        let expected = |sigma| capability::expected_ppm(self.mean, sigma, &limits);
        self.expected_ppm = expected(self.total.sigma)
            .map(|overall| ExpectedPpm { within: expected(self.within.sigma), overall: Some(overall) });
    }

    fn warnings_of(&self, given: usize) -> Vec<String> {
        let mut warnings = Vec::new();
        let mut warn = |applies: bool, text: &dyn Fn() -> String| {
            if applies {
                warnings.push(text());
            }
        };
        let runs = self.runs.len();
        warn(given > runs, &|| {
            format!("{} of {} excluded, without a measurement", given - runs, counted(given, "run"))
        });
        warn(runs < MIN_RUNS, &|| {
            format!(
                "{} are too few for a precise estimate of the variation between runs (see the intervals), and no run \
                 can signal: collect at least {MIN_RUNS} runs",
                counted(runs, "run")
            )
        });
        warn((MIN_RUNS..FIRM_RUNS).contains(&runs), &|| {
            format!("limits from {runs} runs are provisional: collect at least {FIRM_RUNS} runs")
        });
        warn(self.negative_between.is_some(), &|| {
            "the estimate of the variance between the runs is negative and set to 0: the runs differ less than the \
             variation of their requests predicts"
                .to_owned()
        });
        warn(self.total.variance == 0.0, &|| "all measurements are equal: capability is undefined".to_owned());
        let (smallest, largest) = self.sigma_extent();
        warn(largest > UNEQUAL_DISPERSION * smallest, &|| {
            format!(
                "the runs differ in dispersion (σ from {} to {}): the within-run sigma describes no single run",
                self.quantity(smallest),
                self.quantity(largest)
            )
        });
        let lag1 = self.lag1.unwrap_or_default();
        warn(lag1.abs() > NOTABLE_LAG1.max(2.0 / float(self.n).sqrt()), &|| {
            let worth = format!(
                "requests within the runs are autocorrelated (lag 1: {lag1:.2}): for a first-order process, the variance \
                 of run means due to chance is {:.1} times what the within-run variance predicts",
                (1.0 + lag1) / (1.0 - lag1)
            );
            format!(
                "{worth}; this counts as variance between runs and makes runs beyond the within limits less significant"
            )
        });
        let has_indices = self.capability.is_some() || self.performance.is_some();
        warn(has_indices && self.verdict == Verdict::OutOfControl, &|| {
            "the runs are out of control: total sigma and performance do not predict future runs".to_owned()
        });
        warn(has_indices && self.normality.is_some_and(|normality| normality.p < NOT_NORMAL), &|| {
            "the data are not normal, but the indices and the expected ppm assume normality: use the observed ppm"
                .to_owned()
        });
        warnings
    }
}

impl Study {
    /// The smallest and the largest standard deviation of a run.
    fn sigma_extent(&self) -> (f64, f64) {
        let sigmas = || self.runs.iter().filter_map(|run| run.sigma);
        (sigmas().fold(f64::INFINITY, f64::min), sigmas().fold(0.0, f64::max))
    }
}

/// Autocorrelation about each run's own mean, pooled over the runs: Σrᵢ SSᵢ/Σ SSᵢ.
fn pooled_lag1(samples: &[(&Series, Sample<'_>)], moments: &[Moments]) -> Option<f64> {
    let (mut products, mut squares) = (0.0, 0.0);
    for ((_, sample), moments) in samples.iter().zip(moments) {
        if let Some(lag1) = stats::autocorrelation(sample, 1) {
            products += lag1 * moments.sum_of_squares();
            squares += moments.sum_of_squares();
        }
    }
    Some(products / squares).filter(|lag1| lag1.is_finite())
}

fn residual_normality(samples: &[(&Series, Sample<'_>)], moments: &[Moments]) -> Option<Normality> {
    let residuals: Vec<f64> = samples
        .iter()
        .zip(moments)
        .flat_map(|((_, sample), moments)| {
            let mean = moments.mean().unwrap_or_default();
            sample.values().iter().map(move |x| x - mean)
        })
        .collect();
    anderson_darling(&Sorted::of(&residuals))
}
