//! Detects that more requests fail, at a stated rate of false alarms.

use serde::{Deserialize, Serialize};

use super::{FalseAlarmRate, Settings};
use crate::error::{Error, Result};

/// The alternatives: the odds of a failure times a factor, and at least a share. A smaller share raises none.
const ALTERNATIVES: [(f64, f64); 5] = [(2.5, 0.01), (6.0, 0.03), (2.5, 0.1), (2.5, 0.5), (2.5, 0.95)];
const WEIGHT: f64 = 0.2;
/// Standard errors that a share is allowed to be too low.
const ERRORS: f64 = 0.5;
/// The largest share that failures before an alarm can have.
const LARGEST: f64 = 0.998;
/// Shares are learned while the evidence is smaller.
const JOINING: f64 = 25.0;
/// Answers in a row that end an incident.
const ENDING: u32 = 25;
/// An incident of at most this many failures that ends by itself is one of the usual ones after [`FailureDetector::relearn`].
const USUAL: u64 = 50;
/// Of a state from outside: more would overflow.
const LARGEST_SUM: f64 = 1e30;
const MOST_REQUESTS: u64 = 1 << 53;
const SCHEMA: &str = "llmscope.failures/1";

/// Judges requests one by one: does a larger share of them fail? See [`FailureDetector::push`].
///
/// A request fails with a share that is learned: p = (k + ½)/(n + 1) of those that follow an answer (Jeffreys). After failures it
/// is at least the share of the requests that followed as many: failures often come together. S ← (S + 1)·f for five larger
/// shares, f the likelihood ratio, and the evidence is their mean. An alarm is raised at N₀, the number of requests between two
/// false alarms, and only by a failure. The bound is exact for a known share (Shiryaev–Roberts; Pollak 1985, *Annals of
/// Statistics* 13).
///
/// An alarm begins an incident, which ends with 25 answers in a row. What failed in it is not learned, so that a second
/// outage raises an alarm, too.
///
/// ```
/// use llmscope_core::detector::{FailureDetector, FalseAlarmRate};
///
/// let mut detector = FailureDetector::new(FalseAlarmRate::one_in(100_000.0)?, 500)?;
/// let requests = (0..1_000).map(|i| i % 100 == 7).chain([true; 10]);
/// let alarms: Vec<_> = requests.filter_map(|failed| detector.push(failed).alarm).collect();
/// assert_eq!((alarms.len(), alarms[0].since), (1, 1_000));
/// assert!(alarms[0].at < 1_005 && (alarms[0].share_before - 0.01).abs() < 0.002);
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(into = "State", try_from = "State")]
pub struct FailureDetector(State);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct State {
    schema: String,
    false_alarms: FalseAlarmRate,
    /// More frequent false alarms that are allowed from the next alarm on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    planned: Option<FalseAlarmRate>,
    learn: u64,
    pushed: u64,
    /// The results of the last eight requests, the last one in the lowest bit: 1 has failed.
    last: u8,
    /// Requests that follow an answer.
    base: Share,
    /// By what came before: see [`State::stratum`]. Those of 0 and its like are the base.
    strata: [Share; 6],
    answers_in_a_row: u32,
    /// What joins the strata when the evidence is small again.
    waiting: [Share; 6],
    sums: [f64; 5],
    /// The request at which the present failures began: the first one after as many answers as end an incident.
    since: u64,
    /// Failures and requests since then.
    recent: Share,
    /// The failures of the present incident.
    incident: Option<u64>,
    /// True if incidents that end by themselves are usual here.
    takes_bursts: bool,
}

/// How many of the requests failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Share {
    failed: u64,
    of: u64,
}

/// What is known after a request.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FailureEvidence {
    /// The evidence that more requests fail; 0 while the detector learns, and during an incident.
    pub value: f64,
    /// The evidence that raises an alarm.
    pub threshold: f64,
    /// True from an alarm until 25 requests in a row were answered.
    pub incident: bool,
    /// Present if this request raised an alarm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm: Option<FailureAlarm>,
}

/// More requests fail than before.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FailureAlarm {
    /// The 0-based number of the first of the failures that raised the alarm.
    pub since: u64,
    /// The 0-based number of the request that raised it.
    pub at: u64,
    /// The failures since the beginning.
    pub failed: u64,
    /// The requests since the beginning.
    pub of: u64,
    /// The share of failed requests before, of those that follow an answer.
    pub share_before: f64,
}

impl Share {
    fn add(&mut self, failed: bool) {
        self.failed += u64::from(failed);
        self.of += 1;
    }

    fn take_in(&mut self, other: &mut Self) {
        self.failed += other.failed;
        self.of += other.of;
        *other = Self::default();
    }

    /// (k + prior·weight)/(n + weight), and n + weight.
    #[allow(clippy::cast_precision_loss, reason = "counts of requests")]
    fn estimate(self, prior: f64, weight: f64) -> (f64, f64) {
        let n = self.of as f64 + weight;
        ((self.failed as f64 + prior * weight) / n, n)
    }
}

impl FailureDetector {
    /// A detector that has learned nothing. It judges after `learn` requests, 20 to 2,048.
    ///
    /// # Errors
    /// [`Error::Parameter`] for another number of requests.
    pub fn new(false_alarms: FalseAlarmRate, learn: usize) -> Result<Self> {
        Settings { false_alarms, learn, ..Settings::default() }.check()?;
        Ok(Self(State {
            schema: SCHEMA.to_owned(),
            false_alarms,
            planned: None,
            learn: learn as u64,
            pushed: 0,
            last: 0,
            answers_in_a_row: 0,
            base: Share::default(),
            strata: Default::default(),
            waiting: Default::default(),
            sums: [0.0; 5],
            since: 0,
            recent: Share::default(),
            incident: None,
            takes_bursts: false,
        }))
    }

    /// Judges the next request: whether it failed.
    pub fn push(&mut self, failed: bool) -> FailureEvidence {
        let state = &mut self.0;
        let threshold = state.false_alarms.values();
        let at = state.pushed;
        state.pushed += 1;
        state.date(failed, at);
        let mut evidence = if at >= state.learn { state.judge(failed) } else { 0.0 };
        let mut alarm = None;
        if let Some(failures) = state.incident {
            state.sums = [0.0; 5];
            evidence = 0.0;
            state.go_on(failures + u64::from(failed));
        } else if evidence >= threshold && failed {
            alarm = Some(FailureAlarm {
                since: state.since,
                at,
                failed: state.recent.failed,
                of: state.recent.of,
                share_before: state.base.estimate(0.5, 1.0).0,
            });
            state.sums = [0.0; 5];
            state.incident = Some(state.recent.failed);
            state.false_alarms = state.planned.take().unwrap_or(state.false_alarms);
        }
        state.learn(failed, state.incident.is_none() && evidence < JOINING);
        FailureEvidence { value: evidence, threshold, incident: state.incident.is_some(), alarm }
    }

    /// Changes how often an alarm may be false. A rarer rate holds at once, a more frequent one from the next alarm on: otherwise
    /// evidence from the time before could raise one. True if this is another rate than the one that was set last.
    pub fn set_false_alarms(&mut self, rate: FalseAlarmRate) -> bool {
        let state = &mut self.0;
        if rate == state.planned.unwrap_or(state.false_alarms) {
            return false;
        }
        if state.pushed > state.learn && rate.values() < state.false_alarms.values() {
            state.planned = Some(rate);
        } else {
            (state.false_alarms, state.planned) = (rate, None);
        }
        true
    }

    /// How often an alarm may be false.
    #[must_use]
    pub const fn false_alarms(&self) -> FalseAlarmRate {
        self.0.false_alarms
    }

    /// True while it learns.
    ///
    /// ```
    /// use llmscope_core::detector::{FailureDetector, FalseAlarmRate};
    ///
    /// let mut detector = FailureDetector::new(FalseAlarmRate::one_in(100_000.0)?, 500)?;
    /// for _ in 0..499 {
    ///     detector.push(false);
    /// }
    /// assert!(detector.is_learning());
    /// detector.push(false);
    /// assert!(!detector.is_learning());
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    #[must_use]
    pub const fn is_learning(&self) -> bool {
        self.0.pushed < self.0.learn
    }

    /// True from an alarm until 25 requests in a row were answered.
    ///
    /// ```
    /// use llmscope_core::detector::{FailureDetector, FalseAlarmRate};
    ///
    /// let mut detector = FailureDetector::new(FalseAlarmRate::one_in(100_000.0)?, 500)?;
    /// for _ in 0..600 {
    ///     detector.push(false);
    /// }
    /// for _ in 0..10 {
    ///     detector.push(true);
    /// }
    /// assert!(detector.has_incident());
    /// for _ in 0..25 {
    ///     detector.push(false);
    /// }
    /// assert!(!detector.has_incident());
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    #[must_use]
    pub const fn has_incident(&self) -> bool {
        self.0.incident.is_some()
    }

    /// True after as many answers in a row as end an incident.
    pub(crate) const fn has_recovered(&self) -> bool {
        self.0.answers_in_a_row >= ENDING
    }

    /// How many failures in a row would raise an alarm now; `None` if more than 10,000, while the detector learns, and during an
    /// incident.
    ///
    /// ```
    /// use llmscope_core::detector::{FailureDetector, FalseAlarmRate};
    ///
    /// let mut detector = FailureDetector::new(FalseAlarmRate::one_in(100_000.0)?, 500)?;
    /// for i in 0..500 {
    ///     detector.push(i % 100 == 7);
    /// }
    /// let expected = detector.failures_to_alarm().unwrap();
    /// let alarm = (1..).find(|_| detector.push(true).alarm.is_some());
    /// assert_eq!(alarm, Some(expected));
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    #[must_use]
    pub fn failures_to_alarm(&self) -> Option<usize> {
        const MOST: usize = 10_000;
        if self.is_learning() || self.has_incident() {
            return None;
        }
        let mut outage = self.clone();
        (1..=MOST).find(|_| outage.push(true).alarm.is_some())
    }

    /// Failures that come in bursts are usual from now on: what an incident of at most 50 failures shows is learned at its end.
    /// An outage then raises an alarm later; [`FailureDetector::failures_to_alarm`] says when.
    pub fn relearn(&mut self) {
        self.0.takes_bursts = true;
        self.0.incident = None;
        for (stratum, waiting) in self.0.strata.iter_mut().zip(&mut self.0.waiting) {
            stratum.take_in(waiting);
        }
    }

    /// Number of requests.
    #[must_use]
    pub const fn pushed(&self) -> u64 {
        self.0.pushed
    }
}

impl State {
    /// Requests by what came before: whether the last one failed, and whether 0, 1 to 2, or more of the last eight did.
    fn stratum(&self) -> usize {
        let of_eight = match self.last.count_ones() {
            0 => 0,
            1 | 2 => 1,
            _ => 2,
        };
        usize::from(self.last & 1) + 2 * of_eight
    }

    /// The share of failures that is expected of the next request, at the upper end of its error.
    fn expected(&self) -> f64 {
        let (mut p, mut n) = self.base.estimate(0.5, 1.0);
        let stratum = self.stratum();
        if stratum > 0 {
            let (of_stratum, its_n) = self.strata[stratum].estimate(p, 1.0);
            if of_stratum > p {
                (p, n) = (of_stratum, its_n);
            }
        }
        (p + ERRORS * (p * (1.0 - p) / n).sqrt()).min(LARGEST)
    }

    /// Counts the request, and dates the present failures.
    fn date(&mut self, failed: bool, at: u64) {
        if failed && (self.recent.failed == 0 || self.answers_in_a_row >= ENDING) {
            (self.since, self.recent) = (at, Share::default());
        }
        self.recent.add(failed);
        self.answers_in_a_row = if failed { 0 } else { self.answers_in_a_row.saturating_add(1) };
    }

    /// The evidence after this request.
    fn judge(&mut self, failed: bool) -> f64 {
        let p = self.expected();
        let mut total = 0.0;
        for (sum, (odds, least)) in self.sums.iter_mut().zip(ALTERNATIVES) {
            let q = (odds * p / (1.0 - p + odds * p)).max(least);
            *sum = (*sum + 1.0) * if failed { q / p } else { (1.0 - q) / (1.0 - p) };
            total += *sum;
        }
        WEIGHT * total
    }

    /// An incident continues, or ends with enough answers in a row.
    fn go_on(&mut self, failures: u64) {
        if self.answers_in_a_row < ENDING {
            self.incident = Some(failures);
            return;
        }
        self.incident = None;
        if !self.takes_bursts || failures > USUAL {
            self.waiting = Default::default();
        }
    }

    /// Adds a request to the shares. After failures, it joins only while the evidence is small.
    fn learn(&mut self, failed: bool, may_join: bool) {
        let stratum = self.stratum();
        if self.last & 1 == 0 {
            self.base.add(failed);
        }
        if may_join {
            for (stratum, waiting) in self.strata.iter_mut().zip(&mut self.waiting) {
                stratum.take_in(waiting);
            }
        }
        if stratum > 0 {
            let joins = if may_join { &mut self.strata } else { &mut self.waiting };
            joins[stratum].add(failed);
        }
        self.last = (self.last << 1) | u8::from(failed);
    }
}

impl From<FailureDetector> for State {
    fn from(detector: FailureDetector) -> Self {
        detector.0
    }
}

impl TryFrom<State> for FailureDetector {
    type Error = Error;

    fn try_from(state: State) -> Result<Self> {
        let shares = || state.strata.iter().chain(&state.waiting).chain([&state.base, &state.recent]);
        let is_valid = state.schema == SCHEMA
            && shares().all(|share| share.failed <= share.of && share.of <= state.pushed)
            && state.sums.iter().all(|sum| (0.0..LARGEST_SUM).contains(sum))
            && state.since <= state.pushed
            && state.pushed <= MOST_REQUESTS;
        if is_valid {
            return Ok(Self(state));
        }
        let expected = "a state that llmscope.failures/1 describes";
        Err(Error::Parameter { name: "state of a detector of failures", value: state.schema, expected })
    }
}
