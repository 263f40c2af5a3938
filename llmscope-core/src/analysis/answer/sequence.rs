//! The values of a series as sequences, one for each run.

use super::super::selection::depends_on_tokens;
use super::super::{Measure, SampleIndex, Series};
use super::family::FEWEST;
use crate::metric::Metric;
use crate::sample::{Sample, ranges_between};
use crate::stats::{self, LoadModel, search_changes};

/// The values of one run in the order of time, with their positions among all measurements.
#[derive(Debug, Clone, Default)]
pub(super) struct Sequence {
    pub(super) values: Vec<f64>,
    pub(super) positions: Vec<usize>,
}

/// The sequences of a series, one for each run, and what they were adjusted for.
#[derive(Default)]
pub(super) struct Sequences {
    pub(super) runs: Vec<Sequence>,
    /// The observation of each measurement.
    pub(super) observations: Vec<usize>,
    pub(super) adjusted_for: Vec<String>,
    /// True if some token counts are known, but too few to adjust the values for them.
    pub(super) lacks_tokens: bool,
    /// True if the log sorted the values: they are no sequence.
    pub(super) unordered: bool,
    /// The number of measurements that are not judged, because their token counts are unknown.
    pub(super) without_tokens: usize,
}

impl Sequences {
    pub(super) fn of(series: &Series, sample: &Sample<'_>, kept: &SampleIndex, counts: Option<&[f64]>) -> Self {
        let observations: Vec<usize> = (0..sample.len()).map(|value| kept.at(value)).collect();
        if series.measure == Measure::Metric(Metric::ErrorRate) {
            // The share of failures is judged from the requests themselves.
            return Self { observations, ..Self::default() };
        }
        if series.lacks_order() {
            return Self { observations, unordered: true, ..Self::default() };
        }
        if let Some(counts) = counts {
            let sequence = Sequence { values: counts.to_vec(), positions: (0..counts.len()).collect() };
            return Self { runs: vec![sequence], observations, ..Self::default() };
        }
        let columns = series.token_columns(&observations);
        let borrowed: Vec<&[f64]> = columns.iter().map(|(_, column)| column.as_slice()).collect();
        let model = (!columns.is_empty()).then(|| fitted(sample.values(), &borrowed)).flatten();
        let used = model.as_ref().map(LoadModel::used).unwrap_or_default();
        let adjusted_for = columns.iter().zip(used).filter(|(_, used)| *used).map(|((name, _), _)| (*name).to_owned());
        let adjusted_for: Vec<String> = adjusted_for.collect();
        let adjusted = model.map(|model| model.adjusted(sample.values(), &borrowed));
        let values = adjusted.as_deref().unwrap_or(sample.values());
        let count = run_count(series);
        let expected = values.len() / count;
        let empty = || Sequence { values: Vec::with_capacity(expected), positions: Vec::with_capacity(expected) };
        let mut runs: Vec<Sequence> = std::iter::repeat_with(empty).take(count).collect();
        for (position, &value) in values.iter().enumerate() {
            let run = if series.of_runs { 0 } else { series.observations.source(observations[position]) };
            if let Some(run) = runs.get_mut(run).filter(|_| value.is_finite()) {
                run.values.push(value);
                run.positions.push(position);
            }
        }
        let ranks = super::runs::order(series);
        let mut ranked: Vec<(usize, Sequence)> = runs.into_iter().enumerate().collect();
        ranked.sort_by_key(|(run, _)| ranks.get(*run).copied());
        let runs: Vec<Sequence> = ranked.into_iter().map(|(_, run)| run).filter(|run| !run.values.is_empty()).collect();
        let without_tokens = sample.len() - runs.iter().map(|run| run.values.len()).sum::<usize>();
        let with_tokens = (0..sample.len()).filter(|&at| borrowed.iter().all(|column| !column[at].is_nan())).count();
        let lacks_tokens = adjusted_for.is_empty() && !columns.is_empty() && 3 * with_tokens < sample.len();
        Self { runs, observations, adjusted_for, lacks_tokens, without_tokens, unordered: false }
    }

    /// The number of measurements that are judged.
    pub(super) fn len(&self) -> usize {
        self.runs.iter().map(|run| run.values.len()).sum()
    }
}

/// The model of the load, fitted to the values without the changes of their level.
///
/// If the load changes together with the server, the slopes of the first fit take a part of the change. The changes that
/// are found in spite of that are divided out, and the model is fitted again. A series without changes keeps the first fit,
/// which knows the slopes best.
fn fitted(values: &[f64], columns: &[&[f64]]) -> Option<LoadModel> {
    const ROUNDS: usize = 3;
    const LEVEL: f64 = 0.001;
    let mut model = LoadModel::fit(values, columns)?;
    for _ in 0..ROUNDS {
        let adjusted = model.adjusted(values, columns);
        let (places, known): (Vec<usize>, Vec<f64>) =
            adjusted.iter().copied().enumerate().filter(|(_, value)| value.is_finite()).unzip();
        let Ok(sample) = Sample::new(known.as_slice()) else { break };
        let changes = search_changes(&sample, FEWEST, LEVEL).changes;
        if changes.is_empty() {
            break;
        }
        let at: Vec<usize> = changes.iter().map(|change| change.at).collect();
        let Some(middle) = stats::median(&known) else { break };
        let mut level = values.to_vec();
        for stage in ranges_between(&at, known.len()) {
            let factor = stats::median(&known[stage.clone()]).map_or(1.0, |median| median / middle);
            places[stage].iter().for_each(|&place| level[place] /= factor);
        }
        match LoadModel::fit(&level, columns) {
            Some(next) => model = next,
            None => break,
        }
    }
    Some(model)
}

/// Each source of a series of requests is a run.
pub(super) fn run_count(series: &Series) -> usize {
    if series.of_runs { 1 } else { series.sources.len().max(1) }
}

impl Series {
    /// The token counts on which the measure depends, for each of these observations: those in and out for the end-to-end
    /// latency, and those in that did not come from the cache for the time to the first token.
    pub(crate) fn token_columns(&self, observations: &[usize]) -> Vec<(&'static str, Vec<f64>)> {
        let tokens = self.observations.tokens();
        let count = |column: &[f64], observation: usize| column.get(observation).copied().unwrap_or(f64::NAN);
        let all = |column: &[f64]| observations.iter().map(|&at| count(column, at)).collect::<Vec<f64>>();
        let uncached = |at: usize| {
            let cached = count(tokens.cached(), at);
            let cached = if cached.is_nan() { 0.0 } else { cached };
            (count(tokens.input(), at) - cached).max(0.0)
        };
        let input = || match self.measure {
            Measure::Metric(Metric::Ttft) => observations
                .iter()
                .map(|&at| if count(tokens.input(), at).is_nan() { f64::NAN } else { uncached(at) })
                .collect(),
            _ => all(tokens.input()),
        };
        let mut columns = Vec::new();
        if !depends_on_tokens(&self.measure) {
            return columns;
        }
        if !tokens.input().is_empty() {
            columns.push(("input_tokens", input()));
        }
        if self.measure == Measure::Metric(Metric::E2e) && !tokens.output().is_empty() {
            columns.push(("output_tokens", all(tokens.output())));
        }
        columns
    }
}
