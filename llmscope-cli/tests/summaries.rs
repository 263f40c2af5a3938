//! A dozen summaries of each tool are one chart of runs, with and without failures.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

const LOGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../llmscope-core/tests/logs");
const RUNS: usize = 12;

/// A summary of a tool: its file, the number that varies between runs, the metric that it is, and the number of failures
/// in each run if the tool counts them, and the number of charts.
struct Summary {
    file: &'static str,
    varied: &'static str,
    metric: &'static str,
    failed: Option<usize>,
    charts: usize,
}

const SUMMARIES: [Summary; 14] = [
    Summary { file: "evalscope/summary.json", varied: "0.7553", metric: "e2e_s.mean", failed: Some(6), charts: 1 },
    Summary { file: "evalscope/percentiles.json", varied: "44.251", metric: "ttft_s.p5", failed: None, charts: 1 },
    Summary {
        file: "autocannon/timeouts.json",
        varied: "\"p50\":60",
        metric: "e2e_s.p50",
        failed: Some(18),
        charts: 1,
    },
    Summary {
        file: "criterion/estimates.json",
        varied: "121352.57583333334",
        metric: "e2e_s.p50",
        failed: None,
        charts: 1,
    },
    Summary {
        file: "google_benchmark/aggregates.json",
        varied: "1.088392734527588",
        metric: "e2e_s.p50",
        failed: None,
        charts: 2,
    },
    Summary { file: "artillery/report.json", varied: "62.2", metric: "first_byte_s.p50", failed: Some(19), charts: 1 },
    Summary { file: "inferencex/agg_one.json", varied: "0.3038", metric: "ttft_s.p50", failed: None, charts: 1 },
    Summary { file: "llm_d/report.yaml", varied: "0.152164", metric: "e2e_s.p50", failed: Some(4), charts: 1 },
    Summary {
        file: "inference_perf/summary.json",
        varied: "0.152164",
        metric: "e2e_s.p50",
        failed: Some(4),
        charts: 1,
    },
    Summary {
        file: "sglang/summary.jsonl",
        varied: "160.07585850013584",
        metric: "e2e_s.p50",
        failed: None,
        charts: 1,
    },
    Summary { file: "ab/percentiles.csv", varied: "72.045", metric: "e2e_s.p50", failed: None, charts: 1 },
    Summary {
        file: "prometheus/metrics.prom",
        varied: "10.535367164440073",
        metric: "queue_wait_seconds.mean",
        failed: None,
        charts: 1,
    },
    Summary {
        file: "tinybench/result.json",
        varied: "7.676865000000021",
        metric: "e2e_s.p50",
        failed: None,
        charts: 1,
    },
    Summary { file: "vitest/bench.json", varied: "21.231449500000053", metric: "e2e_s.p50", failed: None, charts: 1 },
];

/// The number at the end of a text, increased by some percent.
fn increased(varied: &str, percent: usize) -> String {
    let begin = varied.rfind(|c: char| !c.is_ascii_digit() && c != '.').map_or(0, |at| at + 1);
    let number: f64 = varied[begin..].parse().unwrap();
    #[allow(clippy::cast_precision_loss, reason = "a few percent")]
    let factor = 1.0 + percent as f64 / 100.0;
    format!("{}{}", &varied[..begin], number * factor)
}

impl Summary {
    /// The files of a dozen runs.
    fn write(&self, folder: &Path) -> Vec<String> {
        let text = fs::read_to_string(format!("{LOGS}/{}", self.file)).unwrap();
        assert!(text.contains(self.varied), "{} has no {}", self.file, self.varied);
        let end = self.file.rsplit('.').next().unwrap();
        let write = |run: usize| {
            let path = folder.join(format!("run-{run:02}.{end}"));
            // The runs are independent: no trend.
            fs::write(&path, text.replace(self.varied, &increased(self.varied, run * 7 % RUNS))).unwrap();
            path.to_str().unwrap().to_owned()
        };
        (0..RUNS).map(write).collect()
    }

    /// What is wrong with the analysis of a dozen runs.
    fn problem(&self) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        let files = self.write(folder.path());
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("llmscope"));
        command.args(["analyze", "--json", "--undecided", "pass", "--column", self.metric]).args(&files);
        let output = command.output().unwrap();
        let Ok(report) = serde_json::from_slice::<Value>(&output.stdout) else {
            return Some(format!("{}: {}", self.file, String::from_utf8_lossy(&output.stderr)));
        };
        // Files with several benchmarks have a chart for each.
        let analyses = report["analyses"].as_array().unwrap();
        let points: Vec<&Value> = analyses.iter().map(|analysis| &analysis["n"]).collect();
        let text = analyses[0]["answer"]["text"].as_str().unwrap();
        let counts = match self.failed {
            Some(failed) => text.contains(&format!("{} of ", failed * RUNS)),
            None => !text.contains("failed"),
        };
        let is_one = points == vec![RUNS; self.charts];
        (!is_one || !counts).then(|| format!("{}: points {points:?}, {text}", self.file))
    }
}

#[test]
fn a_dozen_summaries_of_each_tool_are_one_chart() {
    let problems: Vec<String> = SUMMARIES.iter().filter_map(|summary| summary.problem()).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn an_experiment_that_was_exported_twice_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(format!("{LOGS}/mlflow/runs.csv")).unwrap();
    let (early, late) = (folder.path().join("early.csv"), folder.path().join("late.csv"));
    // The newest run is the first line.
    let of_header = text.find('\n').unwrap() + 1;
    let of_newest = of_header + text[of_header..].find('\n').unwrap() + 1;
    fs::write(&early, format!("{}{}", &text[..of_header], &text[of_newest..])).unwrap();
    fs::write(&late, &text).unwrap();
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("llmscope"));
    command.args(["analyze", "--json", "--undecided", "pass", "--column", "ttft_ms"]).args([&early, &late]);
    let output = command.output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["analyses"][0]["n"], 3, "{report}");
}
