//! Changes of the level: a known change of a published series, the rate of false detections, stages.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use llmscope_core::analysis::{Origin, Series, Stages};
use llmscope_core::stats::{
    CHANGE_POINT_LEVEL, change_points, change_points_at, change_points_given, maximally_selected_p,
};
use llmscope_core::{Analysis, ChartKind, Error, Plan, Sample, Verdict, analyze};
use proptest::prelude::*;

#[allow(dead_code, reason = "other tests use the rest")]
mod golden;

use golden::{assert_close, number, numbers, parsed};

const REFERENCE: &str = include_str!("reference/change_points.json");

/// Normal numbers, as sums of twelve uniform ones of a linear congruential generator.
struct Noise(u64);

impl Noise {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }

    /// An autoregression of the first order, of variance 1.
    fn series(&mut self, count: usize, rho: f64) -> Vec<f64> {
        let mut last = self.normal();
        let mut next = || {
            last = rho * last + (1.0 - rho * rho).sqrt() * self.normal();
            last
        };
        (0..count).map(|_| next()).collect()
    }
}

/// Latencies with a long tail: exp of a normal series, raised in an interval by `by` standard deviations of the series.
fn latencies(noise: &mut Noise, count: usize, raised: std::ops::Range<usize>, by: f64) -> Vec<f64> {
    let shift = |i: usize| if raised.contains(&i) { by } else { 0.0 };
    noise.series(count, 0.0).iter().enumerate().map(|(i, x)| 0.3 * (0.5 * (x + shift(i))).exp()).collect()
}

fn places(values: &[f64]) -> Vec<usize> {
    change_points(&Sample::new(values).unwrap(), 10).iter().map(|change| change.at).collect()
}

fn judged(values: &[f64], plan: &Plan) -> Analysis {
    analyze(&Series::of_numbers("latency", values.to_vec()), plan).unwrap()
}

fn automatic() -> Plan {
    Plan { stages: Stages::Auto, ..Plan::default() }
}

#[test]
fn the_nile_changes_where_it_is_known_to() {
    let nile = &parsed(REFERENCE)["nile"];
    let found = change_points(&Sample::new(numbers(&nile["volume"])).unwrap(), 10);
    let year = |at: usize| nile["first_year"].as_u64().unwrap() + at as u64;
    assert_eq!(found.iter().map(|change| year(change.at)).collect::<Vec<_>>(), [nile["change_year"].as_u64().unwrap()]);
    let inflation = number(&nile["inflation"]);
    assert_close("z of independent values", found[0].z * inflation.sqrt(), &nile["z"], 1e-12);
    assert!(found[0].p < 1e-4, "{}", found[0].p);
}

#[test]
fn the_largest_of_many_has_the_probability_of_a_simulated_one() {
    let reference = parsed(REFERENCE);
    let quantiles = reference["bridge"].as_array().unwrap();
    assert_eq!(quantiles.len(), 9);
    for case in quantiles {
        let p = maximally_selected_p(number(&case["quantile"]), number(&case["share"]));
        let ratio = p / number(&case["upper"]);
        // The simulated path has steps, and leaves the boundary slightly less often than the bridge.
        assert!((0.97..1.2).contains(&ratio), "{case}: {p}");
    }
}

#[test]
fn a_probability_is_one_whatever_it_is_asked_of() {
    for b in [f64::NEG_INFINITY, 0.0, 1.0, 2.0, 40.0, 1e300, f64::INFINITY, f64::NAN] {
        for share in [f64::NAN, 0.0, 1e-300, 0.3, 0.5, 0.9, 1.0, 2.0] {
            let p = maximally_selected_p(b, share);
            assert!((0.0..=1.0).contains(&p), "{b}, {share}: {p}");
        }
    }
}

#[test]
fn where_nothing_changes_nothing_is_found() {
    for (rho, series) in [(0.0, 400), (0.5, 400), (0.9, 200)] {
        let mut noise = Noise(7);
        let mut false_alarms = 0;
        for _ in 0..series {
            let values: Vec<f64> = noise.series(200, rho).iter().map(|x| x.exp()).collect();
            false_alarms += usize::from(!places(&values).is_empty());
        }
        let share = false_alarms as f64 / f64::from(series);
        assert!(share <= CHANGE_POINT_LEVEL, "correlation {rho}: {share}");
    }
}

/// A reduced `examples/change_points.rs`: the rate of false detections is at most the level, also in short series, with
/// heavy tails and with two modes.
#[test]
fn false_detections_are_at_most_as_frequent_as_the_level() {
    type Process = fn(&mut Noise, usize) -> Vec<f64>;
    let processes: [(&str, Process); 6] = [
        ("normal", |noise, n| noise.series(n, 0.0)),
        ("AR(1) 0.3", |noise, n| noise.series(n, 0.3)),
        ("AR(1) 0.6", |noise, n| noise.series(n, 0.6)),
        ("AR(1) 0.9", |noise, n| noise.series(n, 0.9)),
        ("t2", |noise, n| (0..n).map(|_| noise.normal() / (-(1.0 - noise.uniform()).ln()).sqrt().max(1e-9)).collect()),
        ("cache", |noise, n| {
            let base = |miss: bool| if miss { 200.0 } else { 40.0 };
            (0..n).map(|_| base(noise.uniform() < 0.2) * (0.15 * noise.normal()).exp()).collect()
        }),
    ];
    let mut shares = Vec::new();
    for (name, process) in processes {
        for (n, series) in [(30, 400), (50, 400), (100, 400), (300, 300)] {
            let mut noise = Noise(n as u64);
            let found = (0..series).filter(|_| !places(&process(&mut noise, n)).is_empty()).count();
            let (share, level) = (found as f64 / f64::from(series), CHANGE_POINT_LEVEL);
            let deviation = (level * (1.0 - level) / f64::from(series)).sqrt();
            assert!(share <= level + 3.29 * deviation, "{name}, {n} values: {share}");
            shares.push(share);
        }
    }
    assert!(shares.iter().sum::<f64>() / shares.len() as f64 <= CHANGE_POINT_LEVEL, "{shares:?}");
}

/// An incident does not hide others, and each is found where it begins and ends, at a stricter level as well.
#[test]
#[allow(clippy::cast_sign_loss, reason = "random offsets are positive")]
fn incidents_do_not_hide_each_other() {
    for (n, level, least) in
        [(193, CHANGE_POINT_LEVEL, 98), (300, CHANGE_POINT_LEVEL, 98), (193, 0.01, 96), (300, 0.01, 98)]
    {
        for incidents in 1..=3_usize {
            let mut noise = Noise(17);
            let complete = (0..100).filter(|_| {
                let free = n - 20 * (2 * incidents + 1);
                let mut offsets: Vec<usize> =
                    (0..incidents).map(|_| (noise.uniform() * (free + 1) as f64) as usize).collect();
                offsets.sort_unstable();
                let mut values = noise.series(n, 0.0);
                let mut expected = Vec::new();
                for (i, offset) in offsets.iter().enumerate() {
                    let start = offset + 20 * (2 * i + 1);
                    values[start..start + 20].iter_mut().for_each(|x| *x += 8.0);
                    expected.extend([start, start + 20]);
                }
                let found = change_points_at(&Sample::new(values).unwrap(), 10, level);
                expected.iter().all(|at| found.iter().any(|found| found.at.abs_diff(*at) <= 3))
            });
            let complete = complete.count();
            assert!(
                complete >= least,
                "{incidents} incidents in {n} values, level {level}: all found in {complete} of 100 series"
            );
        }
    }
}

/// A known V replaces the estimate, and a larger one hides more changes.
#[test]
fn a_known_dependence_is_used() {
    let mut noise = Noise(29);
    let (mut alarms, mut found) = ([0, 0], [0, 0]);
    for _ in 0..200 {
        let stable = noise.series(300, 0.6);
        let raised: Vec<f64> = stable.iter().enumerate().map(|(i, x)| x + if i < 150 { 0.0 } else { 2.0 }).collect();
        let count = |values: &[f64], inflation: f64| {
            usize::from(!change_points_given(&Sample::new(values).unwrap(), 10, 0.05, inflation).is_empty())
        };
        // V of the first-order autoregression, and that of independent values.
        for (i, inflation) in [4.0, 1.0].into_iter().enumerate() {
            alarms[i] += count(&stable, inflation);
            found[i] += count(&raised, inflation);
        }
    }
    assert!(alarms[0] <= 10 && found[0] >= 180, "V known: {alarms:?}, {found:?}");
    assert!(alarms[1] >= 100, "V ignored: {alarms:?}");
}

#[test]
fn a_stricter_level_finds_fewer_changes() {
    let values = latencies(&mut Noise(23), 300, 150..300, 0.9);
    let sample = Sample::new(values.as_slice()).unwrap();
    let found = |level: f64| change_points_at(&sample, 10, level).len();
    assert_eq!(change_points_at(&sample, 10, CHANGE_POINT_LEVEL), change_points(&sample, 10));
    assert!(found(0.05) >= 1);
    assert_eq!((found(1e-12), found(0.0), found(f64::NAN)), (0, 0, 0));
}

#[test]
fn clear_changes_are_found_where_they_are() {
    let mut noise = Noise(11);
    for (raised, by) in [(300..1000, 1.0), (600..640, 2.5), (0..30, 2.0), (985..1000, 3.0)] {
        let values = latencies(&mut noise, 1000, raised.clone(), by);
        let expected: Vec<usize> =
            [raised.start, raised.end].into_iter().filter(|at| ![0, 1000].contains(at)).collect();
        let found = places(&values);
        assert_eq!(found.len(), expected.len(), "{raised:?}: {found:?}");
        for (found, expected) in found.iter().zip(&expected) {
            assert!(found.abs_diff(*expected) <= 6, "{raised:?}: {found}");
        }
    }
}

/// Intervals between two changes that are too short for a search interval are searched, too. A missed change there
/// would count as dependence and hide the others.
#[test]
fn many_changes_are_all_found() {
    let level = |i: usize| if (i / 50).is_multiple_of(2) { 0.0 } else { 7.0 };
    let values: Vec<f64> = Noise(13).series(100_000, 0.0).iter().enumerate().map(|(i, x)| x + level(i)).collect();
    let found = places(&values);
    assert_eq!(found.len(), 1999);
    assert!(found.iter().enumerate().all(|(i, at)| at.abs_diff(50 * (i + 1)) <= 5));
}

#[test]
fn equal_values_and_short_series_do_not_change() {
    assert!(places(&[2.5; 100]).is_empty());
    assert!(places(&[]).is_empty());
    let steps: Vec<f64> = (0..19).map(|i| f64::from(i / 10)).collect();
    assert!(places(&steps).is_empty());
    // Two levels and ties, nothing else.
    let steps: Vec<f64> = (0..40).map(|i| f64::from(i / 20)).collect();
    assert_eq!(places(&steps), [20]);
}

/// A series with a change of the level has stages with separate limits; the change is a signal.
#[test]
fn an_analysis_finds_its_stages() {
    let values = latencies(&mut Noise(5), 120, 70..120, 3.0);
    let analysis = judged(&values, &automatic());
    let at = analysis.stages[1].first;
    assert!(at.abs_diff(70) <= 3, "{at}");
    assert_eq!(
        analysis.stages.iter().map(|stage| (stage.first, stage.last)).collect::<Vec<_>>(),
        [(0, at - 1), (at, 119)]
    );
    let told = judged(&values, &Plan { stages: Stages::At(vec![at]), ..Plan::default() });
    assert_eq!((&analysis.limits, &analysis.patterns.violations), (&told.limits, &told.patterns.violations));
    assert_eq!(analysis.autocorrelation, told.autocorrelation);
    assert_eq!((analysis.stages[1].mean, told.stages[1].p), (told.stages[1].mean, None));
    assert_eq!(analysis.patterns.verdict, Verdict::OutOfControl);
    assert!(analysis.stages[1].p.unwrap() < 1e-6);
    assert!(analysis.warnings.iter().any(|warning| warning.contains("the level changes")), "{:?}", analysis.warnings);
    let facts = analysis.facts();
    let (_, words) = facts.iter().find(|(name, _)| *name == "stages").unwrap();
    assert!(words.contains(&format!("; from {at} on ")) && words.ends_with("p < 0.001)"), "{words}");
    assert_eq!((analysis.baseline(), analysis.capability), (None, None));
}

/// Without a detected change, the result equals that without stages, except that it reports the single stage.
#[test]
fn one_stage_is_the_analysis_without_stages() {
    let values = Noise(3).series(60, 0.0);
    let (mut automatic, plain) = (judged(&values, &automatic()), judged(&values, &Plan::default()));
    assert_eq!(automatic.stages.len(), 1);
    assert_eq!((automatic.stages[0].last, automatic.stages[0].p), (59, None));
    assert_eq!(
        automatic.facts().iter().find(|(name, _)| *name == "stages").unwrap().1,
        "one: no change of the level was found"
    );
    automatic.stages.clear();
    assert_eq!(automatic, plain);
    assert!(plain.baseline().is_some());
}

#[test]
fn counts_and_subgroups_have_stages_too() {
    let counts: Vec<f64> = (0..60).map(|i| f64::from(i % 3) + if i < 30 { 4.0 } else { 12.0 }).collect();
    let counted = judged(&counts, &Plan { chart: Some(ChartKind::C), ..automatic() });
    assert_eq!(counted.stages[1].first, 30);
    assert_eq!((counted.stages[0].mean, counted.stages[1].mean), (5.0, 13.0));
    let subgroups = Some(llmscope_core::analysis::Grouping::Every(4));
    let values: Vec<f64> = (0..200).map(|i| f64::from(i * 7 % 5) + if i < 120 { 0.0 } else { 9.0 }).collect();
    let grouped = judged(&values, &Plan { subgroups, ..automatic() });
    assert_eq!(grouped.stages[1].first, 30);
}

#[test]
fn stages_need_limits_from_the_data() {
    let values = Noise(3).series(60, 0.0);
    for stages in [Stages::Auto, Stages::At(vec![30])] {
        for origin in [Origin::FirstPoints(0..30), Origin::Given { center: 0.0, sigma: Some(1.0) }] {
            let plan = Plan { stages: stages.clone(), origin, ..Plan::default() };
            let refused = analyze(&Series::of_numbers("latency", values.clone()), &plan);
            assert!(matches!(refused, Err(Error::Parameter { name: "stages", .. })), "{refused:?}");
        }
    }
    assert_eq!("150, 300".parse::<Stages>().unwrap(), Stages::At(vec![150, 300]));
    assert_eq!("auto".parse::<Stages>().unwrap().to_string(), "auto");
    assert!(matches!("1,x".parse::<Stages>(), Err(Error::Parameter { name: "stages", .. })));
}

fn levels() -> impl Strategy<Value = Vec<f64>> {
    let stretch = (prop_oneof![Just(0.0), Just(1.0), Just(3.0), Just(50.0)], 1_usize..60);
    (prop::collection::vec(stretch, 1..6), any::<u64>()).prop_map(|(stretches, seed)| {
        let mut noise = Noise(seed);
        stretches
            .into_iter()
            .flat_map(|(level, count)| noise.series(count, 0.0).into_iter().map(move |x| x + level))
            .collect()
    })
}

proptest! {
    #[test]
    fn whatever_keeps_the_order_keeps_the_changes(values in levels()) {
        let found = places(&values);
        let unit: Vec<f64> = values.iter().map(|x| (x / 8.0).exp()).collect();
        prop_assert_eq!(&places(&unit), &found);
        let turned: Vec<f64> = values.iter().map(|x| -x).collect();
        prop_assert_eq!(&places(&turned), &found);
    }

    #[test]
    fn stages_are_long_enough_and_told_with_numbers(values in levels(), fewest in 1_usize..30) {
        let found = change_points(&Sample::new(values.as_slice()).unwrap(), fewest);
        let bounds: Vec<usize> = [0].into_iter().chain(found.iter().map(|c| c.at)).chain([values.len()]).collect();
        prop_assert!(found.is_empty() || bounds.windows(2).all(|bound| bound[1] - bound[0] >= fewest), "{:?}", bounds);
        for change in found {
            prop_assert!(change.z.is_finite() && (0.0..=CHANGE_POINT_LEVEL).contains(&change.p), "{:?}", change);
        }
    }
}
