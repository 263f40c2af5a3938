//! Sample quantiles, by named methods.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bucket_sort::in_order;
use super::ordinal::number;
use crate::cast::float;

/// The method for a quantile between two order statistics: the nine types of Hyndman & Fan (1996).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum QuantileMethod {
    /// Type 1: inverse of the empirical distribution function.
    HyndmanFan1,
    /// Type 2: as type 1, averaging at discontinuities (SAS default).
    HyndmanFan2,
    /// Type 3: nearest order statistic, even on ties.
    HyndmanFan3,
    /// Type 4: linear interpolation of the empirical distribution function.
    HyndmanFan4,
    /// Type 5: piecewise linear through the midpoints of its steps (Hazen).
    HyndmanFan5,
    /// Type 6: p(k) = k/(n + 1) (Weibull; Minitab, SPSS).
    HyndmanFan6,
    /// Type 7: p(k) = (k − 1)/(n − 1) (NumPy, R, Excel; the default here).
    #[default]
    HyndmanFan7,
    /// Type 8: approximately median-unbiased (recommended by Hyndman & Fan).
    HyndmanFan8,
    /// Type 9: approximately unbiased for normal data (Blom).
    HyndmanFan9,
}

impl QuantileMethod {
    /// Every method, in the order of Hyndman and Fan's numbers.
    pub const ALL: [Self; 9] = [
        Self::HyndmanFan1,
        Self::HyndmanFan2,
        Self::HyndmanFan3,
        Self::HyndmanFan4,
        Self::HyndmanFan5,
        Self::HyndmanFan6,
        Self::HyndmanFan7,
        Self::HyndmanFan8,
        Self::HyndmanFan9,
    ];
}

/// Values in ascending order, for computing several quantiles.
#[derive(Debug, Clone, PartialEq)]
pub struct Sorted(Vec<f64>);

impl Sorted {
    /// Sorts finite values.
    ///
    /// ```
    /// use llmscope_core::stats::Sorted;
    ///
    /// assert_eq!(Sorted::of(&[3.0, 1.0, 2.0]).values(), [1.0, 2.0, 3.0]);
    /// ```
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        Self(in_order(values, |key, _| key, |&key| key).into_iter().map(number).collect())
    }

    /// Values that are in ascending order.
    pub(super) fn from_ascending(values: Vec<f64>) -> Self {
        debug_assert!(values.is_sorted());
        Self(values)
    }

    /// The values, ascending.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.0
    }

    /// The p-quantile, 0 ≤ p ≤ 1; `None` without data or outside that range.
    ///
    /// ```
    /// use llmscope_core::stats::{QuantileMethod, Sorted};
    ///
    /// let sorted = Sorted::of(&[3.0, 1.0, 2.0, 4.0]);
    /// assert_eq!(sorted.quantile(0.9, QuantileMethod::HyndmanFan7), Some(3.7));
    /// assert_eq!(sorted.quantile(0.9, QuantileMethod::HyndmanFan6), Some(4.0));
    /// ```
    #[doc(alias("percentile", "p95", "p99"))]
    #[must_use]
    pub fn quantile(&self, p: f64, method: QuantileMethod) -> Option<f64> {
        if self.0.is_empty() || !(0.0..=1.0).contains(&p) {
            return None;
        }
        Some(match method {
            QuantileMethod::HyndmanFan1 => self.stepped(p, 0.0, |_, fraction| if fraction > 0.0 { 1.0 } else { 0.0 }),
            QuantileMethod::HyndmanFan2 => self.stepped(p, 0.0, |_, fraction| if fraction > 0.0 { 1.0 } else { 0.5 }),
            QuantileMethod::HyndmanFan3 => {
                self.stepped(p, -0.5, |below, fraction| if fraction == 0.0 && below % 2.0 == 0.0 { 0.0 } else { 1.0 })
            }
            QuantileMethod::HyndmanFan4 => self.interpolated(p, 0.0, 1.0),
            QuantileMethod::HyndmanFan5 => self.interpolated(p, 0.5, 0.5),
            QuantileMethod::HyndmanFan6 => self.interpolated(p, 0.0, 0.0),
            QuantileMethod::HyndmanFan7 => self.interpolated(p, 1.0, 1.0),
            QuantileMethod::HyndmanFan8 => self.interpolated(p, 1.0 / 3.0, 1.0 / 3.0),
            QuantileMethod::HyndmanFan9 => self.interpolated(p, 3.0 / 8.0, 3.0 / 8.0),
        })
    }

    /// Median: the 0.5-quantile of every symmetric type.
    ///
    /// ```
    /// use llmscope_core::stats::Sorted;
    ///
    /// assert_eq!(Sorted::of(&[4.0, 1.0, 3.0, 2.0]).median(), Some(2.5));
    /// assert_eq!(Sorted::of(&[]).median(), None);
    /// ```
    #[must_use]
    pub fn median(&self) -> Option<f64> {
        self.quantile(0.5, QuantileMethod::HyndmanFan7)
    }

    /// Types 1 to 3: the position is n·p + m, and the weight of the upper neighbor is 0, ½ or 1.
    fn stepped(&self, p: f64, m: f64, weight: impl Fn(f64, f64) -> f64) -> f64 {
        let position = float(self.0.len()) * p + m;
        let below = (position + FUZZ).floor();
        let fraction = if (position - below).abs() < FUZZ { 0.0 } else { position - below };
        self.between(below, weight(below, fraction))
    }

    /// Types 4 to 9: p(k) = (k − a)/(n + 1 − a − b), linear between the order statistics.
    fn interpolated(&self, p: f64, a: f64, b: f64) -> f64 {
        let position = a + p * (float(self.0.len()) + 1.0 - a - b);
        let below = (position + FUZZ).floor();
        let fraction = position - below;
        self.between(below, if fraction.abs() < FUZZ { 0.0 } else { fraction })
    }

    /// (1 − w)·x₍below₎ + w·x₍below+1₎ with 1-based order statistics, clamped to the sample.
    fn between(&self, below: f64, weight: f64) -> f64 {
        let (lower, upper) = (self.order_statistic(below), self.order_statistic(below + 1.0));
        if weight == 0.0 {
            lower
        } else if weight == 1.0 {
            upper
        } else {
            lower + weight * (upper - lower)
        }
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 1..=n")]
    fn order_statistic(&self, rank: f64) -> f64 {
        self.0[rank.clamp(1.0, float(self.0.len())) as usize - 1]
    }
}

/// The median of finite values, as [`Sorted::median`] has it, without sorting all of them; `None` without data.
///
/// ```
/// use llmscope_core::stats::median;
///
/// assert_eq!(median(&[0.3, 9.0, 0.2]), Some(0.3));
/// ```
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    let mut values = values.to_vec();
    let middle = values.len() / 2;
    if values.is_empty() {
        return None;
    }
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    if below.len() < middle || values.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = values[..middle].iter().copied().max_by(f64::total_cmp)?;
    Some(lower + 0.5 * (upper - lower))
}

/// Positions that differ from a whole number only by rounding are treated as that number, as in R.
const FUZZ: f64 = 4.0 * f64::EPSILON;
