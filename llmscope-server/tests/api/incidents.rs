//! Alarms about shifts: incidents, their events, and what a restart knows of them.

use jiff::{SignedDuration, Timestamp};
use llmscope_server::{AlarmKind, Settings, WatchSettings};
use serde_json::{Value, json};

use super::client::values::Numbers;
use super::{Client, Running};

const LEARN: usize = 60;

fn by_shift(settings: &mut Settings) {
    let alarm = AlarmKind::Shift("1/10000".parse().unwrap());
    settings.watch = WatchSettings { alarm, learn: LEARN, ..WatchSettings::default() };
}

/// Requests every 15 s, with the latency of 300 ms times a level, or failed ones where the level is 0.
fn requests(model: &str, seed: u64, levels: impl IntoIterator<Item = f64>) -> Vec<Value> {
    let mut numbers = Numbers::of(seed);
    let begin: Timestamp = "2026-11-30T00:00:00Z".parse().unwrap();
    let request = |(i, level): (usize, f64)| {
        let at = begin + SignedDuration::from_secs(15 * i64::try_from(i).unwrap());
        // About normal, with a standard deviation of 10 %.
        #[allow(clippy::cast_precision_loss, reason = "a few hundred")]
        let noise = (0..4).map(|_| numbers.below(201) as f64 / 100.0 - 1.0).sum::<f64>() * 0.085;
        let record = json!({"provider": "p", "model": model, "started_at": at, "uid": format!("{model}-{seed}-{i}")});
        let Value::Object(mut record) = record else { unreachable!() };
        if level > 0.0 {
            record.insert("e2e_s".to_owned(), json!(0.3 * level * (1.0 + noise)));
        } else {
            record.insert("status".to_owned(), json!("error"));
            record.insert("error".to_owned(), json!({"type": "http_status", "message": "busy"}));
        }
        Value::Object(record)
    };
    levels.into_iter().enumerate().map(request).collect()
}

fn send(client: &Client, records: &[Value]) {
    for part in records.chunks(50) {
        client.post("/api/v1/records", &json!(part)).ok();
    }
}

fn incidents(client: &Client, query: &str) -> Vec<Value> {
    client.get(format!("/api/v1/incidents?{query}")).ok()["incidents"].as_array().unwrap().clone()
}

fn series(client: &Client) -> Value {
    client.get("/api/v1/series").ok()["series"][0].clone()
}

fn slow_from(i: usize, first: usize, last: usize) -> f64 {
    if (first..last).contains(&i) { 1.5 } else { 1.0 }
}

#[test]
fn a_slowdown_is_one_incident_with_its_time_and_size() {
    let running = Running::with(by_shift);
    let all = requests("m", 1, (0..400).map(|i| slow_from(i, 200, 300)));
    send(&running.client, &all[..40]);
    let learning = series(&running.client);
    assert_eq!((&learning["verdict"], &learning["alarm"]["learning"]), (&json!("not_enough_data"), &json!(true)));
    assert_eq!(learning["alarm"]["values"], 40);

    send(&running.client, &all[40..230]);
    let open = incidents(&running.client, "open=true");
    let [incident] = &open[..] else { panic!("{open:?}") };
    assert_eq!(
        ["provider", "model", "metric", "part", "direction"].map(|name| incident[name].as_str().unwrap()),
        ["p", "m", "e2e_s", "level", "worse"]
    );
    assert!(incident["ratio"].as_f64().is_some_and(|ratio| (1.3..1.7).contains(&ratio)), "{incident}");
    let since: Timestamp = incident["since"].as_str().unwrap().parse().unwrap();
    let truth: Timestamp = "2026-11-30T00:50:00Z".parse().unwrap();
    assert!((since - truth).get_seconds().abs() <= 30, "{incident}");
    assert!(incident["text"].as_str().unwrap().starts_with("e2e_s slower by "), "{incident}");
    let slow = series(&running.client);
    assert_eq!((&slow["verdict"], &slow["alarm"]["incident"]["id"]), (&json!("out_of_control"), &incident["id"]));
    assert_eq!(running.client.get(format!("/api/v1/incidents/{}", incident["id"])).ok(), *incident);
    let metrics = running.client.get("/metrics").text();
    for line in ["llmscope_in_control{", "llmscope_incident_open{", "llmscope_shift_ratio{", "llmscope_evidence_ratio{"]
    {
        assert!(metrics.contains(&format!("{line}provider=\"p\",model=\"m\",metric=\"e2e_s\"}}")), "{line}: {metrics}");
    }

    send(&running.client, &all[230..]);
    assert_eq!(incidents(&running.client, "open=true"), Vec::<Value>::new());
    let ended = incidents(&running.client, "open=false&metric=e2e_s&model=m");
    assert_eq!((ended.len(), &ended[0]["id"]), (1, &incident["id"]));
    assert!(ended[0]["ended_at"].is_string(), "{ended:?}");
    assert_eq!(series(&running.client)["verdict"], "in_control");
}

#[test]
fn an_outage_is_an_incident_of_the_endpoint() {
    let running = Running::with(by_shift);
    let all = requests("m", 2, (0..200).map(|i| if (150..170).contains(&i) { 0.0 } else { 1.0 }));
    send(&running.client, &all[..165]);
    let open = incidents(&running.client, "");
    let [incident] = &open[..] else { panic!("{open:?}") };
    assert!(incident.get("metric").is_none() && incident["part"] == "failures", "{incident}");
    assert!(incident["text"].as_str().unwrap().contains("busy"), "{incident}");
    assert!(
        running
            .client
            .get("/metrics")
            .text()
            .contains("llmscope_incident_open{provider=\"p\",model=\"m\",metric=\"failures\"} 1")
    );
    send(&running.client, &all[165..]);
    assert_eq!(incidents(&running.client, "open=true"), Vec::<Value>::new());
}

#[test]
fn a_level_that_stays_is_learned_on_request() {
    let running = Running::with(by_shift);
    send(&running.client, &requests("m", 3, (0..300).map(|i| slow_from(i, 150, 300))));
    assert_eq!(incidents(&running.client, "open=true").len(), 1);
    let id = series(&running.client)["id"].clone();
    let learned = running.client.poke(format!("/api/v1/series/{id}/relearn")).ok();
    assert_eq!((&learned["state"], learned["alarm"]["learning"].as_bool()), (&json!("learning"), None));
    assert_eq!(series(&running.client)["alarm"]["learning"], true);
    assert_eq!(incidents(&running.client, "open=true"), Vec::<Value>::new());
}

#[test]
fn a_restart_changes_no_incident_wherever_it_happens() {
    let all = requests("m", 4, (0..420).map(|i| if i % 97 == 5 { 0.0 } else { slow_from(i, 200, 300) }));
    let whole = Running::with(by_shift);
    send(&whole.client, &all);
    let expected = incidents(&whole.client, "");
    assert!(!expected.is_empty());
    let mut parted = Running::with(by_shift);
    for part in all.chunks(35) {
        send(&parted.client, part);
        parted.restart(by_shift);
        // What was sent before changes nothing.
        send(&parted.client, &part[part.len() - 3..]);
    }
    assert_eq!(incidents(&parted.client, ""), expected);
    assert_eq!(series(&parted.client)["alarm"], series(&whole.client)["alarm"]);
}

#[test]
fn further_series_make_each_alarm_rarer() {
    let running = Running::with(|settings| {
        by_shift(settings);
        settings.watch.alarm = AlarmKind::Shift("1/week".parse().unwrap());
    });
    send(&running.client, &requests("m", 5, (0..300).map(|_| 1.0)));
    let alone = series(&running.client)["alarm"]["false_alarms"].as_f64().unwrap();
    // 40,320 values a week, and half of the promise.
    assert!((80_000.0..120_000.0).contains(&alone), "{alone}");
    for model in 0..15 {
        send(&running.client, &requests(&format!("m{model}"), 6 + model, (0..30).map(|_| 1.0)));
    }
    send(&running.client, &requests("m", 99, (0..2).map(|_| 1.0)));
    let among = series(&running.client)["alarm"]["false_alarms"].as_f64().unwrap();
    assert!((15.0..23.0).contains(&(among / alone)), "{among} of {alone}");
}

#[test]
fn the_list_of_incidents_has_a_shape_and_pages() {
    let running = Running::with(by_shift);
    send(&running.client, &requests("m", 1, (0..1800).map(|i| slow_from(i % 600, 100, 200))));
    let page = running.client.get("/api/v1/incidents?limit=2").ok();
    assert_eq!(page["incidents"].as_array().unwrap().len(), 2);
    let rest = incidents(&running.client, &format!("before={}", page["next"]));
    assert!(!rest.is_empty() && rest[0]["id"].as_i64() < page["next"].as_i64());
    assert_eq!(running.client.get("/api/v1/incidents?open=maybe").status, 422);
    running.client.get("/api/v1/incidents/999").refusal(404);
}
