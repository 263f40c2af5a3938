//! One-way analysis of variance with random effects: the share of the variation between groups.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::double_double::DoubleDouble;
use super::special::{chi_squared_quantile, chi_squared_quantile_upper};
use super::{Moments, fisher_quantile_upper, fisher_sf};
use crate::cast::float;
use crate::error::{Error, Result};

/// One-way analysis of variance, and the variance components of the random-effects model xᵢⱼ = μ + aᵢ + eᵢⱼ.
///
/// Var(e) = MS_within; Var(a) = (MS_between − MS_within)/n₀ with n₀ = (N − Σnᵢ²/N)/(k − 1), the analysis-of-variance
/// estimators for groups of any sizes (Searle, Casella & McCulloch 1992, *Variance Components*, ch. 3). A negative
/// estimate of Var(a) is kept in [`Self::between_estimate`] and is 0 in [`Self::between_variance`].
///
/// ```
/// use llmscope_core::stats::{Moments, OneWay};
///
/// // Strength of fabric from four looms (Montgomery, Design and Analysis of Experiments).
/// let looms = [[98.0, 97.0, 99.0, 96.0], [91.0, 90.0, 93.0, 92.0], [96.0, 95.0, 97.0, 95.0], [95.0, 96.0, 99.0, 98.0]];
/// let anova = OneWay::of(&looms.map(|loom| Moments::of(&loom)))?;
/// assert_eq!(format!("{:.2} {:.2}", anova.between_variance(), anova.within_variance()), "6.96 1.90");
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[doc(alias("ANOVA", "variance components"))]
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct OneWay {
    /// Number of groups.
    pub groups: usize,
    /// Number of measurements.
    pub n: usize,
    /// Mean of all measurements.
    pub mean: f64,
    /// Σnᵢ(x̄ᵢ − x̄)².
    pub between_sum_of_squares: f64,
    /// ΣΣ(xᵢⱼ − x̄ᵢ)².
    pub within_sum_of_squares: f64,
    /// MS_between/MS_within; absent without variation within the groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub f: Option<f64>,
    /// Probability of an F at least as large if the groups did not differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<f64>,
    /// The size of equal groups with the same precision: (N − Σnᵢ²/N)/(k − 1).
    pub n0: f64,
    /// Harmonic mean of the sizes.
    pub harmonic_n: f64,
    /// Harmonic mean of the sizes × variance of the unweighted group means, on which the intervals are based.
    pub unweighted_mean_square: f64,
}

/// A confidence interval of a variance.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct VarianceInterval {
    /// Its lower end, not below 0.
    pub lower: f64,
    /// Its upper end.
    pub upper: f64,
}

impl VarianceInterval {
    fn between(lower: f64, upper: f64) -> Option<Self> {
        (lower.is_finite() && upper.is_finite()).then_some(Self { lower: lower.max(0.0), upper: upper.max(0.0) })
    }
}

impl OneWay {
    /// The analysis of groups, given by their moments.
    ///
    /// # Errors
    /// [`Error::NotEnoughData`] for fewer than two groups with data, or if no group has two measurements.
    ///
    /// ```
    /// use llmscope_core::stats::{Moments, OneWay};
    ///
    /// // Means 2 and 5, two measurements each: F = (9/1)/(1/2·(½ + ½)) = 18.
    /// let anova = OneWay::of(&[Moments::of(&[1.5, 2.5]), Moments::of(&[4.5, 5.5])])?;
    /// assert_eq!(anova.f, Some(18.0));
    /// assert!(OneWay::of(&[Moments::of(&[1.0, 2.0])]).is_err());
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub fn of(groups: &[Moments]) -> Result<Self> {
        let groups: Vec<&Moments> = groups.iter().filter(|group| group.count() > 0).collect();
        let (k, sizes) = (groups.len(), groups.iter().map(|group| size(group)).collect::<Vec<_>>());
        if k < 2 {
            return Err(Error::NotEnoughData { what: "an analysis of variance (groups)", have: k, need: 2 });
        }
        let all = groups.iter().fold(Moments::default(), |all, group| all.merge(group));
        let n = count(&all);
        if n <= k {
            return Err(Error::NotEnoughData { what: "an analysis of variance (measurements)", have: n, need: k + 1 });
        }
        let deviation = |group: &Moments, from: DoubleDouble| group.center().minus(from).value();
        let between = groups.iter().fold(DoubleDouble::default(), |sum, group| {
            let d = group.center().minus(all.center());
            sum.plus(d.times(d.value()).plus(DoubleDouble::new(d.rest() * d.value())).times(size(group)))
        });
        let within = groups.iter().fold(DoubleDouble::default(), |sum, group| sum.plus(group.squares()));
        let total = float(n);
        let means = groups.iter().fold(DoubleDouble::default(), |sum, group| sum.plus(group.center()));
        let center = means.divided_by(float(k));
        let harmonic = float(k) / sizes.iter().map(|n| 1.0 / n).sum::<f64>();
        let spread: f64 = groups.iter().map(|group| deviation(group, center).powi(2)).sum();
        let mut anova = Self {
            groups: k,
            n,
            mean: all.mean().unwrap_or_default(),
            between_sum_of_squares: between.value(),
            within_sum_of_squares: within.value(),
            f: None,
            p: None,
            n0: (total - sizes.iter().map(|n| n * n).sum::<f64>() / total) / (float(k) - 1.0),
            harmonic_n: harmonic,
            unweighted_mean_square: harmonic * spread / (float(k) - 1.0),
        };
        anova.f = Some(anova.between_mean_square() / anova.within_variance()).filter(|f| f.is_finite());
        let (d1, d2) = anova.degrees_of_freedom();
        anova.p = anova.f.and_then(|f| fisher_sf(f, d1, d2));
        Ok(anova)
    }

    /// Degrees of freedom between and within the groups: k − 1 and N − k.
    ///
    /// ```
    /// use llmscope_core::stats::{Moments, OneWay};
    ///
    /// let anova = OneWay::of(&[Moments::of(&[1.0, 2.0, 3.0]), Moments::of(&[4.0, 5.0])])?;
    /// assert_eq!(anova.degrees_of_freedom(), (1.0, 3.0));
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    #[must_use]
    pub fn degrees_of_freedom(&self) -> (f64, f64) {
        (float(self.groups) - 1.0, float(self.n) - float(self.groups))
    }

    /// MS_between.
    #[must_use]
    pub fn between_mean_square(&self) -> f64 {
        self.between_sum_of_squares / self.degrees_of_freedom().0
    }

    /// Variance within the groups: MS_within.
    #[must_use]
    pub fn within_variance(&self) -> f64 {
        self.within_sum_of_squares / self.degrees_of_freedom().1
    }

    /// (MS_between − MS_within)/n₀, which can be negative by chance.
    #[must_use]
    pub fn between_estimate(&self) -> f64 {
        (self.between_mean_square() - self.within_variance()) / self.n0
    }

    /// Variance between the groups: the estimate, or 0 if it is negative.
    ///
    /// ```
    /// use llmscope_core::stats::{Moments, OneWay};
    ///
    /// // Equal means: the estimate is negative, the variance is not.
    /// let anova = OneWay::of(&[Moments::of(&[1.0, 3.0]), Moments::of(&[3.0, 1.0])])?;
    /// assert_eq!((anova.between_estimate(), anova.between_variance()), (-1.0, 0.0));
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    #[must_use]
    pub fn between_variance(&self) -> f64 {
        self.between_estimate().max(0.0)
    }

    /// Variance of a single measurement: within + between.
    ///
    /// ```
    /// use llmscope_core::stats::{Moments, OneWay};
    ///
    /// let anova = OneWay::of(&[Moments::of(&[1.5, 2.5]), Moments::of(&[4.5, 5.5])])?;
    /// assert_eq!(anova.total_variance(), anova.within_variance() + anova.between_variance());
    /// assert_eq!(anova.within_variance(), 0.5);
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    #[must_use]
    pub fn total_variance(&self) -> f64 {
        self.within_variance() + self.between_variance()
    }

    /// Interval of the variance within the groups: (N − k)MS_within/χ², exact for normal errors.
    ///
    /// ```
    /// use llmscope_core::stats::{Moments, OneWay};
    ///
    /// let anova = OneWay::of(&[Moments::of(&[1.5, 2.5]), Moments::of(&[4.5, 5.5])])?;
    /// let interval = anova.within_interval(0.95).unwrap();
    /// // With 2 degrees of freedom, χ² at p is −2 ln(1 − p).
    /// assert!((interval.upper - 1.0 / (-2.0 * 0.975_f64.ln())).abs() < 1e-9);
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    #[must_use]
    pub fn within_interval(&self, confidence: f64) -> Option<VarianceInterval> {
        let (tail, df) = (tail(confidence), self.degrees_of_freedom().1);
        let squares = self.within_sum_of_squares;
        VarianceInterval::between(
            squares / chi_squared_quantile_upper(tail, df)?,
            squares / chi_squared_quantile(tail, df)?,
        )
    }

    /// Interval of the variance between the groups: the modified large-sample one of Ting, Burdick, Graybill, Jeyaratnam
    /// & Lu (1990) on unweighted group means, whose variance times the harmonic mean of the sizes is nearly χ² whatever
    /// the sizes are (Thomas & Hultquist 1978; Burdick & Graybill 1992, *Confidence Intervals on Variance Components*).
    #[must_use]
    pub fn between_interval(&self, confidence: f64) -> Option<VarianceInterval> {
        let q = tail(confidence);
        let (d1, d2) = self.degrees_of_freedom();
        let (between, within) = (self.unweighted_mean_square, self.within_variance());
        let width = |a: f64, b: f64, mixed: f64| {
            ((a * between).powi(2) + (b * within).powi(2) + mixed * between * within).max(0.0).sqrt()
        };
        let (g1, g2, h1, h2) = (shortfall(q, d1)?, shortfall(q, d2)?, excess(q, d1)?, excess(q, d2)?);
        let (high, low) = (fisher_quantile_upper(q, d1, d2)?, fisher_quantile_upper(1.0 - q, d1, d2)?);
        let down = width(g1, h2, ((high - 1.0).powi(2) - (g1 * high).powi(2) - h2 * h2) / high);
        let up = width(h1, g2, ((1.0 - low).powi(2) - (h1 * low).powi(2) - g2 * g2) / low);
        let estimate = between - within;
        VarianceInterval::between((estimate - down) / self.harmonic_n, (estimate + up) / self.harmonic_n)
    }

    /// Interval of the variance of a single measurement: that of Graybill & Wang (1980) for a sum of mean squares, on
    /// unweighted group means as in [`Self::between_interval`].
    #[must_use]
    pub fn total_interval(&self, confidence: f64) -> Option<VarianceInterval> {
        let q = tail(confidence);
        let (d1, d2) = self.degrees_of_freedom();
        let between = self.unweighted_mean_square / self.harmonic_n;
        let within = (1.0 - 1.0 / self.harmonic_n) * self.within_variance();
        let down = (shortfall(q, d1)? * between).hypot(shortfall(q, d2)? * within);
        let up = (excess(q, d1)? * between).hypot(excess(q, d2)? * within);
        VarianceInterval::between(between + within - down, between + within + up)
    }
}

/// The probability of each tail outside an interval.
fn tail(confidence: f64) -> f64 {
    (1.0 - confidence) / 2.0
}

/// G = 1 − ν/χ²_{ν, upper}: the relative distance from a variance's estimate down to its lower bound.
fn shortfall(tail: f64, df: f64) -> Option<f64> {
    Some(1.0 - df / chi_squared_quantile_upper(tail, df)?)
}

/// H = ν/χ²_{ν, lower} − 1: the relative distance from a variance's estimate up to its upper bound.
fn excess(tail: f64, df: f64) -> Option<f64> {
    Some(df / chi_squared_quantile(tail, df)? - 1.0)
}

fn size(group: &Moments) -> f64 {
    float(count(group))
}

#[allow(clippy::cast_possible_truncation, reason = "the values fit in memory, so their count fits in usize")]
fn count(group: &Moments) -> usize {
    group.count() as usize
}
