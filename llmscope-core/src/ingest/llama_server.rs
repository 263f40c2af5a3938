//! Responses of llama.cpp's server (`llama-server`): JSON documents, or recorded streams of server-sent events.
//!
//! Traps: `timings` are measured by the server, in milliseconds, and contain no network time. In a stream, the counters
//! are cumulative, so a stream without an end is left out.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::attributes::{count, numbers};
use super::documents::{self, Document};
use super::empty::no_requests;
use super::runs::of_ms;
use super::server_times::ServerTimes;
use super::signature::Signature;
use super::tool::{Format, Parsed, Reading};
use crate::error::{Error, Location, Result};
use crate::session::{
    Environment, RequestError, RequestRecord, Session, SessionHeader, Software, Status, Warning, is_torn, torn_tail,
};

pub(super) const FORMAT: Format = Format {
    name: "llama-server",
    title: "llama.cpp server responses",
    recognizes: |signature| {
        let has = |prefix: &str| signature.has(&format!("{prefix}timings.predicted_ms"));
        has("") || has("[].") || (is_stream(signature.text) && has_timings(signature))
    },
    reading: Reading::Whole(read),
};

/// True for a recorded stream of server-sent events.
fn is_stream(text: &str) -> bool {
    ["data:", "event:", "id:", ":"].iter().any(|field| text.trim_start().starts_with(field))
}

fn has_timings(signature: &Signature<'_>) -> bool {
    signature.text.contains("\"timings\"") && signature.text.contains("\"predicted_ms\"")
}

/// A response or a chunk of one. Its fields depend on the route.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Piece {
    id: Option<String>,
    object: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    model: Option<String>,
    system_fingerprint: Option<String>,
    stop: Option<bool>,
    timings: Option<Timings>,
    usage: Option<Usage>,
    response: Option<Box<Piece>>,
    error: Option<Value>,
}

#[derive(Deserialize, Clone, Copy)]
struct Timings {
    cache_n: Option<u64>,
    prompt_n: Option<u64>,
    prompt_ms: Option<f64>,
    predicted_n: Option<u64>,
    predicted_ms: Option<f64>,
    draft_n: Option<u64>,
    draft_n_accepted: Option<u64>,
}

#[derive(Deserialize, Clone, Copy)]
struct Usage {
    #[serde(alias = "input_tokens")]
    prompt_tokens: Option<u64>,
    #[serde(alias = "output_tokens")]
    completion_tokens: Option<u64>,
}

/// The items that follow one another in a file.
enum Event {
    Piece(Box<Piece>),
    /// The end of a stream: `[DONE]`.
    Done,
}

fn read(source: &str, text: &str) -> Result<Parsed> {
    let is_stream = is_stream(text);
    let (events, mut warnings) = if is_stream { events(source, text)? } else { objects(source, text)? };
    let mut answers = Answers { is_stream, ..Answers::default() };
    events.into_iter().for_each(|(location, event)| answers.take(location, event));
    // A stream without an end was truncated, and its cumulative counters are incomplete.
    if is_stream {
        warnings.extend(answers.open.take().map(|open| unfinished(open.location)));
    }
    answers.close();
    warnings.extend(answers.without_timings);
    if answers.records.is_empty() {
        return Err(no_requests(source, "give responses with timings; every response that is not streamed has them"));
    }
    let engine = Software { name: "llama.cpp".to_owned(), version: answers.fingerprint };
    let header = SessionHeader {
        recorder: Some(Software { name: "llama-server".to_owned(), version: engine.version.clone() }),
        environment: Some(Environment { engine: Some(engine), ..Environment::default() }),
        ..SessionHeader::default()
    };
    Ok(Parsed::Session(Session { header, records: answers.records, ..Session::default() }, warnings))
}

type Events = (Vec<(Location, Event)>, Vec<Warning>);

fn objects(source: &str, text: &str) -> Result<Events> {
    let (pieces, warnings) = documents::read::<Piece>(source, text)?;
    let placed = |piece: Document<Piece>| (Location::of(source).line(piece.line), Event::Piece(Box::new(piece.value)));
    Ok((pieces.into_iter().map(placed).collect(), warnings))
}

fn events(source: &str, text: &str) -> Result<Events> {
    let (mut events, mut warnings) = (Vec::new(), Vec::new());
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        let Some(data) = line.strip_prefix("data:").map(str::trim).filter(|data| !data.is_empty()) else { continue };
        let location = Location::of(source).line(number);
        match serde_json::from_str(data) {
            _ if data == "[DONE]" => events.push((location, Event::Done)),
            Ok(piece) => events.push((location, Event::Piece(piece))),
            Err(_) if is_torn(line) && !events.is_empty() => warnings.push(torn_tail(location)),
            Err(error) => return Err(Error::of_json(location, &error)),
        }
    }
    Ok((events, warnings))
}

fn unfinished(location: Location) -> Warning {
    Warning { location, message: "the response that begins here has no end and was left out".to_owned() }
}

/// Responses, assembled from their chunks.
#[derive(Default)]
struct Answers {
    is_stream: bool,
    records: Vec<RequestRecord>,
    open: Option<Answer>,
    fingerprint: Option<String>,
    without_timings: Option<Warning>,
}

/// A response whose chunks are being collected. The counters in its chunks are cumulative: the last ones count.
struct Answer {
    location: Location,
    id: Option<String>,
    model: Option<String>,
    timings: Option<Timings>,
    usage: Option<Usage>,
}

impl Answers {
    fn take(&mut self, location: Location, event: Event) {
        let Event::Piece(piece) = event else { return self.close() };
        if let Some(error) = &piece.error {
            self.open = None;
            self.records.push(failure(error, piece.model));
            return;
        }
        let is_another = |open: &Answer| piece.id.is_some() && open.id.is_some() && open.id != piece.id;
        if self.open.as_ref().is_some_and(is_another) {
            self.close();
        }
        let ends = piece.ends(self.is_stream);
        self.fingerprint = self.fingerprint.take().or_else(|| piece.version());
        let open = self.open.get_or_insert(Answer { location, id: None, model: None, timings: None, usage: None });
        open.merge(*piece);
        if ends {
            self.close();
        }
    }

    /// Ends the current response.
    fn close(&mut self) {
        let Some(answer) = self.open.take() else { return };
        match answer.timings {
            Some(timings) => self.records.push(answer.record(timings)),
            None => {
                let message = "responses without timings were left out; the first is here".to_owned();
                self.without_timings.get_or_insert(Warning { location: answer.location, message });
            }
        }
    }
}

impl Piece {
    /// True if no further chunk of the same response follows.
    fn ends(&self, is_stream: bool) -> bool {
        let is_chunk = self.object.as_deref().is_some_and(|object| object.ends_with(".chunk"));
        match (self.stop, self.kind.as_deref()) {
            (Some(stop), _) => stop,
            (None, Some(kind)) => matches!(kind, "response.completed" | "response.incomplete"),
            (None, None) => !is_stream && !is_chunk,
        }
    }

    /// The build, such as `b6123-5c0eb5ef`; builds without a number do not report one.
    fn version(&self) -> Option<String> {
        self.system_fingerprint.clone().filter(|build| !build.starts_with("b0-"))
    }
}

impl Answer {
    fn merge(&mut self, piece: Piece) {
        self.id = self.id.take().or(piece.id);
        self.model = piece.model.or(self.model.take());
        self.timings = piece.timings.or(self.timings);
        self.usage = piece.usage.or(self.usage);
        if let Some(inner) = piece.response {
            // Its name differs from that of the events around it.
            self.merge(Piece { id: None, ..*inner });
        }
    }

    fn record(self, timings: Timings) -> RequestRecord {
        let output_tokens = self.usage.and_then(|usage| usage.completion_tokens).or(timings.predicted_n);
        let times = ServerTimes {
            prefill_s: timings.prompt_ms.map(of_ms),
            decode_s: timings.predicted_ms.map(of_ms),
            output_tokens: timings.predicted_n,
            ..ServerTimes::default()
        };
        // Tokens that came from the cache are counted separately.
        let prompt_tokens = || timings.cache_n?.checked_add(timings.prompt_n?);
        let attributes = times.attributes().chain(numbers([
            ("cached_tokens", timings.cache_n.map(count)),
            ("evaluated_prompt_tokens", timings.prompt_n.map(count)),
            ("draft_tokens", timings.draft_n.map(count)),
            ("accepted_draft_tokens", timings.draft_n_accepted.map(count)),
        ]));
        RequestRecord {
            model: self.model,
            input_tokens: self.usage.and_then(|usage| usage.prompt_tokens).or_else(prompt_tokens),
            output_tokens,
            attributes: attributes.collect::<BTreeMap<_, _>>(),
            ..RequestRecord::default()
        }
    }
}

/// `{"code": 503, "type": "unavailable_error", "message": "Loading model"}`.
fn failure(error: &Value, model: Option<String>) -> RequestRecord {
    let text = |name: &str| error.get(name).and_then(Value::as_str).map(str::to_owned);
    let message = text("message").or_else(|| error.as_str().map(str::to_owned));
    RequestRecord {
        model,
        status: Status::Error,
        error: Some(RequestError {
            kind: text("type").unwrap_or_else(|| "_OTHER".to_owned()),
            code: error.get("code").and_then(Value::as_i64),
            message,
        }),
        ..RequestRecord::default()
    }
}
