//! `--out json`: one line per point of each metric. A request consists of several consecutive points with the same tags
//! and the same time, which is that of its end.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::DURATIONS;
use crate::error::{Error, Location, Result};
use crate::ingest::attributes::numbers;
use crate::ingest::documents;
use crate::ingest::empty::no_requests;
use crate::ingest::runs::of_ms;
use crate::ingest::tool::Parsed;
use crate::session::{AttributeValue, RequestError, RequestRecord, Session, SessionHeader, Software, Status, Warning};

/// The metrics of a request: its count, whether it failed, and its durations.
const COUNT: &str = "http_reqs";
const FAILED: &str = "http_req_failed";

#[derive(Deserialize)]
pub(super) struct Line {
    pub(super) metric: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) data: Data,
}

#[derive(Deserialize)]
pub(super) struct Data {
    pub(super) time: Option<String>,
    pub(super) value: Option<f64>,
    pub(super) tags: Option<Tags>,
}

type Tags = BTreeMap<String, String>;

/// The points of one request.
struct Request {
    ended_at: Timestamp,
    tags: Tags,
    values: BTreeMap<String, f64>,
}

pub(super) fn read(source: &str, text: &str) -> Result<Parsed> {
    let (lines, warnings) = documents::read::<Line>(source, text)?;
    let lines = lines.into_iter().map(|document| (document.value, Location::of(source).line(document.line)));
    session(source, lines, warnings)
}

/// The session of the requests among these points.
pub(super) fn session(
    source: &str,
    lines: impl IntoIterator<Item = (Line, Location)>,
    warnings: Vec<Warning>,
) -> Result<Parsed> {
    let mut requests: Vec<Request> = Vec::new();
    for (line, location) in lines {
        let is_of_request =
            DURATIONS.contains(&line.metric.as_str()) || [COUNT, FAILED].contains(&line.metric.as_str());
        if line.kind == "Point" && is_of_request {
            put(&mut requests, line, location)?;
        }
    }
    if requests.is_empty() {
        let fix = "give the points of a script that makes HTTP requests; for your own metrics, read the file as JSON \
                   Lines";
        return Err(no_requests(source, fix));
    }
    let mut records: Vec<RequestRecord> = requests.into_iter().map(Request::into_record).collect();
    records.sort_by_key(|record| record.started_at);
    let header = SessionHeader {
        recorder: Some(Software { name: "k6".to_owned(), version: None }),
        started_at: records.iter().filter_map(|record| record.started_at).min(),
        ..SessionHeader::default()
    };
    Ok(Parsed::Session(Session { header, records, ..Session::default() }, warnings))
}

/// Adds a point to the last request, or to a new one if the last request already has such a point or other tags.
fn put(requests: &mut Vec<Request>, line: Line, location: Location) -> Result<()> {
    let Data { time, value, tags } = line.data;
    let tags = tags.unwrap_or_default();
    let ended_at: Option<Timestamp> = time.as_ref().and_then(|time| time.parse().ok());
    let Some(ended_at) = ended_at else {
        return Err(refused(location, "data.time", time.as_deref().unwrap_or("nothing"), "a time with its offset"));
    };
    let Some(value) = value.filter(|&value| value >= 0.0 && value.is_finite()) else {
        let found = value.map_or_else(|| "nothing".to_owned(), |value| value.to_string());
        return Err(refused(location, "data.value", &found, "a count or a duration"));
    };
    let is_same =
        |last: &&mut Request| last.ended_at == ended_at && last.tags == tags && !last.values.contains_key(&line.metric);
    match requests.last_mut().filter(is_same) {
        Some(last) => {
            last.values.insert(line.metric, value);
        }
        None => requests.push(Request { ended_at, tags, values: BTreeMap::from([(line.metric, value)]) }),
    }
    Ok(())
}

fn refused(location: Location, field: &str, found: &str, expected: &str) -> Error {
    Error::Format {
        location: location.field(field),
        problem: format!("{found} is not {expected}"),
        fix: "give the file as k6 wrote it".to_owned(),
    }
}

/// Tags that describe the outcome, which a record stores in fields of its own, or the protocol.
const OUTCOME: [&str; 8] =
    ["error", "error_code", "expected_response", "status", "model", "provider", "proto", "tls_version"];
/// k6's code for its own timeout.
const REQUEST_TIMEOUT: &str = "1050";

impl Request {
    fn seconds(&self, metric: &str) -> Option<f64> {
        self.values.get(metric).map(|&milliseconds| of_ms(milliseconds))
    }

    fn tag(&self, name: &str) -> Option<&str> {
        self.tags.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The HTTP status; k6 writes 0 if there was no response.
    fn status(&self) -> Option<u16> {
        self.tag("status")?.parse().ok().filter(|&status| status > 0)
    }

    /// k6's own judgement, whose criteria a script may change; otherwise judged by the response.
    fn failed(&self) -> bool {
        let judged = self.values.get(FAILED).map(|&failed| failed > 0.0);
        let expected = || self.tag("expected_response").map(|expected| expected == "false");
        judged.or_else(expected).unwrap_or_else(|| self.status().is_none_or(|status| status >= 400))
    }

    /// From the call to the end of the response: k6's duration excludes the preceding wait for a connection.
    fn e2e_s(&self) -> Option<f64> {
        let milliseconds = |metric: &str| self.values.get(metric).copied();
        Some(of_ms(milliseconds("http_req_blocked")? + milliseconds("http_req_duration")?))
    }

    fn started_at(&self) -> Option<Timestamp> {
        let took = self.e2e_s().or_else(|| self.seconds("http_req_duration"))?;
        let took = SignedDuration::try_from_secs_f64(took).ok()?;
        self.ended_at.checked_sub(took).ok()
    }

    fn into_record(self) -> RequestRecord {
        let failed = self.failed();
        // A reused connection has no connection time.
        let connected = self.values.get("http_req_connecting").is_some_and(|&milliseconds| milliseconds > 0.0);
        let mut record = RequestRecord {
            started_at: self.started_at(),
            provider: self.tag("provider").map(str::to_owned),
            model: self.tag("model").map(str::to_owned),
            ..RequestRecord::default()
        };
        if failed {
            let timed_out = self.tag("error_code") == Some(REQUEST_TIMEOUT);
            record.status = if timed_out { Status::Timeout } else { Status::Error };
            record.error = Some(self.error());
        } else {
            record.e2e_s = self.e2e_s();
            record.connect_s = self.seconds("http_req_blocked").filter(|_| connected);
            // The first byte belongs to the response header: k6 does not know tokens.
            let names = DURATIONS.map(|metric| (metric, format!("{metric}_s")));
            record.attributes.extend(numbers(names.iter().map(|(metric, name)| (name.as_str(), self.seconds(metric)))));
        }
        record.attributes.extend(numbers([("status", self.status().map(f64::from))]));
        let url_is_name = self.tag("url") == self.tag("name");
        let recorded = |name: &str| OUTCOME.contains(&name) || (name == "url" && url_is_name);
        let tags = self.tags.into_iter().filter(|(name, value)| !recorded(name) && !value.is_empty());
        record.attributes.extend(tags.map(|(name, value)| (name, AttributeValue::Text(value))));
        record
    }

    fn error(&self) -> RequestError {
        let code = self.tag("error_code");
        let status = self.status();
        let kind = status.map(|status| status.to_string()).or_else(|| code.map(str::to_owned));
        RequestError {
            kind: kind.unwrap_or_else(|| "_OTHER".to_owned()),
            code: status.map(i64::from).or_else(|| code?.parse().ok()),
            message: self.tag("error").map(str::to_owned),
        }
    }
}
