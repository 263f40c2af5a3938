//! Server-sent events: what happens, within a moment, without holding anybody up.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::client::events::{Events, open};
use super::client::shape::assert_shape;
use super::client::values::{records, steady};
use super::client::wait_for;
use super::{LEARN, Running, keep, keep_latencies, learned, violations};

/// Far above what a moment is, on a busy machine.
const A_MOMENT: Duration = Duration::from_secs(5);

#[test]
fn hello_comes_first() {
    let running = Running::start();
    let hello = Events::reading(open(&running.client)).next();
    assert_eq!(hello.name, "hello");
    assert_shape(&hello.data, &json!({"at": "time", "version": "text"}));
}

#[test]
fn records_are_told_as_they_come() {
    let running = Running::start();
    let events = Events::of(&running.client);
    let begun = Instant::now();
    keep(&running.client, &records("openai", "gpt-4o", &[Some(0.3), Some(0.4), None]));
    let told = events.next_of("records");
    assert!(told.at - begun < A_MOMENT, "{:?}", told.at - begun);
    let pulse = json!({"id": "integer", "n": "integer", "last": {"at": "time", "value": "number"}, "signals": "list"});
    assert_shape(&told.data, &json!({"count": "integer", "series": [pulse]}));
    let series = &told.data["series"][0];
    assert_eq!((&told.data["count"], &series["n"], &series["last"]["value"]), (&json!(3), &json!(2), &json!(0.4)));
}

#[test]
fn many_records_make_few_events_and_none_is_lost() {
    let running = Running::start();
    let events = Events::of(&running.client);
    let begun = Instant::now();
    for i in 0..300 {
        running.client.post("/api/log", &json!({"provider": "p", "latency": 0.3 + f64::from(i) / 1e4})).ok();
    }
    let (mut told, mut count, mut last) = (0_u32, 0, Value::Null);
    while count < 300 {
        let event = events.next_of("records");
        told += 1;
        count += event.data["count"].as_u64().unwrap();
        last = event.data["series"][0].clone();
    }
    assert_eq!((count, &last["n"]), (300, &json!(300)));
    let most = begun.elapsed().as_millis() / 100 + 2;
    assert!(u128::from(told) <= most, "{told} events in {:?}", begun.elapsed());
}

#[test]
fn a_violation_is_told_when_it_begins_goes_on_and_ends() {
    let running = learned();
    let events = Events::of(&running.client);
    // Each is waited for: of what only goes on between two pulses the last word is told.
    let told = [9.0, 9.5, 0.3].map(|latency| {
        keep_latencies(&running.client, &[latency]);
        events.next_where("violation", |data| data["rule"] == "nelson-1").data
    });
    let of = |field: &str| told.iter().map(|one| one[field].clone()).collect::<Vec<_>>();
    assert_eq!(of("open"), [true, true, false]);
    assert_eq!(of("signals"), [1, 2, 2]);
    assert_eq!(told[2], violations(&running.client, "rule=nelson-1")[0]);
}

#[test]
fn a_series_is_told_when_its_state_or_verdict_changes() {
    let running = Running::learning(LEARN);
    let events = Events::of(&running.client);
    for latency in steady(1, LEARN) {
        keep_latencies(&running.client, &[latency]);
    }
    let learned = events.next_of("series").data;
    assert_eq!((&learned["state"], &learned["n"]), (&json!("watching"), &json!(LEARN)));
    keep_latencies(&running.client, &[9.0]);
    assert_eq!(events.next_of("series").data["verdict"], "out_of_control");
    keep_latencies(&running.client, &[9.0]);
    keep_latencies(&running.client, &[0.3]);
    let back = events.next_of("series").data;
    assert_eq!((&back["verdict"], &back["n"]), (&json!("in_control"), &json!(LEARN + 3)));
    assert_eq!(back, super::series(&running.client)[0]);
}

#[test]
fn what_people_do_is_told() {
    let running = learned();
    keep_latencies(&running.client, &[9.0]);
    let path = format!("/api/v1/violations/{}", violations(&running.client, "")[0]["id"]);
    let events = Events::of(&running.client);
    for (call, body) in
        [("acknowledge", json!({"note": "seen"})), ("notes", json!({"text": "more"})), ("resolve", json!({}))]
    {
        let answer = running.client.post(format!("{path}/{call}"), &body).ok();
        assert_eq!(events.next_of("violation").data, answer);
    }
    let id = super::series(&running.client)[0]["id"].clone();
    let anew = running.client.delete(format!("/api/v1/series/{id}/baseline")).ok();
    assert_eq!(events.next_of("violation").data["open"], false);
    assert_eq!(events.next_of("series").data, anew);
}

#[test]
fn the_machine_is_told_of_again_and_again() {
    let running = Running::start();
    let events = Events::of(&running.client);
    for _ in 0..2 {
        let reading = events.next_of("machine").data;
        assert_shape(&reading["at"], &json!("time"));
        assert!(reading["memory_used_bytes"].as_u64() <= reading["memory_bytes"].as_u64(), "{reading}");
    }
}

#[test]
fn every_reader_is_told() {
    let running = Running::start();
    let all: Vec<Events> = (0..5).map(|_| Events::of(&running.client)).collect();
    keep_latencies(&running.client, &[0.3]);
    for events in &all {
        assert_eq!(events.next_of("records").data["count"], 1);
    }
}

#[test]
fn who_does_not_read_is_told_how_much_was_missed_and_holds_nobody_up() {
    const PROVIDERS: usize = 400;
    let running = Running::with(|settings| {
        settings.judging.learn = LEARN;
        settings.judging.rules = "1".parse().unwrap();
    });
    // Everybody at once, with these latencies one after the other.
    let all = |latencies: &[f64]| {
        let each = latencies.iter().flat_map(|latency| (0..PROVIDERS).map(move |provider| (provider, *latency)));
        let record = |(provider, e2e_s)| json!({"provider": format!("provider-{provider}"), "e2e_s": e2e_s});
        running.client.post("/api/v1/records", &each.map(record).collect::<Vec<_>>().into()).ok();
    };
    all(&steady(1, LEARN));
    let mut lazy = Some(open(&running.client));
    let begun = Instant::now();
    // Each round is 800 violations that begin and end: more than whatever lies between the service and its reader holds.
    for _ in 0..30 {
        all(&[9.0, 0.3]);
    }
    assert!(begun.elapsed() < super::client::PATIENCE, "{:?}", begun.elapsed());
    let events = Events::reading(lazy.take().unwrap());
    let missed = events.next_of("lagged").data;
    assert!(missed["missed"].as_u64() > Some(0), "{missed}");
    // What was on its way may still be too much at once; after that it hears of everything again.
    let newest = violations(&running.client, "").swap_remove(0);
    let told = wait_for("a note that is told", || {
        let note = json!({"text": "the last one"});
        running.client.post(format!("/api/v1/violations/{}/notes", newest["id"]), &note).ok();
        events.heard(A_MOMENT, "violation", |data| data["notes"][0]["text"] == "the last one")
    });
    assert_eq!(told.data["id"], newest["id"]);
}

#[test]
fn events_end_with_the_service() {
    let mut running = Running::start();
    let events = Events::of(&running.client);
    let begun = Instant::now();
    running.stop();
    assert!(events.end());
    assert!(begun.elapsed() < super::client::PATIENCE);
}
