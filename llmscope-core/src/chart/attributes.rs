//! Charts of counts: p and np for nonconforming items, c and u for nonconformities.

use super::{Chart, ChartKind, Phase, Standards, limits_by_size, wrong_chart};
use crate::error::{Error, Result};
use crate::limits::{ControlLimits, Line};
use crate::metric::Bounds;
use crate::stats;

/// Counts in time order, each with its sample size or area of opportunity.
///
/// ```
/// use llmscope_core::{ChartKind, Counts, chart::attributes};
///
/// let failed = Counts::of_items(vec![12.0, 15.0, 8.0, 10.0], vec![50.0; 4])?;
/// let chart = attributes::estimate(&failed, ChartKind::P)?;
/// assert_eq!(chart.limits.center.at(0), 0.225);
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[doc(alias("attribute data", "defectives", "defects"))]
#[derive(Debug, Clone, PartialEq)]
pub struct Counts {
    counts: Vec<f64>,
    sizes: Vec<f64>,
}

impl Counts {
    /// Nonconforming items out of samples (p, np, Laney p′). Counts and sizes must be whole numbers.
    ///
    /// # Errors
    /// [`Error::Count`] if a count is not a whole number from 0 to its sample's size, or if a sample has no items.
    ///
    /// ```
    /// use llmscope_core::Counts;
    ///
    /// assert_eq!(Counts::of_items(vec![2.0, 0.0], vec![50.0, 40.0])?.len(), 2);
    /// assert!(Counts::of_items(vec![51.0], vec![50.0]).is_err()); // more failures than requests
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub fn of_items(counts: Vec<f64>, sizes: Vec<f64>) -> Result<Self> {
        let counts = Self::of_events(counts, sizes)?;
        let bad = |(&count, &size): (&f64, &f64)| count > size || size.fract() != 0.0;
        match counts.counts.iter().zip(&counts.sizes).position(bad) {
            Some(index) => Err(Error::Count {
                index,
                count: counts.counts[index],
                size: counts.sizes[index],
                expected: "a whole sample size and at most as many nonconforming items",
            }),
            None => Ok(counts),
        }
    }

    /// Nonconformities in areas of opportunity of any positive size (c, u, Laney u′). Counts must be whole numbers.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] for arrays of different lengths; [`Error::Count`] if a count is not a whole number of
    /// at least 0, or if an area is not finite and positive.
    ///
    /// ```
    /// use llmscope_core::Counts;
    ///
    /// let per_hour = Counts::of_events(vec![7.0, 3.0], vec![1.0, 0.5])?;
    /// assert_eq!(per_hour.sizes(), [1.0, 0.5]);
    /// assert!(Counts::of_events(vec![0.5], vec![1.0]).is_err()); // half an event
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub fn of_events(counts: Vec<f64>, sizes: Vec<f64>) -> Result<Self> {
        if counts.len() != sizes.len() {
            return Err(Error::LengthMismatch {
                left_name: "the counts",
                left: counts.len(),
                right_name: "the sample sizes",
                right: sizes.len(),
            });
        }
        let whole = |count: f64| (0.0..=9e15).contains(&count) && count.fract() == 0.0;
        let sized = |size: f64| (1e-75..=9e15).contains(&size);
        match counts.iter().zip(&sizes).position(|(&count, &size)| !(whole(count) && sized(size))) {
            Some(index) => Err(Error::Count {
                index,
                count: counts[index],
                size: sizes[index],
                expected: "a whole count of at least 0 and a size above 0",
            }),
            None => Ok(Self { counts, sizes }),
        }
    }

    /// The counts for a kind of chart: items for p, np and Laney p′, events for the others.
    ///
    /// # Errors
    /// The errors of [`Counts::of_items`] or [`Counts::of_events`].
    ///
    /// ```
    /// use llmscope_core::{ChartKind, Counts};
    ///
    /// // Seven events on one page are possible; seven nonconforming items of one are not.
    /// assert!(Counts::of_chart(ChartKind::U, vec![7.0], vec![1.0]).is_ok());
    /// assert!(Counts::of_chart(ChartKind::P, vec![7.0], vec![1.0]).is_err());
    /// ```
    pub fn of_chart(kind: ChartKind, counts: Vec<f64>, sizes: Vec<f64>) -> Result<Self> {
        match kind {
            ChartKind::P | ChartKind::Np | ChartKind::LaneyP => Self::of_items(counts, sizes),
            _ => Self::of_events(counts, sizes),
        }
    }

    /// The counts.
    #[must_use]
    pub fn counts(&self) -> &[f64] {
        &self.counts
    }

    /// The sample sizes or areas of opportunity.
    #[must_use]
    pub fn sizes(&self) -> &[f64] {
        &self.sizes
    }

    /// The number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// True if there is no sample.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// Σ counts / Σ sizes: p̄ or ū.
    pub(super) fn overall_rate(&self) -> Result<f64> {
        let total = |values: &[f64]| stats::sum(values, |x| x).value();
        match self.len() {
            0 => Err(Error::NotEnoughData { what: "a center line (samples)", have: 0, need: 1 }),
            _ => Ok(total(&self.counts) / total(&self.sizes)),
        }
    }

    /// counts / sizes: the plotted proportions or rates.
    pub(super) fn rates(&self) -> Vec<f64> {
        self.counts.iter().zip(&self.sizes).map(|(count, size)| count / size).collect()
    }

    /// The samples `first..end`.
    ///
    /// # Panics
    /// If the range is not within the samples.
    ///
    /// ```
    /// use llmscope_core::Counts;
    ///
    /// let counts = Counts::of_items(vec![1.0, 2.0, 3.0], vec![50.0; 3])?;
    /// assert_eq!(counts.slice(1..3).counts(), [2.0, 3.0]);
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    #[must_use]
    pub fn slice(&self, range: std::ops::Range<usize>) -> Self {
        Self { counts: self.counts[range.clone()].to_vec(), sizes: self.sizes[range].to_vec() }
    }

    fn constant_size(&self) -> Option<f64> {
        let first = *self.sizes.first()?;
        self.sizes.iter().all(|&size| size == first).then_some(first)
    }
}

/// Phase I: limits from these counts (Shewhart 1931; Montgomery, *Introduction to Statistical Quality Control*, ch. 7).
///
/// | chart | points | center | sigma at point i |
/// | --- | --- | --- | --- |
/// | p | Dᵢ/nᵢ | p̄ = ΣD/Σn | √(p̄(1 − p̄)/nᵢ) |
/// | np | Dᵢ | nᵢp̄ | √(nᵢp̄(1 − p̄)) |
/// | c | cᵢ | c̄ | √c̄ |
/// | u | cᵢ/aᵢ | ū = Σc/Σa | √(ū/aᵢ) |
///
/// # Errors
/// [`Error::NotEnoughData`] without samples; [`Error::Parameter`] for another kind of chart, or for a c chart of
/// different areas (use a u chart).
///
/// ```
/// use llmscope_core::{ChartKind, Counts, chart::attributes};
///
/// // The mean count is 16, so the limits are 16 ± 3·4.
/// let chart = attributes::estimate(&Counts::of_events(vec![14.0, 18.0, 16.0], vec![1.0; 3])?, ChartKind::C)?;
/// assert_eq!((chart.limits.lower.at(0), chart.limits.upper.at(0)), (4.0, 28.0));
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[doc(alias("p-chart", "np-chart", "c-chart", "u-chart"))]
pub fn estimate(counts: &Counts, kind: ChartKind) -> Result<Chart<'static>> {
    let rate = counts.overall_rate()?;
    let center = if kind == ChartKind::C { rate * area_of_c(counts)? } else { rate };
    chart(Phase::I, Standards::of_counts(kind, center)?, counts)
}

/// Phase II: judges new counts against frozen standards.
///
/// # Errors
/// [`Error::Parameter`] if the standards belong to another kind of chart.
///
/// ```
/// use llmscope_core::{ChartKind, Counts, RuleSet, Standards, chart::attributes};
///
/// let frozen = Standards::of_counts(ChartKind::P, 0.10)?;
/// let chart = attributes::monitor(&frozen, &Counts::of_items(vec![10.0, 25.0], vec![100.0; 2])?)?;
/// assert!((chart.limits.upper.at(1) - 0.19).abs() < 1e-12);
/// assert_eq!(chart.judge(&RuleSet::nelson())?.violations[0].first, 1);
/// # Ok::<(), llmscope_core::Error>(())
/// ```
pub fn monitor(standards: &Standards, counts: &Counts) -> Result<Chart<'static>> {
    chart(Phase::II, *standards, counts)
}

fn chart(phase: Phase, standards: Standards, counts: &Counts) -> Result<Chart<'static>> {
    let center = standards.center;
    let sizes = counts.sizes();
    let (points, limits, bounds) = match standards.chart {
        ChartKind::P => {
            let limits = limits_by_size(center, sizes, |n| (center * (1.0 - center) / n).sqrt());
            (counts.rates(), limits, Bounds::PROPORTION)
        }
        ChartKind::Np => return Ok(np(phase, standards, counts)),
        ChartKind::C => {
            area_of_c(counts)?;
            let limits = ControlLimits::three_sigma(Line::Constant(center), Line::Constant(center.sqrt()));
            (counts.counts().to_vec(), limits, Bounds::NON_NEGATIVE)
        }
        ChartKind::U => {
            let limits = limits_by_size(center, sizes, |area| (center / area).sqrt());
            (counts.rates(), limits, Bounds::NON_NEGATIVE)
        }
        other => return Err(wrong_chart(other, "p, np, c or u")),
    };
    Ok(Chart::plain(phase, points, limits.clamped_to(bounds), standards))
}

/// The np chart. Its center line and its upper bound vary with the sample size, like its limits.
fn np(phase: Phase, standards: Standards, counts: &Counts) -> Chart<'static> {
    let p = standards.center;
    let line = |of_size: &dyn Fn(f64) -> f64| Line::through(counts.sizes().iter().map(|&n| of_size(n)).collect());
    let mut limits = ControlLimits::three_sigma(line(&|n| n * p), line(&|n| (n * p * (1.0 - p)).sqrt()))
        .clamped_to(Bounds::NON_NEGATIVE);
    let upper: Vec<f64> = (0..counts.len()).map(|i| limits.upper.at(i).min(counts.sizes()[i])).collect();
    limits.clamped.upper = (0..counts.len()).any(|i| limits.upper.at(i) > counts.sizes()[i]);
    limits.upper = Line::through(upper);
    Chart::plain(phase, counts.counts().to_vec(), limits, standards)
}

/// The common area of a c chart.
fn area_of_c(counts: &Counts) -> Result<f64> {
    counts.constant_size().ok_or(Error::Parameter {
        name: "areas of opportunity",
        value: "of different sizes".to_owned(),
        expected: "equal areas for a c chart (use a u chart)",
    })
}
