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
