//! An incident: the changes of an endpoint that have one cause, from the first alarm to the last end.

use jiff::Timestamp;
use llmscope_core::Metric;
use llmscope_core::watch::{AlarmEvent, IncidentPart, IncidentReport};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::series::Source;
use crate::violation::{Mark, Note, ViolationStatus};

/// The most members that the text of an incident describes.
const MOST_DESCRIBED: usize = 4;

/// An incident.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Incident {
    /// Its id; later incidents have larger ids.
    pub id: i64,
    /// The provider.
    pub provider: String,
    /// The model, if all members have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// When its first alarm was raised.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub opened_at: Timestamp,
    /// When its last member ended; absent while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub ended_at: Option<Timestamp>,
    /// The incident as text: its leading member, and the others in short.
    pub text: String,
    /// The report of the leading member: of failed requests, else of the one that became worse, else of the first that is open.
    #[serde(flatten)]
    pub report: IncidentReport,
    /// The series that changed, in the order of their alarms.
    pub members: Vec<Member>,
    /// Whether a user has seen it.
    pub status: ViolationStatus,
    /// Who acknowledged the incident, and when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Mark>,
    /// Who resolved the incident, and when. It sends no further message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved: Option<Mark>,
    /// The notes, oldest first.
    pub notes: Vec<Note>,
    /// What decides about its further messages.
    #[serde(skip)]
    #[schemars(skip)]
    pub(crate) pending: Pending,
}

/// A series of an incident, or the failed requests of a source.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Member {
    /// The id of its source in the store.
    #[serde(skip)]
    #[schemars(skip)]
    pub(crate) source: i64,
    /// The model, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// When its alarm was raised.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub opened_at: Timestamp,
    /// When it ended; absent while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub ended_at: Option<Timestamp>,
    /// The change in one sentence.
    pub text: String,
    /// What changed, since when, by how much, and the evidence.
    #[serde(flatten)]
    pub report: IncidentReport,
}

/// The open incident of a series: the incident's id, and the member of the series.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SeriesIncident {
    /// The id of the incident.
    pub id: i64,
    /// The change of the series.
    #[serde(flatten)]
    pub member: Member,
}

/// What decides about the further messages of an incident.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pending {
    /// When the incident came back after its end. It is reported if it lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) returned_at: Option<Timestamp>,
    /// When it was last reported as worse, and the source and signal that had become worse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) worse: Option<(Timestamp, i64, Signal)>,
}

/// What of a source a member is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Signal {
    /// A metric.
    Metric(Metric),
    /// The share of failed requests.
    Failures,
    /// Whether there are requests.
    NoData,
}

impl Signal {
    pub(crate) const fn of(report: &IncidentReport) -> Self {
        match report.metric {
            Some(metric) => Self::Metric(metric),
            None if matches!(report.part, IncidentPart::NoData) => Self::NoData,
            None => Self::Failures,
        }
    }

    /// The name in the store and in the labels of Prometheus.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Metric(metric) => metric.name(),
            Self::Failures => "failures",
            Self::NoData => "no_data",
        }
    }
}

/// The kind of an incident, which all of its members have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Changes for the worse, or in an unknown direction.
    Worse,
    /// Changes for the better.
    Better,
    /// Endpoints are silent.
    NoData,
}

impl Kind {
    pub(crate) const fn of(report: &IncidentReport) -> Self {
        match report.part {
            IncidentPart::NoData => Self::NoData,
            _ if report.direction.counts_as_worse() => Self::Worse,
            _ => Self::Better,
        }
    }

    /// The name in the store.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Worse => "worse",
            Self::Better => "better",
            Self::NoData => "no_data",
        }
    }
}

/// What happened to an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IncidentTurn {
    /// It opened.
    Opened,
    /// It has become larger by half, or requests began to fail.
    Worse,
    /// It ended.
    Ended,
    /// Something else changed, which is not worth a message.
    Changed,
}

impl IncidentTurn {
    const ALL: [Self; 4] = [Self::Opened, Self::Worse, Self::Ended, Self::Changed];

    /// The name of the live event.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opened => "incident.opened",
            Self::Worse => "incident.worse",
            Self::Ended => "incident.ended",
            Self::Changed => "incident.changed",
        }
    }

    /// The turn with this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|turn| turn.name() == name)
    }
}

impl Member {
    pub(crate) fn new(source: &Source, times: (Timestamp, Option<Timestamp>), report: IncidentReport) -> Self {
        let (opened_at, ended_at) = times;
        let mut member =
            Self { source: source.id, model: source.model.clone(), opened_at, ended_at, text: String::new(), report };
        member.describe();
        member
    }

    /// Replaces the report, and ends the member if there is a time.
    pub(crate) fn update(&mut self, report: IncidentReport, ended_at: Option<Timestamp>) {
        (self.report, self.ended_at) = (report, ended_at);
        self.describe();
    }

    fn describe(&mut self) {
        let report = self.report.clone();
        let event = if self.ended_at.is_some() { AlarmEvent::Ended(report) } else { AlarmEvent::Opened(report) };
        self.text = event.to_string();
    }

    pub(crate) const fn signal(&self) -> Signal {
        Signal::of(&self.report)
    }

    pub(crate) fn is(&self, source: i64, signal: Signal) -> bool {
        self.source == source && self.signal() == signal
    }
}

impl Incident {
    /// An incident with its first member, without annotations. An id of 0 is replaced by that of the store.
    pub(crate) fn new(id: i64, provider: String, times: (Timestamp, Option<Timestamp>), first: Member) -> Self {
        let (opened_at, ended_at) = times;
        let mut incident = Self {
            id,
            provider,
            model: None,
            opened_at,
            ended_at,
            text: String::new(),
            report: first.report.clone(),
            members: vec![first],
            status: ViolationStatus::New,
            acknowledged: None,
            resolved: None,
            notes: Vec::new(),
            pending: Pending::default(),
        };
        incident.describe();
        incident
    }

    /// Brings model, text and report up to date with the members.
    pub(crate) fn describe(&mut self) {
        let model = self.members.first().and_then(|first| first.model.clone());
        self.model = model.filter(|_| self.members.iter().all(|member| member.model == self.members[0].model));
        let Some(leading) = self.leading() else { return };
        let others = self.members.iter().enumerate().filter(|(place, _)| *place != leading).map(|(_, member)| member);
        let of = |member: &Member| match (&self.model, &member.model) {
            (None, Some(model)) => format!("{model} "),
            _ => String::new(),
        };
        let lead = &self.members[leading];
        let mut text = format!("{}{}", of(lead), lead.text);
        let described: Vec<_> =
            others.take(MOST_DESCRIBED - 1).map(|member| format!("{}{}", of(member), member.report)).collect();
        if !described.is_empty() {
            text += &format!("; also {}", described.join(", "));
            let more = self.members.len() - 1 - described.len();
            if more > 0 {
                text += &format!(", and {more} more");
            }
        }
        (self.text, self.report) = (text, lead.report.clone());
    }

    /// The place of the member that describes the incident best: failed requests, else the one that became worse, else the
    /// first series that is open.
    fn leading(&self) -> Option<usize> {
        let worse = self.pending.worse.map(|(_, source, signal)| (source, signal));
        let urgency = |(_, member): &(usize, &Member)| {
            let signal = member.signal();
            (member.ended_at.is_none(), signal == Signal::Failures, Some((member.source, signal)) == worse)
        };
        // The last of several equal ones would be returned.
        self.members.iter().enumerate().rev().max_by_key(urgency).map(|(place, _)| place)
    }

    /// The place of a member.
    pub(crate) fn place_of(&self, source: i64, signal: Signal) -> Option<usize> {
        self.members.iter().position(|member| member.is(source, signal))
    }

    /// The kind of its members.
    pub(crate) const fn kind(&self) -> Kind {
        Kind::of(&self.report)
    }

    /// A short label: `openai · gpt-4o`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        let parts = [Some(self.provider.as_str()), self.model.as_deref()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }
}

/// A selection of incidents.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct IncidentFilter {
    /// Only with one of these statuses; empty for all.
    pub status: Vec<ViolationStatus>,
    /// Only incidents that are open (true) or have ended (false).
    pub open: Option<bool>,
    /// Only of this provider.
    pub provider: Option<String>,
    /// Only with a member of this model.
    pub model: Option<String>,
    /// Only with a member of this metric.
    pub metric: Option<Metric>,
    /// Only those older than the incident with this id.
    pub before: Option<i64>,
    /// At most N.
    pub limit: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(model: &str, metric: Option<&str>, ended: bool) -> Member {
        let report = serde_json::json!({
            "metric": metric, "part": if metric.is_some() { "level" } else { "failures" }, "direction": "worse",
            "since": "2026-11-30T12:00:00Z", "at": "2026-11-30T12:10:00Z", "requests": 14,
            "ratio": metric.map(|_| 1.5), "failed": if metric.is_none() { Some(12) } else { None },
        });
        let report = serde_json::from_value(report).expect("a report");
        let at: Timestamp = "2026-11-30T12:10:00Z".parse().expect("a time");
        let source = Source { id: 1, provider: "p".to_owned(), model: Some(model.to_owned()) };
        Member::new(&source, (at, ended.then_some(at)), report)
    }

    fn incident(members: Vec<Member>) -> Incident {
        let at = members[0].opened_at;
        let mut incident = Incident::new(1, "p".to_owned(), (at, None), members[0].clone());
        incident.members = members;
        incident.describe();
        incident
    }

    #[test]
    fn the_text_leads_with_the_most_urgent_member() {
        let one = incident(vec![member("m", Some("e2e_s"), false)]);
        assert_eq!(one.text, one.members[0].text);
        let failing = incident(vec![member("m", Some("e2e_s"), false), member("m", None, false)]);
        assert_eq!(failing.text, "12 of 14 requests failed since 2026-11-30 12:00:00 UTC; also e2e_s slower by 50 %");
        let over = incident(vec![member("m", Some("e2e_s"), true), member("m", Some("ttft_s"), false)]);
        assert!(over.text.starts_with("ttft_s slower by 50 % since "), "{}", over.text);
    }

    #[test]
    fn several_models_are_named_and_many_are_counted() {
        let members: Vec<_> = (0..6).map(|i| member(&format!("m{i}"), Some("e2e_s"), false)).collect();
        let many = incident(members);
        assert_eq!((many.model.as_deref(), many.endpoint().as_str()), (None, "p"));
        assert!(many.text.starts_with("m0 e2e_s slower by 50 % since "), "{}", many.text);
        assert!(
            many.text.ends_with(
                "; also m1 e2e_s slower by 50 %, m2 e2e_s slower by 50 %, m3 e2e_s slower by 50 %, and 2 more"
            ),
            "{}",
            many.text
        );
    }
}
