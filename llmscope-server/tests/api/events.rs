//! Server-sent events arrive promptly, and a slow reader delays no one.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::client::events::{Events, open};
use super::client::shape::assert_shape;
use super::client::values::{records, steady};
use super::client::wait_for;
use super::{LEARN, Running, keep, keep_latencies, learned, violations};

/// A generous bound for prompt delivery, even on a busy machine.
const A_MOMENT: Duration = Duration::from_secs(5);

#[test]
fn hello_comes_first() {
    let running = Running::start();
    let hello = Events::reading(open(&running.client)).next();
    assert_eq!(hello.name, "hello");
    assert_shape(&hello.data, &json!({"at": "time", "version": "text"}));
}

#[test]
fn records_are_published_as_they_arrive() {
    let running = Running::start();
    let events = Events::of(&running.client);
    let begun = Instant::now();
    keep(&running.client, &records("openai", "gpt-4o", &[Some(0.3), Some(0.4), None]));
    let published = events.next_of("records");
    assert!(published.at - begun < A_MOMENT, "{:?}", published.at - begun);
    let update = json!({"id": "integer", "n": "integer", "last": {"at": "time", "value": "number"}, "signals": "list"});
    assert_shape(&published.data, &json!({"count": "integer", "series": [update]}));
    let series = &published.data["series"][0];
    assert_eq!((&published.data["count"], &series["n"], &series["last"]["value"]), (&json!(3), &json!(2), &json!(0.4)));
}

#[test]
fn many_records_give_few_events_without_loss() {
    let running = Running::start();
    let events = Events::of(&running.client);
    let begun = Instant::now();
    for i in 0..300 {
        running.client.post("/api/log", &json!({"provider": "p", "latency": 0.3 + f64::from(i) / 1e4})).ok();
    }
    let (mut published, mut count, mut last) = (0_u32, 0, Value::Null);
    while count < 300 {
        let event = events.next_of("records");
        published += 1;
        count += event.data["count"].as_u64().unwrap();
        last = event.data["series"][0].clone();
    }
    assert_eq!((count, &last["n"]), (300, &json!(300)));
    let most = begun.elapsed().as_millis() / 100 + 2;
    assert!(u128::from(published) <= most, "{published} events in {:?}", begun.elapsed());
}

#[test]
fn a_violation_is_published_when_it_begins_continues_and_ends() {
    let running = learned();
    let events = Events::of(&running.client);
    // Wait for each event: between two broadcasts, only the last continuation is sent.
    let published = [9.0, 9.5, 0.3].map(|latency| {
        keep_latencies(&running.client, &[latency]);
        events.next_where("violation", |data| data["rule"] == "nelson-1").data
    });
    let of = |field: &str| published.iter().map(|one| one[field].clone()).collect::<Vec<_>>();
    assert_eq!(of("open"), [true, true, false]);
    assert_eq!(of("signals"), [1, 2, 2]);
    assert_eq!(published[2], violations(&running.client, "rule=nelson-1")[0]);
}

#[test]
fn a_series_is_published_when_its_state_or_verdict_changes() {
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
fn annotations_are_published() {
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
    let learning = running.client.delete(format!("/api/v1/series/{id}/baseline")).ok();
    assert_eq!(events.next_of("violation").data["open"], false);
    assert_eq!(events.next_of("series").data, learning);
}

#[test]
fn readings_of_the_machine_are_published_repeatedly() {
    let running = Running::start();
    let events = Events::of(&running.client);
    for _ in 0..2 {
        let reading = events.next_of("machine").data;
        assert_shape(&reading["at"], &json!("time"));
        assert!(reading["memory_used_bytes"].as_u64() <= reading["memory_bytes"].as_u64(), "{reading}");
    }
}

#[test]
fn every_reader_gets_every_event() {
    let running = Running::start();
    let all: Vec<Events> = (0..5).map(|_| Events::of(&running.client)).collect();
    keep_latencies(&running.client, &[0.3]);
    for events in &all {
        assert_eq!(events.next_of("records").data["count"], 1);
    }
}

#[test]
fn a_slow_reader_learns_what_it_missed_and_delays_no_one() {
    const PROVIDERS: usize = 400;
    let running = Running::with(|settings| {
        settings.watch.learn = LEARN;
        settings.watch.rules = "1".parse().unwrap();
    });
    // All clients at once, with these latencies one after the other.
    let all = |latencies: &[f64]| {
        let each = latencies.iter().flat_map(|latency| (0..PROVIDERS).map(move |provider| (provider, *latency)));
        let record = |(provider, e2e_s)| json!({"provider": format!("provider-{provider}"), "e2e_s": e2e_s});
        running.client.post("/api/v1/records", &each.map(record).collect::<Vec<_>>().into()).ok();
    };
    all(&steady(1, LEARN));
    let mut lazy = Some(open(&running.client));
    let begun = Instant::now();
    // Each round begins and ends 800 violations, more than the buffers between the service and its reader hold.
    for _ in 0..30 {
        all(&[9.0, 0.3]);
    }
    assert!(begun.elapsed() < super::client::PATIENCE, "{:?}", begun.elapsed());
    let events = Events::reading(lazy.take().unwrap());
    let missed = events.next_of("lagged").data;
    assert!(missed["missed"].as_u64() > Some(0), "{missed}");
    // Buffered events may still overflow; after that the reader gets every event again.
    let newest = violations(&running.client, "").swap_remove(0);
    let published = wait_for("the event of a note", || {
        let note = json!({"text": "the last one"});
        running.client.post(format!("/api/v1/violations/{}/notes", newest["id"]), &note).ok();
        events.heard(A_MOMENT, "violation", |data| data["notes"][0]["text"] == "the last one")
    });
    assert_eq!(published.data["id"], newest["id"]);
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
