//! `GET /api/providers`, `GET /api/cost/summary`.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::client::shape::assert_shape;
use super::{Client, Running, assert_close};

/// Stores a request from `hours` hours ago, and returns its day.
fn keep(client: &Client, hours: i64, provider: &str, e2e_s: f64, cost_usd: f64) -> String {
    let at = Timestamp::now() - SignedDuration::from_hours(hours);
    let record = json!({"provider": provider, "e2e_s": e2e_s, "cost_usd": cost_usd, "started_at": at});
    client.post("/api/v1/records", &json!([record])).ok();
    at.strftime("%Y-%m-%d").to_string()
}

#[test]
fn providers_cover_the_last_24_hours() {
    let running = Running::start();
    keep(&running.client, 1, "a", 0.2, 0.5);
    keep(&running.client, 23, "a", 0.4, 0.25);
    keep(&running.client, 25, "a", 9.0, 9.0);
    keep(&running.client, 2, "b", 1.0, 0.0);
    running.client.post("/api/log", &json!({"provider": "b", "latency": 30.0, "success": false})).ok();
    let answer = running.client.get("/api/providers").ok();
    let fields = json!({"name": "text", "requests_24h": "integer", "avg_latency": "number", "cost_24h": "number"});
    assert_shape(&answer, &json!({"providers": [fields]}));
    let of =
        |name: &str| answer["providers"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap().clone();
    assert_eq!((&of("a")["requests_24h"], &of("a")["cost_24h"]), (&json!(2), &json!(0.75)));
    assert_close(&of("a")["avg_latency"], 0.3, "avg_latency");
    // The latency of a failure is the time until it.
    assert_eq!((&of("b")["requests_24h"], &of("b")["avg_latency"]), (&json!(2), &json!(15.5)));
}

#[test]
fn costs_are_summed_by_day_and_provider() {
    let running = Running::start();
    let days = [
        keep(&running.client, 47, "a", 0.2, 0.5),
        keep(&running.client, 47, "a", 0.4, 0.25),
        keep(&running.client, 47, "b", 1.0, 1.0),
        keep(&running.client, 23, "a", 0.6, 2.0),
    ];
    // Requests without a cost are not counted.
    running.client.post("/api/log", &json!({"provider": "a", "latency": 0.3})).ok();
    let answer = running.client.get("/api/cost/summary").ok();
    let provider = json!({"cost": "number", "requests": "integer", "avg_latency": "number"});
    let day = json!({"date": "text", "total_cost": "number", "requests": "integer", "providers": {"*": provider}});
    assert_shape(&answer, &json!({"summary": [day], "total_period_cost": "number"}));
    assert_eq!(answer["total_period_cost"], 3.75);
    let of = |date: &str| answer["summary"].as_array().unwrap().iter().find(|day| day["date"] == date).unwrap().clone();
    let first = of(&days[0]);
    assert_eq!((&first["total_cost"], &first["requests"]), (&json!(1.75), &json!(3)));
    assert_eq!((&first["providers"]["a"]["cost"], &first["providers"]["a"]["requests"]), (&json!(0.75), &json!(2)));
    assert_close(&first["providers"]["a"]["avg_latency"], 0.3, "avg_latency");
    assert_eq!(of(&days[3])["total_cost"], 2.0);
    assert_eq!(of(&days[3])["requests"], 1);
    assert_eq!(answer["summary"][0]["date"], Value::from(days[3].as_str()), "newest day first");
}

#[test]
fn days_select_today_included() {
    let running = Running::start();
    // Ten days ago is outside of seven days, and half an hour ago inside, at any time of the day.
    keep(&running.client, 240, "a", 0.2, 4.0);
    keep(&running.client, 3 * 24, "a", 0.2, 2.0);
    let at = Timestamp::now();
    running
        .client
        .post("/api/v1/records", &json!([{"provider": "a", "e2e_s": 1, "cost_usd": 1, "started_at": at}]))
        .ok();
    let total = |query: &str| running.client.get(format!("/api/cost/summary{query}")).ok()["total_period_cost"].clone();
    assert_eq!(total(""), 3.0);
    assert_eq!(total("?days=7"), 3.0);
    assert_eq!(total("?days=1"), 1.0);
    assert_eq!(total("?days=30"), 7.0);
}

#[test]
fn an_empty_store_has_no_costs() {
    let running = Running::start();
    let empty = running.client.get("/api/cost/summary");
    assert!(!String::from_utf8_lossy(&empty.body).contains("-0.0"));
    assert_eq!(empty.ok(), json!({"summary": [], "total_period_cost": 0.0}));
    assert_eq!(running.client.get("/api/providers").ok(), json!({"providers": []}));
}
