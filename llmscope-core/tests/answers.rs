//! The answer about a series: what changed, since when, by how much, and why there is no verdict.

use std::sync::Arc;

use llmscope_core::analysis::answer::{Part, family_of};
use llmscope_core::analysis::{Observation, Selection, Series, SeriesVerdict};
use llmscope_core::ingest::{Content, FailureKind, Log, Tool};
use llmscope_core::session::{RequestError, RequestRecord, RunEvent, Session, SessionHeader, Status};
use llmscope_core::{Analysis, Measure, Metric, Missing, Plan, Report, analyze};

#[path = "noise/xorshift.rs"]
mod xorshift;

use xorshift::Noise;

fn requests(metric: Metric, values: Vec<Observation>) -> Series {
    let series = Series::of_numbers(metric.name(), Vec::new()).with_observations(values);
    Series { measure: Measure::Metric(metric), missing: Missing::Break, ..series }
}

fn request(value: f64) -> Observation {
    Observation { value: Some(value), ..Observation::default() }
}

fn failed(label: &str) -> Observation {
    let failure = FailureKind { label: label.to_owned(), example: Some("overloaded".to_owned()) };
    Observation { failed: true, failure: Some(failure), ..Observation::default() }
}

fn judged(series: &Series) -> Analysis {
    analyze(series, &Plan::default()).expect("a series of finite numbers")
}

#[test]
fn a_slower_server_is_changed_since_its_first_slow_request() {
    let mut noise = Noise(7);
    let values = (0..300).map(|i| request(noise.latency(if i < 150 { 0.2 } else { 0.3 }, 0.2))).collect();
    let Analysis { verdict, answer, .. } = judged(&requests(Metric::Ttft, values));
    assert_eq!((verdict, answer.part), (SeriesVerdict::Changed, Some(Part::Level)));
    assert!(answer.direction.is_some_and(|direction| direction.name() == "worse"));
    let since = answer.since.expect("a place");
    assert!(since.interval[0] <= 150 && 150 <= since.interval[1], "{since:?}");
    let [low, high] = answer.interval.expect("an interval");
    assert!(low < 1.5 && 1.5 < high, "{low} to {high}");
    assert!(answer.p_call.is_some_and(|p| p < 0.01));
    assert!(answer.text.starts_with("slower by "), "{}", answer.text);
}

#[test]
fn a_faster_server_is_changed_for_the_better_and_no_alarm() {
    let mut noise = Noise(8);
    let values = (0..300).map(|i| request(noise.latency(if i < 150 { 0.3 } else { 0.2 }, 0.2))).collect();
    let analysis = judged(&requests(Metric::Ttft, values));
    assert_eq!(analysis.verdict, SeriesVerdict::Changed);
    let report = Report::new(None, &Plan::default(), vec![analysis]);
    assert_eq!((report.has_changes(false), report.has_changes(true)), (false, true));
}

#[test]
fn larger_numbers_of_an_unknown_column_count_as_worse() {
    let mut noise = Noise(9);
    let values: Vec<f64> = (0..200).map(|i| noise.normal() + if i < 100 { 0.0 } else { 3.0 }).collect();
    let score = judged(&Series::of_numbers("score", Vec::clone(&values)));
    assert_eq!(score.answer.direction.map(|it| it.name()), Some("better"));
    let analysis = judged(&Series::of_numbers("x", values));
    assert_eq!(analysis.answer.direction.map(|it| it.name()), Some("unknown"));
    assert!(analysis.answer.ratio.is_none() && analysis.answer.difference.is_some_and(|it| (it - 3.0).abs() < 0.5));
    assert!(Report::new(None, &Plan::default(), vec![analysis]).has_changes(false));
}

#[test]
fn a_more_irregular_server_is_changed_in_its_spread() {
    let mut noise = Noise(10);
    let values = (0..300).map(|i| request(noise.latency(0.2, if i < 150 { 0.1 } else { 0.3 }))).collect();
    let Analysis { verdict, answer, .. } = judged(&requests(Metric::Ttft, values));
    assert_eq!((verdict, answer.part), (SeriesVerdict::Changed, Some(Part::Spread)));
    assert!(answer.ratio.is_some_and(|ratio| (2.0..4.5).contains(&ratio)), "{:?}", answer.ratio);
}

#[test]
fn stable_requests_are_stable() {
    let mut noise = Noise(11);
    let values = (0..300).map(|_| request(noise.latency(0.2, 0.3))).collect();
    let Analysis { verdict, answer, .. } = judged(&requests(Metric::Ttft, values));
    assert_eq!((verdict, answer.text.as_str()), (SeriesVerdict::Stable, "no change"));
    assert!(answer.p_call.is_some_and(|p| p > 0.01));
}

#[test]
fn one_slow_request_is_named_and_changes_the_verdict_only_on_request() {
    let mut noise = Noise(12);
    let mut values: Vec<Observation> = (0..300).map(|_| request(noise.latency(0.2, 0.1))).collect();
    values[123] = request(2.0);
    let series = requests(Metric::Ttft, values);
    let Analysis { verdict, answer, .. } = judged(&series);
    assert_eq!(
        (verdict, answer.slow_requests.map(|slow| (slow.count, slow.index))),
        (SeriesVerdict::Stable, Some((1, 123)))
    );
    assert!(answer.text.contains("1 slow request, with 2.000 s (request 123;"), "{}", answer.text);
    let asked = analyze(&series, &Plan { slow_requests: true, ..Plan::default() }).unwrap();
    assert_eq!((asked.verdict, asked.answer.part), (SeriesVerdict::Changed, Some(Part::SlowRequests)));
}

#[test]
fn failures_decide_even_if_no_latency_is_known() {
    let all = judged(&requests(Metric::Ttft, (0..30).map(|_| failed("http_status 503")).collect()));
    assert_eq!(all.verdict, SeriesVerdict::Failing);
    assert_eq!(all.answer.text, "30 of 30 requests failed (100 %): 30 http_status 503 (\"overloaded\")");
    let outage = (0..300).map(|i| if i < 280 { request(0.2 + f64::from(i % 7) / 100.0) } else { failed("timeout") });
    let outage = judged(&requests(Metric::Ttft, outage.collect()));
    assert_eq!(outage.verdict, SeriesVerdict::Failing);
    assert!(outage.answer.text.contains("20 of 300 requests failed (6.7 %)"), "{}", outage.answer.text);
    assert!(outage.answer.text.contains("since request 280"), "{}", outage.answer.text);
    // The last five in a row are an outage, two are not.
    for (last, verdict) in [(2, SeriesVerdict::Stable), (5, SeriesVerdict::Failing)] {
        let mut noise = Noise(13);
        let values =
            (0..100).map(|i| if i < 100 - last { request(noise.latency(0.2, 0.1)) } else { failed("timeout") });
        assert_eq!(judged(&requests(Metric::Ttft, values.collect())).verdict, verdict, "{last}");
    }
}

#[test]
fn a_constant_share_of_failures_is_reported_and_stable() {
    let mut noise = Noise(14);
    let values =
        (0..400).map(|_| if noise.uniform() < 0.04 { failed("timeout") } else { request(noise.latency(0.2, 0.1)) });
    let Analysis { verdict, answer, .. } = judged(&requests(Metric::Ttft, values.collect()));
    assert_eq!(verdict, SeriesVerdict::Stable);
    assert!(
        answer.text.starts_with("no change; ") && answer.text.contains("of 400 requests failed"),
        "{}",
        answer.text
    );
}

#[test]
fn longer_answers_are_load_and_not_a_slower_server() {
    let mut noise = Noise(15);
    let mut values = Vec::new();
    for i in 0..300 {
        let tokens = (noise.latency(if i < 150 { 100.0 } else { 200.0 }, 0.3)).round();
        let observation = request((0.1 + 0.01 * tokens) * noise.latency(1.0, 0.05));
        values.push(Observation {
            tokens: [Some(50.0 + (noise.uniform() * 50.0).round()), None, Some(tokens)],
            ..observation
        });
    }
    let Analysis { verdict, answer, .. } = judged(&requests(Metric::E2e, values.clone()));
    assert_eq!((verdict, answer.part), (SeriesVerdict::Stable, None), "{}", answer.text);
    assert!(answer.adjusted_for.contains(&"output_tokens".to_owned()), "{:?}", answer.adjusted_for);
    let load = answer.load.expect("token counts are known");
    assert_eq!(load.iter().map(|change| change.name.as_str()).collect::<Vec<_>>(), ["output_tokens"]);
    assert!((load[0].ratio - 2.0).abs() < 0.3 && load[0].index.abs_diff(150) <= 5, "{load:?}");
    // A server that is 20 % slower from the same request on is found in spite of the tokens.
    for value in values.iter_mut().skip(150) {
        value.value = value.value.map(|value| 1.2 * value);
    }
    let slower = judged(&requests(Metric::E2e, values)).answer;
    assert!(slower.ratio.is_some_and(|ratio| (ratio - 1.2).abs() < 0.05), "{}", slower.text);
}

#[test]
fn too_few_or_too_dependent_values_are_withheld_with_what_is_missing() {
    let few = judged(&Series::of_numbers("x", vec![1.0, 2.0, 3.0]));
    assert_eq!((few.verdict, few.answer.need), (SeriesVerdict::NotEnoughData, Some(27)));
    assert_eq!(few.answer.text, "3 measurements: 27 more are needed");
    let mut noise = Noise(16);
    let mut level = 0.0;
    let wandering = (0..60).map(|_| {
        level = 0.98 * level + noise.normal();
        level
    });
    let few = judged(&Series::of_numbers("x", wandering.collect()));
    assert_eq!(few.verdict, SeriesVerdict::NotEnoughData, "{}", few.answer.text);
    assert!(few.answer.text.contains("carry the information of"), "{}", few.answer.text);
    let empty = judged(&Series::of_numbers("x", Vec::new()));
    assert_eq!(empty.verdict, SeriesVerdict::NotEnoughData);
    assert!(!Report::new(None, &Plan::default(), vec![empty]).has_verdict());
}

#[test]
fn an_impossible_alpha_is_refused() {
    for alpha in [0.0, 0.5, -1.0, f64::NAN] {
        let error = analyze(&Series::of_numbers("x", vec![1.0; 30]), &Plan { alpha, ..Plan::default() }).unwrap_err();
        assert!(error.to_string().contains("alpha"), "{error}");
    }
}

#[test]
fn a_call_shares_its_alpha_among_the_series_that_can_signal() {
    let mut noise = Noise(17);
    let mut series = |n: usize| Series::of_numbers("x", (0..n).map(|_| noise.normal()).collect());
    let all = [series(100), series(5), series(100)];
    assert_eq!(family_of(&all), 2);
    let alone = judged(&all[0]).answer.p_call.expect("was judged");
    let shared = analyze(&all[0], &Plan { family: 2, ..Plan::default() }).unwrap().answer.p_call.expect("was judged");
    assert!((shared - (2.0 * alone).min(1.0)).abs() < 1e-12);
}

/// Sessions with the same median, and the last ones slower.
fn runs(count: usize, slower: usize, factor: f64) -> Vec<Log> {
    let mut noise = Noise(18);
    let log = |run: usize| {
        let effect = (0.03 * noise.normal()).exp() * if run >= count - slower { factor } else { 1.0 };
        let record = |i: usize| RequestRecord {
            started_at: format!("2026-11-{:02}T00:{:02}:{:02}Z", 1 + run, i / 60, i % 60).parse().ok(),
            e2e_s: Some(effect * noise.latency(0.2, 0.2)),
            ..RequestRecord::default()
        };
        let session = Session { records: (0..100).map(record).collect(), ..Session::default() };
        Log {
            source: format!("night-{run:02}.json"),
            tool: Tool::LLMSCOPE,
            content: Content::Session(Arc::new(session)),
            warnings: Vec::new(),
        }
    };
    (0..count).map(log).collect()
}

fn of_runs(logs: &[Log]) -> Analysis {
    let selection =
        Selection { measures: vec![Measure::Metric(Metric::E2e)], by: Some(Vec::new()), ..Selection::default() };
    let series = selection.series(logs).expect("readable");
    assert_eq!(series.len(), 1);
    judged(&series[0])
}

#[test]
fn runs_are_compared_as_runs() {
    let slower = of_runs(&runs(14, 5, 1.5));
    assert_eq!(
        (slower.verdict, slower.answer.part),
        (SeriesVerdict::Changed, Some(Part::Level)),
        "{}",
        slower.answer.text
    );
    let since = slower.answer.since.as_ref().expect("a place");
    let run = since.run.as_ref().expect("a change between runs");
    assert_eq!((since.index, run.index, run.count, run.name.as_str()), (900, 9, 5, "night-09.json"));
    assert!(slower.answer.text.contains(" since the run of 2026-11-10, 5 runs, p"), "{}", slower.answer.text);
    let stable = of_runs(&runs(14, 0, 1.0));
    assert_eq!(stable.verdict, SeriesVerdict::Stable, "{}", stable.answer.text);
    let few = of_runs(&runs(5, 0, 1.0));
    assert_eq!((few.verdict, few.answer.need), (SeriesVerdict::NotEnoughData, Some(3)));
    assert_eq!(few.answer.text, "5 runs: 3 more are needed for a verdict between runs");
}

#[test]
fn the_events_and_failures_of_a_session_are_in_the_answer() {
    let mut noise = Noise(19);
    let record = |i: usize| {
        let failed = i % 50 == 49;
        let error = RequestError {
            kind: "http_status".to_owned(),
            code: Some(503),
            message: Some("no\u{1b}[31m slot".to_owned()),
        };
        RequestRecord {
            started_at: format!("2026-11-01T00:{:02}:{:02}Z", i / 60, i % 60).parse().ok(),
            status: if failed { Status::Error } else { Status::Ok },
            error: failed.then_some(error),
            ttft_s: (!failed).then(|| noise.latency(if i < 150 { 0.2 } else { 0.4 }, 0.1)),
            ..RequestRecord::default()
        }
    };
    let event = |at: &str, message: &str| RunEvent { at: at.parse().expect("a time"), message: message.to_owned() };
    let session = Session {
        header: SessionHeader::default(),
        records: (0..300).map(record).collect(),
        events: vec![event("2026-11-01T00:00:10Z", "start"), event("2026-11-01T00:02:30Z", "second\u{7} client")],
        ..Session::default()
    };
    let log = Log {
        source: "a.json".to_owned(),
        tool: Tool::LLMSCOPE,
        content: Content::Session(Arc::new(session)),
        warnings: Vec::new(),
    };
    let series = Selection::default().series([&log]).expect("readable");
    let analyses: Vec<Analysis> = series.iter().map(judged).collect();
    let report = Report::new(None, &Plan::default(), analyses);
    let first = &report.answers[0];
    assert_eq!((first.metric.as_str(), first.verdict), ("ttft_s", SeriesVerdict::Changed));
    assert!(first.text.contains("(event: second client)"), "{}", first.text);
    assert!(
        first.text.contains("6 of 300 requests failed (2.0 %): 6 http_status 503 (\"no [31m slot\")"),
        "{}",
        first.text
    );
    assert!(report.headline().starts_with("1 series: 1 changed for the worse."), "{}", report.headline());
}
