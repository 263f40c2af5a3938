//! Where the changes of a run are, and between which stages they lie, whatever the share of alpha.
//!
//! The share of alpha of a series decides which changes are found. A change is then placed and measured between the neighbors
//! that the search finds at its default level, so that neither depends on how many other series the call has.

use super::super::outliers;
use super::family::FEWEST;
use crate::sample::ranges_between;
use crate::stats::{ChangePoint, median};

/// Two searches can place the same change this far from each other.
const FARTHEST: usize = 50;

/// The bounds of the stages of a run, and which of them are changes that were found.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Places {
    /// The bounds, in order.
    pub(super) bounds: Vec<usize>,
    /// The changes that were found, each at the place of its bound, with the number of the bound.
    pub(super) changes: Vec<(ChangePoint, usize)>,
}

impl Places {
    /// The places of the `found` changes, given the `reference` that the search finds at its default level. A change that the
    /// reference lacks stays where it is.
    pub(super) fn of(found: &[ChangePoint], reference: &[usize]) -> Self {
        let at: Vec<usize> = found.iter().map(|change| change.at).collect();
        let is_same = |here: usize, there: usize| {
            let distance = here.abs_diff(there);
            distance < FEWEST || (distance <= FARTHEST && nearest(&at, there) == Some(here))
        };
        let place = |&here: &usize| nearest(reference, here).filter(|&there| is_same(here, there)).unwrap_or(here);
        let places: Vec<usize> = at.iter().map(place).collect();
        let mut bounds = [reference, &places].concat();
        bounds.sort_unstable();
        bounds.dedup();
        let mut changes: Vec<(ChangePoint, usize)> = Vec::with_capacity(found.len());
        for (change, at) in found.iter().zip(places) {
            let change = ChangePoint { at, ..*change };
            let bound = bounds.partition_point(|&bound| bound < at);
            match changes.last_mut().filter(|(_, known)| *known == bound) {
                // Two changes at one place are the same.
                Some((known, _)) if known.p <= change.p => {}
                Some(known) => *known = (change, bound),
                None => changes.push((change, bound)),
            }
        }
        Self { bounds, changes }
    }

    /// Without the changes that are at the places of others.
    pub(super) fn without(mut self, others: &Self) -> Self {
        let is_other = |at: usize| others.changes.binary_search_by_key(&at, |(change, _)| change.at).is_ok();
        self.changes.retain(|(change, _)| !is_other(change.at));
        self
    }

    /// Moves values at the end of a stage to the next one if they belong there: they are outliers of their stage, and nearer
    /// to the median of the next one. By ranks, such values of a clear change fit both stages. `scaled` are the values on a
    /// scale without a ratio.
    pub(super) fn with_whole_transitions(mut self, scaled: &[f64]) -> Self {
        let stages: Vec<Stage> = ranges_between(&self.bounds, scaled.len()).map(|at| Stage::of(&scaled[at])).collect();
        let mut start = 0;
        for (bound, pair) in self.bounds.iter_mut().zip(stages.windows(2)) {
            let last = |&end: &usize| end > start + FEWEST && pair[1].owns(scaled[end - 1], &pair[0]);
            while last(bound) {
                *bound -= 1;
            }
            start = *bound;
        }
        for (change, bound) in &mut self.changes {
            change.at = self.bounds[*bound];
        }
        self
    }
}

/// The middle of a stage, and how far its values are from it.
struct Stage {
    median: f64,
    distance: f64,
}

impl Stage {
    fn of(values: &[f64]) -> Self {
        let middle = median(values).unwrap_or(0.0);
        let residuals: Vec<f64> = values.iter().map(|value| value - middle).collect();
        let distance = outliers::sigma(&residuals).and_then(|sigma| outliers::distance(residuals.len(), sigma));
        Self { median: middle, distance: distance.unwrap_or(0.0) }
    }

    /// True if a value of the stage before this one belongs to this one.
    fn owns(&self, value: f64, before: &Self) -> bool {
        let rise = self.median - before.median;
        let excess = (value - before.median) * rise.signum();
        excess > before.distance && excess > rise.abs() / 2.0
    }
}

/// The position in a list in order that is nearest to this one; of two, the first.
fn nearest(positions: &[usize], at: usize) -> Option<usize> {
    let next = positions.partition_point(|&position| position < at);
    let around = &positions[next.saturating_sub(1)..(next + 1).min(positions.len())];
    around.iter().copied().min_by_key(|position| position.abs_diff(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(at: &[usize]) -> Vec<ChangePoint> {
        at.iter().map(|&at| ChangePoint { at, z: 5.0, p: 0.001 }).collect()
    }

    fn places(at: &[usize], reference: &[usize]) -> (Vec<usize>, Vec<(usize, usize)>) {
        let places = Places::of(&found(at), reference);
        (places.bounds, places.changes.iter().map(|(change, bound)| (change.at, *bound)).collect())
    }

    #[test]
    fn a_change_has_the_place_and_the_neighbors_of_the_reference() {
        assert_eq!(places(&[150], &[109, 151, 212]), (vec![109, 151, 212], vec![(151, 1)]));
        assert_eq!(places(&[100, 202], &[109, 151, 212]), (vec![109, 151, 212], vec![(109, 0), (212, 2)]));
    }

    #[test]
    fn a_change_that_the_reference_lacks_stays() {
        assert_eq!(places(&[150, 300], &[151]), (vec![151, 300], vec![(151, 0), (300, 1)]));
        assert_eq!(places(&[180, 200], &[212]), (vec![180, 212], vec![(180, 0), (212, 1)]));
        assert_eq!(places(&[40], &[]), (vec![40], vec![(40, 0)]));
    }

    #[test]
    fn one_change_that_was_found_twice_counts_once() {
        assert_eq!(places(&[145, 155], &[150]), (vec![150], vec![(150, 0)]));
    }

    #[test]
    fn values_between_two_levels_belong_to_the_nearer_one() {
        let noise = |i: usize| f64::from(u8::try_from(i * 7 % 10).unwrap_or(0)) / 100.0;
        let step = |transition: &[f64]| -> Vec<f64> {
            let before = (0..100).map(noise);
            before.chain(transition.iter().copied()).chain((0..100).map(|i| 1.0 + noise(i))).collect()
        };
        let bound = |transition: &[f64], at: usize| {
            Places::of(&found(&[at]), &[]).with_whole_transitions(&step(transition)).bounds
        };
        assert_eq!(bound(&[0.8], 101), [100]);
        assert_eq!(bound(&[0.7, 0.9], 102), [100]);
        assert_eq!(bound(&[0.3], 101), [101], "the lower level is nearer");
        assert_eq!(bound(&[], 100), [100]);
    }
}
