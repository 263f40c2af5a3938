//! The dialects other than OpenAI's, in the format of the vendors' documentation.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use llmscope_harness::vendor::ContentKind::{Reasoning, ReasoningSummary, Text, Tool};
use llmscope_harness::{FailureKind, ResponseState, VendorKind};

#[allow(dead_code, reason = "other tests read frames with it")]
mod wire;

use wire::{ReadStream, event, frame, read_stream};

/// Server-sent events named by the `type` of their data, as Anthropic sends them.
fn anthropic(contents: &[&str]) -> ReadStream {
    let kind = |data: &str| data.split('"').nth(3).unwrap().to_owned();
    let stream: String = contents.iter().map(|data| format!("event: {}\ndata: {data}\n\n", kind(data))).collect();
    read_stream(VendorKind::Anthropic, stream.as_bytes(), stream.len())
}

fn gemini(contents: &[&str]) -> ReadStream {
    let stream: String = contents.iter().map(|data| format!("data: {data}\r\n\r\n")).collect();
    read_stream(VendorKind::Gemini, stream.as_bytes(), stream.len())
}

fn ollama(vendor: VendorKind, lines: &[&str]) -> ReadStream {
    let stream: String = lines.iter().map(|line| format!("{line}\n")).collect();
    read_stream(vendor, stream.as_bytes(), stream.len())
}

fn bedrock(frames: &[Vec<u8>]) -> ReadStream {
    let stream = frames.concat();
    read_stream(VendorKind::Bedrock, &stream, stream.len())
}

#[track_caller]
fn complete(stream: ReadStream) -> ResponseState {
    assert_eq!((stream.failure, stream.state.ended), (None, true));
    stream.state
}

/// The kind and the message of the failure of a stream without content.
#[track_caller]
fn failure(stream: ReadStream) -> (FailureKind, String) {
    assert!(stream.contents.is_empty(), "{:?}", stream.contents);
    let failure = stream.failure.unwrap();
    (failure.kind, failure.message)
}

const START: &str = r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","content":[],"model":"claude-opus-4","stop_reason":null,"usage":{"input_tokens":25,"cache_creation_input_tokens":100,"cache_read_input_tokens":2000,"output_tokens":1}}}"#;

#[test]
fn anthropic_thinks_pings_and_calls_tools() {
    let stream = anthropic(&[
        START,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
        r#"{"type":"ping"}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Hm"}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"EqQBCgIYAhIM1gbc"}}"#,
        r#"{"type":"content_block_stop","index":0}"#,
        r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Hi"}}"#,
        r#"{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"toolu_1","name":"f","input":{}}}"#,
        r#"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":""}}"#,
        r#"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"a\""}}"#,
        r#"{"type":"something_new","index":2}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":89}}"#,
        r#"{"type":"message_stop"}"#,
    ]);
    assert_eq!(stream.contents, [ReasoningSummary, Text, Tool]);
    let state = complete(stream);
    assert_eq!((state.id.as_deref(), state.model.as_deref()), (Some("msg_1"), Some("claude-opus-4")));
    // The input tokens are the sum of those read from the cache, those written to it and the rest.
    assert_eq!((state.input_tokens, state.cached_tokens), (Some(2125), Some(2000)));
    assert_eq!((state.output_tokens, state.finish_reason.as_deref()), (Some(89), Some("tool_use")));
    assert_eq!((state.text.as_deref(), state.closed), (Some("Hi"), true));
}

/// The usage at the end is cumulative, with or without the input counts.
#[test]
fn anthropic_counts_the_prompt_once() {
    let cases = [
        (r#"{"output_tokens":7}"#, 2125, 2000),
        (r#"{"input_tokens":25,"output_tokens":7}"#, 2125, 2000),
        (
            r#"{"input_tokens":25,"cache_creation_input_tokens":null,"cache_read_input_tokens":null,"output_tokens":7}"#,
            2125,
            2000,
        ),
        // Server tools make the prompt longer.
        (
            r#"{"input_tokens":10682,"cache_creation_input_tokens":0,"cache_read_input_tokens":2400,"output_tokens":7}"#,
            13082,
            2400,
        ),
    ];
    for (usage, input, cached) in cases {
        let delta = format!(r#"{{"type":"message_delta","delta":{{"stop_reason":"end_turn"}},"usage":{usage}}}"#);
        let later = r#"{"type":"message_delta","delta":{}}"#;
        let state = complete(anthropic(&[START, &delta, later]));
        assert_eq!((state.input_tokens, state.cached_tokens), (Some(input), Some(cached)), "{usage}");
        assert_eq!((state.output_tokens, state.finish_reason.as_deref()), (Some(7), Some("end_turn")), "{usage}");
        assert!(!state.closed);
    }
}

#[test]
fn anthropic_errors_inside_a_stream() {
    let cases = [
        ("overloaded_error", FailureKind::Overloaded),
        ("rate_limit_error", FailureKind::RateLimited),
        ("api_error", FailureKind::ServerError),
        ("authentication_error", FailureKind::Unauthorized),
        ("permission_error", FailureKind::Unauthorized),
        ("not_found_error", FailureKind::NotFound),
        ("invalid_request_error", FailureKind::BadRequest),
        ("timeout_error", FailureKind::Timeout),
    ];
    for (name, kind) in cases {
        let error = format!(r#"{{"type":"error","error":{{"type":"{name}","message":"Words"}},"request_id":"req_1"}}"#);
        assert_eq!(failure(anthropic(&[START, &error])), (kind, format!("{name}: Words")));
    }
    assert_eq!(failure(anthropic(&[r#"{"type":"error"}"#])).0, FailureKind::ServerError);
    // From a gateway in front of the vendor.
    let stream = b"event: error\ndata: {\"error\":{\"type\":\"overloaded_error\",\"message\":\"Words\"}}\n\n";
    assert_eq!(failure(read_stream(VendorKind::Anthropic, stream, 9)).0, FailureKind::Overloaded);
}

#[test]
fn gemini_thinks_and_counts_along() {
    let stream = gemini(&[
        r#"{"candidates":[{"content":{"parts":[{"text":"Hm","thought":true}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":8,"totalTokenCount":30,"thoughtsTokenCount":22},"modelVersion":"gemini-2.5-flash","responseId":"r1"}"#,
        r#"{"candidates":[{"content":{"parts":[{"text":"Hi"},{"text":" you"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":8,"candidatesTokenCount":2,"thoughtsTokenCount":22}}"#,
        // A part with only a signature, and a chunk without parts.
        r#"{"candidates":[{"content":{"parts":[{"text":"","thoughtSignature":"CikB"}],"role":"model"},"index":0}]}"#,
        r#"{"candidates":[{"content":{"parts":[{"thoughtSignature":"CikB"}]},"index":0}]}"#,
        r#"{"candidates":[{"content":{"role":"model"},"index":0}]}"#,
        r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{}},"thoughtSignature":"CikB"}]}}]}"#,
        r#"{"candidates":[{"content":{"parts":[{"text":"."}]},"finishReason":"MAX_TOKENS","index":0}],"usageMetadata":{"promptTokenCount":8,"cachedContentTokenCount":4,"candidatesTokenCount":5,"totalTokenCount":37,"thoughtsTokenCount":24}}"#,
    ]);
    assert_eq!(stream.contents, [ReasoningSummary, Text, Tool, Text]);
    let state = complete(stream);
    // Cumulative: the last count covers everything, and reasoning is part of the output.
    assert_eq!((state.input_tokens, state.cached_tokens), (Some(8), Some(4)));
    assert_eq!((state.output_tokens, state.reasoning_tokens), (Some(29), Some(24)));
    assert_eq!((state.tokens_so_far, state.finish_reason.as_deref()), (Some(29), Some("MAX_TOKENS")));
    assert_eq!((state.id.as_deref(), state.model.as_deref()), (Some("r1"), Some("gemini-2.5-flash")));
    assert_eq!(state.text.as_deref(), Some("Hi you."));
}

#[test]
fn gemini_refuses_prompts_and_reports_errors() {
    let blocked =
        r#"{"promptFeedback":{"blockReason":"SAFETY","safetyRatings":[]},"usageMetadata":{"promptTokenCount":8}}"#;
    let (kind, words) = failure(gemini(&[blocked]));
    assert_eq!(kind, FailureKind::BadRequest);
    assert!(words.contains("SAFETY"), "{words}");
    assert_eq!(gemini(&[r#"{"promptFeedback":{"safetyRatings":[]},"candidates":[]}"#]).failure, None);
    let cases = [
        (503, "UNAVAILABLE", FailureKind::Overloaded),
        (429, "RESOURCE_EXHAUSTED", FailureKind::RateLimited),
        (504, "DEADLINE_EXCEEDED", FailureKind::Timeout),
        (500, "INTERNAL", FailureKind::ServerError),
        (403, "PERMISSION_DENIED", FailureKind::Unauthorized),
        (404, "NOT_FOUND", FailureKind::NotFound),
        (400, "INVALID_ARGUMENT", FailureKind::BadRequest),
    ];
    for (code, status, kind) in cases {
        let error = format!(r#"{{"error":{{"code":{code},"message":"Words","status":"{status}"}}}}"#);
        assert_eq!(failure(gemini(&[&error])), (kind, format!("{status} {code}: Words")));
    }
}

#[test]
fn ollama_thinks_and_times_itself() {
    let stream = ollama(
        VendorKind::Ollama,
        &[
            r#"{"model":"qwen3","message":{"role":"assistant","content":"","thinking":"Hm"},"done":false}"#,
            r#"{"model":"qwen3","message":{"role":"assistant","content":"Hi"},"done":false}"#,
            r#"{"model":"qwen3","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f"}}]},"done":false}"#,
            r#"{"model":"qwen3","message":{"role":"assistant","content":""},"done":true,"done_reason":"length","total_duration":4883583458,"load_duration":1334875,"prompt_eval_count":26,"prompt_eval_duration":342546000,"eval_count":282,"eval_duration":4535599000}"#,
        ],
    );
    assert_eq!(stream.contents, [Reasoning, Text, Tool]);
    let state = complete(stream);
    assert_eq!((state.input_tokens, state.output_tokens), (Some(26), Some(282)));
    assert_eq!((state.finish_reason.as_deref(), state.closed), (Some("length"), true));
    let expected = [
        ("server_decode_s", 4.535_599),
        ("server_load_s", 0.001_334_875),
        ("server_prefill_s", 0.342_546),
        ("server_total_s", 4.883_583_458),
    ];
    assert_eq!(state.server.len(), expected.len());
    for (name, seconds) in expected {
        assert!((state.server[name] - seconds).abs() < 1e-12, "{name}: {:?}", state.server);
    }
}

/// A prompt that came entirely from the cache has no `prompt_eval_count`.
#[test]
fn ollama_leaves_zeros_out() {
    let lines = [
        r#"{"model":"m","thinking":"Hm","response":"","done":false}"#,
        r#"{"model":"m","response":"Hi","done":false}"#,
        r#"{"model":"m","response":"","done":true,"done_reason":"stop","context":[1,2],"total_duration":5000000,"eval_count":2}"#,
    ];
    let stream = ollama(VendorKind::OllamaGenerate, &lines);
    assert_eq!(stream.contents, [Reasoning, Text]);
    let state = complete(stream);
    assert_eq!((state.input_tokens, state.output_tokens), (None, Some(2)));
    assert_eq!(state.server.into_iter().collect::<Vec<_>>(), [("server_total_s", 0.005)]);
}

#[test]
fn ollama_errors_are_lines() {
    let stream = ollama(VendorKind::Ollama, &[r#"{"error":"an error was encountered while running the model"}"#]);
    assert_eq!(
        failure(stream),
        (FailureKind::ServerError, "an error was encountered while running the model".to_owned())
    );
    assert_eq!(failure(ollama(VendorKind::Ollama, &["<html>"])).0, FailureKind::Malformed);
}

#[test]
fn bedrock_reasons_calls_tools_and_counts() {
    let delta =
        |delta: &str| event("contentBlockDelta", &format!(r#"{{"contentBlockIndex":0,"delta":{delta},"p":"abc"}}"#));
    let stream = bedrock(&[
        event("messageStart", r#"{"role":"assistant"}"#),
        delta(r#"{"reasoningContent":{"text":"Hm"}}"#),
        delta(r#"{"reasoningContent":{"redactedContent":"AAEC"}}"#),
        // A signature is not generated content, and the first part of a tool input is often empty.
        delta(r#"{"reasoningContent":{"signature":"EqQB"}}"#),
        delta(r#"{"text":""}"#),
        delta(r#"{"text":"Hi"}"#),
        event("contentBlockStart", r#"{"contentBlockIndex":1,"start":{"toolUse":{"toolUseId":"t","name":"f"}}}"#),
        delta(r#"{"toolUse":{"input":""}}"#),
        delta(r#"{"toolUse":{"input":"{\"a\""}}"#),
        event("somethingNew", "{}"),
        event("messageStop", r#"{"stopReason":"tool_use"}"#),
        event(
            "metadata",
            r#"{"usage":{"inputTokens":30,"outputTokens":628,"totalTokens":668,"cacheReadInputTokens":8,"cacheWriteInputTokens":2},"metrics":{"latencyMs":1275}}"#,
        ),
    ]);
    assert_eq!(stream.contents, [ReasoningSummary, ReasoningSummary, Text, Tool]);
    let state = complete(stream);
    assert_eq!((state.input_tokens, state.cached_tokens, state.output_tokens), (Some(40), Some(8), Some(628)));
    assert_eq!((state.finish_reason.as_deref(), state.closed), (Some("tool_use"), true));
    assert_eq!(state.server.len(), 1);
    assert!((state.server["server_total_s"] - 1.275).abs() < 1e-12, "{:?}", state.server);
    assert_eq!(state.text.as_deref(), Some("Hi"));
}

/// The response is complete with `messageStop`; its counts follow.
#[test]
fn bedrock_ends_before_it_closes() {
    let stop = event("messageStop", r#"{"stopReason":"max_tokens"}"#);
    let state = complete(bedrock(std::slice::from_ref(&stop)));
    assert!(!state.closed);
    let state = complete(bedrock(&[stop, event("metadata", r#"{"metrics":{"latencyMs":0}}"#)]));
    assert!(state.closed && state.server.is_empty());
}

#[test]
fn bedrock_reports_exceptions_in_frames() {
    let cases = [
        ("throttlingException", FailureKind::RateLimited),
        ("serviceUnavailableException", FailureKind::Overloaded),
        ("validationException", FailureKind::BadRequest),
        ("internalServerException", FailureKind::ServerError),
        ("modelStreamErrorException", FailureKind::ServerError),
        ("modelTimeoutException", FailureKind::Timeout),
    ];
    for (name, kind) in cases {
        let headers =
            [(":exception-type", name), (":content-type", "application/json"), (":message-type", "exception")];
        let frames = [event("messageStart", r#"{"role":"assistant"}"#), frame(&headers, r#"{"message":"Words"}"#)];
        assert_eq!(failure(bedrock(&frames)), (kind, format!("{name}: Words")));
    }
    // Errors that are not modelled exceptions have all their data in headers.
    let headers = [(":message-type", "error"), (":error-code", "InternalFailure"), (":error-message", "Words")];
    let expected = (FailureKind::ServerError, "InternalFailure: Words".to_owned());
    assert_eq!(failure(bedrock(&[frame(&headers, "")])), expected);
    assert_eq!(failure(bedrock(&[event("contentBlockDelta", "{")])).0, FailureKind::Malformed);
}
