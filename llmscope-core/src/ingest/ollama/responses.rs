//! Responses of `/api/generate` and `/api/chat`, streamed or not: the object with `"done": true` contains the counts
//! and the server's own times, in nanoseconds.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::error::{Location, Result};
use crate::ingest::attributes::{count, texts};
use crate::ingest::documents::{self, Document};
use crate::ingest::empty::no_requests;
use crate::ingest::runs::of_ns;
use crate::ingest::server_times::ServerTimes;
use crate::ingest::tool::Parsed;
use crate::session::{RequestError, RequestRecord, Session, SessionHeader, Software, Status, Warning};

/// The server omits fields that are zero.
#[derive(Deserialize)]
struct Line {
    model: Option<String>,
    created_at: Option<String>,
    #[serde(default)]
    done: bool,
    done_reason: Option<String>,
    total_duration: Option<i64>,
    load_duration: Option<i64>,
    prompt_eval_count: Option<u64>,
    prompt_eval_duration: Option<i64>,
    eval_count: Option<u64>,
    eval_duration: Option<i64>,
    /// In the middle of a stream, after HTTP status 200.
    error: Option<String>,
}

pub(super) fn read(source: &str, text: &str) -> Result<Parsed> {
    let (lines, mut warnings) = documents::read::<Line>(source, text)?;
    let (mut records, mut unfinished) = (Vec::new(), None);
    for Document { value: line, line: number } in lines {
        match &line.error {
            Some(message) => {
                records.push(line.failure(message));
                unfinished = None;
            }
            None if !line.done => unfinished = unfinished.or(Some(number)),
            None => {
                unfinished = None;
                records.extend(line.answered_a_prompt().then(|| line.record()));
            }
        }
    }
    warnings.extend(unfinished.map(|line| left_out(Location::of(source).line(line))));
    if records.is_empty() {
        let fix = "give complete responses: their last object (\"done\": true) contains the times";
        return Err(no_requests(source, fix));
    }
    let header = SessionHeader {
        recorder: Some(Software { name: "Ollama".to_owned(), version: None }),
        ..SessionHeader::default()
    };
    Ok(Parsed::Session(Session { header, records, ..Session::default() }, warnings))
}

fn left_out(location: Location) -> Warning {
    Warning {
        location,
        message: "the response that begins here has no end (\"done\": true) and was left out".to_owned(),
    }
}

/// A measured duration.
fn seconds(nanoseconds: Option<i64>) -> Option<f64> {
    let nanoseconds = nanoseconds.and_then(|nanoseconds| u64::try_from(nanoseconds).ok());
    nanoseconds.filter(|&nanoseconds| nanoseconds > 0).map(|nanoseconds| of_ns(count(nanoseconds)))
}

impl Line {
    /// A request without a prompt only loads the model into memory, or unloads it.
    fn answered_a_prompt(&self) -> bool {
        !matches!(self.done_reason.as_deref(), Some("load" | "unload"))
    }

    /// The timestamp of the last object is that of the end.
    fn started_at(&self) -> Option<Timestamp> {
        let ended_at: Timestamp = self.created_at.as_ref()?.parse().ok()?;
        let total = SignedDuration::from_nanos(self.total_duration.filter(|&total| total > 0)?);
        ended_at.checked_sub(total).ok()
    }

    fn record(&self) -> RequestRecord {
        let times = ServerTimes {
            total_s: seconds(self.total_duration),
            load_s: seconds(self.load_duration),
            prefill_s: seconds(self.prompt_eval_duration),
            // Every engine of Ollama starts this clock with the first token.
            decode_s: seconds(self.eval_duration),
            output_tokens: self.eval_count,
        };
        RequestRecord {
            started_at: self.started_at(),
            model: self.model.clone(),
            input_tokens: self.prompt_eval_count,
            output_tokens: self.eval_count,
            attributes: times.attributes().chain(texts([("done_reason", self.done_reason.as_deref())])).collect(),
            ..RequestRecord::default()
        }
    }

    fn failure(&self, message: &str) -> RequestRecord {
        RequestRecord {
            model: self.model.clone(),
            status: Status::Error,
            error: Some(RequestError { kind: "_OTHER".to_owned(), code: None, message: Some(message.to_owned()) }),
            ..RequestRecord::default()
        }
    }
}
