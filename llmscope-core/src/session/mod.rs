//! A recorded run: the requests to an endpoint, the responses and their times, and the machine.
//!
//! A [`Session`] is stored as one JSON document or, while it is being recorded, as JSON Lines; both contain the version
//! [`SCHEMA`]. A value that a tool did not record is absent: never 0, never invented.

mod client;
pub mod columns;
mod environment;
mod format;
mod migrate;
mod record;
mod writer;

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use client::ClientHealth;
pub use environment::{Cpu, Environment, Gpu, GpuSample, MachineSample, Software};
pub use format::{ReadSession, Warning};
pub(crate) use format::{SessionLine, check_record, check_records, is_torn, second_session, torn_tail};
pub use record::{AttributeValue, RequestError, RequestRecord, Status};
pub use writer::SessionWriter;

/// The version of the session format that this crate writes.
pub const SCHEMA: &str = "llmscope.session/1";

/// One recorded run of requests, in the order in which they were recorded.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "LLMscope session", extend("$id" = "https://llmscope.dev/schema/session-1.json"))]
pub struct Session {
    /// What applies to the whole run.
    #[serde(flatten)]
    pub header: SessionHeader,
    /// The requests, in the order in which they finished.
    #[serde(default)]
    pub records: Vec<RequestRecord>,
    /// Events during the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<RunEvent>,
    /// The state of the machine during the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<MachineSample>,
    /// The client's report on itself at the end of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_health: Option<ClientHealth>,
}

impl Session {
    /// The provider that served a request of this run.
    #[must_use]
    pub fn provider_of<'s>(&'s self, record: &'s RequestRecord) -> Option<&'s str> {
        record.provider.as_deref().or(self.header.provider.as_deref())
    }

    /// The model that a request of this run named.
    ///
    /// ```
    /// use llmscope_core::session::{RequestRecord, Session, SessionHeader};
    ///
    /// let header = SessionHeader { model: Some("llama-3-8b".to_owned()), ..SessionHeader::default() };
    /// let session = Session { header, ..Session::default() };
    /// let other = RequestRecord { model: Some("llama-3-70b".to_owned()), ..RequestRecord::default() };
    /// assert_eq!(session.model_of(&RequestRecord::default()), Some("llama-3-8b"));
    /// assert_eq!(session.model_of(&other), Some("llama-3-70b"));
    /// ```
    #[must_use]
    pub fn model_of<'s>(&'s self, record: &'s RequestRecord) -> Option<&'s str> {
        record.model.as_deref().or(self.header.model.as_deref())
    }
}

/// What applies to every request of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SessionHeader {
    /// The version of the format: `llmscope.session/1`.
    pub schema: String,
    /// A name for the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The purpose of the run, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When the first request was issued, by the wall clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub started_at: Option<Timestamp>,
    /// The provider that served the requests (OpenTelemetry: `gen_ai.provider.name`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The requested model (OpenTelemetry: `gen_ai.request.model`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The program that recorded the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorder: Option<Software>,
    /// True if the run used a simulated endpoint.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub simulated: bool,
    /// True if the log that this session comes from does not tell which requests failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub outcomes_unknown: bool,
    /// Settings of the run and labels to group by, such as `concurrency` or `region`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The machine of the client, and of the server if it is the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
}

impl Default for SessionHeader {
    fn default() -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            name: None,
            description: None,
            started_at: None,
            provider: None,
            model: None,
            recorder: None,
            simulated: false,
            outcomes_unknown: false,
            labels: BTreeMap::new(),
            environment: None,
        }
    }
}

/// An event during a run that may explain what the chart shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunEvent {
    /// When it happened, by the wall clock.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    /// What happened, as text.
    pub message: String,
}
