//! Simulates the error rates of `stats::change_points_at`: false finds where the level never changes, and the share of
//! known changes that are found.
//!
//! `cargo run --release -p llmscope-core --example change_points -- [SERIES] [LEVEL]` prints a Markdown table. The seed
//! of each series is fixed. SERIES (default 2000) is the number of series of a cell; cells of more than 1000 values
//! have fewer. The intervals are Wilson's (1927, *JASA* 22) at 99.9 %.

#![allow(clippy::print_stdout, reason = "a program that prints a table")]
#![allow(clippy::cast_sign_loss, reason = "random lengths are positive")]

use std::error::Error;
use std::f64::consts::TAU;

use llmscope_core::Sample;
use llmscope_core::stats::{CHANGE_POINT_LEVEL, change_points_at};

/// The fewest values of a stage in a chart of single values.
const FEWEST: usize = 10;
/// Φ⁻¹(0.9995).
const Z: f64 = 3.290_527;

/// SplitMix64 (Steele, Lea & Flood 2014), and normal numbers by Box and Muller's transform (1958).
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (((mixed ^ (mixed >> 31)) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (TAU * self.uniform()).cos()
    }

    fn normals(&mut self, n: usize) -> Vec<f64> {
        (0..n).map(|_| self.normal()).collect()
    }

    /// An autoregression of the first order, of variance 1.
    fn autoregression(&mut self, n: usize, rho: f64) -> Vec<f64> {
        let mut last = self.normal();
        let mut next = || {
            last = rho * last + (1.0 - rho * rho).sqrt() * self.normal();
            last
        };
        (0..n).map(|_| next()).collect()
    }

    /// Independent noise of variance 1 on a random walk with steps of this standard deviation.
    fn walk(&mut self, n: usize, step: f64) -> Vec<f64> {
        let mut level = 0.0;
        let mut next = || {
            level += step * self.normal();
            level + self.normal()
        };
        (0..n).map(|_| next()).collect()
    }

    /// Cache hits of 40 ms and misses of 200 ms.
    fn cached(&mut self, misses: f64) -> f64 {
        let base = if self.uniform() < misses { 200.0 } else { 40.0 };
        base * (0.15 * self.normal()).exp()
    }

    /// Stretches of 20 values raised by 8 σ, at random places at least 20 values apart and from the ends.
    fn incidents(&mut self, n: usize, count: usize) -> (Vec<f64>, Vec<usize>) {
        let free = n - 20 * (2 * count + 1);
        let mut offsets: Vec<usize> = (0..count).map(|_| (self.uniform() * (free + 1) as f64) as usize).collect();
        offsets.sort_unstable();
        let mut values = self.normals(n);
        let mut changes = Vec::new();
        for (i, offset) in offsets.iter().enumerate() {
            let start = offset + 20 * (2 * i + 1);
            values[start..start + 20].iter_mut().for_each(|x| *x += 8.0);
            changes.extend([start, start + 20]);
        }
        (values, changes)
    }

    /// Like the well-log series: nine changes by 1.5 to 4 σ, and 2 % outliers.
    fn well_log(&mut self) -> (Vec<f64>, Vec<usize>) {
        let (mut values, mut changes, mut level) = (Vec::new(), Vec::new(), 0.0);
        for _ in 0..10 {
            let size = 1.5 + 2.5 * self.uniform();
            level += if self.uniform() < 0.5 { -size } else { size };
            let length = 60 + (80.0 * self.uniform()) as usize;
            changes.push(values.len());
            values.extend((0..length).map(|_| level + self.normal()));
        }
        for x in &mut values {
            if self.uniform() < 0.02 {
                *x -= 6.0 + 9.0 * self.uniform();
            }
        }
        (values, changes.split_off(1))
    }
}

/// `values` times `factor` in the middle third.
fn raised(values: &[f64], factor: f64) -> (Vec<f64>, Vec<usize>) {
    let n = values.len();
    let middle = n / 3..2 * n / 3;
    let latency = |(i, x): (usize, &f64)| if middle.contains(&i) { factor } else { 1.0 } * (0.5 * x).exp();
    (values.iter().enumerate().map(latency).collect(), vec![middle.start, middle.end])
}

type Series = (Vec<f64>, Vec<usize>);
type Process = (&'static str, fn(&mut Random, usize) -> Series);

const UNCHANGED: [Process; 7] = [
    ("normal", |random, n| (random.normals(n), vec![])),
    ("lognormal", |random, n| (random.normals(n).iter().map(|x| (0.5 * x).exp()).collect(), vec![])),
    ("cache", |random, n| ((0..n).map(|_| random.cached(0.2)).collect(), vec![])),
    ("AR(1) 0.3", |random, n| (random.autoregression(n, 0.3), vec![])),
    ("AR(1) 0.6", |random, n| (random.autoregression(n, 0.6), vec![])),
    ("AR(1) 0.9", |random, n| (random.autoregression(n, 0.9), vec![])),
    ("t, 2 degrees of freedom", |random, n| {
        ((0..n).map(|_| random.normal() / (-random.uniform().ln()).sqrt()).collect(), vec![])
    }),
];

const WANDERING: [Process; 4] = [
    ("AR(1) 0.9 and noise", |random, n| {
        let level = random.autoregression(n, 0.9);
        (level.iter().map(|x| (0.3 * (x + random.normal())).exp()).collect(), vec![])
    }),
    ("random walk 0.1 and noise", |random, n| (random.walk(n, 0.1), vec![])),
    ("random walk 0.2 and noise", |random, n| (random.walk(n, 0.2), vec![])),
    ("random walk 0.5 and noise", |random, n| (random.walk(n, 0.5), vec![])),
];

const CHANGED: [(Process, usize); 14] = [
    (("one stretch of 20, 8 σ", |random, n| random.incidents(n, 1)), 193),
    (("two stretches of 20, 8 σ", |random, n| random.incidents(n, 2)), 193),
    (("three stretches of 20, 8 σ", |random, n| random.incidents(n, 3)), 193),
    (("one stretch of 20, 8 σ", |random, n| random.incidents(n, 1)), 300),
    (("two stretches of 20, 8 σ", |random, n| random.incidents(n, 2)), 300),
    (("three stretches of 20, 8 σ", |random, n| random.incidents(n, 3)), 300),
    (("two steps ×1.5, independent", |random, n| raised(&random.normals(n), 1.5)), 300),
    (("two steps ×1.5, AR(1) 0.3", |random, n| raised(&random.autoregression(n, 0.3), 1.5)), 300),
    (("two steps ×1.5, AR(1) 0.6", |random, n| raised(&random.autoregression(n, 0.6), 1.5)), 300),
    (("two steps ×2.5, AR(1) 0.6", |random, n| raised(&random.autoregression(n, 0.6), 2.5)), 300),
    (
        ("one step ×1.2", |random, n| {
            let latency = |i| if i >= n / 2 { 1.2 } else { 1.0 } * (0.3 * random.normal()).exp();
            ((0..n).map(latency).collect(), vec![n / 2])
        }),
        300,
    ),
    (
        ("cache misses 10 → 35 %", |random, n| {
            ((0..n).map(|i| random.cached(if i >= n / 2 { 0.35 } else { 0.1 })).collect(), vec![n / 2])
        }),
        300,
    ),
    (("nine steps with outliers", |random, _| random.well_log()), 1000),
    (
        ("25 values raised by 2 σ", |random, n| {
            let start = 20 + (random.uniform() * (n - 65) as f64) as usize;
            let raised = start..start + 25;
            let value = |i| random.normal() + if raised.contains(&i) { 2.0 } else { 0.0 };
            ((0..n).map(value).collect(), vec![raised.start, raised.end])
        }),
        1000,
    ),
];

/// A share of `count` with Wilson's interval.
fn share(hits: usize, count: usize) -> String {
    let (n, p) = (count as f64, hits as f64 / count as f64);
    let center = (p + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let half = Z / (1.0 + Z * Z / n) * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    format!("{p:.4} ({:.4} to {:.4})", (center - half).max(0.0), (center + half).min(1.0))
}

fn found(values: &[f64], level: f64) -> Result<Vec<usize>, Box<dyn Error>> {
    Ok(change_points_at(&Sample::new(values)?, FEWEST, level).iter().map(|change| change.at).collect())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let most: usize = arguments.next().map_or(Ok(2000), |text| text.parse())?;
    let level: f64 = arguments.next().map_or(Ok(CHANGE_POINT_LEVEL), |text| text.parse())?;
    println!("| no change | n | series | found any |\n| --- | ---: | ---: | --- |");
    for (name, process) in UNCHANGED.into_iter().chain(WANDERING) {
        for n in [30, 50, 100, 300, 1000, 10_000] {
            let series = (most * 1000 / n.max(1000)).max(50);
            let mut hits = 0;
            for seed in 0..series {
                let (values, _) = process(&mut Random((seed * 1_000_003 + n) as u64), n);
                hits += usize::from(!found(&values, level)?.is_empty());
            }
            println!("| {name} | {n} | {series} | {} |", share(hits, series));
        }
    }
    println!("\n| changes | n | series | found all | share found |\n| --- | ---: | ---: | --- | ---: |");
    for ((name, process), n) in CHANGED {
        let (mut all, mut hits, mut count) = (0, 0, 0);
        for seed in 0..most {
            let (values, changes) = process(&mut Random((seed * 1_000_003 + n) as u64), n);
            // Within 3 values for large changes, and within 2 % of the series otherwise.
            let tolerance = if name.ends_with("8 σ") { 3 } else { (values.len() / 50).max(5) };
            let mut places = found(&values, level)?;
            let before = hits;
            for change in &changes {
                if let Some(i) = places.iter().position(|at| at.abs_diff(*change) <= tolerance) {
                    places.remove(i);
                    hits += 1;
                }
            }
            count += changes.len();
            all += usize::from(hits - before == changes.len());
        }
        println!("| {name} | {n} | {most} | {} | {:.3} |", share(all, most), hits as f64 / count as f64);
    }
    Ok(())
}
