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
            no_data: false,
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

/// Settings by which shifts and failures are sent.
fn by_shift(address: SocketAddr) -> impl Fn(&mut Settings) {
    move |settings| {
        alerting(address)(settings);
        settings.watch.learn = 60;
        settings.watch.alarm = AlarmKind::Shift("1/10000".parse().unwrap());
        settings.alerting.as_mut().unwrap().rules = RuleSet::none();
    }
}

/// Requests of two models of one provider, each with two durations; those without a latency failed.
fn keep_two(client: &Client, latencies_s: &[Option<f64>]) {
    for part in latencies_s.chunks(20) {
        let mut all = Vec::new();
        for latency_s in part {
            for model in ["large", "small"] {
                let mut one = records("openai", model, &[*latency_s]);
                if let Some(latency_s) = latency_s {
                    one[0]["ttft_s"] = json!(latency_s / 3.0);
                }
                all.extend(one);
            }
        }
        client.post("/api/v1/records", &json!(all)).ok();
    }
}

fn times(factor: f64, seed: u64, n: usize) -> Vec<Option<f64>> {
    steady(seed, n).iter().map(|latency_s| Some(factor * latency_s)).collect()
}

#[test]
fn a_provider_that_slows_down_and_fails_sends_three_messages() {
    let hook = Hook::start();
    let mut running = Running::with(by_shift(hook.address));
    keep_two(&running.client, &times(1.0, 8, 150));
    keep_two(&running.client, &times(1.6, 9, 40));
    keep_two(&running.client, &[None; 12]);
    running.restart(by_shift(hook.address));
    keep_two(&running.client, &times(1.0, 10, 120));
    running.stop();
    let [opened, worse, ended] = hook.texts().try_into().unwrap();
    assert!(opened.starts_with("🔴 openai · ") && opened.contains("_s slower by "), "{opened}");
    assert!(
        worse.starts_with("🔴 openai: ") && worse.contains(" requests failed (") && worse.contains("; also "),
        "{worse}"
    );
    assert!(ended.starts_with("🟢 openai: ") && ended.contains("requests are answered again since "), "{ended}");
}

#[test]
fn several_series_that_become_worse_together_send_one_message() {
    let hook = Hook::start();
    let mut running = Running::with(by_shift(hook.address));
    keep_two(&running.client, &times(1.0, 11, 150));
    keep_two(&running.client, &times(1.3, 12, 200));
    keep_two(&running.client, &times(4.0, 13, 150));
    running.stop();
    let [opened, worse] = hook.texts().try_into().unwrap();
    assert!(opened.contains(" slower by ") && worse.contains(" slower by "), "{opened} {worse}");
}

#[test]
fn a_slowdown_that_comes_back_is_silent_unless_it_lasts() {
    let hook = Hook::start();
    let mut running = Running::with(by_shift(hook.address));
    keep_two(&running.client, &times(1.0, 14, 150));
    for i in 0..3 {
        keep_two(&running.client, &times(1.6, 15 + i, 40));
        keep_two(&running.client, &times(1.0, 25 + i, 120));
    }
    wait_for("two messages", || (hook.texts().len() >= 2).then_some(()));
    // Two requests a second: a quarter of an hour is 450 of each model.
    keep_two(&running.client, &times(1.6, 35, 520));
    running.stop();
    let [opened, ended, lasting] = hook.texts().try_into().unwrap();
    assert!(opened.starts_with("🔴") && ended.starts_with("🟢") && lasting.starts_with("🔴"), "{lasting}");
}

#[test]
fn a_resolved_incident_sends_nothing_more() {
    let hook = Hook::start();
    let mut running = Running::with(by_shift(hook.address));
    keep_two(&running.client, &times(1.0, 36, 150));
    keep_two(&running.client, &times(1.6, 37, 40));
    let open = running.client.get("/api/v1/incidents?open=true").ok();
    running.client.poke(format!("/api/v1/incidents/{}/resolve", open["incidents"][0]["id"])).ok();
    keep_two(&running.client, &times(1.0, 38, 120));
    running.stop();
    assert_eq!(hook.texts().len(), 1);
}

#[test]
fn a_message_that_was_committed_before_a_kill_is_sent_once() {
    let hook = Hook::start();
    let mut running = Running::with(by_shift(hook.address));
    keep_two(&running.client, &times(1.0, 8, 150));
    keep_two(&running.client, &times(1.6, 9, 40));
    running.stop();
    let sent = hook.texts().len();
    assert!(sent > 0);
    // As a service leaves it that was killed between the commit and the handover.
    let store = rusqlite::Connection::open(running.database()).unwrap();
    let insert = "INSERT INTO messages (incident, turn) SELECT min(id), 'incident.worse' FROM incidents";
    store.execute(insert, []).unwrap();
    drop(store);
    running.restart(by_shift(hook.address));
    wait_for("the message", || (hook.texts().len() == sent + 1).then_some(()));
    running.restart(by_shift(hook.address));
    running.stop();
    assert_eq!(hook.texts().len(), sent + 1);
}
