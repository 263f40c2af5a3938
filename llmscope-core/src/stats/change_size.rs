//! The sizes of changes of the level.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{ChangePoint, Contrast, Dependence, MannWhitney, Ranking, Sorted, hodges_lehmann, places, shift_bounds};
use crate::sample::{Sample, ranges_between};

/// The size of a change: the values of the stage after it in contrast with those of the stage before it.
///
/// ```
/// use llmscope_core::{Sample, stats};
///
/// let noise = [31.0, 29.0, 30.0, 32.0, 28.0, 30.5, 29.5, 31.5, 28.5, 30.2, 29.1, 30.9];
/// let sample = Sample::new([noise, noise.map(|x| x + 9.0)].concat())?;
/// let changes = stats::change_points(&sample, 10);
/// assert_eq!(stats::change_sizes(&sample, &changes, 0.95).len(), changes.len());
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChangeSize {
    /// A ratio if all values of the series are positive, otherwise a difference in their unit.
    pub contrast: Contrast,
    /// Median of the stage before the change, in the unit of the values.
    pub before: f64,
    /// Median of the stage after the change, in the unit of the values.
    pub after: f64,
    /// Hodges and Lehmann's estimate: the median of the contrasts of all pairs across the change.
    pub size: f64,
    /// The interval of the size, lower and upper bound; `None` if the stages are too short for the confidence.
    pub interval: Option<(f64, f64)>,
}

/// The sizes of `changes` of a sample, with intervals at the `confidence` level (0.95 is usual). Each change is
/// measured between its two neighboring stages.
///
/// The size is Hodges and Lehmann's (1963, *Annals of Mathematical Statistics* 34(2)), because it always lies within
/// its interval, which the ratio of two medians does not. The interval is that of Mann and Whitney's test (Moses;
/// Hollander & Wolfe, section 4.3). The variance of its rank sum is inflated by V = 1 + 2Σρ_k, from the ranks of the
/// values about the medians of their stages.
///
/// The places of the changes count as known, and a change near the threshold of detection is found only where it looks
/// larger than it is. Share of the found changes whose 95 % interval holds the true ratio, for 200 lognormal values
/// (σ = 0.2 of the logarithms), by 1,000 simulations each:
///
/// | autocorrelation | ratio 1.15: found | holds | ratio 1.5: found | holds |
/// | ---: | ---: | ---: | ---: | ---: |
/// | 0 | 86 % | 97 % | 100 % | 96 % |
/// | 0.3 | 54 % | 91 % | 99 % | 93 % |
/// | 0.6 | 21 % | 66 % | 98 % | 92 % |
///
/// Changes that are not in order inside the sample have no size, and end the list.
///
/// ```
/// use llmscope_core::{Sample, stats};
///
/// let before = [31.0, 29.0, 30.0, 32.0, 28.0, 30.5, 29.5, 31.5, 28.5, 30.2, 29.1, 30.9];
/// let sample = Sample::new(before.iter().copied().chain(before.iter().map(|x| x * 1.5)).collect::<Vec<_>>())?;
/// let changes = stats::change_points(&sample, 10);
/// let [size] = stats::change_sizes(&sample, &changes, 0.95)[..] else { unreachable!() };
/// let (lower, upper) = size.interval.unwrap();
/// assert!(lower < 1.5 && 1.5 < upper && (size.size - 1.5).abs() < 0.01);
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[must_use]
pub fn change_sizes(sample: &Sample<'_>, changes: &[ChangePoint], confidence: f64) -> Vec<ChangeSize> {
    sizes_between(sample, &places(changes), confidence)
}

/// The same for the bounds of stages.
pub(crate) fn sizes_between(sample: &Sample<'_>, bounds: &[usize], confidence: f64) -> Vec<ChangeSize> {
    if bounds.is_empty() {
        return Vec::new();
    }
    let values = sample.values();
    let contrast = if values.iter().all(|&x| x > 0.0) { Contrast::Ratio } else { Contrast::Difference };
    let Some(stages) = stages_between(values, bounds) else { return Vec::new() };
    let sorted: Vec<Sorted> = stages.iter().map(|stage| Sorted::of(stage)).collect();
    let medians: Vec<f64> = sorted.iter().filter_map(Sorted::median).collect();
    let inflation = inflation_within(&stages, &medians, contrast, sample.breaks());
    let level = (1.0 - confidence) / 2.0;
    let of_pair = |pair: &[Sorted]| {
        let [before, after] = pair else { return None };
        let sigma = MannWhitney::of(before, after)?.sigma * inflation.sqrt();
        Some(ChangeSize {
            contrast,
            before: before.median()?,
            after: after.median()?,
            size: hodges_lehmann(before, after, contrast)?,
            interval: shift_bounds(before, after, contrast, sigma, level),
        })
    };
    sorted.windows(2).map_while(of_pair).collect()
}

/// The values between the bounds; `None` unless the bounds are in order inside the values.
fn stages_between<'a>(values: &'a [f64], bounds: &[usize]) -> Option<Vec<&'a [f64]>> {
    let stage = |range: Range<usize>| values.get(range).filter(|stage| !stage.is_empty());
    ranges_between(bounds, values.len()).map(stage).collect()
}

/// V of the ranks of the values about the medians of their stages.
fn inflation_within(stages: &[&[f64]], medians: &[f64], contrast: Contrast, breaks: &[usize]) -> f64 {
    let about = stages.iter().zip(medians).flat_map(|(stage, &median)| stage.iter().map(move |&x| (median, x)));
    let residuals: Vec<f64> = about.map(|(median, x)| contrast.of(median, x)).collect();
    Dependence::of(&Ranking::of(&residuals), breaks).inflation_of_ranks()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(at: usize) -> ChangePoint {
        ChangePoint { at, z: 5.0, p: 0.001 }
    }

    fn sizes(values: &[f64], at: &[usize], confidence: f64) -> Vec<ChangeSize> {
        let changes: Vec<ChangePoint> = at.iter().copied().map(change).collect();
        change_sizes(&Sample::new(values).expect("finite"), &changes, confidence)
    }

    #[test]
    fn values_that_are_not_all_positive_have_a_difference() {
        let [size] = sizes(&[0.0, 1.0, 2.0, 10.0, 11.0, 12.0], &[3], 0.5)[..] else { panic!("one change") };
        assert_eq!((size.contrast, size.before, size.after, size.size), (Contrast::Difference, 1.0, 11.0, 10.0));
    }

    #[test]
    fn each_change_is_measured_between_its_neighbors() {
        let found = sizes(&[1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0], &[3, 6], 0.9);
        assert_eq!(found.iter().map(|size| size.size).collect::<Vec<_>>(), [2.0, 0.5]);
    }

    #[test]
    fn stages_too_short_for_the_confidence_have_no_interval() {
        assert_eq!(sizes(&[1.0, 1.1, 2.0, 2.1], &[2], 0.99)[0].interval, None);
    }

    #[test]
    fn impossible_places_have_no_size() {
        assert!(sizes(&[1.0, 2.0, 3.0], &[9], 0.95).is_empty());
        assert!(sizes(&[1.0, 2.0, 3.0], &[2, 1], 0.95).is_empty());
    }

    #[test]
    fn dependence_widens_the_interval() {
        let step = |noise: &[f64]| -> Vec<f64> {
            noise.iter().enumerate().map(|(i, x)| x + if i < 100 { 100.0 } else { 120.0 }).collect()
        };
        // Noise of a linear congruential generator, and its sums with a short memory.
        let noise: Vec<f64> = std::iter::successors(Some(1_u32), |x| Some(x.wrapping_mul(1_664_525).wrapping_add(1)))
            .map(|x| f64::from(x >> 16) / 65_536.0)
            .take(200)
            .collect();
        let remembering: Vec<f64> = noise
            .iter()
            .scan(0.0, |sum, x| {
                *sum = 0.8 * *sum + 0.6 * (x - 0.5);
                Some(*sum)
            })
            .collect();
        let width = |values: &[f64]| sizes(values, &[100], 0.95)[0].interval.map(|(low, high)| high - low);
        let (independent, dependent) = (width(&step(&noise)), width(&step(&remembering)));
        assert!(dependent.zip(independent).is_some_and(|(wide, narrow)| wide > 1.5 * narrow));
    }
}
