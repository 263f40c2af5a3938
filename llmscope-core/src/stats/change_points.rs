//! Where the level of a series changes.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::f64::consts::FRAC_1_SQRT_2;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::largest_z::largest_z;
use super::rank_dependence::{description, inflation_of_differences, inflation_of_neighbours};
use super::ranks::{Ranking, mid_ranks};
use super::special::{normal_pdf, normal_quantile_upper};
use super::{Autoregression, about_means, fisher_sf};
use crate::cast::float;
use crate::sample::{Sample, ranges_between};

/// The default level: in a series whose level never changes, changes are found with at most this probability.
pub const CHANGE_POINT_LEVEL: f64 = 0.05;
/// Rounds in which the dependence that remains between the changes is estimated again.
const ROUNDS: usize = 5;
/// The first changes, for the first estimate of the dependence: too many are better than too few.
const LENIENT_LEVEL: f64 = 0.5;
/// Values on each side of a change that decide on its place.
const NEAR: usize = 200;
/// The place is moved by at most this many values.
const FARTHEST: usize = 50;

/// From a larger first estimate of V on, neighbours are dependent for certain.
const NEARLY_INDEPENDENT: f64 = 1.3;
/// Degrees of freedom that the estimate of V uses up.
const SPENT: f64 = 8.0;

/// A change of the level.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChangePoint {
    /// Position of the first value after it.
    pub at: usize,
    /// The largest rank statistic of a place between the neighbouring changes, in standard deviations.
    pub z: f64,
    /// Probability of so large a statistic anywhere if the level never changed: Miller and Siegmund's for one interval,
    /// times the number of intervals of its length and the effective number of lengths, which overlap.
    pub p: f64,
}

/// Finds where the level changes, each stretch between changes at least `fewest` values long, at
/// [`CHANGE_POINT_LEVEL`]. For another level, use [`change_points_at`].
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
#[doc(alias("changepoint", "change point detection", "PELT"))]
#[must_use]
pub fn change_points(sample: &Sample<'_>, fewest: usize) -> Vec<ChangePoint> {
    change_points_at(sample, fewest, CHANGE_POINT_LEVEL)
}

/// Finds where the level changes, each stretch between changes at least `fewest` values long. In a series whose level
/// never changes, changes are found with at most the probability `level`.
///
/// **Search.** A place is judged by Wilcoxon's rank sum, so that long tails and outliers do not matter, of the values
/// before it and after it in an interval; the place of the largest |z| is the interval's, and Miller and Siegmund's
/// (1982, *Biometrics* 38) p-value is that of a largest one. The intervals are those of seeded binary segmentation
/// (Kovács, Bühlmann, Li & Munk 2023, *Biometrika* 110): n, n/√2, n/2, … long, each half across the next, so that a
/// short change of a long series is the largest of some interval, in O(n log n) all together. Each length has the same
/// share of the level, and so has each interval of one length. Of the intervals that signal, the narrowest goes first
/// (Baranowski, Chen & Fryzlewicz 2019, *JRSS B* 81). Each stretch between two changes is then searched in its own seeded
/// intervals, which fit between them: where nothing changes there are no such stretches, so that this hardly adds a
/// false alarm. At last each place is determined again between its neighbours, and what no longer signals there is dropped.
///
/// **Place.** Ranks bound the difference between two levels, so that the largest |z| can be several values away from a
/// large change. The place is therefore the one near it that maximizes the nonparametric likelihood
/// Σ_u w_u Σ_s n_s \[F_s ln F_s + (1 − F_s) ln(1 − F_s)\], with F_s(u) the share of values below u on side s and
/// w_u = 1/\[F(1 − F)\] of both sides (Zou, Yin, Feng & Wang 2014, *Annals of Statistics* 42).
///
/// **Dependence.** Neighbouring values of a log depend on each other. The variance of the rank sums is inflated by
/// V = 1 + 2Σρ_k, the largest of three estimates. Each of them leaves out the changes found with the previous V:
/// - (1 + ρ)/(1 − ρ), with ρ from the mean squared differences d_k at lags 1 to 5, which a first-order autoregression
///   makes proportional to 1 − ρᵏ. Differences across a change do not count. No mean is estimated, so that too many
///   changes have no effect.
/// - the sum of 1 − d_k/d_∞ over the lags up to 2∛n, with d_∞ from as many longer lags, for levels that wander;
/// - V of an autoregression in the ranks less the mean of their stretch.
///
/// The last two grow if a change was missed, and a larger V loses more of them. If the first is at most 1.3, a larger V
/// that loses changes is therefore refused where the changes describe the series better than dependence does: by
/// n ln σ² of the prediction errors of an autoregression or of exponential smoothing, the best predictor of a random
/// walk under noise (Muth 1960, *JASA* 55), plus max(17.5, 3.4 ln n) for each change.
///
/// Fewer than twice `fewest` values have no change.
///
/// ```
/// use llmscope_core::{Sample, stats};
///
/// let noise = [31.0, 29.0, 30.0, 32.0, 28.0, 30.5, 29.5, 31.5, 28.5, 30.2, 29.1, 30.9];
/// let sample = Sample::new([noise, noise.map(|x| x + 9.0)].concat())?;
/// assert_eq!(stats::change_points_at(&sample, 10, 0.01)[0].at, 12);
/// assert!(stats::change_points_at(&Sample::new(noise.to_vec())?, 6, 0.01).is_empty());
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[must_use]
pub fn change_points_at(sample: &Sample<'_>, fewest: usize, level: f64) -> Vec<ChangePoint> {
    let search = Search::of(mid_ranks(sample.values()), fewest.max(1), level);
    if !search.has_places {
        return Vec::new();
    }
    if level > CHANGE_POINT_LEVEL {
        // Too many changes would lower V.
        let (inflation, _) = search.dependence(sample.breaks(), CHANGE_POINT_LEVEL);
        return search.changes(inflation, level);
    }
    search.dependence_of_few(sample.breaks(), level).1
}

/// Finds where the level changes, as [`change_points_at`] does, if V is known, such as from a long series without changes.
/// V is the factor by which dependence inflates the variance of a mean, 1 + 2Σρ_k: 1 for independent values, and
/// (1 + ρ)/(1 − ρ) for a first-order autoregression. A smaller one counts as 1.
///
/// ```
/// use llmscope_core::{Sample, stats};
///
/// let noise = [31.0, 29.0, 30.0, 32.0, 28.0, 30.5, 29.5, 31.5, 28.5, 30.2, 29.1, 30.9];
/// let sample = Sample::new([noise, noise.map(|x| x + 9.0)].concat())?;
/// assert_eq!(stats::change_points_given(&sample, 10, 0.01, 1.0).len(), 1);
/// // If 24 values carried the information of one, nothing could be found.
/// assert!(stats::change_points_given(&sample, 10, 0.01, 24.0).is_empty());
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[must_use]
pub fn change_points_given(sample: &Sample<'_>, fewest: usize, level: f64, inflation: f64) -> Vec<ChangePoint> {
    let search = Search::of(mid_ranks(sample.values()), fewest.max(1), level);
    search.changes(inflation.max(1.0), level)
}

/// What a search for changes found, at a level that several searches may share.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ChangeSearch {
    /// The changes.
    pub changes: Vec<ChangePoint>,
    /// V, by which dependence inflates the variance of the rank sums: the values carry the information of n/V
    /// independent ones.
    pub inflation: f64,
    /// The smallest p-value of any place; 1 if no place was judged.
    pub p: f64,
}

/// Finds where the level changes, as [`change_points_at`] does, and reports what the search knows of the values: V, and
/// the p-value of the most probable change even if it does not signal.
///
/// If the values depend on each other (V above 1.3), V is estimated from few independent ones. The tail is therefore Student's, with
/// m/V degrees of freedom for an interval of m of the n values, and at most n/V − 8. A short series that is judged although
/// its neighbors are alike is one whose dependence looks weaker than it is.
///
/// ```
/// use llmscope_core::{Sample, stats};
///
/// let noise = [31.0, 29.0, 30.0, 32.0, 28.0, 30.5, 29.5, 31.5, 28.5, 30.2, 29.1, 30.9];
/// let found = stats::search_changes(&Sample::new([noise, noise.map(|x| x + 9.0)].concat())?, 10, 0.01);
/// assert!(found.changes[0].at == 12 && found.p < 0.01);
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[must_use]
pub fn search_changes(sample: &Sample<'_>, fewest: usize, level: f64) -> ChangeSearch {
    RankedSearch::of(&Ranking::of(sample.values()), fewest, level).changes(sample.breaks(), level)
}

/// The search for changes in values whose ranking is known, at several levels.
pub(crate) struct RankedSearch(Search);

impl RankedSearch {
    /// `highest` is the highest of the levels.
    pub(crate) fn of(ranking: &Ranking, fewest: usize, highest: f64) -> Self {
        Self(Search { estimated_variance: true, ..Search::of(ranking.mid_ranks(), fewest.max(1), highest) })
    }

    /// What [`search_changes`] finds at this level.
    pub(crate) fn changes(&self, breaks: &[usize], level: f64) -> ChangeSearch {
        let Self(search) = self;
        if !search.has_places {
            return ChangeSearch { changes: Vec::new(), inflation: 1.0, p: 1.0 };
        }
        let (inflation, changes) = search.dependence_of_few(breaks, level);
        let of_changes = changes.iter().map(|change| change.p);
        let p = search.splits.iter().map(|split| search.p(split, inflation)).chain(of_changes).fold(1.0, f64::min);
        ChangeSearch { changes, inflation, p }
    }
}

/// The probability that a Brownian bridge, standardized and watched from `share` to 1 − `share` of its way, leaves ±b:
/// φ(b)·\[(b − 1/b)·2 ln((1 − share)/share) + 4/b\] (Miller & Siegmund 1982), for shares up to a half. It is what the
/// largest of many rank sums tends to. Meant for small probabilities; 1 for b up to 1, and for a share of 0.
///
/// ```
/// use llmscope_core::stats::maximally_selected_p;
///
/// // A search over all places finds |z| = 2 by chance far more often than a test of one place (p = 0.046).
/// assert!(maximally_selected_p(2.0, 0.05) > 0.3);
/// assert!(maximally_selected_p(6.0, 0.05) < 1e-6);
/// ```
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
    /// True if the tail of z allows for the estimation of V.
    estimated_variance: bool,
    layers: Vec<Layer>,
    /// True if an interval has a place.
    has_places: bool,
    /// The best place of each interval whose p-value can be less than 1, the narrowest interval first.
    splits: Vec<Split>,
    /// The estimates of V so far.
    inflations: RefCell<Vec<KnownInflation>>,
}

/// An estimate of V that leaves out the changes at these places.
struct KnownInflation {
    at: Vec<usize>,
    breaks: Vec<usize>,
    inflation: f64,
}

/// Intervals of one length among n values.
struct Layer {
    length: usize,
    n: usize,
    count: usize,
    exact_length: f64,
    shift: f64,
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
    /// A search at levels up to `highest`.
    fn of(ranks: Vec<f64>, fewest: usize, highest: f64) -> Self {
        let mut sums = Vec::with_capacity(ranks.len() + 1);
        sums.push(0.0);
        sums.extend(ranks.iter().scan(0.0, |sum, rank| {
            *sum += rank;
            Some(*sum)
        }));
        let layers = layers(ranks.len(), fewest);
        let has_places = !layers.is_empty() && ranks.iter().any(|&rank| rank != ranks[0]);
        let (splits, inflations) = (Vec::new(), RefCell::default());
        let mut search =
            Self { ranks, sums, fewest, estimated_variance: false, layers, has_places, splits, inflations };
        let of_layer = |(index, layer): (usize, &Layer)| {
            // Short intervals, rounded up by at most 2, can be as long as those of other layers.
            let like = search.layer_of(layer.length + 2).unwrap_or(index)..=index;
            // At a level of 1, even a p-value of 1 would signal.
            let least = if highest < 1.0 { like.map(|layer| search.least_z(layer)).fold(40.0, f64::min) } else { 0.0 };
            layer.intervals().map(move |interval| (interval, least))
        };
        let intervals = search.layers.iter().enumerate().rev().flat_map(of_layer);
        search.splits = intervals.filter_map(|(interval, least)| search.split_above(interval, least)).collect();
        search
    }

    /// A z up to which the p-value is 1, whatever the inflation is.
    fn least_z(&self, layer: usize) -> f64 {
        /// A quotient that rounding makes larger is not excluded.
        const ROUNDING: f64 = 1e-9;
        const BISECTIONS: usize = 40;
        let (looked_at, share) = (self.looked_at(layer), float(self.fewest) / float(self.layers[layer].length));
        // Up to its maximum, near 1, the probability of one interval is at least φ(1)·4 = 0.97.
        if looked_at < 1.1 {
            return 0.0;
        }
        let (mut low, mut high) = (1.0, 40.0);
        for _ in 0..BISECTIONS {
            let middle = 0.5 * (low + high);
            if maximally_selected_p(middle, share) * looked_at > 1.0 {
                low = middle;
            } else {
                high = middle;
            }
        }
        low * (1.0 - ROUNDING)
    }

    /// The place of the largest |z| within an interval; `None` if it is too short or all its values are equal.
    fn split(&self, within: Range<usize>) -> Option<Split> {
        self.split_above(within, 0.0)
    }

    /// The same; `None` also if its |z| is less than `least`.
    fn split_above(&self, within: Range<usize>, least: f64) -> Option<Split> {
        if within.len() < 2 * self.fewest {
            return None;
        }
        let (ranks, sums) = (&self.ranks[within.clone()], &self.sums[within.start..=within.end]);
        let (before, z) = largest_z(ranks, sums, self.fewest, least)?;
        let at = within.start + before;
        Some(Split { within, at, z })
    }

    /// The layer of intervals of this length.
    fn layer_of(&self, length: usize) -> Option<usize> {
        self.layers.iter().position(|layer| layer.length <= length)
    }

    /// The number of intervals like those of this layer that were looked at.
    fn looked_at(&self, layer: usize) -> f64 {
        float(self.layers.get(layer).map_or(1, |layer| layer.count)) * effective_lengths(self.layers.len())
    }

    /// How probable so large a z is anywhere, at most, under this inflation of its variance.
    fn p(&self, split: &Split, inflation: f64) -> f64 {
        let length = split.within.len();
        let looked_at = self.looked_at(self.layer_of(length).unwrap_or(self.layers.len().saturating_sub(1)));
        let mut z = split.z / inflation.sqrt();
        if self.estimated_variance && inflation > NEARLY_INDEPENDENT {
            let independent = float(self.ranks.len()) / inflation;
            z = as_normal(z, (float(length) / inflation).min((independent - SPENT).max(2.0)));
        }
        let p = maximally_selected_p(z, float(self.fewest) / float(length));
        (p * looked_at).min(1.0)
    }

    fn changes(&self, inflation: f64, level: f64) -> Vec<ChangePoint> {
        let at = self.completed(self.narrowest(inflation, level), inflation, level);
        let change = |Standing { split, p }: Standing| {
            split.map(|Split { at, z, .. }| ChangePoint { at, z: z / inflation.sqrt(), p })
        };
        let mut found: Vec<ChangePoint> = self.settled(at, inflation, level).into_iter().filter_map(change).collect();
        for i in 0..found.len() {
            let from = if i == 0 { 0 } else { found[i - 1].at };
            let to = found.get(i + 1).map_or(self.ranks.len(), |next| next.at);
            found[i].at = self.likeliest(from..to, found[i].at);
        }
        found
    }

    /// V, by which dependence inflates the variance of the rank sums, and the changes at this level with it.
    fn dependence(&self, breaks: &[usize], level: f64) -> (f64, Vec<ChangePoint>) {
        let ranks = &self.ranks;
        let first = places(&self.changes(1.0, LENIENT_LEVEL));
        let mut inflation = inflation_of_neighbours(ranks, &first, breaks);
        let nearly_independent = inflation <= NEARLY_INDEPENDENT;
        let mut found = self.changes(inflation, level);
        for _ in 0..ROUNDS {
            let at = places(&found);
            let larger = self.largest_inflation(&at, breaks);
            if larger <= inflation {
                break;
            }
            if at.is_empty() {
                // A search with a larger V finds no changes either.
                inflation = larger;
                break;
            }
            let fewer = self.changes(larger, level);
            if nearly_independent && fewer.len() < found.len() {
                let without = description(ranks, &places(&fewer), breaks).min(description(ranks, &[], breaks));
                if description(ranks, &at, breaks) < without {
                    break;
                }
            }
            (inflation, found) = (larger, fewer);
        }
        (inflation, found)
    }

    /// The largest estimate of V that leaves out these changes. Searches at several levels often leave out the same ones.
    fn largest_inflation(&self, at: &[usize], breaks: &[usize]) -> f64 {
        let mut known = self.inflations.borrow_mut();
        if let Some(found) = known.iter().find(|known| known.at == at && known.breaks == breaks) {
            return found.inflation;
        }
        let inflation = Autoregression::of(&about_means(&self.ranks, at), breaks)
            .inflation()
            .max(inflation_of_neighbours(&self.ranks, at, breaks))
            .max(inflation_of_differences(&self.ranks, at, breaks));
        known.push(KnownInflation { at: at.to_vec(), breaks: breaks.to_vec(), inflation });
        inflation
    }

    /// The same for a series that may be short. A change that does not signal at a strict level stays inside the values, and
    /// inflates V. V is then the smaller one of those with and without the changes at the default level.
    fn dependence_of_few(&self, breaks: &[usize], level: f64) -> (f64, Vec<ChangePoint>) {
        /// In longer series, a change inside hardly matters for V.
        const MANY: usize = 5_000;
        let (inflation, found) = self.dependence(breaks, level);
        if !found.is_empty() || level >= CHANGE_POINT_LEVEL || self.ranks.len() > MANY {
            return (inflation, found);
        }
        let (smaller, _) = self.dependence(breaks, CHANGE_POINT_LEVEL);
        if smaller < inflation { (smaller, self.changes(smaller, level)) } else { (inflation, found) }
    }

    /// The place of the largest nonparametric likelihood near a change between its neighbours.
    fn likeliest(&self, between: Range<usize>, at: usize) -> usize {
        /// Thresholds in each half of the distribution.
        const THRESHOLDS: usize = 12;
        /// Smaller differences are rounding errors.
        const TIE: f64 = 1e-9;
        let near = between.start.max(at.saturating_sub(NEAR))..between.end.min(at + NEAR);
        let first = (between.start + self.fewest).max(at.saturating_sub(FARTHEST)).max(near.start + 1);
        let last = between.end.saturating_sub(self.fewest).min(at + FARTHEST).min(near.end - 1);
        if !(first..=last).contains(&at) {
            return at;
        }
        let mut sorted = self.ranks[near.clone()].to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let n = sorted.len();
        let products = half_products(n);
        // n[F ln F + (1 − F) ln(1 − F)] of `below` halves among `count` values.
        let log_likelihood =
            |below: usize, count: usize| products[below] + products[2 * count - below] - products[2 * count];
        let mut likelihoods = vec![0.0; last - first + 1];
        for j in 1..=THRESHOLDS {
            let lower = j * n / (2 * THRESHOLDS + 2);
            for threshold in [sorted[lower], sorted[n - 1 - lower]] {
                // The threshold itself counts half, so that the direction of the order does not matter.
                let halves = |rank: f64| if rank < threshold { 2 } else { usize::from(rank == threshold) };
                let total: usize = sorted.iter().map(|&rank| halves(rank)).sum();
                let weight = 4.0 / (float(total) * float(2 * n - total));
                let mut before: usize = self.ranks[near.start..first].iter().map(|&rank| halves(rank)).sum();
                for (place, likelihood) in (first..=last).zip(&mut likelihoods) {
                    let left = log_likelihood(before, place - near.start);
                    *likelihood += weight * (left + log_likelihood(total - before, near.end - place));
                    before += halves(self.ranks[place]);
                }
            }
        }
        let mut best = at;
        for place in first..=last {
            if likelihoods[place - first] > likelihoods[best - first] + TIE {
                best = place;
            }
        }
        best
    }

    /// The places of those intervals that signal, the narrowest first, and of wider ones that hold none of them yet.
    fn narrowest(&self, inflation: f64, level: f64) -> BTreeSet<usize> {
        let mut chosen = BTreeSet::new();
        for split in self.splits.iter().filter(|split| self.p(split, inflation) <= level) {
            let Range { start, end } = split.within;
            let near = split.at - (self.fewest - 1)..split.at + self.fewest;
            if chosen.range(start + 1..end).next().is_none() && chosen.range(near).next().is_none() {
                chosen.insert(split.at);
            }
        }
        chosen
    }

    /// With those, too, that only stand out in an interval of a stretch between changes, where no interval of the whole
    /// series fits.
    fn completed(&self, mut chosen: BTreeSet<usize>, inflation: f64, level: f64) -> Vec<usize> {
        let at: Vec<usize> = chosen.iter().copied().collect();
        let mut open: Vec<Range<usize>> = ranges_between(&at, self.ranks.len()).collect();
        while let Some(stretch) = open.pop() {
            let Some(split) = self.narrowest_of(&stretch, inflation, level) else { continue };
            chosen.insert(split.at);
            open.extend([stretch.start..split.at, split.at..stretch.end]);
        }
        chosen.into_iter().collect()
    }

    /// The split of the narrowest interval of a stretch that signals.
    fn narrowest_of(&self, stretch: &Range<usize>, inflation: f64, level: f64) -> Option<Split> {
        /// In a longer stretch, hardly any change is too short for the intervals of the whole series.
        const LONG: usize = 1_000;
        let signals = |within: Range<usize>| self.split(within).filter(|split| self.p(split, inflation) <= level);
        let is_known = stretch.len() == self.ranks.len() || stretch.len() > LONG;
        if is_known {
            return signals(stretch.clone());
        }
        let layers = layers(stretch.len(), self.fewest);
        let intervals = layers.iter().rev().flat_map(Layer::intervals);
        let inside = |interval: Range<usize>| stretch.start + interval.start..stretch.start + interval.end;
        intervals.map(inside).find_map(signals)
    }

    /// Each change where it stands out most between its neighbours; the least of those that do not stand out is
    /// dropped, one after the other.
    fn settled(&self, mut at: Vec<usize>, inflation: f64, level: f64) -> Vec<Standing> {
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
                Some((weakest, p)) if p > level => {
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

/// The normal deviate as improbable as this deviate of Student's distribution.
fn as_normal(t: f64, degrees_of_freedom: f64) -> f64 {
    /// Smaller deviates never signal.
    const SMALL: f64 = 2.0;
    if t < SMALL {
        return t;
    }
    let tail = fisher_sf(t * t, 1.0, degrees_of_freedom).map(|both| both / 2.0);
    tail.and_then(normal_quantile_upper).map_or(t, |z| z.min(t))
}

/// The number that this many lengths count as in Bonferroni's correction: a sixth of it, at least 1.8. They overlap so
/// far that the largest |z| of all lengths is hardly larger than that of one (`examples/change_points.rs`).
fn effective_lengths(lengths: usize) -> f64 {
    let lengths = float(lengths);
    (lengths / 6.0).max(lengths.min(1.8))
}

impl Layer {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and n")]
    fn intervals(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let &Self { n, count, exact_length, shift, .. } = self;
        (0..count).map(move |i| {
            let start = float(i) * shift;
            start.floor() as usize..((start + exact_length - 1e-9).ceil() as usize).min(n)
        })
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
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most n")]
        layers.push(Layer { length: length as usize, n, count, exact_length: length, shift });
        length *= FRAC_1_SQRT_2;
        reach /= FRAC_1_SQRT_2;
    }
    layers
}

/// x ln x of the halves 0, ½, 1, … up to n: a logarithm for each threshold and place would take longer than the search.
fn half_products(n: usize) -> Vec<f64> {
    let product = |halves: usize| float(halves) / 2.0 * (float(halves) / 2.0).ln();
    std::iter::once(0.0).chain((1..=2 * n).map(product)).collect()
}

/// Where these changes are.
pub(crate) fn places(found: &[ChangePoint]) -> Vec<usize> {
    found.iter().map(|change| change.at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::split_mix::SplitMix64;

    #[test]
    fn places_with_a_p_value_of_one_do_not_matter() {
        let mut random = SplitMix64(11);
        for (n, memory, step) in [(12, 0.0, 1.0), (80, 0.0, 0.6), (400, 0.5, 0.0), (900, 0.0, 0.2), (2500, 0.8, 0.4)] {
            let mut noise = 0.0;
            let values: Vec<f64> = (0..n)
                .map(|i| {
                    noise = memory * noise + random.uniform();
                    noise + if 2 * i > n { step } else { 0.0 }
                })
                .collect();
            for fewest in [1, 2, 3, 5, 10] {
                let search = |highest: f64| RankedSearch::of(&Ranking::of(&values), fewest, highest);
                let (few, all) = (search(0.05), search(1.0));
                assert!(few.0.splits.len() < all.0.splits.len() || n == 12, "{n} values");
                for level in [0.001, 0.05] {
                    assert_eq!(few.changes(&[], level), all.changes(&[], level), "{n} values, {fewest} at least");
                }
            }
        }
    }
}
