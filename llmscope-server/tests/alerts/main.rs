//! The webhook gets each violation once, even if it was unreachable for a while.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

#[path = "../client/mod.rs"]
mod client;
mod hook;

use std::net::{SocketAddr, TcpListener};

use client::values::{records, steady, unsteady};
use client::{Client, Running, wait_for};
use hook::Hook;
use llmscope_core::RuleSet;
use llmscope_harness::Secret;
use llmscope_server::{AlarmKind, Alerting, Settings};
use serde_json::json;

/// The number of values to learn limits from in these tests.
const LEARN: usize = 20;

/// Settings with alerts for violations of the first rule.
fn alerting(address: SocketAddr) -> impl Fn(&mut Settings) {
    move |settings| {
        settings.watch.learn = LEARN;
        settings.alerting = Some(Alerting {
            webhook: Secret::new(&hook::url(address)),
            rules: "1".parse().unwrap(),
            both_sides: false,
        });
    }
}

fn keep(client: &Client, latencies_s: &[f64]) {
    let latencies_s: Vec<_> = latencies_s.iter().copied().map(Some).collect();
    client.post("/api/v1/records", &json!(records("openai", "gpt-4o", &latencies_s))).ok();
}

fn found(client: &Client, query: &str) -> usize {
    client.get(format!("/api/v1/violations?limit=1000&{query}")).ok()["violations"].as_array().unwrap().len()
}

#[test]
fn a_violation_is_sent_once() {
    let hook = Hook::start();
    let mut running = Running::with(alerting(hook.address));
    keep(&running.client, &steady(1, LEARN));
    for latency in [9.0, 9.1, 9.2] {
        keep(&running.client, &[latency]);
    }
    wait_for("the first message", || (hook.texts().len() == 1).then_some(()));
    // The first violation has ended, so this is another one.
    keep(&running.client, &[0.3, 8.0, 8.1]);
    running.stop();
    let [first, second] = hook.texts().try_into().unwrap();
    for (text, value) in [(first, "9.000 s"), (second, "8.000 s")] {
        for part in ["openai", "gpt-4o", "e2e_s", "nelson-1", value] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}

#[test]
fn violations_of_other_rules_are_only_stored() {
    let hook = Hook::start();
    let mut running = Running::with(alerting(hook.address));
    keep(&running.client, &[steady(2, LEARN), unsteady(3, 200)].concat());
    let (all, sent) = (found(&running.client, ""), found(&running.client, "rule=nelson-1"));
    assert!(all > sent && sent > 1, "{sent} of {all}");
    running.stop();
    assert_eq!(hook.texts().len(), sent);
}

#[test]
fn a_restart_sends_nothing_twice() {
    let hook = Hook::start();
    let mut running = Running::with(alerting(hook.address));
    keep(&running.client, &[steady(4, LEARN), vec![9.0]].concat());
    running.restart(alerting(hook.address));
    keep(&running.client, &[9.1]);
    running.stop();
    assert_eq!(hook.texts().len(), 1);
}

#[test]
fn undelivered_alerts_are_sent_after_the_next_start() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut running = Running::with(alerting(address));
    keep(&running.client, &[steady(5, LEARN), vec![9.0]].concat());
    running.stop();
    let spool = running.database().with_file_name("llmscope.db.alerts.jsonl");
    let kept = std::fs::read_to_string(spool).unwrap();
    assert!(kept.contains("nelson-1") && !kept.contains("the-secret-path"), "{kept}");

    let hook = Hook::at(address);
    running.restart(alerting(address));
    wait_for("the saved alert", || (hook.texts().len() == 1).then_some(()));
    running.stop();
    assert!(hook.texts()[0].contains("nelson-1"));
}

#[test]
fn an_unreachable_webhook_delays_no_request() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let running = Running::with(alerting(address));
    keep(&running.client, &steady(6, LEARN));
    let begun = std::time::Instant::now();
    for _ in 0..20 {
        keep(&running.client, &[9.0, 0.3]);
    }
    assert!(begun.elapsed() < std::time::Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(found(&running.client, "rule=nelson-1"), 20);
}

#[test]
fn an_incident_sends_one_message_when_it_opens_and_one_when_it_ends() {
    let hook = Hook::start();
    let by_shift = |settings: &mut Settings| {
        alerting(hook.address)(settings);
        settings.watch.learn = 60;
        settings.watch.alarm = AlarmKind::Shift("1/10000".parse().unwrap());
        settings.alerting.as_mut().unwrap().rules = RuleSet::none();
    };
    let mut running = Running::with(by_shift);
    keep(&running.client, &steady(5, 150));
    let slower: Vec<f64> = steady(6, 60).iter().map(|latency_s| 1.6 * latency_s).collect();
    for part in slower.chunks(20) {
        keep(&running.client, part);
        running.restart(by_shift);
    }
    keep(&running.client, &steady(7, 80));
    running.stop();
    let [opened, ended] = hook.texts().try_into().unwrap();
    assert!(opened.contains("🔴 openai · gpt-4o: e2e_s slower by ") && opened.contains(" since 20"), "{opened}");
    assert!(ended.contains("🟢 openai · gpt-4o: e2e_s as before since "), "{ended}");
}
