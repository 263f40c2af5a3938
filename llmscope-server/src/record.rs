//! Requests before and after they are stored.

use jiff::Timestamp;
use llmscope_core::RequestRecord;
use schemars::JsonSchema;
use serde::Serialize;

use crate::identity::Identity;

/// A request that arrived. The `provider` of its record is always present.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrival {
    /// The request. If it has no time, the store uses the time of its arrival.
    pub record: RequestRecord,
    /// When it arrived.
    pub received_at: Timestamp,
    /// The metadata from a client of the previous service: a JSON object, verbatim.
    pub metadata: Option<String>,
    /// What makes it a repetition of an earlier record, if its sender gave it an id.
    pub identity: Option<Identity>,
}

/// A stored request.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct StoredRecord {
    /// Its id; later requests have larger ids.
    pub id: i64,
    /// When it arrived.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub received_at: Timestamp,
    /// The request, with its provider and model.
    #[serde(flatten)]
    pub record: RequestRecord,
    /// The metadata from a client of the previous service.
    #[serde(skip)]
    #[schemars(skip)]
    pub metadata: Option<String>,
}
