//! One run: the changes of its level and of its dispersion.

use super::super::Series;
use super::change::{Change, Direction, Part};
use super::family::{FEWEST, Family};
use super::parts::{at_position, needed};
use super::sequence::{Sequence, Sequences};
use super::{CONFIDENCE, rare, since, size};
use crate::cast::float;
use crate::sample::{Sample, ranges_between};
use crate::stats::{
    ChangePoint, ChangeSearch, ChangeSize, Contrast, MannWhitney, Ranking, Sorted, change_sizes, median, mid_ranks,
    search_ranked,
};

/// The level and the dispersion of one run.
pub(super) struct JudgedRun<'r> {
    run: &'r Sequence,
    pub(super) on_logarithms: bool,
    pub(super) level: ChangeSearch,
    pub(super) spread: ChangeSearch,
    /// Changes of the dispersion about one median that are changes of the level: the dispersion about the medians before and
    /// after them is the same.
    shifts: Vec<ChangePoint>,
    /// The levels of the two searches.
    levels: [f64; 2],
    /// The values, or their logarithms, about the medians of their stages.
    pub(super) residuals: Vec<f64>,
    /// Their absolute values.
    distances: Vec<f64>,
}

impl<'r> JudgedRun<'r> {
    pub(super) fn of(run: &'r Sequence, level: f64, spread_level: f64) -> Self {
        let on_logarithms = run.values.iter().all(|&x| x > 0.0);
        let found = search(&run.values, &Ranking::of(&run.values), level);
        let residuals = about_medians(&run.values, &found.changes, on_logarithms);
        let distances = distances(&residuals);
        let mut spread = search(&distances, &Ranking::of(&distances), spread_level);
        let is_dispersion = |change: &ChangePoint| disperses(&run.values, change, [&found, &spread], on_logarithms);
        let (dispersion, shifts) = spread.changes.iter().partition(|change| is_dispersion(change));
        spread.changes = dispersion;
        let levels = [level, spread_level];
        Self { run, on_logarithms, level: found, spread, shifts, levels, residuals, distances }
    }

    pub(super) fn is_informative(&self) -> bool {
        needed(self.run.values.len(), self.level.inflation).is_none()
    }

    pub(super) fn is_spread_informative(&self) -> bool {
        needed(self.residuals.len(), self.spread.inflation).is_none()
    }

    /// The changes of the level, and those of the dispersion if that could be judged. `among` is the number of tests that
    /// share the level of this part.
    pub(super) fn changes(&self, series: &Series, sequences: &Sequences, family: &Family, among: f64) -> Vec<Change> {
        let [level, spread_level] = self.levels;
        let inflation = self.level.inflation;
        let found = Found { changes: &self.level.changes, values: &self.run.values, inflation, level, tests: among };
        let mut all = self.described(series, sequences, (Part::Level, Part::Level), &found, family);
        if self.is_spread_informative() {
            let (inflation, tests) = (self.spread.inflation, float(sequences.runs.len()));
            let spread =
                Found { changes: &self.spread.changes, values: &self.distances, inflation, level: spread_level, tests };
            all.extend(self.described(series, sequences, (Part::Spread, Part::Spread), &spread, family));
            let shifts = Found { changes: &self.shifts, values: &self.run.values, ..spread };
            all.extend(self.described(series, sequences, (Part::Level, Part::Spread), &shifts, family));
        }
        all
    }

    /// The changes of a part, with their places and sizes. The second part is the one whose share of alpha they used.
    fn described(
        &self,
        series: &Series,
        sequences: &Sequences,
        (part, share): (Part, Part),
        found: &Found<'_>,
        family: &Family,
    ) -> Vec<Change> {
        let Ok(sample) = Sample::new(found.values) else { return Vec::new() };
        let place = |at: usize| self.run.positions[at.min(self.run.positions.len() - 1)];
        let sizes = change_sizes(&sample, found.changes, CONFIDENCE);
        let intervals = intervals(found.values, found.changes, found.inflation);
        let described = |((change, measured), [first, last]): ((&ChangePoint, ChangeSize), [usize; 2])| {
            let is_ratio = measured.contrast == Contrast::Ratio;
            let rises = if is_ratio { measured.size > 1.0 } else { measured.size > 0.0 };
            let p = (change.p * found.tests).min(1.0);
            Change {
                part,
                direction: match part {
                    Part::Level => Direction::of_level(series.meaning().preference, rises),
                    _ => Direction::of(rises),
                },
                since: at_position(series, sequences, place(change.at), [place(first), place(last)]),
                ratio: is_ratio.then_some(measured.size),
                difference: (!is_ratio).then_some(measured.size),
                interval: size::interval(change, &measured, found.level),
                before: measured.before,
                after: measured.after,
                p,
                p_call: family.adjusted(share, p),
            }
        };
        found.changes.iter().zip(sizes).zip(intervals).map(described).collect()
    }
}

/// Changes in values that were searched at a level, which several tests share.
#[derive(Clone, Copy)]
struct Found<'f> {
    changes: &'f [ChangePoint],
    values: &'f [f64],
    inflation: f64,
    level: f64,
    tests: f64,
}

/// True if the values disperse differently before and after a change, each about its own median, up to the neighboring
/// changes. A shift that the search for the level missed also changes the distances from one common median.
fn disperses(values: &[f64], change: &ChangePoint, searches: [&ChangeSearch; 2], on_logarithms: bool) -> bool {
    const LEVEL: f64 = 0.05;
    let places = || searches.into_iter().flat_map(|search| search.changes.iter().map(|change| change.at));
    let from = places().filter(|&at| at < change.at).max().unwrap_or(0);
    let to = places().filter(|&at| at > change.at).min().unwrap_or(values.len());
    let about = |stage: &[f64]| distances(&about_medians(stage, &[], on_logarithms));
    let (before, after) = (about(&values[from..change.at]), about(&values[change.at..to]));
    MannWhitney::of(&Sorted::of(&before), &Sorted::of(&after)).is_none_or(|test| test.p_two_sided <= LEVEL)
}

fn search(values: &[f64], ranking: &Ranking, level: f64) -> ChangeSearch {
    let found = search_ranked(ranking, &[], FEWEST, level);
    ChangeSearch { changes: rare::confirmed(values, ranking.sorted(), found.changes, level), ..found }
}

/// The values about the medians of their stages, or the logarithms of their quotients.
fn about_medians(values: &[f64], changes: &[ChangePoint], on_logarithms: bool) -> Vec<f64> {
    let at: Vec<usize> = changes.iter().map(|change| change.at).collect();
    let mut residuals = Vec::with_capacity(values.len());
    for stage in ranges_between(&at, values.len()) {
        let stage = &values[stage];
        let median = median(stage).unwrap_or(0.0);
        residuals.extend(stage.iter().map(|x| if on_logarithms { (x / median).ln() } else { x - median }));
    }
    residuals
}

/// The absolute values of residuals. The median itself has none: it counts as half of the smallest, so that the distances
/// have quotients.
fn distances(residuals: &[f64]) -> Vec<f64> {
    let absolute = residuals.iter().map(|residual| residual.abs());
    let least = absolute.clone().filter(|&distance| distance > 0.0).fold(f64::INFINITY, f64::min);
    absolute.map(|distance| if distance > 0.0 || least.is_infinite() { distance } else { least / 2.0 }).collect()
}

/// The interval of the place of each change, between its neighbors, by ranks.
pub(super) fn intervals(values: &[f64], changes: &[ChangePoint], inflation: f64) -> Vec<[usize; 2]> {
    let mut intervals = Vec::with_capacity(changes.len());
    for (index, change) in changes.iter().enumerate() {
        let from = if index == 0 { 0 } else { changes[index - 1].at };
        let to = changes.get(index + 1).map_or(values.len(), |next| next.at);
        let between = &values[from..to];
        let [first, last] = since::interval(&mid_ranks(between), change.at - from, inflation);
        intervals.push([from + first, from + last]);
    }
    intervals
}
