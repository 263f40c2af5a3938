//! Documented features that no recorded stream has, in the format of the vendors' documentation.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use llmscope_harness::vendor::ContentKind::{Reasoning, ReasoningSummary, Text, Tool};
use llmscope_harness::{Failure, FailureKind, ResponseState, StreamEvent, VendorKind};

#[allow(dead_code, reason = "other tests read frames with it")]
mod wire;

use wire::{ReadStream, read_stream};

/// A stream of server-sent events with this data.
fn sse(vendor: VendorKind, contents: &[&str]) -> ReadStream {
    let stream: String = contents.iter().map(|data| format!("data: {data}\n\n")).collect();
    read_stream(vendor, stream.as_bytes(), stream.len())
}

/// The failure of a stream without content.
#[track_caller]
fn failure(stream: ReadStream) -> Failure {
    assert!(stream.contents.is_empty(), "{:?}", stream.contents);
    stream.failure.unwrap()
}

#[track_caller]
fn complete(stream: ReadStream) -> ResponseState {
    assert_eq!((stream.failure, stream.state.ended), (None, true));
    stream.state
}

#[test]
fn openai_reasoning_tools_and_their_counts() {
    let chunk = |delta: &str| format!(r#"{{"id":"chatcmpl-1","model":"m","choices":[{{"index":0,"delta":{delta}}}]}}"#);
    let chunks = [
        chunk(r#"{"role":"assistant","content":null}"#),
        // DeepSeek and vLLM use `reasoning_content`; OpenRouter and newer versions of vLLM use `reasoning`.
        chunk(r#"{"reasoning_content":"Hm","content":null}"#),
        chunk(r#"{"content":"","reasoning":"m."}"#),
        chunk(r#"{"reasoning_content":""}"#),
        chunk(r#"{"content":"So: \"\u00fc\""}"#),
        chunk(r#"{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"f","arguments":""}}]}"#),
        chunk(r#"{"tool_calls":[]}"#),
        chunk(r#"{"refusal":null}"#),
        r#"{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#.to_owned(),
        r#"{"choices":[],"usage":{"prompt_tokens":19,"completion_tokens":21,"total_tokens":40,
            "prompt_tokens_details":{"cached_tokens":16,"audio_tokens":0},
            "completion_tokens_details":{"reasoning_tokens":13,"accepted_prediction_tokens":0}}}"#
            .replace('\n', ""),
        "[DONE]".to_owned(),
    ];
    let stream = sse(VendorKind::OpenAi, &chunks.each_ref().map(String::as_str));
    assert_eq!(stream.contents, [Reasoning, Reasoning, Text, Tool]);
    let state = complete(stream);
    assert_eq!((state.input_tokens, state.output_tokens), (Some(19), Some(21)));
    assert_eq!((state.cached_tokens, state.reasoning_tokens), (Some(16), Some(13)));
    assert_eq!((state.finish_reason.as_deref(), state.closed), (Some("tool_calls"), true));
    assert_eq!(state.text.as_deref(), Some("So: \"ü\""));
}

#[test]
fn plain_completions_are_text() {
    let stream = sse(VendorKind::OpenAi, &[r#"{"choices":[{"text":"a","finish_reason":null}]}"#, "[DONE]"]);
    assert_eq!((&stream.contents[..], stream.state.text.as_deref()), (&[Text][..], Some("a")));
}

#[test]
fn text_is_kept_only_if_needed() {
    let mut state = ResponseState::new(false);
    let data = br#"{"choices":[{"delta":{"content":"a"}}]}"#;
    let event = StreamEvent { name: "", exception: false, data };
    assert_eq!(VendorKind::OpenAi.vendor().reader().read(event, &mut state).unwrap(), Some(Text));
    assert_eq!(state.text, None);
}

/// With content filters, Azure sends a first chunk without choices, id and model, and later chunks without content.
#[test]
fn azure_filter_results_are_no_content() {
    let filters = r#"{"hate":{"filtered":false,"severity":"safe"},"violence":{"filtered":false,"severity":"safe"}}"#;
    let first = format!(
        r#"{{"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{{"prompt_index":0,
        "content_filter_results":{filters}}}]}}"#
    );
    let filtered = format!(
        r#"{{"id":"","model":"","choices":[{{"content_filter_offsets":{{"check_offset":44}},
        "content_filter_results":{filters},"finish_reason":null,"index":0}}]}}"#
    );
    let content = |delta: &str, reason: &str| {
        format!(
            r#"{{"id":"chatcmpl-9","model":"gpt-4o-2024-11-20","choices":[{{"content_filter_results":{filters},
            "delta":{delta},"finish_reason":{reason},"index":0}}]}}"#
        )
    };
    let chunks = [
        first,
        content(r#"{"role":"assistant","content":""}"#, "null"),
        content(r#"{"content":"Hi"}"#, "null"),
        filtered,
        content("{}", r#""content_filter""#),
        "[DONE]".to_owned(),
    ]
    .map(|chunk| chunk.replace('\n', ""));
    let stream = sse(VendorKind::Azure, &chunks.each_ref().map(String::as_str));
    assert_eq!(stream.contents, [Text]);
    let state = complete(stream);
    assert_eq!((state.id.as_deref(), state.model.as_deref()), (Some("chatcmpl-9"), Some("gpt-4o-2024-11-20")));
    assert_eq!(state.finish_reason.as_deref(), Some("content_filter"));
}

/// The response head may contain an id, which the first chunk replaces.
#[test]
fn the_id_and_model_of_a_chunk_replace_those_of_the_head() {
    let chunk = br#"{"id":"chatcmpl-9","model":"gpt-4o-2024-11-20","choices":[]}"#;
    let mut state = ResponseState { id: Some("req_1".to_owned()), ..ResponseState::new(false) };
    let event = StreamEvent { name: "", exception: false, data: chunk };
    VendorKind::OpenAi.vendor().reader().read(event, &mut state).unwrap();
    assert_eq!((state.id.as_deref(), state.model.as_deref()), (Some("chatcmpl-9"), Some("gpt-4o-2024-11-20")));
}

#[test]
fn openrouter_keeps_alive_and_names_its_price() {
    let stream = ": OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n\
        data: {\"id\":\"gen-1\",\"provider\":\"X\",\"model\":\"a/b\",\"choices\":[{\"delta\":{\"content\":\"Hi\"},\
        \"finish_reason\":null,\"native_finish_reason\":null}]}\n\n: OPENROUTER PROCESSING\n\n\
        data: {\"id\":\"gen-1\",\"choices\":[{\"delta\":{\"content\":\"\"},\"finish_reason\":\"stop\"}]}\n\n\
        data: {\"id\":\"gen-1\",\"choices\":[],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":2,\"total_tokens\":12,\
        \"cost\":0.00014,\"cost_details\":{\"upstream_inference_cost\":null}}}\n\ndata: [DONE]\n\n";
    let stream = read_stream(VendorKind::OpenRouter, stream.as_bytes(), 10);
    assert_eq!(stream.contents, [Text]);
    let state = complete(stream);
    assert_eq!((state.cost_usd, state.output_tokens), (Some(0.00014), Some(2)));
}

/// Status 200 with an error in the middle: the content before it is kept, and the response failed.
#[test]
fn openrouter_errors_in_the_middle_of_a_stream() {
    let said = r#"{"choices":[{"delta":{"content":"Hi"},"finish_reason":null}]}"#;
    let cases = [
        (
            r#"{"id":"gen-1","error":{"code":"server_error","message":"Provider disconnected"},
            "choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}"#,
            FailureKind::ServerError,
            "server_error: Provider disconnected",
        ),
        (
            r#"{"error":{"code":429,"message":"Rate limit exceeded"},"choices":[]}"#,
            FailureKind::RateLimited,
            "429: Rate limit exceeded",
        ),
        (
            r#"{"choices":[{"delta":{"content":""},"finish_reason":"error","error":{"code":503,"message":"none left"}}]}"#,
            FailureKind::Overloaded,
            "503: none left",
        ),
        (
            r#"{"choices":[{"delta":{"content":""},"finish_reason":"error"}]}"#,
            FailureKind::ServerError,
            "the stream ended with finish_reason \"error\"",
        ),
    ];
    for (chunk, kind, words) in cases {
        let stream = sse(VendorKind::OpenRouter, &[said, &chunk.replace('\n', "")]);
        assert_eq!(stream.contents, [Text], "{chunk}");
        let failure = stream.failure.unwrap();
        assert_eq!((failure.kind, failure.message.as_str()), (kind, words), "{chunk}");
    }
}

#[test]
fn openai_errors_inside_a_stream() {
    let cases = [
        // A plain text, as from TGI and some gateways.
        (r#"{"error":"out of memory","error_type":"generation"}"#, FailureKind::ServerError, "out of memory"),
        (
            r#"{"error":{"message":"slow down","type":"requests","param":null,"code":"rate_limit_exceeded"}}"#,
            FailureKind::RateLimited,
            "requests rate_limit_exceeded: slow down",
        ),
        (
            r#"{"error":{"message":"too long","type":"invalid_request_error","code":"context_length_exceeded"}}"#,
            FailureKind::BadRequest,
            "invalid_request_error context_length_exceeded: too long",
        ),
        // An error of vLLM, which repeats the status.
        (
            r#"{"error":{"object":"error","message":"no","type":"BadRequestError","param":null,"code":400}}"#,
            FailureKind::BadRequest,
            "BadRequestError 400: no",
        ),
        (
            r#"{"error":{"message":"key","type":"authentication_error"}}"#,
            FailureKind::Unauthorized,
            "authentication_error: key",
        ),
        (
            r#"{"error":{"message":"which?","code":"model_not_found"}}"#,
            FailureKind::NotFound,
            "model_not_found: which?",
        ),
        (r#"{"error":{"message":"late","code":504}}"#, FailureKind::Timeout, "504: late"),
        (r#"{"error":{}}"#, FailureKind::ServerError, ""),
    ];
    for (chunk, kind, words) in cases {
        let failure = failure(sse(VendorKind::OpenAi, &[chunk]));
        assert_eq!((failure.kind, failure.message.as_str()), (kind, words), "{chunk}");
    }
    assert_eq!(sse(VendorKind::OpenAi, &[r#"{"error":null,"choices":[]}"#]).failure, None);
    for broken in ["{", "", "[]", "null", r#"{"choices":3}"#] {
        assert_eq!(failure(sse(VendorKind::OpenAi, &[broken])).kind, FailureKind::Malformed, "{broken}");
    }
}

/// `continuous_usage_stats` of vLLM: every chunk has the number of tokens up to and including it.
#[test]
fn running_counts_cover_the_tokens_so_far() {
    let mut reader = VendorKind::OpenAi.vendor().reader();
    let mut state = ResponseState::new(false);
    for tokens in [3, 4, 9] {
        let data = format!(
            r#"{{"choices":[{{"delta":{{"content":"a"}}}}],"usage":{{"prompt_tokens":5,"completion_tokens":{tokens}}}}}"#
        );
        let event = StreamEvent { name: "", exception: false, data: data.as_bytes() };
        assert_eq!(reader.read(event, &mut state).unwrap(), Some(Text));
        assert_eq!((state.tokens_so_far, state.output_tokens), (Some(tokens), Some(tokens)));
    }
    // A count that the last chunk omits is kept.
    let data = br#"{"choices":[],"usage":{"prompt_tokens":5,"total_tokens":14}}"#;
    reader.read(StreamEvent { name: "", exception: false, data }, &mut state).unwrap();
    assert_eq!((state.input_tokens, state.output_tokens), (Some(5), Some(9)));
}

/// Some gateways send an empty finish reason in every chunk.
#[test]
fn an_empty_finish_reason_ends_nothing() {
    let chunk = r#"{"choices":[{"delta":{"content":"a"},"finish_reason":""}]}"#;
    let stream = sse(VendorKind::OpenAi, &[chunk]);
    assert_eq!((stream.state.ended, stream.state.finish_reason), (false, None));
}

#[test]
fn responses_in_any_order() {
    let events = [
        r#"{"type":"response.in_progress","response":{"id":"resp_1","status":"in_progress"},"sequence_number":1}"#,
        r#"{"type":"response.created","response":{"id":"resp_1","status":"in_progress","error":null},"sequence_number":0}"#,
        r#"{"type":"response.output_item.added","output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[]}}"#,
        r#"{"type":"response.reasoning_summary_text.delta","item_id":"rs_1","summary_index":0,"delta":"Hm"}"#,
        r#"{"type":"response.reasoning_text.delta","item_id":"rs_1","content_index":0,"delta":"m"}"#,
        r#"{"type":"response.output_text.delta","item_id":"msg_1","content_index":0,"delta":"Hi","logprobs":[]}"#,
        r#"{"type":"response.output_text.delta","item_id":"msg_1","content_index":0,"delta":""}"#,
        r#"{"type":"response.refusal.delta","item_id":"msg_1","content_index":0,"delta":" no"}"#,
        r#"{"type":"response.function_call_arguments.delta","item_id":"fc_1","output_index":1,"delta":"{\"a\""}"#,
        r#"{"type":"response.output_text.done","item_id":"msg_1","content_index":0,"text":"Hi no"}"#,
        r#"{"type":"response.something.new","delta":{"an":"object"}}"#,
        r#"{"type":"response.completed","response":{"id":"resp_1","model":"gpt-5","status":"completed","error":null,
        "incomplete_details":null,"usage":{"input_tokens":328,"input_tokens_details":{"cached_tokens":300},
        "output_tokens":52,"output_tokens_details":{"reasoning_tokens":40},"total_tokens":380}}}"#,
    ]
    .map(|event| event.replace('\n', ""));
    let stream = sse(VendorKind::OpenAiResponses, &events.each_ref().map(String::as_str));
    assert_eq!(stream.contents, [ReasoningSummary, Reasoning, Text, Text, Tool]);
    let state = complete(stream);
    assert_eq!((state.input_tokens, state.output_tokens), (Some(328), Some(52)));
    assert_eq!((state.cached_tokens, state.reasoning_tokens), (Some(300), Some(40)));
    assert_eq!((state.finish_reason.as_deref(), state.closed), (Some("completed"), true));
    assert_eq!((state.id.as_deref(), state.text.as_deref()), (Some("resp_1"), Some("Hi no")));
}

#[test]
fn responses_that_are_incomplete_or_failed() {
    let incomplete = r#"{"type":"response.incomplete","response":{"id":"resp_1","status":"incomplete","error":null,
        "incomplete_details":{"reason":"max_output_tokens"},"usage":{"input_tokens":1,"output_tokens":16}}}"#
        .replace('\n', "");
    let state = complete(sse(VendorKind::OpenAiResponses, &[&incomplete]));
    assert_eq!((state.finish_reason.as_deref(), state.output_tokens), (Some("max_output_tokens"), Some(16)));
    let cases = [
        (
            r#"{"type":"response.failed","response":{"status":"failed","error":{"code":"server_error","message":"no"}}}"#,
            FailureKind::ServerError,
            "server_error: no",
        ),
        (
            r#"{"type":"response.failed","response":{"error":{"code":"rate_limit_exceeded","message":"slow"}}}"#,
            FailureKind::RateLimited,
            "rate_limit_exceeded: slow",
        ),
        (r#"{"type":"response.failed","response":{"error":null}}"#, FailureKind::ServerError, "response.failed"),
        (
            r#"{"type":"error","code":"ERR_SOMETHING","message":"gone","param":null,"sequence_number":1}"#,
            FailureKind::ServerError,
            "ERR_SOMETHING: gone",
        ),
        (
            r#"{"type":"error","error":{"type":"invalid_request_error","code":null,"message":"what?"}}"#,
            FailureKind::BadRequest,
            "invalid_request_error: what?",
        ),
    ];
    for (event, kind, words) in cases {
        let failure = failure(sse(VendorKind::OpenAiResponses, &[event]));
        assert_eq!((failure.kind, failure.message.as_str()), (kind, words), "{event}");
    }
}
