//! Incidents: one for each change, however many alarms it raises.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use llmscope_core::detector::{Changed, Detector, FalseAlarmRate, IncidentEvent, Settings, ShiftWatch};

#[allow(dead_code, reason = "the example uses the rest")]
#[path = "../examples/false_alarms/random.rs"]
mod random;

use random::Random;

fn settings(values: f64, learn: usize) -> Settings {
    Settings { false_alarms: FalseAlarmRate::one_in(values).unwrap(), learn, ..Settings::default() }
}

fn lognormal(random: &mut Random) -> f64 {
    0.1 * (0.5 * random.normal()).exp()
}

/// The events of values without token counts, each with the number of the value.
fn events(settings: Settings, values: impl IntoIterator<Item = f64>) -> Vec<(usize, IncidentEvent)> {
    let mut watch = ShiftWatch::new(settings).unwrap();
    let of_value = |(i, value)| watch.push(value, &[]).unwrap().events.into_iter().map(move |event| (i, event));
    values.into_iter().enumerate().flat_map(of_value).collect::<Vec<_>>()
}

fn is_opened(event: &(usize, IncidentEvent)) -> bool {
    matches!(event.1, IncidentEvent::Opened(_))
}

#[test]
fn incidents_are_at_most_the_alarms_that_are_promised() {
    const SERIES: usize = 150;
    const VALUES: usize = 4_000;
    for rho in [0.0, 0.6] {
        let (mut opened, mut ended) = (0, 0);
        for series in 0..SERIES {
            let mut random = Random::of_series("incidents", 0, series);
            let values = random.autoregression(VALUES, rho).into_iter().map(|z| 0.1 * (0.5 * z).exp());
            let events = events(settings(1000.0, 100), values);
            opened += events.iter().filter(|event| is_opened(event)).count();
            ended += events.iter().filter(|event| matches!(event.1, IncidentEvent::Ended(_))).count();
        }
        let promised = SERIES as f64 * (VALUES - 100) as f64 / 1000.0;
        assert!((opened as f64) < promised, "ρ {rho}: {opened} of {promised}");
        assert!(opened > 30 && opened - ended < opened / 3, "ρ {rho}: {ended} of {opened} false incidents ended");
    }
}

#[test]
fn a_change_is_one_incident_from_its_beginning_to_its_end() {
    let (mut whole, mut usable) = (0, 0);
    for series in 0..60 {
        let mut random = Random::of_series("one incident", 0, series);
        let level = |i: usize| if (600..1_000).contains(&i) { 1.5 } else { 1.0 };
        let events = events(settings(100_000.0, 300), (0..1_600).map(|i| level(i) * lognormal(&mut random)));
        let Some(&(first, IncidentEvent::Opened(opened))) = events.first() else { panic!("{events:?}") };
        if first < 600 {
            continue;
        }
        usable += 1;
        assert_eq!(opened.changed, Changed::Larger, "{opened:?}");
        let Some(&(end, IncidentEvent::Ended(last))) = events.get(1) else { continue };
        let is_whole = events.len() == 2 && last.alarms > 1 && (1_025..1_150).contains(&end);
        whole += usize::from(is_whole);
    }
    assert!(usable >= 55 && whole * 10 >= usable * 8, "{whole} of {usable}");
}

#[test]
fn a_slowdown_that_grows_is_reported_again() {
    let (mut worse, mut usable) = (0, 0);
    for series in 0..40 {
        let mut random = Random::of_series("worse", 0, series);
        let level = |i: usize| [1.0, 1.3, 2.5][usize::from(i >= 600) + usize::from(i >= 900)];
        let events = events(settings(10_000.0, 300), (0..1_300).map(|i| level(i) * lognormal(&mut random)));
        // A smaller slowdown is not always found in time.
        if !events.iter().any(|event| is_opened(event) && (600..900).contains(&event.0)) {
            continue;
        }
        usable += 1;
        let later = events.iter().filter(|(i, event)| *i >= 900 && matches!(event, IncidentEvent::Worse(_))).count();
        let earlier = events.iter().filter(|(i, event)| *i < 900 && matches!(event, IncidentEvent::Worse(_))).count();
        assert!(earlier <= 1, "a constant level does not become worse again and again: {events:?}");
        worse += usize::from(later >= 1);
    }
    // A first size that is too large by chance hides the rest.
    assert!(usable >= 30 && worse * 20 >= usable * 17, "{worse} of {usable}");
}

#[test]
fn a_level_that_stays_ends_by_learning_it() {
    let mut random = Random::of_series("relearn", 0, 3);
    let mut watch = ShiftWatch::new(settings(1000.0, 100)).unwrap();
    for i in 0..2_000 {
        watch.push(if i < 500 { 1.0 } else { 1.6 } * lognormal(&mut random), &[]).unwrap();
    }
    let incident = *watch.incident().expect("a slowdown does not become normal");
    assert!(incident.since.abs_diff(500) < 30 && incident.alarms > 10, "{incident:?}");
    assert_eq!(watch.relearn(), Some(IncidentEvent::Ended(incident)));
    let learned = |i| watch.push(1.6 * lognormal(&mut random), &[]).map(|it| (i, it.evidence.learning.is_none()));
    let first = (0..400).map(learned).map(Result::unwrap).find(|(_, judged)| *judged);
    assert!(first.is_some_and(|(i, _)| i < 200) && watch.incident().is_none(), "{first:?}");
}

#[test]
fn a_watch_that_is_read_back_continues_bit_for_bit() {
    let mut random = Random::of_series("state", 0, 1);
    let values: Vec<f64> =
        (0..1_500).map(|i| if (400..900).contains(&i) { 1.4 } else { 1.0 } * lognormal(&mut random)).collect();
    let mut whole = ShiftWatch::new(settings(1000.0, 100)).unwrap();
    let mut parted = whole.clone();
    let mut events = 0;
    for (i, &value) in values.iter().enumerate() {
        let (a, b) = (whole.push(value, &[]).unwrap(), parted.push(value, &[]).unwrap());
        assert_eq!(a, b);
        events += a.events.len();
        if i % 37 == 0 {
            parted = serde_json::from_str(&serde_json::to_string(&parted).unwrap()).unwrap();
        }
    }
    assert!(events >= 2 && whole == parted);
    let other = serde_json::to_string(&whole).unwrap().replace("llmscope.shift-watch/1", "llmscope.shift-watch/9");
    assert!(serde_json::from_str::<ShiftWatch>(&other).is_err());
}

#[test]
fn a_rarer_promise_holds_at_once_and_a_more_frequent_one_from_the_next_alarm_on() {
    let rate = |values| FalseAlarmRate::one_in(values).unwrap();
    let mut random = Random::of_series("rates", 0, 7);
    let mut detector = Detector::new(settings(1000.0, 100)).unwrap();
    for _ in 0..300 {
        detector.push(lognormal(&mut random), &[]).unwrap();
    }
    detector.set_false_alarms(rate(100_000.0));
    assert_eq!(detector.push(0.1, &[]).unwrap().threshold.round(), 55_000.0);
    detector.set_false_alarms(rate(10_000.0));
    assert_eq!(detector.threshold().round(), 55_000.0);
    let alarm = (0..400).find(|_| detector.push(3.0 * lognormal(&mut random), &[]).unwrap().alarm.is_some());
    assert!(alarm.is_some() && detector.threshold().round() == 5_500.0, "{}", detector.threshold());
    detector.set_false_alarms(rate(1_000.0));
    detector.relearn();
    assert_eq!(detector.threshold().round(), 550.0);
}
