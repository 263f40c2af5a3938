//! Where the level of a series changes.

use std::collections::BTreeSet;
use std::f64::consts::FRAC_1_SQRT_2;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::ranks::scored_by_rank;
use super::special::normal_pdf;
use super::{Autoregression, Sorted, about_means};
use crate::cast::float;
use crate::sample::{Sample, ranges_between, segments};

/// In a series whose level never changes, changes are found with at most this probability.
pub const CHANGE_POINT_LEVEL: f64 = 0.05;
/// Rounds in which the dependence between the changes is estimated again.
const ROUNDS: usize = 5;

/// A change of the level.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ChangePoint {
    /// Position of the first value after it.
    pub at: usize,
    /// The rank statistic of the values between the neighbouring changes, before this one and after it, in standard
    /// deviations.
    pub z: f64,
    /// Probability of so large a statistic anywhere if the level never changed: at most so large, by Bonferroni over
    /// all that was looked at.
    pub p: f64,
}

/// Finds where the level changes, each stretch between changes at least `fewest` values long.
///
/// A place is judged by Wilcoxon's rank sum, so that long tails and outliers do not matter, of the values before it and
/// after it in an interval; the place of the largest |z| is the interval's, and Miller and Siegmund's (1982,
/// *Biometrics* 38) p-value is that of a largest one. The intervals are those of seeded binary segmentation (Kovács,
/// Bühlmann, Li & Munk 2023, *Biometrika* 110): n, n/√2, n/2, … long, each half across the next, so that a short change
/// of a long series is the largest of some interval, in O(n log n) all together. The level α = 0.05 is shared equally
/// among the lengths, and then among the intervals of one length. Of those that signal, the narrowest tells first
/// (Baranowski, Chen & Fryzlewicz 2019, *JRSS B* 81). What signals in a whole stretch between two changes is one, too;
/// each place is then found again between the adjacent changes, and a change that no longer signals there is dropped.
///
/// Neighbouring values of a log depend on each other. The variance of the rank sums is inflated by (1 + ρ)/(1 − ρ), ρ from
/// the ratio of mean squared differences at lags 2 and 1, which changes of level hardly disturb; and by what an
/// autoregression finds in the ranks less the mean of their stretch, if that is more.
///
/// Fewer than twice `fewest` values have no change.
///
/// ```
/// use llmscope_core::{Sample, stats};
///
/// let before = [31.0, 29.0, 30.0, 32.0, 28.0, 30.5, 29.5, 31.5, 28.5, 30.2, 29.1, 30.9];
/// let values: Vec<f64> = before.iter().copied().chain(before.iter().map(|x| x + 9.0)).collect();
/// let found = stats::change_points(&Sample::new(values)?, 10);
/// assert_eq!(found.iter().map(|change| change.at).collect::<Vec<_>>(), [12]);
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[must_use]
pub fn change_points(sample: &Sample<'_>, fewest: usize) -> Vec<ChangePoint> {
    let values = sample.values();
    let search = Search::of(scored_by_rank(values, &Sorted::of(values), |rank| rank), fewest.max(1));
    let mut inflation = inflation_of_neighbours(&search.ranks, sample.breaks());
    let mut found = search.changes(inflation);
    for _ in 0..ROUNDS {
        let at: Vec<usize> = found.iter().map(|change| change.at).collect();
        let left = Autoregression::of(&about_means(&search.ranks, &at), sample.breaks()).inflation();
        if left <= inflation || found.is_empty() {
            break;
        }
        inflation = left;
        found = search.changes(inflation);
    }
    found
}

/// The probability that a Brownian bridge, standardized and watched from `share` to 1 − `share` of its way, leaves ±b:
/// φ(b)·\[(b − 1/b)·2 ln((1 − share)/share) + 4/b\] (Miller & Siegmund 1982), for shares up to a half. It is what the
/// largest of many rank sums tends to. Meant for small probabilities; 1 for b up to 1, and for a share of 0.
#[must_use]
pub fn maximally_selected_p(b: f64, share: f64) -> f64 {
    if b.is_nan() || b <= 1.0 || share.is_nan() || share <= 0.0 {
        return 1.0;
    }
    let density = normal_pdf(b);
    if density == 0.0 {
        return 0.0;
    }
    let width = 2.0 * ((1.0 - share) / share).ln().max(0.0);
    (density * ((b - 1.0 / b) * width + 4.0 / b)).min(1.0)
}

/// Everything that was looked at.
struct Search {
    ranks: Vec<f64>,
    /// Sums of the ranks before each position: multiples of a half, and exact.
    sums: Vec<f64>,
    fewest: usize,
    layers: Vec<Layer>,
    /// The best place of each interval that has one, the narrowest interval first.
    splits: Vec<Split>,
}

/// Intervals of one length.
struct Layer {
    length: usize,
    intervals: Vec<Range<usize>>,
}

/// The best place of an interval.
#[derive(Debug, Clone)]
struct Split {
    within: Range<usize>,
    at: usize,
    /// For independent values.
    z: f64,
}

/// How a change stands out between its neighbours.
#[derive(Debug, Clone)]
struct Standing {
    split: Option<Split>,
    p: f64,
}

impl Search {
    fn of(ranks: Vec<f64>, fewest: usize) -> Self {
        let running = ranks.iter().scan(0.0, |sum, rank| {
            *sum += rank;
            Some(*sum)
        });
        let sums = [0.0].into_iter().chain(running).collect();
        let layers = layers(ranks.len(), fewest);
        let mut search = Self { ranks, sums, fewest, layers, splits: Vec::new() };
        let intervals = search.layers.iter().rev().flat_map(|layer| &layer.intervals);
        search.splits = intervals.filter_map(|interval| search.split(interval.clone())).collect();
        search
    }

    /// The place of the largest |z| within an interval; `None` if it is too short or all its values are equal.
    fn split(&self, within: Range<usize>) -> Option<Split> {
        let (start, length) = (within.start, within.len());
        if length < 2 * self.fewest {
            return None;
        }
        let n = float(length);
        let mean = (self.sums[within.end] - self.sums[start]) / n;
        let squares: f64 = self.ranks[within.clone()].iter().map(|rank| (rank - mean).powi(2)).sum();
        if squares <= 0.0 {
            return None;
        }
        let score = |before: usize| {
            let count = float(before);
            let excess = self.sums[start + before] - self.sums[start] - count * mean;
            excess * excess / (count * (n - count))
        };
        let places = self.fewest..=length - self.fewest;
        let best = places.map(|before| (before, score(before))).reduce(|a, b| if b.1 > a.1 { b } else { a });
        // The variance of a sum of k of the n ranks, drawn without replacement: k(n − k)/(n − 1) times theirs.
        best.map(|(before, score)| Split { within, at: start + before, z: (score * n * (n - 1.0) / squares).sqrt() })
    }

    /// How probable so large a z is anywhere, at most, under this inflation of its variance.
    fn p(&self, split: &Split, inflation: f64) -> f64 {
        let length = split.within.len();
        let layer = self.layers.iter().find(|layer| layer.length <= length).or(self.layers.last());
        let looked_at = self.layers.len() * layer.map_or(1, |layer| layer.intervals.len());
        let p = maximally_selected_p(split.z / inflation.sqrt(), float(self.fewest) / float(length));
        (p * float(looked_at)).min(1.0)
    }

    fn changes(&self, inflation: f64) -> Vec<ChangePoint> {
        let at = self.completed(self.narrowest(inflation), inflation);
        let change = |Standing { split, p }: Standing| {
            split.map(|Split { at, z, .. }| ChangePoint { at, z: z / inflation.sqrt(), p })
        };
        self.settled(at, inflation).into_iter().filter_map(change).collect()
    }

    /// The places of those intervals that signal, the narrowest first, and of wider ones that hold none of them yet.
    fn narrowest(&self, inflation: f64) -> BTreeSet<usize> {
        let mut chosen = BTreeSet::new();
        for split in self.splits.iter().filter(|split| self.p(split, inflation) <= CHANGE_POINT_LEVEL) {
            let Range { start, end } = split.within;
            let near = split.at - (self.fewest - 1)..split.at + self.fewest;
            if chosen.range(start + 1..end).next().is_none() && chosen.range(near).next().is_none() {
                chosen.insert(split.at);
            }
        }
        chosen
    }

    /// With those, too, that only stand out in a whole stretch between changes, where no interval fits.
    fn completed(&self, mut chosen: BTreeSet<usize>, inflation: f64) -> Vec<usize> {
        let at: Vec<usize> = chosen.iter().copied().collect();
        let mut open: Vec<Range<usize>> = ranges_between(&at, self.ranks.len()).collect();
        while let Some(stretch) = open.pop() {
            let Some(split) = self.split(stretch) else { continue };
            if self.p(&split, inflation) <= CHANGE_POINT_LEVEL {
                chosen.insert(split.at);
                open.extend([split.within.start..split.at, split.at..split.within.end]);
            }
        }
        chosen.into_iter().collect()
    }

    /// Each change where it stands out most between its neighbours; the least of those that do not stand out is
    /// dropped, one after the other.
    fn settled(&self, mut at: Vec<usize>, inflation: f64) -> Vec<Standing> {
        let mut standing = vec![Standing { split: None, p: 1.0 }; at.len()];
        // Places move towards each other's best; should two of them never agree, this many rounds are enough.
        for _ in 0..at.len() + 100 {
            let mut moved = false;
            for i in 0..at.len() {
                let from = if i == 0 { 0 } else { at[i - 1] };
                let to = at.get(i + 1).copied().unwrap_or(self.ranks.len());
                if standing[i].split.as_ref().is_none_or(|split| split.within != (from..to)) {
                    let split = self.split(from..to);
                    let best = split.as_ref().map_or(at[i], |split| split.at);
                    moved |= best != at[i];
                    at[i] = best;
                    standing[i] = Standing { p: split.as_ref().map_or(1.0, |split| self.p(split, inflation)), split };
                }
            }
            let weakest = standing.iter().map(|it| it.p).enumerate().reduce(|a, b| if b.1 > a.1 { b } else { a });
            match weakest {
                Some((weakest, p)) if p > CHANGE_POINT_LEVEL => {
                    at.remove(weakest);
                    standing.remove(weakest);
                }
                _ if !moved => break,
                _ => {}
            }
        }
        standing
    }
}

/// The intervals of seeded binary segmentation, from the whole series down to what has one place left.
fn layers(n: usize, fewest: usize) -> Vec<Layer> {
    let mut layers = Vec::new();
    let mut length = float(n);
    let mut reach = 1.0_f64;
    while length >= float(2 * fewest) {
        // 2⌈√2ᵏ⌉ − 1 of them; a whole power of two must not be rounded up.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most n/fewest")]
        let count = 2 * (reach - 1e-9).ceil() as usize - 1;
        let shift = if count > 1 { (float(n) - length) / float(count - 1) } else { 0.0 };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and n")]
        let interval = |i: usize| {
            let start = float(i) * shift;
            start.floor() as usize..((start + length - 1e-9).ceil() as usize).min(n)
        };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most n")]
        layers.push(Layer { length: length as usize, intervals: (0..count).map(interval).collect() });
        length *= FRAC_1_SQRT_2;
        reach /= FRAC_1_SQRT_2;
    }
    layers
}

/// (1 + ρ)/(1 − ρ) with 1 + ρ the ratio of the mean squared differences at lags 2 and 1, the largest tenth of each left
/// out: that is where changes of the level are. Negative correlation counts as none.
fn inflation_of_neighbours(ranks: &[f64], breaks: &[usize]) -> f64 {
    const MOST: f64 = 0.99;
    let neighbours = trimmed_mean_square(ranks, breaks, 1);
    if neighbours <= 0.0 {
        return 1.0;
    }
    let rho = (trimmed_mean_square(ranks, breaks, 2) / neighbours - 1.0).clamp(0.0, MOST);
    (1.0 + rho) / (1.0 - rho)
}

/// The mean squared difference of values `lag` apart without the largest tenth; 0 if there is none.
fn trimmed_mean_square(ranks: &[f64], breaks: &[usize], lag: usize) -> f64 {
    const ONE_IN: usize = 10;
    let differences = segments(ranks, breaks).flat_map(|segment| segment.windows(lag + 1).map(|w| w[lag] - w[0]));
    let mut squares: Vec<f64> = differences.map(|difference| difference * difference).collect();
    let kept = squares.len() - squares.len().div_ceil(ONE_IN);
    if kept == 0 {
        return 0.0;
    }
    squares.select_nth_unstable_by(kept, f64::total_cmp);
    squares[..kept].iter().sum::<f64>() / float(kept)
}
