//! The rate limits: guessing a key takes too long to succeed.

use std::num::NonZeroU32;
use std::time::Duration;

use super::client::{Answer, KEY, wait_for};
use super::{Client, Running};

/// Tries wrong keys until the service refuses with 429.
fn guess(client: &Client, path: &str) -> (u32, Answer) {
    for tries in 1..500 {
        let answer = client.with_key(&format!("guess-number-{tries}")).get(path);
        if answer.status == 429 {
            return (tries, answer);
        }
    }
    panic!("the service accepted 500 wrong keys without a limit");
}

#[test]
fn many_wrong_keys_are_refused_with_a_time_to_wait() {
    let running = Running::start();
    let (tries, answer) = guess(&running.client, "/api/v1/series");
    assert!(tries > 3, "the limit allows a few mistakes: {tries}");
    assert!(!answer.refusal(429).is_empty());
    let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=10).contains(&seconds), "{seconds}");
    // After this time the service checks keys again.
    std::thread::sleep(Duration::from_secs(seconds));
    assert_eq!(running.client.with_key("another-guess").get("/api/v1/series").refusal(401), "Invalid API key");
}

#[test]
fn whoami_has_the_same_limit() {
    let running = Running::start();
    guess(&running.client, "/api/v1/whoami");
}

#[test]
fn the_right_key_still_works() {
    let running = Running::start();
    for _ in 0..20 {
        guess(&running.client, "/api/v1/series");
        running.client.with_key(KEY).get("/api/v1/series").ok();
    }
}

#[test]
fn requests_without_a_key_do_not_count() {
    let running = Running::start();
    for _ in 0..50 {
        running.client.without_key().get("/api/v1/series").refusal(401);
    }
    assert_eq!(running.client.with_key("a-wrong-key").get("/api/v1/series").status, 401);
}

#[test]
fn requests_from_this_machine_are_not_limited() {
    let running = Running::with(|settings| settings.requests_per_s = NonZeroU32::new(1));
    for _ in 0..50 {
        running.client.get("/api/v1/series").ok();
    }
}

#[test]
fn the_limit_ends_after_waiting() {
    let running = Running::start();
    guess(&running.client, "/api/v1/series");
    let wrong = running.client.with_key("a-wrong-key");
    wait_for("the end of the limit", || Some(wrong.get("/api/v1/series")).filter(|answer| answer.status == 401));
}
