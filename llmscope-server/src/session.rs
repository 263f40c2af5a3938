//! Uploaded sessions.

use std::collections::BTreeSet;

use jiff::Timestamp;
use llmscope_core::{Metric, Session};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A session to store.
#[derive(Debug, Clone, PartialEq)]
pub struct Upload {
    /// The name of the session.
    pub name: String,
    /// The tool that wrote it.
    pub tool: String,
    /// When it arrived.
    pub at: Timestamp,
    /// The session.
    pub session: Session,
}

/// The entry of a session in the list of sessions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SessionSummary {
    /// The id of the session.
    #[serde(default)]
    pub id: i64,
    /// The name of the session.
    pub name: String,
    /// The tool that wrote it.
    pub tool: String,
    /// When it was uploaded.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub uploaded_at: Timestamp,
    /// When its first request was issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub started_at: Option<Timestamp>,
    /// The number of requests, including warm-up.
    pub records: usize,
    /// The number of failed requests.
    pub failed: usize,
    /// True if the requests were simulated, without a real endpoint.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub simulated: bool,
    /// The providers.
    pub providers: BTreeSet<String>,
    /// The models.
    pub models: BTreeSet<String>,
    /// The metrics that the session has.
    pub metrics: Vec<Metric>,
    /// Warnings of the log's reader.
    #[serde(default, rename = "notices", skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

impl Upload {
    /// The session's entry in the list.
    #[must_use]
    pub fn summary(&self) -> SessionSummary {
        let Session { header, records, .. } = &self.session;
        let names = |of: fn(&Session, usize) -> Option<&str>| -> BTreeSet<String> {
            (0..records.len()).filter_map(|index| of(&self.session, index)).map(str::to_owned).collect()
        };
        let is_measured = |metric: &Metric| {
            *metric == Metric::ErrorRate || records.iter().any(|record| record.metric(*metric).is_some())
        };
        SessionSummary {
            id: 0,
            name: self.name.clone(),
            tool: self.tool.clone(),
            uploaded_at: self.at,
            started_at: header.started_at.or_else(|| records.iter().filter_map(|record| record.started_at).min()),
            records: records.len(),
            failed: records.iter().filter(|record| !record.succeeded()).count(),
            simulated: header.simulated,
            providers: names(|session, index| session.provider_of(&session.records[index])),
            models: names(|session, index| session.model_of(&session.records[index])),
            metrics: Metric::ALL.into_iter().filter(is_measured).collect(),
            warnings: Vec::new(),
        }
    }
}
