//! Reading whole streams as a run does, and writing AWS's frames.

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use llmscope_harness::vendor::Piece;
use llmscope_harness::{Answer, Failure, FailureKind, Framer, Framing, VendorKind};

/// What was heard of a stream.
pub(crate) struct Heard {
    /// The content, one piece a message.
    pub(crate) pieces: Vec<Piece>,
    /// What its messages said.
    pub(crate) answer: Answer,
    /// The failure at which reading stopped.
    pub(crate) failure: Option<Failure>,
}

/// Reads a stream that comes in parts of `size` bytes.
pub(crate) fn hear(vendor: VendorKind, stream: &[u8], size: usize) -> Heard {
    let mut framer = Framer::new(vendor.vendor().framing());
    let mut reader = vendor.vendor().reader();
    let mut heard = Heard { pieces: Vec::new(), answer: Answer::new(true), failure: None };
    let mut parts = stream.chunks(size);
    loop {
        let part = parts.next();
        match part {
            Some(part) => framer.push(part),
            None => framer.finish(),
        }
        loop {
            let piece = match framer.next() {
                Ok(Some(message)) => reader.read(message, &mut heard.answer),
                Ok(None) => break,
                Err(failure) => Err(failure),
            };
            match piece {
                Ok(piece) => heard.pieces.extend(piece),
                Err(failure) => {
                    heard.failure = Some(failure);
                    return heard;
                }
            }
        }
        if part.is_none() {
            return heard;
        }
    }
}

/// A message, its own copy: its name, whether it reports an error, its content.
pub(crate) type Owned = (String, bool, Vec<u8>);

/// The messages that are complete, up to the first failure.
pub(crate) fn drain(framer: &mut Framer, messages: &mut Vec<Owned>) -> Option<FailureKind> {
    loop {
        match framer.next() {
            Ok(Some(message)) => messages.push((message.event.to_owned(), message.exception, message.data.to_vec())),
            Ok(None) => return None,
            Err(failure) => return Some(failure.kind),
        }
    }
}

/// The messages of a stream that comes in parts, up to the first failure, and whether its end tore one apart.
pub(crate) fn messages<'a>(
    framing: Framing,
    parts: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Owned>, Option<FailureKind>, bool) {
    let (mut framer, mut messages) = (Framer::new(framing), Vec::new());
    for part in parts {
        framer.push(part);
        let failure = drain(&mut framer, &mut messages);
        if failure.is_some() {
            return (messages, failure, false);
        }
    }
    let torn = framer.is_within_message();
    framer.finish();
    let failure = drain(&mut framer, &mut messages);
    (messages, failure, torn)
}

/// A frame of an AWS event stream with headers of text.
pub(crate) fn frame(headers: &[(&'static str, &'static str)], payload: &str) -> Vec<u8> {
    let header = |&(name, value): &(&'static str, &'static str)| Header::new(name, HeaderValue::String(value.into()));
    let message = Message::new_from_parts(headers.iter().map(header).collect(), payload.as_bytes().to_vec());
    let mut bytes = Vec::new();
    write_message_to(&message, &mut bytes).unwrap();
    bytes
}

/// A frame with an event of Bedrock's.
pub(crate) fn event(name: &'static str, payload: &str) -> Vec<u8> {
    let headers = [(":event-type", name), (":content-type", "application/json"), (":message-type", "event")];
    frame(&headers, payload)
}
