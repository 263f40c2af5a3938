//! Ollama.

use llmscope_core::session::Status;
use serde_json::json;

use super::{assert_close, read, refusal, session, text_attribute, text_of, warnings};

#[test]
fn every_response_becomes_a_record_of_the_servers_times() {
    let session = session(read(&text_of("ollama/generate.ndjson")));
    assert_eq!(session.records.len(), 2);
    assert_eq!(
        (session.header.provider.as_deref(), session.header.recorder.as_ref().unwrap().name.as_str()),
        (None, "Ollama")
    );
    let [first, second] = session.records.as_slice() else { panic!("two") };
    assert_eq!(first.model.as_deref(), Some("llama3.2"));
    assert_eq!((first.input_tokens, first.output_tokens, first.tokens_estimated), (Some(26), Some(259), false));
    for (name, value) in [
        ("server_total_s", 10.706818083),
        ("server_load_s", 6.338219291),
        ("server_prefill_s", 0.130079),
        ("server_decode_s", 4.23271),
        ("server_time_per_output_token_s", 4.23271 / 258.0),
    ] {
        assert_eq!(first.attribute(name), Some(value), "{name}");
    }
    assert_eq!(text_attribute(second, "done_reason"), Some("stop"));
}

/// The server's clock includes no network and no queue in front of the server.
#[test]
fn the_servers_times_are_not_the_clients() {
    for record in &session(read(&text_of("ollama/generate.ndjson"))).records {
        assert_eq!((record.ttft_s, record.e2e_s, record.tpot_s), (None, None, None));
    }
}

/// The last object is created at the end.
#[test]
fn a_request_began_its_duration_before_its_last_object() {
    let session = session(read(&text_of("ollama/generate.ndjson")));
    let first = session.records[0].started_at.unwrap();
    assert_eq!(first.to_string(), "2023-08-04T19:22:34.792308917Z");
}

/// A model that is already loaded also has a load duration, of milliseconds: requests are not marked; the attribute can
/// be charted separately.
#[test]
fn a_cold_start_shows_in_its_own_attribute() {
    let records = &session(read(&text_of("ollama/generate.ndjson"))).records;
    assert!(records.iter().all(|record| !record.warmup));
    assert_close(records[0].attribute("server_load_s").unwrap(), 6.3, 0.1);
    assert_close(records[1].attribute("server_load_s").unwrap(), 0.005, 0.001);
}

/// The server omits fields that are zero, and some of its imitations write them: they are not measurements.
#[test]
fn zero_durations_are_absent() {
    let session = session(read(&text_of("ollama/chat.ndjson")));
    assert_eq!(session.records.len(), 1);
    let record = &session.records[0];
    assert!(record.attributes.keys().eq(["done_reason"]), "{:?}", record.attributes);
    assert_eq!((record.output_tokens, record.started_at), (Some(0), None));
    let left_out =
        json!({"model": "m", "created_at": "2026-01-02T03:04:05Z", "response": "", "done": true, "eval_duration": 5})
            .to_string();
    let record = self::session(read(&left_out)).records[0].clone();
    assert_eq!((record.input_tokens, record.output_tokens), (None, None));
    assert_eq!(record.attribute("server_decode_s"), Some(5e-9));
    assert_eq!(record.attribute("server_time_per_output_token_s"), None);
}

#[test]
fn arrays_and_objects_over_many_lines_are_read() {
    let one = json!({"model": "m", "created_at": "2026-01-02T03:04:05Z", "message": {"role": "assistant"}, "done": true, "eval_count": 3, "eval_duration": 4_000_000_000_i64});
    let pretty = serde_json::to_string_pretty(&one).unwrap();
    for text in [json!([one, one]).to_string(), format!("{pretty}\n{pretty}\n")] {
        let log = read(&text);
        assert_eq!(log.tool.name(), "ollama");
        let rates: Vec<_> =
            session(log).records.iter().map(|record| record.attribute("server_time_per_output_token_s")).collect();
        assert_eq!(rates, [Some(2.0), Some(2.0)]);
    }
}

/// A request without a prompt loads the model, or unloads it.
#[test]
fn responses_that_only_load_a_model_are_not_requests() {
    let loads = "{\"model\":\"m\",\"created_at\":\"2026-01-02T03:04:05Z\",\"response\":\"\",\"done\":true,\"done_reason\":\"load\"}\n";
    assert!(refusal(loads, "ollama").contains("no requests"));
    let session = session(read(&format!("{loads}{}", text_of("ollama/generate.ndjson"))));
    assert_eq!(session.records.len(), 2);
}

#[test]
fn an_error_in_a_stream_is_a_failure() {
    let text = text_of("ollama/generate.ndjson");
    let (begun, rest) = text.split_once('\n').unwrap();
    let rest = rest.split_once('\n').unwrap().1;
    let session = session(read(&format!("{begun}\n{{\"error\":\"out of memory\"}}\n{rest}")));
    assert_eq!(session.records.len(), 2);
    let error = session.records[0].error.as_ref().unwrap();
    assert_eq!((session.records[0].status, error.message.as_deref()), (Status::Error, Some("out of memory")));
    assert_eq!(session.records[1].status, Status::Ok);
}

#[test]
fn a_response_without_its_end_is_left_out_with_a_warning() {
    let text = text_of("ollama/generate.ndjson");
    let log = read(&format!("{text}{}\n", text.lines().next().unwrap()));
    assert!(warnings(&log).contains("log:4: the response that begins here has no end"), "{}", warnings(&log));
    assert_eq!(session(log).records.len(), 2);
    assert!(refusal(&text_of("ollama/chat.ndjson").replace("true", "false"), "ollama").contains("\"done\": true"));
}

#[test]
fn every_epoch_of_the_benchmark_becomes_a_record() {
    let session = session(read(&text_of("ollama/bench.csv")));
    assert_eq!(session.records.len(), 2);
    let [first, second] = session.records.as_slice() else { panic!("two") };
    assert_eq!(first.model.as_deref(), Some("gemma3"));
    assert_eq!((first.ttft_s, second.ttft_s), (Some(0.045123), Some(0.044123)));
    assert_eq!((first.input_tokens, first.output_tokens), (Some(128), Some(512)));
    assert_eq!((first.e2e_s, first.tpot_s), (None, None));
    for (name, value) in [
        ("prefill_per_token_s", 78125.0 / 1e9),
        ("generate_per_token_s", 19531.25 / 1e9),
        ("server_load_s", 1.5),
        ("server_total_s", 2.861047625),
        ("model_size_bytes", 4080218931.0),
    ] {
        assert_eq!(first.attribute(name), Some(value), "{name}");
    }
    assert_eq!(text_attribute(first, "quantization"), Some("Q4_K_M"));
    assert_eq!(second.attribute("server_load_s"), Some(0.015));
}

#[test]
fn both_formats_of_the_benchmark_agree() {
    let csv = session(read(&text_of("ollama/bench.csv")));
    let lines = session(read(&text_of("ollama/bench.txt")));
    assert_eq!(csv.records[0].attributes, lines.records[0].attributes);
    assert_eq!(csv.records[0].ttft_s, lines.records[0].ttft_s);
    // In this format, lines count epochs, one per line, not tokens.
    assert_eq!((lines.records[0].input_tokens, lines.records[0].output_tokens), (None, None));
    let environment = lines.header.environment.as_ref().unwrap();
    assert_eq!(
        (environment.os.as_deref(), environment.cpu.as_ref().unwrap().architecture.as_deref()),
        (Some("linux"), Some("amd64"))
    );
}

/// The tool writes 0 for a first chunk without text, and for a model that was already loaded.
#[test]
fn zeros_of_the_benchmark_are_absent() {
    let session = session(read(&text_of("ollama/bench.txt")));
    let second = &session.records[1];
    assert_eq!(second.model.as_deref(), Some("hf.co/unsloth/one:Q4"));
    assert_eq!(
        (second.ttft_s, second.attribute("server_load_s"), second.attribute("prefill_per_token_s")),
        (None, None, None)
    );
    assert_eq!((second.attribute("server_total_s"), text_attribute(second, "family")), (Some(1.961047625), None));
}

#[test]
fn the_benchmark_of_2025_is_read() {
    let session = session(read(&text_of("ollama/bench_2025.txt")));
    assert_eq!(session.records.len(), 1);
    let record = &session.records[0];
    assert_eq!(
        (record.model.as_deref(), record.input_tokens, record.output_tokens),
        (Some("gpt-oss:20b"), Some(128), Some(512))
    );
    assert_eq!((record.ttft_s, record.attribute("server_total_s")), (None, Some(1.51)));
}

#[test]
fn errors_name_the_place_and_the_problem() {
    let json = text_of("ollama/generate.ndjson").replace("\"eval_count\":290", "\"eval_count\":\"x\"");
    assert!(refusal(&json, "ollama").starts_with("log:3: invalid type: string \"x\""));
    let csv = text_of("ollama/bench.csv").replace("45123000", "soon");
    assert!(refusal(&csv, "ollama-bench").starts_with("log:5: \"gemma3,ttft,1,soon,0\" is not a step of an epoch;"));
    let lines = text_of("ollama/bench.txt").replace("45123000", "-1");
    assert!(refusal(&lines, "ollama-bench").starts_with("log:6: "));
    assert!(refusal("NAME,STEP,COUNT,NS_PER_COUNT,TOKEN_PER_SEC\n", "ollama-bench").contains("no requests"));
}
