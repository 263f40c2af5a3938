//! Which columns may hold the time of a row, by the words of their names.

use super::name::Name;
use crate::metric::Unit;

/// Words of the beginning of a request, or of an event.
const BEGINNINGS: &str = "\
    timestamp timestamps ts tstamp stamp time times datetime dt date day utc epoch unix when clock start started starts \
    begin began begun created creation sent send submitted submit dispatched dispatch requested issued fired \
    enqueued queued scheduled arrival arrived logged recorded measured collected captured observed inserted ingested \
    executed ran t at";
/// Words of the end of a request.
const ENDS: &str = "\
    end ended finish finished complete completed completion stop stopped updated received responded";
/// Times of other things than the request.
const OF_OTHERS: &str = "\
    expires expiry expiration deadline valid until due birth release released version build commit model training \
    account modified deploy deployed deployment";

/// A column that may hold the time of a row. Its values have to confirm it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct TimeName {
    /// True for the end of a request. Its beginning is preferred.
    pub(crate) is_end: bool,
    /// The unit of its numbers since 1970, if the name gives one.
    pub(crate) unit: Option<Unit>,
}

impl TimeName {
    /// `None` if no word of the name is one of a time.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let name = Name::of(name);
        let has_duration = name.has_phrase(&["time", "to"]) || name.has_phrase(&["time", "per"]);
        if !name.statistics.is_empty() || name.has(OF_OTHERS) || has_duration {
            return None;
        }
        let is_end = name.has(ENDS);
        let unit = name.last().filter(|_| name.words.len() > 1).and_then(|last| match last {
            "nano" => Some(Unit::Nanosecond),
            "milli" => Some(Unit::Millisecond),
            "micro" => Some(Unit::Microsecond),
            last => Unit::of_time(last),
        });
        (is_end || name.has(BEGINNINGS)).then_some(Self { is_end, unit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_times_are_told_from_others() {
        for (name, expected) in [
            ("created", Some((false, None))),
            ("request_start", Some((false, None))),
            ("Start Time (UTC)", Some((false, None))),
            ("_source.@timestamp", Some((false, None))),
            ("startTimeUnixNano", Some((false, Some(Unit::Nanosecond)))),
            ("begin_ms", Some((false, Some(Unit::Millisecond)))),
            ("end_time", Some((true, None))),
            ("completed_at", Some((true, None))),
            ("expires_at", None),
            ("model_created", None),
            ("time_to_first_token", None),
            ("start.p50", None),
            ("latency_ms", None),
            ("tokens", None),
        ] {
            let found = TimeName::of(name).map(|found| (found.is_end, found.unit));
            assert_eq!(found, expected, "{name}");
        }
    }
}
