//! The stages of a series: its runs, divided where the level or the dispersion changes.

use std::ops::Range;

use super::change::{Change, Part};
use super::sequence::Sequences;

/// The stages of `count` measurements, in the order of the runs.
pub(super) fn of(sequences: &Sequences, changes: &[Change], count: usize) -> Vec<Range<usize>> {
    let is_of_values = |change: &&Change| matches!(change.part, Part::Level | Part::Spread);
    let mut at: Vec<usize> = changes.iter().filter(is_of_values).map(|change| change.since.index).collect();
    at.sort_unstable();
    let mut stages = Vec::with_capacity(at.len() + 1);
    for run in runs(sequences, count) {
        let mut start = run.start;
        for end in at.iter().copied().filter(|at| run.contains(at)).chain([run.end]) {
            if end > start {
                stages.push(start..end);
                start = end;
            }
        }
    }
    stages
}

/// The measurements of each run, in the order of the runs; all measurements at once if the runs overlap in time.
fn runs(sequences: &Sequences, count: usize) -> Vec<Range<usize>> {
    let ends = || sequences.runs.iter().filter_map(|run| Some((*run.positions.first()?, *run.positions.last()?)));
    let mut starts: Vec<usize> = ends().map(|(first, _)| first).collect();
    starts.sort_unstable();
    // Measurements before a run's first judged one belong to the run before it; those before all of them, to the first.
    if let Some(first) = starts.first_mut() {
        *first = 0;
    }
    let range = |(first, last): (usize, usize)| {
        let index = starts.partition_point(|&start| start <= first).saturating_sub(1);
        let end = starts.get(index + 1).copied().unwrap_or(count);
        (last < end).then_some(starts.get(index).copied().unwrap_or(0)..end)
    };
    let ranges: Option<Vec<Range<usize>>> = ends().map(range).collect();
    ranges.filter(|ranges| !ranges.is_empty()).unwrap_or_else(|| std::iter::once(0..count).collect())
}
