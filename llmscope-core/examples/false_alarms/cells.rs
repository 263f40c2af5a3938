//! The processes that are simulated: requests of a server that does not change, and changes of it.

use std::f64::consts::TAU;
use std::sync::Arc;

use llmscope_core::analysis::{Observation, Selection, Series};
use llmscope_core::ingest::{Content, Log, Tool};
use llmscope_core::session::{SessionHeader, Status};
use llmscope_core::{Measure, Metric, RequestRecord, Result, Session};

use super::random::Random;

/// The numbers of requests of a series.
pub(crate) const SIZES: [usize; 4] = [50, 100, 300, 1000];
/// The median of the processes that are changed, in seconds.
const MEDIAN: f64 = 0.1;
const SHORT: &str = "A short series that depends so much carries the information of a few independent requests. Most \
    verdicts are withheld. The others are those in which the dependence looks weaker than it is.";
const STRETCHES: &str = "A few failures close together look like a stretch with more failures. The search tries many \
    stretches, and the test of a stretch does not count all of them.";
const RUNS: usize = 14;
const REQUESTS_OF_A_RUN: usize = 300;

/// A process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell {
    pub(crate) name: &'static str,
    /// What it simulates.
    pub(crate) about: &'static str,
    pub(crate) promise: Promise,
    /// Why it is above the promise, shown if it is.
    pub(crate) explanation: &'static str,
    /// The number of requests from which on at most 1 % of the series may be without a verdict.
    pub(crate) judged_from: usize,
    draw: fn(&mut Random, usize) -> Requests,
}

/// Whether the promise is claimed for a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Promise {
    Claimed,
    /// Not claimed, for this reason.
    NotClaimed(&'static str),
}

/// The requests of one series.
#[derive(Debug, Clone, Default)]
pub(crate) struct Requests {
    /// In seconds.
    latencies: Vec<f64>,
    /// Empty if unknown.
    output_tokens: Vec<f64>,
    /// Empty if none failed.
    failed: Vec<bool>,
    /// The number of runs, of the same length.
    runs: usize,
}

/// A change of the server in the middle of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Change {
    /// Latencies times this factor.
    Level(f64),
    /// The logarithms of the latencies deviate from their median by this factor.
    Spread(f64),
    /// Each latency is longer than the previous one by this share of the first.
    Drift(f64),
    /// The share of failed requests before and after.
    Failures(f64, f64),
}

const fn claimed(name: &'static str, about: &'static str, draw: fn(&mut Random, usize) -> Requests) -> Cell {
    Cell { name, about, promise: Promise::Claimed, explanation: "", judged_from: 50, draw }
}

const fn dependent(
    name: &'static str,
    about: &'static str,
    judged_from: usize,
    draw: fn(&mut Random, usize) -> Requests,
) -> Cell {
    Cell { judged_from, ..claimed(name, about, draw) }
}

const fn failures(
    name: &'static str,
    about: &'static str,
    judged_from: usize,
    draw: fn(&mut Random, usize) -> Requests,
) -> Cell {
    Cell { explanation: STRETCHES, ..dependent(name, about, judged_from, draw) }
}

const fn not_claimed(
    name: &'static str,
    about: &'static str,
    reason: &'static str,
    draw: fn(&mut Random, usize) -> Requests,
) -> Cell {
    Cell { promise: Promise::NotClaimed(reason), judged_from: usize::MAX, ..claimed(name, about, draw) }
}

/// The processes whose number of requests is one of [`SIZES`].
pub(crate) const CELLS: [Cell; 19] = [
    claimed("normal", "independent, mean 100 ms, standard deviation 10 ms", |random, n| {
        latencies(n, || 0.1 + 0.01 * random.normal())
    }),
    claimed("logn0.5", "independent, lognormal with σ 0.5", |random, n| {
        latencies(n, || MEDIAN * (0.5 * random.normal()).exp())
    }),
    claimed("logn1.0", "independent, lognormal with σ 1", |random, n| latencies(n, || MEDIAN * random.normal().exp())),
    claimed("gamma2", "independent, gamma of shape 2", |random, n| {
        latencies(n, || 0.05 * (random.exponential() + random.exponential()))
    }),
    claimed("weibull1.5", "independent, Weibull of shape 1.5", |random, n| {
        latencies(n, || 0.11 * random.exponential().powf(1.0 / 1.5))
    }),
    claimed("pareto3", "independent, Pareto of index 3: heavier than lognormal", |random, n| {
        latencies(n, || 0.05 * random.uniform().powf(-1.0 / 3.0))
    }),
    claimed("mix", "a fifth of the requests miss a cache: 200 ms instead of 40 ms", |random, n| {
        latencies(n, || {
            let misses = random.chance(0.2);
            cached(random, misses)
        })
    }),
    claimed("round", "lognormal with σ 0.3, median 5 ms, on a clock of 1 ms", |random, n| {
        latencies(n, || (5.0 * (0.3 * random.normal()).exp()).round().max(1.0) / 1000.0)
    }),
    claimed("tokens", "latency proportional to the tokens of the answer, which are given", |random, n| {
        let output_tokens: Vec<f64> = (0..n).map(|_| (5.0 + 0.8 * random.normal()).exp().round().max(1.0)).collect();
        let mut noise = || (0.1 * random.normal()).exp();
        let latencies = output_tokens.iter().map(|tokens| 0.2 * noise() + 0.02 * tokens * noise()).collect();
        Requests { latencies, output_tokens, ..Requests::default() }
    }),
    dependent("ar0.3", "autocorrelated, ρ 0.3, lognormal with σ 0.5", 100, |random, n| correlated(random, n, 0.3)),
    dependent("ar0.6", "autocorrelated, ρ 0.6, lognormal with σ 0.5", 200, |random, n| correlated(random, n, 0.6)),
    Cell {
        explanation: SHORT,
        ..dependent("ar0.9", "autocorrelated, ρ 0.9, lognormal with σ 0.5", 1000, |random, n| {
            correlated(random, n, 0.9)
        })
    },
    failures("failures 1 %", "logn0.5, each request fails with probability 1 %", 50, |random, n| {
        failing(random, n, 0.01)
    }),
    failures("failures 5 %", "logn0.5, each request fails with probability 5 %", 50, |random, n| {
        failing(random, n, 0.05)
    }),
    failures("failures 25 %", "logn0.5, each request fails with probability 25 %", 100, |random, n| {
        failing(random, n, 0.25)
    }),
    not_claimed(
        "failure bursts",
        "logn0.5, 5 % of the requests fail, in bursts of 5 on average",
        "A burst is an outage of the length of the burst. If the last five requests failed, the verdict is `failing`.",
        |random, n| Requests { failed: random.bursts(n, 0.05, 5.0), ..lognormal(random, n) },
    ),
    not_claimed(
        "mixburst",
        "as mix, but the misses come in bursts of 5 on average",
        "A hidden state persists. A stretch with more misses than usual is a change of the level that ends again.",
        |random, n| {
            let misses = random.bursts(n, 0.2, 5.0);
            let latencies = misses.iter().map(|&misses| cached(random, misses)).collect();
            Requests { latencies, ..Requests::default() }
        },
    ),
    not_claimed(
        "wander",
        "an autocorrelated level, ρ 0.9, with independent noise",
        "The level does move. Noise hides its dependence, and a short series shows too little of it.",
        |random, n| {
            let level = random.autoregression(n, 0.9);
            let latency = |level: &f64| MEDIAN * (0.3 * (level + random.normal())).exp();
            Requests { latencies: level.iter().map(latency).collect(), ..Requests::default() }
        },
    ),
    not_claimed(
        "diurnal",
        "one request in 5 minutes, the level differs by ±30 % between day and night",
        "The level does change. The series do not say that the change comes back every day.",
        |random, n| {
            let start = (288.0 * random.uniform()).floor();
            let level = |i: usize| 0.1 * (1.0 + 0.3 * (TAU * (start + i as f64) / 288.0).sin());
            let latencies = (0..n).map(|i| level(i) * (0.2 * random.normal()).exp()).collect();
            Requests { latencies, ..Requests::default() }
        },
    ),
];

/// The processes of 14 runs of 300 requests.
pub(crate) const CELLS_OF_RUNS: [Cell; 4] = [
    claimed("runs 0 %", "14 runs of 300 requests, logn0.5, runs do not differ", |random, _| runs(random, 0.0)),
    claimed("runs 2 %", "the same, levels of runs differ with a standard deviation of 2 %", |random, _| {
        runs(random, 0.02)
    }),
    claimed("runs 5 %", "the same with 5 %", |random, _| runs(random, 0.05)),
    claimed("runs 10 %", "the same with 10 %", |random, _| runs(random, 0.10)),
];

/// The processes in which a change is to be found.
pub(crate) const CHANGED: [&str; 3] = ["logn0.5", "ar0.3", "ar0.6"];

/// The changes to be found, with their names.
pub(crate) const CHANGES: [(&str, Change); 7] = [
    ("×1.1", Change::Level(1.1)),
    ("×1.25", Change::Level(1.25)),
    ("×1.5", Change::Level(1.5)),
    ("spread ×1.5", Change::Spread(1.5)),
    ("drift", Change::Drift(0.001)),
    ("failures 2 → 10 %", Change::Failures(0.02, 0.10)),
    ("failures 2 → 25 %", Change::Failures(0.02, 0.25)),
];

/// The cells without a change, each with its numbers of requests.
pub(crate) fn unchanged() -> impl Iterator<Item = (Cell, usize)> {
    let of_requests = CELLS.into_iter().flat_map(|cell| SIZES.map(|n| (cell, n)));
    of_requests.chain(CELLS_OF_RUNS.map(|cell| (cell, RUNS * REQUESTS_OF_A_RUN)))
}

/// The process of this name.
pub(crate) fn named(name: &str) -> Option<Cell> {
    CELLS.into_iter().find(|cell| cell.name == name)
}

impl Cell {
    /// The requests of one series of `n` requests.
    pub(crate) fn requests(&self, n: usize, series: usize) -> Requests {
        (self.draw)(&mut Random::of_series(self.name, n, series), n)
    }

    /// The requests of one series of `n` requests with a change in the middle.
    pub(crate) fn changed(&self, n: usize, series: usize, change: (&str, Change)) -> Requests {
        self.changed_at(n / 2, n, series, change)
    }

    /// The requests of one series of `n` requests with a change after the first `middle` ones.
    pub(crate) fn changed_at(
        &self,
        middle: usize,
        n: usize,
        series: usize,
        (name, change): (&str, Change),
    ) -> Requests {
        let mut random = Random::of_series(&format!("{}, {name}", self.name), n, series);
        let mut requests = (self.draw)(&mut random, n);
        let after = requests.latencies[middle..].iter_mut();
        match change {
            Change::Level(factor) => after.for_each(|x| *x *= factor),
            Change::Spread(factor) => after.for_each(|x| *x = MEDIAN * (*x / MEDIAN).powf(factor)),
            Change::Drift(share) => after.enumerate().for_each(|(i, x)| *x *= 1.0 + share * i as f64),
            Change::Failures(before, after) => {
                let failed = |i| random.chance(if i < middle { before } else { after });
                requests.failed = (0..n).map(failed).collect();
            }
        }
        requests
    }
}

impl Requests {
    /// The latencies in seconds, and the tokens of the answers: as many, or none if unknown.
    #[allow(dead_code, reason = "the example of alarms uses it")]
    pub(crate) fn latencies(&self) -> (&[f64], &[f64]) {
        (&self.latencies, &self.output_tokens)
    }

    /// The end-to-end latencies as a series.
    pub(crate) fn series(self) -> Result<Series> {
        if self.runs > 1 {
            return self.of_runs();
        }
        let series = Series::of_numbers(Metric::E2e.name(), self.latencies);
        let series = Series { measure: Measure::Metric(Metric::E2e), ..series };
        if self.failed.is_empty() && self.output_tokens.is_empty() {
            return Ok(series);
        }
        let observation = |position: usize| {
            let failed = self.failed.get(position).is_some_and(|&failed| failed);
            Observation {
                value: (!failed).then_some(series.values[position]),
                failed,
                position,
                tokens: [None, None, self.output_tokens.get(position).copied()],
                ..Observation::default()
            }
        };
        let observations: Vec<Observation> = (0..series.values.len()).map(observation).collect();
        Ok(series.with_observations(observations))
    }

    /// One series of several sessions.
    fn of_runs(self) -> Result<Series> {
        let logs: Vec<Log> = self.latencies.chunks(self.latencies.len() / self.runs).enumerate().map(log).collect();
        let selection =
            Selection { measures: vec![Measure::Metric(Metric::E2e)], by: Some(Vec::new()), ..Selection::default() };
        Ok(selection.series(&logs)?.remove(0))
    }
}

/// A session of these latencies.
fn log((run, latencies): (usize, &[f64])) -> Log {
    let record =
        |&latency: &f64| RequestRecord { status: Status::Ok, e2e_s: Some(latency), ..RequestRecord::default() };
    let source = format!("run-{run}");
    let header = SessionHeader { name: Some(source.clone()), ..SessionHeader::default() };
    let session = Session { header, records: latencies.iter().map(record).collect(), ..Session::default() };
    Log { source, tool: Tool::LLMSCOPE, content: Content::Session(Arc::new(session)), warnings: Vec::new() }
}

fn latencies(n: usize, mut next: impl FnMut() -> f64) -> Requests {
    Requests { latencies: (0..n).map(|_| next()).collect(), ..Requests::default() }
}

fn lognormal(random: &mut Random, n: usize) -> Requests {
    latencies(n, || MEDIAN * (0.5 * random.normal()).exp())
}

/// A request that hits or misses a cache.
fn cached(random: &mut Random, misses: bool) -> f64 {
    (if misses { 0.2 } else { 0.04 }) * (0.15 * random.normal()).exp()
}

fn correlated(random: &mut Random, n: usize, rho: f64) -> Requests {
    let latencies = random.autoregression(n, rho).iter().map(|z| MEDIAN * (0.5 * z).exp()).collect();
    Requests { latencies, ..Requests::default() }
}

fn failing(random: &mut Random, n: usize, share: f64) -> Requests {
    Requests { failed: (0..n).map(|_| random.chance(share)).collect(), ..lognormal(random, n) }
}

fn runs(random: &mut Random, deviation: f64) -> Requests {
    let mut values = Vec::with_capacity(RUNS * REQUESTS_OF_A_RUN);
    for _ in 0..RUNS {
        let level = MEDIAN * (deviation * random.normal()).exp();
        values.extend((0..REQUESTS_OF_A_RUN).map(|_| level * (0.5 * random.normal()).exp()));
    }
    Requests { latencies: values, runs: RUNS, ..Requests::default() }
}
