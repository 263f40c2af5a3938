//! What the log reports of exports: each kind of problem at most once an hour.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

const PAUSE: SignedDuration = SignedDuration::from_hours(1);

/// When each kind was reported, and how often it occurred since.
#[derive(Default)]
pub(super) struct Reported(Mutex<BTreeMap<&'static str, Kind>>);

struct Kind {
    at: Timestamp,
    since: usize,
}

impl Reported {
    /// Logs that `count` parts of an export were not stored, unless the log says so already.
    pub(super) fn report(&self, kind: &'static str, count: usize, now: Timestamp) {
        if let Some(count) = self.due(kind, count, now) {
            tracing::warn!(
                count,
                "OpenTelemetry: not stored: {kind}; the next such line comes in an hour at the earliest"
            );
        }
    }

    /// The number to report now, with those that were not reported before.
    fn due(&self, kind: &'static str, count: usize, now: Timestamp) -> Option<usize> {
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match kinds.get_mut(kind) {
            Some(known) if now.duration_since(known.at) < PAUSE => {
                known.since += count;
                None
            }
            known => {
                let all = count + known.map_or(0, |known| known.since);
                kinds.insert(kind, Kind { at: now, since: 0 });
                Some(all)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_reported_once_an_hour_with_what_came_in_between() {
        let reported = Reported::default();
        let minute = |minute| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute);
        assert_eq!(reported.due("metrics", 3, minute(0)), Some(3));
        assert_eq!(reported.due("metrics", 4, minute(59)), None);
        assert_eq!(reported.due("logs", 1, minute(59)), Some(1));
        assert_eq!(reported.due("metrics", 2, minute(60)), Some(6));
        assert_eq!(reported.due("metrics", 2, minute(61)), None);
    }
}
