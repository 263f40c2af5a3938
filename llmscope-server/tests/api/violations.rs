//! Violations found as values arrive equal those in a chart of all values.

use jiff::Timestamp;
use llmscope_core::rules::judge;
use llmscope_core::watch::Limits;
use llmscope_core::{Bounds, Line, RuleSet, Transform};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::client::shape::{assert_shape, texts};
use super::client::values::{Numbers, steady, unsteady};
use super::{LEARN, Running, keep, keep_latencies, learned, series, violations};

/// Requests with two metrics; some fail, and some lack the time to first token.
fn requests(seed: u64, n: usize, one_in: u64) -> Vec<Value> {
    let (e2e_s, ttft_s) = ([steady(seed, LEARN), unsteady(seed, n)].concat(), unsteady(seed + 1, LEARN + n));
    let mut numbers = Numbers::of(seed);
    let begin: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    let request = |i: usize| {
        let at = begin + jiff::SignedDuration::from_millis(1700 * i64::try_from(i).unwrap());
        let mut request =
            json!({"provider": "p", "model": "m", "started_at": at, "e2e_s": e2e_s[i], "ttft_s": ttft_s[i]});
        match numbers.below(one_in) {
            0 => request = json!({"provider": "p", "model": "m", "started_at": at, "status": "timeout"}),
            1 => drop(request.as_object_mut().unwrap().remove("ttft_s")),
            _ => {}
        }
        request
    };
    (0..LEARN + n).map(request).collect()
}

/// The violations of a metric after the values that limits were learned from, as the core finds them in one pass. The
/// limits come from the first consecutive values that allow an estimate: values at two distant levels, for example, all
/// lie beyond their own limits.
fn expected(requests: &[Value], metric: &str) -> Vec<Value> {
    let (mut points, mut breaks): (Vec<(f64, Value)>, Vec<usize>) = (Vec::new(), Vec::new());
    for request in requests {
        match request.get(metric).and_then(Value::as_f64) {
            Some(value) => points.push((value, request["started_at"].clone())),
            None => breaks.push(points.len()),
        }
    }
    let values: Vec<f64> = points.iter().map(|(value, _)| *value).collect();
    let learned =
        |window: &[f64]| Limits::learned(Bounds::NON_NEGATIVE, Transform::None, window).map(|(limits, ..)| limits);
    let windows = values.windows(LEARN).zip(LEARN..);
    let Some((limits, judged_from)) = windows.filter_map(|(window, end)| Some((learned(window)?, end))).next() else {
        return Vec::new();
    };
    let (later, times) = (&values[judged_from..], &points[judged_from..]);
    let breaks: Vec<usize> = breaks.iter().filter_map(|at| at.checked_sub(judged_from)).collect();
    let (center, sigma) = (Line::Constant(limits.center), Line::Constant(limits.sigma));
    let judged = judge(later, &center, &sigma, &breaks, &RuleSet::nelson()).unwrap();
    let found = judged.violations.iter().map(|found| {
        json!({
            "metric": metric, "rule": found.rule, "side": found.side, "first_at": times[found.first].1,
            "signal_at": times[found.first_signal].1, "last_at": times[found.last].1, "signals": found.signals().len(),
            "value": later[found.first_signal], "open": found.last == later.len() - 1, "limits": limits,
        })
    });
    found.collect()
}

/// The same for the violations that the service found.
fn found(running: &Running, metric: &str) -> Vec<Value> {
    let mut all = violations(&running.client, &format!("metric={metric}"));
    all.reverse();
    let of = |found: &Value| {
        let mut same = json!({"metric": found["series"]["metric"]});
        for field in ["rule", "side", "first_at", "signal_at", "last_at", "signals", "value", "open", "limits"] {
            same[field] = found[field].clone();
        }
        same
    };
    all.iter().map(of).collect()
}

/// Posts requests in batches, and asserts that the service finds the violations that the core finds in all of them.
fn assert_live_is_batch(requests: &[Value], together: usize) {
    let running = Running::with(|settings| {
        settings.watch.learn = LEARN;
        settings.retention_days = 0;
    });
    requests.chunks(together).for_each(|part| keep(&running.client, part));
    for metric in ["e2e_s", "ttft_s"] {
        assert_eq!(found(&running, metric), expected(requests, metric), "{metric}");
    }
    // The verdict depends on open violations.
    for series in series(&running.client) {
        let open = violations(&running.client, &format!("open=true&series={}", series["id"])).len();
        assert_eq!(series["open_violations"].as_u64(), Some(open as u64));
        if series["state"] == "watching" {
            assert_eq!(series["verdict"], if open > 0 { "out_of_control" } else { "in_control" });
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn live_violations_equal_those_of_the_core(
        seed in 0_u64..100_000,
        n in 10_usize..200,
        one_in in prop::sample::select(vec![8_u64, 30, 1000]),
        together in 1_usize..60,
    ) {
        assert_live_is_batch(&requests(seed, n, one_in), together);
    }
}

#[test]
fn learning_continues_if_the_first_values_give_no_limits() {
    let requests = requests(78_433, 150, 30);
    let first: Vec<f64> = requests.iter().filter_map(|request| request["ttft_s"].as_f64()).take(LEARN).collect();
    assert_eq!(Limits::learned(Bounds::NON_NEGATIVE, Transform::None, &first), None, "{first:?}");
    assert!(!expected(&requests, "ttft_s").is_empty());
    assert_live_is_batch(&requests, 7);
}

#[test]
fn the_requests_of_these_tests_violate_every_rule() {
    let all: Vec<Value> = (0..20).flat_map(|seed| expected(&requests(seed, 200, 30), "e2e_s")).collect();
    let rules: std::collections::BTreeSet<_> = all.iter().map(|found| found["rule"].as_str().unwrap()).collect();
    assert_eq!(rules.len(), 8, "{rules:?}");
}

#[test]
fn its_shape_is_documented() {
    let running = learned();
    keep_latencies(&running.client, &[9.0]);
    let id = violations(&running.client, "")[0]["id"].clone();
    let mark = json!({"at": "time", "by": "text"});
    running.client.post(format!("/api/v1/violations/{id}/acknowledge"), &json!({"note": "seen"})).ok();
    running.client.post(format!("/api/v1/violations/{id}/resolve"), &json!({})).ok();
    let found = running.client.get(format!("/api/v1/violations/{id}")).ok();
    assert_shape(
        &found,
        &json!({
            "id": "integer",
            "series": {"id": "integer", "provider": "text", "model": "text", "metric": "text", "unit": "text"},
            "rule": "text", "words": "text", "side": "text", "first_at": "time", "signal_at": "time", "last_at": "time",
            "signals": "integer", "open": "bool", "value": "number",
            "limits": {"lower": "number", "center": "number", "upper": "number", "sigma": "number"},
            "status": "text", "acknowledged": mark, "resolved": mark, "notes": [{"at": "time", "by": "text", "text": "text"}],
        }),
    );
    assert_eq!(found, violations(&running.client, "")[0]);
    assert_eq!((&found["rule"], &found["side"], &found["value"]), (&json!("nelson-1"), &json!("above"), &json!(9.0)));
    assert!(!found["words"].as_str().unwrap().is_empty());
}

#[test]
fn a_violation_is_stored_once() {
    let running = learned();
    (0..5).for_each(|_| keep_latencies(&running.client, &[9.0]));
    let beyond = violations(&running.client, "rule=nelson-1");
    assert_eq!((beyond.len(), &beyond[0]["signals"]), (1, &json!(5)));
}

#[test]
fn they_are_filtered_by_properties_and_status() {
    let running = learned();
    super::keep(&running.client, &super::records("other", "m", &[Some(0.3), Some(0.31)].repeat(LEARN / 2)));
    keep_latencies(&running.client, &unsteady(5, 120));
    super::keep(&running.client, &super::records("other", "m", &[Some(9.0)]));
    let all = violations(&running.client, "");
    let count = |query: &str| violations(&running.client, query).len();
    for rule in texts(&json!(all), "rule") {
        let of_rule = violations(&running.client, &format!("rule={rule}"));
        assert!(!of_rule.is_empty() && of_rule.iter().all(|found| found["rule"] == rule));
    }
    assert_eq!(count("open=true") + count("open=false"), all.len());
    assert_eq!(count("provider=other"), 1);
    assert_eq!(count("provider=openai") + 1, all.len());
    assert_eq!(count("model=gpt-4o") + count("model=m"), all.len());
    assert_eq!((count("metric=e2e_s"), count("metric=ttft_s")), (all.len(), 0));
    let id = &all[0]["series"]["id"];
    assert_eq!(count(&format!("series={id}")), all.iter().filter(|found| found["series"]["id"] == *id).count());

    assert_eq!((count("status=new"), count("status=acknowledged"), count("status=resolved")), (all.len(), 0, 0));
    running.client.post(format!("/api/v1/violations/{}/acknowledge", all[0]["id"]), &json!({})).ok();
    running.client.post(format!("/api/v1/violations/{}/resolve", all[1]["id"]), &json!({})).ok();
    assert_eq!((count("status=new"), count("status=acknowledged"), count("status=resolved")), (all.len() - 2, 1, 1));
    assert_eq!(count("status=acknowledged,resolved"), 2);
    for (query, field) in
        [("status=old", "status"), ("metric=speed", "metric"), ("limit=1001", "limit"), ("open=perhaps", "open")]
    {
        assert_eq!(
            running.client.get(format!("/api/v1/violations?{query}")).field_error().0,
            [json!("query"), json!(field)]
        );
    }
}
