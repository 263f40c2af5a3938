//! `POST /api/log`: one request, in the format of the previous service's monitors.

use axum::Json;
use axum::extract::{Request, State};
use jiff::Timestamp;
use llmscope_core::RequestRecord;
use llmscope_core::ingest::{Flag, ServiceRow};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::App;
use super::super::api_error::{ApiError, FieldError};
use super::super::extract::{body, check_json, object};
use super::super::idempotency::IdempotencyKey;
use super::super::operation::Operation;
use super::super::uid::Uid;
use super::super::v1::admissible;
use super::lenient::{Amount, Count, Truth};
use super::time::Time;
use crate::identity::Submission;
use crate::record::Arrival;

/// A request.
#[derive(Debug, Deserialize, JsonSchema)]
struct LogEntry {
    /// The provider that served the request.
    provider: String,
    /// End-to-end latency in seconds; for a failed request, the time until the failure.
    latency: Amount,
    /// The model.
    #[serde(default)]
    model: Option<String>,
    /// Tokens of the prompt.
    #[serde(default)]
    tokens_in: Option<Count>,
    /// Tokens generated.
    #[serde(default)]
    tokens_out: Option<Count>,
    /// Cost in US dollars.
    #[serde(default)]
    cost: Option<Amount>,
    /// Whether a complete response arrived.
    #[serde(default)]
    success: Option<Truth>,
    /// Why the request failed.
    #[serde(default)]
    error_message: Option<String>,
    /// The endpoint of the request.
    #[serde(default)]
    endpoint: Option<String>,
    /// Additional data of the client.
    #[serde(default)]
    metadata: Option<Map<String, Value>>,
    /// An id that only this request has: if it is sent again within a day, it is stored once.
    #[serde(default)]
    uid: Option<Uid>,
}

/// The most values in a body. Each takes dozens of bytes in memory, however short it is.
const MOST_VALUES: usize = 200_000;

#[derive(Serialize, JsonSchema)]
struct Logged {
    status: &'static str,
    timestamp: Time,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![Operation::post("/api/log", "Store one request", log).body::<LogEntry>().repeatable().response::<Logged>()]
}

async fn log(State(app): State<App>, key: IdempotencyKey, request: Request) -> Result<Json<Logged>, ApiError> {
    let received_at = app.clock.now();
    check_json(request.headers())?;
    let bytes = body(request, &app).await?;
    #[allow(clippy::naive_bytecount, reason = "at most 1 MiB")]
    let values = bytes.iter().filter(|&&byte| byte == b',').count();
    if values > MOST_VALUES {
        return Err(ApiError::body(format!("the body has {values} values: expected at most {MOST_VALUES}")));
    }
    let entry: LogEntry = object(&bytes)?;
    if entry.provider.trim().is_empty() {
        return Err(ApiError::Invalid(vec![FieldError::new(
            "body",
            Some("provider"),
            "the provider is empty: expected a name",
        )]));
    }
    let arrival = entry.arrival(received_at);
    admissible(&arrival, None)?;
    let submission = Submission { arrivals: vec![arrival], call: key.call(&bytes), facts: Vec::new() };
    app.recorder.keep(submission).await??;
    Ok(Json(Logged { status: "logged", timestamp: received_at.into() }))
}

impl LogEntry {
    fn arrival(self, received_at: Timestamp) -> Arrival {
        let metadata = self.metadata.map(Value::Object);
        let verbatim = metadata.as_ref().map(Value::to_string);
        let cost_usd = self.cost.map(|cost| cost.0);
        let row = ServiceRow {
            timestamp: None,
            provider: Some(self.provider),
            model: self.model,
            latency: Some(self.latency.0),
            tokens_in: self.tokens_in.map(|count| count.0),
            tokens_out: self.tokens_out.map(|count| count.0),
            cost: cost_usd,
            success: self.success.map(|success| Flag::Bool(success.0)),
            error_message: self.error_message,
            endpoint: self.endpoint,
            metadata,
        };
        // Failed requests cost money, too.
        let record = RequestRecord { cost_usd, ..row.into_record() };
        let identity = self.uid.map(|uid| uid.identity(&record));
        Arrival { record, received_at, metadata: verbatim, identity }
    }
}
