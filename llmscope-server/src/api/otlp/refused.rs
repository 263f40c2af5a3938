//! `POST /v1/metrics` and `/v1/logs`: the service stores requests, and says how an exporter stops sending other signals.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;

use super::super::App;
use super::super::api_error::ApiError;
use super::super::extract::body;
use super::super::operation::Operation;
use super::{EXPORT_BYTES, Encoding, JSON, PROTOBUF};

const METRICS: &str = "this service stores spans, not metrics: set OTEL_METRICS_EXPORTER=none, or export metrics to \
                       another address with OTEL_EXPORTER_OTLP_METRICS_ENDPOINT";
const LOGS: &str = "this service stores spans, not logs: set OTEL_LOGS_EXPORTER=none, or export logs to another address \
                    with OTEL_EXPORTER_OTLP_LOGS_ENDPOINT";

/// The error of an export, as gRPC has it (google.rpc.Status): OTLP's body of a response that is not a success.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
struct Status {
    /// A code of gRPC.
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

/// gRPC's code for an operation that a service does not have.
const UNIMPLEMENTED: i32 = 12;

pub(super) fn operations() -> Vec<Operation> {
    let operation = |operation: Operation| {
        operation
            .body_type(PROTOBUF)
            .body_type(JSON)
            .body_limit(EXPORT_BYTES)
            .response_type_with_status(StatusCode::BAD_REQUEST, PROTOBUF)
            .response_type_with_status(StatusCode::BAD_REQUEST, JSON)
    };
    vec![
        operation(Operation::post("/v1/metrics", "Refuse OpenTelemetry metrics (OTLP)", metrics)),
        operation(Operation::post("/v1/logs", "Refuse OpenTelemetry logs (OTLP)", logs)),
    ]
}

async fn metrics(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    refuse(&app, request, "metrics", METRICS).await
}

async fn logs(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    refuse(&app, request, "logs", LOGS).await
}

/// OTLP's status for an export that must not be sent again.
async fn refuse(app: &App, request: Request, kind: &'static str, message: &str) -> Result<Response, ApiError> {
    let encoding = Encoding::of(request.headers())?;
    // A client that still sends reads no response.
    body(request, app).await?;
    app.telemetry.reported.report(kind, 1, Timestamp::now());
    let status = Status { code: UNIMPLEMENTED, message: message.to_owned() };
    Ok((StatusCode::BAD_REQUEST, encoding.response(&status)).into_response())
}
