//! What is too old goes; and a clock that jumps takes nothing with it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::recorder::Recorder;
use crate::store::Result;

/// How long after its start the service first looks for old records: a clock that is wrong at boot is set by then.
pub(crate) const FIRST: Duration = Duration::from_secs(300);
/// How often it looks after that.
pub(crate) const INTERVAL: Duration = Duration::from_secs(3600);
/// So many are removed at once: whoever brings records waits for no more.
const TOGETHER: usize = 5000;
/// The clock on the wall and the monotonic one differ by no more than this, unless somebody has set the former.
const LARGEST_DRIFT: SignedDuration = SignedDuration::from_mins(30);

/// Removes live records that are older than so many days, and says how many. 0 days keep everything.
pub(crate) async fn clean(recorder: &Recorder, days: u32) -> Result<u64> {
    if days == 0 {
        return Ok(0);
    }
    let before = Timestamp::now() - SignedDuration::from_hours(24 * i64::from(days));
    let mut removed = 0;
    loop {
        let now = recorder.change(move |transaction, _| transaction.delete_before(before, TOGETHER)).await?;
        removed += now;
        if now < TOGETHER as u64 {
            return Ok(removed);
        }
    }
}

/// Tells a clock that was set from time that has passed.
pub(crate) struct Clock {
    wall: Timestamp,
    monotonic: Instant,
}

impl Clock {
    /// From now on.
    pub(crate) fn new() -> Self {
        Self { wall: Timestamp::now(), monotonic: Instant::now() }
    }

    /// True if the clock was set by much since it was last asked. Records that are a week old by a clock that jumped are
    /// not: they wait until it has kept still for an interval.
    pub(crate) fn has_jumped(&mut self) -> bool {
        let before = std::mem::replace(self, Self::new());
        jumped(self.wall.duration_since(before.wall), self.monotonic - before.monotonic)
    }
}

fn jumped(by_the_wall: SignedDuration, passed: Duration) -> bool {
    let passed = SignedDuration::try_from(passed).unwrap_or(SignedDuration::MAX);
    (by_the_wall - passed).abs() > LARGEST_DRIFT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_is_told_from_time_that_has_passed() {
        let hour = Duration::from_secs(3600);
        assert!(!jumped(SignedDuration::from_hours(1), hour));
        assert!(!jumped(SignedDuration::from_mins(61), hour));
        for wrong in [SignedDuration::from_hours(24 * 365 * 10), SignedDuration::ZERO, SignedDuration::from_hours(-5)] {
            assert!(jumped(wrong, hour), "{wrong}");
        }
    }
}
