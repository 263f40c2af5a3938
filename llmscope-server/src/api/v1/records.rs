//! `/api/v1/records`: stores batches of requests, and exports requests.

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use llmscope_core::session::{SessionHeader, Software};
use llmscope_core::{Metric, RequestRecord, Session};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::App;
use super::super::api_error::{ApiError, FieldError};
use super::super::extract::{Between, Query, body, check_json, media_type, parse};
use super::super::idempotency::IdempotencyKey;
use super::super::operation::Operation;
use super::super::response::FileFormat;
use super::filter::RecordQuery;
use super::submitted_record::{BATCH_RECORDS, Records, SubmittedRecord, too_many};
use crate::identity::Submission;
use crate::record::{Arrival, StoredRecord};
use crate::store::{Filter, Store};

/// The largest batch, in bytes.
const BATCH_BYTES: usize = 32 << 20;
/// How far a request's time may be ahead of the service's clock.
const LARGEST_CLOCK_SKEW: SignedDuration = SignedDuration::from_hours(24);
/// The default number of requests on a page.
const PAGE: u32 = 100;
/// The most requests in one file.
const FILE_RECORDS: usize = 1_000_000;

#[derive(Deserialize, JsonSchema)]
struct Batch {
    /// The requests.
    records: Records,
}

#[derive(Serialize, JsonSchema)]
struct Stored {
    /// The number of records that were stored.
    stored: usize,
    /// The number of records that had been accepted before, by their `uid` or the call's `Idempotency-Key`.
    #[serde(skip_serializing_if = "Option::is_none")]
    repeated: Option<usize>,
    /// The smallest id of the records, also of those that had been accepted before.
    first_id: i64,
    /// The largest id of the records.
    last_id: i64,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RecordListQuery {
    /// Only records of this provider.
    #[serde(default)]
    provider: Option<String>,
    /// Only records of this model.
    #[serde(default)]
    model: Option<String>,
    /// Only records of the uploaded session with this id; by default, live records.
    #[serde(default)]
    session: Option<i64>,
    /// Only records at or after this time.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    from: Option<Timestamp>,
    /// Only records before this time.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    to: Option<Timestamp>,
    /// Only records of the last N hours.
    #[serde(default)]
    hours: Option<Between<1, 87_600>>,
    /// At most the newest N records, on a page or in a file.
    #[serde(default)]
    limit: Option<Between<1, 1_000_000>>,
    /// Only records older than the record with this id.
    #[serde(default)]
    before: Option<i64>,
    /// Return all selected records as a file of this format, oldest first.
    #[serde(default)]
    format: Option<FileFormat>,
}

impl RecordListQuery {
    /// The filter of the records to return: at most `limit`.
    fn filter(&self, limit: usize) -> Result<Filter, ApiError> {
        RecordQuery {
            provider: self.provider.clone(),
            model: self.model.clone(),
            session: self.session,
            from: self.from,
            to: self.to,
            hours: self.hours.map(|hours| hours.0),
            limit,
        }
        .filter()
    }
}

#[derive(Serialize, JsonSchema)]
struct RecordPage {
    records: Vec<StoredRecord>,
    /// The value of `before` for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/api/v1/records", "Store a batch of requests, all or none", keep)
            .body::<Batch>()
            .body_type("application/x-ndjson")
            .body_limit(BATCH_BYTES)
            .repeatable()
            .response_with_status::<Stored>(StatusCode::CREATED),
        Operation::get("/api/v1/records", "List requests by page, or export them as a file", list)
            .query::<RecordListQuery>()
            .response::<RecordPage>()
            .response::<Session>()
            .response_type("application/x-ndjson")
            .response_type("text/csv")
            .response_type("application/vnd.apache.parquet"),
    ]
}

async fn keep(State(app): State<App>, key: IdempotencyKey, request: Request) -> Result<Response, ApiError> {
    let received_at = app.clock.now();
    let (kind, is_json) = (media_type(request.headers()), check_json(request.headers()));
    let bytes = body(request, &app).await?;
    let mut arrivals = match kind.as_deref() {
        Some("application/x-ndjson" | "application/jsonl" | "application/json-lines") => lines(&bytes)?,
        _ => {
            is_json?;
            batch(&bytes)?
        }
    };
    if arrivals.is_empty() {
        return Err(ApiError::body(format!("invalid batch of 0 records: expected 1 to {BATCH_RECORDS}")));
    }
    arrivals.iter_mut().for_each(|arrival| arrival.received_at = received_at);
    for (index, arrival) in arrivals.iter().enumerate() {
        admissible(arrival, Some(index))?;
    }
    let submission = Submission { arrivals, call: key.call(&bytes), facts: Vec::new() };
    let receipt = app.recorder.keep(submission).await??;
    // A batch has at least one record.
    let ids = receipt.ids.ok_or(ApiError::Internal)?;
    let repeated = Some(receipt.repeated).filter(|&repeated| repeated > 0);
    let response = Stored { stored: receipt.stored, repeated, first_id: *ids.start(), last_id: *ids.end() };
    Ok((StatusCode::CREATED, Json(response)).into_response())
}

fn batch(bytes: &[u8]) -> Result<Vec<Arrival>, ApiError> {
    // Decide by the first byte: trying both forms would copy the whole body.
    if bytes.trim_ascii_start().starts_with(b"[") {
        parse(bytes).map(|Records(records)| records)
    } else {
        parse(bytes).map(|Batch { records: Records(records) }| records)
    }
}

fn lines(bytes: &[u8]) -> Result<Vec<Arrival>, ApiError> {
    let lines = bytes.split(|&byte| byte == b'\n').zip(1..).filter(|(line, _)| !line.trim_ascii().is_empty());
    let record = |(line, number): (&[u8], usize)| {
        parse(line).map(SubmittedRecord::arrival).map_err(|error| match error {
            ApiError::Invalid(errors) => {
                ApiError::Invalid(errors.into_iter().map(|error| on_line(error, number)).collect())
            }
            other => other,
        })
    };
    let records: Vec<Arrival> = lines.take(BATCH_RECORDS + 1).map(record).collect::<Result<_, _>>()?;
    if records.len() > BATCH_RECORDS { Err(ApiError::body(too_many())) } else { Ok(records) }
}

fn on_line(mut error: FieldError, number: usize) -> FieldError {
    error.msg = format!("line {number}: {}", error.msg);
    error
}

/// Refuses a request without a provider or with impossible values.
pub(in crate::api) fn admissible(arrival: &Arrival, index: Option<usize>) -> Result<(), ApiError> {
    let Arrival { record, received_at, .. } = arrival;
    let refuse = |field: &str, message: String| {
        let mut loc: Vec<serde_json::Value> = vec!["body".into()];
        loc.extend(index.into_iter().flat_map(|index| ["records".into(), index.into()]));
        loc.push(field.into());
        Err(ApiError::Invalid(vec![FieldError { loc, msg: message, kind: "value_error".to_owned() }]))
    };
    if record.provider.as_deref().is_none_or(|provider| provider.trim().is_empty()) {
        return refuse(
            "provider",
            "the provider is missing: expected the name of the service that answered the request".to_owned(),
        );
    }
    if [&record.provider, &record.model].into_iter().flatten().any(|name| name.len() > LONGEST_NAME) {
        return refuse(
            "provider",
            format!("the name of the provider or model is too long: expected at most {LONGEST_NAME} bytes"),
        );
    }
    let possible = Timestamp::UNIX_EPOCH..=*received_at + LARGEST_CLOCK_SKEW;
    if record.started_at.is_some_and(|at| !possible.contains(&at)) {
        return refuse(
            "started_at",
            "invalid time: expected one from 1970 to at most a day ahead of the service's clock".to_owned(),
        );
    }
    if let Some((field, value)) = record.impossible_field() {
        return refuse(field, format!("invalid value {value}: expected 0 or more"));
    }
    let mut values = Metric::ALL.iter().filter_map(|&metric| Some((metric.name(), record.metric(metric)?)));
    if let Some((field, value)) = values.find(|(_, value)| value.abs() > LARGEST) {
        return refuse(field, format!("invalid value {value}: expected at most {LARGEST:e}"));
    }
    if record.succeeded() && !is_measured(record) {
        return refuse(
            "e2e_s",
            "the request succeeded but has no measurement: expected e2e_s, ttft_s or another duration".to_owned(),
        );
    }
    Ok(())
}

/// True if a request has a value of any metric besides the error rate.
pub(in crate::api) fn is_measured(record: &RequestRecord) -> bool {
    Metric::ALL.iter().any(|&metric| metric != Metric::ErrorRate && record.metric(metric).is_some())
}

/// The largest accepted value of a metric. No real measurement is larger, and statistics of larger ones could overflow.
pub(in crate::api) const LARGEST: f64 = 1e15;
/// The longest name of a provider or model, in bytes. Names create series, which are never removed automatically.
const LONGEST_NAME: usize = 256;

async fn list(State(app): State<App>, Query(query): Query<RecordListQuery>) -> Result<Response, ApiError> {
    let limit = query.limit.map(|limit| limit.0 as usize);
    if let Some(format) = query.format {
        let filter = query.filter(limit.unwrap_or(FILE_RECORDS))?;
        return app.run_blocking(move |store| file(store, &filter, format)).await;
    }
    let page = limit.unwrap_or(PAGE as usize).min(10_000);
    let filter = query.filter(page)?;
    let records = app.read(move |store| store.records(&filter, query.before)).await?;
    let next = records.last().filter(|_| records.len() == page).map(|record| record.id);
    Ok(Json(RecordPage { records, next }).into_response())
}

/// Writes the selected requests as a session, oldest first.
fn file(store: &dyn Store, filter: &Filter, format: FileFormat) -> Result<Response, ApiError> {
    let mut records: Vec<RequestRecord> =
        store.records(filter, None)?.into_iter().map(|stored| stored.record).collect();
    records.reverse();
    let header = SessionHeader {
        started_at: records.iter().filter_map(|record| record.started_at).min(),
        recorder: Some(Software {
            name: "LLMscope service".to_owned(),
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        }),
        ..SessionHeader::default()
    };
    format.file(&Session { header, records, ..Session::default() }, "records")
}
