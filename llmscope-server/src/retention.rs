//! Removes old records, but not after a jump of the system clock.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::alarms::SNAPSHOT_AGE;
use crate::recorder::Recorder;
use crate::store::{Result, Transaction};
use crate::watches::Watches;

/// The delay between the start of the service and its first cleanup. A clock that is wrong at boot is set by then.
pub(crate) const FIRST: Duration = Duration::from_secs(300);
/// The interval between later cleanups.
pub(crate) const INTERVAL: Duration = Duration::from_secs(3600);
/// The most records to remove in one transaction, so that new records do not wait long.
const BATCH: usize = 5000;
/// The largest drift between the system clock and the monotonic clock; beyond it, the system clock was set.
const LARGEST_DRIFT: SignedDuration = SignedDuration::from_mins(30);

/// Removes live records that are older than `days` days, and returns their number. With 0 days it removes nothing.
pub(crate) async fn clean(recorder: &Recorder, days: u32) -> Result<u64> {
    if days == 0 {
        return Ok(0);
    }
    let before = Timestamp::now() - SignedDuration::from_hours(24 * i64::from(days));
    // A restart cannot judge removed records again.
    save_alarms_before(recorder, before).await?;
    let mut removed = 0;
    loop {
        let now = recorder.change(move |transaction, _| transaction.delete_before(before, BATCH)).await?;
        removed += now;
        if now < BATCH as u64 {
            return Ok(removed);
        }
    }
}

/// Removes violations and incidents that ended more than `days` days ago, and returns the number of violations. With 0 days it removes nothing.
pub(crate) async fn clean_violations(recorder: &Recorder, days: u32) -> Result<u64> {
    if days == 0 {
        return Ok(0);
    }
    let before = Timestamp::now() - SignedDuration::from_hours(24 * i64::from(days));
    let mut removed = 0;
    loop {
        let remove = move |transaction: &mut dyn Transaction, _: &mut Watches| {
            Ok((
                transaction.delete_incidents_before(before, BATCH)?,
                transaction.delete_violations_before(before, BATCH)?,
            ))
        };
        let (incidents, violations) = recorder.change(remove).await?;
        removed += violations;
        if incidents.max(violations) < BATCH as u64 {
            return Ok(removed);
        }
    }
}

/// Stores what the alarms have learned from records that are older than an hour, so that a start reads few records.
pub(crate) async fn save_alarms(recorder: &Recorder) -> Result<()> {
    save_alarms_before(recorder, Timestamp::now() - SNAPSHOT_AGE).await
}

async fn save_alarms_before(recorder: &Recorder, before: Timestamp) -> Result<()> {
    /// Sources in one transaction, so that new records do not wait long.
    const SOURCES: usize = 50;
    let save = move |transaction: &mut dyn Transaction, watches: &mut Watches| {
        watches.alarms().map_or(Ok(false), |alarms| alarms.save_before(transaction, before, SOURCES))
    };
    while recorder.change(save).await? {}
    Ok(())
}

/// How long identities are remembered. A client that was without the service for longer counts as another one.
const IDENTITIES: SignedDuration = SignedDuration::from_hours(24);

/// Forgets identities that are older than a day.
pub(crate) async fn forget_identities(recorder: &Recorder) -> Result<()> {
    let before = Timestamp::now() - IDENTITIES;
    while recorder.change(move |transaction, _| transaction.forget_before(before, BATCH)).await? > 0 {}
    Ok(())
}

/// Detects changes of the system clock.
pub(crate) struct Clock {
    wall: Timestamp,
    monotonic: Instant,
}

impl Clock {
    /// Starts to compare the clocks now.
    pub(crate) fn new() -> Self {
        Self { wall: Timestamp::now(), monotonic: Instant::now() }
    }

    /// True if the system clock jumped since the last call. After a jump, the age of records is unreliable, so the
    /// cleanup waits for an interval without a jump.
    pub(crate) fn has_jumped(&mut self) -> bool {
        let before = std::mem::replace(self, Self::new());
        jumped(self.wall.duration_since(before.wall), self.monotonic - before.monotonic)
    }
}

fn jumped(wall_elapsed: SignedDuration, passed: Duration) -> bool {
    let passed = SignedDuration::try_from(passed).unwrap_or(SignedDuration::MAX);
    (wall_elapsed - passed).abs() > LARGEST_DRIFT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_is_distinguished_from_time_that_has_passed() {
        let hour = Duration::from_secs(3600);
        assert!(!jumped(SignedDuration::from_hours(1), hour));
        assert!(!jumped(SignedDuration::from_mins(61), hour));
        for wrong in [SignedDuration::from_hours(24 * 365 * 10), SignedDuration::ZERO, SignedDuration::from_hours(-5)] {
            assert!(jumped(wrong, hour), "{wrong}");
        }
    }
}
