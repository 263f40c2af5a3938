//! The place and the size of a change do not depend on how many series share alpha, and agree with its p-value.

use llmscope_core::analysis::answer::Part;
use llmscope_core::analysis::{Answer, LogSource, Observation, Selection, Series, SeriesVerdict};
use llmscope_core::ingest;
use llmscope_core::{Analysis, Error, Measure, Metric, Plan, RuleSet, analyze};

#[path = "noise/xorshift.rs"]
mod xorshift;

use xorshift::Noise;

fn latencies(values: impl IntoIterator<Item = f64>) -> Series {
    let request = |value| Observation { value: Some(value), ..Observation::default() };
    let observations: Vec<Observation> = values.into_iter().map(request).collect();
    let series = Series::of_numbers("ttft_s", Vec::new()).with_observations(observations);
    Series { measure: Measure::Metric(Metric::Ttft), ..series }
}

/// The analysis of a series that shares alpha with others.
fn among(series: &Series, family: usize) -> Analysis {
    analyze(series, &Plan { family, ..Plan::default() }).expect("finite numbers")
}

fn answer(series: &Series) -> Answer {
    among(series, 1).answer
}

/// The clearest change of the level.
fn clearest(answer: &Answer) -> Option<(usize, [usize; 2], f64)> {
    let levels = answer.changes.iter().filter(|change| change.part == Part::Level);
    let clearest = levels.min_by(|a, b| a.p.total_cmp(&b.p))?;
    Some((clearest.since.index, clearest.since.interval, clearest.ratio?))
}

#[test]
fn a_session_alone_and_among_nine_has_the_same_change() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/sessions/second-load.json");
    let file = std::fs::File::open(path).expect("an example session");
    let opened = ingest::open(path, file, None).expect("a session");
    let selection = Selection { measures: vec![Measure::Metric(Metric::Tpot)], ..Selection::default() };
    let selected = selection.gather::<Error>([Ok(LogSource::once(opened))]).expect("a session");
    let alone = answer(&selected.series[0]);
    let (index, interval, ratio) = clearest(&alone).expect("a change");
    assert_eq!(index, 150, "the second client starts there");
    assert!(interval[0] <= 150 && 150 <= interval[1]);
    assert!((2.2..2.4).contains(&ratio), "{ratio}");
    assert!(alone.slow_requests.is_none_or(|slow| slow.index != 150), "{:?}", alone.slow_requests);
    for family in [3, 9, 30] {
        let shared = among(&selected.series[0], family).answer;
        assert_eq!(clearest(&shared), clearest(&alone), "among {family}");
        assert!(shared.slow_requests.is_none_or(|slow| slow.index != 150), "{:?}", shared.slow_requests);
    }
}

#[test]
fn a_change_that_two_shares_find_has_one_place_and_one_size() {
    let mut noise = Noise(11);
    let mut both = 0;
    for _ in 0..60 {
        let level = |i: usize| [0.2, 0.26, 0.23][i / 100];
        let series = latencies((0..300).map(|i| noise.latency(level(i), 0.25)));
        let (alone, shared) = (answer(&series), among(&series, 20).answer);
        for change in &shared.changes {
            let same = alone.changes.iter().find(|other| other.since.index == change.since.index);
            let same = same.unwrap_or_else(|| panic!("{change:?} is not in {:?}", alone.changes));
            assert_eq!((same.ratio, same.before, same.after), (change.ratio, change.before, change.after));
            assert_eq!(same.since, change.since);
            both += 1;
        }
    }
    assert!(both > 30, "{both} changes");
}

#[test]
fn a_slow_request_is_compared_with_its_stage() {
    let mut noise = Noise(5);
    let mut values: Vec<f64> = (0..300).map(|i| noise.latency(if i < 150 { 0.2 } else { 0.4 }, 0.1)).collect();
    values[220] = 2.0;
    let slow = answer(&latencies(values)).slow_requests.expect("a slow request");
    assert_eq!((slow.index, slow.count), (220, 1));
    assert!((0.38..0.42).contains(&slow.median), "{}", slow.median);
}

#[test]
fn the_first_request_of_a_stage_is_not_slow() {
    for first in [0.34, 0.37] {
        let mut noise = Noise(6);
        let mut values: Vec<f64> = (0..300).map(|i| noise.latency(if i < 150 { 0.2 } else { 0.4 }, 0.02)).collect();
        values[150] = first;
        let answer = answer(&latencies(values));
        assert_eq!(answer.since.map(|since| since.index), Some(150));
        assert_eq!(answer.slow_requests, None, "{first}");
    }
}

#[test]
fn the_interval_of_a_found_change_excludes_no_change() {
    let mut noise = Noise(3);
    let mut found = 0;
    for seed in 0..200 {
        let (level, sigma) = if seed % 2 == 0 { (1.12, [0.2, 0.2]) } else { (1.0, [0.1, 0.18]) };
        let value = |i: usize| noise.latency(if i < 150 { 0.2 } else { 0.2 * level }, sigma[usize::from(i >= 150)]);
        let Analysis { verdict, answer, .. } = among(&latencies((0..300).map(value)), 4);
        for change in &answer.changes {
            let ([low, high], ratio) = (change.interval.expect("an interval"), change.ratio.expect("a ratio"));
            assert!(low <= ratio && ratio <= high && (low > 1.0) == (high > 1.0), "{low} to {high} for {ratio}");
            found += 1;
        }
        assert!(verdict != SeriesVerdict::Changed || !answer.changes.is_empty());
        for contradiction in ["(0 to", "(0.0 to", "(1.00 to", "to 1.00)"] {
            assert!(!answer.text.contains(contradiction), "{}", answer.text);
        }
    }
    assert!(found > 100, "{found} changes");
}

#[test]
fn a_plan_without_answers_has_the_same_patterns() {
    let mut noise = Noise(9);
    let series = latencies((0..300).map(|i| noise.latency(if i < 150 { 0.2 } else { 0.4 }, 0.1)));
    let plan = Plan { rules: RuleSet::nelson(), ..Plan::default() };
    let full = analyze(&series, &plan).expect("finite numbers");
    let mut without = analyze(&series, &Plan { answers: false, ..plan.clone() }).expect("finite numbers");
    assert_eq!((without.verdict, &without.answer), (SeriesVerdict::NotEnoughData, &Answer::default()));
    (without.verdict, without.answer) = (full.verdict, full.answer.clone());
    assert_eq!(without, full);
    assert!(analyze(&series, &Plan { answers: false, alpha: 0.7, ..plan }).is_err(), "alpha is checked in any case");
}
