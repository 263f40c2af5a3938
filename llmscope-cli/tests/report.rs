//! Tests of the page of `report`: complete, safe, and with the numbers of the JSON report. `tests/page` opens it in a browser.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use scraper::{Html, Selector};
use serde_json::Value;

const SESSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/sessions");

const NONE_OF_ONE: &str =
    "1 series: 1 without enough data. If nothing changed, at most 1 % of such calls report a change.";

fn run(args: &[&str]) -> Output {
    Command::new(assert_cmd::cargo::cargo_bin!("llmscope")).args(args).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The page on standard output, parsed like in a browser, without parse errors.
fn page(args: &[&str]) -> (String, Html) {
    let output = run(&[&["report"], args].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    let html = Html::parse_document(&text);
    assert_eq!(html.errors, Vec::<std::borrow::Cow<'static, str>>::new());
    (text, html)
}

fn texts(html: &Html, selector: &str) -> Vec<String> {
    html.select(&Selector::parse(selector).unwrap()).map(|element| element.text().collect()).collect()
}

fn island(html: &Html) -> Value {
    serde_json::from_str(&texts(html, "script#data")[0]).unwrap()
}

fn example(name: &str) -> String {
    format!("{SESSIONS}/{name}.json")
}

fn table(directory: &Path, values: impl Iterator<Item = f64>) -> String {
    let path = directory.join(format!("{}.csv", fs::read_dir(directory).unwrap().count()));
    let rows = values.fold("latency_ms\n".to_owned(), |mut text, value| {
        writeln!(text, "{value}").unwrap();
        text
    });
    fs::write(&path, rows).unwrap();
    path.display().to_string()
}

/// Noise that is the same on every machine.
fn noise(count: u64) -> impl Iterator<Item = f64> {
    let mut state = 7_u64;
    (0..count).map(move |_| {
        let mut sum = 0.0;
        for _ in 0..4 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            sum += (state >> 40) as f64 / f64::from(1 << 24);
        }
        300.0 + 20.0 * (sum - 2.0)
    })
}

#[test]
fn the_page_has_the_numbers_of_the_json() {
    let (paused, undisturbed) = (example("paused"), example("undisturbed"));
    let args = [paused.as_str(), &undisturbed, "--by", "session", "--slo", "ttft=800ms,tpot=800ms,e2e=800ms"];
    let (_, html) = page(&[&args[..], &["--title", "Night <of> tests"]].concat());
    let json = run(&[&["analyze", "--json", "--points"], &args[..]].concat());
    let report: Value = serde_json::from_slice(&json.stdout).unwrap();
    let analyses = report["analyses"].as_array().unwrap();
    assert_eq!(analyses.len(), 6);

    assert_eq!(texts(&html, "h1"), ["Night <of> tests"]);

    let island = island(&html);
    assert_eq!(island["schema"], "llmscope.page/1");
    assert_eq!(island["analyses"].as_array().unwrap().len(), analyses.len());
    for (index, analysis) in analyses.iter().enumerate() {
        let data = &island["analyses"][index];
        let chart = &data["charts"][0];
        assert_eq!(data["metric"], analysis["metric"]);
        for line in ["lower", "center", "upper", "sigma"] {
            assert_eq!(chart[line], analysis["limits"][line], "{line}");
        }
        let points = analysis["points"].as_array().unwrap();
        let values: Vec<&Value> = points.iter().map(|point| &point["x"]).collect();
        assert_eq!(chart["x"].as_array().unwrap().iter().collect::<Vec<_>>(), values);
        let violations = analysis["patterns"]["violations"].as_array().unwrap();
        assert_eq!(chart["violations"].as_array().unwrap().len(), violations.len());
        for (shown, violation) in chart["violations"].as_array().unwrap().iter().zip(violations) {
            assert_eq!(
                [&shown[0], &shown[1], &shown[2], &shown[3], &shown[4]],
                [
                    &violation["rule"],
                    &violation["first"],
                    &violation["signals"][0],
                    &violation["last"],
                    &violation["side"]
                ]
            );
        }
        // The text of the section has the same numbers.
        let section = texts(&html, &format!("#series-{}", index + 1)).concat();
        let cpk = analysis["capability"]["cpk"].as_f64().unwrap();
        let digits = [(100.0, 2), (1000.0, 1)].iter().find(|(below, _)| cpk < *below).map_or(0, |(_, digits)| *digits);
        assert!(section.contains(&format!("{cpk:.digits$} [")), "{cpk}");
    }
}

#[test]
fn the_answers_come_first() {
    let args = [&example("paused"), &example("second-load"), &example("undisturbed"), "--by", "session"];
    let (_, html) = page(&args);
    let json = run(&[&["analyze", "--json"], &args[..]].concat());
    let report: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert!(texts(&html, ".top .lead")[0].starts_with("9 series: "), "{:?}", texts(&html, ".top .lead"));
    let part = |of: &Value| of.as_str().unwrap().replace('_', " ");
    let (mut badges, mut cells, mut links) = (Vec::new(), Vec::new(), Vec::new());
    for answer in report["answers"].as_array().unwrap() {
        badges.push(part(&answer["verdict"]));
        cells.push(answer["text"].as_str().unwrap().to_owned());
        let position = answer["analysis"].as_u64().unwrap() + 1;
        links.push(format!("#series-{position}"));
        // The section repeats verdict and answer, and reports the rules below them.
        let id = format!("#series-{position}");
        assert_eq!(texts(&html, &format!("{id} .badge")), [part(&answer["verdict"])]);
        assert_eq!(texts(&html, &format!("{id} .lead")), [answer["text"].as_str().unwrap()]);
        assert_eq!(texts(&html, &format!("{id} h3.patterns")), ["Patterns"]);
        assert!(texts(&html, &format!("{id} h3.patterns + p"))[0].starts_with("Out of control. "));
    }
    assert_eq!(texts(&html, "table.answers tbody .badge"), badges);
    assert_eq!(texts(&html, "table.answers tbody td.answer"), cells);
    let anchors = Selector::parse("table.answers tbody a").unwrap();
    let found: Vec<&str> = html.select(&anchors).filter_map(|anchor| anchor.value().attr("href")).collect();
    assert_eq!(found, links);
    assert!(texts(&html, "dl.methods").concat().contains("Hodges & Lehmann 1963"));
}

#[test]
fn a_change_of_the_level_is_drawn() {
    let directory = tempfile::tempdir().unwrap();
    let step = |by: f64| noise(120).enumerate().map(move |(i, value)| if i < 60 { value } else { value * by });
    for (by, label, class) in [(1.5, "+50 %", "bad"), (0.5, "−50 %", "good")] {
        let path = table(directory.path(), step(by));
        let (_, html) = page(&[&path, "--map", "ttft_s=latency_ms:ms"]);
        let change = &island(&html)["analyses"][0]["change"];
        assert_eq!((&change["point"], &change["tone"]), (&60.into(), &class.into()), "{change}");
        assert_eq!(change["label"], label);
        assert_eq!(texts(&html, &format!(".spark .change.{class}")).len(), 1);
        assert_eq!(texts(&html, &format!("table.answers .badge.{class}")), ["changed"]);
        // The points of this chart are means of subgroups, which the position of the change does not count.
        let (_, html) = page(&[&path, "--map", "ttft_s=latency_ms:ms", "--subgroup", "4"]);
        assert!(island(&html)["analyses"][0].get("change").is_none());
    }
    let (_, html) = page(&[&table(directory.path(), noise(120)), "--column", "latency_ms"]);
    assert!(island(&html)["analyses"][0].get("change").is_none());
    assert_eq!(texts(&html, "table.answers .badge.good"), ["stable"]);
}

#[test]
fn the_rules_decide_about_the_same_page_as_before() {
    let args = [&example("paused"), &example("second-load"), "--by", "session", "--verdict", "rules"];
    let (_, html) = page(&args);
    assert_eq!(texts(&html, ".top .lead"), ["6 of 6 series are out of control."]);
    assert_eq!(texts(&html, "table.verdicts tbody .badge"), ["out of control"; 6]);
    let columns = ["Verdict", "Group", "Metric", "Chart", "n", "Mean", "Control limits", "First violation"];
    assert_eq!(texts(&html, "table.verdicts thead th"), columns);
    assert_eq!(texts(&html, "section:not(.study) > header .badge"), ["out of control"; 6]);
    assert!(texts(&html, "table.answers, h3.patterns, td.answer, .spark .change").is_empty());
    assert!(!texts(&html, "dl.methods").concat().contains("Hodges & Lehmann 1963"));
    assert_eq!(texts(&html, ".spark .signal").len(), 6);
    let island = island(&html);
    assert!(island["analyses"].as_array().unwrap().iter().all(|analysis| analysis.get("change").is_none()));
}

#[test]
fn the_page_loads_no_resources() {
    let (text, html) = page(&[&example("second-load"), "--metric", "tpot_s"]);
    for element in html.select(&Selector::parse("*").unwrap()) {
        for name in ["src", "srcset", "data", "poster", "action", "style", "onload", "onclick"] {
            assert_eq!(element.value().attr(name), None, "{}", element.value().name());
        }
        let target = element.value().attr("href").unwrap_or("#");
        assert!(target.starts_with('#') || target == "data:,", "{target}");
    }
    assert!(!texts(&html, "style").concat().contains("url(") && !text.contains("@import"));
    let policy = Selector::parse("meta[http-equiv=Content-Security-Policy]").unwrap();
    let policy = html.select(&policy).next().unwrap().value().attr("content").unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
}

#[test]
fn hostile_names_stay_text() {
    let directory = tempfile::tempdir().unwrap();
    let evil = "</script><script>alert(1)</script><!--<script>";
    let records: String = (0..30)
        .map(|i| format!(r#"{{"started_at":"2026-01-01T00:00:{i:02}Z","ttft_s":{}}},"#, 0.3 + f64::from(i % 7) * 0.01))
        .collect();
    let session = format!(
        r#"{{"schema":"llmscope.session/1","name":{evil:?},"model":{evil:?},"description":{evil:?},
        "labels":{{{evil:?}:"\"><img src=x onerror=alert(1)>"}},"simulated":true,"recorder":{{"name":{evil:?}}},
        "records":[{}],"events":[{{"at":"2026-01-01T00:00:09Z","message":{evil:?}}}]}}"#,
        records.trim_end_matches(',')
    );
    let path = directory.path().join("<b>&\"'.json");
    fs::write(&path, session).unwrap();
    let (text, html) = page(&[path.to_str().unwrap(), "--title", evil, "--undecided", "pass"]);
    assert_eq!(html.select(&Selector::parse("script").unwrap()).count(), 4);
    assert_eq!(html.select(&Selector::parse("img, b:not(.chart-events b)").unwrap()).count(), 0);
    assert!(!text.contains("<script>alert"));
    assert_eq!(texts(&html, "h1"), [evil]);
    assert_eq!(texts(&html, "head > title"), [evil]);
    assert_eq!(island(&html)["analyses"][0]["events"][0][2], evil);
    assert!(texts(&html, ".simulated")[0].starts_with("Simulated"), "the banner is at the top");
}

#[test]
fn a_long_series_stays_small_and_loses_no_violation() {
    let directory = tempfile::tempdir().unwrap();
    let mut values: Vec<f64> = noise(100_000).collect();
    values[77_777] = 900.0;
    let path = table(directory.path(), values.into_iter());
    let (text, html) = page(&[&path, "--column", "latency_ms"]);
    assert!(text.len() < 1_500_000, "{} bytes", text.len());
    let island = island(&html);
    for chart in island["analyses"][0]["charts"].as_array().unwrap() {
        let shown: BTreeSet<u64> = chart["i"].as_array().unwrap().iter().map(|i| i.as_u64().unwrap()).collect();
        assert!(shown.len() < 20_000 && shown.contains(&77_777));
        let violations = chart["violations"].as_array().unwrap();
        assert!(!violations.is_empty());
        for violation in violations {
            for end in [1, 2, 3] {
                assert!(shown.contains(&violation[end].as_u64().unwrap()), "{violation}");
            }
        }
    }
    assert!(texts(&html, ".key").concat().contains("Of 100000 points"), "the page reports the downsampling");
}

#[test]
fn every_kind_of_chart_has_a_page() {
    let directory = tempfile::tempdir().unwrap();
    let path = table(directory.path(), noise(120));
    let counts = table(directory.path(), noise(120).map(f64::round));
    let failed = example("paused");
    let cases: [(&[&str], &str); 8] = [
        (&[&path, "--column", "latency_ms", "--chart", "xbar-s", "--subgroup", "5", "--usl", "400"], "S chart"),
        (&[&path, "--column", "latency_ms", "--chart", "xbar-r", "--subgroup", "4"], "R chart"),
        (&[&path, "--column", "latency_ms", "--chart", "ewma"], "EWMA chart"),
        (&[&counts, "--column", "latency_ms", "--chart", "c"], "C chart"),
        (&[&path, "--column", "latency_ms", "--stages", "60", "--lsl", "200", "--usl", "400"], "Individuals chart"),
        (&[&path, "--column", "latency_ms", "--phase1", "50", "--rules", "westgard"], "phase II"),
        (&[&path, "--column", "latency_ms", "--rules", "none"], "No rule was applied"),
        (&[&failed, "--metric", "error_rate"], "P chart"),
    ];
    for (args, text) in cases {
        let (_, html) = page(args);
        let body = texts(&html, "main").concat();
        assert!(body.contains(text), "{args:?}");
        assert!(!body.contains("NaN") && !body.contains("inf "), "{args:?}");
        assert_eq!(island(&html)["analyses"].as_array().unwrap().len(), 1, "{args:?}");
    }
}

#[test]
fn few_or_equal_values_also_have_a_page() {
    let directory = tempfile::tempdir().unwrap();
    let few = table(directory.path(), [3.0, 4.0, 5.0].into_iter());
    let (_, html) = page(&[&few, "--column", "latency_ms", "--usl", "9", "--undecided", "pass"]);
    assert_eq!(texts(&html, ".top .lead"), [NONE_OF_ONE]);
    assert_eq!(texts(&html, "section.series .badge"), ["not enough data"]);
    assert!(texts(&html, "section.series")[0].contains("Not enough data. There are not enough data: a verdict needs"));
    let equal = table(directory.path(), [5.0; 40].into_iter());
    let (_, html) = page(&[&equal, "--column", "latency_ms", "--usl", "9"]);
    assert!(texts(&html, ".top .lead")[0].starts_with("1 series: no change."), "{:?}", texts(&html, ".top .lead"));
    assert_eq!(texts(&html, "section.series .badge"), ["stable"]);
    assert!(texts(&html, ".callouts")[0].contains("all points are equal"));
}

#[test]
fn the_exit_status_of_report_reports_whether_the_page_was_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("report.html");
    let (session, target) = (example("second-load"), path.to_str().unwrap());
    let output = run(&["report", &session, "-o", target]);
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stdout.is_empty() && stderr(&output).contains("report.html"));
    assert!(fs::read_to_string(&path).unwrap().starts_with("<!DOCTYPE html>"));
    let output = run(&["analyze", &session, "--format", "html", "-o", target]);
    assert_eq!(output.status.code(), Some(1), "the exit status of analyze is the verdict");
    assert!(fs::read_to_string(&path).unwrap().contains("out of control"));
    assert_eq!(run(&["report", "no-such-file.json", "-o", target]).status.code(), Some(2));
    assert_eq!(run(&["report", &session, "-o", "no/such/directory/r.html"]).status.code(), Some(2));
}

#[test]
fn runs_that_are_studied_together_have_a_section() {
    let (text, html) = page(&[&example("paused"), &example("second-load"), &example("undisturbed"), "--by", "session"]);
    let titles = texts(&html, "section.study h2");
    assert_eq!(titles.len(), 3, "{titles:?}");
    assert!(titles[0].contains("over several runs"), "{titles:?}");
    assert_eq!(texts(&html, "section.study tbody tr").len(), 9);
    assert!(text.contains("undisturbed"));
}
