//! `POST /api/log`: one request, as monitors of the earlier service tell of it.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use llmscope_core::RequestRecord;
use llmscope_core::ingest::{Flag, ServiceRow};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::App;
use super::super::operation::Operation;
use super::super::problem::{Flaw, Problem};
use super::super::take::Body;
use super::super::v1::admissible;
use super::lenient::{Amount, Count, Truth};
use crate::record::Arrival;

/// A request.
#[derive(Debug, Deserialize, JsonSchema)]
struct LogEntry {
    /// Who served it.
    provider: String,
    /// End-to-end latency in seconds; of a failed request, how long it took to fail.
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
    /// Whether a complete answer came.
    #[serde(default)]
    success: Option<Truth>,
    /// Why not.
    #[serde(default)]
    error_message: Option<String>,
    /// What was asked.
    #[serde(default)]
    endpoint: Option<String>,
    /// What else the client knows.
    #[serde(default)]
    metadata: Option<Map<String, Value>>,
}

#[derive(Serialize, JsonSchema)]
struct Logged {
    status: &'static str,
    #[schemars(with = "String", extend("format" = "date-time"))]
    timestamp: Timestamp,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![Operation::post("/api/log", "Keeps one request", log).takes::<LogEntry>().gives::<Logged>()]
}

async fn log(State(app): State<App>, Body(entry): Body<LogEntry>) -> Result<Json<Logged>, Problem> {
    let received_at = Timestamp::now();
    if entry.provider.trim().is_empty() {
        return Err(Problem::Invalid(vec![Flaw::new("body", Some("provider"), "the provider is empty")]));
    }
    let arrival = entry.arrival(received_at);
    admissible(&arrival, None)?;
    app.recorder.keep(vec![arrival]).await?;
    Ok(Json(Logged { status: "logged", timestamp: received_at }))
}

impl LogEntry {
    fn arrival(self, received_at: Timestamp) -> Arrival {
        let metadata = self.metadata.map(Value::Object);
        let word_for_word = metadata.as_ref().map(Value::to_string);
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
        // What failed was paid for as well.
        let record = RequestRecord { cost_usd, ..row.into_record() };
        Arrival { record, received_at, metadata: word_for_word }
    }
}
