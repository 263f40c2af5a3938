//! The runs of a series as the points of a chart.

use std::sync::Arc;

use super::answer::{Change, Part, run_order};
use super::judging::judged;
use super::series::{Observations, put};
use super::{Analysis, Plan, Series, Stages};
use crate::error::Result;
use crate::ingest::Time;
use crate::stats;

/// The fewest runs of a stage with limits of its own: a moving range needs two.
const FEWEST: usize = 2;

/// The chart of the runs of a series: each point is the median of a run, at the time at which it began. The change between
/// runs that `analysis` found is that of the chart, with positions that count runs: the limits begin again there.
///
/// `None` if each value summarizes a run already, for one run, and for too few runs for limits
/// ([`MIN_POINTS`](super::MIN_POINTS)).
///
/// # Errors
/// The errors of reading the values ([`Series::sample`]).
pub fn chart_of_runs(series: &Series, analysis: &Analysis) -> Result<Option<Analysis>> {
    if series.of_runs || series.sources.len() < super::MIN_POINTS {
        return Ok(None);
    }
    let runs = medians(series);
    if runs.values.len() < super::MIN_POINTS {
        return Ok(None);
    }
    let change = analysis.answer.changes.iter().find(|change| change.part == Part::Level && change.since.run.is_some());
    let at = change.and_then(|change| change.since.run.as_ref()).map(|run| run.index);
    let whole = 0..runs.values.len();
    let plan = Plan { points: true, ..Plan::default() };
    // A stage of one run has no limits of its own: it is compared with those of the other runs.
    let mut chart = match at.filter(|&at| at >= FEWEST && at + FEWEST <= whole.end) {
        Some(at) => judged(&runs, &Plan { stages: Stages::At(vec![at]), ..plan }, None)?,
        None => judged(&runs, &plan, Some(std::slice::from_ref(&whole)))?,
    };
    if let Some(change) = change {
        chart.verdict = analysis.verdict;
        chart.answer.since = at.map(|index| super::answer::Since { index, ..change.since.clone() });
        let Change { part, direction, ratio, difference, interval, .. } = change.clone();
        (chart.answer.part, chart.answer.direction) = (Some(part), Some(direction));
        (chart.answer.ratio, chart.answer.difference, chart.answer.interval) = (ratio, difference, interval);
    }
    Ok(chart.drawing.is_some().then_some(chart))
}

/// The medians of the runs in the order of their times, as a series of runs.
fn medians(series: &Series) -> Series {
    let ranks = run_order(series);
    let mut runs = vec![(None, Vec::new()); ranks.len()];
    for (index, &value) in series.values.iter().enumerate() {
        let source = series.observations.source(index);
        let Some(rank) = ranks.get(source).copied() else { continue };
        let (first, values) = &mut runs[rank];
        first.get_or_insert((source, series.observations.at(index)));
        values.extend(Some(value).filter(|value| !value.is_nan()));
    }
    let (mut values, mut all) = (Vec::new(), Observations::default());
    for (first, of_run) in runs {
        let Some(((source, at), median)) = first.zip(stats::median(&of_run)) else { continue };
        let place = values.len();
        values.push(median);
        put(&mut all.times, place, Some(at.into()), Time::NONE);
        put(&mut all.source, place, u32::try_from(source).ok(), 0);
    }
    Series { values, observations: Arc::new(all), of_runs: true, warnings: Vec::new(), ..series.clone() }
}
