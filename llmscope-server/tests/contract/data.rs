//! `GET /api/data`: latencies with statistics and violations.

use jiff::{SignedDuration, Timestamp};
use llmscope_core::chart::individuals;
use llmscope_core::stats::{Moments, QuantileMethod, Sorted};
use llmscope_core::{Chart, RuleSet, Sample, SigmaEstimator};
use serde_json::json;

use super::client::shape::{assert_shape, numbers, texts};
use super::client::values::{steady, unsteady};
use super::{Running, all_succeeded, assert_close, keep_all, log_all};

/// The chart of these latencies with limits from themselves.
fn chart(latencies_s: &[f64]) -> Chart<'_> {
    individuals::estimate(&Sample::new(latencies_s).unwrap(), SigmaEstimator::AverageMovingRange).unwrap()
}

#[test]
fn its_shape_is_that_of_the_previous_service() {
    let running = Running::start();
    log_all(&running.client, "p", &[[0.3; 10], [0.31; 10]].concat());
    log_all(&running.client, "p", &[2.0]);
    assert_shape(
        &running.client.get("/api/data").ok(),
        &json!({
            "series": [{"t": "time", "y": "number"}],
            "stats": {
                "mean": "number", "std": "number", "p50": "number", "p95": "number", "p99": "number", "min": "number",
                "max": "number", "ucl": "number", "lcl": "number", "count": "integer", "total_cost": "number",
                "error_rate": "number",
            },
            "violations": [{"rule": "text", "start_idx": "integer", "end_idx": "integer", "count": "integer"}],
        }),
    );
}

#[test]
fn an_empty_store_is_not_an_error() {
    let running = Running::start();
    for path in ["/api/data", "/api/data?provider=unknown"] {
        let data = running.client.get(path).ok();
        assert_eq!((&data["series"], &data["violations"]), (&json!([]), &json!([])), "{path}");
        let stats = data["stats"].as_object().unwrap();
        assert_eq!(stats.len(), 12);
        assert!(stats.values().all(|value| value.as_f64() == Some(0.0)), "{data}");
    }
}

#[test]
fn one_latency_is_its_own_mean_and_limit() {
    let running = Running::start();
    log_all(&running.client, "p", &[0.25]);
    let stats = running.client.get("/api/data").ok()["stats"].clone();
    for field in ["mean", "p50", "p95", "p99", "min", "max", "ucl", "lcl"] {
        assert_eq!(stats[field], 0.25, "{field}");
    }
    assert_eq!((&stats["std"], &stats["count"]), (&json!(0.0), &json!(1)));
}

#[test]
fn latencies_are_in_time_order() {
    let running = Running::start();
    // The calls of the previous service have microseconds.
    let now = Timestamp::from_microsecond(Timestamp::now().as_microsecond()).unwrap();
    for (minutes, e2e_s) in [(10, 0.1), (30, 0.3), (20, 0.2)] {
        let at = now - SignedDuration::from_mins(minutes);
        running.client.post("/api/v1/records", &json!([{"provider": "p", "e2e_s": e2e_s, "started_at": at}])).ok();
    }
    let series = running.client.get("/api/data").ok()["series"].clone();
    assert_eq!(numbers(&series, "y"), [0.3, 0.2, 0.1]);
    let times: Vec<Timestamp> = texts(&series, "t").iter().map(|text| text.parse().unwrap()).collect();
    assert!(times.is_sorted() && times[0] == now - SignedDuration::from_mins(30));
    // The newest by time, not by arrival.
    let newest = running.client.get("/api/data?limit=2").ok();
    assert_eq!(numbers(&newest["series"], "y"), [0.2, 0.1]);
    assert_eq!(newest["stats"]["count"], 2);
}

#[test]
fn the_newest_2000_are_returned_by_default() {
    let running = Running::start();
    let latencies_s: Vec<f64> = (1..=2100).map(|i| f64::from(i) / 1e3).collect();
    keep_all(&running.client, "p", "m", &all_succeeded(&latencies_s));
    let y = |path: &str| numbers(&running.client.get(path).ok()["series"], "y");
    assert_eq!(y("/api/data"), latencies_s[100..]);
    assert_eq!(y("/api/data?limit=10000"), latencies_s);
    assert_eq!(y("/api/data?limit=1"), [2.1]);
}

#[test]
fn hours_and_provider_select() {
    let running = Running::start();
    for (hours, provider) in [(1, "a"), (23, "b"), (25, "a"), (167, "b")] {
        let at = Timestamp::now() - SignedDuration::from_hours(hours);
        running.client.post("/api/v1/records", &json!([{"provider": provider, "e2e_s": hours, "started_at": at}])).ok();
    }
    let y = |query: &str| numbers(&running.client.get(format!("/api/data{query}")).ok()["series"], "y");
    assert_eq!(y(""), [23.0, 1.0]);
    assert_eq!(y("?hours=2"), [1.0]);
    assert_eq!(y("?hours=168"), [167.0, 25.0, 23.0, 1.0]);
    assert_eq!(y("?hours=168&provider=a"), [25.0, 1.0]);
    assert_eq!(y("?provider=b"), [23.0]);
    // An empty field does not filter.
    assert_eq!(y("?provider="), [23.0, 1.0]);
}

#[test]
fn statistics_are_those_of_the_core() {
    let running = Running::start();
    let latencies_s = [steady(3, 60), vec![3.0], steady(4, 30)].concat();
    keep_all(&running.client, "p", "m", &all_succeeded(&latencies_s));
    let stats = running.client.get("/api/data").ok()["stats"].clone();
    let (moments, sorted) = (Moments::of(&latencies_s), Sorted::of(&latencies_s));
    assert_close(&stats["mean"], moments.mean().unwrap(), "mean");
    assert_close(&stats["std"], moments.standard_deviation().unwrap(), "std");
    for (field, p) in [("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("min", 0.0), ("max", 1.0)] {
        assert_close(&stats[field], sorted.quantile(p, QuantileMethod::HyndmanFan7).unwrap(), field);
    }
    assert_eq!(stats["count"], 91);
}

#[test]
fn limits_use_the_within_sigma_and_not_the_standard_deviation() {
    let running = Running::start();
    let latencies_s = [steady(5, 40), vec![0.6; 40]].concat();
    keep_all(&running.client, "p", "m", &all_succeeded(&latencies_s));
    let stats = running.client.get("/api/data").ok()["stats"].clone();
    let limits = chart(&latencies_s).limits;
    assert_close(&stats["ucl"], limits.upper.at(0), "ucl");
    assert_close(&stats["lcl"], limits.lower.at(0), "lcl");
    // A shift stands out against them; the standard deviation of all latencies would hide it.
    let (mean, std) = (stats["mean"].as_f64().unwrap(), stats["std"].as_f64().unwrap());
    assert!(stats["ucl"].as_f64().unwrap() < 0.6 && mean + 3.0 * std > 0.6, "{stats}");
}

#[test]
fn no_limit_is_below_zero() {
    let running = Running::start();
    log_all(&running.client, "p", &[0.1, 2.0, 0.1, 2.0, 0.1]);
    let stats = running.client.get("/api/data").ok()["stats"].clone();
    assert_eq!(stats["lcl"], 0.0);
    assert!(stats["ucl"].as_f64().unwrap() > 2.0);
}

#[test]
fn violations_are_those_of_all_points_and_all_rules() {
    let running = Running::start();
    let latencies_s = unsteady(11, 90);
    keep_all(&running.client, "p", "m", &all_succeeded(&latencies_s));
    let data = running.client.get("/api/data").ok();
    let chart = chart(&latencies_s);
    let expected = chart.judge(&RuleSet::nelson()).unwrap().violations;
    assert!(expected.iter().any(|found| found.last < 45), "the test needs violations that ended long ago");
    let expected: Vec<_> = expected
        .iter()
        .map(|found| {
            let rule = found.rule.as_str().replace("nelson-", "R");
            json!({"rule": rule, "start_idx": found.first, "end_idx": found.last, "count": found.last - found.first + 1})
        })
        .collect();
    assert_eq!(data["violations"], json!(expected));
}

/// As in the previous service: the latency of a failure is the time until it.
#[test]
fn failures_count_with_their_latency() {
    let running = Running::start();
    for (latency, success) in [(0.3, true), (30.0, false), (0.4, true), (0.2, true), (31.0, false)] {
        let body = json!({"provider": "p", "latency": latency, "success": success, "cost": 0.5});
        running.client.post("/api/log", &body).ok();
    }
    let data = running.client.get("/api/data").ok();
    assert_eq!(numbers(&data["series"], "y"), [0.3, 30.0, 0.4, 0.2, 31.0]);
    assert_eq!((&data["stats"]["count"], &data["stats"]["error_rate"]), (&json!(5), &json!(0.4)));
    assert_eq!(data["stats"]["max"], 31.0);
    assert_eq!(running.client.get("/api/stats/spc").ok()["count"], 5);
    assert_close(&running.client.get("/api/stats?summary=true").ok()["summary"]["mean"], 61.9 / 5.0, "mean");
}

#[test]
fn costs_are_summed() {
    let running = Running::start();
    for cost in [json!(0.5), json!(null), json!(0.25)] {
        running.client.post("/api/log", &json!({"provider": "p", "latency": 0.3, "cost": cost})).ok();
    }
    assert_eq!(running.client.get("/api/data").ok()["stats"]["total_cost"], 0.75);
}

#[test]
fn failed_requests_cost_money_too() {
    let running = Running::start();
    for success in [true, false] {
        let body = json!({"provider": "p", "latency": 0.3, "cost": 0.5, "success": success});
        running.client.post("/api/log", &body).ok();
    }
    let total = running.client.get("/api/data").ok()["stats"]["total_cost"].clone();
    let providers = running.client.get("/api/providers").ok();
    assert_eq!(total, providers["providers"][0]["cost_24h"], "both report the same cost");
    assert_eq!(total, 1.0);
}

#[test]
fn extreme_latencies_give_numbers() {
    for latencies_s in [[1e15, 0.0, 1e15], [1e-300, 2e-300, 1e-300], [0.0, 0.0, 0.0]] {
        let running = Running::start();
        log_all(&running.client, "p", &latencies_s);
        let data = running.client.get("/api/data").ok();
        let stats = data["stats"].as_object().unwrap();
        assert!(stats.values().all(serde_json::Value::is_number), "{latencies_s:?}: {data}");
        running.client.get("/api/stats?summary=true").ok();
        running.client.get("/api/stats/spc").ok();
    }
}
