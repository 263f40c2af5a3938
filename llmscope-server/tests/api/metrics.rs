//! `GET /metrics`: text that Prometheus can parse.

use std::collections::BTreeMap;

use serde_json::json;

use super::client::Client;
use super::client::events::Events;
use super::{LEARN, Running, keep_latencies, learned};

/// Labels, sorted by name, and the value.
type Sample = (BTreeMap<String, String>, f64);

/// Every sample by its name. It panics at a line that Prometheus would not accept.
fn samples(client: &Client) -> BTreeMap<String, Vec<Sample>> {
    let answer = client.get("/metrics");
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    let text = String::from_utf8(answer.body).unwrap();
    let (mut found, mut families) = (BTreeMap::<String, Vec<Sample>>::new(), BTreeMap::new());
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.last(), Some(&"# EOF"));
    for line in &lines[..lines.len() - 1] {
        if let Some(comment) = line.strip_prefix("# ") {
            let [what, name, help] = comment.splitn(3, ' ').collect::<Vec<_>>().try_into().unwrap();
            assert!(["HELP", "TYPE", "UNIT"].contains(&what) && !help.is_empty(), "{line}");
            if what == "TYPE" {
                assert!(families.insert(name.to_owned(), help.to_owned()).is_none(), "{name} twice");
            }
            continue;
        }
        let (name, sample) = parsed(line);
        let family = name.strip_suffix("_total").filter(|family| families.contains_key(*family)).unwrap_or(&name);
        let kind = families.get(family).unwrap_or_else(|| panic!("{line} has no family"));
        assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
        let all = found.entry(name).or_default();
        assert!(all.iter().all(|(labels, _)| *labels != sample.0), "{line} twice");
        all.push(sample);
    }
    found
}

/// `name{label="value",…} 1.5`
fn parsed(line: &str) -> (String, Sample) {
    let end = line.find(['{', ' ']).unwrap();
    let (name, mut rest) = line.split_at(end);
    assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && name.starts_with("llmscope_"), "{line}");
    let mut labels = BTreeMap::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            let (label, after) = rest.split_once("=\"").unwrap();
            let (value, after) = unescaped(after);
            assert!(labels.insert(label.to_owned(), value).is_none(), "{line}");
            rest = after.strip_prefix(',').unwrap_or(after);
        }
        rest = &rest[1..];
    }
    (name.to_owned(), (labels, rest.strip_prefix(' ').unwrap().parse().unwrap()))
}

/// A label's value up to its closing quote, and the rest of the line.
fn unescaped(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.push(match chars.next().unwrap().1 {
                'n' => '\n',
                other => other,
            }),
            other => value.push(other),
        }
    }
    panic!("a label without a closing quote: {text}")
}

#[test]
fn series_and_limits_are_exported() {
    let running = learned();
    keep_latencies(&running.client, &[9.0]);
    let series = super::series(&running.client)[0].clone();
    let samples = samples(&running.client);
    let labels = [("provider", "openai"), ("model", "gpt-4o"), ("metric", "e2e_s")];
    let labels: BTreeMap<String, String> = labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let limit = |name: &str| series["limits"][name].as_f64().unwrap();
    for (name, value) in [
        ("llmscope_last_value", 9.0),
        ("llmscope_center_line", limit("center")),
        ("llmscope_lower_control_limit", limit("lower")),
        ("llmscope_upper_control_limit", limit("upper")),
        ("llmscope_in_control", 0.0),
        ("llmscope_open_violations", 1.0),
        ("llmscope_values_total", f64::from(u32::try_from(LEARN).unwrap()) + 1.0),
    ] {
        assert_eq!(samples[name], [(labels.clone(), value)], "{name}");
    }
    assert_eq!(samples["llmscope_records"], [(BTreeMap::new(), 21.0)]);
}

#[test]
fn unknown_values_are_absent() {
    let running = Running::start();
    assert!(samples(&running.client).contains_key("llmscope_records"));
    running.client.post("/api/log", &json!({"provider": "p", "latency": 0.5})).ok();
    let samples = samples(&running.client);
    assert_eq!(samples["llmscope_last_value"][0].1, 0.5);
    assert_eq!(samples["llmscope_last_value"][0].0["model"], "");
    for absent in ["llmscope_in_control", "llmscope_center_line", "llmscope_upper_control_limit"] {
        assert!(!samples.contains_key(absent), "{absent}");
    }
}

#[test]
fn names_cannot_break_a_line() {
    let running = Running::start();
    let odd = "a\"} 1\nllmscope_records 7\\\\n{b=\"c,\u{1f680}";
    running.client.post("/api/log", &json!({"provider": odd, "model": odd, "latency": 0.5})).ok();
    let samples = samples(&running.client);
    assert_eq!(samples["llmscope_records"], [(BTreeMap::new(), 1.0)]);
    let (labels, value) = &samples["llmscope_last_value"][0];
    assert_eq!((labels["provider"].as_str(), labels["model"].as_str(), *value), (odd, odd, 0.5));
}

#[test]
fn readers_of_events_are_counted() {
    let running = Running::start();
    let listeners = || samples(&running.client)["llmscope_event_listeners"][0].1;
    assert_eq!(listeners(), 0.0);
    let _events = [Events::of(&running.client), Events::of(&running.client)];
    assert_eq!(listeners(), 2.0);
}

#[test]
fn series_are_bounded_and_counted() {
    let settings = |settings: &mut llmscope_server::Settings| settings.watch.max_series = 3;
    let running = Running::with(settings);
    // A client that sends the id of each request as its model.
    let records: Vec<_> =
        (0..20).map(|n| json!({"provider": "p", "model": format!("request-{n}"), "e2e_s": 1})).collect();
    running.client.post("/api/v1/records", &json!(records)).ok();
    assert_eq!(super::series(&running.client).len(), 3);
    let one = |name: &str| samples(&running.client)[name][0].1;
    assert_eq!(
        (one("llmscope_series"), one("llmscope_unjudged_values_total"), one("llmscope_records")),
        (3.0, 17.0, 20.0)
    );
    // Known series are still judged, and a deleted one makes room.
    running.client.post("/api/v1/records", &json!(records[..1])).ok();
    assert_eq!(one("llmscope_unjudged_values_total"), 17.0);
    let id = super::series(&running.client)[2]["id"].clone();
    running.client.delete(format!("/api/v1/series/{id}")).ok();
    running.client.post("/api/v1/records", &json!(records[10..12])).ok();
    assert_eq!((super::series(&running.client).len(), one("llmscope_unjudged_values_total")), (3, 18.0));
}

#[test]
fn the_service_counts_its_own_work() {
    let running = Running::start();
    let record = json!([{"provider": "p", "e2e_s": 1, "uid": "6f1d2c"}]);
    (0..3).for_each(|_| drop(running.client.post("/api/v1/records", &record).ok()));
    running.client.without_key().get("/api/v1/series").refusal(401);
    let samples = samples(&running.client);
    let responses = |status: &str| {
        let found = samples["llmscope_responses_total"].iter().find(|(labels, _)| labels["status"] == status);
        found.map_or(0.0, |(_, count)| *count)
    };
    assert_eq!((responses("201"), responses("401"), responses("500")), (3.0, 1.0, 0.0));
    let one = |name: &str| samples[name][0].1;
    assert_eq!((one("llmscope_repeated_records_total"), one("llmscope_waiting_calls")), (2.0, 0.0));
    assert!(one("llmscope_transactions_total") >= 3.0 && one("llmscope_transaction_seconds_total") > 0.0);
    assert!(one("llmscope_store_bytes") > 4096.0);
    assert!(!samples.contains_key("llmscope_alerts_waiting"), "there is no webhook");
}

#[test]
fn old_violations_are_removed_and_counted() {
    let running = Running::with(|settings| {
        settings.watch.learn = LEARN;
        settings.violation_days = 30;
    });
    let now = jiff::Timestamp::now();
    let record = |days: i64, second: i64, e2e_s: f64| {
        let at = now - jiff::SignedDuration::from_hours(24 * days) + jiff::SignedDuration::from_secs(second);
        json!({"provider": "p", "model": "m", "started_at": at, "e2e_s": e2e_s})
    };
    #[allow(clippy::cast_precision_loss, reason = "a few numbers")]
    let steady =
        |days: i64| (0..i64::try_from(LEARN).unwrap()).map(move |n| record(days, n, 0.3 + 0.01 * (n % 3) as f64));
    let mut records: Vec<_> = steady(60).collect();
    // A spike 60 days ago that ended, and one today that is open.
    records.extend([record(60, 100, 9.0), record(60, 101, 0.31), record(0, 0, 9.0)]);
    running.client.post("/api/v1/records", &json!(records)).ok();
    let spikes = || running.client.get("/api/v1/violations?rule=1").ok()["violations"].as_array().unwrap().len();
    assert_eq!(spikes(), 2);
    running.client.poke("/api/v1/cleanup").ok();
    assert_eq!(spikes(), 1);
    let samples = samples(&running.client);
    assert!(samples["llmscope_removed_violations_total"][0].1 >= 1.0);
    assert!(samples["llmscope_removed_records_total"][0].1 >= 20.0);
}
