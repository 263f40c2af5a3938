//! Streams are split into events by the rules of each framing, which is the standard for server-sent events.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use llmscope_harness::{FailureKind, Framer, Framing};

#[allow(dead_code, reason = "other tests read whole streams with it")]
mod wire;

use wire::{drain, event, read_events};

const FRAMINGS: [Framing; 3] = [Framing::ServerSentEvents, Framing::JsonLines, Framing::AwsEventStream];

/// The name and data of the server-sent events in a stream.
fn events(stream: &str) -> Vec<(String, String)> {
    let (messages, failure, _) = read_events(Framing::ServerSentEvents, [stream.as_bytes()]);
    assert_eq!(failure, None, "{stream:?}");
    messages.into_iter().map(|(event, _, data)| (event, String::from_utf8(data).unwrap())).collect()
}

/// The data of events without names.
fn contents(stream: &str) -> Vec<String> {
    let events = events(stream);
    assert!(events.iter().all(|(event, _)| event.is_empty()), "{stream:?}");
    events.into_iter().map(|(_, data)| data).collect()
}

/// The examples of WHATWG HTML, section 9.2.6, without reconnection. Unlike in the standard, the end of the stream
/// completes an event without a blank line.
#[test]
fn server_sent_events_follow_the_standard() {
    let cases: [(&str, &[&str]); 20] = [
        ("data: YHOO\ndata: +2\ndata: 10\n\n", &["YHOO\n+2\n10"]),
        (": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\n", &["first event", "second event"]),
        (": test stream\n\ndata: first\n\ndata:second\n\ndata:  third\n", &["first", "second", " third"]),
        ("data\n\ndata\ndata\n\ndata:", &["", "\n", ""]),
        ("data:test\n\ndata: test\n\n", &["test", "test"]),
        ("data:\ttest\n\n", &["\ttest"]),
        ("data: a:b: c\n\n", &["a:b: c"]),
        // Line ends: LF, CR LF and CR, one after the other.
        ("data: a\r\ndata: b\rdata: c\ndata: d\r\r\ndata: e\n\r", &["a\nb\nc\nd", "e"]),
        ("data: a\r\rdata: b\r\n\r\ndata: c\n\n", &["a", "b", "c"]),
        ("data: a\n\r\ndata: b\r\n\ndata: c\r\r\n", &["a", "b", "c"]),
        // A byte order mark at the start of the stream, and elsewhere.
        ("\u{FEFF}data: a\n\n", &["a"]),
        ("\u{FEFF}\u{FEFF}data: a\n\ndata: b\n\n", &["b"]),
        ("data: a\n\n\u{FEFF}data: b\n\n", &["a"]),
        // Unknown fields, and events without data.
        (" data: a\n\nDATA: b\n\ndatas: c\n\ndata : d\n\n", &[]),
        ("retry: 1000\nid: 7\nunknown\n\n", &[]),
        ("event: nothing\n\ndata: a\n\n", &["a"]),
        ("\n\n\r\n\r: only\r:comments\n::\n\n", &[]),
        // No blank line at the end, and no line end at all.
        ("data: a\n\ndata: b\n", &["a", "b"]),
        ("data: a\n\ndata: b\r", &["a", "b"]),
        ("data: ü€𝄞", &["ü€𝄞"]),
    ];
    for (stream, expected) in cases {
        assert_eq!(contents(stream), expected, "{stream:?}");
    }
}

#[test]
fn server_sent_events_have_names_that_do_not_outlast_them() {
    let stream = "event: add\ndata: 73857293\n\ndata: 1\nevent:  remove\n\nevent: a\nevent: b\ndata: 2\n\nevent: x\nevent\ndata\n\n\
                  data: 3\n\n";
    let expected = [("add", "73857293"), (" remove", "1"), ("b", "2"), ("", ""), ("", "3")];
    assert_eq!(events(stream), expected.map(|(event, data)| (event.to_owned(), data.to_owned())));
}

/// If a CR did not end an event at once, each event of a stream with CR line ends would get the arrival time of the
/// next event.
#[test]
fn a_carriage_return_ends_an_event_at_once() {
    let (mut framer, mut seen) = (Framer::new(Framing::ServerSentEvents), Vec::new());
    for (part, events) in [("data: a\r\r", 1), ("\ndata: b\r", 1), ("\n\r", 2), ("\n", 2), ("data: c\n\n", 3)] {
        framer.push(part.as_bytes());
        assert_eq!((drain(&mut framer, &mut seen), seen.len()), (None, events), "{part:?}");
    }
    assert!(!framer.is_within_event());
    let data: Vec<_> = seen.into_iter().flat_map(|(_, _, data)| data).collect();
    assert_eq!(data, b"abc");
}

#[test]
fn lines_are_events_and_blank_lines_are_not() {
    let cases: [(&str, &[&str], bool); 6] = [
        ("{\"a\":1}\n{\"b\":2}\n", &["{\"a\":1}", "{\"b\":2}"], false),
        ("{\"a\":1}\r\n\r\n \t\n{\"b\":2}", &["{\"a\":1}", "{\"b\":2}"], true),
        ("\n\n", &[], false),
        ("  1  \n", &["1"], false),
        ("", &[], false),
        ("1\n  ", &["1"], false),
    ];
    for (stream, expected, torn) in cases {
        let expected = expected.iter().map(|data| (String::new(), false, data.as_bytes().to_vec())).collect();
        assert_eq!(read_events(Framing::JsonLines, [stream.as_bytes()]), (expected, None, torn), "{stream:?}");
    }
}

#[test]
fn an_end_within_an_event_is_detected() {
    let frame = event("messageStop", r#"{"stopReason":"end_turn"}"#);
    let cases: [(Framing, &[u8], bool); 9] = [
        (Framing::ServerSentEvents, b"data: a\n\n", false),
        (Framing::ServerSentEvents, b"data: a\n", true),
        (Framing::ServerSentEvents, b"data: a", true),
        (Framing::ServerSentEvents, b"data: a\n\nda", true),
        (Framing::ServerSentEvents, b"data: a\n\n: comment\n", false),
        (Framing::JsonLines, b"{}", true),
        (Framing::AwsEventStream, &frame, false),
        (Framing::AwsEventStream, &frame[..frame.len() - 1], true),
        (Framing::AwsEventStream, &frame[..3], true),
    ];
    for (framing, stream, expected) in cases {
        assert_eq!(read_events(framing, [stream]).2, expected, "{framing:?} {:?}", String::from_utf8_lossy(stream));
    }
}

#[test]
fn every_flipped_bit_of_a_frame_is_detected() {
    let whole = event("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"text":"ten"}}"#);
    let mut waiting = 0;
    for bit in 0..whole.len() * 8 {
        let mut frame = whole.clone();
        frame[bit / 8] ^= 1 << (bit % 8);
        match read_events(Framing::AwsEventStream, [&frame[..]]) {
            (seen, Some(FailureKind::Malformed | FailureKind::TooLarge), _) if seen.is_empty() => {}
            // A greater length: the frame is never complete.
            (seen, None, true) if seen.is_empty() => waiting += 1,
            other => panic!("bit {bit}: {other:?}"),
        }
    }
    assert!((1..=24).contains(&waiting), "{waiting} greater lengths");
    assert_eq!(read_events(Framing::AwsEventStream, [&whole[..]]).0.len(), 1);
}

/// AWS has two kinds of errors: modelled exceptions with a payload, and others with all their data in headers.
#[test]
fn a_frame_with_an_error_is_marked() {
    let exception = wire::frame(
        &[(":exception-type", "throttlingException"), (":message-type", "exception")],
        r#"{"message":"slow"}"#,
    );
    let headers = [(":message-type", "error"), (":error-code", "InternalError"), (":error-message", "as text")];
    let stream = [exception, wire::frame(&headers, ""), event("ping", "{}")].concat();
    let expected = [
        ("throttlingException", true, r#"{"message":"slow"}"#),
        ("InternalError", true, "as text"),
        ("ping", false, "{}"),
    ];
    let expected = expected.map(|(event, exception, data)| (event.to_owned(), exception, data.as_bytes().to_vec()));
    assert_eq!(read_events(Framing::AwsEventStream, [&stream[..]]), (expected.to_vec(), None, false));
}

const MIB: usize = 1 << 20;

#[test]
fn an_event_of_more_than_16_mib_is_too_large() {
    let mebibyte = vec![b'x'; MIB];
    let line = [b"data: ".as_slice(), &mebibyte, b"\n"].concat();
    let cases: [(Framing, &[u8], &[u8]); 3] = [
        // A line without end, and an event of many lines without end.
        (Framing::ServerSentEvents, b"data: ", &mebibyte),
        (Framing::ServerSentEvents, b"", &line),
        (Framing::JsonLines, b"", &mebibyte),
    ];
    for (framing, start, part) in cases {
        let mut framer = Framer::new(framing);
        framer.push(start);
        let mut kinds = Vec::new();
        for _ in 0..17 {
            framer.push(part);
            kinds.push(drain(&mut framer, &mut Vec::new()));
        }
        assert_eq!(kinds[..15], [None; 15], "{framing:?}");
        assert_eq!(kinds[16], Some(FailureKind::TooLarge), "{framing:?}");
    }
    // A complete line at once.
    let line = [vec![b'x'; 16 * MIB + 1], b"\n".to_vec()].concat();
    let (whole, failure, _) = read_events(Framing::JsonLines, [&line[..]]);
    assert_eq!((whole.len(), failure), (0, Some(FailureKind::TooLarge)));
    // A frame starts with its size.
    for (length, failure) in [(16 * MIB, None), (16 * MIB + 1, Some(FailureKind::TooLarge))] {
        let length = u32::try_from(length).unwrap().to_be_bytes();
        assert_eq!(read_events(Framing::AwsEventStream, [&length[..]]).1, failure);
    }
}

#[test]
fn content_types_belong_to_their_framings() {
    let types: [(&str, &[Framing]); 8] = [
        ("text/event-stream", &[Framing::ServerSentEvents]),
        ("Text/Event-Stream; charset=utf-8", &[Framing::ServerSentEvents]),
        ("application/x-ndjson", &[Framing::JsonLines]),
        ("application/json; charset=utf-8", &[Framing::JsonLines]),
        ("application/vnd.amazon.eventstream", &[Framing::AwsEventStream]),
        ("text/html", &[]),
        ("text/event-streams", &[]),
        ("", &[]),
    ];
    for (declared, expected) in types {
        assert_eq!(FRAMINGS.iter().filter(|framing| framing.accepts(declared)).count(), expected.len(), "{declared}");
        assert!(expected.iter().all(|framing| framing.accepts(declared)), "{declared}");
    }
}
