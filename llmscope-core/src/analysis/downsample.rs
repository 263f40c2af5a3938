//! Downsampling: fewer points, the same picture.

use super::Analysis;

/// Positions of the points to show. If there are at most `most` points, all of them. Otherwise: both ends, the minimum
/// and the maximum of each of `most / 4` intervals of equal length, and every point of `keep`. The picture is the same
/// at any width below the number of intervals.
///
/// ```
/// use llmscope_core::analysis::downsample;
///
/// let points: Vec<f64> = (0..1000).map(f64::from).collect();
/// let shown = downsample(&points, 100, [500]);
/// assert!(shown.len() < 100 && shown.contains(&500));
/// ```
#[must_use]
pub fn downsample(points: &[f64], most: usize, keep: impl IntoIterator<Item = usize>) -> Vec<usize> {
    if points.len() <= most {
        return (0..points.len()).collect();
    }
    let intervals = (most / 4).max(1);
    let by_value = |&a: &usize, &b: &usize| points[a].total_cmp(&points[b]);
    let mut kept: Vec<usize> = vec![0, points.len() - 1];
    for interval in 0..intervals {
        let range = interval * points.len() / intervals..(interval + 1) * points.len() / intervals;
        kept.extend(range.clone().min_by(by_value));
        kept.extend(range.max_by(by_value));
    }
    kept.extend(keep.into_iter().filter(|&point| point < points.len()));
    kept.sort_unstable();
    kept.dedup();
    kept
}

impl Analysis {
    /// Downsamples [`Analysis::points`] to about `most`. Points that begin, complete or end a violation are kept, and
    /// [`Point::i`](super::Point) still counts all points.
    pub fn downsample_points(&mut self, most: usize) {
        let Some(points) = self.points.take() else { return };
        let values: Vec<f64> = points.iter().map(|point| point.x).collect();
        let marks = self.patterns.violations.iter().flat_map(|found| [found.first, found.first_signal, found.last]);
        let mut kept = downsample(&values, most, marks).into_iter().peekable();
        let mut is_kept = |point: &super::Point| kept.next_if_eq(&point.i).is_some();
        self.points = Some(points.into_iter().filter(|point| is_kept(point)).collect());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_series_are_shown_whole() {
        assert_eq!(downsample(&[3.0; 40], 40, [7]), (0..40).collect::<Vec<_>>());
    }

    #[test]
    fn long_series_keep_their_ends_their_extremes_and_what_must_be_kept() {
        let mut points: Vec<f64> = (0..100_000).map(|i| f64::from(i % 977)).collect();
        points[54_321] = -5.0;
        points[65_432] = 5000.0;
        let shown = downsample(&points, 6000, [123, 124, 99_998, 200_000]);
        for point in [0, 99_999, 54_321, 65_432, 123, 124, 99_998] {
            assert!(shown.binary_search(&point).is_ok(), "{point}");
        }
        assert!(shown.windows(2).all(|pair| pair[0] < pair[1]));
        assert!((1501..=3005).contains(&shown.len()), "{}", shown.len());
        assert_eq!(shown.last(), Some(&99_999));
    }
}
