//! Control charts: the plotted points, their limits, and the origin of the limits.
//!
//! Every chart has two phases. **Phase I** (`estimate`) estimates the limits from the plotted data. **Phase II**
//! (`monitor`) judges new data against frozen [`Standards`] of a previous study, without a new estimate.
//! [`Chart::with_bounds`] applies a physical bound, such as 0 for a latency.

pub mod attributes;
pub mod cusum;
pub mod ewma;
pub mod individuals;
pub mod laney;
pub mod moving_average;
mod stages;
pub mod xbar;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use stages::staged;

use crate::error::{Error, Result, by_name};
use crate::limits::{ControlLimits, Line};
use crate::metric::Bounds;
use crate::quantity::{counted, number_to};
use crate::rules::{self, Judgement, Rule, RuleSet, Side, Violation};
use crate::sample::Sample;
use crate::sigma::{SigmaEstimate, SigmaEstimator};
use crate::stats::mean;
use crate::transform::PowerTransform;

/// The plotted statistic of a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ChartKind {
    /// Single measurements.
    #[doc(alias("XmR", "I-MR", "I chart", "X chart"))]
    Individuals,
    /// Absolute differences of adjacent measurements: the dispersion chart of individuals.
    #[doc(alias = "MR chart")]
    MovingRange,
    /// Subgroup means, with sigma from the ranges.
    #[doc(alias("X-bar R", "Xbar-R"))]
    XbarR,
    /// Subgroup means, with sigma from the standard deviations.
    #[doc(alias("X-bar S", "Xbar-S"))]
    XbarS,
    /// Subgroup ranges: the dispersion chart of X̄–R.
    Range,
    /// Subgroup standard deviations: the dispersion chart of X̄–S.
    StandardDeviation,
    /// Proportion of nonconforming items.
    #[doc(alias("p-chart", "p chart"))]
    P,
    /// Number of nonconforming items.
    #[doc(alias("np-chart", "np chart"))]
    Np,
    /// Number of nonconformities in areas of equal size.
    #[doc(alias("c-chart", "c chart"))]
    C,
    /// Nonconformities per unit of area.
    #[doc(alias("u-chart", "u chart"))]
    U,
    /// Laney's p′: proportions with variation beyond the binomial.
    #[doc(alias("p-prime", "Laney p chart"))]
    LaneyP,
    /// Laney's u′: rates with variation beyond the Poisson.
    #[doc(alias("u-prime", "Laney u chart"))]
    LaneyU,
    /// Exponentially weighted moving average of single measurements.
    #[doc(alias = "EWMA")]
    Ewma,
    /// Cumulative sums of deviations of single measurements beyond an allowance.
    #[doc(alias = "CUSUM")]
    Cusum,
    /// Mean of the last few measurements.
    #[doc(alias = "MA chart")]
    MovingAverage,
}

impl ChartKind {
    /// Every chart that can be selected by name.
    pub const NAMED: [Self; 12] = [
        Self::Individuals,
        Self::XbarR,
        Self::XbarS,
        Self::P,
        Self::Np,
        Self::C,
        Self::U,
        Self::LaneyP,
        Self::LaneyU,
        Self::Ewma,
        Self::Cusum,
        Self::MovingAverage,
    ];

    /// The chart's name in files and on the command line.
    ///
    /// ```
    /// use llmscope_core::ChartKind;
    ///
    /// assert_eq!(ChartKind::LaneyP.name(), "laney-p");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Individuals => "individuals",
            Self::MovingRange => "moving-range",
            Self::XbarR => "xbar-r",
            Self::XbarS => "xbar-s",
            Self::Range => "range",
            Self::StandardDeviation => "standard-deviation",
            Self::P => "p",
            Self::Np => "np",
            Self::C => "c",
            Self::U => "u",
            Self::LaneyP => "laney-p",
            Self::LaneyU => "laney-u",
            Self::Ewma => "ewma",
            Self::Cusum => "cusum",
            Self::MovingAverage => "moving-average",
        }
    }

    /// The chart's human-readable label.
    ///
    /// ```
    /// use llmscope_core::ChartKind;
    ///
    /// assert_eq!(ChartKind::LaneyP.label(), "Laney p′ chart");
    /// ```
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Individuals => "individuals chart",
            Self::MovingRange => "moving range chart",
            Self::XbarR => "X̄ chart (R)",
            Self::XbarS => "X̄ chart (S)",
            Self::Range => "R chart",
            Self::StandardDeviation => "S chart",
            Self::P => "p chart",
            Self::Np => "np chart",
            Self::C => "c chart",
            Self::U => "u chart",
            Self::LaneyP => "Laney p′ chart",
            Self::LaneyU => "Laney u′ chart",
            Self::Ewma => "EWMA chart",
            Self::Cusum => "CUSUM chart",
            Self::MovingAverage => "moving average chart",
        }
    }

    /// True for charts of counted items, which need a sample size or an area.
    #[must_use]
    pub const fn is_attribute(self) -> bool {
        matches!(self, Self::P | Self::Np | Self::C | Self::U | Self::LaneyP | Self::LaneyU)
    }

    /// True for Laney's charts.
    #[must_use]
    pub const fn is_laney(self) -> bool {
        matches!(self, Self::LaneyP | Self::LaneyU)
    }

    /// True for charts of subgroups.
    #[must_use]
    pub const fn needs_subgroups(self) -> bool {
        matches!(self, Self::XbarR | Self::XbarS)
    }

    /// True for charts with memory (averages and sums). Their points depend on each other, so only rules about single
    /// points beyond the limits apply.
    #[must_use]
    pub const fn has_memory(self) -> bool {
        matches!(self, Self::Ewma | Self::Cusum | Self::MovingAverage)
    }

    /// A description of what a rule detects on this kind of chart.
    ///
    /// ```
    /// use llmscope_core::{ChartKind, RuleSet};
    ///
    /// let beyond = &RuleSet::nelson().limits_only();
    /// let rule = &beyond.rules()[0];
    /// assert_eq!(ChartKind::Cusum.describe(rule), "sum beyond the decision interval");
    /// ```
    #[must_use]
    pub fn describe(self, rule: &Rule) -> String {
        match self {
            Self::Cusum => "sum beyond the decision interval".to_owned(),
            _ => rule.pattern().describe(),
        }
    }

    /// True for dispersion charts. Zone rules do not apply to them, because their statistic is skewed.
    #[must_use]
    pub const fn is_dispersion(self) -> bool {
        matches!(self, Self::MovingRange | Self::Range | Self::StandardDeviation)
    }

    /// The subset of `rules` that applies to this kind of chart: no zone rules for a dispersion chart, only limits for
    /// a chart with memory.
    ///
    /// ```
    /// use llmscope_core::{ChartKind, RuleSet};
    ///
    /// let nelson = RuleSet::nelson();
    /// assert_eq!(ChartKind::Individuals.fitting(&nelson), nelson);
    /// assert_eq!(ChartKind::Ewma.fitting(&nelson), nelson.limits_only());
    /// assert_eq!(ChartKind::MovingRange.fitting(&nelson), nelson.without_zones());
    /// ```
    #[must_use]
    pub fn fitting(self, rules: &RuleSet) -> RuleSet {
        if self.is_dispersion() {
            rules.without_zones()
        } else if self.has_memory() {
            rules.limits_only()
        } else {
            rules.clone()
        }
    }
}

impl fmt::Display for ChartKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for ChartKind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        by_name("chart", name, &Self::NAMED, Self::name)
    }
}

/// Whether limits were estimated from the data that the chart shows.
#[doc(alias("phase I", "phase II"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(into = "u8", try_from = "u8")]
#[schemars(with = "u8", extend("enum" = [1, 2]))]
pub enum Phase {
    /// Limits from these data.
    I,
    /// Limits from a previous study.
    II,
}

impl Phase {
    /// The phase as a Roman numeral.
    ///
    /// ```
    /// use llmscope_core::Phase;
    ///
    /// assert_eq!((Phase::I.numeral(), Phase::II.numeral()), ("I", "II"));
    /// ```
    #[must_use]
    pub const fn numeral(self) -> &'static str {
        match self {
            Self::I => "I",
            Self::II => "II",
        }
    }
}

impl From<Phase> for u8 {
    fn from(phase: Phase) -> Self {
        match phase {
            Phase::I => 1,
            Phase::II => 2,
        }
    }
}

impl TryFrom<u8> for Phase {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, String> {
        match number {
            1 => Ok(Self::I),
            2 => Ok(Self::II),
            _ => Err(format!("phase {number}: expected 1 or 2")),
        }
    }
}

/// The values that a phase I study freezes for phase II charts.
///
/// ```
/// use llmscope_core::{Sample, SigmaEstimator, chart::individuals};
///
/// // Phase I freezes what phase II judges against.
/// let studied = Sample::new(vec![0.31, 0.29, 0.30, 0.32, 0.30, 0.31])?;
/// let standards = individuals::estimate(&studied, SigmaEstimator::AverageMovingRange)?.standards;
/// let later = individuals::monitor(&standards, &Sample::new(vec![0.45])?)?;
/// assert!(later.points[0] > later.limits.upper.at(0));
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[doc(alias("baseline", "frozen limits"))]
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Standards {
    /// The kind of chart.
    pub chart: ChartKind,
    /// Center line: the mean, p̄, n·p̄ for one item (np), c̄ or ū; with a transformation, that of the transformed
    /// values.
    pub center: f64,
    /// The transformation that is applied before judging (individuals, EWMA, CUSUM, moving average).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transform: Option<PowerTransform>,
    /// Within sigma of a single (transformed) measurement (individuals, X̄).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<SigmaEstimate>,
    /// Laney's σ_z: the variation of the points relative to the binomial or Poisson distribution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inflation: Option<f64>,
    /// Weight and width of an EWMA chart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ewma: Option<ewma::Ewma>,
    /// Allowance, decision interval and head start of a CUSUM chart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cusum: Option<cusum::Cusum>,
    /// The number of measurements in each mean of a moving average chart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<usize>,
}

impl Standards {
    /// Standards of a chart of measurements: individuals, EWMA, CUSUM, moving average, X̄–R or X̄–S.
    ///
    /// # Errors
    /// [`Error::Parameter`] if the chart is of another kind or the center line is not finite.
    ///
    /// ```
    /// use llmscope_core::{ChartKind, SigmaEstimate, Standards};
    ///
    /// let sigma = SigmaEstimate::given(0.02)?;
    /// assert!(Standards::of_measurements(ChartKind::Individuals, 0.30, sigma).is_ok());
    /// // A p chart has no sigma of a measurement.
    /// assert!(Standards::of_measurements(ChartKind::P, 0.30, sigma).is_err());
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub fn of_measurements(chart: ChartKind, center: f64, within: SigmaEstimate) -> Result<Self> {
        if chart != ChartKind::Individuals && !chart.has_memory() && !chart.needs_subgroups() {
            return Err(wrong_chart(chart, "individuals, ewma, cusum, moving-average, xbar-r or xbar-s"));
        }
        Self { within: Some(within), ..Self::at(chart, center) }.checked()
    }

    /// Standards of a chart of counts: p, np, c or u.
    ///
    /// # Errors
    /// [`Error::Parameter`] if the chart is of another kind, or if the center line is not a possible value.
    ///
    /// ```
    /// use llmscope_core::{ChartKind, Standards};
    ///
    /// assert_eq!(Standards::of_counts(ChartKind::P, 0.02)?.center, 0.02);
    /// assert!(Standards::of_counts(ChartKind::P, 1.2).is_err()); // not a proportion
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub fn of_counts(chart: ChartKind, center: f64) -> Result<Self> {
        if !chart.is_attribute() {
            return Err(wrong_chart(chart, "p, np, c, u, laney-p or laney-u"));
        }
        let inflation = chart.is_laney().then_some(1.0);
        Self { inflation, ..Self::at(chart, center) }.checked()
    }

    /// The mean and the within sigma of a sample, after a transformation.
    fn estimated(
        chart: ChartKind,
        sample: &Sample<'_>,
        estimator: SigmaEstimator,
        transform: Option<PowerTransform>,
    ) -> Result<Self> {
        let transformed = transform.map(|power| power.sample(sample)).transpose()?;
        let judged = transformed.as_ref().unwrap_or(sample);
        let center = mean(judged.values());
        let center = center.ok_or(Error::NotEnoughData { what: "a center line (values)", have: 0, need: 1 })?;
        let standards = Self::of_measurements(chart, center, estimator.of_sample(judged)?)?;
        Ok(Self { transform, ..standards })
    }

    /// The measurements on the scale of the standards; `None` without a transformation.
    fn transformed(&self, sample: &Sample<'_>) -> Result<Option<Sample<'static>>> {
        self.transform.map(|power| power.sample(sample)).transpose()
    }

    const fn at(chart: ChartKind, center: f64) -> Self {
        Self { chart, center, transform: None, within: None, inflation: None, ewma: None, cusum: None, span: None }
    }

    fn checked(self) -> Result<Self> {
        let (low, high, expected) = match self.chart {
            ChartKind::P | ChartKind::Np | ChartKind::LaneyP => (0.0, 1.0, "a proportion between 0 and 1"),
            ChartKind::C | ChartKind::U | ChartKind::LaneyU => (0.0, f64::MAX, "a finite number of at least 0"),
            _ => (f64::MIN, f64::MAX, "a finite number"),
        };
        if (low..=high).contains(&self.center) {
            Ok(self)
        } else {
            Err(Error::Parameter { name: "center", value: self.center.to_string(), expected })
        }
    }

    /// The limits of single measurements, in their unit.
    ///
    /// # Errors
    /// [`Error::Parameter`] if the standards are those of counts, which have no sigma of a single measurement, or if a
    /// limit is not a finite number.
    ///
    /// ```
    /// use llmscope_core::{ChartKind, SigmaEstimate, Standards};
    ///
    /// // The limits of an X̄ chart are those of means; single measurements vary more.
    /// let standards = Standards::of_measurements(ChartKind::XbarR, 10.0, SigmaEstimate::given(2.0)?)?;
    /// assert_eq!(standards.limits_of_single_measurements()?.upper.at(0), 16.0);
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub fn limits_of_single_measurements(&self) -> Result<ControlLimits> {
        let within = self.within.ok_or_else(|| Error::Parameter {
            name: "frozen limits",
            value: format!("of a {}", self.chart.label()),
            expected: "those of a chart of measurements",
        })?;
        let limits = ControlLimits::three_sigma(Line::Constant(self.center), Line::Constant(within.sigma));
        match self.transform {
            None => Ok(limits),
            Some(power) => limits.drawn_back(power),
        }
    }

    /// The within sigma of a chart of measurements.
    fn within_for(&self, chart: ChartKind) -> Result<SigmaEstimate> {
        match self.within {
            Some(within) if self.chart == chart => Ok(within),
            _ => Err(wrong_chart(self.chart, chart.name())),
        }
    }
}

fn wrong_chart(chart: ChartKind, expected: &'static str) -> Error {
    Error::Parameter { name: "chart kind", value: chart.name().to_owned(), expected }
}

/// A control chart. A chart of single measurements borrows its points from the sample if the sample borrows them too.
#[doc(alias("control chart", "Shewhart chart"))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chart<'a> {
    /// The plotted statistic.
    pub kind: ChartKind,
    /// The origin of the limits.
    pub phase: Phase,
    /// The plotted values, in time order.
    pub points: Cow<'a, [f64]>,
    /// Center line, limits, and the sigma of the zones.
    pub limits: ControlLimits,
    /// Positions before which a value is missing: every run ends there.
    pub breaks: Vec<usize>,
    /// The standards behind the limits.
    pub standards: Standards,
    /// For a moving range chart: the position of each point's later measurement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positions: Option<Vec<usize>>,
    /// For a CUSUM chart: the lower sums −C⁻. The points are the upper sums.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lower_points: Option<Vec<f64>>,
    /// The dispersion chart of subgroups. That of single measurements is computed from the points.
    #[serde(default, rename = "spread", skip_serializing_if = "Option::is_none")]
    dispersion: Option<Box<Chart<'static>>>,
    /// The center line on the transformed scale, before conversion; absent without a transformation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    judged_center: Option<Line>,
}

impl<'a> Chart<'a> {
    /// The dispersion chart of this chart of the level: moving ranges, ranges or standard deviations.
    ///
    /// ```
    /// use llmscope_core::{ChartKind, Sample, SigmaEstimator, chart::individuals};
    ///
    /// let chart = individuals::estimate(&Sample::new(vec![1.0, 3.0, 2.0])?, SigmaEstimator::AverageMovingRange)?;
    /// let ranges = chart.dispersion_chart().unwrap();
    /// assert_eq!((ranges.kind, &ranges.points[..]), (ChartKind::MovingRange, &[2.0, 1.0][..]));
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    #[must_use]
    pub fn dispersion_chart(&self) -> Option<Cow<'_, Chart<'static>>> {
        match self.kind {
            ChartKind::Individuals => Some(Cow::Owned(individuals::moving_range(self))),
            _ => self.dispersion.as_deref().map(Cow::Borrowed),
        }
    }

    /// Converts the chart into one that owns its points.
    #[must_use]
    pub fn into_owned(self) -> Chart<'static> {
        let Self { kind, phase, points, limits, breaks, standards, positions, lower_points, dispersion, judged_center } =
            self;
        let points = Cow::Owned(points.into_owned());
        Chart { kind, phase, points, limits, breaks, standards, positions, lower_points, dispersion, judged_center }
    }

    /// Clamps the limits to the bounds of the measured quantity. The sums of a CUSUM have no such bounds.
    ///
    /// ```
    /// use llmscope_core::{Bounds, Sample, SigmaEstimator, chart::individuals};
    ///
    /// let chart = individuals::estimate(&Sample::new(vec![0.1, 0.9, 0.2])?, SigmaEstimator::AverageMovingRange)?;
    /// assert!(chart.limits.lower.at(0) < 0.0);
    /// assert_eq!(chart.with_bounds(Bounds::NON_NEGATIVE).limits.lower.at(0), 0.0);
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    #[must_use]
    pub fn with_bounds(mut self, bounds: Bounds) -> Self {
        if self.kind != ChartKind::Cusum {
            self.limits = self.limits.clamped_to(bounds);
        }
        self
    }

    /// The plotted value at the first signal of a violation.
    ///
    /// ```
    /// use llmscope_core::{RuleSet, Sample, SigmaEstimator, chart::individuals};
    ///
    /// let sample = Sample::new(vec![5.0, 5.2, 4.9, 5.1, 5.0, 9.0, 5.1, 4.9])?;
    /// let chart = individuals::estimate(&sample, SigmaEstimator::MedianMovingRange)?;
    /// let judgement = chart.judge(&"1".parse::<RuleSet>()?)?;
    /// assert_eq!(chart.value_of(&judgement.violations[0]), 9.0);
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    #[must_use]
    pub fn value_of(&self, violation: &Violation) -> f64 {
        match (&self.lower_points, &self.positions) {
            (Some(lower), _) if violation.side == Side::Below => lower[violation.first_signal],
            (_, Some(positions)) => self.points[positions.partition_point(|&at| at < violation.first_signal)],
            _ => self.points[violation.first_signal],
        }
    }

    /// The shifts behind the violations of a CUSUM chart; empty for other charts.
    #[must_use]
    pub fn shifts(&self, judgement: &Judgement) -> Vec<cusum::Shift> {
        cusum::shifts(self, judgement)
    }

    /// Judges the points by the rules. Violations of a moving range chart have positions of the measurements.
    /// Violations of a CUSUM chart begin at the estimated start of the shift.
    ///
    /// Zone rules apply as given. For a dispersion chart, the caller removes them ([`RuleSet::without_zones`]) if they
    /// are not wanted.
    ///
    /// # Errors
    /// The errors of [`rules::judge`].
    ///
    /// ```
    /// use llmscope_core::{Sample, SigmaEstimator, chart::individuals, RuleSet};
    ///
    /// let sample = Sample::new(vec![5.0, 5.2, 4.9, 5.1, 5.0, 9.0, 5.1, 4.9])?;
    /// let chart = individuals::estimate(&sample, SigmaEstimator::MedianMovingRange)?;
    /// let judgement = chart.judge(&"1".parse::<RuleSet>()?)?;
    /// assert_eq!(judgement.violations[0].first, 5);
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub fn judge(&self, rules: &RuleSet) -> Result<Judgement> {
        let (points, center) = (self.judged_points(), self.judged_center());
        let mut judgement = rules::judge(&points, center, &self.limits.sigma, &self.breaks, rules)?;
        if let Some(lower) = &self.lower_points {
            let below = rules::judge(lower, center, &self.limits.sigma, &self.breaks, rules)?;
            let began = |violation: &Violation| match violation.side {
                Side::Below => cusum::began(lower, &self.breaks, violation.first_signal),
                _ => cusum::began(&self.points, &self.breaks, violation.first_signal),
            };
            judgement = judgement.joined(below, rules, began);
        }
        if let Some(positions) = &self.positions {
            for violation in &mut judgement.violations {
                violation.first = positions[violation.first];
                violation.first_signal = positions[violation.first_signal];
                violation.last = positions[violation.last];
            }
        }
        Ok(judgement)
    }

    /// The transformed points. The rules reject values that cannot be transformed.
    #[must_use]
    fn judged_points(&self) -> Cow<'_, [f64]> {
        match self.limits.transform {
            None => Cow::Borrowed(&self.points),
            Some(power) => self.points.iter().map(|&x| power.apply(x).unwrap_or(f64::NAN)).collect(),
        }
    }

    /// The center line on the transformed scale.
    #[must_use]
    fn judged_center(&self) -> &Line {
        self.judged_center.as_ref().unwrap_or(&self.limits.center)
    }

    /// True if all points are on the center line.
    #[must_use]
    pub(crate) fn is_flat(&self) -> bool {
        let center = self.judged_center();
        self.judged_points().iter().enumerate().all(|(i, &x)| x == center.at(i))
    }

    /// True if sigma is zero everywhere: the limits collapse on the center line.
    ///
    /// ```
    /// use llmscope_core::{Sample, SigmaEstimator, chart::individuals};
    ///
    /// let constant = individuals::estimate(&Sample::new(vec![2.0; 5])?, SigmaEstimator::AverageMovingRange)?;
    /// assert!(constant.is_degenerate());
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    #[must_use]
    pub fn is_degenerate(&self) -> bool {
        self.limits.sigma.extent().is_some_and(|(_, max)| max == 0.0)
    }

    /// Converts averages of transformed measurements, and their limits, back to the unit of the measurements.
    fn drawn_back(mut self) -> Result<Self> {
        let Some(power) = self.standards.transform else { return Ok(self) };
        self.judged_center = Some(self.limits.center.clone());
        self.limits = self.limits.drawn_back(power)?;
        for point in self.points.to_mut() {
            *point = power.back(*point).ok_or_else(|| Error::Parameter {
                name: "transformed average",
                value: point.to_string(),
                expected: "one that converts back to a finite measurement",
            })?;
        }
        Ok(self)
    }

    /// A chart without breaks.
    fn plain(phase: Phase, points: impl Into<Cow<'a, [f64]>>, limits: ControlLimits, standards: Standards) -> Self {
        Self {
            kind: standards.chart,
            phase,
            points: points.into(),
            limits,
            breaks: Vec::new(),
            standards,
            positions: None,
            lower_points: None,
            dispersion: None,
            judged_center: None,
        }
    }
}

impl fmt::Display for Chart<'_> {
    /// Formats kind, phase and limits in one or two lines.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sigma = (0..self.points.len()).map(|i| self.limits.plotted_sigma(i)).reduce(f64::min).unwrap_or(0.0);
        let limits = self.limits.describe(|value| number_to(value, sigma / 10.0));
        let (title, phase, n) = (self.kind.label(), self.phase.numeral(), counted(self.points.len(), "point"));
        write!(f, "{title}, phase {phase}, {n}\n  limits  {limits}")?;
        match self.standards.within {
            Some(within) => {
                write!(f, "\n  sigma   {} ({})", number_to(within.sigma, 0.0), within.estimator.convention())?;
                self.limits
                    .transform
                    .map_or(Ok(()), |power| write!(f, ", after a transformation: {}", power.describe()))
            }
            None => Ok(()),
        }
    }
}

/// Limits of a chart whose sigma depends only on the size of the subgroup or sample.
fn limits_by_size(center: f64, sizes: &[f64], sigma: impl Fn(f64) -> f64) -> ControlLimits {
    let sigma = Line::through(sizes.iter().map(|&size| sigma(size)).collect());
    ControlLimits::three_sigma(Line::Constant(center), sigma)
}
