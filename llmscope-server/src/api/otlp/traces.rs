//! `POST /v1/traces`: spans from OpenTelemetry SDKs and collectors.
//!
//! Spans of requests to models become records, each call once; the reader of OTLP JSON files reads them. Spans of other
//! things are accepted and ignored.

use axum::extract::{Request, State};
use axum::response::Response;
use llmscope_core::ingest::{SpanExport, Spans, identity};
use llmscope_core::quantity::counted;
use llmscope_core::{RequestRecord, Session};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::super::App;
use super::super::api_error::ApiError;
use super::super::extract::body;
use super::super::operation::Operation;
use super::super::v1::{admissible, is_measured};
use super::{EXPORT_BYTES, Encoding, JSON, PROTOBUF, protobuf};
use crate::identity::{Identity, Submission};
use crate::record::Arrival;

/// The provider of spans that do not name one.
const UNKNOWN: &str = "unknown";

pub(super) fn operation() -> Operation {
    Operation::post("/v1/traces", "Store the requests among OpenTelemetry spans (OTLP)", traces)
        .body_type(PROTOBUF)
        .body_type(JSON)
        .body_limit(EXPORT_BYTES)
        .response_type(PROTOBUF)
        .response_type(JSON)
}

async fn traces(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    let received_at = app.clock.now();
    let encoding = Encoding::of(request.headers())?;
    let bytes = body(request, &app).await?;
    let parse = move || match encoding {
        Encoding::Protobuf => protobuf::spans(&bytes),
        Encoding::Json => parsed(&bytes),
    };
    let spans = app.parse(parse).await?;
    let mut export = app.telemetry.memory().take(spans, received_at);
    let arrivals = requests(std::mem::take(&mut export.session)).map(|record| Arrival {
        identity: identity::of_record(&record).map(Identity::Span),
        record,
        received_at,
        metadata: None,
    });
    // An invalid span does not cause the others of its export to be rejected.
    let (accepted, impossible): (Vec<_>, Vec<_>) = arrivals.partition(|arrival| admissible(arrival, None).is_ok());
    let rejected = Rejected::of(&export, impossible.len());
    let submission = Submission { arrivals: accepted, facts: std::mem::take(&mut export.facts), call: None };
    if !(submission.arrivals.is_empty() && submission.facts.is_empty())
        && let Err(error) = app.recorder.keep(submission).await
    {
        // The exporter sends the same spans again.
        app.telemetry.memory().forget(&export);
        return Err(error.into());
    }
    for (count, kind) in rejected.kinds() {
        app.telemetry.reported.report(kind, count, received_at);
    }
    Ok(encoding.response(&rejected.response()))
}

/// Spans that are not stored, by the reason. Those of steps and of other things are none of them.
#[derive(Debug, Default, PartialEq)]
struct Rejected {
    impossible: usize,
    servers: usize,
    unknown: usize,
}

impl Rejected {
    fn of(export: &SpanExport, impossible: usize) -> Self {
        Self { impossible, servers: export.servers, unknown: export.unknown }
    }

    /// The number of spans with each reason.
    fn kinds(&self) -> impl Iterator<Item = (usize, &'static str)> {
        [
            (self.impossible, "spans with a time before 1970 or more than a day ahead, or with an invalid value"),
            (self.servers, "spans of a model's server without the span of its client, which has the latency"),
            (self.unknown, "spans of a tracer of models with attributes that are not known"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
    }

    fn response(&self) -> ExportTraceServiceResponse {
        let count: usize = self.kinds().map(|(count, _)| count).sum();
        let reason =
            |(count, kind): (usize, &str)| format!("{} {}", counted(count, "span"), kind.trim_start_matches("spans "));
        let reasons: Vec<String> = self.kinds().map(reason).collect();
        let partial = || ExportTracePartialSuccess {
            rejected_spans: i64::try_from(count).unwrap_or(i64::MAX),
            error_message: format!("not stored: {}", reasons.join("; ")),
        };
        ExportTraceServiceResponse { partial_success: (count > 0).then(partial) }
    }
}

/// An object of a JSON export has at least this many bytes on average, beyond [`FREE_OBJECTS`] of them. Those of exporters
/// have 30 and more; an empty one takes 200 times its two bytes.
const BYTES_PER_OBJECT: usize = 20;
const FREE_OBJECTS: usize = 20_000;

/// An export in JSON, as far as it must be checked before it is read.
#[derive(Deserialize)]
struct Export {
    #[serde(rename = "resourceSpans")]
    _resource_spans: Vec<IgnoredAny>,
}

fn parsed(text: &[u8]) -> Result<Spans, ApiError> {
    let _: Export = super::super::extract::object(text)?;
    #[allow(clippy::naive_bytecount, reason = "a few milliseconds for the largest export")]
    let objects = text.iter().filter(|&&byte| byte == b'{').count();
    if objects > FREE_OBJECTS + text.len() / BYTES_PER_OBJECT {
        return Err(ApiError::body(format!(
            "the export has {objects} objects, most of them empty: send smaller exports"
        )));
    }
    let text = std::str::from_utf8(text).map_err(|error| ApiError::body(error.to_string()))?;
    let spans = Spans::parse("body", text).map_err(|error| ApiError::body(error.to_string()))?;
    protobuf::check_calls(&spans, text.len())?;
    Ok(spans)
}

/// The requests with their names. A request without any measurement has nothing to store.
fn requests(session: Session) -> impl Iterator<Item = RequestRecord> {
    let Session { header, records, .. } = session;
    let reported = records.into_iter().filter(|record| !record.succeeded() || is_measured(record));
    reported.map(move |mut record| {
        let provider = record.provider.take().or_else(|| header.provider.clone());
        record.provider = Some(provider.unwrap_or_else(|| UNKNOWN.to_owned()));
        record.model = record.model.take().or_else(|| header.model.clone());
        record
    })
}
