//! What is too old goes.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::recorder::Recorder;
use crate::store::Result;

/// How often old records are looked for.
pub(crate) const INTERVAL: Duration = Duration::from_secs(3600);
/// So many are removed at once: whoever brings records waits for no more.
const TOGETHER: usize = 5000;

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
