//! Guessing keys takes longer than anybody has.

use std::num::NonZeroU32;
use std::time::Duration;

use super::client::{Answer, KEY, wait_for};
use super::{Client, Running};

/// Tries wrong keys until the service has had enough.
fn guess(client: &Client, path: &str) -> (u32, Answer) {
    for tries in 1..500 {
        let answer = client.with_key(&format!("guess-number-{tries}")).get(path);
        if answer.status == 429 {
            return (tries, answer);
        }
    }
    panic!("500 wrong keys, and no end");
}

#[test]
fn who_tries_many_wrong_keys_is_told_to_wait() {
    let running = Running::start();
    let (tries, answer) = guess(&running.client, "/api/v1/series");
    assert!(tries > 3, "a mistake or two is human: {tries}");
    assert!(!answer.refusal(429).is_empty());
    let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=10).contains(&seconds), "{seconds}");
    // Whoever waits that long is heard again.
    std::thread::sleep(Duration::from_secs(seconds));
    assert_eq!(running.client.with_key("another-guess").get("/api/v1/series").refusal(401), "Invalid API key");
}

#[test]
fn asking_who_one_is_is_no_way_around() {
    let running = Running::start();
    guess(&running.client, "/api/v1/whoami");
}

#[test]
fn the_right_key_is_heard_all_the_same() {
    let running = Running::start();
    for _ in 0..20 {
        guess(&running.client, "/api/v1/series");
        running.client.with_key(KEY).get("/api/v1/series").ok();
    }
}

#[test]
fn who_has_no_key_is_not_counted() {
    let running = Running::start();
    for _ in 0..50 {
        running.client.without_key().get("/api/v1/series").refusal(401);
    }
    assert_eq!(running.client.with_key("a-wrong-key").get("/api/v1/series").status, 401);
}

#[test]
fn this_machine_may_ask_as_often_as_it_likes() {
    let running = Running::with(|settings| settings.requests_per_s = NonZeroU32::new(1));
    for _ in 0..50 {
        running.client.get("/api/v1/series").ok();
    }
}

#[test]
fn waiting_is_enough() {
    let running = Running::start();
    guess(&running.client, "/api/v1/series");
    let wrong = running.client.with_key("a-wrong-key");
    wait_for("an end of the waiting", || Some(wrong.get("/api/v1/series")).filter(|answer| answer.status == 401));
}
