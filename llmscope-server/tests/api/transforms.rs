//! Limits on the log scale: learned, stored, used to judge, and shown.

use llmscope_core::watch::Limits;
use llmscope_core::{Bounds, Transform};
use llmscope_server::WatchSettings;

use super::client::by_rules;
use serde_json::{Value, json};

use super::client::values::{records, steady};
use super::{LEARN, Running, keep, keep_latencies, series, violations};

fn on_logarithms() -> Running {
    Running::with(|settings| {
        settings.watch = WatchSettings { learn: LEARN, transform: Transform::Log, ..by_rules() };
    })
}

fn limits_of(values: &[f64]) -> Value {
    let (limits, ..) = Limits::learned(Bounds::NON_NEGATIVE, Transform::Log, values).unwrap();
    serde_json::to_value(limits).unwrap()
}

#[test]
fn they_are_learned_and_judged_by() {
    let mut running = on_logarithms();
    keep_latencies(&running.client, &steady(1, LEARN));
    let known = series(&running.client)[0].clone();
    assert_eq!(
        (&known["limits"], &known["limits"]["transform"]),
        (&limits_of(&steady(1, LEARN)), &json!({"lambda": 0.0}))
    );
    let upper = known["limits"]["upper"].as_f64().unwrap();
    keep_latencies(&running.client, &[upper * 0.999, upper * 1.001]);
    let found = violations(&running.client, "rule=nelson-1");
    assert_eq!((found.len(), &found[0]["limits"]), (1, &known["limits"]));
    // Frozen limits stay as they are, even if later series use another scale.
    running.restart(|settings| settings.watch = WatchSettings { learn: LEARN, ..by_rules() });
    assert_eq!(series(&running.client)[0]["limits"], known["limits"]);
    keep(&running.client, &records("openai", "later", &steady(2, LEARN).into_iter().map(Some).collect::<Vec<_>>()));
    let later = series(&running.client).into_iter().find(|series| series["model"] == "later").unwrap();
    assert_eq!((&later["state"], later["limits"].get("transform")), (&json!("watching"), None));
}

#[test]
fn a_latency_of_zero_is_a_gap() {
    let running = on_logarithms();
    let mut values = steady(1, LEARN);
    values.insert(5, 0.0);
    keep_latencies(&running.client, &values);
    let known = series(&running.client)[0].clone();
    assert_eq!((&known["n"], &known["limits"]), (&json!(LEARN), &limits_of(&steady(1, LEARN))));
    keep_latencies(&running.client, &[0.0, 9.0]);
    assert_eq!(violations(&running.client, "rule=nelson-1").len(), 1);
    // The record is stored like every other, and each view of the series can be drawn.
    assert_eq!(running.client.get("/api/v1/records?limit=1000").ok()["records"].as_array().unwrap().len(), LEARN + 3);
    let id = &known["id"];
    let analysis = running.client.get(format!("/api/v1/analysis?series={id}&points=true")).ok()["analyses"][0].clone();
    assert_eq!((&analysis["phase"], &analysis["transform"]), (&json!(2), &json!({"lambda": 0.0})));
    assert_eq!((&analysis["n"], &analysis["excluded"]["not_positive"]), (&json!(LEARN + 1), &json!(2)));
    assert_eq!(analysis["limits"]["upper"], known["limits"]["upper"]);
    for path in ["/api/stats/spc", "/api/stats", &format!("/api/v1/chart.svg?series={id}")] {
        assert_eq!(running.client.get(path).status, 200, "{path}");
    }
}

#[test]
fn limits_of_a_part_are_on_the_scale_of_the_service() {
    let running = on_logarithms();
    let values = [steady(1, LEARN), vec![0.0], steady(7, 30)].concat();
    keep_latencies(&running.client, &values);
    let id = series(&running.client)[0]["id"].clone();
    let frozen = running.client.post(format!("/api/v1/series/{id}/baseline"), &json!({"limit": 30})).ok();
    assert_eq!(frozen["limits"], limits_of(&steady(7, 30)));
    let baseline = running.client.get("/api/v1/baselines").ok()["baselines"][0]["standards"].clone();
    assert_eq!(baseline["transform"], json!({"lambda": 0.0}));
}

#[test]
fn limits_from_the_data_use_the_scale_of_the_service() {
    let running = on_logarithms();
    keep_latencies(&running.client, &steady(1, LEARN - 1));
    let ask =
        |query: &str| running.client.get(format!("/api/v1/analysis?series=1&{query}")).ok()["analyses"][0].clone();
    let scale = |query: &str| ask(query)["transform"]["lambda"].as_f64();
    assert_eq!((scale(""), scale("transform=none"), scale("chart=ewma")), (Some(0.0), None, None));
    keep_latencies(&running.client, &steady(2, 5));
    // Frozen limits are used only if they have the requested scale.
    let phase = |query: &str| ask(query)["phase"].clone();
    assert_eq!((phase(""), phase("transform=log"), phase("transform=none")), (json!(2), json!(2), json!(1)));
    assert_eq!((scale("transform=none"), scale("limits=data")), (None, Some(0.0)));
    // Limits can be frozen on another scale on request.
    let frozen = running.client.post("/api/v1/series/1/baseline", &json!({"transform": "none"})).ok();
    assert_eq!((&frozen["state"], frozen["limits"].get("transform")), (&json!("watching"), None));
    assert_eq!((phase(""), phase("transform=none"), scale("")), (json!(2), json!(2), None));
}

#[test]
fn invalid_limits_are_refused_on_import() {
    let running = Running::learning(LEARN);
    keep_latencies(&running.client, &[0.3]);
    let group = json!({"provider": "openai", "model": "gpt-4o"});
    for (center, lambda, message) in
        [(9999.0, 0.0, "limits that convert back to finite measurements"), (0.4, -2.0, "0.1 to 2")]
    {
        let sigma = json!({"sigma": 1.0, "estimator": "average_moving_range"});
        let standards =
            json!({"chart": "individuals", "center": center, "within": sigma, "transform": {"lambda": lambda}});
        let baseline = json!({"group": group, "metric": "e2e_s", "n": 20, "standards": standards});
        let file = json!({"schema": "llmscope.baseline/2", "baselines": [baseline]});
        let refused = running.client.put_text("/api/v1/baselines", &file.to_string());
        assert!(refused.status == 422 && refused.text().contains(message), "{}: {}", refused.status, refused.text());
    }
    keep_latencies(&running.client, &steady(1, LEARN - 1));
    assert_eq!(series(&running.client)[0]["state"], "watching");
}

#[test]
fn an_analysis_uses_the_requested_scale() {
    let running = Running::learning(LEARN);
    keep_latencies(&running.client, &[steady(1, 60), vec![0.0, 2.5]].concat());
    let ask = |query: &str| running.client.get(format!("/api/v1/analysis?series=1&{query}"));
    let as_measured = ask("").ok()["analyses"][0].clone();
    assert_eq!((&as_measured["phase"], as_measured.get("transform")), (&json!(2), None));
    // Frozen limits on another scale are not used.
    let log = ask("transform=log").ok()["analyses"][0].clone();
    assert_eq!((&log["phase"], &log["limits"]["transform"]), (&json!(1), &json!({"lambda": 0.0})));
    assert_eq!((&log["n"], &log["excluded"]["not_positive"]), (&json!(61), &json!(1)));
    let both = ["lower", "upper"]
        .map(|line| log["limits"][line].as_f64().unwrap() / log["limits"]["center"].as_f64().unwrap());
    assert!((both[0] * both[1] - 1.0).abs() < 1e-12, "{both:?}");
    for (query, message) in [
        ("transform=log&limits=frozen", "the transformation of the baseline"),
        ("transform=log&chart=xbar-r&subgroup=5", "log with chart xbar-r"),
        ("transform=square", "none, log, box-cox, auto"),
    ] {
        let refused = ask(query);
        assert!(refused.status == 422 && refused.text().contains(message), "{query}: {}", refused.text());
    }
}
