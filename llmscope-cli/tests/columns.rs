//! What a column means on the command line: its unit, its direction, its subgroups.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::fs;
use std::process::{Command, Output};

use serde_json::Value;

fn file(name: &str) -> String {
    format!("{}/tests/columns/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Runs a command line. Words that end like a data file are files of these tests.
fn run(line: &str) -> Output {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("llmscope"));
    command.env_remove("NO_COLOR").env_remove("COLUMNS").env_remove("CLICOLOR_FORCE");
    let is_file = |word: &str| [".csv", ".json", ".jsonl"].iter().any(|end| word.ends_with(end)) && !word.contains('/');
    let words = line.split(' ').map(|word| if is_file(word) { file(word) } else { word.replace('·', " ") });
    command.args(words).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn report(line: &str) -> Value {
    let output = run(&format!("{line} --json"));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{line}: {error}: {}", stderr(&output)))
}

#[track_caller]
fn refused(line: &str, problem: &str) {
    let output = run(line);
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{line}: {message}");
    assert!(message.contains(problem), "{line}: {message}");
}

#[test]
fn a_slower_throughput_fails_the_gate_under_any_name() {
    for column in ["tps", "tokens_per_sec", "requests_per_s"] {
        for (candidate, status) in [("throughput-slower.csv", 1), ("throughput-faster.csv", 0)] {
            let output = run(&format!("gate throughput-base.csv {candidate} --column {column}"));
            assert_eq!(output.status.code(), Some(status), "{column} {candidate}: {}", stderr(&output));
            let note = format!("{column}: higher is better, a guess from its name");
            assert!(stderr(&output).contains(&note), "{}", stderr(&output));
        }
    }
}

#[test]
fn a_stated_direction_decides_and_is_not_a_guess() {
    let line = "gate throughput-base.csv throughput-faster.csv --column tps --lower-is-better tps --strict";
    let output = run(line);
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(1), ""));
    let output = run(&line.replace("lower", "higher"));
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    refused("gate throughput-base.csv throughput-faster.csv --column tps --strict", "--strict: tps: higher is better");
    refused("analyze throughput-base.csv --column tps --strict", "--strict: tps: higher is better");
    refused("analyze throughput-base.csv --column tps --higher-is-better tsp", "tsp");
    refused("analyze throughput-base.csv --column tps --higher-is-better tps --lower-is-better tps", "not both");
}

#[test]
fn the_verdict_knows_the_direction() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.csv");
    let value = |row: u32| 100.0 + f64::from(row * 7 % 10) - if row < 40 { 0.0 } else { 50.0 };
    let rows: String = (0..80).map(|row| format!("{0},{0},{0}\n", value(row))).collect();
    fs::write(&path, format!("tok_s,latency_ms,x\n{rows}")).unwrap();
    let path = path.display();
    for (column, status, direction) in [("tok_s", 1, "worse"), ("latency_ms", 0, "better"), ("x", 1, "unknown")] {
        let line = format!("analyze {path} --column {column}");
        assert_eq!(report(&line)["analyses"][0]["answer"]["direction"], direction);
        let output = run(&line);
        assert_eq!(output.status.code(), Some(status), "{column}");
        assert!(stderr(&output).contains(&format!("note: {column}: ")), "{}", stderr(&output));
    }
    let page = String::from_utf8(run(&format!("report {path} --column x")).stdout).unwrap();
    assert!(page.contains("x: whether higher or lower is better is unknown; use --higher-is-better x"), "{page}");
    let stated = report(&format!("analyze {path} --column x --lower-is-better x"));
    assert_eq!(stated["analyses"][0]["answer"]["direction"], "better");
}

#[test]
fn a_shift_either_way_fails_the_gate_if_the_direction_is_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let log = |name: &str, level: u32| {
        let path = folder.path().join(name);
        let rows: String = (0..400).map(|row: u32| format!("{}\n", level + row * 37 % 41)).collect();
        fs::write(&path, format!("zork\n{rows}")).unwrap();
        path.display().to_string()
    };
    let base = log("base.csv", 300);
    for (name, level, status) in [("up.csv", 600, 1), ("down.csv", 120, 1), ("same.csv", 300, 0)] {
        let line = format!("gate {base} {} --column zork --run-sd 1%", log(name, level));
        let output = run(&line);
        assert_eq!(output.status.code(), Some(status), "{name}: {output:?}");
        assert!(stderr(&output).contains("zork: whether higher or lower is better is unknown"), "{output:?}");
        let pair = &report(&line)["pairs"][0];
        assert_eq!((pair["direction"].as_str(), pair["direction_from"].as_str()), (Some("unknown"), Some("unknown")));
        refused(&format!("{line} --strict"), "--strict: zork: whether higher or lower");
        let markdown = String::from_utf8(run(&format!("{line} --format markdown")).stdout).unwrap();
        assert!(markdown.contains("is unknown: a shift in either direction is worse"), "{markdown}");
    }
    let (up, down) = (log("up.csv", 600), log("down.csv", 120));
    for (option, candidate, status) in
        [("lower", &up, 1), ("lower", &down, 0), ("higher", &up, 0), ("higher", &down, 1)]
    {
        let line = format!("gate {base} {candidate} --column zork --run-sd 1% --{option}-is-better zork");
        assert_eq!(run(&line).status.code(), Some(status), "{line}");
        assert_eq!(report(&line)["pairs"][0]["direction_from"], "user", "{line}");
    }
}

#[test]
fn a_rate_is_no_duration() {
    let analysis = &report("analyze throughput-base.csv --column tokens_per_sec")["analyses"][0];
    assert_eq!(analysis["unit"], "1/s");
    assert!((analysis["limits"]["center"].as_f64().unwrap() - 99.69).abs() < 0.01);
}

#[test]
fn the_suffix_of_a_mapped_column_gives_its_unit() {
    let median = |line: &str| report(line)["analyses"][0]["median"].as_f64().unwrap();
    assert!((median("analyze suffix-ms.csv --map e2e_s=latency_ms") - 0.371).abs() < 1e-9);
    assert!((median("analyze suffix-ms.csv --map e2e_s=latency_ms:us") - 0.000_371).abs() < 1e-9);
    let warned = report("analyze suffix-ms.csv --map e2e_s=latency_ms:us");
    assert!(warned["analyses"][0]["warnings"].to_string().contains("its name gives ms"), "{warned}");
    refused("analyze negative-statistics.jsonl --map e2e_s=latency_ms", "unknown column \"latency_ms\"");
}

#[test]
fn a_unit_in_a_name_takes_limits_in_other_units() {
    let upper = |line: &str| report(line)["analyses"][0]["specification"]["upper"].as_f64().unwrap();
    assert!((upper("analyze units-in-names.csv --column latency_us --usl 1ms") - 1000.0).abs() < 1e-9);
    assert!((upper("analyze units-in-names.csv --column latencyMs --usl 1ms") - 1.0).abs() < 1e-9);
    assert!((upper("analyze units-in-names.csv --column Total·Time·(s) --usl 1ms") - 0.001).abs() < 1e-9);
    let history = "analyze unit-lost-locust-history.csv --column window_response_s.p95 --usl 500ms";
    assert!((upper(history) - 0.5).abs() < 1e-9);
}

#[test]
fn a_unit_anywhere_in_a_name_is_read_and_two_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let log = |name: &str| {
        let path = folder.path().join("log.csv");
        let rows: String = (0..60).map(|row: u32| format!("{}\n", 300 + row * 7 % 10)).collect();
        fs::write(&path, format!("{name}\n{rows}")).unwrap();
        path.display().to_string()
    };
    let names =
        ["latency_ms_client", "ms_latency", "p95_ms_total", "latencyMsP99", "TTFTMs", "E2ELatencyMs", "latency/ms"];
    for name in names {
        let report = report(&format!("analyze {} --usl 400ms", log(name)));
        let column = &report["columns"][0];
        assert_eq!((column["unit"].as_str(), column["unit_from"].as_str()), (Some("ms"), Some("name")), "{name}");
        assert_eq!(report["analyses"][0]["specification"]["upper"], 400.0, "{name}");
    }
    for name in ["us_east_latency", "min_latency", "s_total"] {
        assert_eq!(report(&format!("analyze {} --column {name}", log(name)))["columns"][0]["unit"], "1", "{name}");
    }
    let path = log("latency_ms_s");
    refused(&format!("analyze {path} --usl 400ms"), "--unit NAME=ms");
    let text = |line: &str| String::from_utf8(run(line).stdout).unwrap();
    let warned = text(&format!("analyze {path}"));
    assert!(warned.contains("gives two units, s and ms: neither is used"), "{warned}");
    let stated = text(&format!("analyze {path} --unit latency_ms_s=ms --usl 400ms"));
    assert!(stated.contains("400.0 ms") && !stated.contains("two units"), "{stated}");
}

#[test]
fn an_unknown_unit_is_stated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.csv");
    let rows: String = (0..40).map(|row| format!("{}\n", 300 + row % 7)).collect();
    fs::write(&path, format!("took\n{rows}")).unwrap();
    let path = path.display();
    refused(&format!("analyze {path} --column took --usl 1s"), "--unit NAME=ms");
    let analysis = &report(&format!("analyze {path} --column took --unit took=ms --usl 1s"))["analyses"][0];
    assert_eq!((&analysis["unit"], &analysis["specification"]["upper"]), (&"ms".into(), &1000.0.into()));
    refused(&format!("analyze {path} --column took --unit took=apples"), "apples");
}

#[test]
fn one_limit_is_for_one_kind_of_quantity() {
    let columns = "analyze units-in-names.csv --column latency_us --column latencyMs --column Total·Time·(s)";
    let several = report(&format!("{columns} --usl 1ms"));
    let upper = |index: usize| several["analyses"][index]["specification"]["upper"].as_f64().unwrap();
    assert_eq!([upper(0), upper(1), upper(2)], [1000.0, 1.0, 0.001]);
    refused(&format!("{columns} --usl 1"), "latency_us, latencyMs, Total Time (s)");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.csv");
    let rows: String = (0..40).map(|row| format!("0.3{},1.2{}\n", row % 7, row % 5)).collect();
    fs::write(&path, format!("ttft_s,e2e_s\n{rows}")).unwrap();
    let path = path.display();
    refused(&format!("analyze {path} --usl 800ms"), "--slo ttft=800ms");
    assert_eq!(run(&format!("analyze {path} --metric ttft_s --usl 800ms")).status.code(), Some(0));
    let output = run(&format!("analyze {path} --metric ttft_s --usl 800 --json"));
    assert!(stderr(&output).contains("did you mean 800ms?"), "{}", stderr(&output));
    let far = &report(&format!("analyze {path} --metric ttft_s --usl 800"))["analyses"][0]["warnings"];
    assert!(far.to_string().contains("did you mean 800ms?"), "{far}");
}

#[test]
fn labels_that_come_back_join_their_subgroup() {
    let limits = |file: &str| {
        let report = report(&format!("analyze {file} --column x --chart xbar-r --subgroup-by batch"));
        report["analyses"][0]["limits"].clone()
    };
    let recurring = limits("labels-recur.csv");
    assert_eq!(recurring, limits("labels-sorted.csv"));
    assert!((recurring["lower"].as_f64().unwrap() - 95.10).abs() < 0.01, "{recurring}");
    assert!((recurring["upper"].as_f64().unwrap() - 104.8).abs() < 0.1, "{recurring}");
}

#[test]
fn a_row_without_a_label_is_in_no_subgroup() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.csv");
    let rows: String = (0..60)
        .map(|row| format!("{},{}\n", if row % 10 == 9 { String::new() } else { (row / 5).to_string() }, 100 + row % 7))
        .collect();
    fs::write(&path, format!("batch,x\n{rows}")).unwrap();
    let report = report(&format!("analyze {} --column x --subgroup-by batch --points", path.display()));
    let analysis = &report["analyses"][0];
    assert_eq!(analysis["points"].as_array().unwrap().len(), 12);
    assert!(
        analysis["warnings"].to_string().contains("6 measurements excluded, without a subgroup label"),
        "{analysis}"
    );
}

#[test]
fn a_chart_that_ignores_subgroups_is_refused() {
    for chart in ["individuals", "ewma", "cusum", "moving-average"] {
        refused(&format!("analyze labels-sorted.csv --column x --chart {chart} --subgroup 2"), "xbar-r");
        refused(&format!("analyze labels-sorted.csv --column x --chart {chart} --subgroup-by batch"), "xbar-r");
    }
}

#[test]
fn statistics_of_a_known_tool_are_kept_under_their_names() {
    let output = run("analyze unknown-statistics.json --column median_ttft --json --undecided pass");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let columns = report["columns"].as_array().unwrap();
    for name in ["median_ttft", "p99_ttft", "median_tpot", "median_e2el", "p99_e2el"] {
        assert!(columns.iter().any(|column| column["name"] == name), "{name}");
    }
}

#[test]
fn a_duration_below_zero_is_left_out_and_counted() {
    let analysis = &report("analyze negative-statistics.jsonl --by model --column tpot_s.p50")["analyses"][0];
    assert!((analysis["limits"]["center"].as_f64().unwrap() - 0.01214).abs() < 1e-5, "{analysis}");
    assert_eq!(analysis["excluded"]["out_of_bounds"], 1);
    assert!(analysis["warnings"].to_string().contains("1 value below 0 left out"), "{analysis}");
}

#[test]
fn explain_and_json_say_what_each_column_means() {
    let line = "analyze suffix-ms.csv --map e2e_s=latency_ms";
    let columns = report(line)["columns"].clone();
    assert_eq!(columns[0]["name"], "model");
    assert_eq!((&columns[0]["role"], &columns[0]["used_as"]), (&"label".into(), &"group".into()));
    assert_eq!((&columns[1]["name"], &columns[1]["mapped_to"]), (&"latency_ms".into(), &"e2e_s".into()));
    assert_eq!((&columns[1]["unit"], &columns[1]["direction"]), (&"s".into(), &"lower_is_better".into()));
    assert_eq!((&columns[1]["used"], &columns[1]["not_used"]), (&20.into(), &0.into()));
    let text = String::from_utf8(run(&format!("{line} --explain")).stdout).unwrap();
    assert!(text.contains("latency_ms → e2e_s") && text.contains("lower is better"), "{text}");
}

#[test]
fn convert_carries_the_stated_meaning() {
    let folder = tempfile::tempdir().unwrap();
    let out = |name: &str| folder.path().join(name).display().to_string();
    let converted = out("mapped.json");
    let output = run(&format!("convert suffix-ms.csv --map e2e_s=latency_ms -o {converted}"));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let median = |line: &str| report(line)["analyses"][0]["median"].as_f64().unwrap();
    assert!((median(&format!("analyze {converted}")) - 0.371).abs() < 1e-9);
    let named = out("named.csv");
    run(&format!("convert throughput-base.csv --unit tps=1/min -o {named}"));
    assert!(fs::read_to_string(&named).unwrap().starts_with("model,tokens_per_sec,tps_per_min,"));
    refused(&format!("convert throughput-base.csv --unit speed=1/s -o {}", out("x.csv")), "speed");
}
