//! Fewer points than measured, and the same picture.

/// Up to so many points a page carries all of them.
pub(super) const MOST: usize = 6000;
/// Where there are more, the lowest and the highest of so many stretches of equal length are kept.
const STRETCHES: usize = 1500;

/// Positions of the points to show: all up to [`MOST`]; else the extremes of each stretch, which give the same picture at
/// any width below their number, and every point of `keep`.
pub(super) fn shown(points: &[f64], keep: impl IntoIterator<Item = usize>) -> Vec<usize> {
    if points.len() <= MOST {
        return (0..points.len()).collect();
    }
    let by_value = |&a: &usize, &b: &usize| points[a].total_cmp(&points[b]);
    let mut kept: Vec<usize> = vec![0, points.len() - 1];
    for stretch in 0..STRETCHES {
        let range = stretch * points.len() / STRETCHES..(stretch + 1) * points.len() / STRETCHES;
        kept.extend(range.clone().min_by(by_value));
        kept.extend(range.max_by(by_value));
    }
    kept.extend(keep.into_iter().filter(|&point| point < points.len()));
    kept.sort_unstable();
    kept.dedup();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_series_are_shown_whole() {
        assert_eq!(shown(&[3.0; 40], [7]), (0..40).collect::<Vec<_>>());
    }

    #[test]
    fn long_series_keep_their_ends_their_extremes_and_what_must_be_kept() {
        let mut points: Vec<f64> = (0..100_000).map(|i| f64::from(i % 977)).collect();
        points[54_321] = -5.0;
        points[65_432] = 5000.0;
        let shown = shown(&points, [123, 124, 99_998, 200_000]);
        for point in [0, 99_999, 54_321, 65_432, 123, 124, 99_998] {
            assert!(shown.binary_search(&point).is_ok(), "{point}");
        }
        assert!(shown.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(shown.len() <= 2 * STRETCHES + 5 && shown.len() > STRETCHES, "{}", shown.len());
        assert_eq!(shown.last(), Some(&99_999));
    }
}
