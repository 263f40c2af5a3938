//! The promise of the detector, its answers, and its state.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use llmscope_core::Error;
use llmscope_core::detector::{
    Alarm, Changed, Detector, FailureAlarm, FailureDetector, FalseAlarmRate, Scale, Settings,
};
use llmscope_core::stats::Proportion;
use serde_json::Value;

#[allow(dead_code, reason = "the example uses the rest")]
#[path = "../examples/false_alarms/random.rs"]
mod random;

use random::Random;

fn settings(values: f64, learn: usize) -> Settings {
    Settings { false_alarms: FalseAlarmRate::one_in(values).unwrap(), learn, ..Settings::default() }
}

/// The alarms of values without token counts.
fn alarms(settings: Settings, values: impl IntoIterator<Item = f64>) -> Vec<Alarm> {
    let mut detector = Detector::new(settings).unwrap();
    values.into_iter().filter_map(|value| detector.push(value, &[]).unwrap().alarm).collect()
}

fn lognormal(random: &mut Random) -> f64 {
    0.1 * (0.5 * random.normal()).exp()
}

/// The exact bounds of a simulated share, each with an error of 0.1 %.
fn bounds(count: usize, of: usize) -> (f64, f64) {
    let (count, size) = (count as f64, of as f64);
    Proportion { share: count / size, size }.clopper_pearson(0.001).unwrap()
}

/// A process of the promise: `n` values.
type Process = fn(&mut Random, usize) -> Vec<f64>;

const PROCESSES: [(&str, Process); 6] = [
    ("normal", |random, n| (0..n).map(|_| 0.1 + 0.01 * random.normal()).collect()),
    ("lognormal", |random, n| (0..n).map(|_| lognormal(random)).collect()),
    ("cache", |random, n| {
        let mut level = |miss| if miss { 0.2 } else { 0.04 } * (0.15 * random.normal()).exp();
        (0..n).map(|i| level(i * 7919 % 5 == 0)).collect()
    }),
    ("clock", |random, n| (0..n).map(|_| (5.0 * (0.3 * random.normal()).exp()).round().max(1.0) / 1000.0).collect()),
    ("ρ 0.3", |random, n| random.autoregression(n, 0.3).iter().map(|z| (0.5 * z).exp()).collect()),
    ("ρ 0.6", |random, n| random.autoregression(n, 0.6).iter().map(|z| (0.5 * z).exp()).collect()),
];

#[test]
fn the_rate_of_false_alarms_is_kept() {
    /// Series of each process and their judged values.
    const SERIES: usize = 60;
    const JUDGED: usize = 2_000;
    for rate in [100.0, 1000.0] {
        for learn in [30, 300] {
            for (name, process) in PROCESSES {
                let of = |series| {
                    let mut random = Random::of_series(name, learn, series);
                    alarms(settings(rate, learn), process(&mut random, learn + JUDGED)).len()
                };
                let raised: usize = (0..SERIES).map(of).sum();
                let judged = SERIES * JUDGED;
                let (lower, _) = bounds(raised, judged);
                assert!(lower <= 1.0 / rate, "{name}, {learn} learned: {raised} alarms in {judged} values, 1/{rate}");
                assert!(raised > 0, "{name}: a detector that never raises an alarm keeps any rate");
            }
        }
    }
}

#[test]
fn slower_faster_and_more_varied_values_are_told_apart() {
    let of = |change: fn(f64) -> f64| {
        let mut random = Random::of_series("change", 0, 5);
        let values: Vec<f64> = (0..900)
            .map(|_| lognormal(&mut random))
            .enumerate()
            .map(|(i, y)| if i < 600 { y } else { change(y) })
            .collect();
        let first = alarms(settings(10_000.0, 200), values)[0];
        assert!(first.at >= 600 && first.since.abs_diff(600) < 30, "{first:?}");
        first
    };
    let slower = of(|y| 1.8 * y);
    assert_eq!(slower.changed, Changed::Larger);
    assert!(slower.interval.is_some_and(|(lower, upper)| lower < 1.8 && 1.8 < upper && lower > 1.0), "{slower:?}");
    let faster = of(|y| 0.5 * y);
    assert_eq!(faster.changed, Changed::Smaller);
    assert!(faster.size.is_some_and(|size| size < 0.8), "{faster:?}");
    let varied = of(|y| 0.1 * (y / 0.1).powf(2.5));
    assert_eq!((varied.changed, varied.size, varied.interval), (Changed::MoreVaried, None, None));
}

#[test]
fn the_beginning_of_a_change_does_not_depend_on_earlier_fits() {
    let is_right = |series: &usize| {
        let mut random = Random::of_series("beginning", 0, *series);
        let level = |i| if i < 140 { 1.0 } else { 1.5 };
        let values: Vec<f64> = (0..180).map(|i| (0.9 + 0.2 * random.uniform()) * level(i)).collect();
        // Fitted at 30, 60 and 120 values, each time with another autoregression.
        let found = alarms(settings(100_000.0, 30), values);
        found.iter().find(|alarm| alarm.at >= 140).unwrap().since.abs_diff(140) <= 3
    };
    let right = (0..40).filter(is_right).count();
    assert!(right >= 37, "{right} of 40");
}

#[test]
fn values_beyond_all_others_are_larger_not_more_varied() {
    let is_larger = |series: &usize| {
        let mut random = Random::of_series("beyond", 0, *series);
        let noise = |random: &mut Random| 0.9 + 0.2 * random.uniform();
        let values: Vec<f64> = (0..700).map(|i| noise(&mut random) * if i < 600 { 1.0 } else { 1.25 }).collect();
        let first = alarms(settings(10_000.0, 300), values)[0];
        assert!(first.at >= 600, "{first:?}");
        first.changed == Changed::Larger
    };
    // By chance, the values before a change vary more in a few series.
    let larger = (0..40).filter(is_larger).count();
    assert!(larger >= 36, "{larger} of 40");
}

#[test]
fn the_size_of_a_change_lies_within_its_interval() {
    const RATIO: f64 = 1.5;
    let (mut held, mut sized) = (0, 0);
    for series in 0..150 {
        let mut random = Random::of_series("size", 0, series);
        let level = |i| if i < 600 { 1.0 } else { RATIO };
        let values: Vec<f64> = (0..1_000).map(|i| level(i) * lognormal(&mut random)).collect();
        let found = alarms(settings(1000.0, 300), values).into_iter().find(|alarm| alarm.at >= 600);
        if let Some((lower, upper)) = found.unwrap().interval {
            sized += 1;
            held += usize::from(lower <= RATIO && RATIO <= upper);
        }
    }
    assert!(sized > 120, "{sized}");
    let (_, most) = bounds(held, sized);
    assert!(most >= 0.95, "{held} of {sized}");
}

#[test]
fn longer_answers_are_no_alarm_and_a_slower_server_is_one() {
    let run = |longer: f64, slower: f64| {
        let settings = Settings { columns: 1, ..settings(10_000.0, 200) };
        let mut detector = Detector::new(settings).unwrap();
        let mut random = Random::of_series("tokens", 0, 3);
        let mut first = None;
        for i in 0..1_200 {
            let tokens = ((5.0 + 0.8 * random.normal()).exp() * if i < 600 { 1.0 } else { longer }).round().max(1.0);
            let seconds = 0.2 * (0.1 * random.normal()).exp() + 0.02 * tokens * (0.1 * random.normal()).exp();
            let alarm = detector.push(if i < 600 { seconds } else { slower * seconds }, &[tokens]).unwrap().alarm;
            first = first.or(alarm);
        }
        assert!(detector.load().is_some_and(|load| (load.slopes()[0] - 0.02).abs() < 0.002));
        first
    };
    assert_eq!(run(1.5, 1.0), None);
    let slower = run(1.0, 1.2).unwrap();
    assert!(slower.changed == Changed::Larger && (600..620).contains(&slower.at), "{slower:?}");
}

#[test]
fn a_detector_that_is_read_back_goes_on_bit_for_bit() {
    for (values, learn) in [(100.0, 40), (100_000.0, 60)] {
        let of = || Detector::new(Settings { columns: 1, ..settings(values, learn) }).unwrap();
        let (mut whole, mut restarted) = (of(), of());
        let mut random = Random::of_series("restart", learn, 0);
        for i in 0..9_000 {
            let tokens = (100.0 + 900.0 * random.uniform()).round();
            let value = match i % 97 {
                0 => f64::NAN,
                1 => 0.0,
                _ => 0.01 * tokens * (0.3 * random.normal()).exp() * if i > 4_500 { 1.3 } else { 1.0 },
            };
            let tokens = if i % 31 == 0 { f64::NAN } else { tokens };
            let (a, b) = (whole.push(value, &[tokens]).unwrap(), restarted.push(value, &[tokens]).unwrap());
            assert_eq!(a, b, "value {i}");
            // Often while it learns and at each fit, later now and then.
            if i < 150 || i % 113 == 0 || a.alarm.is_some() {
                let text = serde_json::to_string(&restarted).unwrap();
                restarted = serde_json::from_str(&text).unwrap();
                assert_eq!(serde_json::to_string(&restarted).unwrap(), text);
            }
        }
        assert_eq!(whole, restarted);
    }
}

#[test]
fn a_state_that_no_detector_wrote_is_refused() {
    let mut detector = Detector::new(settings(1000.0, 30)).unwrap();
    let mut random = Random::of_series("state", 0, 0);
    let mut states = vec![serde_json::to_value(&detector).unwrap()];
    for i in 0..3_000 {
        detector.push(lognormal(&mut random), &[]).unwrap();
        if [10, 100, 2_999].contains(&i) {
            states.push(serde_json::to_value(&detector).unwrap());
        }
    }
    // Each number of each state replaced: the state is refused, or it judges on without a panic.
    let mut refused = 0;
    for state in &states {
        for path in numbers(state, String::new()) {
            for wrong in [Value::from(-1), Value::from(0), Value::from(1e300), Value::from(4_000_000_000_u32)] {
                let mut damaged = state.clone();
                *damaged.pointer_mut(&path).unwrap() = wrong;
                match serde_json::from_value::<Detector>(damaged) {
                    Ok(mut read) => {
                        (0..40).for_each(|_| {
                            read.push(lognormal(&mut random), &[]).unwrap();
                        });
                    }
                    Err(_) => refused += 1,
                }
            }
        }
    }
    assert!(refused > 50, "{refused}");
    let mut other = states[0].clone();
    other["schema"] = "llmscope.detector/9".into();
    assert!(serde_json::from_value::<Detector>(other).unwrap_err().to_string().contains("llmscope.detector/1"));
}

/// The paths of the first numbers of each list and of all other numbers.
fn numbers(value: &Value, path: String) -> Vec<String> {
    match value {
        Value::Number(_) => vec![path],
        Value::Array(items) => {
            items.iter().take(2).enumerate().flat_map(|(i, item)| numbers(item, format!("{path}/{i}"))).collect()
        }
        Value::Object(fields) => {
            fields.iter().flat_map(|(name, field)| numbers(field, format!("{path}/{name}"))).collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn dependent_values_are_learned_longer_and_it_says_so() {
    let mut detector = Detector::new(settings(1000.0, 100)).unwrap();
    assert_eq!(detector.learning().unwrap().information, None);
    let series = Random::of_series("dependent", 0, 1).autoregression(2_500, 0.95);
    let mut longest = 0;
    for (i, z) in series.iter().enumerate() {
        let evidence = detector.push((0.5 * z).exp(), &[]).unwrap();
        if let Some(learning) = evidence.learning {
            longest = i;
            assert_eq!(evidence.value, 0.0);
            if i > 100 {
                assert!(learning.information.unwrap() < 25.0, "{learning:?}");
            }
        }
    }
    assert!((300..2_400).contains(&longest), "{longest}");
    assert!(detector.learning().is_none() && detector.smallest_visible().unwrap() > 1.0);
}

#[test]
fn a_small_change_is_visible_only_with_many_values() {
    let visible = |n: usize| {
        let mut detector = Detector::new(settings(1000.0, 100)).unwrap();
        let mut random = Random::of_series("visible", 0, 0);
        (0..n).for_each(|_| {
            detector.push(lognormal(&mut random), &[]).unwrap();
        });
        detector.smallest_visible().unwrap()
    };
    // √(2 ln 550 / n) standard deviations of 0.5: 1.19 for n = 100, 1.06 for n = 1000.
    let (few, many) = (visible(101), visible(1_001));
    assert!((1.15..1.35).contains(&few) && (1.04..1.09).contains(&many), "{few} {many}");
}

#[test]
fn constant_values_raise_no_alarm_and_another_constant_does() {
    assert_eq!(alarms(settings(1000.0, 100), vec![0.25; 5_000]), []);
    let changed = alarms(settings(1000.0, 100), std::iter::repeat_n(0.25, 400).chain(std::iter::repeat_n(0.5, 40)));
    assert!(changed[0].changed == Changed::Larger && changed[0].since == 400, "{changed:?}");
    assert!((changed[0].size.unwrap() - 2.0).abs() < 1e-6, "{changed:?}");
}

#[test]
fn the_next_alarm_begins_after_the_last_one() {
    let mut random = Random::of_series("lasting", 0, 4);
    let values: Vec<f64> = (0..900).map(|i| lognormal(&mut random) * if i < 500 { 1.0 } else { 2.0 }).collect();
    let found = alarms(settings(1000.0, 200), values);
    assert!(found.len() > 3, "without learning again, a lasting change raises alarms again: {found:?}");
    assert!(found.windows(2).all(|pair| pair[1].since > pair[0].at), "{found:?}");
}

#[test]
fn values_that_can_be_negative_have_differences() {
    let mut random = Random::of_series("linear", 0, 2);
    let values = (0..700).map(|i| random.normal() + if i < 500 { 0.0 } else { 3.0 });
    let first = alarms(Settings { scale: Scale::Linear, ..settings(10_000.0, 200) }, values.collect::<Vec<_>>())[0];
    assert!(first.at >= 500 && first.interval.is_some_and(|(lower, upper)| lower < 3.0 && 3.0 < upper), "{first:?}");
}

#[test]
fn what_cannot_be_judged_is_an_error_and_changes_nothing() {
    let mut detector = Detector::new(settings(1000.0, 30)).unwrap();
    let before = detector.clone();
    assert_eq!(detector.push(f64::INFINITY, &[]), Err(Error::NonFinite { index: 0, value: f64::INFINITY }));
    let error = detector.push(0.3, &[12.0]).unwrap_err();
    assert!(error.to_string().contains("token counts"), "{error}");
    assert_eq!(detector, before);
    for learn in [19, 2049] {
        assert!(Detector::new(settings(1000.0, learn)).unwrap_err().to_string().contains("20 to 2048"));
    }
    assert!(Detector::new(Settings { columns: 9, ..Settings::default() }).is_err());
    // Gaps count, but they are neither learned nor judged.
    for gap in [f64::NAN, 0.0, -1.0] {
        assert_eq!(detector.push(gap, &[]).unwrap().learning.unwrap().values, 0);
    }
    assert_eq!(detector.pushed(), 3);
}

#[test]
fn after_learning_again_the_new_level_is_normal() {
    let mut detector = Detector::new(settings(1000.0, 100)).unwrap();
    let mut random = Random::of_series("again", 0, 0);
    (0..400).for_each(|_| {
        detector.push(lognormal(&mut random), &[]).unwrap();
    });
    detector.relearn();
    assert!(detector.learning().is_some() && detector.pushed() == 400);
    let raised: usize =
        (0..500).map(|_| usize::from(detector.push(2.0 * lognormal(&mut random), &[]).unwrap().alarm.is_some())).sum();
    assert!(raised <= 2, "{raised}");
}

/// Alarms about failures.
fn outages(values: f64, learn: usize, requests: impl IntoIterator<Item = bool>) -> Vec<FailureAlarm> {
    let mut detector = FailureDetector::new(FalseAlarmRate::one_in(values).unwrap(), learn).unwrap();
    requests.into_iter().filter_map(|failed| detector.push(failed).alarm).collect()
}

#[test]
fn the_rate_of_false_alarms_about_failures_is_kept() {
    const REQUESTS: usize = 20_000;
    for (share, mean) in [(0.001, 1.0), (0.01, 1.0), (0.05, 1.0), (0.01, 5.0), (0.01, 20.0)] {
        let raised: usize = (0..40)
            .map(|series| {
                let mut random = Random::of_series("failures", 0, series);
                let failed = if mean > 1.0 {
                    random.bursts(REQUESTS, share, mean)
                } else {
                    (0..REQUESTS).map(|_| random.chance(share)).collect()
                };
                outages(1000.0, 1_000, failed).len()
            })
            .sum();
        let (lower, _) = bounds(raised, 40 * (REQUESTS - 1_000));
        assert!(lower <= 1.0 / 1000.0, "{share} in bursts of {mean}: {raised}");
    }
}

#[test]
fn an_outage_raises_one_alarm_and_the_next_one_another() {
    let quiet = |n: usize| vec![false; n];
    let requests = [quiet(1_500), vec![true; 200], quiet(300), vec![true; 15], quiet(100)].concat();
    let found = outages(4_000_000.0, 1_000, requests);
    assert_eq!(found.iter().map(|alarm| alarm.since).collect::<Vec<_>>(), [1_500, 2_000]);
    // Three failures raise an alarm where none of 1,000 requests failed.
    assert!(found.iter().all(|alarm| alarm.at - alarm.since < 4 && alarm.failed == alarm.of), "{found:?}");
    assert!(found[0].share_before < 0.001);
    assert_eq!(outages(100_000.0, 500, quiet(20_000)), [], "answers alone raise no alarm");
}

#[test]
fn more_failures_than_before_are_found_and_answers_end_the_incident() {
    let mut detector = FailureDetector::new(FalseAlarmRate::one_in(1000.0).unwrap(), 1_000).unwrap();
    let mut random = Random::of_series("more failures", 0, 1);
    for _ in 0..3_000 {
        detector.push(random.chance(0.01));
    }
    let needed = detector.failures_to_alarm().unwrap();
    assert!((1..=4).contains(&needed), "{needed}");
    let found = (0..400).find_map(|_| detector.push(random.chance(0.3)).alarm).unwrap();
    assert!(found.at < 3_060 && (0.005..0.02).contains(&found.share_before), "{found:?}");
    assert_eq!(detector.failures_to_alarm(), None);
    let ends = (0..100).position(|_| !detector.push(false).incident).unwrap();
    assert_eq!(ends, 24);
}

#[test]
fn bursts_that_are_taken_as_usual_raise_fewer_alarms() {
    let of_series = |series: usize, relearn: bool| {
        let mut detector = FailureDetector::new(FalseAlarmRate::one_in(100_000.0).unwrap(), 1_000).unwrap();
        if relearn {
            detector.relearn();
        }
        let failed = Random::of_series("bursts", 0, series).bursts(100_000, 0.01, 5.0);
        failed.into_iter().filter(|&failed| detector.push(failed).alarm.is_some()).count()
    };
    let count = |relearn| (0..12).map(|series| of_series(series, relearn)).sum::<usize>();
    let (before, after) = (count(false), count(true));
    assert!(before > 10 && after * 5 < before, "{before} and {after}");
}

#[test]
fn a_detector_of_failures_that_is_read_back_is_the_same() {
    let of = || FailureDetector::new(FalseAlarmRate::one_in(1000.0).unwrap(), 50).unwrap();
    let (mut whole, mut restarted) = (of(), of());
    let failed = Random::of_series("restart of failures", 0, 0).bursts(3_000, 0.05, 4.0);
    for failed in failed {
        assert_eq!(whole.push(failed), restarted.push(failed));
        restarted = serde_json::from_str(&serde_json::to_string(&restarted).unwrap()).unwrap();
    }
    assert_eq!(whole, restarted);
    let state = serde_json::to_value(&whole).unwrap();
    for path in numbers(&state, String::new()) {
        for wrong in [Value::from(-1), Value::from(0), Value::from(1e300), Value::from(u64::MAX)] {
            let mut damaged = state.clone();
            *damaged.pointer_mut(&path).unwrap() = wrong;
            if let Ok(mut read) = serde_json::from_value::<FailureDetector>(damaged) {
                assert!((0..60).all(|i| read.push(i % 2 == 0).value.is_finite()), "{path}");
            }
        }
    }
}
