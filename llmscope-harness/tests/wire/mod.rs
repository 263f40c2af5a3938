//! Reads complete streams as a run does, and writes AWS frames.

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use llmscope_harness::vendor::ContentKind;
use llmscope_harness::{Failure, FailureKind, Framer, Framing, ResponseState, VendorKind};

/// The result of reading a stream.
pub(crate) struct ReadStream {
    /// The kind of each event with content.
    pub(crate) contents: Vec<ContentKind>,
    /// The state after the last event.
    pub(crate) state: ResponseState,
    /// The failure at which reading stopped.
    pub(crate) failure: Option<Failure>,
}

/// Reads a stream in parts of `size` bytes.
pub(crate) fn read_stream(vendor: VendorKind, stream: &[u8], size: usize) -> ReadStream {
    let mut framer = Framer::new(vendor.vendor().framing());
    let mut reader = vendor.vendor().reader();
    let mut read = ReadStream { contents: Vec::new(), state: ResponseState::new(true), failure: None };
    let mut parts = stream.chunks(size);
    loop {
        let part = parts.next();
        match part {
            Some(part) => framer.push(part),
            None => framer.finish(),
        }
        loop {
            let content = match framer.next() {
                Ok(Some(event)) => reader.read(event, &mut read.state),
                Ok(None) => break,
                Err(failure) => Err(failure),
            };
            match content {
                Ok(content) => read.contents.extend(content),
                Err(failure) => {
                    read.failure = Some(failure);
                    return read;
                }
            }
        }
        if part.is_none() {
            return read;
        }
    }
}

/// An owned event: its name, whether it is an error, its data.
pub(crate) type OwnedEvent = (String, bool, Vec<u8>);

/// Reads the complete events up to the first failure.
pub(crate) fn drain(framer: &mut Framer, events: &mut Vec<OwnedEvent>) -> Option<FailureKind> {
    loop {
        match framer.next() {
            Ok(Some(event)) => events.push((event.name.to_owned(), event.exception, event.data.to_vec())),
            Ok(None) => return None,
            Err(failure) => return Some(failure.kind),
        }
    }
}

/// The events of a stream in parts up to the first failure, and whether the stream ended within an event.
pub(crate) fn read_events<'a>(
    framing: Framing,
    parts: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<OwnedEvent>, Option<FailureKind>, bool) {
    let (mut framer, mut events) = (Framer::new(framing), Vec::new());
    for part in parts {
        framer.push(part);
        let failure = drain(&mut framer, &mut events);
        if failure.is_some() {
            return (events, failure, false);
        }
    }
    let torn = framer.is_within_event();
    framer.finish();
    let failure = drain(&mut framer, &mut events);
    (events, failure, torn)
}

/// A frame of an AWS event stream with text headers.
pub(crate) fn frame(headers: &[(&'static str, &'static str)], payload: &str) -> Vec<u8> {
    let header = |&(name, value): &(&'static str, &'static str)| Header::new(name, HeaderValue::String(value.into()));
    let message = Message::new_from_parts(headers.iter().map(header).collect(), payload.as_bytes().to_vec());
    let mut bytes = Vec::new();
    write_message_to(&message, &mut bytes).unwrap();
    bytes
}

/// A frame with an event of Bedrock.
pub(crate) fn event(name: &'static str, payload: &str) -> Vec<u8> {
    let headers = [(":event-type", name), (":content-type", "application/json"), (":message-type", "event")];
    frame(&headers, payload)
}
