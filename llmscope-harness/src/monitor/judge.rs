//! Judges the results of one endpoint as they arrive.

use jiff::Timestamp;
use llmscope_core::session::RequestRecord;
use llmscope_core::watch::AlarmWatch;

use super::alarm::{MonitorEvent, MonitorEventKind};
use super::rule_judge::RuleJudge;
use super::{AlarmKind, JudgeSettings, MonitoredEndpoint};
use crate::error::Result;

/// Judges the results of one endpoint.
#[derive(Debug)]
pub struct Judge {
    endpoint: String,
    provider: String,
    model: String,
    by: By,
}

#[derive(Debug)]
enum By {
    Shift(Box<AlarmWatch>),
    Rules(RuleJudge),
    Nothing,
}

impl Judge {
    /// A judge for one of several endpoints that share the promise.
    ///
    /// # Errors
    /// [`Error::Core`](crate::Error::Core) for invalid limits, and for an invalid number of results to learn;
    /// [`Error::Setting`](crate::Error::Setting) if there are too few results to learn limits from.
    pub fn new(endpoint: &MonitoredEndpoint, settings: &JudgeSettings, endpoints: usize) -> Result<Self> {
        let JudgeSettings { metrics, alarm, learn } = settings;
        let by = match alarm {
            AlarmKind::Shift(promise) => {
                let mut watch = AlarmWatch::new(metrics, *promise, *learn)?;
                let values_per_s = endpoint.interval.as_secs_f64().recip();
                watch.share(*promise, values_per_s, metrics.len() * endpoints, endpoints);
                By::Shift(Box::new(watch))
            }
            AlarmKind::Rules(alarms) => By::Rules(RuleJudge::new(endpoint, metrics, *learn, alarms)?),
            AlarmKind::Nothing => By::Nothing,
        };
        let (provider, model) = (endpoint.target.provider.clone(), endpoint.target.model.clone());
        Ok(Self { endpoint: endpoint.name.clone(), provider, model, by })
    }

    /// Judges one result and returns the events that it causes.
    pub fn push(&mut self, record: &RequestRecord) -> Vec<MonitorEvent> {
        let at = record.started_at.unwrap_or_else(Timestamp::now);
        let kinds = match &mut self.by {
            By::Shift(watch) => watch.push(record, at).into_iter().map(MonitorEventKind::Alarm).collect(),
            By::Rules(judge) => judge.push(record),
            By::Nothing => Vec::new(),
        };
        kinds.into_iter().map(|kind| MonitorEvent { at, endpoint: self.endpoint.clone(), kind }).collect()
    }

    /// True if a record that a previous monitor kept is one of this endpoint, and if what it learned then still applies. Limits
    /// that are frozen are kept in a file of their own.
    #[must_use]
    pub fn learns_from(&self, record: &RequestRecord) -> bool {
        let is_same = |own: &String, of_record: &Option<String>| of_record.as_ref() == Some(own);
        matches!(self.by, By::Shift(_))
            && is_same(&self.provider, &record.provider)
            && is_same(&self.model, &record.model)
    }

    /// The alarms of its endpoint; `None` if rules or nothing judge it.
    #[must_use]
    pub fn alarms(&self) -> Option<&AlarmWatch> {
        match &self.by {
            By::Shift(watch) => Some(watch),
            By::Rules(_) | By::Nothing => None,
        }
    }
}
