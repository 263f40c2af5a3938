//! Axes with ticks at round numbers.

/// An axis from data to pixels, with about `wanted` ticks at multiples of 1, 2 or 5 times a power of ten.
///
/// ```
/// use llmscope_core::plot::Axis;
///
/// let axis = Axis::new((0.0, 10.0), (100.0, 0.0)); // pixels grow downwards
/// assert_eq!(axis.at(2.5), 75.0);
/// assert_eq!(axis.ticks(5.0), (vec![0.0, 2.0, 4.0, 6.0, 8.0, 10.0], 0));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    low: f64,
    high: f64,
    start: f64,
    end: f64,
}

impl Axis {
    /// Maps `low..high` of the data to the pixels `start..end`. An empty range is widened around its value.
    #[must_use]
    pub fn new((low, high): (f64, f64), (start, end): (f64, f64)) -> Self {
        let pad = if low == 0.0 { 1.0 } else { low.abs() * 0.05 };
        let (low, high) = if high > low { (low, high) } else { (low - pad, high + pad) };
        Self { low, high, start, end }
    }

    /// The pixel of a value.
    #[must_use]
    pub fn at(&self, value: f64) -> f64 {
        self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)
    }

    /// Round values on the axis, and the number of decimals that distinguishes them.
    ///
    /// ```
    /// use llmscope_core::plot::Axis;
    ///
    /// let (ticks, decimals) = Axis::new((0.0, 0.3), (0.0, 1.0)).ticks(3.0);
    /// assert_eq!((ticks.len(), decimals), (4, 1)); // 0.0, 0.1, 0.2, 0.3
    /// ```
    #[must_use]
    pub fn ticks(&self, wanted: f64) -> (Vec<f64>, usize) {
        let rough = (self.high - self.low) / wanted;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|&step| step >= rough).unwrap_or(rough);
        let first = (self.low / step).ceil();
        let ticks = (0..100).map(|k| (first + f64::from(k)) * step).take_while(|&tick| tick <= self.high + step * 1e-9);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=12")]
        let decimals = (-step.log10().floor()).clamp(0.0, 12.0) as usize;
        (ticks.map(|tick| if tick.abs() < step * 1e-9 { 0.0 } else { tick }).collect(), decimals)
    }
}

/// A range extended to the limits near it: a limit that is far away would flatten the data.
pub(super) fn with_near((low, high): (f64, f64), limits: impl Iterator<Item = f64>) -> (f64, f64) {
    let reach = 1.5 * (high - low);
    let near = limits.filter(|limit| (low - reach..=high + reach).contains(limit));
    near.fold((low, high), |(low, high), limit| (low.min(limit), high.max(limit)))
}
