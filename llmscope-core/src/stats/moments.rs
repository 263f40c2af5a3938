//! Mean and central moments in one pass through memory, mergeable without loss of accuracy.

use multiversion::multiversion;
use serde::{Deserialize, Serialize};

use super::double_double::{DoubleDouble, sum, sum_of_values};
use crate::sample::segments;

/// Values are read in blocks that stay in the cache for the second, centered pass.
const BLOCK: usize = 4096;

/// Count, extremes, mean and central moments Mₖ = Σ(xᵢ − x̄)ᵏ of a sample, as a mergeable state.
///
/// Each block of data is read twice: once for its mean, and once for the moments about it (Chan, Golub & LeVeque 1983).
/// Blocks are merged with the formulas of Pébay (2008). Mean and M₂ have twice the precision of `f64`, so that merging
/// any partition of the data gives the mean and the standard deviation to the limit of `f64`.
///
/// ```
/// use llmscope_core::stats::Moments;
///
/// let left = Moments::of(&[1.0, 2.0]);
/// let right = Moments::of(&[3.0, 4.0]);
/// let both = left.merge(&right);
/// assert_eq!((both.count(), both.mean(), both.variance()), (4, Some(2.5), Some(5.0 / 3.0)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Moments {
    count: u64,
    min: f64,
    max: f64,
    mean: DoubleDouble,
    m2: DoubleDouble,
    m3: f64,
    m4: f64,
}

#[allow(clippy::cast_precision_loss, reason = "a count above 2^53 values does not occur")]
impl Moments {
    /// The moments of finite values (a [`Sample`](crate::Sample) guarantees finite values).
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        values.chunks(BLOCK).map(of_block).fold(Self::default(), |whole, block| whole.merge(&block))
    }

    /// Adds one finite value.
    pub fn push(&mut self, value: f64) {
        let single = Self { count: 1, min: value, max: value, mean: DoubleDouble::new(value), ..Self::default() };
        *self = self.merge(&single);
    }

    /// The moments of both samples combined (Pébay 2008, eqs. 2.1 and 3.1).
    #[must_use]
    pub fn merge(&self, other: &Self) -> Self {
        if self.count == 0 {
            return *other;
        }
        if other.count == 0 {
            return *self;
        }
        let count = self.count + other.count;
        let (a, b, n) = (self.count as f64, other.count as f64, count as f64);
        let delta = other.mean.minus(self.mean);
        let d = delta.value();
        let (m2a, m2b) = (self.m2.value(), other.m2.value());
        Self {
            count,
            min: self.min.min(other.min),
            max: self.max.max(other.max),
            mean: self.mean.plus(delta.times(b).divided_by(n)),
            m2: self.m2.plus(other.m2).plus(delta.times(d).times(a).times(b).divided_by(n)),
            m3: self.m3 + other.m3 + d.powi(3) * (a * b * (a - b) / (n * n)) + 3.0 * d * (a * m2b - b * m2a) / n,
            m4: self.m4
                + other.m4
                + d.powi(4) * (a * b * (a * a - a * b + b * b) / (n * n * n))
                + 6.0 * d * d * (a * a * m2b + b * b * m2a) / (n * n)
                + 4.0 * d * (a * other.m3 - b * self.m3) / n,
        }
    }

    /// The number of values.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Smallest value; `None` without data.
    #[must_use]
    pub fn min(&self) -> Option<f64> {
        (self.count > 0).then_some(self.min)
    }

    /// Largest value; `None` without data.
    #[must_use]
    pub fn max(&self) -> Option<f64> {
        (self.count > 0).then_some(self.max)
    }

    /// True if there are values and all of them are equal.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        self.count > 0 && self.min == self.max
    }

    /// Arithmetic mean; `None` without data.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        match self.count {
            0 => None,
            // The common value itself, not a sum divided by a count.
            _ if self.is_constant() => Some(self.min),
            _ => Some(self.mean.value()),
        }
    }

    /// Sample variance M₂/(n − 1); `None` for fewer than two values.
    #[must_use]
    pub fn variance(&self) -> Option<f64> {
        match self.count {
            0 | 1 => None,
            _ if self.is_constant() => Some(0.0),
            n => Some(self.m2.value() / (n - 1) as f64),
        }
    }

    /// Sample standard deviation √(M₂/(n − 1)); `None` for fewer than two values.
    #[must_use]
    pub fn standard_deviation(&self) -> Option<f64> {
        self.variance().map(f64::sqrt)
    }

    /// The part of the double-precision mean that [`Self::mean`] omits.
    pub(crate) fn mean_rest(&self) -> f64 {
        if self.is_constant() { 0.0 } else { self.mean.rest() }
    }

    /// The mean with twice the precision; 0 without data.
    pub(super) fn center(&self) -> DoubleDouble {
        if self.is_constant() { DoubleDouble::new(self.min) } else { self.mean }
    }

    /// M₂ = Σ(xᵢ − x̄)² with twice the precision.
    pub(super) fn squares(&self) -> DoubleDouble {
        if self.is_constant() { DoubleDouble::default() } else { self.m2 }
    }

    /// M₂ = Σ(xᵢ − x̄)².
    pub(crate) fn sum_of_squares(&self) -> f64 {
        self.m2.value()
    }

    /// Skewness g₁ = √n M₃/M₂^{3/2} (Joanes & Gill 1998); `None` without variation.
    #[must_use]
    pub fn skewness(&self) -> Option<f64> {
        let m2 = self.m2.value();
        let skewness = (self.count as f64).sqrt() * self.m3 / (m2 * m2.sqrt());
        (!self.is_constant() && skewness.is_finite()).then_some(skewness)
    }

    /// Excess kurtosis g₂ = n M₄/M₂² − 3 (Joanes & Gill 1998); `None` without variation.
    #[must_use]
    pub fn excess_kurtosis(&self) -> Option<f64> {
        let m2 = self.m2.value();
        let kurtosis = self.count as f64 * self.m4 / (m2 * m2) - 3.0;
        (!self.is_constant() && kurtosis.is_finite()).then_some(kurtosis)
    }
}

/// Arithmetic mean of finite values, equal to [`Moments::mean`], without the other moments; `None` without data.
#[must_use]
pub fn mean(values: &[f64]) -> Option<f64> {
    #[allow(clippy::cast_precision_loss, reason = "a count above 2^53 values does not occur")]
    let n = values.len() as f64;
    let total = values.chunks(BLOCK).fold(DoubleDouble::default(), |total, block| total.plus(sum_of_values(block)));
    (n > 0.0).then(|| total.divided_by(n).value())
}

/// The values minus the mean of their segment, where a segment begins at every position in `breaks`.
pub(crate) fn about_means(values: &[f64], breaks: &[usize]) -> Vec<f64> {
    let mut residuals = Vec::with_capacity(values.len());
    for segment in segments(values, breaks) {
        let mean = mean(segment).unwrap_or(0.0);
        residuals.extend(segment.iter().map(|x| x - mean));
    }
    residuals
}

/// The moments of a block that fits into the cache, compiled for two instruction sets with the same bits.
#[multiversion(targets("x86_64+avx2"))]
#[allow(clippy::cast_precision_loss, reason = "a block has a few thousand values")]
fn of_block(block: &[f64]) -> Moments {
    let n = block.len() as f64;
    let rough = sum(block, |x| x).divided_by(n);
    let (min, max) = extent(block);
    let powers = Powers::about(rough.value(), block);
    // The center is the mean rounded to `f64`; `correction` is the rounding error, so that M₂ is about the mean.
    let correction = powers.deviations / n;
    let m2 = powers.squares.add(-correction * powers.deviations);
    Moments {
        count: block.len() as u64,
        min,
        max,
        mean: rough,
        m2: if m2.value() > 0.0 { m2 } else { DoubleDouble::default() },
        m3: powers.cubes - 3.0 * correction * m2.value(),
        m4: powers.fourths - 4.0 * correction * powers.cubes,
    }
}

/// The number of parallel sums, so that the compiler can vectorize them.
const LANES: usize = 4;

/// The minimum and maximum of a nonempty block.
#[inline(always)]
fn extent(block: &[f64]) -> (f64, f64) {
    let (mut min, mut max) = ([f64::INFINITY; LANES], [f64::NEG_INFINITY; LANES]);
    let (chunks, rest) = block.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            // Not `f64::min`, which handles NaN: the values are finite.
            min[lane] = if chunk[lane] < min[lane] { chunk[lane] } else { min[lane] };
            max[lane] = if chunk[lane] > max[lane] { chunk[lane] } else { max[lane] };
        }
    }
    let all = |lanes: [f64; LANES]| lanes.into_iter().chain(rest.iter().copied());
    (all(min).fold(f64::INFINITY, f64::min), all(max).fold(f64::NEG_INFINITY, f64::max))
}

/// Sums of the powers of x − c.
struct Powers {
    deviations: f64,
    squares: DoubleDouble,
    cubes: f64,
    fourths: f64,
}

impl Powers {
    #[inline(always)]
    fn about(center: f64, block: &[f64]) -> Self {
        let squares = sum(block, |x| (x - center) * (x - center));
        let (mut deviations, mut cubes, mut fourths) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
        let (chunks, rest) = block.as_chunks::<LANES>();
        for chunk in chunks {
            for lane in 0..LANES {
                let deviation = chunk[lane] - center;
                let square = deviation * deviation;
                deviations[lane] += deviation;
                cubes[lane] += square * deviation;
                fourths[lane] += square * square;
            }
        }
        let mut powers = Self {
            deviations: deviations.iter().sum(),
            squares,
            cubes: cubes.iter().sum(),
            fourths: fourths.iter().sum(),
        };
        for deviation in rest.iter().map(|x| x - center) {
            powers.deviations += deviation;
            powers.cubes += deviation.powi(3);
            powers.fourths += deviation.powi(4);
        }
        powers
    }
}
