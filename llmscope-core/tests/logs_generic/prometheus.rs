//! Prometheus: results of queries, and snapshots of metrics.

use llmscope_core::Measure;
use llmscope_core::analysis::Selection;
use llmscope_core::ingest::Cell;

use super::{assert_close, assert_number, assert_text, cell, read, refusal, table, text_of, warnings};

#[test]
fn a_range_is_a_row_for_each_sample() {
    let log = read(&text_of("prometheus/median.json"));
    assert!(warnings(&log).contains("the values of 1 series never change"), "{}", warnings(&log));
    let series = Selection { measures: vec![Measure::Column("value".to_owned())], ..Selection::default() };
    let series = series.series([&log]).unwrap();
    assert_eq!(series.len(), 2, "series with other labels are not mixed");
    // Quantiles of a histogram stay the same while all values are in one bucket, from 0.1 to 0.25.
    assert_eq!(series[0].values, [0.175; 8]);
    let table = table(log);
    assert_text(&table, "run", 0, "model_name=large");
    assert_text(&table, "run", 8, "model_name=small");
    assert_text(&table, "timestamp", 0, "2026-11-30T13:56:25Z");
    assert_number(&table, "value", 8, 0.073_557_692_307_692_3);
}

#[test]
fn counters_are_left_out_and_gauges_are_read() {
    let log = read(&text_of("prometheus/raw.json"));
    assert!(warnings(&log).contains("left out vllm_request_success_total: its samples accumulate; query rate("));
    let table = table(log);
    assert_number(&table, "vllm_num_requests_running", 0, 3.0);
    assert!(table.column("vllm_request_success_total").is_none());
    // A gauge may have the ending of a counter.
    let gauge = text_of("prometheus/raw.json").replace("vllm_num_requests_running", "requests_running_total");
    assert_number(&super::table(read(&gauge)), "requests_running_total", 1, 2.0);
}

#[test]
fn instants_and_absent_values_are_read() {
    let instant = r#"{"status":"success","data":{"resultType":"vector","result":[
        {"metric":{"a":"x"},"value":[1796046910.313,"NaN"]},{"metric":{"a":"y"},"value":[1796046910.313,"2.5"]}]}}"#;
    let table = table(read(instant));
    assert_eq!(cell(&table, "value", 0), &Cell::Missing);
    assert_number(&table, "value", 1, 2.5);
    assert_text(&table, "timestamp", 1, "2026-11-30T13:55:10.313Z");
}

#[test]
fn refused_queries_and_faults_are_errors() {
    let refused = r#"{"status":"error","errorType":"bad_data","error":"1:6: parse error: unclosed left parenthesis"}"#;
    let error = refusal(refused, "prometheus");
    assert!(error.contains("refused the query (bad_data: 1:6: parse error"), "{error}");
    let scalar = r#"{"status":"success","data":{"resultType":"scalar","result":[1796046910.313,"1"]}}"#;
    assert!(refusal(scalar, "prometheus").contains("a result of the type \"scalar\" has no series"));
    let empty = r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#;
    assert!(refusal(empty, "prometheus").contains("no requests; query a range in which the metric has samples"));
    let text = text_of("prometheus/median.json").replacen("\"0.175\"", "\"x\"", 1);
    assert!(refusal(&text, "prometheus").contains("\"x\" is not a number"));
    let late = text_of("prometheus/median.json").replacen("[1796046985", "[1e300", 1);
    assert!(refusal(&late, "prometheus").contains("is not a time in seconds since 1970"));
}

#[test]
fn a_snapshot_has_means_of_histograms_and_summaries() {
    for fixture in ["prometheus/metrics.prom", "prometheus/openmetrics.txt"] {
        let log = read(&text_of(fixture));
        let messages = warnings(&log);
        assert!(messages.contains("covers all requests since the process began"), "{messages}");
        assert!(messages.contains("samples of counters and gauges"), "{messages}");
        let runs = table(log);
        assert!(runs.of_runs && runs.rows() == 3, "{runs:?}");
        let row = (0..3).find(|&row| cell(&runs, "model", row) == &Cell::Text("large".to_owned())).unwrap();
        // Uniform from 0.1 to 0.2 s.
        let Cell::Number(mean) = cell(&runs, "server_time_to_first_token_s.mean", row) else { panic!("{runs:?}") };
        assert_close(*mean, 0.15, 0.005);
    }
    let runs = table(read(&text_of("prometheus/metrics.prom")));
    let of_summary = (0..3).find(|&row| cell(&runs, "model", row) == &Cell::Missing).unwrap();
    assert_number(&runs, "queue_wait_seconds.mean", of_summary, 10.535_367_164_440_073 / 948.0);
    let summary = "# TYPE x summary\nx{quantile=\"0.99\"} 0.5\nx{quantile=\"0.5\"} 0.25\nx_sum 3\nx_count 10\n";
    let runs = table(read(summary));
    assert_number(&runs, "x.p99", 0, 0.5);
    assert_number(&runs, "x.p50", 0, 0.25);
    assert_number(&runs, "x.mean", 0, 0.3);
}

#[test]
fn a_snapshot_without_a_measurement_is_an_error() {
    let counters = "# TYPE a_total counter\na_total 26\n";
    assert!(refusal(counters, "prometheus-text").contains("no histogram and no summary has a measurement"));
    let unused = "# TYPE a histogram\na_sum 0\na_count 0\n";
    assert!(refusal(unused, "prometheus-text").contains("no histogram and no summary has a measurement"));
    let text = text_of("prometheus/metrics.prom").replace(",model_name=\"small\"} 474.0", ",model_name=\"small} 474.0");
    let error = refusal(&text, "prometheus-text");
    assert!(error.contains("is not a sample of a metric") && error.starts_with("log:"), "{error}");
}
