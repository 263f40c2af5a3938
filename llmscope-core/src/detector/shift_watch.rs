//! A detector that reports each change once: when it begins, when it becomes worse, and when it ends.

use serde::{Deserialize, Serialize};

use super::incident::OpenIncident;
use super::state::{Course, Judged};
use super::{Detector, Evidence, FalseAlarmRate, Incident, Settings};
use crate::error::{Error, Result};

const SCHEMA: &str = "llmscope.shift-watch/1";

/// Judges the values of one series, and joins the alarms of one change to an incident.
///
/// During an incident nothing is learned: a slowdown does not become normal. It ends with at least 25 independent values that
/// are 20 times as probable without the change as with half of it, or by [`ShiftWatch::relearn`].
///
/// ```
/// use llmscope_core::detector::{IncidentEvent, Settings, ShiftWatch};
///
/// let mut watch = ShiftWatch::new(Settings::default())?;
/// let noise = |i: u32| (0.2 * ((f64::from(i) * 12.9898).sin() * 43_758.545).fract()).exp();
/// let mut events = Vec::new();
/// for i in 0..900 {
///     let slower = if (300..500).contains(&i) { 1.5 } else { 1.0 };
///     events.extend(watch.push(0.3 * slower * noise(i), &[])?.events);
/// }
/// let [IncidentEvent::Opened(opened), IncidentEvent::Ended(ended)] = events[..] else { panic!("{events:?}") };
/// assert!(opened.since.abs_diff(300) < 5 && opened.size.is_some_and(|size| size > 1.1));
/// assert!(ended.alarms > 1 && ended.last < 510 && ended.size.is_some_and(|size| (1.4..1.6).contains(&size)));
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[doc(alias("anomaly detection", "drift detection"))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(into = "State", try_from = "State")]
pub struct ShiftWatch {
    detector: Detector,
    open: Option<OpenIncident>,
}

#[derive(Serialize, Deserialize)]
struct State {
    schema: String,
    detector: Detector,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    open: Option<OpenIncident>,
}

/// What is known after a value.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Watched {
    /// The evidence for a change since the last alarm.
    pub evidence: Evidence,
    /// What this value changed, in order.
    pub events: Vec<IncidentEvent>,
}

/// An event that a user should know of.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentEvent {
    /// A change began.
    Opened(Incident),
    /// The change has become larger by half since it was reported.
    Worse(Incident),
    /// Values are as they were before.
    Ended(Incident),
}

impl ShiftWatch {
    /// A watch that has learned nothing.
    ///
    /// # Errors
    /// Those of [`Detector::new`].
    pub fn new(settings: Settings) -> Result<Self> {
        Ok(Self { detector: Detector::new(settings)?, open: None })
    }

    /// Judges the next value with its token counts, as [`Detector::push`] does.
    ///
    /// # Errors
    /// Those of [`Detector::push`].
    pub fn push(&mut self, value: f64, tokens: &[f64]) -> Result<Watched> {
        let course = if self.open.is_none() { Course::Quiet } else { Course::Incident };
        let Judged { evidence, score } = self.detector.judge(value, tokens, course)?;
        let mut events = Vec::new();
        if let Some((alarm, score)) = evidence.alarm.zip(score) {
            let strength = score.strength.unwrap_or(score.value);
            let scale = self.detector.settings().scale;
            match self.open.as_mut().filter(|open| open.continues(&alarm)) {
                Some(open) => {
                    if open.add(&alarm, strength, scale) {
                        events.push(IncidentEvent::Worse(open.incident));
                    }
                }
                None => {
                    events.extend(self.end());
                    let open = self.open.insert(OpenIncident::of(&alarm, strength));
                    events.push(IncidentEvent::Opened(open.incident));
                }
            }
        } else if let (Some(open), Some(score)) = (&mut self.open, score)
            && open.recovers(score)
        {
            events.extend(self.end());
        }
        Ok(Watched { evidence, events })
    }

    fn end(&mut self) -> Option<IncidentEvent> {
        self.open.take().map(|open| IncidentEvent::Ended(open.incident))
    }

    /// The present level counts as normal from now on. Returns the end of the open incident.
    ///
    /// ```
    /// use llmscope_core::detector::{IncidentEvent, Settings, ShiftWatch};
    ///
    /// let mut watch = ShiftWatch::new(Settings::default())?;
    /// let noise = |i: u32| (0.2 * ((f64::from(i) * 12.9898).sin() * 43_758.545).fract()).exp();
    /// for i in 0..400 {
    ///     watch.push(if i < 300 { 0.3 } else { 0.6 } * noise(i), &[])?;
    /// }
    /// // Slower is normal from now on.
    /// assert!(matches!(watch.relearn(), Some(IncidentEvent::Ended(_))));
    /// assert!(watch.incident().is_none());
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub fn relearn(&mut self) -> Option<IncidentEvent> {
        self.detector.relearn();
        self.end()
    }

    /// Changes how often an alarm may be false, as [`Detector::set_false_alarms`] does.
    pub fn set_false_alarms(&mut self, rate: FalseAlarmRate) -> bool {
        self.detector.set_false_alarms(rate)
    }

    /// The open incident.
    ///
    /// ```
    /// use llmscope_core::detector::{Settings, ShiftWatch};
    ///
    /// let mut watch = ShiftWatch::new(Settings::default())?;
    /// let noise = |i: u32| (0.2 * ((f64::from(i) * 12.9898).sin() * 43_758.545).fract()).exp();
    /// for i in 0..400 {
    ///     watch.push(if i < 300 { 0.3 } else { 0.6 } * noise(i), &[])?;
    /// }
    /// assert!(watch.incident().unwrap().since.abs_diff(300) <= 2);
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    #[must_use]
    pub fn incident(&self) -> Option<&Incident> {
        self.open.as_ref().map(|open| &open.incident)
    }

    /// What was learned, and the evidence so far.
    #[must_use]
    pub const fn detector(&self) -> &Detector {
        &self.detector
    }
}

impl From<ShiftWatch> for State {
    fn from(watch: ShiftWatch) -> Self {
        Self { schema: SCHEMA.to_owned(), detector: watch.detector, open: watch.open }
    }
}

impl TryFrom<State> for ShiftWatch {
    type Error = Error;

    fn try_from(State { schema, detector, open }: State) -> Result<Self> {
        if schema == SCHEMA && open.as_ref().is_none_or(OpenIncident::is_valid) {
            return Ok(Self { detector, open });
        }
        let expected = "a state that llmscope.shift-watch/1 describes";
        Err(Error::Parameter { name: "state of a watch for shifts", value: schema, expected })
    }
}
