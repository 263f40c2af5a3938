//! Rare events: an exact test of a change of their share, because a rank sum of few events is not normal.

use std::ops::Range;

use crate::cast::float;
use crate::sample::ranges_between;
use crate::stats::{ChangePoint, Sorted, fisher_exact};

/// The shares of an event before and after a change, and the p-value of so uneven a division.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Division {
    pub(super) before: f64,
    pub(super) after: f64,
    pub(super) p: f64,
}

/// The division of the events by each change, between its neighbors.
///
/// The test is Fisher's exact one (1934) for the places on both sides of the change. With K events on both sides, the place
/// of the j-th event is as extreme as the test's tail with the same probability, so that 2(K + 1) times the tail bounds the
/// probability of any place. A neighboring change was found in the same events, at one of as many places as there are
/// events, which multiplies the bound for each neighbor.
pub(super) fn divisions(events: &[bool], changes: &[ChangePoint]) -> Vec<Division> {
    let at: Vec<usize> = changes.iter().map(|change| change.at).collect();
    let stages: Vec<Range<usize>> = ranges_between(&at, events.len()).collect();
    let count = |range: &Range<usize>| events[range.clone()].iter().filter(|event| **event).count();
    let places = float(events.iter().filter(|event| **event).count() + 1);
    let division = |pair: &[Range<usize>]| {
        let [before, after] = pair else { return None };
        let (k1, k2, n1, n2) = (count(before), count(after), before.len(), after.len());
        let ends = [before.start > 0, after.end < events.len()];
        let choices: f64 = ends.into_iter().map(|is_chosen| if is_chosen { places } else { 1.0 }).product();
        let p = 2.0 * float(k1 + k2 + 1) * choices * fisher_exact((k1, n1), (k2, n2));
        let share = |events: usize, places: usize| float(events) / float(places);
        Some(Division { before: share(k1, n1), after: share(k2, n2), p: p.min(1.0) })
    };
    stages.windows(2).filter_map(division).collect()
}

/// The changes of values of which most are equal, with the p-value of the exact test where it is larger: values above the
/// common one are a rare event, and so are values below it. Changes of other values are returned as they are.
/// `sorted` holds the same values.
pub(super) fn confirmed(values: &[f64], sorted: &Sorted, changes: Vec<ChangePoint>, level: f64) -> Vec<ChangePoint> {
    let Some(common) = most_common(sorted).filter(|_| !changes.is_empty()) else { return changes };
    let of = |is_event: &dyn Fn(f64) -> bool| {
        let events: Vec<bool> = values.iter().map(|&value| is_event(value)).collect();
        divisions(&events, &changes)
    };
    let (above, below) = (of(&|value| value > common), of(&|value| value < common));
    let exact = above.iter().zip(&below).map(|(above, below)| (2.0 * above.p.min(below.p)).min(1.0));
    let allowed = changes.iter().zip(exact).map(|(change, exact)| ChangePoint { p: change.p.max(exact), ..*change });
    allowed.filter(|change| change.p <= level).collect()
}

/// The value that more than half of the values are equal to.
fn most_common(sorted: &Sorted) -> Option<f64> {
    let values = sorted.values();
    let middle = *values.get(values.len() / 2)?;
    let first = values.partition_point(|&value| value < middle);
    let count = values[first..].partition_point(|&value| value == middle);
    (2 * count > values.len()).then_some(middle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_ticks_of_a_clock_are_no_change_and_many_are() {
        let change = ChangePoint { at: 13, z: 4.0, p: 0.0005 };
        let few: Vec<f64> = (0..100).map(|i| if [5, 8, 12].contains(&i) { 6.0 } else { 5.0 }).collect();
        assert_eq!(confirmed(&few, &Sorted::of(&few), vec![change], 0.005), []);
        let many: Vec<f64> = (0..100).map(|i| if i < 13 { 6.0 } else { 5.0 }).collect();
        assert_eq!(confirmed(&many, &Sorted::of(&many), vec![change], 0.005), [change]);
    }
}
