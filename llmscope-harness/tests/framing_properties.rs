//! Arbitrary streams: the events do not depend on how the bytes are split, and nothing panics.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use llmscope_harness::{Framer, Framing, ResponseState, StreamEvent, VendorKind};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

#[allow(dead_code, reason = "other tests read whole streams with it")]
mod wire;

use wire::{event, read_events};

/// Byte sequences with a meaning in server-sent events and JSON lines, more often than by chance.
fn stream_of_text() -> impl Strategy<Value = Vec<u8>> {
    let words = [
        "data",
        "data:",
        "data: ",
        "event: ",
        "id: 1",
        ":",
        " ",
        "\n",
        "\r",
        "\r\n",
        "\n\n",
        "\r\n\r\n",
        "{\"a\":\"b\"}",
        "ü",
        "€",
        "𝄞",
        "\u{FEFF}",
        "x",
    ];
    let part =
        prop_oneof![9 => select(words.to_vec()).prop_map(|word| word.as_bytes().to_vec()), 1 => vec(any::<u8>(), 1..4)];
    vec(part, 0..60).prop_map(|parts| parts.concat())
}

fn stream_of_frames() -> impl Strategy<Value = Vec<u8>> {
    let names = select(vec!["contentBlockDelta", "messageStop", "metadata", ""]);
    let frame = (names, ".{0,40}").prop_map(|(name, payload)| event(name, &payload));
    // Rarely, bytes that are not a frame.
    let part = prop_oneof![12 => frame, 1 => vec(any::<u8>(), 1..40)];
    vec(part, 0..8).prop_map(|parts| parts.concat())
}

fn stream() -> impl Strategy<Value = (Framing, Vec<u8>)> {
    prop_oneof![
        stream_of_text().prop_map(|stream| (Framing::ServerSentEvents, stream)),
        stream_of_text().prop_map(|stream| (Framing::JsonLines, stream)),
        stream_of_frames().prop_map(|stream| (Framing::AwsEventStream, stream)),
    ]
}

/// The CRC-32 of AWS's frames (ISO 3309), bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg());
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_splits_of_a_stream_do_not_matter((framing, stream) in stream(), cuts in vec(any::<Index>(), 0..12)) {
        let whole = read_events(framing, [&stream[..]]);
        prop_assert_eq!(&read_events(framing, stream.chunks(1)), &whole);
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let parts = cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]]);
        prop_assert_eq!(&read_events(framing, parts), &whole);
    }

    #[test]
    fn no_bytes_make_a_framer_or_a_reader_panic(
        stream in prop_oneof![vec(any::<u8>(), 0..300), stream_of_text(), stream_of_frames()],
        size in 1_usize..40,
    ) {
        for vendor in VendorKind::ALL {
            let mut framer = Framer::new(vendor.vendor().framing());
            let mut reader = vendor.vendor().reader();
            let mut state = ResponseState::new(true);
            for part in stream.chunks(size) {
                framer.push(part);
                // Continue after every failure, for as long as there are events.
                for _ in 0..400 {
                    match framer.next() {
                        Ok(Some(event)) => drop(reader.read(event, &mut state)),
                        Ok(None) => break,
                        Err(_) => {}
                    }
                }
            }
            framer.finish();
            let _ = (framer.next().is_ok(), framer.is_within_event());
        }
    }

    /// Frames with contradictory lengths and correct checksums.
    #[test]
    fn no_lengths_make_a_framer_panic(
        total in prop_oneof![0_u32..80, any::<u32>()],
        headers in prop_oneof![0_u32..80, any::<u32>()],
        rest in vec(any::<u8>(), 0..80),
    ) {
        let mut frame = [total.to_be_bytes(), headers.to_be_bytes()].concat();
        frame.extend(crc32(&frame).to_be_bytes());
        frame.extend(rest);
        if let Some(end) = usize::try_from(total).unwrap().checked_sub(4).filter(|end| (12..frame.len()).contains(end)) {
            frame.truncate(end);
            frame.extend(crc32(&frame).to_be_bytes());
        }
        let _ = read_events(Framing::AwsEventStream, [&frame[..]]);
    }

    /// Values of every type in every field of the dialects.
    #[test]
    fn no_values_make_a_reader_panic(fields in vec((select(FIELDS.map(str::to_owned).to_vec()), value()), 0..6), depth in 0_usize..3) {
        let mut json = fields.into_iter().collect::<Map<_, _>>();
        for outer in ["delta", "message", "usage"].into_iter().take(depth) {
            json = Map::from_iter([("type".to_owned(), "message_delta".into()), (outer.to_owned(), json.into())]);
        }
        let line = Value::Object(json).to_string();
        for vendor in VendorKind::ALL {
            for name in ["", "contentBlockDelta", "metadata", "messageStop"] {
                let event = StreamEvent { name, exception: false, data: line.as_bytes() };
                let mut state = ResponseState::new(true);
                let first = vendor.vendor().reader().read(event, &mut state);
                // The second event meets the state after the first.
                let second = vendor.vendor().reader().read(event, &mut state);
                prop_assert_eq!(first.is_ok(), second.is_ok());
            }
        }
    }
}

const FIELDS: [&str; 24] = [
    "type",
    "choices",
    "delta",
    "usage",
    "error",
    "timings",
    "id",
    "model",
    "message",
    "response",
    "done",
    "candidates",
    "usageMetadata",
    "promptFeedback",
    "metrics",
    "stopReason",
    "content",
    "input_tokens",
    "output_tokens",
    "eval_count",
    "total_duration",
    "text",
    "code",
    "thinking",
];

fn value() -> impl Strategy<Value = Value> {
    let counts = ["input_tokens", "cache_read_input_tokens", "inputTokens", "cacheReadInputTokens", "promptTokenCount"];
    let more = ["candidatesTokenCount", "thoughtsTokenCount", "prompt_tokens", "completion_tokens", "latencyMs"];
    let huge = counts.into_iter().chain(more).map(|name| (name.to_owned(), json!(u64::MAX)));
    let huge = Value::Object(huge.collect());
    select(vec![
        Value::Null,
        true.into(),
        u64::MAX.into(),
        (-1).into(),
        0.5.into(),
        "".into(),
        "error".into(),
        "message_start".into(),
        json!([]),
        json!([{}]),
        json!([{"delta": {"content": [1]}, "finish_reason": "error"}]),
        json!([{"content": {"parts": [{"text": "a"}]}}]),
        json!({}),
        huge,
    ])
}
