//! From an array to a verdict: limits, all eight rules and capability, at N, 10N and 100N points. A plain sum of the same
//! array shows the lower bound that memory bandwidth sets.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use llmscope_core::capability::{SpecificationLimits, capability, performance};
use llmscope_core::chart::individuals;
use llmscope_core::detector::{Detector, Settings};
use llmscope_core::stats::Moments;
use llmscope_core::{Monitor, RuleSet, Sample, SigmaEstimator};

/// Realistic latencies: a minimum, a skewed distribution, and no period that a branch predictor could learn.
fn latencies(count: usize) -> Vec<f64> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut uniform = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        f64::from((state >> 32) as u32) / f64::from(u32::MAX)
    };
    (0..count).map(|_| 0.2 - 0.05 * (1.0 - 0.999 * uniform()).ln()).collect()
}

fn chart(criterion: &mut Criterion) {
    let rules = RuleSet::nelson();
    let limits = SpecificationLimits::new(None, Some(0.8), None).expect("one limit");
    for count in [10_000, 100_000, 1_000_000] {
        let values = latencies(count);
        let mut group = criterion.benchmark_group("array to verdict");
        group.throughput(Throughput::Elements(count as u64));
        group.sample_size(10);
        group.bench_with_input(BenchmarkId::new("sum", count), &values, |bencher, values| {
            bencher.iter(|| black_box(values.iter().sum::<f64>()));
        });
        group.bench_with_input(BenchmarkId::new("moments", count), &values, |bencher, values| {
            bencher.iter(|| black_box(Moments::of(values)));
        });
        group.bench_with_input(BenchmarkId::new("limits", count), &values, |bencher, values| {
            bencher.iter(|| {
                let sample = Sample::new(&values[..]).expect("finite");
                black_box(individuals::estimate(&sample, SigmaEstimator::AverageMovingRange))
            });
        });
        group.bench_with_input(BenchmarkId::new("limits, 8 rules, capability", count), &values, |bencher, values| {
            bencher.iter(|| {
                let sample = Sample::new(&values[..]).expect("finite");
                let chart = individuals::estimate(&sample, SigmaEstimator::AverageMovingRange).expect("enough data");
                let within = chart.standards.within.expect("a chart of measurements");
                black_box(chart.judge(&rules).expect("finite"));
                black_box(capability(chart.standards.center, &within, count, &limits, 0.95));
                black_box(performance(values, &limits, 0.95))
            });
        });
        group.bench_with_input(
            BenchmarkId::new("monitor, 8 rules, point by point", count),
            &values,
            |bencher, values| {
                bencher.iter(|| {
                    let mut monitor = Monitor::new(rules.clone(), 0.25, 0.05).expect("lines");
                    values.iter().map(|&x| monitor.push(x).map_or(0, <[_]>::len)).sum::<usize>()
                });
            },
        );
        group.bench_with_input(BenchmarkId::new("detector, point by point", count), &values, |bencher, values| {
            bencher.iter(|| {
                let mut detector = Detector::new(Settings::default()).expect("settings");
                let alarms = values.iter().filter_map(|&x| detector.push(x, &[]).ok()?.alarm);
                alarms.count()
            });
        });
        group.finish();
    }
}

criterion_group!(benches, chart);
criterion_main!(benches);
