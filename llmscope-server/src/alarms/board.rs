//! The state of all alarms, for readers.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use llmscope_core::watch::AlarmWatch;
use llmscope_core::{Metric, Verdict};
use schemars::JsonSchema;
use serde::Serialize;

use super::source_alarms::SourceAlarms;
use crate::incident::SeriesIncident;

/// The alarm of a series.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SeriesAlarm {
    /// True while the series is learned.
    pub learning: bool,
    /// The number of values that later ones are compared with.
    pub values: usize,
    /// How many independent values carry as much information, while more are needed: 25.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub information: Option<f64>,
    /// The evidence for a change since the last alarm, as a share of the evidence that raises one.
    pub evidence_ratio: f64,
    /// How often an alarm of this series may be false: once in this number of values.
    pub false_alarms: f64,
    /// The smallest change that can be noticed, as a ratio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smallest_visible: Option<f64>,
    /// The open incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<SeriesIncident>,
}

impl SeriesAlarm {
    pub(super) fn of(alarms: &SourceAlarms, metric: Metric, incident: Option<SeriesIncident>) -> Option<Self> {
        let watch: &AlarmWatch = &alarms.learned.watch;
        let (_, watch) = watch.metrics().find(|(known, _)| *known == metric)?;
        let detector = watch.detector();
        let learning = detector.learning();
        Some(Self {
            learning: learning.is_some(),
            values: detector.learned(),
            information: learning.and_then(|learning| learning.information),
            evidence_ratio: detector.evidence() / detector.threshold(),
            false_alarms: detector.settings().false_alarms.values(),
            smallest_visible: detector.smallest_visible(),
            incident,
        })
    }

    /// In control unless a change for the worse is open.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let is_worse = |incident: &SeriesIncident| incident.member.report.direction.counts_as_worse();
        match (&self.incident, self.learning) {
            (Some(incident), _) if is_worse(incident) => Verdict::OutOfControl,
            (_, true) => Verdict::NotEnoughData,
            (_, false) => Verdict::InControl,
        }
    }
}

/// The alarms of all series after the last commit.
#[derive(Debug, Default)]
pub(crate) struct AlarmBoard {
    series: RwLock<HashMap<(i64, Metric), SeriesAlarm>>,
}

impl AlarmBoard {
    /// Shows the alarms of the metrics of a source; `None` removes them.
    pub(crate) fn show(&self, source: i64, metric: Metric, alarm: Option<SeriesAlarm>) {
        let mut series = self.series.write().unwrap_or_else(PoisonError::into_inner);
        match alarm {
            Some(alarm) => drop(series.insert((source, metric), alarm)),
            None => drop(series.remove(&(source, metric))),
        }
    }

    pub(crate) fn clear(&self) {
        self.series.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The alarm of a series; `None` if shifts raise no alarms, and before its first value.
    pub(crate) fn of(&self, source: i64, metric: Metric) -> Option<SeriesAlarm> {
        self.series.read().unwrap_or_else(PoisonError::into_inner).get(&(source, metric)).cloned()
    }
}
