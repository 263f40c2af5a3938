//! llama-bench.

use llmscope_core::ingest::Cell;
use serde_json::{Value, json};

use super::{
    assert_close, assert_number, assert_text, cell, read, refusal, run_of, session, table, text_attribute, text_of,
};

/// A test as the tool writes it, with some fields replaced.
fn a_test(differing: &[(&str, Value)]) -> Value {
    let mut test = json!({
        "build_commit": "5c0eb5ef", "build_number": 6123, "cpu_info": "AMD EPYC", "gpu_info": "NVIDIA L4, NVIDIA L4",
        "backends": "CUDA", "model_filename": "m/one.gguf", "model_type": "llama 8B Q4_K - Medium", "model_size": 1,
        "model_n_params": 1, "n_threads": 4, "cpu_strict": false, "type_k": "f16", "n_prompt": 0, "n_gen": 16,
        "n_depth": 0, "test_time": "2026-01-02T03:04:05Z", "avg_ns": 1, "stddev_ns": 0, "avg_ts": 1.0,
        "stddev_ts": 0.0, "samples_ns": [320_000_000], "samples_ts": [50.0]
    });
    for (name, value) in differing {
        test[*name] = value.clone();
    }
    test
}

#[test]
fn every_repetition_becomes_a_record_of_its_test() {
    let session = session(read(&text_of("llama_bench/tests.json")));
    let runs: Vec<_> = session.records.iter().map(|record| run_of(record).unwrap()).collect();
    assert_eq!(runs, [["pp64"; 5], ["tg16"; 5]].concat());
    let first = &session.records[0];
    assert_eq!(first.attribute("prompt_eval_s"), Some(0.047294488));
    assert_eq!(first.attribute("prompt_tokens_per_s"), Some(1353.22));
    assert_eq!((first.input_tokens, first.output_tokens, first.tokens_estimated), (Some(64), None, false));
    assert_eq!(first.model.as_deref(), Some("tiny.gguf"));
    let sixth = &session.records[5];
    assert_eq!(sixth.tpot_s, Some(129979698.0 / 16.0 / 1e9));
    assert_eq!(sixth.attribute("generation_s"), Some(0.129979698));
    assert_eq!(sixth.attribute("generated_tokens_per_s"), Some(123.096));
    assert_eq!((sixth.input_tokens, sixth.output_tokens), (None, Some(16)));
}

#[test]
fn what_holds_for_all_tests_is_in_the_header() {
    let header = &session(read(&text_of("llama_bench/tests.json"))).header;
    let environment = header.environment.as_ref().unwrap();
    assert_eq!(environment.cpu.as_ref().unwrap().model.as_deref(), Some("AMD EPYC"));
    assert!(environment.gpus.is_empty());
    assert_eq!(header.started_at.unwrap().to_string(), "2026-11-23T08:00:48Z");
    assert_eq!((header.provider.as_deref(), header.model.as_deref()), (None, None));
    for (name, value) in
        [("backends", "CPU"), ("n_threads", "1"), ("n_gpu_layers", "-1"), ("model_type", "llama ?B all F32")]
    {
        assert_eq!(header.labels.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert!(!header.labels.contains_key("avg_ns") && !header.labels.contains_key("gpu_info"));
}

#[test]
fn a_build_that_is_not_known_is_left_out_and_a_known_one_is_not() {
    let of = |text: &str| session(read(text)).header.clone();
    let unknown = of(&text_of("llama_bench/tests.jsonl"));
    assert_eq!(unknown.recorder.unwrap().version, None);
    let known = of(&json!([a_test(&[])]).to_string());
    assert_eq!(known.recorder.unwrap().version.as_deref(), Some("6123 (5c0eb5ef)"));
    let environment = known.environment.unwrap();
    assert_eq!(environment.engine.unwrap().name, "llama.cpp");
    let gpus: Vec<_> = environment.gpus.iter().map(|gpu| gpu.name.as_str()).collect();
    assert_eq!(gpus, ["NVIDIA L4", "NVIDIA L4"]);
}

/// Only the engine was measured: there was no request, no first token and no end of a response.
#[test]
fn prompt_processing_is_not_the_time_to_first_token() {
    for fixture in ["llama_bench/tests.json", "llama_bench/tests.jsonl"] {
        for record in &session(read(&text_of(fixture))).records {
            assert_eq!((record.ttft_s, record.e2e_s, record.started_at), (None, None, None));
            let is_prompt = run_of(record) == Some("pp64");
            assert_eq!(record.tpot_s.is_none(), is_prompt);
            assert_eq!(record.attribute("prompt_eval_s").is_some(), is_prompt);
        }
    }
}

#[test]
fn the_samples_have_the_mean_that_the_tool_computed() {
    for fixture in ["llama_bench/tests.json", "llama_bench/tests.jsonl"] {
        let records = &session(read(&text_of(fixture))).records;
        let mean = |name: &str| {
            let values: Vec<f64> = records.iter().filter_map(|record| record.attribute(name)).collect();
            assert_eq!(values.len(), 5);
            values.iter().sum::<f64>() / 5.0
        };
        let (prompt_ns, prompt_ts, generation_ns, generation_ts) = if fixture.ends_with('l') {
            (95411677.0, 755.143497, 152066918.0, 107.308077)
        } else {
            (58731527.0, 1246.963095, 124538215.0, 158.059276)
        };
        assert_close(mean("prompt_eval_s"), prompt_ns / 1e9, 1e-9);
        assert_close(mean("prompt_tokens_per_s"), prompt_ts, 0.01);
        assert_close(mean("generation_s"), generation_ns / 1e9, 1e-9);
        assert_close(mean("generated_tokens_per_s"), generation_ts, 0.01);
    }
}

#[test]
fn tests_that_differ_in_a_setting_are_runs_of_their_own() {
    let tests = json!([
        a_test(&[]),
        a_test(&[("n_threads", json!(8)), ("n_depth", json!(512))]),
        a_test(&[
            ("n_prompt", json!(64)),
            ("samples_ns", json!([400_000_000])),
            ("model_filename", json!("m/two.gguf"))
        ]),
    ]);
    let session = session(read(&tests.to_string()));
    let runs: Vec<_> = session.records.iter().map(|record| run_of(record).unwrap()).collect();
    assert_eq!(runs, ["tg16, n_threads=4", "tg16 @ d512, n_threads=8", "pp64+tg16, n_threads=4"]);
    assert_eq!(session.records[1].attribute("n_threads"), Some(8.0));
    assert_eq!(session.records[1].attribute("n_depth"), Some(512.0));
    assert_eq!(session.header.labels.get("n_threads"), None);
    let both = &session.records[2];
    assert_eq!(both.attribute("prompt_and_generation_s"), Some(0.4));
    assert_eq!((both.tpot_s, both.input_tokens, both.output_tokens), (None, Some(64), Some(16)));
    assert_eq!(both.model.as_deref(), Some("m/two.gguf"));
}

/// Results that were appended day after day: the build may explain a shift and does not split the chart.
#[test]
fn another_build_continues_the_same_run() {
    let text =
        format!("{}\n{}\n", a_test(&[]), a_test(&[("build_commit", json!("9f1e")), ("build_number", json!(6200))]));
    let session = session(read(&text));
    let of = |index: usize| (run_of(&session.records[index]), text_attribute(&session.records[index], "build_commit"));
    assert_eq!([of(0), of(1)], [(Some("tg16"), Some("5c0eb5ef")), (Some("tg16"), Some("9f1e"))]);
    assert_eq!(session.header.recorder.as_ref().unwrap().version, None);
}

/// Fields of later releases are settings like the others; fields that earlier releases lack are optional.
#[test]
fn releases_with_more_and_with_fewer_fields_are_read() {
    let mut test = a_test(&[("a_new_mode", json!("fast"))]);
    for name in ["n_depth", "cpu_strict", "samples_ts", "model_type", "test_time"] {
        test.as_object_mut().unwrap().remove(name);
    }
    let session = session(read(&json!([test]).to_string()));
    assert_eq!(session.header.labels.get("a_new_mode").map(String::as_str), Some("fast"));
    assert_eq!(session.records[0].tpot_s, Some(0.02));
    assert_eq!(session.records[0].attribute("generated_tokens_per_s"), None);
}

#[test]
fn without_samples_each_test_is_a_row_of_runs() {
    for (fixture, line, means) in [
        ("llama_bench/tests.csv", 2, [61377612.0, 29712913.0, 109901206.0, 37776158.0]),
        ("llama_bench/tests.sql", 46, [67714358.0, 16127743.0, 119737032.0, 26939367.0]),
    ] {
        let table = table(read(&text_of(fixture)));
        assert!(table.of_runs);
        assert_eq!(table.lines, [line, line + 1], "{fixture}");
        let [prompt, prompt_std, generation, generation_std] = means;
        assert_text(&table, "run", 0, "pp64");
        assert_text(&table, "run", 1, "tg16");
        assert_text(&table, "model", 1, "tiny.gguf");
        assert_number(&table, "prompt_eval_s.mean", 0, prompt / 1e9);
        assert_number(&table, "prompt_eval_s.std", 0, prompt_std / 1e9);
        assert_number(&table, "tpot_s.mean", 1, generation / 16.0 / 1e9);
        assert_number(&table, "tpot_s.std", 1, generation_std / 16.0 / 1e9);
        assert_eq!(cell(&table, "tpot_s.mean", 0), &Cell::Missing);
        assert_eq!(cell(&table, "prompt_eval_s.mean", 1), &Cell::Missing);
        assert_number(&table, "n_threads", 1, 1.0);
        assert_text(&table, "backends", 1, "CPU");
    }
    let csv = table(read(&text_of("llama_bench/tests.csv")));
    assert_text(&csv, "started_at", 0, "2026-11-23T08:00:51Z");
    assert_number(&csv, "generated_tokens_per_s.mean", 1, 158.255424);
}

#[test]
fn the_printed_table_gives_rates_only() {
    let text = text_of("llama_bench/tests.md");
    let table = table(read(&text));
    assert_eq!(table.lines, [3, 4]);
    assert_text(&table, "run", 0, "pp64");
    assert_number(&table, "prompt_tokens_per_s.mean", 0, 1117.08);
    assert_number(&table, "generated_tokens_per_s.mean", 1, 139.96);
    assert_number(&table, "generated_tokens_per_s.std", 1, 53.47);
    assert_text(&table, "model", 1, "llama ?B all F32");
    assert_number(&table, "threads", 1, 1.0);
    // The mean of rates determines no mean time: their reciprocals have another mean.
    assert!(table.column("tpot_s.mean").is_none());
}

#[test]
fn messages_of_the_engine_before_its_table_are_skipped() {
    let text = format!("ggml_cuda_init: found 1 CUDA devices:\n{}", text_of("llama_bench/tests.md"));
    let log = read(&text);
    assert_eq!(log.tool.name(), "llama-bench-markdown");
    assert_eq!(table(log).lines, [4, 5]);
}

#[test]
fn errors_name_the_place_and_the_problem() {
    let csv = text_of("llama_bench/tests.csv").replace("\"109901206\"", "\"soon\"");
    assert!(refusal(&csv, "llama-bench-csv").starts_with("log:3: avg_ns: \"soon\" is not a number;"));
    let sql = text_of("llama_bench/tests.sql").replacen("'unknown', ", "", 1);
    assert!(refusal(&sql, "llama-bench-sql").starts_with("log:46: the row's names and values do not match"));
    let markdown = text_of("llama_bench/tests.md").replace("139.96 ±", "139.96");
    assert!(refusal(&markdown, "llama-bench-markdown").starts_with("log:4: t/s: \"139.96 53.47\""));
    let json = json!([a_test(&[("samples_ns", json!(["x"]))])]).to_string();
    assert!(refusal(&json, "llama-bench").starts_with("log:1: invalid type: string \"x\""));
}

#[test]
fn a_file_without_repetitions_is_an_error() {
    assert!(refusal("[]", "llama-bench").starts_with("log: no requests; "));
    let none = json!([a_test(&[("samples_ns", json!([]))])]).to_string();
    assert!(refusal(&none, "llama-bench").contains("(-r 1 or more)"));
    let csv = text_of("llama_bench/tests.csv");
    let header = csv.split_inclusive('\n').next().unwrap();
    assert!(refusal(header, "llama-bench-csv").contains("no requests"));
    assert!(refusal("| model | test | t/s |\n", "llama-bench-markdown").contains("no requests"));
}
