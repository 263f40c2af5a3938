//! llama.cpp's server.

use llmscope_core::session::Status;
use serde_json::json;

use super::{read, refusal, session, text_of, warnings};

#[test]
fn every_response_becomes_a_record_of_the_servers_times() {
    let log = read(&text_of("llama_server/chat_completions.json"));
    assert!(log.warnings.is_empty());
    let session = session(log);
    assert_eq!(session.records.len(), 1);
    let record = &session.records[0];
    assert_eq!(record.model.as_deref(), Some("tiny.gguf"));
    assert_eq!((record.input_tokens, record.output_tokens), (Some(11), Some(6)));
    for (name, value) in [
        ("server_prefill_s", 0.092086),
        ("server_decode_s", 0.503846),
        ("cached_tokens", 10.0),
        ("evaluated_prompt_tokens", 1.0),
    ] {
        assert_eq!(record.attribute(name), Some(value), "{name}");
    }
    assert_eq!((record.ttft_s, record.e2e_s, record.tpot_s, record.started_at), (None, None, None, None));
}

/// `predicted_per_token_ms` of the same response is 100.7692.
#[test]
fn the_time_per_output_token_is_that_of_the_server() {
    let session = session(read(&text_of("llama_server/chat_completions.json")));
    assert_eq!(session.records[0].attribute("server_time_per_output_token_s"), Some(0.1007692));
}

/// With `timings_per_token`, each chunk has cumulative counters: the last ones are those of the response.
#[test]
fn cumulative_counters_in_chunks_are_one_response() {
    let session = session(read(&text_of("llama_server/chat_completions.sse")));
    assert_eq!(session.records.len(), 1);
    let record = &session.records[0];
    assert_eq!((record.input_tokens, record.output_tokens), (Some(11), Some(6)));
    assert_eq!(record.attribute("server_decode_s"), Some(0.379963));
    assert_eq!(record.attribute("server_prefill_s"), Some(0.251805));
}

#[test]
fn streams_one_after_the_other_are_responses_of_their_own() {
    let text = format!("{}{}", text_of("llama_server/chat_completions.sse"), text_of("llama_server/responses.sse"));
    let session = session(read(&text));
    let decode: Vec<_> = session.records.iter().map(|record| record.attribute("server_decode_s").unwrap()).collect();
    assert_eq!(decode, [0.379963, 115.891 / 1e3]);
    let second = &session.records[1];
    assert_eq!(
        (second.model.as_deref(), second.input_tokens, second.output_tokens),
        (Some("tiny.gguf"), Some(10), Some(5))
    );
}

/// The first token has no duration after it: the server writes 0.001 ms and 0 ms per token.
#[test]
fn the_placeholder_for_a_single_token_is_not_a_duration() {
    let text = json!({"id": "a", "object": "chat.completion", "timings":
        {"prompt_n": 4, "prompt_ms": 2.0, "predicted_n": 1, "predicted_ms": 0.001, "predicted_per_token_ms": 0.0}});
    let record = session(read(&text.to_string())).records[0].clone();
    assert_eq!(record.attribute("server_prefill_s"), Some(0.002));
    assert_eq!((record.attribute("server_decode_s"), record.attribute("server_time_per_output_token_s")), (None, None));
    // Older servers do not report the number of cached prompt tokens.
    assert_eq!((record.input_tokens, record.output_tokens), (None, Some(1)));
}

#[test]
fn the_native_route_and_json_lines_are_read() {
    let native = json!({"content": "a", "stop": true, "model": "m", "timings": {"cache_n": 3, "prompt_n": 4, "prompt_ms": 2.0,
        "predicted_n": 5, "predicted_ms": 8.0, "draft_n": 6, "draft_n_accepted": 2}});
    let chat = json!({"id": "b", "object": "chat.completion", "timings": {"prompt_ms": 1.0, "predicted_n": 2, "predicted_ms": 4.0}});
    for text in [format!("{native}\n{chat}\n"), json!([native, chat]).to_string()] {
        let records = session(read(&text)).records.clone();
        assert_eq!(records.len(), 2);
        assert_eq!((records[0].input_tokens, records[0].output_tokens), (Some(7), Some(5)));
        assert_eq!(
            (records[0].attribute("draft_tokens"), records[0].attribute("accepted_draft_tokens")),
            (Some(6.0), Some(2.0))
        );
        assert_eq!(records[1].attribute("server_time_per_output_token_s"), Some(0.004));
    }
}

#[test]
fn the_build_is_recorded_if_known() {
    let of = |build: &str| {
        let text = text_of("llama_server/chat_completions.json").replace("b0-unknown", build);
        session(read(&text)).header.environment.clone().unwrap().engine.unwrap()
    };
    assert_eq!((of("b0-unknown").name.as_str(), of("b0-unknown").version), ("llama.cpp", None));
    assert_eq!(of("b6123-5c0eb5ef").version.as_deref(), Some("b6123-5c0eb5ef"));
}

#[test]
fn an_error_is_a_failure() {
    let error = json!({"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}});
    let session = session(read(&format!("{}\n{error}\n", text_of("llama_server/chat_completions.json"))));
    let failed = &session.records[1];
    let reason = failed.error.as_ref().unwrap();
    assert_eq!((failed.status, reason.kind.as_str(), reason.code), (Status::Error, "unavailable_error", Some(503)));
    assert_eq!(reason.message.as_deref(), Some("Loading model"));
}

#[test]
fn a_stream_without_its_end_is_left_out_with_a_warning() {
    let whole = text_of("llama_server/chat_completions.sse");
    let cut = whole.replace("data: [DONE]", "");
    let log = read(&format!("{whole}{cut}"));
    assert!(warnings(&log).contains("the response that begins here has no end"), "{}", warnings(&log));
    assert_eq!(session(log).records.len(), 1);
    assert!(refusal(&cut, "llama-server").contains("no requests"));
}

#[test]
fn responses_without_timings_cause_a_warning() {
    let log = read(&format!(
        "{}\n{{\"id\":\"x\",\"object\":\"chat.completion\"}}\n",
        text_of("llama_server/chat_completions.json")
    ));
    assert!(
        warnings(&log).contains("log:2: responses without timings were left out; the first is here"),
        "{}",
        warnings(&log)
    );
    assert_eq!(session(log).records.len(), 1);
}

#[test]
fn errors_name_the_place_and_the_problem() {
    let stream =
        text_of("llama_server/chat_completions.sse").replace("\"predicted_ms\":0.001", "\"predicted_ms\":\"x\"");
    assert!(refusal(&stream, "llama-server").starts_with("log:3: invalid type: string \"x\""));
    assert!(refusal("data: {\"timings\": x}\n", "llama-server").starts_with("log:1: expected value"));
    assert!(refusal("[]", "llama-server").contains("no requests"));
}
