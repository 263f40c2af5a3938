//! Spans as Python's `ConsoleSpanExporter` prints them (`ReadableSpan.to_json`): pretty-printed objects, one after
//! another.

use jiff::Timestamp;
use serde::Deserialize;

use super::spans::{self, Event, Span};
use super::values::{Attributes, of_object};
use crate::error::Result;
use crate::ingest::documents;
use crate::ingest::tool::{Format, Parsed, Reading};
use crate::session::Software;

pub(in crate::ingest) const FORMAT: Format = Format {
    name: "otel-console",
    title: "OpenTelemetry spans of generative AI (Python's console exporter)",
    recognizes: |signature| {
        ["", "[]."].iter().any(|prefix| {
            ["context.trace_id", "context.span_id", "start_time", "attributes"]
                .iter()
                .all(|name| signature.has(&format!("{prefix}{name}")))
        })
    },
    reading: Reading::Whole(read),
};

#[derive(Deserialize)]
struct ConsoleSpan {
    context: Option<Context>,
    kind: Option<String>,
    parent_id: Option<String>,
    start_time: Option<Timestamp>,
    end_time: Option<Timestamp>,
    status: Option<ConsoleStatus>,
    #[serde(default, deserialize_with = "of_object")]
    attributes: Attributes,
    resource: Option<ConsoleResource>,
    events: Option<Vec<ConsoleEvent>>,
}

#[derive(Deserialize)]
struct ConsoleEvent {
    #[serde(default)]
    name: String,
    timestamp: Option<Timestamp>,
    #[serde(default, deserialize_with = "of_object")]
    attributes: Attributes,
}

#[derive(Deserialize)]
struct Context {
    trace_id: String,
    span_id: String,
}

#[derive(Deserialize)]
struct ConsoleStatus {
    status_code: Option<String>,
    description: Option<String>,
}

#[derive(Deserialize)]
struct ConsoleResource {
    #[serde(default, deserialize_with = "of_object")]
    attributes: Attributes,
}

fn read(source: &str, text: &str) -> Result<Parsed> {
    let (found, warnings) = documents::read::<ConsoleSpan>(source, text)?;
    let spans = found.into_iter().map(|document| document.value.common()).collect();
    let recorder = Software { name: "OpenTelemetry".to_owned(), version: None };
    spans::session(source, recorder, spans, warnings)
}

impl ConsoleEvent {
    fn common(self) -> Event {
        let at_ns = self.timestamp.map_or(0, Timestamp::as_nanosecond);
        Event { name: self.name, at_ns, attributes: self.attributes }
    }
}

impl ConsoleSpan {
    fn common(self) -> Span {
        // The console writes ids as 0x…, OTLP does not.
        let hex = |id: String| id.strip_prefix("0x").map_or(id.clone(), str::to_owned);
        let context = self.context.map(|context| (hex(context.trace_id), hex(context.span_id)));
        let (trace, id) = context.unwrap_or_default();
        let status = self.status.as_ref();
        Span {
            trace,
            id,
            parent: self.parent_id.map(hex).unwrap_or_default(),
            of_server: self.kind.as_deref() == Some("SpanKind.SERVER"),
            begin_ns: self.start_time.map(Timestamp::as_nanosecond),
            end_ns: self.end_time.map(Timestamp::as_nanosecond),
            failed: status.is_some_and(|status| status.status_code.as_deref() == Some("ERROR")),
            message: self.status.and_then(|status| status.description),
            attributes: self.attributes,
            events: self.events.into_iter().flatten().map(ConsoleEvent::common).collect(),
            service: self.resource.and_then(|resource| resource.attributes.label(&["service.name"])),
        }
    }
}
