//! Reads an export in protobuf span by span, so that it takes no more memory than its calls of models: an empty span is
//! two bytes in protobuf and a kilobyte once it is decoded.

use llmscope_core::ingest::Spans;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use prost::{DecodeError, Message as _};
use thiserror::Error;

use super::super::api_error::ApiError;

/// A call of a model has at least this many bytes on average, beyond [`FREE_CALLS`] of them: it takes 2.5 kB in memory.
/// Those of exporters have more than 500.
const BYTES_PER_CALL: usize = 400;
const FREE_CALLS: usize = 3000;
/// The most spans, and about the most bytes, that are decoded together.
const CHUNK_SPANS: usize = 64;
const CHUNK_BYTES: usize = 64 << 10;
/// The longest attribute of a resource and the longest scope that are read.
const LONGEST_PART: usize = 4 << 10;
/// The attribute of a resource that the reader uses.
const SERVICE: &str = "service.name";

/// The numbers of the fields (opentelemetry-proto 1.x, `trace.proto`).
const EXPORT_RESOURCES: u32 = 1;
const RESOURCE: u32 = 1;
const RESOURCE_ATTRIBUTES: u32 = 1;
const RESOURCE_SCOPES: u32 = 2;
const SCOPE: u32 = 1;
const SCOPE_SPANS: u32 = 2;
const SPAN_ATTRIBUTES: u32 = 9;
const SPAN_EVENTS: u32 = 11;
const SPAN_LINKS: u32 = 13;

/// The spans of an export.
pub(super) fn spans(export: &[u8]) -> Result<Spans, ApiError> {
    let mut chunk = Chunk { all_bytes: export.len(), ..Chunk::default() };
    for resource in parts(export, EXPORT_RESOURCES) {
        let resource = resource.map_err(refused)?;
        chunk.resource = service(resource).map_err(refused)?;
        for scope in parts(resource, RESOURCE_SCOPES) {
            let scope = scope.map_err(refused)?;
            let own = parts(scope, SCOPE).last().transpose().map_err(refused)?;
            let own = own.filter(|own| own.len() <= LONGEST_PART).map(InstrumentationScope::decode);
            chunk.scope = own.transpose().map_err(|error| refused(error.into()))?;
            for span in parts(scope, SCOPE_SPANS) {
                chunk.add(span.map_err(refused)?)?;
            }
            chunk.read()?;
        }
    }
    Ok(chunk.read_spans)
}

/// Why an export cannot be read.
#[derive(Debug, Error)]
enum Broken {
    #[error("it ends within a field")]
    Truncated,
    #[error(transparent)]
    Invalid(#[from] DecodeError),
}

#[allow(clippy::needless_pass_by_value, reason = "used as a function that converts errors")]
fn refused(error: Broken) -> ApiError {
    ApiError::body(format!("the body is not an OTLP export of spans: {error}"))
}

/// The resource with its service's name only.
fn service(resource: &[u8]) -> Result<Resource, Broken> {
    let mut own = Resource::default();
    for part in parts(resource, RESOURCE) {
        for attribute in parts(part?, RESOURCE_ATTRIBUTES) {
            let attribute = attribute?;
            if attribute.len() <= LONGEST_PART {
                let attribute = KeyValue::decode(attribute)?;
                own.attributes.extend(Some(attribute).filter(|attribute| attribute.key == SERVICE));
            }
        }
    }
    own.attributes.truncate(1);
    Ok(own)
}

/// Spans of one scope that are decoded together.
#[derive(Default)]
struct Chunk {
    resource: Resource,
    scope: Option<InstrumentationScope>,
    spans: Vec<Span>,
    bytes: usize,
    /// The bytes of the export.
    all_bytes: usize,
    read_spans: Spans,
}

impl Chunk {
    fn add(&mut self, span: &[u8]) -> Result<(), ApiError> {
        if span.is_empty() {
            return Ok(());
        }
        let decoded = if span.len() <= CHUNK_BYTES {
            Span::decode(span).map_err(Broken::from)
        } else {
            shortened(span).and_then(|span| Ok(Span::decode(&span[..])?))
        };
        self.bytes += span.len().min(CHUNK_BYTES);
        self.spans.push(Span { links: Vec::new(), ..decoded.map_err(refused)? });
        if self.spans.len() >= CHUNK_SPANS || self.bytes >= CHUNK_BYTES { self.read() } else { Ok(()) }
    }

    /// Gives the spans to the reader of OTLP JSON.
    fn read(&mut self) -> Result<(), ApiError> {
        if self.spans.is_empty() {
            return Ok(());
        }
        self.bytes = 0;
        let spans = std::mem::take(&mut self.spans);
        let scope_spans = ScopeSpans { scope: self.scope.clone(), spans, ..ScopeSpans::default() };
        let resource_spans = ResourceSpans {
            resource: Some(self.resource.clone()),
            scope_spans: vec![scope_spans],
            ..ResourceSpans::default()
        };
        let export = ExportTraceServiceRequest { resource_spans: vec![resource_spans] };
        let text = serde_json::to_string(&export).map_err(|error| ApiError::body(error.to_string()))?;
        drop(export);
        self.read_spans.add("body", &text).map_err(|error| ApiError::body(error.to_string()))?;
        check_calls(&self.read_spans, self.all_bytes)
    }
}

/// Refuses an export of this many bytes with too many calls.
pub(super) fn check_calls(spans: &Spans, bytes: usize) -> Result<(), ApiError> {
    let (calls, most) = (spans.calls(), FREE_CALLS + bytes / BYTES_PER_CALL);
    if calls > most {
        return Err(ApiError::body(format!("the export has more than {most} calls of models: send smaller exports")));
    }
    Ok(())
}

/// A long span without its longest attributes and events, such as prompts: those that the reader uses are short.
fn shortened(span: &[u8]) -> Result<Vec<u8>, Broken> {
    let is_optional = |tag: u32| [SPAN_ATTRIBUTES, SPAN_EVENTS, SPAN_LINKS].contains(&tag);
    // The bytes of all parts of each length.
    let mut of_length = vec![0; CHUNK_BYTES];
    for field in Fields(span) {
        let Field { tag, part, whole } = field?;
        if let Some(part) = part.filter(|part| is_optional(tag) && part.len() < CHUNK_BYTES) {
            of_length[part.len()] += whole.len();
        }
    }
    let mut room = CHUNK_BYTES;
    let mut longest = 0;
    while let Some(left) = of_length.get(longest).and_then(|bytes| room.checked_sub(*bytes)) {
        room = left;
        longest += 1;
    }
    let mut kept = Vec::with_capacity(2 * CHUNK_BYTES);
    for field in Fields(span) {
        let Field { tag, part, whole } = field?;
        let is_kept = match part {
            Some(part) if is_optional(tag) => !part.is_empty() && part.len() < longest,
            // Names and ids.
            Some(part) => part.len() <= LONGEST_PART && kept.len() < 2 * CHUNK_BYTES,
            None => kept.len() < 2 * CHUNK_BYTES,
        };
        if is_kept {
            kept.extend_from_slice(whole);
        }
    }
    Ok(kept)
}

/// The parts of a message with this number.
fn parts(message: &[u8], tag: u32) -> impl Iterator<Item = Result<&[u8], Broken>> {
    Fields(message).filter_map(move |field| match field {
        Ok(field) => field.part.filter(|_| field.tag == tag).map(Ok),
        Err(error) => Some(Err(error)),
    })
}

/// A field of a message.
struct Field<'m> {
    tag: u32,
    /// The content of a field with a length.
    part: Option<&'m [u8]>,
    /// The field with its tag.
    whole: &'m [u8],
}

/// The fields of a message; after an error there are none.
struct Fields<'m>(&'m [u8]);

impl<'m> Iterator for Fields<'m> {
    type Item = Result<Field<'m>, Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let begin = self.0;
        let mut rest = begin;
        let field = read_field(&mut rest);
        self.0 = if field.is_ok() { rest } else { &[] };
        Some(field.map(|(tag, part)| Field { tag, part, whole: &begin[..begin.len() - rest.len()] }))
    }
}

/// Reads a field, and its content if it has a length.
fn read_field<'m>(rest: &mut &'m [u8]) -> Result<(u32, Option<&'m [u8]>), Broken> {
    let (tag, kind) = decode_key(rest)?;
    if kind != WireType::LengthDelimited {
        skip_field(kind, tag, rest, DecodeContext::default())?;
        return Ok((tag, None));
    }
    let length = usize::try_from(decode_varint(rest)?).unwrap_or(usize::MAX);
    let (part, after) = rest.split_at_checked(length).ok_or(Broken::Truncated)?;
    *rest = after;
    Ok((tag, Some(part)))
}
