//! MLflow: traces as `Trace.to_json` writes them (one a line, or an array), and as the rows of `search_traces` (JSON).
//!
//! Traps: an attribute is JSON, so that a text has quotation marks. The duration of a trace is that of all its steps: the
//! requests are among its spans.

use serde::Deserialize;

use super::spans::{self, Event, Span};
use super::values::{Attributes, Integer, of_object};
use crate::error::Result;
use crate::ingest::documents;
use crate::ingest::tool::{Format, Parsed, Reading};
use crate::session::Software;

pub(in crate::ingest) const FORMAT: Format = Format {
    name: "mlflow",
    title: "MLflow traces (JSON)",
    recognizes: |signature| {
        ["data.", "[].data.", "[]."].iter().any(|prefix| {
            ["start_time_unix_nano", "parent_span_id"]
                .iter()
                .all(|name| signature.has(&format!("{prefix}spans[].{name}")))
        })
    },
    reading: Reading::Whole(read),
};

#[derive(Deserialize)]
struct Trace {
    data: Option<Data>,
    /// Of a row of `search_traces`.
    #[serde(default)]
    spans: Vec<MlflowSpan>,
}

#[derive(Deserialize)]
struct Data {
    #[serde(default)]
    spans: Vec<MlflowSpan>,
}

#[derive(Deserialize)]
struct MlflowSpan {
    #[serde(default)]
    trace_id: String,
    #[serde(default)]
    span_id: String,
    parent_span_id: Option<String>,
    start_time_unix_nano: Option<Integer>,
    /// Absent for a span that never ended.
    end_time_unix_nano: Option<Integer>,
    status: Option<Status>,
    #[serde(default, deserialize_with = "of_object")]
    attributes: Attributes,
    events: Option<Vec<MlflowEvent>>,
}

#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    code: String,
    message: Option<String>,
}

#[derive(Deserialize)]
struct MlflowEvent {
    #[serde(default)]
    name: String,
    #[serde(default)]
    time_unix_nano: Integer,
    #[serde(default, deserialize_with = "of_object")]
    attributes: Attributes,
}

fn read(source: &str, text: &str) -> Result<Parsed> {
    let (traces, warnings) = documents::read::<Trace>(source, text)?;
    let of_trace = |trace: Trace| trace.data.into_iter().flat_map(|data| data.spans).chain(trace.spans);
    let spans = traces.into_iter().flat_map(|document| of_trace(document.value)).map(MlflowSpan::common).collect();
    spans::session(source, Software { name: "MLflow".to_owned(), version: None }, spans, warnings)
}

impl MlflowSpan {
    fn common(self) -> Span {
        let time = |at: Option<Integer>| at.map(|Integer(ns)| ns).filter(|&ns| ns > 0);
        let event = |event: MlflowEvent| Event {
            name: event.name,
            at_ns: event.time_unix_nano.0,
            attributes: event.attributes,
        };
        Span {
            trace: self.trace_id,
            id: self.span_id,
            parent: self.parent_span_id.unwrap_or_default(),
            of_server: false,
            begin_ns: time(self.start_time_unix_nano),
            end_ns: time(self.end_time_unix_nano),
            failed: self.status.as_ref().is_some_and(|status| status.code.ends_with("ERROR")),
            message: self.status.and_then(|status| status.message),
            attributes: self.attributes,
            events: self.events.into_iter().flatten().map(event).collect(),
            service: None,
        }
    }
}
