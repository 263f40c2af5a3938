//! hyperfine.

use llmscope_core::session::{AttributeValue, Status};
use llmscope_core::stats::{QuantileMethod, Sorted};
use serde_json::{Value, json};

use super::{assert_close, assert_number, assert_text, read, refusal, run_of, session, table, text_of, warnings};

#[test]
fn every_run_becomes_a_record_of_its_command() {
    let session = session(read(&text_of("hyperfine/runs.json")));
    assert_eq!(session.header.recorder.as_ref().unwrap().name, "hyperfine");
    let runs: Vec<_> = session.records.iter().map(|record| run_of(record).unwrap()).collect();
    assert_eq!(runs, [["echo"; 8], ["sleep10ms"; 8]].concat());
    let first = &session.records[0];
    assert_eq!((first.status, first.e2e_s), (Status::Ok, Some(0.0033703160000000004)));
    assert_eq!((first.ttft_s, first.started_at, first.model.as_deref()), (None, None, None));
}

#[test]
fn the_runs_have_the_statistics_that_the_tool_computed() {
    let text = text_of("hyperfine/runs.json");
    let report: Value = serde_json::from_str(&text).unwrap();
    let records = &session(read(&text)).records;
    for result in report["results"].as_array().unwrap() {
        let of_command = records.iter().filter(|record| run_of(record) == result["command"].as_str());
        let times: Vec<f64> = of_command.filter_map(|record| record.e2e_s).collect();
        assert_eq!(times.len(), 8);
        assert_close(llmscope_core::stats::mean(&times).unwrap(), result["mean"].as_f64().unwrap(), 1e-15);
        let sorted = Sorted::of(&times);
        let quantile = |p| sorted.quantile(p, QuantileMethod::HyndmanFan7).unwrap();
        assert_close(quantile(0.5), result["median"].as_f64().unwrap(), 1e-15);
        assert_eq!(quantile(0.0), result["min"].as_f64().unwrap());
        assert_eq!(quantile(1.0), result["max"].as_f64().unwrap());
    }
}

/// A command that fails immediately would be the fastest of all.
#[test]
fn a_run_that_failed_has_no_latency() {
    let records = session(read(&text_of("hyperfine/parameters.json"))).records.clone();
    let failed: Vec<_> = records.iter().filter(|record| record.status == Status::Error).collect();
    assert_eq!(failed.len(), 6);
    for record in failed {
        assert!(run_of(record).unwrap().starts_with("false"));
        let error = record.error.as_ref().unwrap();
        assert_eq!((record.e2e_s, error.kind.as_str(), error.code), (None, "exit 1", Some(1)));
    }
}

#[test]
fn a_command_with_parameters_is_a_run_for_each_of_their_values() {
    let records = session(read(&text_of("hyperfine/parameters.json"))).records.clone();
    let runs: Vec<_> = records.iter().step_by(3).map(|record| run_of(record).unwrap()).collect();
    assert_eq!(runs, ["false (n=1)", "sleep 0.01", "false (n=2)", "sleep 0.02"]);
    assert_eq!(records[3].attributes.get("parameter_n"), Some(&AttributeValue::Text("1".to_owned())));
    let table = table(read(&text_of("hyperfine/parameters.csv")));
    assert_text(&table, "run", 2, "false (n=2)");
    assert_text(&table, "parameter_n", 2, "2");
}

#[test]
fn older_and_newer_versions_are_read() {
    let result = |more: Value| {
        let mut result = json!({"command": "a", "mean": 1.0, "stddev": null, "median": 1.0, "user": 0.0, "system": 0.0,
            "min": 1.0, "max": 1.0, "times": [1.0]});
        result.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"results": [result]}).to_string()
    };
    // Files before 1.12 have no exit codes.
    assert_eq!(session(read(&result(json!({})))).records[0].e2e_s, Some(1.0));
    let newer = result(json!({"exit_codes": [null], "memory_usage_byte": [2048]}));
    let record = session(read(&newer)).records[0].clone();
    assert_eq!((record.status, record.error.unwrap().kind.as_str()), (Status::Error, "signal"));
    assert_eq!(record.attributes.get("memory_usage_bytes"), Some(&AttributeValue::Number(2048.0)));
    let wrong = refusal(&result(json!({"exit_codes": [0, 0]})), "hyperfine");
    assert!(wrong.starts_with("log: results[0].exit_codes: found 2 entries for 1 time;"), "{wrong}");
}

#[test]
fn statistics_alone_become_rows_of_runs_in_seconds() {
    let csv = table(read(&text_of("hyperfine/commands.csv")));
    assert!(csv.of_runs);
    assert_eq!(csv.lines, [2, 3]);
    assert_text(&csv, "run", 1, "sleep10ms");
    for (name, value) in [
        ("e2e_s.mean", 0.03445992362500001),
        ("e2e_s.std", 0.010479500343077526),
        ("e2e_s.p50", 0.0321589215),
        ("e2e_s.min", 0.023133021),
        ("e2e_s.max", 0.056055365),
        ("user_s.mean", 0.001078375),
        ("system_s.mean", 0.00019262499999999998),
    ] {
        assert_number(&csv, name, 1, value);
    }
}

#[test]
fn the_rounding_of_the_printed_table_is_a_warning() {
    let log = read(&text_of("hyperfine/commands.md"));
    assert!(warnings(&log).contains("rounded"));
    let table = table(log);
    assert_text(&table, "run", 0, "echo");
    assert_number(&table, "e2e_s.mean", 1, 34.5 / 1e3);
    assert_number(&table, "e2e_s.std", 1, 10.5 / 1e3);
    assert_number(&table, "e2e_s.min", 1, 23.1 / 1e3);
    assert_number(&table, "e2e_s.max", 1, 56.1 / 1e3);
}

#[test]
fn a_pipe_in_a_command_does_not_end_a_cell() {
    let table = table(read(&text_of("hyperfine/bars.md")));
    assert_text(&table, "run", 0, "sh -c \"echo a | cat; kill -9 $$\"");
    assert_number(&table, "e2e_s.mean", 1, 1.0114);
}

#[test]
fn the_unit_of_the_printed_table_is_converted() {
    for (unit, mean) in [("s", 34.5), ("ms", 0.0345), ("µs", 34.5 / 1e6)] {
        let text = text_of("hyperfine/commands.md").replace("[ms]", &format!("[{unit}]"));
        assert_number(&table(read(&text)), "e2e_s.mean", 1, mean);
    }
}

/// A single run has no standard deviation: the table omits it, the CSV has 0.
#[test]
fn a_single_run_has_no_deviation() {
    let csv = "command,mean,stddev,median,user,system,min,max\na,1.5,0,1.5,0,0,1.5,1.5\n";
    assert!(table(read(csv)).column("e2e_s.std").is_none());
    let markdown = "| Command | Mean [s] | Min [s] | Max [s] | Relative |\n|:---|---:|---:|---:|---:|\n| `a` | 1.500 | 1.500 | 1.500 | 1.00 |\n";
    assert!(table(read(markdown)).column("e2e_s.std").is_none());
}

#[test]
fn errors_name_the_place_and_the_problem() {
    let csv = text_of("hyperfine/commands.csv").replace("0.0321589215", "often");
    assert!(refusal(&csv, "hyperfine-csv").starts_with("log:3: median: \"often\" is not a number;"));
    let markdown = text_of("hyperfine/commands.md").replace("| 23.1 |", "| ? |");
    assert!(refusal(&markdown, "hyperfine-markdown").starts_with("log:4: Min: \"?\" is not a number;"));
    assert!(refusal("{\"results\": []}", "hyperfine").contains("no requests"));
    assert!(refusal("{\"results\": [{\"command\": 1}]}", "hyperfine").starts_with("log:1: invalid type: integer `1`"));
}
