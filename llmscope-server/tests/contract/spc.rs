//! `GET /api/stats/spc`: a control chart, point by point.

use llmscope_core::chart::individuals;
use llmscope_core::watch::Limits;
use llmscope_core::{Bounds, Line, RuleSet, Sample, SigmaEstimator, Transform, rules};
use serde_json::{Value, json};

use super::client::shape::{assert_shape, numbers};
use super::client::values::{steady, unsteady};
use super::{Running, all_succeeded, assert_close, keep_all, log_all};

const RULES: [&str; 8] = ["r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8"];
const BANDS: [(&str, f64); 7] =
    [("mu", 0.0), ("p1", 1.0), ("p2", 2.0), ("p3", 3.0), ("n1", -1.0), ("n2", -2.0), ("n3", -3.0)];

/// Checks the bands and rules of every point against a center line and a sigma.
#[track_caller]
fn assert_chart(series: &Value, latencies_s: &[f64], center: f64, sigma: f64) {
    let points = series.as_array().unwrap();
    assert_eq!(points.len(), latencies_s.len());
    let (center_line, sigma_line) = (Line::Constant(center), Line::Constant(sigma));
    let judgement = rules::judge(latencies_s, &center_line, &sigma_line, &[], &RuleSet::nelson()).unwrap();
    for (i, (point, &y)) in points.iter().zip(latencies_s).enumerate() {
        assert_close(&point["y_ms"], 1e3 * y, "y_ms");
        for (band, multiple) in BANDS {
            assert_close(&point[band], 1e3 * (center + multiple * sigma).max(0.0), band);
            assert_eq!(point[band], points[0][band], "bands are straight lines");
        }
        for (rule, name) in RULES.iter().enumerate() {
            assert_eq!(point[name], judgement.signals.at(i).contains(rule), "{name} at {i}");
        }
    }
}

#[test]
fn its_shape_is_that_of_the_previous_service_with_all_eight_rules() {
    let running = Running::start();
    log_all(&running.client, "p", &[0.3, 0.31, 0.29]);
    let band = "number";
    assert_shape(
        &running.client.get("/api/stats/spc").ok(),
        &json!({
            "count": "integer",
            "series": [{
                "t_ms": "integer", "y_ms": band, "mu": band, "p1": band, "p2": band, "p3": band, "n1": band, "n2": band,
                "n3": band, "r1": "bool", "r2": "bool", "r3": "bool", "r4": "bool", "r5": "bool", "r6": "bool",
                "r7": "bool", "r8": "bool",
            }],
        }),
    );
}

#[test]
fn before_limits_are_frozen_they_come_from_the_points() {
    let running = Running::learning(1000);
    let latencies_s = unsteady(21, 400);
    keep_all(&running.client, "p", "m", &all_succeeded(&latencies_s));
    let spc = running.client.get("/api/stats/spc").ok();
    assert_eq!(spc["count"], 400);
    let chart = individuals::estimate(&Sample::new(&latencies_s[..]).unwrap(), SigmaEstimator::AverageMovingRange);
    let standards = chart.unwrap().standards;
    assert_chart(&spc["series"], &latencies_s, standards.center, standards.within.unwrap().sigma);
}

#[test]
fn frozen_limits_stay_and_every_rule_is_judged_at_every_point() {
    let running = Running::learning(100);
    let latencies_s = [steady(22, 100), unsteady(23, 900)].concat();
    keep_all(&running.client, "p", "m", &all_succeeded(&latencies_s));
    let spc = running.client.get("/api/stats/spc").ok();
    let (limits, ..) = Limits::learned(Bounds::NON_NEGATIVE, Transform::None, &latencies_s[..100]).unwrap();
    assert_chart(&spc["series"], &latencies_s, limits.center, limits.sigma);
    for rule in RULES {
        let signals = spc["series"].as_array().unwrap().iter().filter(|point| point[rule] == true).count();
        assert!((1..900).contains(&signals), "{rule} signals at {signals} points: the test would prove nothing");
    }
}

#[test]
fn points_are_in_time_order_with_their_times() {
    let running = Running::start();
    keep_all(&running.client, "p", "m", &all_succeeded(&[0.1, 0.2, 0.3]));
    let spc = running.client.get("/api/stats/spc").ok();
    let (times, data) = (numbers(&spc["series"], "t_ms"), running.client.get("/api/data").ok());
    assert!(times.windows(2).all(|pair| (pair[1] - pair[0] - 1000.0).abs() <= 1.0), "{times:?}");
    let first: jiff::Timestamp = data["series"][0]["t"].as_str().unwrap().parse().unwrap();
    assert_eq!(spc["series"][0]["t_ms"], first.as_millisecond());
}

#[test]
fn provider_and_model_filter() {
    let running = Running::start();
    for (provider, model, latency) in [("a", "small", 0.1), ("a", "large", 0.2), ("b", "small", 0.3)] {
        let body = json!({"provider": provider, "model": model, "latency": latency});
        running.client.post("/api/log", &body).ok();
    }
    let y = |query: &str| numbers(&running.client.get(format!("/api/stats/spc?{query}")).ok()["series"], "y_ms");
    assert_eq!(y("provider=a"), [100.0, 200.0]);
    assert_eq!(y("model=small"), [100.0, 300.0]);
    assert_eq!(y("provider=a&model=large"), [200.0]);
    assert_eq!(y("provider=b&model=large"), [0.0; 0]);
}

#[test]
fn the_newest_2000_are_returned_by_default() {
    let running = Running::start();
    let latencies_s: Vec<f64> = (1..=2050).map(|i| f64::from(i) / 1e3).collect();
    keep_all(&running.client, "p", "m", &all_succeeded(&latencies_s));
    for (query, count) in [("", 2000), ("?limit=10", 10), ("?limit=20000", 2050)] {
        let spc = running.client.get(format!("/api/stats/spc{query}")).ok();
        assert_eq!(spc["count"], count);
        assert_eq!(numbers(&spc["series"], "y_ms").last(), Some(&2050.0));
    }
}

#[test]
fn too_few_or_equal_points_give_no_signal() {
    let running = Running::start();
    assert_eq!(running.client.get("/api/stats/spc").ok(), json!({"count": 0, "series": []}));
    for i in 0..20 {
        log_all(&running.client, "p", &[0.3]);
        let spc = running.client.get("/api/stats/spc").ok();
        let points = spc["series"].as_array().unwrap();
        assert_eq!(points.len(), i + 1);
        for point in points {
            assert!(RULES.iter().all(|rule| point[rule] == false), "{point}");
            assert!(BANDS.iter().all(|(band, _)| point[band] == 300.0), "{point}");
        }
    }
}
