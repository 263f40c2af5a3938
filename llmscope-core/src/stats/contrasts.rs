//! The contrasts of all pairs of two samples: the one of a given rank, without materializing them.

use serde::{Deserialize, Serialize};

use super::ordinal::{number, ordinal};
use crate::cast::float;

/// The contrast between two values.
///
/// ```
/// use llmscope_core::stats::{Contrast, Sorted, hodges_lehmann};
///
/// let (slow, fast) = (Sorted::of(&[2.0, 4.0]), Sorted::of(&[1.0, 2.0]));
/// assert_eq!(hodges_lehmann(&slow, &fast, Contrast::Difference), Some(-1.5));
/// assert_eq!(hodges_lehmann(&slow, &fast, Contrast::Ratio), Some(0.5));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contrast {
    /// y − x.
    Difference,
    /// y/x, of positive values.
    Ratio,
}

impl Contrast {
    /// The contrast's name in files and in Python.
    ///
    /// ```
    /// use llmscope_core::stats::Contrast;
    ///
    /// assert_eq!(Contrast::Ratio.name(), "ratio");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Difference => "difference",
            Self::Ratio => "ratio",
        }
    }

    pub(super) fn of(self, x: f64, y: f64) -> f64 {
        match self {
            Self::Difference => y - x,
            Self::Ratio => y / x,
        }
    }

    /// The middle of two contrasts. That of ratios is geometric, so that the sides can be swapped.
    pub(super) fn between(self, low: f64, high: f64) -> f64 {
        match self {
            Self::Difference => f64::midpoint(low, high),
            Self::Ratio if low == high => low,
            Self::Ratio => low.sqrt() * high.sqrt(),
        }
    }
}

/// The contrast of 0-based rank `rank` among all pairs of two sorted samples, and the next one; the same one again for
/// the largest.
///
/// It is the smallest number with more than `rank` contrasts at or below it. The search probes numbers, and counts the
/// contrasts up to each of them in one pass. The first probes come from thinned samples. Then they interpolate, and
/// bisect the integers that stand for the numbers wherever that gains little.
pub(super) fn of_rank(x: &[f64], y: &[f64], contrast: Contrast, rank: usize) -> (f64, f64) {
    let mut window = Window::whole(x, y, contrast);
    let (found, next) = window.search(rank);
    // The next contrast is outside of the window if `rank` is the last one in it.
    let next =
        next.or_else(|| (window.up_to < x.len() * y.len()).then(|| Window::whole(x, y, contrast).search(rank + 1).0));
    (found, next.unwrap_or(found))
}

/// A sample that is longer than four times this is thinned for the first probes.
const THINNED: usize = 8192;

/// The numbers that a contrast can still have.
struct Window<'s> {
    x: &'s [f64],
    y: &'s [f64],
    contrast: Contrast,
    /// The ends, both inclusive, as integers.
    low: u64,
    high: u64,
    /// The number of contrasts below `low`.
    below: usize,
    /// The number of contrasts up to `high`.
    up_to: usize,
    /// The number of passes through the samples.
    passes: usize,
}

impl<'s> Window<'s> {
    fn whole(x: &'s [f64], y: &'s [f64], contrast: Contrast) -> Self {
        let least = contrast.of(x[x.len() - 1], y[0]);
        let most = contrast.of(x[0], y[y.len() - 1]);
        let (low, high) = (ordinal(least), ordinal(most));
        Self { x, y, contrast, low, high, below: 0, up_to: x.len() * y.len(), passes: 0 }
    }

    /// The number of contrasts within.
    fn size(&self) -> usize {
        self.up_to - self.below
    }

    /// The number of contrasts that are few enough to materialize.
    fn few(&self) -> usize {
        ((self.x.len() + self.y.len()) / 8).max(64)
    }

    /// The contrast of this rank, and the next one if it is within the window that is left.
    fn search(&mut self, rank: usize) -> (f64, Option<f64>) {
        if self.x.len().max(self.y.len()) > 4 * THINNED && self.low < self.high {
            for hint in self.hints(rank) {
                if self.low < self.high {
                    self.probe(ordinal(hint), rank);
                }
            }
        }
        let mut interpolates = true;
        while self.low < self.high {
            debug_assert!(self.passes < 256, "each second pass halves the window or moves its ends");
            let size = self.size();
            if size <= self.few() {
                let mut within = self.contrasts();
                let (_, found, above) = within.select_nth_unstable_by(rank - self.below, f64::total_cmp);
                return (*found, above.iter().copied().min_by(f64::total_cmp));
            }
            self.probe(if interpolates { self.interpolated(rank) } else { self.middle() }, rank);
            if self.size() == size {
                self.tighten();
            }
            interpolates = !interpolates || self.size() < size / 4;
        }
        // All that is left is equal.
        let found = number(self.low);
        (found, (self.up_to > rank + 1).then_some(found))
    }

    /// Two numbers between which the contrast of this rank probably is, from every k-th value of each sample.
    fn hints(&self, rank: usize) -> [f64; 2] {
        let thinned = |values: &[f64]| {
            let step = values.len().div_ceil(THINNED);
            values.iter().skip(step / 2).step_by(step).copied().collect::<Vec<f64>>()
        };
        let (x, y) = (thinned(self.x), thinned(self.y));
        let last = x.len() * y.len() - 1;
        let share = float(rank) / (float(self.x.len()) * float(self.y.len()));
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of the pairs")]
        let middle = ((share * float(last)) as usize).min(last);
        let margin = (x.len() + y.len()) / 4;
        let at = |rank: usize| Window::whole(&x, &y, self.contrast).search(rank).0;
        [at(middle.saturating_sub(margin)), at((middle + margin).min(last))]
    }

    /// Counts the contrasts up to a number, and keeps the side that contains the rank.
    fn probe(&mut self, at: u64, rank: usize) {
        let at = at.clamp(self.low, self.high - 1);
        let count = self.count_at_most(number(at));
        if count > rank {
            (self.high, self.up_to) = (at, count);
        } else {
            (self.low, self.below) = (at + 1, count);
        }
    }

    fn middle(&self) -> u64 {
        self.low + (self.high - self.low) / 2
    }

    /// Where the rank would be if the contrasts were even, moved towards the farther end, so that the probe cuts it off.
    fn interpolated(&self, rank: usize) -> u64 {
        let margin = float((self.few() / 4).max(self.size() / 1024));
        let ahead = if rank - self.below > self.up_to - rank { -margin } else { margin };
        let share = ((float(rank - self.below) + 0.5 + ahead) / float(self.size())).clamp(0.0, 1.0);
        let (low, high) = (number(self.low), number(self.high));
        ordinal(low + share * (high - low))
    }

    /// Moves the ends to the outermost contrasts within. Without this, a bisection would go through all the bits of a
    /// number that many pairs share.
    fn tighten(&mut self) {
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        for (x, y) in self.pairs() {
            if let Some((&first, &last)) = y.first().zip(y.last()) {
                least = least.min(self.contrast.of(x, first));
                most = most.max(self.contrast.of(x, last));
            }
        }
        self.passes += 1;
        (self.low, self.high) = (ordinal(least), ordinal(most));
    }

    /// The contrasts within.
    fn contrasts(&self) -> Vec<f64> {
        let mut all = Vec::with_capacity(self.size());
        for (x, y) in self.pairs() {
            all.extend(y.iter().map(|&y| self.contrast.of(x, y)));
        }
        all
    }

    /// Each x with the values of y whose contrasts are within: as x grows, its contrast with any y decreases.
    fn pairs(&self) -> impl Iterator<Item = (f64, &'s [f64])> {
        let (y, contrast, low, high) = (self.y, self.contrast, number(self.low), number(self.high));
        let (mut from, mut to) = (0, 0);
        self.x.iter().map(move |&x| {
            while from < y.len() && contrast.of(x, y[from]) < low {
                from += 1;
            }
            while to < y.len() && contrast.of(x, y[to]) <= high {
                to += 1;
            }
            (x, &y[from..to])
        })
    }

    /// The number of pairs whose contrast is at most `bound`.
    fn count_at_most(&mut self, bound: f64) -> usize {
        self.passes += 1;
        match self.contrast {
            Contrast::Difference => count_pairs(self.x, self.y, |x, y| y - x <= bound),
            Contrast::Ratio => count_pairs(self.x, self.y, |x, y| y / x <= bound),
        }
    }
}

/// The number of pairs of two sorted samples that are within a bound. The larger x, the more values of y are, from the first
/// one on.
///
/// Each step either takes the next y or counts those before it for this x. Which of them comes next is unpredictable, so that
/// a branch would take longer than the comparison, and one comparison waits for another: several parts of x are scanned at the
/// same time.
fn count_pairs(x: &[f64], y: &[f64], is_within: impl Fn(f64, f64) -> bool) -> usize {
    const SCANS: usize = 4;
    let part = x.len() / SCANS;
    let mut at: [usize; SCANS] = std::array::from_fn(|scan| scan * part);
    let end: [usize; SCANS] = std::array::from_fn(|scan| if scan + 1 < SCANS { (scan + 1) * part } else { x.len() });
    let mut reached = at.map(|at| y.partition_point(|&y| is_within(x[at], y)));
    let mut total = 0;
    loop {
        // In this number of steps, no scan leaves its part.
        let steps = (0..SCANS).map(|scan| end[scan] - at[scan]).min().unwrap_or(0);
        if steps == 0 {
            break;
        }
        for _ in 0..steps {
            for scan in 0..SCANS {
                let next = reached[scan].min(y.len() - 1);
                let takes = usize::from((reached[scan] < y.len()) & is_within(x[at[scan]], y[next]));
                total += reached[scan] * (1 - takes);
                at[scan] += 1 - takes;
                reached[scan] += takes;
            }
        }
    }
    for scan in 0..SCANS {
        for &x in &x[at[scan]..end[scan]] {
            reached[scan] += y[reached[scan]..].iter().take_while(|&&y| is_within(x, y)).count();
            total += reached[scan];
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::split_mix::SplitMix64;

    /// Samples of latencies: an exponential tail, a long tail, a clock that ticks, and one value for all.
    fn samples(n: usize, seed: u64) -> [Vec<f64>; 4] {
        let mut random = SplitMix64(seed);
        let mut draw = |of: fn(f64) -> f64| {
            let mut values: Vec<f64> = (0..n).map(|_| of(random.uniform())).collect();
            values.sort_by(f64::total_cmp);
            values
        };
        [
            draw(|u| 0.2 - u.ln()),
            draw(|u| (3.0 * (u / (1.0 - u)).ln()).exp()),
            draw(|u| (0.2 - u.ln() * 20.0).round() / 20.0 + 0.05),
            draw(|_| 0.25),
        ]
    }

    #[test]
    fn each_rank_is_that_of_the_sorted_contrasts() {
        for (n, m) in [(1, 1), (1, 7), (40, 30), (300, 200), (40_000, 3), (2, 50_000)] {
            for (x, y) in samples(n, 1).iter().zip(&samples(m, 2)) {
                for contrast in [Contrast::Difference, Contrast::Ratio] {
                    let mut all: Vec<f64> = x.iter().flat_map(|&x| y.iter().map(move |&y| contrast.of(x, y))).collect();
                    all.sort_by(f64::total_cmp);
                    let last = all.len() - 1;
                    for rank in [0, last / 3, last / 2, last - last / 5, last.saturating_sub(1), last] {
                        let expected = (all[rank], all[(rank + 1).min(last)]);
                        assert_eq!(of_rank(x, y, contrast, rank), expected, "{rank} of {n} × {m}");
                    }
                }
            }
        }
    }

    #[test]
    fn large_samples_take_few_passes() {
        let n = 100_000;
        let passes: Vec<usize> = samples(n, 3)
            .iter()
            .zip(&samples(n, 4))
            .flat_map(|(x, y)| [Contrast::Difference, Contrast::Ratio].map(|contrast| (x, y, contrast)))
            .map(|(x, y, contrast)| {
                let mut window = Window::whole(x, y, contrast);
                window.search(n * n / 2);
                window.passes
            })
            .collect();
        // A bisection of the bits of a number takes 18 passes, and 64 if many pairs have the same contrast.
        assert!(passes[..4].iter().all(|&passes| passes <= 9), "{passes:?}");
        assert!(passes[4..].iter().all(|&passes| passes <= 24), "{passes:?}");
    }
}
