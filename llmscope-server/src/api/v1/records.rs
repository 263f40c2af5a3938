//! `/api/v1/records`: requests, in batches in and as files out.

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
use super::super::answer::FileFormat;
use super::super::operation::Operation;
use super::super::problem::{Flaw, Problem};
use super::super::take::{Between, Query, body, check_json, media_type, parse};
use super::selecting::words_of;
use crate::record::{Arrival, StoredRecord};
use crate::store::{Filter, Store};

/// The largest batch.
const BATCH_BYTES: usize = 32 << 20;
/// The most requests of one batch.
const BATCH_RECORDS: usize = 50_000;
/// How far a request may seem to lie ahead: clocks differ.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_hours(24);
/// A page of requests, unless told.
const PAGE: u32 = 100;
/// The most requests of one file.
const FILE_RECORDS: usize = 1_000_000;

#[derive(Deserialize, JsonSchema)]
struct Batch {
    /// The requests.
    records: Vec<RequestRecord>,
}

#[derive(Serialize, JsonSchema)]
struct Stored {
    stored: usize,
    first_id: i64,
    last_id: i64,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RecordsAsked")]
struct Asked {
    /// Of this provider.
    #[serde(default)]
    provider: Option<String>,
    /// Of this model.
    #[serde(default)]
    model: Option<String>,
    /// Of this uploaded session; without it, what arrived live.
    #[serde(default)]
    session: Option<i64>,
    /// Not before.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    from: Option<Timestamp>,
    /// Before.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    to: Option<Timestamp>,
    /// Of the last so many hours.
    #[serde(default)]
    hours: Option<Between<1, 87_600>>,
    /// The newest so many: a page, or a whole file.
    #[serde(default)]
    limit: Option<Between<1, 1_000_000>>,
    /// From before the record of this number.
    #[serde(default)]
    before: Option<i64>,
    /// A file of all that are selected, the oldest first.
    #[serde(default)]
    format: Option<FileFormat>,
}

#[derive(Serialize, JsonSchema)]
struct Records {
    records: Vec<StoredRecord>,
    /// Where the next page begins: `before`.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/api/v1/records", "Keeps requests: all or none", keep)
            .takes::<Batch>()
            .takes_kind("application/x-ndjson")
            .up_to(BATCH_BYTES)
            .gives_with::<Stored>(StatusCode::CREATED),
        Operation::get("/api/v1/records", "Requests, a page or a file of them", list)
            .asks::<Asked>()
            .gives::<Records>()
            .gives::<Session>()
            .gives_kind("application/x-ndjson")
            .gives_kind("text/csv")
            .gives_kind("application/vnd.apache.parquet"),
    ]
}

async fn keep(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    let received_at = Timestamp::now();
    let (kind, said) = (media_type(request.headers()), check_json(request.headers()));
    let bytes = body(request, &app).await?;
    let records = match kind.as_deref() {
        Some("application/x-ndjson" | "application/jsonl" | "application/json-lines") => lines(&bytes)?,
        _ => {
            said?;
            batch(&bytes)?
        }
    };
    if records.is_empty() || records.len() > BATCH_RECORDS {
        return Err(Problem::body(format!("{} records: expected 1 to {BATCH_RECORDS} at once", records.len())));
    }
    let arrivals: Vec<Arrival> =
        records.into_iter().map(|record| Arrival { record, received_at, metadata: None }).collect();
    for (index, arrival) in arrivals.iter().enumerate() {
        admissible(arrival, Some(index))?;
    }
    let stored = arrivals.len();
    let numbers = app.recorder.keep(arrivals).await?;
    let answer = Stored { stored, first_id: *numbers.start(), last_id: *numbers.end() };
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

fn batch(bytes: &[u8]) -> Result<Vec<RequestRecord>, Problem> {
    // A list begins like one: trying both forms would cost a copy of the whole body.
    if bytes.trim_ascii_start().starts_with(b"[") {
        parse(bytes)
    } else {
        parse(bytes).map(|Batch { records }| records)
    }
}

fn lines(bytes: &[u8]) -> Result<Vec<RequestRecord>, Problem> {
    let lines = bytes.split(|&byte| byte == b'\n').zip(1..).filter(|(line, _)| !line.trim_ascii().is_empty());
    let record = |(line, number): (&[u8], usize)| {
        parse(line).map_err(|problem| match problem {
            Problem::Invalid(flaws) => Problem::Invalid(flaws.into_iter().map(|flaw| on_line(flaw, number)).collect()),
            other => other,
        })
    };
    lines.map(record).collect()
}

fn on_line(mut flaw: Flaw, number: usize) -> Flaw {
    flaw.msg = format!("line {number}: {}", flaw.msg);
    flaw
}

/// Refuses a request that says nothing of who served it, or holds what cannot be.
pub(in crate::api) fn admissible(arrival: &Arrival, index: Option<usize>) -> Result<(), Problem> {
    let Arrival { record, received_at, .. } = arrival;
    let refuse = |field: &str, message: String| {
        let mut loc: Vec<serde_json::Value> = vec!["body".into()];
        loc.extend(index.into_iter().flat_map(|index| ["records".into(), index.into()]));
        loc.push(field.into());
        Err(Problem::Invalid(vec![Flaw { loc, msg: message, kind: "value_error".to_owned() }]))
    };
    if record.provider.as_deref().is_none_or(|provider| provider.trim().is_empty()) {
        return refuse("provider", "say who served the request".to_owned());
    }
    if [&record.provider, &record.model].into_iter().flatten().any(|name| name.len() > LONGEST_NAME) {
        return refuse("provider", format!("provider and model have at most {LONGEST_NAME} bytes"));
    }
    let possible = Timestamp::UNIX_EPOCH..=*received_at + CLOCKS_DIFFER;
    if record.started_at.is_some_and(|at| !possible.contains(&at)) {
        return refuse("started_at", "before 1970, or more than a day ahead of the service's clock".to_owned());
    }
    if let Some((field, value)) = record.impossible_field() {
        return refuse(field, format!("{value} cannot be: expected 0 or more"));
    }
    let mut values = Metric::ALL.iter().filter_map(|&metric| Some((metric.name(), record.metric(metric)?)));
    if let Some((field, value)) = values.find(|(_, value)| value.abs() > LARGEST) {
        return refuse(field, format!("{value} cannot be: expected {LARGEST:e} at most"));
    }
    if record.succeeded() && !is_measured(record) {
        return refuse(
            "e2e_s",
            "a request that succeeded was measured: say e2e_s, ttft_s or another duration".to_owned(),
        );
    }
    Ok(())
}

/// True if anything but its outcome is known of a request.
pub(in crate::api) fn is_measured(record: &RequestRecord) -> bool {
    Metric::ALL.iter().any(|&metric| metric != Metric::ErrorRate && record.metric(metric).is_some())
}

/// Nothing that is measured is larger, and the statistics of what is would be beyond all numbers.
pub(in crate::api) const LARGEST: f64 = 1e15;
/// Names make series, which are kept for ever: they are names, and no texts.
const LONGEST_NAME: usize = 256;

async fn list(State(app): State<App>, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let limit = asked.limit.map(|limit| limit.0 as usize);
    if let Some(format) = asked.format {
        let filter = words_of!(asked, Some(limit.unwrap_or(FILE_RECORDS))).filter()?;
        return app.work(move |store| file(store, &filter, format)).await;
    }
    let page = limit.unwrap_or(PAGE as usize).min(10_000);
    let filter = words_of!(asked, Some(page)).filter()?;
    let records = app.ask(move |store| store.records(&filter, asked.before)).await?;
    let next = records.last().filter(|_| records.len() == page).map(|record| record.id);
    Ok(Json(Records { records, next }).into_response())
}

/// The selected requests as a session, the oldest first.
fn file(store: &dyn Store, filter: &Filter, format: FileFormat) -> Result<Response, Problem> {
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
