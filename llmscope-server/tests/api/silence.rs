//! Endpoints that stop to send, by a clock that the tests drive.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use llmscope_server::{AlarmKind, Clock, Settings, WatchSettings};
use serde_json::{Value, json};

use super::Running;
use super::client::wait_for;

const BEGIN: i64 = 1_800_000_000;
/// The seconds between requests.
const BEAT: i64 = 300;

/// A clock in seconds, and settings that use it.
fn driven() -> (Arc<AtomicI64>, impl Fn(&mut Settings)) {
    let clock = Arc::new(AtomicI64::new(BEGIN));
    let of_service = clock.clone();
    let settings = move |settings: &mut Settings| {
        let clock = of_service.clone();
        settings.clock = Clock::driven(move || Timestamp::from_second(clock.load(Ordering::SeqCst)).unwrap());
        settings.silence_check = Duration::from_millis(10);
        settings.watch =
            WatchSettings { alarm: AlarmKind::Shift("1/week".parse().unwrap()), ..WatchSettings::default() };
    };
    (clock, settings)
}

/// Sends a request of each model every five minutes for some hours.
fn run(running: &Running, clock: &AtomicI64, models: &[&str], hours: i64) {
    for _ in 0..hours * 3_600 / BEAT {
        clock.fetch_add(BEAT, Ordering::SeqCst);
        let records: Vec<_> =
            models.iter().map(|model| json!({"provider": "p", "model": model, "status": "error"})).collect();
        running.client.post("/api/v1/records", &json!(records)).ok();
    }
}

fn no_data(running: &Running, query: &str) -> Vec<Value> {
    let all = running.client.get(format!("/api/v1/incidents?{query}")).ok()["incidents"].as_array().unwrap().clone();
    all.into_iter().filter(|incident| incident["part"] == "no_data").collect()
}

/// Waits until the service has looked for silence at the present time: an endpoint that is silent for long is found.
fn opened(running: &Running) -> Value {
    wait_for("an incident of silence", || no_data(running, "open=true").first().cloned())
}

#[test]
fn an_endpoint_that_falls_silent_is_an_incident_until_its_next_request() {
    let (clock, settings) = driven();
    let running = Running::with(&settings);
    run(&running, &clock, &["a", "b"], 25);
    let last = clock.load(Ordering::SeqCst);
    // Five beats are not enough, and one second more is.
    clock.fetch_add(5 * BEAT, Ordering::SeqCst);
    run(&running, &clock, &["b"], 0);
    assert_eq!(no_data(&running, "open=true"), Vec::<Value>::new());
    clock.fetch_add(1, Ordering::SeqCst);
    let incident = opened(&running);
    assert_eq!(incident["members"].as_array().unwrap().len(), 2, "both models, one cause: {incident}");
    assert_eq!(incident["beat_s"], 300.0);
    assert_eq!(incident["since"].as_str().unwrap().parse::<Timestamp>().unwrap().as_second(), last);
    assert!(incident["text"].as_str().unwrap().contains("no requests since "), "{incident}");
    assert!(running.client.get("/metrics").text().contains("metric=\"no_data\"} 1"));

    clock.fetch_add(3_600, Ordering::SeqCst);
    let record = |model| json!([{"provider": "p", "model": model, "status": "error"}]);
    running.client.post("/api/v1/records", &record("a")).ok();
    assert_eq!(no_data(&running, "open=true").len(), 1, "the other model is still silent");
    running.client.post("/api/v1/records", &record("b")).ok();
    let ended = no_data(&running, "open=false");
    assert_eq!(ended.len(), 1);
    assert!(ended[0]["text"].as_str().unwrap().contains("requests arrive again since "), "{ended:?}");
}

#[test]
fn a_service_that_was_down_does_not_take_it_for_silence() {
    let (clock, settings) = driven();
    let mut running = Running::with(&settings);
    run(&running, &clock, &["a"], 25);
    running.stop();
    clock.fetch_add(7_200, Ordering::SeqCst);
    running.restart(&settings);
    run(&running, &clock, &["a"], 1);
    assert_eq!(no_data(&running, ""), Vec::<Value>::new());
    // An open silence survives a restart.
    clock.fetch_add(6 * BEAT, Ordering::SeqCst);
    let id = opened(&running)["id"].clone();
    running.restart(&settings);
    assert_eq!(no_data(&running, "open=true")[0]["id"], id);
    run(&running, &clock, &["a"], 1);
    assert_eq!(no_data(&running, "open=true"), Vec::<Value>::new());
    assert_eq!(no_data(&running, "").len(), 1);
}

#[test]
fn nights_without_requests_are_usual() {
    let (clock, settings) = driven();
    let running = Running::with(&settings);
    // From the first day on.
    for _ in 0..4 {
        run(&running, &clock, &["a"], 16);
        clock.fetch_add(8 * 3_600, Ordering::SeqCst);
        // The service looks for silence five times.
        std::thread::sleep(Duration::from_millis(50));
    }
    run(&running, &clock, &["a"], 1);
    assert_eq!(no_data(&running, ""), Vec::<Value>::new());
}
