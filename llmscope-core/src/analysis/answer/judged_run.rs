//! One run: the changes of its level and of its dispersion.

use super::super::Series;
use super::change::{Change, Direction, Part};
use super::family::{FEWEST, Family};
use super::parts::{at_position, needed};
use super::places::Places;
use super::sequence::{Sequence, Sequences};
use super::{CONFIDENCE, SlowRequests, rare, since, size, slow_requests};
use crate::cast::float;
use crate::metric::Unit;
use crate::sample::{Sample, ranges_between};
use crate::stats::{
    CHANGE_POINT_LEVEL, ChangePoint, ChangeSearch, Contrast, MannWhitney, RankedSearch, Ranking, Sorted, median,
    mid_ranks, places, sizes_between,
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
    places: Placed,
}

/// Where the changes are.
struct Placed {
    level: Places,
    spread: Places,
    /// V of the searches that found the bounds.
    inflations: [f64; 2],
    /// The values, or their logarithms, about the medians of the stages of the level.
    residuals: Vec<f64>,
    /// Their absolute values.
    distances: Vec<f64>,
}

impl<'r> JudgedRun<'r> {
    pub(super) fn of(run: &'r Sequence, level: f64, spread_level: f64) -> Self {
        let values = run.values.as_slice();
        let on_logarithms = values.iter().all(|&x| x > 0.0);
        let search = PartSearch::of(values, level);
        let found = search.at(level);
        let residuals = about_medians(values, &places(&found.changes), on_logarithms);
        let distances = distances(&residuals);
        let spread_search = PartSearch::of(&distances, spread_level);
        let mut spread = spread_search.at(spread_level);
        let is_dispersion = |change: &ChangePoint| disperses(values, change, [&found, &spread], on_logarithms);
        let (dispersion, shifts) = spread.changes.iter().partition(|change| is_dispersion(change));
        spread.changes = dispersion;
        let has_changes = !found.changes.is_empty() || !spread.changes.is_empty() || !shifts.is_empty();
        let inflations = [found.inflation, spread.inflation];
        let places = if has_changes {
            let reference = if level < CHANGE_POINT_LEVEL { search.at(CHANGE_POINT_LEVEL) } else { found.clone() };
            Placed::of(values, on_logarithms, [&found, &spread], &reference, &spread_search)
        } else {
            Placed { level: Places::default(), spread: Places::default(), inflations, residuals, distances }
        };
        Self { run, on_logarithms, level: found, spread, shifts, levels: [level, spread_level], places }
    }

    pub(super) fn is_informative(&self) -> bool {
        needed(self.run.values.len(), self.level.inflation).is_none()
    }

    pub(super) fn is_spread_informative(&self) -> bool {
        needed(self.run.values.len(), self.spread.inflation).is_none()
    }

    /// The single slow requests of the stages.
    pub(super) fn slow_requests(&self, unit: Unit) -> Option<SlowRequests> {
        let Placed { level, residuals, .. } = &self.places;
        slow_requests::of(unit, &self.run.values, residuals, &level.bounds).filter(|_| self.on_logarithms)
    }

    /// The changes of the level, and those of the dispersion if that could be judged. `among` is the number of tests that
    /// share the level of this part.
    pub(super) fn changes(&self, series: &Series, sequences: &Sequences, family: &Family, among: f64) -> Vec<Change> {
        let [level, spread_level] = self.levels;
        let [inflation, spread_inflation] = self.places.inflations;
        let Placed { level: of_level, spread: of_spread, distances, .. } = &self.places;
        let found = Found { places: of_level, values: &self.run.values, inflation, level, tests: among };
        let mut all = self.described(series, sequences, (Part::Level, Part::Level), &found, family);
        if self.is_spread_informative() {
            let tests = float(sequences.runs.len());
            let spread =
                Found { places: of_spread, values: distances, inflation: spread_inflation, level: spread_level, tests };
            all.extend(self.described(series, sequences, (Part::Spread, Part::Spread), &spread, family));
            let shifts = Places::of(&self.shifts, &of_level.bounds).without(of_level);
            let shifts = Found { places: &shifts, values: &self.run.values, inflation, ..spread };
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
        let Places { bounds, changes } = found.places;
        let Ok(sample) = Sample::new(found.values) else { return Vec::new() };
        if changes.is_empty() {
            return Vec::new();
        }
        let place = |at: usize| self.run.positions[at.min(self.run.positions.len() - 1)];
        let sizes = sizes_between(&sample, bounds, CONFIDENCE);
        let intervals = intervals(found.values, bounds, found.inflation);
        let described = |(change, bound): &(ChangePoint, usize)| {
            let (measured, [first, last]) = (sizes.get(*bound)?, *intervals.get(*bound)?);
            let is_ratio = measured.contrast == Contrast::Ratio;
            let rises = if is_ratio { measured.size > 1.0 } else { measured.size > 0.0 };
            let p = (change.p * found.tests).min(1.0);
            Some(Change {
                part,
                direction: match part {
                    Part::Level => Direction::of_level(series.meaning().preference, rises),
                    _ => Direction::of(rises),
                },
                since: at_position(series, sequences, place(change.at), [place(first), place(last)]),
                ratio: is_ratio.then_some(measured.size),
                difference: (!is_ratio).then_some(measured.size),
                interval: size::interval(change, measured, found.level),
                before: measured.before,
                after: measured.after,
                p,
                p_call: family.adjusted(share, p),
            })
        };
        changes.iter().filter_map(described).collect()
    }
}

impl Placed {
    /// Where the changes of the level and of the dispersion are that were found, between the bounds that a search for the
    /// level at its default level finds. `spread_search` is the search of the distances about the medians before that.
    fn of(
        values: &[f64],
        on_logarithms: bool,
        found: [&ChangeSearch; 2],
        reference: &ChangeSearch,
        spread_search: &PartSearch<'_>,
    ) -> Self {
        let [level, spread] = found.map(|search| search.changes.as_slice());
        let scaled: Vec<f64> = values.iter().map(|x| if on_logarithms { x.ln() } else { *x }).collect();
        let level = Places::of(level, &places(&reference.changes)).with_whole_transitions(&scaled);
        let residuals = about_medians(values, &level.bounds, on_logarithms);
        let distances = distances(&residuals);
        let dispersion = if spread.is_empty() {
            ChangeSearch { changes: Vec::new(), ..found[1].clone() }
        } else if distances == spread_search.values {
            spread_search.at(CHANGE_POINT_LEVEL)
        } else {
            PartSearch::of(&distances, CHANGE_POINT_LEVEL).at(CHANGE_POINT_LEVEL)
        };
        let spread = Places::of(spread, &places(&dispersion.changes));
        Self { level, spread, inflations: [reference.inflation, dispersion.inflation], residuals, distances }
    }
}

/// Changes in values that were searched at a level, which several tests share.
#[derive(Clone, Copy)]
struct Found<'f> {
    places: &'f Places,
    values: &'f [f64],
    inflation: f64,
    level: f64,
    tests: f64,
}

/// The search for changes of a part, at several levels.
struct PartSearch<'v> {
    values: &'v [f64],
    ranking: Ranking,
    search: RankedSearch,
}

impl<'v> PartSearch<'v> {
    /// A search at this level, and at the default one.
    fn of(values: &'v [f64], level: f64) -> Self {
        let ranking = Ranking::of(values);
        let search = RankedSearch::of(&ranking, FEWEST, level.max(CHANGE_POINT_LEVEL));
        Self { values, ranking, search }
    }

    fn at(&self, level: f64) -> ChangeSearch {
        let found = self.search.changes(&[], level);
        ChangeSearch { changes: rare::confirmed(self.values, self.ranking.sorted(), found.changes, level), ..found }
    }
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

/// The values about the medians of their stages, or the logarithms of their quotients.
fn about_medians(values: &[f64], bounds: &[usize], on_logarithms: bool) -> Vec<f64> {
    let mut residuals = Vec::with_capacity(values.len());
    for stage in ranges_between(bounds, values.len()) {
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

/// The interval of the place of each bound of stages, between its neighbors, by ranks.
pub(super) fn intervals(values: &[f64], bounds: &[usize], inflation: f64) -> Vec<[usize; 2]> {
    let mut intervals = Vec::with_capacity(bounds.len());
    for (index, &bound) in bounds.iter().enumerate() {
        let from = if index == 0 { 0 } else { bounds[index - 1] };
        let to = bounds.get(index + 1).copied().unwrap_or(values.len());
        let [first, last] = since::interval(&mid_ranks(&values[from..to]), bound - from, inflation);
        intervals.push([from + first, from + last]);
    }
    intervals
}
