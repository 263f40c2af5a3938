//! The life of a series: learning, watching, out of control, in control again.

use llmscope_core::watch::Limits;
use llmscope_core::{Bounds, Metric, Transform};
use serde_json::{Value, json};

use super::client::shape::assert_shape;
use super::client::values::{records, steady};
use super::{Client, LEARN, Running, keep, keep_latencies, learned, series, violations};

fn only(client: &Client) -> Value {
    let [only] = series(client).try_into().unwrap();
    only
}

fn log(client: &Client, latency: f64) {
    client.post("/api/log", &json!({"provider": "openai", "model": "gpt-4o", "latency": latency})).ok();
}

#[test]
fn it_learns_watches_goes_out_of_control_and_comes_back() {
    let running = Running::learning(LEARN);
    assert_eq!(series(&running.client), [] as [Value; 0]);
    let latencies_s = steady(1, LEARN);
    for (i, latency) in latencies_s.iter().enumerate().take(LEARN - 1) {
        log(&running.client, *latency);
        let learning = only(&running.client);
        assert_eq!((&learning["state"], &learning["verdict"]), (&json!("learning"), &json!("not_enough_data")));
        assert_eq!(
            (&learning["learned"], &learning["need"], &learning["n"]),
            (&json!(i + 1), &json!(LEARN), &json!(i + 1))
        );
        assert_eq!((learning.get("limits"), learning.get("frozen_at")), (None, None));
    }
    log(&running.client, latencies_s[LEARN - 1]);
    let watching = only(&running.client);
    assert_eq!((&watching["state"], &watching["verdict"]), (&json!("watching"), &json!("in_control")));
    assert_eq!((watching.get("learned"), watching.get("need")), (None, None));
    let (limits, ..) = Limits::learned(Bounds::NON_NEGATIVE, Transform::None, &latencies_s).unwrap();
    assert_eq!(watching["limits"], serde_json::to_value(limits).unwrap());
    assert_eq!(watching["frozen_at"], watching["last"]["at"]);

    log(&running.client, 9.0);
    let out = only(&running.client);
    assert_eq!(
        (&out["verdict"], &out["open_violations"], &out["last"]["value"]),
        (&json!("out_of_control"), &json!(1), &json!(9.0))
    );
    log(&running.client, limits.center);
    let back = only(&running.client);
    assert_eq!(
        (&back["verdict"], &back["open_violations"], &back["n"]),
        (&json!("in_control"), &json!(0), &json!(LEARN + 2))
    );
    assert_eq!(back["limits"], watching["limits"], "frozen limits stay");
    assert_eq!(violations(&running.client, "").len(), 1);
}

#[test]
fn its_shape_is_documented() {
    let running = learned();
    let point = json!({"at": "time", "value": "number"});
    assert_shape(
        &only(&running.client),
        &json!({
            "id": "integer", "provider": "text", "model": "text", "metric": "text", "unit": "text", "title": "text",
            "state": "text", "n": "integer", "limits": {"lower": "number", "center": "number", "upper": "number", "sigma": "number"},
            "frozen_at": "time", "last": point, "verdict": "text", "open_violations": "integer",
        }),
    );
    running.client.post("/api/log", &json!({"provider": "nameless", "latency": 1})).ok();
    assert_shape(
        &series(&running.client)[0],
        &json!({
            "id": "integer", "provider": "text", "metric": "text", "unit": "text", "title": "text", "state": "text",
            "n": "integer", "learned": "integer", "need": "integer", "last": point, "verdict": "text",
            "open_violations": "integer",
        }),
    );
}

#[test]
fn every_metric_of_every_provider_and_model_is_a_series() {
    let running = Running::start();
    for (provider, model) in [("a", "m"), ("a", "n"), ("b", "m")] {
        keep(
            &running.client,
            &[json!({"provider": provider, "model": model, "e2e_s": 1, "ttft_s": 0.1, "tpot_s": 0.01, "cost_usd": 1})],
        );
    }
    let all = series(&running.client);
    let metrics: std::collections::BTreeSet<_> = all.iter().map(|one| one["metric"].as_str().unwrap()).collect();
    assert_eq!((all.len(), metrics), (9, Metric::DEFAULT.iter().map(|metric| metric.name()).collect()));
    let ids: std::collections::BTreeSet<_> = all.iter().map(|one| one["id"].as_i64()).collect();
    assert_eq!(ids.len(), 9);
}

#[test]
fn outliers_while_learning_do_not_affect_the_limits() {
    let running = Running::learning(LEARN);
    let mut latencies_s = steady(1, LEARN);
    latencies_s[7] = 9.0;
    keep_latencies(&running.client, &latencies_s);
    assert!(only(&running.client)["limits"]["upper"].as_f64().unwrap() < 1.0);
    assert_eq!(violations(&running.client, ""), [] as [Value; 0]);
}

#[test]
fn warm_up_and_failures_are_not_judged() {
    let running = learned();
    let mut warmup = records("openai", "gpt-4o", &[Some(9.0)]);
    warmup[0]["warmup"] = json!(true);
    keep(&running.client, &warmup);
    let mut failed = records("openai", "gpt-4o", &[None]);
    failed[0]["e2e_s"] = json!(9.0);
    keep(&running.client, &failed);
    let series = only(&running.client);
    assert_eq!((&series["n"], &series["verdict"]), (&json!(LEARN), &json!("in_control")));
}

#[test]
fn a_failure_does_not_end_a_violation() {
    let running = learned();
    keep_latencies(&running.client, &[9.0]);
    keep(&running.client, &records("openai", "gpt-4o", &[None, None]));
    assert_eq!(only(&running.client)["verdict"], "out_of_control");
    assert_eq!(violations(&running.client, "open=true").len(), 1);
    // A failure ends every run of points.
    keep_latencies(&running.client, &[9.0]);
    let [second, first] = violations(&running.client, "").try_into().unwrap();
    assert_eq!((&first["open"], &first["signals"]), (&json!(false), &json!(1)));
    assert_eq!((&second["open"], &second["signals"]), (&json!(true), &json!(1)));
}

#[test]
fn a_deleted_series_starts_again() {
    let running = learned();
    keep_latencies(&running.client, &[9.0]);
    let id = only(&running.client)["id"].clone();
    assert_eq!(running.client.delete(format!("/api/v1/series/{id}")).ok(), json!({"deleted": id}));
    assert_eq!((series(&running.client).len(), violations(&running.client, "").len()), (0, 0));
    assert_eq!(running.client.get("/health").ok()["total_requests"], LEARN + 1, "its records stay");
    running.client.delete(format!("/api/v1/series/{id}")).refusal(404);
    keep_latencies(&running.client, &[0.3]);
    let again = only(&running.client);
    assert_eq!((&again["n"], &again["learned"], again["id"] != id), (&json!(1), &json!(1), true));
}
