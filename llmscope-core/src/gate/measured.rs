//! The measurements of one side, run by run.

use std::ops::Range;

use super::plan::Statistic;
use crate::analysis::{Quantiles, RunOrder, Series};
use crate::cast::float;
use crate::error::Result;
use crate::sample::{Missing, ranges_between};
use crate::stats::{Dependence, QuantileMethod, Ranking, Sorted};

/// A run with fewer requests beyond a quantile has no value of that quantile that could be compared with those of other
/// runs.
const FEWEST_BEYOND: f64 = 5.0;

/// The values of a side and their observations, run by run and in time order within each run.
pub(super) struct Values {
    pub(super) values: Vec<f64>,
    /// The observation of each value.
    pub(super) observations: Vec<usize>,
    /// Positions at which a gap or another run begins.
    breaks: Vec<usize>,
    /// Positions at which another run begins.
    run_starts: Vec<usize>,
}

impl Values {
    pub(super) fn of(series: &Series, missing: Option<Missing>) -> Result<Self> {
        // A gate knows no failures of summaries, so a run without a value is not left out without a word.
        let missing = missing.or(series.of_runs.then_some(Missing::Error));
        let (sample, kept) = series.sample(missing)?;
        // Each value of a series of runs has a run of its own: together, they are one sequence.
        let run = |value: usize| if series.of_runs { 0 } else { series.observations.source(kept.at(value)) };
        let runs = RunOrder::of(sample.len(), run);
        Ok(Self {
            values: runs.order.iter().map(|&value| sample.values()[value]).collect(),
            observations: runs.order.iter().map(|&value| kept.at(value)).collect(),
            breaks: runs.breaks(sample.breaks()),
            run_starts: runs.starts,
        })
    }

    /// The values with others in their place; those that are not finite are left out.
    pub(super) fn replaced(self, values: Vec<f64>) -> Self {
        if values.iter().all(|value| value.is_finite()) {
            return Self { values, ..self };
        }
        let kept: Vec<usize> = (0..values.len()).filter(|&at| values[at].is_finite()).collect();
        let moved = |places: &[usize]| {
            let mut moved: Vec<usize> = places.iter().map(|&place| kept.partition_point(|&at| at < place)).collect();
            moved.dedup();
            moved.retain(|&place| place > 0 && place < kept.len());
            moved
        };
        Self {
            breaks: moved(&self.breaks),
            run_starts: moved(&self.run_starts),
            observations: kept.iter().map(|&at| self.observations[at]).collect(),
            values: kept.iter().map(|&at| values[at]).collect(),
        }
    }
}

/// The measurements of one side, with all that does not depend on the other side.
pub(super) struct Measured {
    values: Vec<f64>,
    pub(super) sorted: Sorted,
    /// The values of each run, if there are several.
    runs: Vec<Sorted>,
    within: Within,
}

/// The values without the differences between the runs, and their dependence in time.
struct Within {
    /// The values as quotients of the medians of their runs, if there are several runs; empty for a single run.
    centered: Option<(Vec<f64>, Sorted)>,
    breaks: Vec<usize>,
    dependence: Dependence,
}

impl Measured {
    pub(super) fn of(values: Values) -> Self {
        let Values { values, breaks, run_starts, .. } = values;
        let whole = Ranking::of(&values);
        let ranges: Vec<Range<usize>> = ranges_between(&run_starts, values.len()).collect();
        let runs: Vec<Sorted> = if ranges.len() > 1 {
            ranges.iter().map(|range| Sorted::of(&values[range.clone()])).collect()
        } else {
            Vec::new()
        };
        let centered = (!runs.is_empty()).then(|| centered(&values, &ranges, &runs, whole.sorted())).map(|centered| {
            let ranking = Ranking::of(&centered);
            (centered, ranking)
        });
        let in_time = centered.as_ref().map_or(&whole, |(_, ranking)| ranking);
        let dependence = Dependence::of(in_time, &breaks);
        let centered = centered.map(|(values, ranking)| (values, ranking.into_sorted()));
        let sorted = whole.into_sorted();
        Self { values, sorted, runs, within: Within { centered, breaks, dependence } }
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    pub(super) fn n(&self) -> f64 {
        float(self.values.len())
    }

    /// The precision of the estimated dependence, in degrees of freedom.
    pub(super) fn degrees_of_freedom(&self) -> f64 {
        self.within.dependence.degrees_of_freedom()
    }

    /// The number of independent measurements that carry the same information about this figure within the runs.
    pub(super) fn effective(&self, statistic: Statistic) -> f64 {
        let Within { centered, breaks, dependence } = &self.within;
        let (values, sorted) =
            centered.as_ref().map_or((&self.values, &self.sorted), |(values, ranked)| (values, ranked));
        let inflation = match statistic {
            Statistic::Quantile(p) => dependence.inflation_at(p, values, breaks, sorted),
            _ => dependence.inflation_of_ranks(),
        };
        self.n() / inflation
    }

    pub(super) fn quantile(&self, p: f64) -> Option<f64> {
        self.sorted.quantile(p, QuantileMethod::HyndmanFan7)
    }

    pub(super) fn quantiles(&self) -> Option<Quantiles> {
        let at = |p| self.quantile(p);
        Some(Quantiles { p50: at(0.5)?, p90: at(0.9)?, p95: at(0.95)?, p99: at(0.99)? })
    }

    /// The value at a rank among `effective` values, scaled to the real sample; a fractional rank is interpolated.
    pub(super) fn at_rank(&self, rank: f64, effective: f64) -> f64 {
        let position = rank / (effective.floor() + 1.0) * (self.n() + 1.0);
        self.sorted
            .quantile(((position - 1.0) / (self.n() - 1.0)).clamp(0.0, 1.0), QuantileMethod::HyndmanFan7)
            .unwrap_or(0.0)
    }

    pub(super) fn is_positive(&self) -> bool {
        self.sorted.values().first().is_some_and(|&least| least > 0.0)
    }

    /// The number of runs.
    pub(super) fn run_count(&self) -> usize {
        self.runs.len().max(1)
    }

    /// The figure in each run, scaled by `scale`; `None` if a run is too short for this quantile.
    ///
    /// The typical request of a run is its midmean, the mean of the middle half (Tukey 1977, *Exploratory Data Analysis*).
    pub(super) fn by_run(&self, statistic: Statistic, scale: impl Fn(f64) -> f64) -> Option<Vec<f64>> {
        let of_run = |run: &Sorted| match statistic {
            Statistic::Quantile(p) => {
                let is_long = float(run.values().len()) * p.min(1.0 - p) >= FEWEST_BEYOND;
                is_long.then(|| run.quantile(p, QuantileMethod::HyndmanFan7)).flatten().map(&scale)
            }
            _ => midmean(run.values(), &scale),
        };
        let runs = if self.runs.is_empty() { std::slice::from_ref(&self.sorted) } else { &self.runs };
        runs.iter().map(of_run).collect()
    }
}

/// The mean of the middle half of sorted values, each of them scaled.
fn midmean(sorted: &[f64], scale: impl Fn(f64) -> f64) -> Option<f64> {
    let quarter = sorted.len() / 4;
    let middle = &sorted[quarter..sorted.len() - quarter];
    (!middle.is_empty()).then(|| middle.iter().map(|&value| scale(value)).sum::<f64>() / float(middle.len()))
}

/// The values as multiples of the medians of their runs, or as distances from them if some value is not positive.
fn centered(values: &[f64], ranges: &[Range<usize>], runs: &[Sorted], sorted: &Sorted) -> Vec<f64> {
    let positive = sorted.values().first().is_some_and(|&least| least > 0.0);
    let mut centered = Vec::with_capacity(values.len());
    for (range, run) in ranges.iter().zip(runs) {
        let median = run.median().unwrap_or(0.0);
        let about = |&value: &f64| if positive { value / median } else { value - median };
        centered.extend(values[range.clone()].iter().map(about));
    }
    centered
}
