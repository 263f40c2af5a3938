//! Recorded streams of every dialect, read to their end. `streams/README.md` lists their sources.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::collections::BTreeSet;
use std::path::Path;

use aws_smithy_eventstream::frame::read_message_from;
use llmscope_harness::VendorKind;
use llmscope_harness::vendor::ContentKind;

#[allow(dead_code, reason = "other tests write frames with it")]
mod wire;

use wire::read_stream;

/// A recorded stream and its expected content.
struct Recorded {
    file: &'static str,
    stream: &'static [u8],
    vendor: VendorKind,
    text: &'static str,
    content_events: usize,
    finish_reason: &'static str,
    /// Input tokens, output tokens, cached tokens.
    tokens: [Option<u64>; 3],
    id: Option<&'static str>,
    model: Option<&'static str>,
    /// True if the dialect marks the last event of a stream.
    closed: bool,
    server: &'static [(&'static str, f64)],
}

macro_rules! recorded {
    ($file:literal) => {
        ($file, include_bytes!(concat!("streams/", $file)))
    };
}

const TEN_WORDS: &str = "one two three four five six seven eight nine ten";

/// A stream of aimock: the ten words in three chunks.
const fn aimock(
    (file, stream): (&'static str, &'static [u8]),
    vendor: VendorKind,
    finish_reason: &'static str,
    tokens: [Option<u64>; 3],
    id: Option<&'static str>,
    model: Option<&'static str>,
) -> Recorded {
    let closed = !matches!(vendor, VendorKind::Gemini);
    Recorded {
        file,
        stream,
        vendor,
        text: TEN_WORDS,
        content_events: 3,
        finish_reason,
        tokens,
        id,
        model,
        closed,
        server: &[],
    }
}

/// Aimock reports 0 tokens if the fixture has no usage.
const NOTHING: [Option<u64>; 3] = [Some(0), Some(0), None];

const AIMOCK: [Recorded; 8] = [
    aimock(
        recorded!("aimock/openai_chat.sse"),
        VendorKind::OpenAi,
        "stop",
        [Some(2), Some(12), None],
        Some("chatcmpl-UMFAprTIa-7tJDVC"),
        Some("gpt-4o"),
    ),
    aimock(
        recorded!("aimock/azure_chat.sse"),
        VendorKind::Azure,
        "stop",
        [Some(2), Some(12), None],
        Some("chatcmpl-tv0Rt9PQjXLhv79s"),
        Some("gpt-4o"),
    ),
    aimock(
        recorded!("aimock/openai_responses.sse"),
        VendorKind::OpenAiResponses,
        "completed",
        NOTHING,
        Some("resp-OuES3q2iFRtaFdNx"),
        Some("gpt-4o"),
    ),
    aimock(
        recorded!("aimock/anthropic_messages.sse"),
        VendorKind::Anthropic,
        "end_turn",
        NOTHING,
        Some("msg_JQ0BWW_QlTHN9hpO"),
        Some("claude-sonnet-4-5"),
    ),
    aimock(recorded!("aimock/gemini_stream.sse"), VendorKind::Gemini, "STOP", NOTHING, None, None),
    aimock(recorded!("aimock/ollama_chat.ndjson"), VendorKind::Ollama, "stop", NOTHING, None, Some("llama3.2")),
    aimock(
        recorded!("aimock/ollama_generate.ndjson"),
        VendorKind::OllamaGenerate,
        "stop",
        NOTHING,
        None,
        Some("llama3.2"),
    ),
    aimock(recorded!("aimock/bedrock_converse_stream.bin"), VendorKind::Bedrock, "end_turn", NOTHING, None, None),
];

/// A stream of llama.cpp.
const fn llama(
    (file, stream): (&'static str, &'static [u8]),
    vendor: VendorKind,
    (text, content_events): (&'static str, usize),
    finish_reason: &'static str,
    tokens: [Option<u64>; 3],
    id: &'static str,
    server: &'static [(&'static str, f64)],
) -> Recorded {
    Recorded {
        file,
        stream,
        vendor,
        text,
        content_events,
        finish_reason,
        tokens,
        id: Some(id),
        model: Some("tiny.gguf"),
        closed: true,
        server,
    }
}

const LLAMA: [Recorded; 3] = [
    llama(
        recorded!("llama-server/chat_completions.sse"),
        VendorKind::OpenAi,
        ("ONncealb struck honesty effect", 6),
        "length",
        [Some(11), Some(6), Some(10)],
        "chatcmpl-TrwjAReeShNpfSAlgZSIVE7lEBzbkyEQ",
        &[("server_decode_s", 0.379_963), ("server_prefill_s", 0.251_805)],
    ),
    llama(
        recorded!("llama-server/anthropic_messages.sse"),
        VendorKind::Anthropic,
        (" CharTillignior want forsw", 5),
        "max_tokens",
        // One token was not in the cache, ten were.
        [Some(11), Some(5), Some(10)],
        "chatcmpl-OkxLOL0rQM0AL8c5hWu2UxhlhNqG22oA",
        &[],
    ),
    llama(
        recorded!("llama-server/responses.sse"),
        VendorKind::OpenAiResponses,
        (" SYR close stand wait SYR", 5),
        "completed",
        [Some(10), Some(5), Some(9)],
        "resp_q713ueFpBSXxOU1bpnyeyHz8QTiJaFOp",
        &[("server_decode_s", 0.115_891), ("server_prefill_s", 0.039_79)],
    ),
];

#[test]
fn every_recorded_stream_has_the_content_that_its_server_sent() {
    for expected in AIMOCK.iter().chain(&LLAMA) {
        for size in [expected.stream.len(), 1, 7] {
            let what = format!("{} in parts of {size}", expected.file);
            let stream = read_stream(expected.vendor, expected.stream, size);
            assert_eq!(stream.failure, None, "{what}");
            assert_eq!(stream.contents, vec![ContentKind::Text; expected.content_events], "{what}");
            let state = stream.state;
            assert_eq!(state.text.as_deref(), Some(expected.text), "{what}");
            assert_eq!(state.finish_reason.as_deref(), Some(expected.finish_reason), "{what}");
            let tokens = [state.input_tokens, state.output_tokens, state.cached_tokens];
            assert_eq!(tokens, expected.tokens, "{what}");
            assert_eq!((state.reasoning_tokens, state.cost_usd), (None, None), "{what}");
            assert_eq!((state.id.as_deref(), state.model.as_deref()), (expected.id, expected.model), "{what}");
            assert_eq!((state.ended, state.closed), (true, expected.closed), "{what}");
            let names = state.server.keys().copied().collect::<Vec<_>>();
            assert_eq!(names, expected.server.iter().map(|(name, _)| *name).collect::<Vec<_>>(), "{what}");
            for (name, seconds) in expected.server {
                assert!((state.server[name] - seconds).abs() < 1e-12, "{name} of {what}: {:?}", state.server);
            }
        }
    }
}

/// A truncated stream must never count as complete.
#[test]
fn a_stream_cut_before_its_last_content_has_not_ended() {
    for whole in AIMOCK.iter().chain(&LLAMA) {
        let mut last_open = None;
        for end in 0..whole.stream.len() {
            let stream = read_stream(whole.vendor, &whole.stream[..end], whole.stream.len());
            if !stream.state.ended {
                last_open = Some(end);
            } else {
                assert_eq!(stream.contents.len(), whole.content_events, "{} cut at {end}", whole.file);
            }
        }
        assert!(last_open.unwrap() > whole.stream.len() / 4, "{}", whole.file);
    }
}

#[test]
fn every_recorded_file_is_read_here() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/streams");
    let mut present = BTreeSet::new();
    for server in ["aimock", "llama-server"] {
        for entry in folder.join(server).read_dir().unwrap() {
            present.insert(format!("{server}/{}", entry.unwrap().file_name().to_str().unwrap()));
        }
    }
    let read: BTreeSet<_> = AIMOCK.iter().chain(&LLAMA).map(|recorded| recorded.file.to_owned()).collect();
    assert_eq!(present, read);
}

/// The reader of AWS accepts the checksums of the recorded frames.
#[test]
fn the_recorded_frames_are_valid() {
    let mut stream: &[u8] = include_bytes!("streams/aimock/bedrock_converse_stream.bin");
    let mut names = Vec::new();
    while let Some(length) = stream.first_chunk::<4>() {
        let (frame, rest) = stream.split_at(u32::from_be_bytes(*length).try_into().unwrap());
        let message = read_message_from(frame).unwrap();
        let name = message.headers().iter().find(|header| header.name().as_str() == ":event-type").unwrap();
        names.push(name.value().as_string().unwrap().as_str().to_owned());
        stream = rest;
    }
    let deltas = ["contentBlockDelta"; 3];
    let expected =
        [&["messageStart", "contentBlockStart"][..], &deltas, &["contentBlockStop", "messageStop", "metadata"]];
    assert_eq!(names, expected.concat());
}
