//! Incidents of several series: which changes join, and what users do with incidents.

use jiff::{SignedDuration, Timestamp};
use llmscope_server::{AlarmKind, Keys, Settings, WatchSettings};
use serde_json::{Map, Value, json};

use super::client::KEY;
use super::client::values::Numbers;
use super::{Client, Running};

fn by_shift(settings: &mut Settings) {
    let alarm = AlarmKind::Shift("1/100000".parse().unwrap());
    settings.watch = WatchSettings { alarm, learn: 60, ..WatchSettings::default() };
    settings.keys = Keys::new(Some(KEY), Some("ops:write:key-of-ops,eyes:read:key-of-eyes")).unwrap();
}

/// The time of a request: one in 15 s.
fn at(i: usize) -> Timestamp {
    let begin: Timestamp = "2026-11-30T00:00:00Z".parse().unwrap();
    begin + SignedDuration::from_secs(15 * i64::try_from(i).unwrap())
}

/// Requests of several endpoints at the same times, with latencies of a level in each; those of level 0 failed.
fn requests(endpoints: &[(&str, &str)], seed: u64, levels: impl Iterator<Item = f64>) -> Vec<Value> {
    let mut numbers = Numbers::of(seed);
    // About normal, with a standard deviation of 10 %.
    #[allow(clippy::cast_precision_loss, reason = "a few hundred")]
    let mut noise = || 1.0 + 0.085 * (0..4).map(|_| numbers.below(201) as f64 / 100.0 - 1.0).sum::<f64>();
    let mut all = Vec::new();
    for (i, level) in levels.enumerate() {
        for (provider, model) in endpoints {
            let mut record = Map::new();
            for (name, value) in [("provider", json!(provider)), ("model", json!(model)), ("started_at", json!(at(i)))]
            {
                record.insert(name.to_owned(), value);
            }
            if level > 0.0 {
                record.insert("ttft_s".to_owned(), json!(0.1 * level * noise()));
                record.insert("e2e_s".to_owned(), json!(0.5 * level * noise()));
            } else {
                record.insert("status".to_owned(), json!("error"));
                record.insert("error".to_owned(), json!({"type": "http_status", "message": "busy"}));
            }
            all.push(Value::Object(record));
        }
    }
    all
}

fn send(client: &Client, records: &[Value]) {
    for part in records.chunks(200) {
        client.post("/api/v1/records", &json!(part)).ok();
    }
}

fn incidents(client: &Client, query: &str) -> Vec<Value> {
    client.get(format!("/api/v1/incidents?{query}")).ok()["incidents"].as_array().unwrap().clone()
}

fn members(incident: &Value) -> Vec<Value> {
    incident["members"].as_array().unwrap().clone()
}

fn slow(within: std::ops::Range<usize>) -> impl Fn(usize) -> f64 {
    move |i| if within.contains(&i) { 1.6 } else { 1.0 }
}

#[test]
fn series_of_a_provider_that_slow_down_together_are_one_incident() {
    let running = Running::with(by_shift);
    let endpoints = [("p", "large"), ("p", "small"), ("q", "other")];
    let all = requests(&endpoints, 1, (0..420).map(slow(200..300)));
    send(&running.client, &all[..3 * 260]);
    let open = incidents(&running.client, "open=true&provider=p");
    let [incident] = &open[..] else { panic!("{open:?}") };
    assert_eq!(members(incident).len(), 4, "{incident}");
    assert_eq!((incident.get("model"), incident["provider"].as_str()), (None, Some("p")));
    assert!(incident["text"].as_str().unwrap().contains("; also "), "{incident}");
    for member in members(incident) {
        let since: Timestamp = member["since"].as_str().unwrap().parse().unwrap();
        assert!((since - at(200)).get_seconds().abs() <= 120, "{member}");
        assert!(member["ratio"].as_f64().is_some_and(|ratio| (1.4..1.8).contains(&ratio)), "{member}");
        assert!(member["interval"].is_array() && member["false_alarms"] == 1e5 && member.get("ended_at").is_none());
    }
    for query in ["model=small", "model=large&metric=ttft_s", "model=small&metric=e2e_s"] {
        assert_eq!(incidents(&running.client, query), open, "{query}");
    }
    assert_eq!(incidents(&running.client, "open=true&provider=q").len(), 1, "another provider is another cause");
    let metrics = running.client.get("/metrics").text();
    let gauges = metrics.lines().filter(|line| line.starts_with("llmscope_incident_open{provider=\"p\"")).count();
    assert_eq!(gauges, 4, "{metrics}");

    send(&running.client, &all[3 * 260..]);
    let ended = incidents(&running.client, "open=false&provider=p");
    let [ended] = &ended[..] else { panic!("{ended:?}") };
    let ends: Vec<_> = members(ended).iter().map(|member| member["ended_at"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ended["ended_at"].as_str(), ends.iter().map(String::as_str).max(), "with its last member");
}

#[test]
fn a_provider_that_is_slow_again_within_an_hour_joins_its_incident() {
    let running = Running::with(by_shift);
    // It is as before for 17 minutes, and then for two hours and a half.
    let level =
        |i| if (200..260).contains(&i) || (340..400).contains(&i) || (1000..1060).contains(&i) { 1.6 } else { 1.0 };
    let all = requests(&[("p", "m")], 2, (0..1250).map(level));
    send(&running.client, &all[..330]);
    let first = incidents(&running.client, "");
    assert!(first.len() == 1 && first[0]["ended_at"].is_string(), "{first:?}");
    send(&running.client, &all[330..380]);
    let again = incidents(&running.client, "");
    assert_eq!((again.len(), &again[0]["id"], again[0].get("ended_at")), (1, &first[0]["id"], None), "{again:?}");
    send(&running.client, &all[380..]);
    let both = incidents(&running.client, "");
    assert_eq!(both.len(), 2, "{both:?}");
    assert!(both.iter().all(|incident| incident["ended_at"].is_string()), "{both:?}");
}

#[test]
fn a_change_much_later_is_another_incident() {
    let running = Running::with(by_shift);
    let (first, second) = (requests(&[("p", "a")], 3, (0..700).map(slow(200..700))), slow(600..700));
    let mut all: Vec<Value> = first.into_iter().chain(requests(&[("p", "b")], 21, (0..700).map(second))).collect();
    all.sort_by_key(|record| record["started_at"].as_str().unwrap().to_owned());
    send(&running.client, &all);
    let open = incidents(&running.client, "open=true");
    let models: Vec<_> = open.iter().map(|incident| incident["model"].as_str()).collect();
    assert_eq!(models, [Some("b"), Some("a")], "100 minutes are between their beginnings: {open:?}");
}

#[test]
fn what_becomes_faster_does_not_join_what_becomes_slower() {
    let running = Running::with(by_shift);
    let faster = |i| if i < 200 { 1.0 } else { 0.6 };
    let mut all = requests(&[("p", "a")], 5, (0..280).map(slow(200..280)));
    all.extend(requests(&[("p", "b")], 6, (0..280).map(faster)));
    all.sort_by_key(|record| record["started_at"].as_str().unwrap().to_owned());
    send(&running.client, &all);
    let mut directions: Vec<_> =
        incidents(&running.client, "open=true").iter().map(|incident| incident["direction"].clone()).collect();
    directions.sort_by_key(Value::to_string);
    assert_eq!(directions, [json!("better"), json!("worse")]);
}

#[test]
fn restarts_change_no_joined_incident() {
    let level = |i| match i {
        200..260 => 1.6,
        280..300 => 0.0,
        340..400 => 1.6,
        _ => 1.0,
    };
    let all = requests(&[("p", "a"), ("p", "b")], 7, (0..480).map(level));
    let whole = Running::with(by_shift);
    send(&whole.client, &all);
    let expected = incidents(&whole.client, "");
    assert!(expected.iter().any(|incident| members(incident).len() >= 5), "{expected:?}");
    let mut parted = Running::with(by_shift);
    for part in all.chunks(70) {
        send(&parted.client, part);
        parted.restart(by_shift);
    }
    assert_eq!(incidents(&parted.client, ""), expected);
}

#[test]
fn an_outage_stores_its_counts_now_and_then() {
    let running = Running::with(by_shift);
    let all = requests(&[("p", "m")], 8, (0..400).map(|i| if i < 200 { 1.0 } else { 0.0 }));
    send(&running.client, &all[..206]);
    let counted = || incidents(&running.client, "open=true")[0]["requests"].as_u64().unwrap();
    let mut seen = std::collections::BTreeSet::from([counted()]);
    for record in &all[206..300] {
        send(&running.client, std::slice::from_ref(record));
        seen.insert(counted());
    }
    assert!((5..40).contains(&seen.len()), "{seen:?}");
    assert!(seen.last().unwrap() * 10 >= 94 * 9, "the count is at most a tenth behind: {seen:?}");
}

/// A service with two incidents.
fn with_two() -> Running {
    let running = Running::with(by_shift);
    send(&running.client, &requests(&[("p", "m"), ("q", "m")], 9, (0..260).map(slow(200..260))));
    assert_eq!(incidents(&running.client, "status=new").len(), 2);
    running
}

#[test]
fn incidents_are_acknowledged_resolved_and_annotated() {
    let mut running = with_two();
    let ops = running.client.with_key("key-of-ops");
    let open = incidents(&ops, "");
    let path = format!("/api/v1/incidents/{}", open[0]["id"]);
    assert_eq!((&open[0]["status"], open[0].get("acknowledged"), &open[0]["notes"]), (&json!("new"), None, &json!([])));

    let seen = ops.post(format!("{path}/acknowledge"), &json!({"note": " looking at it "})).ok();
    assert_eq!((&seen["status"], &seen["acknowledged"]["by"]), (&json!("acknowledged"), &json!("ops")));
    ops.post(format!("{path}/notes"), &json!({"text": "a deploy"})).ok();
    ops.poke(format!("{path}/acknowledge")).ok();
    let done = ops.poke(format!("{path}/resolve")).ok();
    assert_eq!((&done["status"], &done["resolved"]["by"]), (&json!("resolved"), &json!("ops")));
    assert_eq!(done["acknowledged"], seen["acknowledged"], "the first one stays");
    let notes: Vec<_> = done["notes"].as_array().unwrap().iter().map(|note| note["text"].as_str().unwrap()).collect();
    assert_eq!(notes, ["looking at it", "a deploy"]);
    assert_eq!(incidents(&ops, "status=resolved"), std::slice::from_ref(&done));
    running.restart(by_shift);
    assert_eq!(running.client.get(&path).ok(), done);

    let eyes = running.client.with_key("key-of-eyes");
    assert_eq!(eyes.get(&path).ok(), done);
    eyes.poke(format!("{path}/acknowledge")).refusal(403);
    running.client.poke("/api/v1/incidents/999/acknowledge").refusal(404);
    assert_eq!(running.client.post(format!("{path}/notes"), &json!({"text": " "})).field_error().0, ["body", "text"]);
}

#[test]
fn several_incidents_are_annotated_together_or_not_at_all() {
    let running = with_two();
    let ids: Vec<_> = incidents(&running.client, "").iter().map(|incident| incident["id"].clone()).collect();
    let unknown = json!({"ids": [ids[0], 999], "note": "both"});
    running.client.post("/api/v1/incidents/acknowledge", &unknown).refusal(404);
    assert_eq!(incidents(&running.client, "status=new").len(), 2);
    let seen = running.client.post("/api/v1/incidents/acknowledge", &json!({"ids": ids, "note": "both"})).ok();
    assert_eq!(seen["incidents"].as_array().unwrap().len(), 2);
    let noted = running.client.post("/api/v1/incidents/notes", &json!({"ids": ids, "text": "more"})).ok();
    assert!(
        noted["incidents"].as_array().unwrap().iter().all(|incident| incident["notes"].as_array().unwrap().len() == 2)
    );
    running.client.post("/api/v1/incidents/resolve", &json!({"ids": ids})).ok();
    assert_eq!(incidents(&running.client, "status=resolved,acknowledged").len(), 2);
    for ids in [json!([]), json!(vec![1; 1001])] {
        let refused = running.client.post("/api/v1/incidents/resolve", &json!({"ids": ids}));
        assert_eq!(refused.field_error().0, ["body", "ids"]);
    }
}

#[test]
fn a_resolved_incident_is_not_joined() {
    let running = Running::with(by_shift);
    let all =
        requests(&[("p", "m")], 10, (0..420).map(|i| if (200..260).contains(&i) || i >= 330 { 1.6 } else { 1.0 }));
    send(&running.client, &all[..330]);
    let id = incidents(&running.client, "")[0]["id"].clone();
    running.client.poke(format!("/api/v1/incidents/{id}/resolve")).ok();
    send(&running.client, &all[330..]);
    let open = incidents(&running.client, "open=true");
    assert!(open.len() == 1 && open[0]["id"] != id && open[0]["status"] == "new", "{open:?}");
}

#[test]
fn the_present_level_of_an_endpoint_or_of_all_is_normal_on_request() {
    let running = with_two();
    let ops = running.client.with_key("key-of-ops");
    let learned = ops.post("/api/v1/relearn", &json!({"provider": "p"})).ok();
    assert_eq!(learned["series"].as_array().unwrap().len(), 2);
    let open = incidents(&ops, "open=true");
    assert!(open.len() == 1 && open[0]["provider"] == "q", "{open:?}");
    let ended = incidents(&ops, "provider=p")[0].clone();
    assert!(ended["text"].as_str().unwrap().contains(": taken as normal at "), "{ended}");
    assert_eq!((&ended["notes"][0]["by"], &ended["accepted"]), (&json!("ops"), &json!(true)));
    assert_eq!(ops.poke("/api/v1/relearn").ok()["series"].as_array().unwrap().len(), 4);
    assert_eq!(incidents(&ops, "open=true"), Vec::<Value>::new());
    let series = ops.get("/api/v1/series").ok();
    let all = series["series"].as_array().unwrap();
    assert!(all.iter().all(|series| series["alarm"]["learning"] == true && series["state"] == "learning"), "{series}");
    assert_eq!(ops.post("/api/v1/relearn", &json!({"provider": "typo"})).status, 422);
    running.client.with_key("key-of-eyes").poke("/api/v1/relearn").refusal(403);
}

#[test]
fn a_deleted_series_leaves_no_alarm_and_no_open_incident() {
    let running = with_two();
    let series = running.client.get("/api/v1/series").ok()["series"].as_array().unwrap().clone();
    for one in series.iter().filter(|one| one["provider"] == "p") {
        running.client.delete(format!("/api/v1/series/{}", one["id"])).ok();
    }
    let open = incidents(&running.client, "open=true");
    assert!(open.len() == 1 && open[0]["provider"] == "q", "{open:?}");
    send(&running.client, &requests(&[("p", "m")], 11, (0..1).map(|_| 1.6)));
    let series = running.client.get("/api/v1/series").ok()["series"].as_array().unwrap().clone();
    let again: Vec<_> = series.iter().filter(|one| one["provider"] == "p").map(|one| &one["alarm"]["values"]).collect();
    assert_eq!(again, [1, 1]);
}

#[test]
fn old_incidents_are_removed_with_their_members_unless_they_are_open() {
    let running = Running::with(|settings| {
        by_shift(settings);
        settings.violation_days = 1;
    });
    let open_or_ended = |i: usize| if (200..260).contains(&i) || i >= 600 { 1.6 } else { 1.0 };
    let mut all = requests(&[("p", "m")], 12, (0..660).map(open_or_ended));
    let back = Timestamp::now() - SignedDuration::from_hours(72);
    for (i, record) in all.iter_mut().enumerate() {
        record["started_at"] = json!(back + SignedDuration::from_secs(15 * i64::try_from(i).unwrap()));
    }
    send(&running.client, &all);
    let ids = |query| -> Vec<_> { incidents(&running.client, query).iter().map(|it| it["id"].clone()).collect() };
    let (open, ended) = (ids("open=true"), ids("open=false"));
    assert_eq!((open.len(), ended.len()), (1, 1));
    running.client.poke("/api/v1/cleanup").ok();
    assert_eq!(ids(""), open);
    running.client.get(format!("/api/v1/incidents/{}", ended[0])).refusal(404);
}
