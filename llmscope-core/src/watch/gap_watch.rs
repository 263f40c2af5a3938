//! How long an endpoint is usually silent, and when a silence is an incident.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::times::ns;

/// The last gaps, whose median is the beat.
const RECENT: usize = 100;
/// The days whose longest gaps are known, besides the present one.
const DAYS: i64 = 7;
const DAY_NS: i64 = 86_400_000_000_000;
const SECOND_NS: i64 = 1_000_000_000;
/// An endpoint is judged once it was seen on at least one whole day.
const LEAST_SEEN_NS: i64 = DAY_NS;
/// A faster beat counts as this one, so that a silence lasts for at least 15 s.
const FASTEST_BEAT_NS: i64 = 3 * SECOND_NS;
/// An endpoint with a slower beat is seldom used: a silence says nothing.
const SLOWEST_BEAT_NS: i64 = 3_600 * SECOND_NS;
/// A silence is this number of beats at least,
const BEATS: i64 = 5;
/// and this multiple of the longest gap of the last week.
const LONGEST: i64 = 3;
/// An endpoint with a gap of more beats in the last week is irregular by nature.
const IRREGULAR: i64 = 20;
/// Of the silences within a week, this number is usual: an endpoint with more of them is irregular by nature.
const SILENCES: usize = 1;

/// Judges whether an endpoint that had regular requests is silent for too long.
///
/// The beat is the median of the last 100 gaps between requests. A silence is longer than five beats, and longer than three
/// times the longest gap of the last seven days. An endpoint is not judged on its first day, if its beat is slower than an
/// hour, or if one of its gaps was longer than 20 beats, as at night. The first such gap within a week is an incident; with
/// the second one, the endpoint is irregular by nature.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GapWatch {
    /// The first and the last request, in nanoseconds.
    first_ns: Option<i64>,
    last_ns: i64,
    recent_ns: VecDeque<i64>,
    /// The number of each day since 1970 that had a request, with its longest gap; the last one at the end.
    days: VecDeque<(i64, i64)>,
    /// The ends and lengths of the silences of the last week.
    silences_ns: VecDeque<(i64, i64)>,
}

impl GapWatch {
    /// Adds a request that arrived at this time, and returns the silence that it ended.
    pub fn push(&mut self, at: Timestamp) -> Option<SignedDuration> {
        let now = ns(at);
        if self.first_ns.is_none() {
            (self.first_ns, self.last_ns) = (Some(now), now);
            return None;
        }
        let gap = now - self.last_ns;
        // Requests of one call, and a clock that was set back.
        if gap <= 0 {
            return None;
        }
        let is_silence = self.is_silence(gap);
        self.last_ns = now;
        let week_ago = now - DAY_NS * DAYS;
        while self.silences_ns.front().is_some_and(|(end, _)| *end < week_ago) {
            self.silences_ns.pop_front();
        }
        if is_silence {
            self.silences_ns.push_back((now, gap));
            if self.silences_ns.len() > SILENCES {
                // Silences are usual here.
                let longest = self.silences_ns.iter().map(|(_, gap)| *gap).max();
                longest.into_iter().for_each(|longest| self.learn_longest(now, longest));
            }
            return Some(SignedDuration::from_nanos(gap));
        }
        if self.recent_ns.len() == RECENT {
            self.recent_ns.pop_front();
        }
        self.recent_ns.push_back(gap);
        self.learn_longest(now, gap);
        None
    }

    /// The service did not listen until this time: what it missed is not a silence.
    pub fn resume(&mut self, at: Timestamp) {
        if self.first_ns.is_some() {
            self.last_ns = self.last_ns.max(ns(at));
        }
    }

    /// Takes every gap so far as usual.
    pub fn relearn(&mut self) {
        let last = self.last_ns;
        let longest = self.silences_ns.drain(..).map(|(_, gap)| gap).max();
        longest.into_iter().for_each(|longest| self.learn_longest(last, longest));
    }

    /// How long the endpoint may be silent; `None` if its silence says nothing.
    #[must_use]
    pub fn limit(&self) -> Option<SignedDuration> {
        self.limit_ns().map(SignedDuration::from_nanos)
    }

    /// The beat: the median of the last gaps.
    #[must_use]
    pub fn beat(&self) -> Option<SignedDuration> {
        self.beat_ns().map(SignedDuration::from_nanos)
    }

    /// The time of the last request, if the endpoint is silent for too long at this time.
    #[must_use]
    pub fn silent_since(&self, now: Timestamp) -> Option<Timestamp> {
        let is_silent = self.is_silence(ns(now).saturating_sub(self.last_ns));
        is_silent.then(|| Timestamp::from_nanosecond(self.last_ns.into()).ok()).flatten()
    }

    /// True for a gap that is longer than the endpoint may be silent.
    fn is_silence(&self, gap: i64) -> bool {
        // Most gaps are shorter than every limit, which takes a median.
        gap > BEATS * FASTEST_BEAT_NS && self.limit_ns().is_some_and(|limit| gap > limit)
    }

    fn limit_ns(&self) -> Option<i64> {
        let beat = self.beat_ns()?;
        let longest = self.days.iter().map(|(_, longest)| *longest).max()?;
        let is_seen = self.last_ns - self.first_ns? >= LEAST_SEEN_NS;
        let is_regular = beat <= SLOWEST_BEAT_NS && longest <= IRREGULAR * beat.max(FASTEST_BEAT_NS);
        let limit = (BEATS * beat.max(FASTEST_BEAT_NS)).max(LONGEST * longest);
        (is_seen && is_regular).then_some(limit)
    }

    fn beat_ns(&self) -> Option<i64> {
        if self.recent_ns.len() < RECENT {
            return None;
        }
        let mut sorted: Vec<i64> = self.recent_ns.iter().copied().collect();
        let (_, median, _) = sorted.select_nth_unstable(RECENT / 2);
        Some(*median)
    }

    fn learn_longest(&mut self, now: i64, gap: i64) {
        let day = now.div_euclid(DAY_NS);
        match self.days.back_mut() {
            Some((last, longest)) if *last >= day => *longest = (*longest).max(gap),
            _ => self.days.push_back((day, gap)),
        }
        while self.days.front().is_some_and(|(first, _)| *first < day - DAYS) {
            self.days.pop_front();
        }
    }

    /// True if a state from outside can be used.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.recent_ns.len() <= RECENT
            && self.days.len() as u64 <= DAYS.unsigned_abs() + 1
            && self.recent_ns.iter().all(|gap| *gap > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: i64 = 1_800_000_000;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(BEGIN + second).expect("a time")
    }

    /// A request every 15 s from the first second to before the last one, without those of the hours in `nights` of each day.
    fn requests(watch: &mut GapWatch, seconds: std::ops::Range<i64>, nights: std::ops::Range<i64>) -> Vec<i64> {
        let is_day = |second: &i64| !nights.contains(&(second.rem_euclid(86_400) / 3_600));
        let all = seconds.step_by(15).filter(is_day);
        all.filter_map(|second| watch.push(at(second))).map(|silence| silence.as_secs()).collect()
    }

    #[test]
    fn a_regular_endpoint_may_miss_five_beats() {
        let mut watch = GapWatch::default();
        assert!(requests(&mut watch, 0..80_000, 0..0).is_empty());
        assert_eq!(watch.limit(), None, "not on its first day");
        requests(&mut watch, 80_010..90_000, 0..0);
        assert_eq!(
            (watch.beat(), watch.limit()),
            (Some(SignedDuration::from_secs(15)), Some(SignedDuration::from_secs(75)))
        );
        assert_eq!(watch.silent_since(at(89_985 + 75)), None);
        assert_eq!(watch.silent_since(at(89_985 + 76)), Some(at(89_985)));
        assert_eq!(watch.push(at(90_300)), Some(SignedDuration::from_secs(315)));
        assert_eq!(watch.limit(), Some(SignedDuration::from_secs(75)), "the silence is not usual");
        assert_eq!(watch.push(at(90_300)), None, "a second request of the same call");
    }

    #[test]
    fn a_night_is_usual_from_the_second_one_on() {
        let mut watch = GapWatch::default();
        let silences = requests(&mut watch, 0..86_400 * 30, 1..7);
        assert!(silences.is_empty(), "it was never seen without a night: {silences:?}");
        let mut watch = GapWatch::default();
        requests(&mut watch, 0..86_400 * 3, 0..0);
        let silences = requests(&mut watch, 86_400 * 3..86_400 * 30, 1..7);
        assert_eq!(silences.len(), 2, "the second night of a week makes the endpoint irregular");
        assert_eq!(watch.limit(), None);
    }

    #[test]
    fn a_silence_that_a_user_accepts_is_usual() {
        let mut watch = GapWatch::default();
        requests(&mut watch, 0..86_400 * 3, 0..0);
        watch.push(at(86_400 * 3 + 600));
        watch.relearn();
        assert_eq!(watch.limit(), None, "600 s are 40 beats");
        requests(&mut watch, 86_400 * 3 + 615..86_400 * 12, 0..0);
        assert!(watch.limit().is_some(), "after a week without one");
    }

    #[test]
    fn seldom_and_irregular_endpoints_are_not_judged() {
        let mut nightly = GapWatch::default();
        (0..400).for_each(|day| assert_eq!(nightly.push(at(86_400 * day)), None));
        assert_eq!(nightly.limit(), None);
        let mut bursts = GapWatch::default();
        for hour in 0..200 {
            (0..50).for_each(|i| assert_eq!(bursts.push(at(3_600 * hour + i)), None));
        }
        assert_eq!(bursts.limit(), None);
    }

    #[test]
    fn a_service_that_was_down_missed_no_silence() {
        let mut watch = GapWatch::default();
        requests(&mut watch, 0..86_400 * 2, 0..0);
        watch.resume(at(86_400 * 2 + 7_200));
        assert_eq!(watch.silent_since(at(86_400 * 2 + 7_260)), None);
        assert_eq!(watch.push(at(86_400 * 2 + 7_210)), None);
        let text = serde_json::to_string(&watch).expect("JSON");
        assert_eq!(serde_json::from_str::<GapWatch>(&text).expect("a state"), watch);
    }
}
