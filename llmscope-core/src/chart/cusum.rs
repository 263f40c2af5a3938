//! The tabular CUSUM: two cumulative sums of deviations beyond an allowance. They estimate when a shift began.

use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Chart, ChartKind, Phase, Standards, wrong_chart};
use crate::cast::float;
use crate::error::{Error, Result};
use crate::limits::{ControlLimits, LIMIT_MULTIPLE, Line};
use crate::rules::{Judgement, Side};
use crate::sample::{Sample, segments};
use crate::sigma::SigmaEstimator;
use crate::stats::mean;
use crate::transform::PowerTransform;

/// The parameters of a CUSUM chart: allowance, decision interval and head start.
#[doc(alias("CUSUM", "cumulative sum"))]
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cusum {
    /// Allowance k, in sigmas: half the shift to detect.
    pub k: f64,
    /// Decision interval h, in sigmas: a sum beyond it signals.
    pub h: f64,
    /// Fast initial response (Lucas & Crosier 1982): the initial value of the sums, as a share of h. 0 means no head
    /// start; 0.5 is usual.
    pub headstart: f64,
}

impl Default for Cusum {
    /// k = 0.5, h = 5: detects a shift of 1σ within 10 points on average, with a false alarm every 465 points on
    /// average (Montgomery).
    fn default() -> Self {
        Self { k: 0.5, h: 5.0, headstart: 0.0 }
    }
}

impl Cusum {
    /// Allowance, decision interval and head start.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless k is from 0 to 100, h above 0 and at most 1000, and the head start from 0 to below
    /// 1.
    ///
    /// ```
    /// use llmscope_core::chart::cusum::Cusum;
    ///
    /// assert!(Cusum::new(0.5, 4.77, 0.5).is_ok());
    /// assert!(Cusum::new(0.5, 0.0, 0.0).is_err()); // every deviation would signal
    /// ```
    pub fn new(k: f64, h: f64, headstart: f64) -> Result<Self> {
        let refuse = |name, value: f64, expected| Err(Error::Parameter { name, value: value.to_string(), expected });
        if !(0.0..=100.0).contains(&k) {
            return refuse("allowance k", k, "0 to 100 sigmas");
        }
        if !(h > 0.0 && h <= 1000.0) {
            return refuse("decision interval h", h, "a number above 0 and at most 1000 sigmas");
        }
        if !(0.0..1.0).contains(&headstart) {
            return refuse("head start", headstart, "a share of h of at least 0 and below 1");
        }
        Ok(Self { k, h, headstart })
    }

    /// The sums for this center line and sigma, before the first measurement.
    ///
    /// ```
    /// use llmscope_core::chart::cusum::Cusum;
    ///
    /// // With a head start of one half, the upper sum begins at h/2 = 2.5 sigmas.
    /// let mut sums = Cusum::new(0.5, 5.0, 0.5)?.sums(10.0, 1.0);
    /// assert_eq!(sums.push(10.0), (2.0, -2.0));
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    #[must_use]
    pub fn sums(self, center: f64, sigma: f64) -> CusumSums {
        let start = self.headstart * self.h * sigma;
        CusumSums { center, allowance: self.k * sigma, upper: start, lower: -start }
    }
}

/// The two sums of a CUSUM, updated one measurement at a time.
///
/// ```
/// use llmscope_core::chart::cusum::Cusum;
///
/// let mut sums = Cusum::new(0.5, 5.0, 0.0)?.sums(10.0, 1.0);
/// assert_eq!(sums.push(12.0), (1.5, 0.0));
/// assert_eq!(sums.push(9.0), (0.0, -0.5));
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CusumSums {
    center: f64,
    allowance: f64,
    upper: f64,
    lower: f64,
}

impl CusumSums {
    /// Adds a measurement. Returns the upper sum C⁺ and the lower sum −C⁻, in the unit of the measurements.
    ///
    /// ```
    /// use llmscope_core::chart::cusum::Cusum;
    ///
    /// let mut sums = Cusum::default().sums(0.0, 1.0);
    /// let upper: Vec<f64> = [1.0, 1.0, -3.0].into_iter().map(|x| sums.push(x).0).collect();
    /// assert_eq!(upper, [0.5, 1.0, 0.0]);
    /// ```
    pub fn push(&mut self, x: f64) -> (f64, f64) {
        let deviation = x - self.center;
        self.upper = (self.upper + deviation - self.allowance).max(0.0);
        self.lower = (self.lower + deviation + self.allowance).min(0.0);
        (self.upper, self.lower)
    }
}

/// A shift that a CUSUM detected: when it began, and the mean since.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Shift {
    /// The first point after the sum was last 0: the maximum likelihood estimate of when the shift began (Page 1954).
    pub began: usize,
    /// The point at which the sum passed the decision interval.
    pub signal: usize,
    /// The direction of the shift.
    pub side: Side,
    /// The mean as it is estimated at the signal: center + K + C⁺/N⁺, or center − K − C⁻/N⁻ (Montgomery, ch. 9.1). With a
    /// transformation, it is the arithmetic mean of the measurements from `began` to `signal`, in their unit.
    pub mean: f64,
    /// The point at which the sum is furthest from 0 before it returns there: the maximum likelihood estimate of the last
    /// point of the shift, or the last point of the chart if the shift continues.
    pub last: usize,
    /// The mean of the shift: the same estimate at `last` instead of the signal, which is the mean of the measurements
    /// from `began` to `last`. The estimate at the signal has few measurements, and those that the sum needed to signal.
    pub level: f64,
}

/// Phase I: Cᵢ⁺ = max(0, xᵢ − (x̄ + K) + Cᵢ₋₁⁺) and Cᵢ⁻ = max(0, (x̄ − K) − xᵢ + Cᵢ₋₁⁻) with K = kσ̂, which signal
/// beyond H = hσ̂ (Page 1954, *Biometrika* 41; Lucas & Crosier 1982, *Technometrics* 24; Montgomery, *Introduction to
/// Statistical Quality Control*, ch. 9.1). The upper sums are the chart's points; the lower sums, drawn as −Cᵢ⁻, are
/// its [`Chart::lower_points`]. After a signal the sums continue; after a gap they restart.
///
/// # Errors
/// Those of [`individuals::estimate`](super::individuals::estimate).
///
/// ```
/// use llmscope_core::{ChartKind, RuleSet, Sample, SigmaEstimate, Standards, chart::cusum::{self, Cusum}};
///
/// let known = Standards::of_measurements(ChartKind::Cusum, 0.30, SigmaEstimate::given(0.01)?)?;
/// let standards = Standards { cusum: Some(Cusum::default()), ..known };
/// let ttft_s = [[0.30; 8], [0.32; 8]].concat();
/// let chart = cusum::monitor(&standards, &Sample::new(ttft_s)?)?;
/// let shift = chart.shifts(&chart.judge(&RuleSet::nelson().limits_only())?)[0];
/// assert_eq!((shift.began, shift.signal), (8, 11));
/// # Ok::<(), llmscope_core::Error>(())
/// ```
pub fn estimate(sample: &Sample<'_>, estimator: SigmaEstimator, cusum: Cusum) -> Result<Chart<'static>> {
    estimate_on(sample, estimator, cusum, None)
}

/// Phase I with a transformation: the sums of the transformed measurements. They have no unit, and neither have the limits.
/// Without a transformation, this function equals [`estimate`].
///
/// # Errors
/// The errors of [`estimate`]; [`Error::NotPositive`] for a measurement that cannot be transformed.
pub fn estimate_on(
    sample: &Sample<'_>,
    estimator: SigmaEstimator,
    cusum: Cusum,
    transform: Option<PowerTransform>,
) -> Result<Chart<'static>> {
    let standards = Standards::estimated(ChartKind::Cusum, sample, estimator, transform)?;
    chart(Phase::I, Standards { cusum: Some(cusum), ..standards }, sample)
}

/// Phase II: judges new data against frozen standards.
///
/// # Errors
/// [`Error::Parameter`] if the standards belong to another kind of chart; [`Error::NotPositive`] for a measurement that
/// cannot be transformed.
///
/// ```
/// use llmscope_core::{ChartKind, Sample, SigmaEstimate, Standards, chart::cusum::{self, Cusum}};
///
/// let known = Standards::of_measurements(ChartKind::Cusum, 10.0, SigmaEstimate::given(1.0)?)?;
/// let standards = Standards { cusum: Some(Cusum::default()), ..known };
/// let chart = cusum::monitor(&standards, &Sample::new(vec![11.0, 12.0, 9.0])?)?;
/// assert_eq!(&chart.points[..], [0.5, 2.0, 0.5]);
/// assert_eq!(chart.limits.upper.at(0), 5.0); // h sigmas
/// # Ok::<(), llmscope_core::Error>(())
/// ```
pub fn monitor(standards: &Standards, sample: &Sample<'_>) -> Result<Chart<'static>> {
    chart(Phase::II, *standards, sample)
}

fn chart(phase: Phase, standards: Standards, sample: &Sample<'_>) -> Result<Chart<'static>> {
    let sigma = standards.within_for(ChartKind::Cusum)?.sigma;
    let cusum = standards.cusum.ok_or_else(|| wrong_chart(standards.chart, "cusum, with its k and h"))?;
    let transformed = standards.transformed(sample)?;
    let sample = transformed.as_ref().unwrap_or(sample);
    let (mut upper, mut lower) = (Vec::with_capacity(sample.len()), Vec::with_capacity(sample.len()));
    for segment in segments(sample.values(), sample.breaks()) {
        let mut sums = cusum.sums(standards.center, sigma);
        for &x in segment {
            let (above, below) = sums.push(x);
            upper.push(above);
            lower.push(below);
        }
    }
    // Sigma is scaled so that the limits are at three sigmas, as on every chart.
    let unit = Line::Constant(cusum.h * sigma / LIMIT_MULTIPLE);
    let mut chart = Chart::plain(phase, upper, ControlLimits::three_sigma(Line::Constant(0.0), unit), standards);
    chart.breaks = sample.breaks().to_vec();
    chart.lower_points = Some(lower);
    Ok(chart)
}

/// The start of the run of nonzero sums that contains point `at`.
pub(super) fn began(sums: &[f64], breaks: &[usize], at: usize) -> usize {
    let start = breaks.iter().copied().rfind(|&gap| gap <= at).unwrap_or(0);
    (start..at).rev().find(|&i| sums[i] == 0.0).map_or(start, |zero| zero + 1)
}

/// The point of the run of nonzero sums from `signal` on at which the sum is furthest from 0; the first one of several.
fn furthest(sums: &[f64], breaks: &[usize], signal: usize) -> usize {
    let end = breaks.iter().copied().find(|&gap| gap > signal).unwrap_or(sums.len());
    let mut furthest = signal;
    for at in (signal..end).take_while(|&at| sums[at] != 0.0) {
        if sums[at].abs() > sums[furthest].abs() {
            furthest = at;
        }
    }
    furthest
}

/// The mean of the measurements behind a run of nonzero sums. Each sum exceeds the previous one, which is 0 or the head start
/// before the first, by the distance of a transformed measurement from the level.
fn mean_of_increments(sums: &[f64], points: Range<usize>, start: f64, measurement: impl Fn(f64) -> Option<f64>) -> f64 {
    let before = if points.start > 0 && sums[points.start - 1] == 0.0 { 0.0 } else { start };
    let mut last = before;
    let measured = |point: usize| {
        let increment = sums[point] - std::mem::replace(&mut last, sums[point]);
        measurement(increment)
    };
    let measured: Vec<f64> = points.filter_map(measured).collect();
    mean(&measured).unwrap_or(0.0)
}

/// The shifts behind the violations of a CUSUM chart.
pub(super) fn shifts(chart: &Chart<'_>, judgement: &Judgement) -> Vec<Shift> {
    let (Some(lower), Some(cusum), Some(within)) = (&chart.lower_points, chart.standards.cusum, chart.standards.within)
    else {
        return Vec::new();
    };
    let allowance = cusum.k * within.sigma;
    let one = |violation: &crate::rules::Violation| {
        let (began, signal, side) = (violation.first, violation.first_signal, violation.side);
        let (sums, allowance) =
            if side == Side::Below { (&lower[..], -allowance) } else { (&chart.points[..], allowance) };
        let reference = chart.standards.center + allowance;
        let mean_to = |last: usize| match chart.standards.transform {
            None => reference + sums[last] / float(last + 1 - began),
            Some(power) => {
                let start = allowance.signum() * cusum.headstart * cusum.h * within.sigma;
                mean_of_increments(sums, began..last + 1, start, |increment| power.back(reference + increment))
            }
        };
        let last = furthest(sums, &chart.breaks, signal);
        Shift { began, signal, side, mean: mean_to(signal), last, level: mean_to(last) }
    };
    let mut shifts: Vec<Shift> = Vec::new();
    for shift in judgement.violations.iter().map(one) {
        // A sum that falls below the interval and exceeds it again belongs to the same shift.
        if !shifts.iter().any(|known| (known.began, known.side) == (shift.began, shift.side)) {
            shifts.push(shift);
        }
    }
    shifts
}
