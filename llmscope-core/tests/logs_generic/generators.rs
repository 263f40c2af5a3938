//! Load generators and benchmarks whose files need little: their values, failures and order.

use llmscope_core::session::Status;

use super::{assert_number, assert_text, read, session, table, text_of, warnings};

#[test]
fn jmeter_rows_start_at_their_time_and_fail_as_the_plan_says() {
    let session = session(read(&text_of("jmeter/results.jtl")));
    let failed = session.records.iter().filter(|record| !record.succeeded()).count();
    let late = session.records.iter().filter(|record| record.status == Status::Timeout).count();
    assert_eq!((session.records.len(), failed, late), (39, 10, 6));
    assert!(session.records.is_sorted_by_key(|record| record.started_at));
    let first = session.records.iter().find(|record| record.succeeded()).unwrap();
    assert_eq!((first.e2e_s, first.attribute("first_byte_s")), (Some(0.115), Some(0.115)));
    let refused = session.records.iter().find(|record| record.status == Status::Error).unwrap();
    assert_eq!(refused.error.as_ref().unwrap().code, Some(503));
}

#[test]
fn hey_rows_are_in_order_of_their_start() {
    let log = read(&text_of("hey/refused.csv"));
    assert!(warnings(&log).contains("hey omits requests without a response"));
    let session = session(log);
    let starts: Vec<f64> = session.records.iter().map(|record| record.attribute("request_start_s").unwrap()).collect();
    assert!(starts.is_sorted() && session.records.iter().all(|record| record.started_at.is_none()));
    let failed = session.records.iter().filter(|record| !record.succeeded()).count();
    assert!(failed > 0 && session.records[0].e2e_s == Some(0.064), "{failed}");
}

#[test]
fn h2load_rows_are_in_microseconds() {
    let session = session(read(&text_of("h2load/refused.log")));
    let failed = session.records.iter().filter(|record| !record.succeeded()).count();
    assert_eq!((session.records.len(), failed), (60, 6));
    assert_eq!(session.records[0].started_at.unwrap().to_string(), "2026-11-28T21:52:40.271156Z");
    assert_eq!(session.records[0].e2e_s, Some(0.069561));
}

#[test]
fn ab_has_no_order_and_its_percentiles_are_a_row() {
    let log = read(&text_of("ab/requests.tsv"));
    assert!(warnings(&log).contains("no order in time"));
    let session = session(log);
    assert!(session.records.iter().all(|record| record.started_at.is_none()));
    assert_eq!((session.records[0].e2e_s, session.header.started_at.is_some()), (Some(0.002), true));
    let percentiles = table(read(&text_of("ab/percentiles.csv")));
    assert_number(&percentiles, "e2e_s.p50", 0, 72.045 / 1e3);
}

#[test]
fn sglang_keeps_its_failures() {
    let session = session(read(&text_of("sglang/details.jsonl")));
    assert_eq!(session.records.len(), 6);
    let first = &session.records[0];
    assert_eq!((first.ttft_s, first.output_tokens), (Some(0.07647200700012036), Some(16)));
    assert!((first.e2e_s.unwrap() - 0.147).abs() < 0.01);
    assert_eq!((session.records[4].status, session.records[4].ttft_s), (Status::Error, None));
    let summary = table(read(&text_of("sglang/summary.jsonl")));
    assert_number(&summary, "e2e_s.p50", 0, 160.07585850013584 / 1e3);
}

#[test]
fn monotonic_clocks_give_durations_and_order() {
    let log = session(read(&text_of("inference_perf/requests.json")));
    let first = &log.records[0];
    assert!((first.e2e_s.unwrap() - 0.156405125).abs() < 1e-9 && (first.ttft_s.unwrap() - 0.09937398).abs() < 1e-9);
    assert_eq!((first.input_tokens, first.output_tokens, first.started_at), (Some(26), Some(16), None));
    let error = log.records[2].error.as_ref().unwrap();
    assert_eq!((error.kind.as_str(), error.code), ("HTTP Error 503", Some(503)));
    let summary = table(read(&text_of("inference_perf/summary.json")));
    assert_number(&summary, "e2e_s.p50", 0, 0.152164);
    let genai = session(read(&text_of("genai_bench/requests.json")));
    assert_eq!((genai.records[0].e2e_s, genai.records[3].status), (Some(0.1451750290000291), Status::Error));
}

#[test]
fn rounds_are_a_sequence_and_repetitions_are_runs() {
    let rounds = session(read(&text_of("pytest_benchmark/short.json")));
    assert_eq!((rounds.records.len(), rounds.records[0].e2e_s), (15, Some(0.1648)));
    for fixture in ["google_benchmark/repetitions.json", "google_benchmark/repetitions.csv"] {
        let runs = table(read(&text_of(fixture)));
        assert!(runs.of_runs && runs.column("e2e_s.mean").is_some(), "{fixture}");
    }
    let runs = table(read(&text_of("google_benchmark/repetitions.csv")));
    assert_eq!(runs.rows(), 4);
    assert_number(&runs, "e2e_s.mean", 0, 2.53546e6 / 1e9);
    assert_text(&runs, "run", 0, "nap/iterations:10/repeats:4/real_time");
    assert!(
        warnings(&read(&text_of("google_benchmark/repetitions.json"))).contains("left out 2 repetitions that failed")
    );
}

#[test]
fn samples_are_divided_by_their_iterations_and_sorted_ones_are_rows() {
    let samples = session(read(&text_of("criterion/linear.json")));
    assert_eq!((samples.records.len(), samples.records[0].e2e_s), (20, Some(5631810.0 / 1e9 / 20.0)));
    let autocannon = read(&text_of("autocannon/refused.json"));
    assert!(warnings(&autocannon).contains("6 requests failed"));
    let autocannon = table(autocannon);
    assert_number(&autocannon, "e2e_s.p50", 0, 0.08);
    assert_number(&autocannon, "failed", 0, 6.0);
    let tinybench = read(&text_of("tinybench/result.json"));
    assert!(warnings(&tinybench).contains("sorts its samples"));
    assert_number(&table(tinybench), "e2e_s.p50", 0, 7.676865000000021 / 1e3);
    let vitest = read(&text_of("vitest/bench.json"));
    assert!(warnings(&vitest).contains("Vitest writes no samples"));
    assert_number(&table(vitest), "e2e_s.p50", 0, 21.231449500000053 / 1e3);
}
