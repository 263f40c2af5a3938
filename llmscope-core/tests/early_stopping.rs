//! Certificates of independent requests against the counts of MLPerf LoadGen's early stopping.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "shared with tests that use all of it")]
mod golden;

use llmscope_core::objective::CertificateStatus;
use llmscope_core::stats::Proportion;
use llmscope_core::{Certificate, Objective};
use serde_json::Value;

use golden::{number, parsed, sample};

/// LoadGen's confidence is 99 %.
const ALPHA: f64 = 0.01;
/// The certificate needs as many independent requests, because it estimates their dependence. LoadGen does not.
const FEWEST: usize = 20;

/// The fewest queries with which LoadGen accepts a percentile in spite of queries over the latency.
struct Count {
    percentile: f64,
    over: usize,
    fewest: usize,
}

fn reference() -> Value {
    parsed(include_str!("reference/loadgen_early_stopping.json"))
}

fn counts() -> Vec<Count> {
    let counts: Vec<Count> = reference()["counts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| Count { percentile: number(&row[0]), over: whole(&row[1]), fewest: whole(&row[2]) })
        .collect();
    assert!(counts.len() > 50);
    counts
}

fn whole(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

#[allow(clippy::cast_precision_loss, reason = "counts of a test are small")]
fn share(count: usize, n: usize) -> f64 {
    count as f64 / n as f64
}

/// The certificate of `n` independent requests, of which `over` exceed 1 s at random places. The estimate of V is 1 for
/// a fifth to a third of such samples. This is the first of them, so that only the counts decide.
fn quantile(percentile: f64, over: usize, n: usize) -> Certificate {
    let mut state = 1;
    (0..200)
        .map(|_| {
            let mut values: Vec<f64> = (0..n).map(|i| uniform(&mut state) + if i < over { 1.0 } else { 0.0 }).collect();
            for last in (1..n).rev() {
                values.swap(last, below(last + 1, &mut state));
            }
            certified(&format!("ttft.p{}=1s", 100.0 * percentile), values)
        })
        .find(|certificate| certificate.effective == share(n, 1))
        .unwrap()
}

fn certified(objective: &str, values: Vec<f64>) -> Certificate {
    let objective: Objective = objective.parse().unwrap();
    objective.certify(&sample(values), &[], ALPHA).unwrap().unwrap()
}

#[test]
fn an_objective_is_met_from_the_count_of_loadgen_on() {
    for Count { percentile, over, fewest } in counts() {
        let certificate = quantile(percentile, over, fewest.max(FEWEST));
        assert_eq!(certificate.status, CertificateStatus::Met, "{}", certificate.text);
        let one_fewer = quantile(percentile, over, fewest - 1);
        assert_eq!(one_fewer.status, CertificateStatus::CannotTell, "{}", one_fewer.text);
    }
}

#[test]
fn fewer_than_20_requests_decide_nothing() {
    let small: Vec<Count> = counts().into_iter().filter(|count| count.fewest < FEWEST).collect();
    assert!(!small.is_empty());
    for Count { percentile, over, fewest } in small {
        for n in [fewest, FEWEST - 1] {
            assert_eq!(quantile(percentile, over, n).status, CertificateStatus::CannotTell, "{over} of {n}");
        }
        assert_eq!(quantile(percentile, over, FEWEST).status, CertificateStatus::Met, "{over} of {FEWEST}");
    }
}

/// The percentile estimate of a run with one stream is the t-th highest latency of n, where t is the largest number that
/// passes. One more latency exceeds the lowest limit that is certified.
#[test]
fn the_estimate_of_a_stream_is_one_latency_above_the_certified_limit() {
    let runs = reference()["published_single_stream"]["runs"].as_array().unwrap().clone();
    for run in &runs {
        let (processed, discarded) = (whole(&run[0]), whole(&run[1]));
        let passes = |over: usize| {
            let proportion = Proportion { share: share(over, processed), size: share(processed, 1) };
            proportion.p_below(0.1).unwrap() <= ALPHA
        };
        assert!(passes(discarded + 1) && !passes(discarded + 2), "{discarded} of {processed}");
        if processed < 10_000 {
            assert_eq!(quantile(0.9, discarded + 1, processed).status, CertificateStatus::Met);
            assert_eq!(quantile(0.9, discarded + 2, processed).status, CertificateStatus::CannotTell);
        }
    }
    assert_eq!(runs.len(), 4);
}

/// LoadGen's number of further queries assumes that all of them are within the latency. A certificate assumes that the
/// share stays.
#[test]
fn the_number_of_further_requests_assumes_another_future() {
    let run = &reference()["published_server"];
    let (processed, over, more) = (whole(&run["processed"]), whole(&run["over"]), whole(&run["more"]));
    let fewest = counts().into_iter().find(|count| count.percentile == 0.99 && count.over == over).unwrap().fewest;
    assert_eq!(processed + more, fewest);
    // Where all exceed it, no further requests are needed: the objective is missed.
    let missed = quantile(0.99, over, processed);
    assert_eq!((missed.status, missed.need), (CertificateStatus::Missed, None), "{}", missed.text);

    let stays = quantile(0.99, 2, 300);
    let of_loadgen = counts().into_iter().find(|count| count.percentile == 0.99 && count.over == 2).unwrap();
    assert_eq!((of_loadgen.fewest - 300, stays.need), (538, Some(4366)), "{}", stays.text);
    let none = quantile(0.99, 0, 300);
    assert_eq!(none.need, Some(459 - 300), "both assume that none exceeds it: {}", none.text);
}

/// The dependence of independent requests is estimated, too. By chance it costs 6 % of 1,000 requests at the
/// p90, on average.
#[test]
fn the_estimated_dependence_of_independent_requests_costs_little() {
    let (runs, n) = (300, 1000);
    let mut state = 11;
    let mut cost = 0.0;
    for _ in 0..runs {
        let values = (0..n).map(|_| 0.5 + uniform(&mut state)).collect();
        cost += 1.0 - certified("ttft.p90=1.2s", values).effective / share(n, 1);
    }
    let mean = cost / f64::from(runs);
    assert!((0.03..0.08).contains(&mean), "{mean}");
}

/// A whole number below `n`.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number from 0 to n")]
fn below(n: usize, state: &mut u64) -> usize {
    ((share(n, 1) * uniform(state)) as usize).min(n - 1)
}

/// A uniform number of `SplitMix64` (Steele, Lea & Flood 2014).
#[allow(clippy::cast_possible_truncation, reason = "the upper 32 bits")]
fn uniform(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (f64::from(((z ^ (z >> 31)) >> 32) as u32) + 0.5) / 4_294_967_296.0
}
