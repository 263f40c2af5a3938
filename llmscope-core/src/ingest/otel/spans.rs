//! Spans of requests to models (OpenTelemetry semantic conventions for generative AI), as OTLP JSON.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::values::{Attributes, Integer};
use super::{Subject, left_out, streamed};
use crate::error::{Error, Location, Result};
use crate::ingest::runs::of_ns;
use crate::ingest::tool::{Format, Parsed, Reading};
use crate::ingest::{documents, gathered};
use crate::quantity::counted;
use crate::session::{AttributeValue, RequestError, RequestRecord, Software, Status, Warning};

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
    let (requests, mut warnings) = documents::read::<Request>(source, text)?;
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
    left_out(&mut warnings, source, others, "export of metrics or logs", "exports of metrics or logs");
    let scope = match scopes.pop_first() {
        Some(Some(scope)) if scopes.is_empty() && !scope.name.is_empty() => scope,
        _ => Scope { name: "OpenTelemetry".to_owned(), version: String::new() },
    };
    let recorder = Software { name: scope.name, version: Some(scope.version).filter(|version| !version.is_empty()) };
    session(source, recorder, spans, warnings)
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

/// The session of the requests among these spans.
pub(super) fn session(
    source: &str,
    recorder: Software,
    spans: Vec<Span>,
    mut warnings: Vec<Warning>,
) -> Result<Parsed> {
    let (spans, repeated) = once(spans);
    left_out(&mut warnings, source, repeated, "repetition of a span", "repetitions of spans");
    let all = spans.len();
    let count = |subject| spans.iter().filter(|span| Subject::of(&span.attributes) == subject).count();
    let (others, steps) = (count(Subject::Other), count(Subject::Step));
    let ancestors = Ancestors::of(&spans);
    let mut requests: Vec<Span> =
        spans.into_iter().filter(|span| Subject::of(&span.attributes) == Subject::Request).collect();
    let parent_of = |span: &Span| ancestors.nearest(span);
    let id_of = |span: &Span| (span.trace.clone(), span.id.clone());
    streamed::merge(&mut requests);
    // A framework's span and the client library's span inside it describe the same request. The inner one is closer to
    // it and counts.
    let within: BTreeSet<_> = requests.iter().filter(|span| !span.of_server).map(parent_of).collect();
    let before = requests.len();
    requests.retain(|span| span.id.is_empty() || span.of_server || !within.contains(&id_of(span)));
    let outer = before - requests.len();
    // A server's span of a request is merged into the client's.
    let clients: BTreeSet<_> = requests.iter().filter(|span| !span.of_server).map(id_of).collect();
    let (served, requests): (Vec<Span>, Vec<Span>) =
        requests.into_iter().partition(|span| span.of_server && clients.contains(&parent_of(span)));
    let served: BTreeMap<_, Span> = served.into_iter().map(|span| (parent_of(&span), span)).collect();
    left_out(&mut warnings, source, others, "span that is not of generative AI", "spans that are not of generative AI");
    left_out(&mut warnings, source, steps, "span of an agent or a tool", "spans of agents and tools");
    left_out(
        &mut warnings,
        source,
        outer,
        "span around another of the same request",
        "spans around others of the same request",
    );
    if requests.is_empty() {
        return Err(Error::Format {
            location: Location::of(source),
            problem: format!("found {}, but no request to a model", counted(all, "span")),
            fix: "record the client with an instrumentation of OpenTelemetry's generative AI conventions \
                  (gen_ai.operation.name, gen_ai.request.model)"
                .to_owned(),
        });
    }
    let backwards = requests.iter().filter(|span| span.begin_ns > span.end_ns && span.end_ns.is_some()).count();
    left_out(
        &mut warnings,
        source,
        backwards,
        "duration of a span that ends before it begins (its clock was set back)",
        "durations of spans that end before they begin (their clock was set back)",
    );
    let mut session = gathered::session(
        recorder,
        requests.iter().map(|span| with_server(record(span), served.get(&id_of(span)))).collect(),
    );
    let services: BTreeSet<Option<&str>> = requests.iter().map(|span| span.service.as_deref()).collect();
    if let [Some(service)] = services.into_iter().collect::<Vec<_>>()[..] {
        session.header.labels.insert("service.name".to_owned(), service.to_owned());
        session.records.iter_mut().for_each(|record| drop(record.attributes.remove("service.name")));
    }
    Ok(Parsed::Session(session, warnings))
}

/// The parents of spans, to find the next one that is of generative AI: between a client and a server, there are spans
/// of HTTP.
struct Ancestors {
    /// For each span that is not of generative AI, its parent.
    between: BTreeMap<(String, String), String>,
}

impl Ancestors {
    fn of(spans: &[Span]) -> Self {
        let others = spans.iter().filter(|span| Subject::of(&span.attributes) == Subject::Other && !span.id.is_empty());
        Self { between: others.map(|span| ((span.trace.clone(), span.id.clone()), span.parent.clone())).collect() }
    }

    fn nearest(&self, span: &Span) -> (String, String) {
        // A cycle of parents ends after as many steps as there are spans.
        let mut at = (span.trace.clone(), span.parent.clone());
        for _ in 0..=self.between.len() {
            match self.between.get(&at) {
                Some(parent) => at.1.clone_from(parent),
                None => break,
            }
        }
        at
    }
}

/// Each span once, and the number of repetitions: exports can be sent again. A span without an id has none.
fn once(spans: Vec<Span>) -> (Vec<Span>, usize) {
    let before = spans.len();
    let mut known = BTreeSet::new();
    let mut is_new = |span: &Span| span.id.is_empty() || known.insert((span.trace.clone(), span.id.clone()));
    let spans: Vec<Span> = spans.into_iter().filter(|span| is_new(span)).collect();
    let repeated = before - spans.len();
    (spans, repeated)
}

fn record(span: &Span) -> RequestRecord {
    let attributes = &span.attributes;
    let exception = span.events.iter().find(|event| event.name == "exception").filter(|_| span.failed);
    let of_event = || exception?.attributes.label(&["exception.type"]);
    let kind = attributes.label(&["error.type"]).or_else(of_event);
    let failed = span.failed || kind.is_some();
    let lasted_s = lasted_s(span);
    let mut record = RequestRecord {
        started_at: span.begin_ns.and_then(|ns| Timestamp::from_nanosecond(ns).ok()),
        provider: attributes.label(&["gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system"]),
        model: requested_model(attributes),
        input_tokens: attributes.count(&[
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.prompt_tokens",
            "llm.token_count.prompt",
        ]),
        output_tokens: attributes.count(&[
            "gen_ai.usage.output_tokens",
            "gen_ai.usage.completion_tokens",
            "llm.token_count.completion",
        ]),
        attributes: own_attributes(span),
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
    // MLflow writes its own attributes as JSON.
    let quoted = || attributes.label(&["model"]).map(|model| model.trim_matches('"').to_owned());
    attributes
        .label(&["gen_ai.request.model"])
        .or_else(of_parameters)
        .or_else(|| attributes.label(&["llm.model_name", "langfuse.observation.model.name"]))
        .or_else(quoted)
}

/// Adds what the server measured.
fn with_server(mut client: RequestRecord, server: Option<&Span>) -> RequestRecord {
    let measured = server.map(record).unwrap_or_default().attributes;
    client.attributes.extend(measured.into_iter().filter(|(name, _)| name.starts_with("server_")));
    client
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
        message: span.message.clone().filter(|message| !message.is_empty()).or_else(|| {
            let exception = span.events.iter().find(|event| event.name == "exception")?;
            exception.attributes.label(&["exception.message"])
        }),
    }
}

fn own_attributes(span: &Span) -> BTreeMap<String, AttributeValue> {
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
    let cached = attributes.number("gen_ai.usage.cache_read.input_tokens");
    let cached = cached.or_else(|| attributes.number("llm.token_count.prompt_details.cache_read"));
    put(&mut own, "cached_tokens", cached);
    put(&mut own, "reasoning_tokens", attributes.number("gen_ai.usage.reasoning.output_tokens"));
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
            name.contains("first token") || name.contains("content.completion.chunk") || name.contains("first_token")
        };
        let event = span.events.iter().find(is_first)?;
        let after = event.at_ns.checked_sub(span.begin_ns?).filter(|&after| after >= 0)?;
        #[allow(clippy::cast_precision_loss, reason = "a difference of less than 100 days is below 2^53")]
        Some(of_ns(after as f64))
    };
    NAMES.iter().find_map(|name| span.attributes.number(name)).or_else(of_event)
}

fn put(attributes: &mut BTreeMap<String, AttributeValue>, name: &str, number: Option<f64>) {
    attributes.extend(number.map(|number| (name.to_owned(), AttributeValue::Number(number))));
}
