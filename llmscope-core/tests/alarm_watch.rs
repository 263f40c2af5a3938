//! The alarms of an endpoint: which events its requests cause, and when.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use jiff::Timestamp;
use llmscope_core::analysis::Direction;
use llmscope_core::session::{AttributeValue, RequestError, Status};
use llmscope_core::watch::{AlarmEvent, AlarmWatch, IncidentPart, IncidentReport, Promise};
use llmscope_core::{Metric, RequestRecord};

#[allow(dead_code, reason = "the example uses the rest")]
#[path = "../examples/false_alarms/random.rs"]
mod random;

use random::Random;

const EVERY_S: i64 = 15;

fn watch(metrics: &[Metric]) -> AlarmWatch {
    AlarmWatch::new(metrics, "1/10000".parse().unwrap(), 100).unwrap()
}

/// When request number `i` was sent.
fn time(i: usize) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + EVERY_S * i64::try_from(i).unwrap()).unwrap()
}

fn noise(random: &mut Random) -> f64 {
    (0.3 * random.normal()).exp()
}

fn answered(ttft_s: f64) -> RequestRecord {
    RequestRecord { ttft_s: Some(ttft_s), ..RequestRecord::default() }
}

fn failed(message: &str) -> RequestRecord {
    let error =
        RequestError { kind: "http_status".to_owned(), message: Some(message.to_owned()), ..RequestError::default() };
    RequestRecord { status: Status::Error, error: Some(error), ..RequestRecord::default() }
}

/// The events of these requests, each with the number of the request.
fn events(watch: &mut AlarmWatch, records: impl IntoIterator<Item = RequestRecord>) -> Vec<(usize, AlarmEvent)> {
    let push = |(i, record): (usize, RequestRecord)| {
        watch.push(&record, time(i)).into_iter().map(move |event| (i, event)).collect::<Vec<_>>()
    };
    records.into_iter().enumerate().flat_map(push).collect()
}

#[test]
fn a_slowdown_is_dated_sized_and_ended() {
    let mut random = Random::of_series("alarms", 0, 1);
    let level = |i: usize| if (700..900).contains(&i) { 1.6 } else { 1.0 };
    let events = events(&mut watch(&[Metric::Ttft]), (0..1_100).map(|i| answered(0.3 * level(i) * noise(&mut random))));
    let [
        (learned, AlarmEvent::Learned { values: 100, smallest_visible: Some(visible), .. }),
        (at, AlarmEvent::Opened(opened)),
        (end, AlarmEvent::Ended(ended)),
    ] = &events[..]
    else {
        panic!("{events:?}")
    };
    assert!(*learned == 99 && (1.1..1.4).contains(visible));
    assert!((701..715).contains(at) && (925..960).contains(end), "{at} and {end}");
    assert_eq!(
        (opened.part, opened.direction, opened.metric),
        (IncidentPart::Level, Direction::Worse, Some(Metric::Ttft))
    );
    assert!((opened.since.as_second() - time(700).as_second()).abs() <= 3 * EVERY_S && opened.at == time(*at));
    assert_eq!((opened.since, ended.at), (ended.since, time(*end)));
    let text = events[1].1.to_string();
    assert!(text.starts_with("ttft_s slower by ") && text.contains(" since 2027-01-15 1"), "{text}");
    assert!(text.contains("one false alarm in 10000 values"), "{text}");
    assert!(events[2].1.to_string().starts_with("ttft_s as before since "), "{}", events[2].1);
    assert!(events[0].1.to_string().contains("learned from 100 requests; a change below "), "{}", events[0].1);
}

#[test]
fn an_outage_is_one_incident_with_the_words_of_the_server() {
    let mut random = Random::of_series("alarms", 0, 2);
    let records =
        (0..600).map(|i| if (300..330).contains(&i) { failed("busy") } else { answered(0.3 * noise(&mut random)) });
    let events = events(&mut watch(&[Metric::Ttft]), records.collect::<Vec<_>>());
    let of_failures: Vec<_> = events.iter().filter(|(_, event)| event.incident().is_some()).collect();
    let [(at, AlarmEvent::Opened(opened)), (end, AlarmEvent::Ended(ended))] = &of_failures[..] else {
        panic!("{events:?}")
    };
    assert!((300..306).contains(at), "after few failures: {at}");
    assert_eq!((opened.part, opened.metric, opened.since), (IncidentPart::Failures, None, time(300)));
    assert_eq!((*end, ended.failed), (354, Some(30)), "with 25 answers in a row");
    let text = of_failures[0].1.to_string();
    assert!(text.contains("failed (") && text.contains("the last one: http_status: busy"), "{text}");
}

#[test]
fn an_endpoint_that_never_answered_is_an_incident_while_nothing_is_learned() {
    let mut alarms = watch(&[Metric::Ttft]);
    let events = events(&mut alarms, (0..40).map(|_| failed("refused")));
    let [(4, AlarmEvent::Opened(opened))] = &events[..] else { panic!("{events:?}") };
    assert_eq!((opened.since, opened.failed, opened.requests, opened.false_alarms), (time(0), Some(5), 5, None));
    assert_eq!(alarms.incidents().count(), 1);
    let answers: Vec<_> =
        (40..70).map(|i| (i, alarms.push(&answered(0.3 + 0.001 * (i % 7) as f64), time(i)))).collect();
    let ended: Vec<_> = answers.iter().filter(|(_, events)| !events.is_empty()).collect();
    assert!(matches!(&ended[..], [(64, events)] if matches!(events[..], [AlarmEvent::Ended(_)])), "{ended:?}");
}

#[test]
fn longer_answers_are_no_alarm_and_a_slower_server_is_one() {
    let mut random = Random::of_series("alarms", 0, 3);
    let record = |i: usize, random: &mut Random| {
        let (least, width) = if i < 600 { (100, 300) } else { (250, 200) };
        let output_tokens = least + u64::try_from(i * 7919).unwrap() % width;
        let slower = if i < 900 { 1.0 } else { 1.25 };
        let e2e_s = (0.2 + 0.02 * output_tokens as f64) * slower * (0.1 * random.normal()).exp();
        RequestRecord {
            e2e_s: Some(e2e_s),
            input_tokens: Some(50),
            output_tokens: Some(output_tokens),
            ..RequestRecord::default()
        }
    };
    let records: Vec<_> = (0..1_000).map(|i| record(i, &mut random)).collect();
    let events = events(&mut watch(&[Metric::E2e]), records);
    let Some((at, AlarmEvent::Opened(IncidentReport { adjusted_for_load, ratio, .. }))) = events.get(1) else {
        panic!("{events:?}")
    };
    assert!(*at >= 900 && *adjusted_for_load && ratio.is_some_and(|ratio| (1.1..1.45).contains(&ratio)), "{events:?}");
    assert!(events[1].1.to_string().contains("at equal token counts"), "{}", events[1].1);
}

#[test]
fn times_per_token_of_a_newer_definition_are_learned_again() {
    let mut random = Random::of_series("alarms", 0, 4);
    let record = |i: usize, random: &mut Random| {
        let mut record = RequestRecord { tpot_s: Some(0.02 * noise(random)), ..RequestRecord::default() };
        if i >= 300 {
            record.tpot_s = record.tpot_s.map(|tpot_s| 2.0 * tpot_s);
            record.attributes.insert("tpot_definition".to_owned(), AttributeValue::Number(2.0));
        }
        record
    };
    let records: Vec<_> = (0..600).map(|i| record(i, &mut random)).collect();
    let events = events(&mut watch(&[Metric::Tpot]), records);
    assert!(events.iter().all(|(_, event)| matches!(event, AlarmEvent::Learned { .. })), "{events:?}");
    assert_eq!(events.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [99, 399]);
}

#[test]
fn warm_up_is_ignored_and_relearning_ends_incidents() {
    let mut random = Random::of_series("alarms", 0, 5);
    let mut alarms = watch(&[Metric::Ttft, Metric::E2e]);
    for i in 0..400 {
        let ttft_s = if i < 300 { 0.3 } else { 0.9 } * noise(&mut random);
        let record = RequestRecord { e2e_s: Some(2.0 * ttft_s), ..answered(ttft_s) };
        alarms.push(&record, time(i));
        let slow_start = RequestRecord { warmup: true, ..answered(99.0) };
        assert_eq!(alarms.push(&slow_start, time(i)), []);
    }
    assert_eq!(alarms.incidents().count(), 2);
    let ended = alarms.relearn(Some(Metric::E2e), time(400));
    assert!(matches!(&ended[..], [AlarmEvent::Ended(report)] if report.metric == Some(Metric::E2e)), "{ended:?}");
    assert_eq!((alarms.incidents().count(), alarms.relearn(None, time(401)).len()), (1, 1));
}

#[test]
fn a_watch_that_is_read_back_continues_bit_for_bit() {
    let mut random = Random::of_series("alarms", 0, 6);
    let mut whole = watch(&[Metric::Ttft]);
    whole.share(Promise::WEEKLY, 1.0 / 15.0, 100, 50);
    let mut parted = whole.clone();
    let mut count = 0;
    for i in 0..1_200 {
        let record = match i {
            500..520 => failed("busy"),
            _ => answered(if i % 1_000 > 700 { 0.6 } else { 0.3 } * noise(&mut random)),
        };
        let (a, b) = (whole.push(&record, time(i)), parted.push(&record, time(i)));
        count += a.len();
        assert_eq!(a, b);
        if i % 41 == 0 {
            parted = serde_json::from_str(&serde_json::to_string(&parted).unwrap()).unwrap();
        }
    }
    assert!(count >= 4 && whole == parted, "{count}");
    let other = serde_json::to_string(&whole).unwrap().replace("llmscope.alarms/1", "llmscope.alarms/7");
    assert!(serde_json::from_str::<AlarmWatch>(&other).is_err());
}
