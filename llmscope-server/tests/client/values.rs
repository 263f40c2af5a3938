//! Latencies that violate every rule now and then.

use std::cell::Cell;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// A random number generator with the same sequence on every machine (Knuth's MMIX).
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn of(seed: u64) -> Self {
        Self(seed.wrapping_mul(2).wrapping_add(1))
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// Latencies in control: 300 ms ± 40 ms.
pub(crate) fn steady(seed: u64, n: usize) -> Vec<f64> {
    let mut numbers = Numbers::of(seed);
    (0..n).map(|_| seconds(260 + numbers.below(81))).collect()
}

/// Latencies that are steady at first, then shift, drift, oscillate, stay constant and jump in turn.
pub(crate) fn unsteady(seed: u64, n: usize) -> Vec<f64> {
    let mut numbers = Numbers::of(seed);
    let mut all = Vec::with_capacity(n);
    while all.len() < n {
        let length = 4 + numbers.below(16);
        let stretch = numbers.below(6);
        for i in 0..length {
            let ms = match stretch {
                0 => 260 + numbers.below(81),
                1 => 305 + numbers.below(60),
                2 => 270 + 9 * i,
                3 => 300 + numbers.below(20) * (i % 2) + 40 * (i % 2),
                4 => 297 + numbers.below(7),
                _ => {
                    if numbers.below(2) == 0 {
                        190 + numbers.below(40)
                    } else {
                        370 + numbers.below(40)
                    }
                }
            };
            all.push(seconds(ms));
        }
    }
    all.truncate(n);
    all
}

#[allow(clippy::cast_precision_loss, reason = "a few hundred milliseconds")]
fn seconds(ms: u64) -> f64 {
    ms as f64 / 1e3
}

thread_local! {
    /// When the last record of this test was issued.
    static LAST: Cell<Timestamp> = Cell::new(Timestamp::now() - SignedDuration::from_hours(2));
}

/// Records with these latencies, one per second, later than all previous ones; `None` is a failed request.
pub(crate) fn records(provider: &str, model: &str, latencies_s: &[Option<f64>]) -> Vec<Value> {
    let record = |latency_s: &Option<f64>| {
        let at = LAST.get() + SignedDuration::from_secs(1);
        LAST.set(at);
        match latency_s {
            Some(e2e_s) => json!({"started_at": at, "provider": provider, "model": model, "e2e_s": e2e_s}),
            None => json!({"started_at": at, "provider": provider, "model": model, "status": "error"}),
        }
    };
    latencies_s.iter().map(record).collect()
}
