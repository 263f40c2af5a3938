//! A change from its alarm to its end.

use serde::{Deserialize, Serialize};

use super::alarm::{Alarm, Changed};
use super::state::Score;
use super::{Scale, allowance::NEEDED};

/// The last values reach back from an alarm to before an incident that opened so few values ago.
const SEEN: u64 = 100;

/// The size of a change becomes known during this number of values after it was opened,
const SETTLING: u64 = 50;
/// and comes from many values from here on.
const MANY: u64 = 25;

/// A change that has not ended: one incident, however many alarms it raises.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Incident {
    /// What changed.
    pub changed: Changed,
    /// The 0-based number of the value at which the change most probably began.
    pub since: u64,
    /// The 0-based number of the value that opened the incident.
    pub opened: u64,
    /// The 0-based number of the value that raised its last alarm.
    pub last: u64,
    /// The size at its last alarm, a ratio or a difference as in [`Alarm::size`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<f64>,
    /// The 95 % interval of this size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<(f64, f64)>,
    /// Its number of alarms.
    pub alarms: u64,
}

/// An incident that is open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct OpenIncident {
    pub(super) incident: Incident,
    /// The size that was reported last, and its interval while it comes from few values.
    reported: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reported_interval: Option<(f64, f64)>,
    /// The mean score during the change, or the mean square of the scores if they vary more.
    strength: f64,
    recovery: Recovery,
}

/// Evidence that values are as they were before the change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Recovery {
    /// The logarithm of the odds of no change to half of the change, since it was last 0 (Page 1954).
    walk: f64,
    /// Number of independent values since then.
    values: f64,
}

impl OpenIncident {
    pub(super) fn of(alarm: &Alarm, strength: f64) -> Self {
        let Alarm { changed, since, at, size, interval } = *alarm;
        let incident = Incident { changed, since, opened: at, last: at, size, interval, alarms: 1 };
        let mut open =
            Self { incident, reported: None, reported_interval: None, strength, recovery: Recovery::default() };
        open.report(alarm);
        open
    }

    /// True if an alarm is about this change. A level that changes varies more, too.
    pub(super) fn continues(&self, alarm: &Alarm) -> bool {
        let opposite =
            |a, b| matches!((a, b), (Changed::Larger, Changed::Smaller) | (Changed::Smaller, Changed::Larger));
        !opposite(self.incident.changed, alarm.changed)
    }

    /// Adds a further alarm. True if the change has become larger by half, or turned out to be a shift.
    pub(super) fn add(&mut self, alarm: &Alarm, strength: f64, scale: Scale) -> bool {
        let incident = &mut self.incident;
        if alarm.at - incident.opened < SEEN {
            // With more values, the beginning is known better.
            incident.since = alarm.since;
        }
        incident.last = alarm.at;
        incident.alarms += 1;
        self.recovery = Recovery::default();
        if alarm.changed == Changed::MoreVaried && incident.changed != Changed::MoreVaried {
            return false;
        }
        let turned = incident.changed != alarm.changed;
        (incident.changed, incident.size, incident.interval) = (alarm.changed, alarm.size, alarm.interval);
        self.strength = strength;
        let is_worse = turned || self.is_larger_by_half(alarm, scale);
        if is_worse || alarm.at - self.incident.opened <= SETTLING {
            self.report(alarm);
        }
        is_worse
    }

    /// Adds the score of a value. True if the change has ended.
    pub(super) fn recovers(&mut self, score: Score) -> bool {
        self.recovery.push(self.incident.changed, self.strength, score)
    }

    fn report(&mut self, alarm: &Alarm) {
        self.reported = alarm.size;
        self.reported_interval = alarm.interval.filter(|_| alarm.at - alarm.since < MANY);
    }

    /// True if the size of the alarm is at least 1.5 times the one that was reported, and its interval excludes the latter, and
    /// all of its interval if it comes from few values.
    fn is_larger_by_half(&self, alarm: &Alarm, scale: Scale) -> bool {
        const HALF: f64 = 1.5;
        let change = |size: f64| match scale {
            Scale::Logarithm => size.ln().abs(),
            Scale::Linear => size.abs(),
        };
        let (Some(reported), Some(size), Some((lower, upper))) = (self.reported, alarm.size, alarm.interval) else {
            return false;
        };
        let known = self.reported_interval.map_or(change(reported), |(lower, upper)| change(lower).max(change(upper)));
        change(size) >= HALF * change(reported) && change(lower).min(change(upper)) > known
    }

    pub(super) fn is_valid(&self) -> bool {
        let Recovery { walk, values } = self.recovery;
        self.strength.is_finite() && [walk, values].iter().all(|sum| sum.is_finite() && *sum >= 0.0)
    }
}

impl Recovery {
    /// The change ends with at least 25 independent values that are 20 times as probable without it as with half of it.
    fn push(&mut self, changed: Changed, strength: f64, score: Score) -> bool {
        /// Half of a smaller change could not be distinguished from none in reasonable time.
        const LEAST_SHIFT: f64 = 0.1;
        const LEAST_SPREAD: f64 = 1.2;
        let log_odds = match changed {
            Changed::Larger | Changed::Smaller => {
                let half = (0.5 * strength.abs()).max(LEAST_SHIFT);
                half * (0.5 * half - score.value * strength.signum()) / score.inflation.level
            }
            Changed::MoreVaried => {
                let half = (0.5 * (1.0 + strength)).max(LEAST_SPREAD);
                (0.5 * half.ln() + 0.5 * score.value * score.value * (1.0 / half - 1.0)) / score.inflation.spread
            }
        };
        self.walk = (self.walk + log_odds).max(0.0);
        self.values = if self.walk > 0.0 { self.values + score.information } else { 0.0 };
        self.walk >= 20.0_f64.ln() && self.values >= NEEDED
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::mixture::Inflation;

    fn alarm(changed: Changed, size: f64, interval: (f64, f64)) -> Alarm {
        Alarm { changed, since: 100, at: 110, size: Some(size), interval: Some(interval) }
    }

    fn score(value: f64, level: f64) -> Score {
        let information = 1.0 / level;
        Score { value, inflation: Inflation { level: 1.0, spread: 1.0 }, information, strength: None }
    }

    #[test]
    fn a_change_is_worse_if_it_is_larger_by_half_beyond_doubt() {
        let later = |changed, size, interval| Alarm { at: 200, ..alarm(changed, size, interval) };
        let mut open = OpenIncident::of(&alarm(Changed::Larger, 1.15, (0.9, 1.8)), 1.0);
        assert!(!open.add(&alarm(Changed::Larger, 1.2, (1.1, 1.3)), 1.2, Scale::Logarithm), "its size becomes known");
        assert!(!open.add(&later(Changed::Larger, 1.4, (1.1, 1.8)), 1.2, Scale::Logarithm), "the intervals overlap");
        assert!(!open.add(&later(Changed::Larger, 1.25, (1.31, 1.35)), 1.2, Scale::Logarithm), "less than half");
        assert!(open.add(&later(Changed::Larger, 1.4, (1.31, 1.5)), 1.2, Scale::Logarithm));
        assert!(!open.add(&later(Changed::Larger, 1.4, (1.31, 1.5)), 1.2, Scale::Logarithm), "it was reported");
        assert_eq!((open.incident.alarms, open.incident.opened, open.incident.size), (6, 110, Some(1.4)));
        let mut faster = OpenIncident::of(&alarm(Changed::Smaller, 0.8, (0.7, 0.9)), -1.0);
        assert!(faster.add(&later(Changed::Smaller, 0.5, (0.4, 0.6)), -1.5, Scale::Logarithm));
        assert!(!faster.continues(&alarm(Changed::Larger, 1.4, (1.3, 1.5))));
    }

    #[test]
    fn an_incident_ends_with_enough_independent_values_as_before() {
        let quiet = [-0.6, 0.6, -0.2, 0.2];
        let ends_after = |strength: f64, level: f64| {
            let mut open = OpenIncident::of(&alarm(Changed::Larger, 1.5, (1.2, 1.8)), strength);
            (1..2000).find(|&i| open.recovers(score(quiet[i % 4], level)))
        };
        // The first value is above half of the change.
        assert_eq!(ends_after(2.0, 1.0), Some(26), "never earlier than 25 values");
        assert_eq!(ends_after(2.0, 4.0), Some(101), "of which dependent ones are fewer");
        assert!(ends_after(0.6, 1.0).is_some_and(|after| (60..80).contains(&after)), "a small change needs more");
        let mut open = OpenIncident::of(&alarm(Changed::Larger, 1.5, (1.2, 1.8)), 1.0);
        assert!((0..2000).all(|i| !open.recovers(score(quiet[i % 4] + 0.6, 1.0))), "half of it is still there");
    }

    #[test]
    fn values_that_vary_less_again_end_an_incident() {
        let varied = Alarm { size: None, interval: None, ..alarm(Changed::MoreVaried, 1.0, (1.0, 1.0)) };
        let mut open = OpenIncident::of(&varied, 3.5);
        assert!((0..500).all(|i| !open.recovers(score(if i % 2 == 0 { 1.9 } else { -1.8 }, 1.0))));
        let ended = (1..200).find(|i| open.recovers(score(if i % 2 == 0 { 1.0 } else { -1.0 }, 1.0)));
        assert!(ended.is_some_and(|after| after <= 40), "{ended:?}");
        assert!(
            open.add(&alarm(Changed::Larger, 1.5, (1.2, 1.8)), 1.0, Scale::Logarithm),
            "it turned out to be a shift"
        );
    }
}
