//! `POST /v1/traces`: spans from OpenTelemetry SDKs and collectors (OTLP over HTTP, protobuf or JSON).
//!
//! Spans of requests to models become records; the reader of OTLP JSON files reads them. Other spans are accepted and
//! ignored.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use jiff::Timestamp;
use llmscope_core::RequestRecord;
use llmscope_core::ingest::{self, Content, Tool};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message as _;

use super::App;
use super::api_error::ApiError;
use super::extract::{body, media_type};
use super::operation::Operation;
use super::v1::{admissible, is_measured};
use crate::record::Arrival;

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";
/// The largest export in bytes, after decompression.
const EXPORT_BYTES: usize = 16 << 20;
/// The name of the format in the core's reader.
const FORMAT: &str = "otel";
/// The provider of spans that do not name one.
const UNKNOWN: &str = "unknown";

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/v1/traces", "Store the requests among OpenTelemetry spans (OTLP)", traces)
            .body_type(PROTOBUF)
            .body_type(JSON)
            .body_limit(EXPORT_BYTES)
            .response_type(PROTOBUF)
            .response_type(JSON),
    ]
}

async fn traces(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    let received_at = Timestamp::now();
    let kind = media_type(request.headers()).unwrap_or_default();
    let bytes = body(request, &app).await?;
    let (text, kind) = match kind.as_str() {
        PROTOBUF => (json_of(&bytes)?, PROTOBUF),
        JSON => (bytes, JSON),
        other => {
            return Err(ApiError::Unsupported(format!(
                "unsupported media type \"{other}\": expected {PROTOBUF} or {JSON}"
            )));
        }
    };
    let records = app.run_blocking(move |_| requests(&text)).await?;
    let arrivals: Vec<Arrival> =
        records.into_iter().map(|record| Arrival { record, received_at, metadata: None }).collect();
    // An invalid span does not cause the others of its export to be rejected.
    let (accepted, rejected): (Vec<_>, Vec<_>) =
        arrivals.into_iter().partition(|arrival| admissible(arrival, None).is_ok());
    if !accepted.is_empty() {
        app.recorder.keep(accepted).await?;
    }
    let response = response(rejected.len());
    Ok(match kind {
        JSON => ([(CONTENT_TYPE, JSON)], serde_json::to_string(&response).unwrap_or_default()).into_response(),
        _ => ([(CONTENT_TYPE, PROTOBUF)], response.encode_to_vec()).into_response(),
    })
}

/// Reports how many spans were rejected, if any.
fn response(rejected: usize) -> ExportTraceServiceResponse {
    let partial = || ExportTracePartialSuccess {
        rejected_spans: i64::try_from(rejected).unwrap_or(i64::MAX),
        error_message: "rejected spans with a time before 1970 or more than a day ahead, or with an invalid value"
            .to_owned(),
    };
    ExportTraceServiceResponse { partial_success: (rejected > 0).then(partial) }
}

/// Converts a protobuf export to JSON for the reader.
fn json_of(bytes: &[u8]) -> Result<Bytes, ApiError> {
    let export = ExportTraceServiceRequest::decode(bytes);
    let export = export.map_err(|error| ApiError::body(format!("the body is not an OTLP export of spans: {error}")))?;
    let text = serde_json::to_vec(&export).map_err(|error| ApiError::body(error.to_string()))?;
    Ok(text.into())
}

/// The requests among the spans, which may be none.
fn requests(text: &[u8]) -> Result<Vec<RequestRecord>, ApiError> {
    let tool: Tool = FORMAT.parse()?;
    let value: serde_json::Value = super::extract::parse(text)?;
    if !value["resourceSpans"].is_array() {
        return Err(ApiError::body("the body is not an OTLP export of spans: expected {\"resourceSpans\": […]}"));
    }
    // Most spans of an application are not requests to a model, so an export without any is valid.
    if !text.windows(GENERATIVE.len()).any(|window| window == GENERATIVE) {
        return Ok(Vec::new());
    }
    let log = match ingest::read("body", text, Some(tool)) {
        Ok(log) => log,
        Err(llmscope_core::Error::Format { problem, .. }) if problem.contains("no request to a model") => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(ApiError::body(error.to_string())),
    };
    let Content::Session(session) = log.content else { return Ok(Vec::new()) };
    let with_names = |record: &RequestRecord| RequestRecord {
        provider: Some(session.provider_of(record).unwrap_or(UNKNOWN).to_owned()),
        model: session.model_of(record).map(str::to_owned),
        ..record.clone()
    };
    // A span that only a server reported has no latency as seen by the client.
    let reported = session.records.iter().filter(|record| !record.succeeded() || is_measured(record));
    Ok(reported.map(with_names).collect())
}

/// Prefix of the attribute names of every span that is a request to a model.
const GENERATIVE: &[u8] = b"gen_ai.";
