//! Load generators and benchmarks whose files need little: their values, failures and order.

use llmscope_core::RequestRecord;
use llmscope_core::ingest::Cell;
use llmscope_core::session::Status;
use serde_json::Value;

use super::{
    altered, assert_number, assert_text, cell, read, refusal, session, table, text_attribute, text_of, warnings,
};

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
fn jmeter_rows_without_a_header_are_read_by_their_places() {
    for fixture in ["jmeter/results.jtl", "jmeter/transactions.jtl"] {
        let text = text_of(fixture);
        let (_, rows) = text.split_once('\n').unwrap();
        let log = read(rows);
        assert!(warnings(&log).contains("no header: the columns are taken by their places"), "{}", warnings(&log));
        assert_eq!(session(log).records, session(read(&text)).records, "{fixture}");
    }
    let five = "1767607200000,320,POST,503,busy,tg 1-1,text,false,,89,10,4,4,http://h/r,310,0,12\n\
                1767607201000,340,POST,200,OK,tg 1-1,text,true,,89,10,4,4,http://h/r,330,0,2\n";
    let log = session(read(five));
    let records = &log.records;
    assert_eq!(
        (records[1].e2e_s, records[1].attribute("first_byte_s"), records[1].connect_s),
        (Some(0.34), Some(0.33), Some(0.002))
    );
    assert_eq!(records[0].error.as_ref().unwrap().code, Some(503));
    // Other columns: only the first ones and the verdict have known places.
    let few = "1767607200000,320,POST,503,tg 1-1,false,7\n1767607201000,340,POST,200,tg 1-1,true,7\n";
    let log = session(read(few));
    let records = &log.records;
    assert_eq!((records[0].succeeded(), records[1].e2e_s), (false, Some(0.34)));
    let error = refusal(&five.replace(",340,", ",x,"), "jmeter");
    assert!(error.starts_with("log:2: elapsed: \"x\""), "{error}");
}

#[test]
fn jmeter_xml_has_the_counts_of_the_tool() {
    let samples = session(read(&text_of("jmeter/samples.xml")));
    let failed = samples.records.iter().filter(|record| !record.succeeded()).count();
    // JMeter's mean, 92 ms, includes failures.
    let took = |record: &RequestRecord| record.e2e_s.or_else(|| record.attribute("failed_after_s")).unwrap();
    let mean = samples.records.iter().map(took).sum::<f64>() / 40.0;
    assert_eq!((samples.records.len(), failed, (mean * 1e3).floor()), (40, 5, 92.0));
    assert!(samples.records.is_sorted_by_key(|record| record.started_at));
    let first = &samples.records[0];
    let error = first.error.as_ref().unwrap();
    assert_eq!((error.code, text_attribute(first, "label")), (Some(503), Some("GET \"r\" & more")));
    let late = samples.records.iter().filter(|record| record.status == Status::Timeout).count();
    assert!(late > 0, "a timeout is one: {:?}", samples.records);
}

#[test]
fn transactions_of_jmeter_are_not_counted_next_to_their_samples() {
    for fixture in ["jmeter/transactions.xml", "jmeter/transactions.jtl"] {
        let log = read(&text_of(fixture));
        assert!(warnings(&log).contains("left out 40 transactions"), "{fixture}: {}", warnings(&log));
        assert_eq!(session(log).records.len(), 40, "{fixture}");
    }
    let parents = read(&text_of("jmeter/parents.xml"));
    assert_eq!(warnings(&parents), "");
    let parents = session(parents);
    assert_eq!((parents.records.len(), text_attribute(&parents.records[0], "label")), (40, Some("both")));
}

#[test]
fn jmeter_xml_names_the_place_of_a_fault() {
    let text = text_of("jmeter/samples.xml");
    let error = refusal(&text.replacen("ts=\"1", "ts=\"x", 1), "jmeter-xml");
    assert!(error.starts_with("log:3: timeStamp: "), "{error}");
    let error = refusal(&text.replacen("t=\"118\"", "t=118", 1), "jmeter-xml");
    assert!(error.starts_with("log:3: a tag is not well-formed XML"), "{error}");
    let unknown = read(&text.replace(" s=\"", " success=\""));
    assert!(warnings(&unknown).contains("40 samples without a value of success: whether it failed is not known"));
    let error = refusal("<testResults version=\"1.2\"></testResults>", "jmeter-xml");
    assert!(error.contains("no requests; give the results of a test"), "{error}");
    let assertion = "<testResults><sample t=\"5\" ts=\"1796046577410\" s=\"false\" rc=\"200\"><assertionResult>\
        <failureMessage>too &lt;short&gt;</failureMessage></assertionResult></sample></testResults>";
    let failed = session(read(assertion));
    let error = failed.records[0].error.as_ref().unwrap();
    assert!(error.message.as_deref().unwrap_or_default().contains("too <short>"), "{error:?}");
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
    let summary = read(&text_of("sglang/summary.jsonl"));
    assert!(warnings(&summary).contains("counts only completed requests"));
    let summary = table(summary);
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

#[test]
fn autocannon_counts_requests_without_a_response() {
    let log = read(&text_of("autocannon/timeouts.json"));
    assert!(warnings(&log).contains("18 requests failed (12 other than 2xx, 6 errors, 6 of them timeouts)"));
    let runs = table(log);
    // `requests.total` is 114: the responses.
    assert_number(&runs, "requests", 0, 120.0);
    assert_number(&runs, "failed", 0, 18.0);
    assert_number(&runs, "e2e_s.p99", 0, 0.087);
    let log = read(&text_of("autocannon/cut_off.json"));
    assert!(warnings(&log).contains("cut off 4 requests"));
    let runs = table(log);
    assert_number(&runs, "requests", 0, 123.0);
    assert_number(&runs, "failed", 0, 16.0);
    // A server that is down: 7612 refused connections, and statistics that are zeros.
    let down = [
        ("/errors", 7612.into()),
        ("/non2xx", 0.into()),
        ("/timeouts", 0.into()),
        ("/requests/total", 0.into()),
        ("/requests/sent", 0.into()),
    ];
    let runs = table(read(&altered("autocannon/timeouts.json", &down)));
    assert_number(&runs, "requests", 0, 7612.0);
    assert_number(&runs, "failed", 0, 7612.0);
    assert!(runs.column("e2e_s.p50").is_none(), "{runs:?}");
}

#[test]
fn aggregates_of_repetitions_are_one_row_for_each_benchmark() {
    for fixture in ["google_benchmark/aggregates.json", "google_benchmark/aggregates.csv"] {
        let log = read(&text_of(fixture));
        assert!(warnings(&log).contains("left out 3 repetitions that failed"), "{fixture}");
        let runs = table(log);
        assert_eq!(runs.rows(), 2, "{fixture}");
        assert_text(&runs, "run", 1, "nap/2/iterations:20/real_time");
        assert_number(&runs, "repetitions", 1, 3.0);
        for statistic in ["mean", "p50", "std"] {
            assert!(
                matches!(cell(&runs, &format!("e2e_s.{statistic}"), 1), Cell::Number(s) if *s < 0.003),
                "{fixture}"
            );
        }
    }
    let skipped = altered("google_benchmark/repetitions.json", &[("/benchmarks/0/skipped", true.into())]);
    let log = read(&skipped);
    assert!(warnings(&log).contains("left out 1 repetition that the benchmark skipped"));
    assert_eq!(table(log).rows() + 1, table(read(&text_of("google_benchmark/repetitions.json"))).rows());
}

#[test]
fn estimates_are_a_row_and_the_file_lacks_its_name() {
    let log = read(&text_of("criterion/estimates.json"));
    assert!(warnings(&log).contains("does not name the benchmark"));
    let runs = table(log);
    assert_number(&runs, "e2e_s.p50", 0, 121_352.575_833_333_34 / 1e9);
    assert_number(&runs, "e2e_s.std", 0, 85_215.649_754_369_94 / 1e9);
    // In flat sampling mode there is no slope.
    let flat = table(read(&altered("criterion/estimates.json", &[("/slope", Value::Null)])));
    assert!(flat.of_runs && flat.column("time_per_iteration_s").is_none());
}

#[test]
fn evalscope_summaries_have_units_in_their_names() {
    let runs = table(read(&text_of("evalscope/summary.json")));
    assert_number(&runs, "requests", 0, 60.0);
    assert_number(&runs, "failed", 0, 6.0);
    assert_number(&runs, "concurrency", 0, 4.0);
    assert_number(&runs, "e2e_s.mean", 0, 0.7553);
    assert_number(&runs, "ttft_s.mean", 0, 655.7 / 1e3);
    assert_number(&runs, "tpot_s.mean", 0, 6.64 / 1e3);
    // A rate of -1 means that there is none.
    assert!(runs.column("request_rate_per_s").is_none());
    let older = r#"{"Time taken for tests (s)": 40.4, "Number of concurrency": 8, "Total requests": 50,
        "Failed requests": 2, "Average latency (s)": 1.5, "Average time to first token (s)": 0.25}"#;
    let runs = table(read(older));
    assert_number(&runs, "ttft_s.mean", 0, 0.25);
    assert_number(&runs, "failed", 0, 2.0);
    let log = read(&text_of("evalscope/percentiles.json"));
    assert!(warnings(&log).contains("percentiles of successful requests"));
    let runs = table(log);
    assert_number(&runs, "ttft_s.p10", 0, 48.5909 / 1e3);
    assert_number(&runs, "e2e_s.min", 0, 0.1263);
}
