//! A request on its way into the store, and out of it.

use jiff::Timestamp;
use llmscope_core::RequestRecord;
use schemars::JsonSchema;
use serde::Serialize;

/// A request that arrived. Who served it stands in the record: `provider` is always there.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrival {
    /// The request. Without a time of its own it gets that of its arrival.
    pub record: RequestRecord,
    /// When it arrived.
    pub received_at: Timestamp,
    /// What a client of the earlier service sent as metadata: a JSON object, word for word.
    pub metadata: Option<String>,
}

/// A request that is kept.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct StoredRecord {
    /// Its number: later ones are larger.
    pub id: i64,
    /// When it arrived.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub received_at: Timestamp,
    /// The request, with provider and model.
    #[serde(flatten)]
    pub record: RequestRecord,
    /// What a client of the earlier service sent as metadata.
    #[serde(skip)]
    #[schemars(skip)]
    pub metadata: Option<String>,
}
