//! `POST /v1/traces`: OpenTelemetry's spans, as its SDKs and collectors send them (OTLP over HTTP, protobuf or JSON).
//!
//! Spans of requests to models become records, by the same reader as files of OTLP JSON; others are taken and left.

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
use super::operation::Operation;
use super::problem::Problem;
use super::take::{body, media_type};
use super::v1::{admissible, is_measured};
use crate::record::Arrival;

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";
/// The largest export, unpacked.
const EXPORT_BYTES: usize = 16 << 20;
/// What the reader of files calls this format.
const FORMAT: &str = "otel";
/// Who served, where a span does not say.
const UNKNOWN: &str = "unknown";

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/v1/traces", "OpenTelemetry's spans of generative AI (OTLP)", traces)
            .takes_kind(PROTOBUF)
            .takes_kind(JSON)
            .up_to(EXPORT_BYTES)
            .gives_kind(PROTOBUF)
            .gives_kind(JSON),
    ]
}

async fn traces(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    let received_at = Timestamp::now();
    let kind = media_type(request.headers()).unwrap_or_default();
    let bytes = body(request, &app).await?;
    let (text, kind) = match kind.as_str() {
        PROTOBUF => (json_of(&bytes)?, PROTOBUF),
        JSON => (bytes, JSON),
        other => {
            return Err(Problem::Unsupported(format!("the body is \"{other}\": expected {PROTOBUF} or {JSON}")));
        }
    };
    let records = app.work(move |_| requests(&text)).await?;
    let arrivals: Vec<Arrival> =
        records.into_iter().map(|record| Arrival { record, received_at, metadata: None }).collect();
    // One span that cannot be does not cost the others of its export.
    let (taken, left): (Vec<_>, Vec<_>) = arrivals.into_iter().partition(|arrival| admissible(arrival, None).is_ok());
    if !taken.is_empty() {
        app.recorder.keep(taken).await?;
    }
    let answer = answer(left.len());
    Ok(match kind {
        JSON => ([(CONTENT_TYPE, JSON)], serde_json::to_string(&answer).unwrap_or_default()).into_response(),
        _ => ([(CONTENT_TYPE, PROTOBUF)], answer.encode_to_vec()).into_response(),
    })
}

/// All were taken, or so many were not.
fn answer(left: usize) -> ExportTraceServiceResponse {
    let partial = || ExportTracePartialSuccess {
        rejected_spans: i64::try_from(left).unwrap_or(i64::MAX),
        error_message: "times before 1970 or more than a day ahead, or values that cannot be".to_owned(),
    };
    ExportTraceServiceResponse { partial_success: (left > 0).then(partial) }
}

/// The same export in JSON, which the reader takes.
fn json_of(bytes: &[u8]) -> Result<Bytes, Problem> {
    let export = ExportTraceServiceRequest::decode(bytes);
    let export = export.map_err(|error| Problem::body(format!("not an export of spans: {error}")))?;
    let text = serde_json::to_vec(&export).map_err(|error| Problem::body(error.to_string()))?;
    Ok(text.into())
}

/// The requests among the spans; none if there are none.
fn requests(text: &[u8]) -> Result<Vec<RequestRecord>, Problem> {
    let tool: Tool = FORMAT.parse()?;
    let value: serde_json::Value = super::take::parse(text)?;
    if !value["resourceSpans"].is_array() {
        return Err(Problem::body("expected an export of spans: {\"resourceSpans\": […]}"));
    }
    // Most applications have many spans and few of them ask a model: that is no mistake of theirs.
    if !text.windows(GENERATIVE.len()).any(|window| window == GENERATIVE) {
        return Ok(Vec::new());
    }
    let log = match ingest::read("body", text, Some(tool)) {
        Ok(log) => log,
        Err(llmscope_core::Error::Format { problem, .. }) if problem.contains("is a request to a model") => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(Problem::body(error.to_string())),
    };
    let Content::Session(session) = log.content else { return Ok(Vec::new()) };
    let with_names = |record: &RequestRecord| RequestRecord {
        provider: Some(session.provider_of(record).unwrap_or(UNKNOWN).to_owned()),
        model: session.model_of(record).map(str::to_owned),
        ..record.clone()
    };
    // What only a server tells of has no latency as its client sees it.
    let told = session.records.iter().filter(|record| !record.succeeded() || is_measured(record));
    Ok(told.map(with_names).collect())
}

/// What every span of a request to a model has in the name of an attribute.
const GENERATIVE: &[u8] = b"gen_ai.";
