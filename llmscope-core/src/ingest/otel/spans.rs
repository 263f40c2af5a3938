//! Spans of requests to models (OpenTelemetry semantic conventions for generative AI), as OTLP JSON.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::calls::{Calls, Nothing, SpanKey};
use super::left_out;
use super::subject::Subject;
use super::usage::Usage;
use super::values::{Attributes, Integer};
use crate::error::{Error, Location, Result};
use crate::ingest::attributes::count;
use crate::ingest::runs::of_ns;
use crate::ingest::tool::{Format, Parsed, Reading};
use crate::ingest::{documents, gathered};
use crate::quantity::counted;
use crate::session::{AttributeValue, RequestError, RequestRecord, Session, Software, Status, Warning};

/// Langfuse's level of a span: `ERROR` for a failure.
const LEVEL: &str = "langfuse.observation.level";

pub(in crate::ingest) const FORMAT: Format = Format {
    name: "otel",
    title: "OpenTelemetry spans of generative AI (OTLP JSON)",
    recognizes: |signature| {
        signature.has("resourceSpans[].scopeSpans") || signature.has("[].resourceSpans[].scopeSpans")
    },
    reading: Reading::Whole(read),
};

/// An export request of spans, or one of other signals that a collector wrote into the same file.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    resource_spans: Option<Vec<ResourceSpans>>,
    resource_metrics: Option<IgnoredAny>,
    resource_logs: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceSpans {
    resource: Option<Resource>,
    scope_spans: Option<Vec<ScopeSpans>>,
}

#[derive(Deserialize)]
pub(super) struct Resource {
    #[serde(default)]
    pub(super) attributes: Attributes,
}

#[derive(Deserialize)]
struct ScopeSpans {
    scope: Option<Scope>,
    spans: Option<Vec<OtlpSpan>>,
}

#[derive(Deserialize, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Scope {
    #[serde(default)]
    name: String,
    #[serde(default)]
    version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OtlpSpan {
    #[serde(default)]
    trace_id: String,
    #[serde(default)]
    span_id: String,
    #[serde(default)]
    parent_span_id: String,
    #[serde(default)]
    kind: Enumeration,
    #[serde(default)]
    start_time_unix_nano: Integer,
    #[serde(default)]
    end_time_unix_nano: Integer,
    #[serde(default)]
    attributes: Attributes,
    #[serde(default)]
    events: Option<Vec<OtlpEvent>>,
    status: Option<OtlpStatus>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OtlpEvent {
    #[serde(default)]
    name: String,
    #[serde(default)]
    time_unix_nano: Integer,
    #[serde(default)]
    attributes: Attributes,
}

#[derive(Deserialize)]
struct OtlpStatus {
    #[serde(default)]
    code: Enumeration,
    message: Option<String>,
}

/// A number by OTLP's rules; a name from protobuf's own JSON writers.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Enumeration {
    Number(i64),
    Name(String),
}

impl Default for Enumeration {
    fn default() -> Self {
        Self::Number(0)
    }
}

impl Enumeration {
    pub(super) fn is(&self, number: i64, name: &str) -> bool {
        match self {
            Self::Number(found) => *found == number,
            Self::Name(found) => found == name,
        }
    }
}

/// A span, in either format.
pub(super) struct Span {
    pub(super) trace: String,
    pub(super) id: String,
    pub(super) parent: String,
    /// True if the server recorded it, not the client.
    pub(super) of_server: bool,
    /// Nanoseconds since 1970.
    pub(super) begin_ns: Option<i128>,
    /// Nanoseconds since 1970.
    pub(super) end_ns: Option<i128>,
    pub(super) failed: bool,
    pub(super) message: Option<String>,
    pub(super) attributes: Attributes,
    pub(super) events: Vec<Event>,
    pub(super) service: Option<String>,
}

/// An event during a span.
pub(super) struct Event {
    pub(super) name: String,
    /// Nanoseconds since 1970.
    pub(super) at_ns: i128,
    pub(super) attributes: Attributes,
}

fn read(source: &str, text: &str) -> Result<Parsed> {
    let mut exported = exported(source, text)?;
    left_out(
        &mut exported.warnings,
        source,
        exported.others,
        "export of metrics or logs",
        "exports of metrics or logs",
    );
    session(source, exported.recorder, exported.spans, exported.warnings)
}

/// The spans in exports.
#[derive(Default)]
pub(super) struct Exported {
    pub(super) spans: Vec<Span>,
    /// The other spans whose parents are all that is kept of them: each with its parent.
    pub(super) links: Vec<(SpanKey, SpanKey)>,
    /// The instrumentation that recorded the requests, if there is one.
    pub(super) recorder: Software,
    /// The number of exports of other signals.
    others: usize,
    warnings: Vec<Warning>,
}

impl Exported {
    /// Keeps only the parents of spans that are not of generative AI.
    pub(super) fn compact(&mut self) {
        let spans = std::mem::take(&mut self.spans).into_iter();
        let (others, spans): (Vec<Span>, Vec<Span>) =
            spans.partition(|span| Subject::of(&span.attributes) == Subject::Other);
        self.spans = spans;
        let known = others.iter().filter(|span| !span.id.is_empty());
        self.links.extend(known.map(|span| (span.key(), span.parent_key())));
    }

    /// Adds the spans of another export.
    pub(super) fn append(&mut self, other: Self) {
        let is_first = self.spans.is_empty();
        if is_first || !other.spans.is_empty() && self.recorder != other.recorder {
            self.recorder = if is_first { other.recorder } else { unnamed().into() };
        }
        self.spans.extend(other.spans);
        self.links.extend(other.links);
    }
}

/// The spans of one or more exports.
pub(super) fn exported(source: &str, text: &str) -> Result<Exported> {
    let (requests, warnings) = documents::read::<Request>(source, text)?;
    let (mut spans, mut scopes, mut others) = (Vec::new(), BTreeSet::new(), 0);
    for request in requests.into_iter().map(|document| document.value) {
        others += usize::from(request.resource_metrics.is_some() || request.resource_logs.is_some());
        for resource in request.resource_spans.into_iter().flatten() {
            let service = resource.resource.as_ref().and_then(|r| r.attributes.label(&["service.name"]));
            for scope in resource.scope_spans.into_iter().flatten() {
                let known = spans.len();
                spans.extend(scope.spans.into_iter().flatten().map(|span| span.common(service.clone())));
                if spans[known..].iter().any(|span: &Span| Subject::of(&span.attributes) == Subject::Request) {
                    scopes.insert(scope.scope);
                }
            }
        }
    }
    let scope = match scopes.pop_first() {
        Some(Some(scope)) if scopes.is_empty() && !scope.name.is_empty() => scope,
        _ => unnamed(),
    };
    let recorder = scope.into();
    Ok(Exported { spans, links: Vec::new(), recorder, others, warnings })
}

/// The recorder of spans of several instrumentations, and of one without a name.
fn unnamed() -> Scope {
    Scope { name: "OpenTelemetry".to_owned(), version: String::new() }
}

impl From<Scope> for Software {
    fn from(scope: Scope) -> Self {
        Self { name: scope.name, version: Some(scope.version).filter(|version| !version.is_empty()) }
    }
}

impl OtlpSpan {
    fn common(self, service: Option<String>) -> Span {
        let known = |Integer(ns): Integer| (ns > 0).then_some(ns);
        Span {
            trace: self.trace_id,
            id: self.span_id,
            parent: self.parent_span_id,
            of_server: self.kind.is(2, "SPAN_KIND_SERVER"),
            begin_ns: known(self.start_time_unix_nano),
            end_ns: known(self.end_time_unix_nano),
            failed: self.status.as_ref().is_some_and(|status| status.code.is(2, "STATUS_CODE_ERROR")),
            message: self.status.and_then(|status| status.message),
            attributes: self.attributes,
            events: self.events.into_iter().flatten().map(OtlpEvent::common).collect(),
            service,
        }
    }
}

impl OtlpEvent {
    fn common(self) -> Event {
        let Integer(at_ns) = self.time_unix_nano;
        Event { name: self.name, at_ns, attributes: self.attributes }
    }
}

/// The session of the requests among these spans, which are all spans of a file.
pub(super) fn session(
    source: &str,
    recorder: Software,
    spans: Vec<Span>,
    mut warnings: Vec<Warning>,
) -> Result<Parsed> {
    let calls = Calls::among(spans, Vec::new(), &Nothing);
    for (count, one, many) in [
        (calls.repeated, "repetition of a span", "repetitions of spans"),
        (calls.others.len(), "span that is not of generative AI", "spans that are not of generative AI"),
        (calls.steps.len(), "span of an agent or a tool", "spans of agents and tools"),
        (calls.unknown.len(), "span in an unknown convention", "spans in an unknown convention"),
        (calls.covered.len(), "span around another of the same request", "spans around others of the same request"),
    ] {
        left_out(&mut warnings, source, count, one, many);
    }
    if calls.requests.is_empty() {
        return Err(Error::Format {
            location: Location::of(source),
            problem: format!("found {}, but no request to a model", counted(calls.all, "span")),
            fix: "record the client with an instrumentation of OpenTelemetry's generative AI conventions \
                  (gen_ai.operation.name, gen_ai.request.model)"
                .to_owned(),
        });
    }
    let ends_early = |span: &&Span| span.begin_ns > span.end_ns && span.end_ns.is_some();
    left_out(
        &mut warnings,
        source,
        calls.requests.iter().filter(ends_early).count(),
        "duration of a span that ends before it begins (its clock was set back)",
        "durations of spans that end before they begin (their clock was set back)",
    );
    Ok(Parsed::Session(session_of(recorder, &calls), warnings))
}

/// The session of these calls.
pub(super) fn session_of(recorder: Software, calls: &Calls) -> Session {
    let record = |span: &Span| {
        let mut record = record(span);
        record.attributes.extend(calls.served.get(&span.key()).cloned().unwrap_or_default());
        record
    };
    let mut session = gathered::session(recorder, calls.requests.iter().map(record).collect());
    let services: BTreeSet<Option<&str>> = calls.requests.iter().map(|span| span.service.as_deref()).collect();
    if let [Some(service)] = services.into_iter().collect::<Vec<_>>()[..] {
        session.header.labels.insert("service.name".to_owned(), service.to_owned());
        session.records.iter_mut().for_each(|record| drop(record.attributes.remove("service.name")));
    }
    session
}

fn record(span: &Span) -> RequestRecord {
    let attributes = &span.attributes;
    let exception = span.events.iter().find(|event| event.name == "exception").filter(|_| span.failed);
    let of_event = || exception?.attributes.label(&["exception.type"]);
    let kind = attributes.label(&["error.type"]).or_else(of_event);
    // Langfuse's spans of failures may have no status of OpenTelemetry.
    let failed = span.failed || kind.is_some() || attributes.text(&[LEVEL]) == Some("ERROR");
    let lasted_s = lasted_s(span);
    let usage = Usage::of(attributes);
    let mut record = RequestRecord {
        started_at: span.begin_ns.and_then(|ns| Timestamp::from_nanosecond(ns).ok()),
        provider: attributes
            .label(&["gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system"])
            .or_else(|| attributes.unquoted(&["mlflow.llm.provider"])),
        model: requested_model(attributes),
        input_tokens: usage.input,
        output_tokens: usage.output,
        attributes: own_attributes(span, &usage),
        ..RequestRecord::default()
    };
    if failed {
        put(&mut record.attributes, "failed_after_s", lasted_s);
        record.status = outcome(kind.as_deref().unwrap_or_default());
        record.error = Some(error(span, kind));
    } else if span.of_server {
        // The server's duration is not the client's latency.
        put(&mut record.attributes, "server_request_duration_s", lasted_s);
    } else {
        record.e2e_s = lasted_s;
    }
    record
}

/// The model that the request named, as text or inside its parameters.
fn requested_model(attributes: &Attributes) -> Option<String> {
    let of_parameters = || {
        let parameters = attributes.label(&["llm.invocation_parameters", "langfuse.observation.model.parameters"])?;
        serde_json::from_str::<serde_json::Value>(&parameters).ok()?.get("model")?.as_str().map(str::to_owned)
    };
    attributes
        .label(&["gen_ai.request.model"])
        .or_else(of_parameters)
        .or_else(|| attributes.label(&["llm.model_name", "langfuse.observation.model.name"]))
        // MLflow writes its own attributes as JSON.
        .or_else(|| attributes.unquoted(&["mlflow.llm.model", "model"]))
}

/// What a server measured of a request.
pub(super) type ServerTimes = BTreeMap<String, AttributeValue>;

pub(super) fn server_times(server: &Span) -> ServerTimes {
    let measured = record(server).attributes.into_iter();
    measured.filter(|(name, _)| name.starts_with("server_")).collect()
}

/// The duration of a span; `None` if its clock was set back in between.
fn lasted_s(span: &Span) -> Option<f64> {
    let (begin, end) = span.begin_ns.zip(span.end_ns).filter(|(begin, end)| begin <= end)?;
    #[allow(clippy::cast_precision_loss, reason = "a difference of less than 100 days is below 2^53")]
    Some(of_ns((end - begin) as f64))
}

/// OpenTelemetry's `error.type` is the class of an exception, a status code, or a value of the instrumentation.
fn outcome(kind: &str) -> Status {
    let kind = kind.to_ascii_lowercase();
    if kind.contains("timeout") || kind.contains("deadline") {
        Status::Timeout
    } else if kind.contains("cancel") {
        Status::Cancelled
    } else {
        Status::Error
    }
}

fn error(span: &Span, kind: Option<String>) -> RequestError {
    let status = span.attributes.count(&["http.response.status_code", "http.status_code"]);
    let code = status.and_then(|code| i64::try_from(code).ok()).or_else(|| kind.as_deref()?.parse().ok());
    RequestError {
        kind: kind.unwrap_or_else(|| "_OTHER".to_owned()),
        code,
        message: span
            .message
            .clone()
            .filter(|message| !message.is_empty())
            .or_else(|| span.attributes.label(&["langfuse.observation.status_message"]))
            .or_else(|| {
                let exception = span.events.iter().find(|event| event.name == "exception")?;
                exception.attributes.label(&["exception.message"])
            }),
    }
}

fn own_attributes(span: &Span, usage: &Usage) -> BTreeMap<String, AttributeValue> {
    let attributes = &span.attributes;
    let mut own = BTreeMap::new();
    // The first chunk of a stream often contains a role and no token: it is not our `ttft_s`.
    put(&mut own, "time_to_first_chunk_s", first_chunk_s(span));
    // vLLM's spans: seconds by the engine's clock, from the arrival of the request in the engine.
    for (name, theirs) in [
        ("server_time_to_first_token_s", "gen_ai.latency.time_to_first_token"),
        ("server_e2e_s", "gen_ai.latency.e2e"),
        ("server_queue_s", "gen_ai.latency.time_in_queue"),
        ("server_prefill_s", "gen_ai.latency.time_in_model_prefill"),
        ("server_decode_s", "gen_ai.latency.time_in_model_decode"),
    ] {
        put(&mut own, name, attributes.number(theirs));
    }
    put(&mut own, "cached_tokens", usage.cached.map(count));
    put(&mut own, "reasoning_tokens", usage.reasoning.map(count));
    let asked = attributes.label(&["gen_ai.request.model"]);
    let texts = [
        ("gen_ai.operation.name", attributes.label(&["gen_ai.operation.name"])),
        ("gen_ai.response.finish_reasons", attributes.label(&["gen_ai.response.finish_reasons"])),
        ("gen_ai.response.id", attributes.label(&["gen_ai.response.id"])),
        (
            "gen_ai.response.model",
            attributes.label(&["gen_ai.response.model"]).filter(|model| asked.as_ref() != Some(model)),
        ),
        ("server.address", attributes.label(&["server.address"])),
        ("service.name", span.service.clone()),
    ];
    for (name, text) in texts {
        own.extend(text.map(|text| (name.to_owned(), AttributeValue::Text(text))));
    }
    if !span.id.is_empty() {
        let ids = [("trace_id", &span.trace), ("span_id", &span.id)];
        own.extend(ids.map(|(name, id)| (name.to_owned(), AttributeValue::Text(id.clone()))));
    }
    let stream = attributes.flag("gen_ai.request.stream");
    own.extend(stream.map(|stream| ("gen_ai.request.stream".to_owned(), AttributeValue::Bool(stream))));
    own
}

/// The time to the first chunk, under the names of several tracers, or of the event of the first chunk.
fn first_chunk_s(span: &Span) -> Option<f64> {
    const NAMES: [&str; 2] = ["gen_ai.response.time_to_first_chunk", "gen_ai.client.operation.time_to_first_chunk"];
    let of_event = || {
        let is_first = |event: &&Event| {
            let name = event.name.to_ascii_lowercase();
            // MLflow numbers the events of the chunks.
            let is_chunk = name.contains("content.completion.chunk") || name == "mlflow.chunk.item.0";
            is_chunk || name.contains("first token") || name.contains("first_token")
        };
        after(span, span.events.iter().find(is_first)?.at_ns)
    };
    // Langfuse has the time of day, as JSON.
    let of_time = || {
        let at: Timestamp = span.attributes.unquoted(&["langfuse.observation.completion_start_time"])?.parse().ok()?;
        after(span, at.as_nanosecond())
    };
    NAMES.iter().find_map(|name| span.attributes.number(name)).or_else(of_event).or_else(of_time)
}

/// The seconds from the begin of a span to a time, in nanoseconds since 1970.
fn after(span: &Span, at_ns: i128) -> Option<f64> {
    let after = at_ns.checked_sub(span.begin_ns?).filter(|&after| after >= 0)?;
    #[allow(clippy::cast_precision_loss, reason = "a difference of less than 100 days is below 2^53")]
    Some(of_ns(after as f64))
}

fn put(attributes: &mut BTreeMap<String, AttributeValue>, name: &str, number: Option<f64>) {
    attributes.extend(number.map(|number| (name.to_owned(), AttributeValue::Number(number))));
}
