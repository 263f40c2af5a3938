//! A service that restarts with other rules or limits.

use llmscope_core::analysis::Baseline;
use llmscope_server::WatchSettings;

use super::client::by_rules;
use serde_json::{Value, json};

use super::client::values::records;
use super::{LEARN, Running, history, keep, series, violations};

fn watch_settings(rules: &str) -> WatchSettings {
    WatchSettings { learn: LEARN, rules: rules.parse().unwrap(), ..by_rules() }
}

/// A service with a series whose last points lie far beyond the limits.
fn disturbed() -> Running {
    let running = Running::with(|settings| settings.watch = watch_settings("nelson"));
    keep(&running.client, &history(5, LEARN));
    keep(&running.client, &records("openai", "gpt-4o", &[Some(9.0); 12]));
    running
}

#[test]
fn other_rules_end_open_violations_and_keep_the_limits() {
    let mut running = disturbed();
    let before = series(&running.client)[0].clone();
    assert_eq!((&before["verdict"], before["open_violations"].as_u64() > Some(2)), (&json!("out_of_control"), true));

    running.restart(|settings| settings.watch = watch_settings("1"));
    let after = series(&running.client)[0].clone();
    assert_eq!((&after["verdict"], &after["open_violations"]), (&json!("in_control"), &json!(0)));
    for field in ["id", "limits", "frozen_at", "n", "last", "state"] {
        assert_eq!(before[field], after[field], "{field}");
    }
    assert!(violations(&running.client).iter().all(|found| found["open"] == false));

    // From now on only the new rules apply.
    let known = violations(&running.client).len();
    keep(&running.client, &records("openai", "gpt-4o", &[Some(9.0); 12]));
    let found = violations(&running.client);
    assert_eq!(found.len(), known + 1);
    assert_eq!(
        (&found[0]["rule"], &found[0]["signals"], &found[0]["open"]),
        (&json!("nelson-1"), &json!(12), &json!(true))
    );
}

#[test]
fn violations_that_other_rules_ended_stay_ended() {
    let mut running = disturbed();
    running.restart(|settings| settings.watch = watch_settings("1"));
    let ended = violations(&running.client);
    running.restart(|settings| settings.watch = watch_settings("nelson"));
    assert_eq!(violations(&running.client), ended);
    assert_eq!(series(&running.client)[0]["open_violations"], 0);
}

#[test]
fn the_same_rules_change_nothing() {
    let mut running = disturbed();
    let (before, found) = (series(&running.client), violations(&running.client));
    running.restart(|settings| settings.watch = watch_settings("nelson"));
    assert_eq!((series(&running.client), violations(&running.client)), (before, found));
}

#[test]
fn baselines_are_applied_once() {
    let mut running = disturbed();
    let text = running.client.get("/api/v1/baselines").text();
    let mut baselines = Baseline::read("baselines", &text).unwrap();
    let other = Running::learning(LEARN);
    keep(&other.client, &history(99, LEARN));
    let study = Baseline::read("baselines", &other.client.get("/api/v1/baselines").text()).unwrap();
    assert_ne!(baselines, study);
    baselines = study;

    running.restart(|settings| (settings.watch, settings.baselines) = (watch_settings("nelson"), baselines.clone()));
    let after = series(&running.client)[0].clone();
    assert_eq!(after["limits"], series(&other.client)[0]["limits"]);
    assert_eq!(after["open_violations"], 0);
    keep(&running.client, &records("openai", "gpt-4o", &[Some(9.0)]));
    let found = violations(&running.client);
    // The series has these limits already, so another start with them changes nothing.
    running.restart(|settings| (settings.watch, settings.baselines) = (watch_settings("nelson"), baselines.clone()));
    assert_eq!(violations(&running.client), found);
    assert_eq!(found[0]["open"], true);
}

#[test]
fn baselines_apply_to_future_series() {
    let study = Running::learning(LEARN);
    keep(&study.client, &history(7, LEARN));
    let baselines = Baseline::read("baselines", &study.client.get("/api/v1/baselines").text()).unwrap();
    let limits = series(&study.client)[0]["limits"].clone();

    let running = Running::with(|settings| settings.baselines = baselines);
    keep(&running.client, &records("openai", "gpt-4o", &[Some(9.0)]));
    keep(&running.client, &records("openai", "another", &[Some(9.0)]));
    let of = |model: &str| -> Value {
        series(&running.client).as_array().unwrap().iter().find(|one| one["model"] == model).unwrap().clone()
    };
    assert_eq!((&of("gpt-4o")["limits"], &of("gpt-4o")["verdict"]), (&limits, &json!("out_of_control")));
    assert_eq!((&of("another")["state"], of("another").get("limits")), (&json!("learning"), None));
}
