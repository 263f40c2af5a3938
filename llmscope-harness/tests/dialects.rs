//! What the vendors document and no recorded stream holds, in the shapes of their documentation.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use llmscope_harness::vendor::Piece::{Reasoning, Text, Tool};
use llmscope_harness::{Answer, Failure, FailureKind, Message, VendorKind};

#[allow(dead_code, reason = "other tests read frames with it")]
mod wire;

use wire::{Heard, hear};

/// Server-sent events of these contents.
fn sse(vendor: VendorKind, contents: &[&str]) -> Heard {
    let stream: String = contents.iter().map(|data| format!("data: {data}\n\n")).collect();
    hear(vendor, stream.as_bytes(), stream.len())
}

/// The failure that a single message reports.
#[track_caller]
fn failure(heard: Heard) -> Failure {
    assert!(heard.pieces.is_empty(), "{:?}", heard.pieces);
    heard.failure.unwrap()
}

#[track_caller]
fn complete(heard: Heard) -> Answer {
    assert_eq!((heard.failure, heard.answer.ended), (None, true));
    heard.answer
}

#[test]
fn openai_reasoning_tools_and_their_counts() {
    let chunk = |delta: &str| format!(r#"{{"id":"chatcmpl-1","model":"m","choices":[{{"index":0,"delta":{delta}}}]}}"#);
    let chunks = [
        chunk(r#"{"role":"assistant","content":null}"#),
        // DeepSeek and vLLM say `reasoning_content`, OpenRouter and newer vLLM `reasoning`.
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
    let heard = sse(VendorKind::OpenAi, &chunks.each_ref().map(String::as_str));
    assert_eq!(heard.pieces, [Reasoning, Reasoning, Text, Tool]);
    let answer = complete(heard);
    assert_eq!((answer.input_tokens, answer.output_tokens), (Some(19), Some(21)));
    assert_eq!((answer.cached_tokens, answer.reasoning_tokens), (Some(16), Some(13)));
    assert_eq!((answer.finish_reason.as_deref(), answer.closed), (Some("tool_calls"), true));
    assert_eq!(answer.text.as_deref(), Some("So: \"ü\""));
}

#[test]
fn plain_completions_are_text() {
    let heard = sse(VendorKind::OpenAi, &[r#"{"choices":[{"text":"a","finish_reason":null}]}"#, "[DONE]"]);
    assert_eq!((&heard.pieces[..], heard.answer.text.as_deref()), (&[Text][..], Some("a")));
}

#[test]
fn words_that_nobody_needs_are_not_kept() {
    let mut answer = Answer::new(false);
    let data = br#"{"choices":[{"delta":{"content":"a"}}]}"#;
    let message = Message { event: "", exception: false, data };
    assert_eq!(VendorKind::OpenAi.vendor().reader().read(message, &mut answer).unwrap(), Some(Text));
    assert_eq!(answer.text, None);
}

/// With content filters, Azure sends a first chunk without choices, id or model, and later ones without content.
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
    let heard = sse(VendorKind::Azure, &chunks.each_ref().map(String::as_str));
    assert_eq!(heard.pieces, [Text]);
    let answer = complete(heard);
    assert_eq!((answer.id.as_deref(), answer.model.as_deref()), (Some("chatcmpl-9"), Some("gpt-4o-2024-11-20")));
    assert_eq!(answer.finish_reason.as_deref(), Some("content_filter"));
}

/// The head of an answer may have named the request before its first chunk comes.
#[test]
fn the_model_is_noted_whatever_the_head_said() {
    let chunk = br#"{"id":"chatcmpl-9","model":"gpt-4o-2024-11-20","choices":[]}"#;
    let mut answer = Answer { id: Some("req_1".to_owned()), ..Answer::new(false) };
    let message = Message { event: "", exception: false, data: chunk };
    VendorKind::OpenAi.vendor().reader().read(message, &mut answer).unwrap();
    assert_eq!((answer.id.as_deref(), answer.model.as_deref()), (Some("chatcmpl-9"), Some("gpt-4o-2024-11-20")));
}

#[test]
fn openrouter_keeps_alive_and_names_its_price() {
    let stream = ": OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n\
        data: {\"id\":\"gen-1\",\"provider\":\"X\",\"model\":\"a/b\",\"choices\":[{\"delta\":{\"content\":\"Hi\"},\
        \"finish_reason\":null,\"native_finish_reason\":null}]}\n\n: OPENROUTER PROCESSING\n\n\
        data: {\"id\":\"gen-1\",\"choices\":[{\"delta\":{\"content\":\"\"},\"finish_reason\":\"stop\"}]}\n\n\
        data: {\"id\":\"gen-1\",\"choices\":[],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":2,\"total_tokens\":12,\
        \"cost\":0.00014,\"cost_details\":{\"upstream_inference_cost\":null}}}\n\ndata: [DONE]\n\n";
    let heard = hear(VendorKind::OpenRouter, stream.as_bytes(), 10);
    assert_eq!(heard.pieces, [Text]);
    let answer = complete(heard);
    assert_eq!((answer.cost_usd, answer.output_tokens), (Some(0.00014), Some(2)));
}

/// Status 200, and the error in the middle: the words that came before stay, the answer has failed.
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
        let heard = sse(VendorKind::OpenRouter, &[said, &chunk.replace('\n', "")]);
        assert_eq!(heard.pieces, [Text], "{chunk}");
        let failure = heard.failure.unwrap();
        assert_eq!((failure.kind, failure.message.as_str()), (kind, words), "{chunk}");
    }
}

#[test]
fn openai_errors_inside_a_stream() {
    let cases = [
        // A bare text, as TGI and some gateways have it.
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
        // vLLM's, which repeats the status.
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

/// vLLM's `continuous_usage_stats`: every chunk counts the tokens up to and including its own.
#[test]
fn counts_that_come_along_are_those_so_far() {
    let mut reader = VendorKind::OpenAi.vendor().reader();
    let mut answer = Answer::new(false);
    for tokens in [3, 4, 9] {
        let data = format!(
            r#"{{"choices":[{{"delta":{{"content":"a"}}}}],"usage":{{"prompt_tokens":5,"completion_tokens":{tokens}}}}}"#
        );
        let message = Message { event: "", exception: false, data: data.as_bytes() };
        assert_eq!(reader.read(message, &mut answer).unwrap(), Some(Text));
        assert_eq!((answer.tokens_so_far, answer.output_tokens), (Some(tokens), Some(tokens)));
    }
    // What the last chunk leaves out is not forgotten.
    let data = br#"{"choices":[],"usage":{"prompt_tokens":5,"total_tokens":14}}"#;
    reader.read(Message { event: "", exception: false, data }, &mut answer).unwrap();
    assert_eq!((answer.input_tokens, answer.output_tokens), (Some(5), Some(9)));
}

/// Some gateways send an empty reason with every chunk.
#[test]
fn an_empty_finish_reason_ends_nothing() {
    let chunk = r#"{"choices":[{"delta":{"content":"a"},"finish_reason":""}]}"#;
    let heard = sse(VendorKind::OpenAi, &[chunk]);
    assert_eq!((heard.answer.ended, heard.answer.finish_reason), (false, None));
}

#[test]
fn responses_in_whatever_order() {
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
    let heard = sse(VendorKind::OpenAiResponses, &events.each_ref().map(String::as_str));
    assert_eq!(heard.pieces, [Reasoning, Reasoning, Text, Text, Tool]);
    let answer = complete(heard);
    assert_eq!((answer.input_tokens, answer.output_tokens), (Some(328), Some(52)));
    assert_eq!((answer.cached_tokens, answer.reasoning_tokens), (Some(300), Some(40)));
    assert_eq!((answer.finish_reason.as_deref(), answer.closed), (Some("completed"), true));
    assert_eq!((answer.id.as_deref(), answer.text.as_deref()), (Some("resp_1"), Some("Hi no")));
}

#[test]
fn responses_that_are_incomplete_or_failed() {
    let incomplete = r#"{"type":"response.incomplete","response":{"id":"resp_1","status":"incomplete","error":null,
        "incomplete_details":{"reason":"max_output_tokens"},"usage":{"input_tokens":1,"output_tokens":16}}}"#
        .replace('\n', "");
    let answer = complete(sse(VendorKind::OpenAiResponses, &[&incomplete]));
    assert_eq!((answer.finish_reason.as_deref(), answer.output_tokens), (Some("max_output_tokens"), Some(16)));
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
