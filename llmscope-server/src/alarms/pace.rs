//! How many requests a source has in a second.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

const DAY_S: f64 = 86_400.0;
const HOUR_S: f64 = 3_600.0;
/// Whole days that are remembered.
const DAYS: usize = 7;

/// The largest number of requests a day during the last week. A promise for a period needs it: more requests have more
/// chances of a false alarm.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Pace {
    /// The first request of the present day, in seconds of the Unix epoch.
    since_s: f64,
    last_s: f64,
    /// Requests since then.
    count: u64,
    /// Those of the days before, the last one first.
    before: Vec<u64>,
}

impl Pace {
    pub(super) fn push(&mut self, at: Timestamp) {
        let now = at.as_duration().as_secs_f64();
        if self.count == 0 && self.before.is_empty() {
            self.since_s = now;
        }
        // A clock that goes back, or records that arrive late, do not begin a day.
        self.last_s = self.last_s.max(now);
        if self.last_s - self.since_s >= DAY_S {
            self.before.insert(0, self.count);
            self.before.truncate(DAYS);
            (self.since_s, self.count) = (self.last_s, 0);
        }
        self.count += 1;
    }

    pub(super) fn requests_per_s(&self) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "a number of requests is far below 2^53")]
        let number = |count: u64| count as f64;
        // A short burst must not count as a day of it.
        let present = number(self.count) / (self.last_s - self.since_s).max(HOUR_S);
        let before = self.before.iter().copied().max().map_or(0.0, number) / DAY_S;
        present.max(before)
    }

    pub(super) fn is_valid(&self) -> bool {
        self.since_s.is_finite() && self.last_s.is_finite() && self.before.len() <= DAYS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).expect("a time")
    }

    #[test]
    fn the_pace_is_that_of_the_busiest_day() {
        let mut pace = Pace::default();
        pace.push(at(0));
        assert!((pace.requests_per_s() - 1.0 / HOUR_S).abs() < 1e-12, "one request is not a pace");
        (1..5 * 3_600).for_each(|second| pace.push(at(second)));
        assert!((pace.requests_per_s() - 1.0).abs() < 0.001);
        (1..150).for_each(|hour| pace.push(at(5 * 3_600 + 3_600 * hour)));
        assert!((pace.requests_per_s() - 18_000.0 / DAY_S).abs() < 0.001, "a busy day counts for a week");
        (0..400).for_each(|hour| pace.push(at(1_000_000 + 3_600 * hour)));
        assert!(pace.requests_per_s() < 2.0 / HOUR_S, "{}", pace.requests_per_s());
        pace.push(at(0));
        assert!(pace.is_valid() && pace.requests_per_s() < 2.0 / HOUR_S);
    }
}
