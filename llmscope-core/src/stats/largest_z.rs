//! The place in an interval whose rank sum is farthest from its expected value.

use multiversion::multiversion;

use super::lanes::{self, LANES};
use crate::cast::float;

/// The distance of each lane from the first.
const LANE_COUNTS: [f64; LANES] = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];

/// The number of values before the place with the largest |z|, and that |z| for independent values. `sums` are the sums of the
/// ranks before each place, of which each has at least `fewest` values on both sides. `None` if all ranks are equal, or if |z|
/// is less than `least`.
///
/// The largest is that of e²/\[k(n − k)\], for the excess e of the sum of the k ranks before the place. Most places are excluded
/// without a division, several at once.
#[multiversion(targets("x86_64+avx2"))]
pub(super) fn largest_z(ranks: &[f64], sums: &[f64], fewest: usize, least: f64) -> Option<(usize, f64)> {
    /// A quotient that rounding makes larger is not excluded.
    const ROUNDING: f64 = 1e-12;
    let n = float(ranks.len());
    let before = sums[0];
    let mean = (sums[ranks.len()] - before) / n;
    let squares = lanes::sum(ranks, |rank| (rank - mean) * (rank - mean));
    if squares <= 0.0 {
        return None;
    }
    // The variance of a sum of k of the n ranks, drawn without replacement: k(n − k)/(n − 1) times theirs.
    let least_score = least * least * squares / (n * (n - 1.0));
    let excess = |count: f64, sum: f64| sum - before - count * mean;
    let score = |count: f64, sum: f64| {
        let excess = excess(count, sum);
        excess * excess / (count * (n - count))
    };
    let places = &sums[fewest..=ranks.len() - fewest];
    let mut best = (fewest, score(float(fewest), places[0]));
    let mut base = float(fewest);
    let (chunks, rest) = places.as_chunks::<LANES>();
    for (block, chunk) in chunks.iter().enumerate() {
        let bound = best.1.max(least_score) * (1.0 - ROUNDING);
        let mut margins = [0.0; LANES];
        for lane in 0..LANES {
            let count = base + LANE_COUNTS[lane];
            let excess = excess(count, chunk[lane]);
            margins[lane] = excess * excess - bound * (count * (n - count));
        }
        if margins.iter().fold(false, |any, &margin| any | (margin > 0.0)) {
            for (lane, &sum) in chunk.iter().enumerate() {
                let score = score(base + LANE_COUNTS[lane], sum);
                if score > best.1 {
                    best = (fewest + block * LANES + lane, score);
                }
            }
        }
        base += float(LANES);
    }
    for (lane, &sum) in rest.iter().enumerate() {
        let count = base + LANE_COUNTS[lane];
        let excess = excess(count, sum);
        let bound = best.1.max(least_score) * (1.0 - ROUNDING);
        if excess * excess > bound * (count * (n - count)) {
            let score = score(count, sum);
            if score > best.1 {
                best = (fewest + chunks.len() * LANES + lane, score);
            }
        }
    }
    let z = (best.1 * n * (n - 1.0) / squares).sqrt();
    (z >= least).then_some((best.0, z))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::split_mix::SplitMix64;

    /// The first place with the largest quotient, each of which is divided.
    fn divided(sums: &[f64], fewest: usize) -> usize {
        let n = float(sums.len() - 1);
        let mean = sums[sums.len() - 1] / n;
        let score = |place: usize| {
            let excess = sums[place] - float(place) * mean;
            excess * excess / (float(place) * (n - float(place)))
        };
        (fewest..sums.len() - fewest).rev().max_by(|&a, &b| score(a).total_cmp(&score(b))).expect("a place")
    }

    #[test]
    fn the_place_is_that_of_the_largest_quotient() {
        let mut random = SplitMix64(3);
        for n in [4, 20, 27, 28, 36, 55, 400, 3001] {
            for shift in [0.0, 0.3] {
                let ranks: Vec<f64> = (0..n)
                    .map(|i| (random.uniform() * float(n) + if 3 * i > n { shift * float(n) } else { 0.0 }).floor())
                    .collect();
                let mut sums = vec![0.0];
                ranks.iter().for_each(|rank| sums.push(sums[sums.len() - 1] + rank));
                let fewest = (n / 4).min(10);
                let (place, z) = largest_z(&ranks, &sums, fewest, 0.0).expect("the ranks differ");
                assert_eq!(place, divided(&sums, fewest), "{n} ranks");
                assert_eq!(largest_z(&ranks, &sums, fewest, z), Some((place, z)), "{n} ranks");
                assert_eq!(largest_z(&ranks, &sums, fewest, z * 1.001), None, "{n} ranks");
            }
        }
        assert_eq!(largest_z(&[2.5; 30], &(0..=30).map(|i| 2.5 * float(i)).collect::<Vec<_>>(), 10, 0.0), None);
    }
}
