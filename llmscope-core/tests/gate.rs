//! The guarantees of a gate: its false-alarm rate, and consistent decisions.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;

use llmscope_core::analysis::{Measure, Selection, Series};
use llmscope_core::gate::{Comparison, Decision, Gate, GatePlan, GateVerdict, Statistic, certify, gate, preview};
use llmscope_core::stats::{Proportion, special::normal_quantile};
use llmscope_core::{Error, Metric, Objective, ingest};
use proptest::prelude::*;

fn column(name: &str, values: &[f64]) -> Vec<Series> {
    let text = values.iter().fold(format!("{name}\n"), |mut text, value| {
        writeln!(text, "{value}").unwrap();
        text
    });
    let log = ingest::read("run.csv", text.as_bytes(), None).unwrap();
    let measures = vec![name.parse().map_or_else(|_| Measure::Column(name.to_owned()), Measure::Metric)];
    Selection { measures, ..Selection::default() }.series([&log]).unwrap()
}

fn times(values: &[f64]) -> Vec<Series> {
    column("ttft_s", values)
}

fn session(model: &str, records: &[Option<f64>]) -> Vec<Series> {
    let record = |ttft: &Option<f64>| match ttft {
        Some(ttft) => format!(r#"{{"status":"ok","ttft_s":{ttft}}}"#),
        None => r#"{"status":"error"}"#.to_owned(),
    };
    let records = records.iter().map(record).collect::<Vec<_>>().join(",");
    let text = format!(r#"{{"schema":"llmscope.session/1","provider":"p","model":"{model}","records":[{records}]}}"#);
    Selection::default().series([&ingest::read("run.json", text.as_bytes(), None).unwrap()]).unwrap()
}

/// Reproducible normal numbers: SplitMix64 (Steele, Lea & Flood 2014) and the inverse distribution function.
struct Random(u64);

impl Random {
    fn normal(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let high = u32::try_from((x ^ (x >> 31)) >> 32).unwrap();
        normal_quantile((f64::from(high) + 0.5) / (f64::from(u32::MAX) + 1.0)).unwrap()
    }

    /// Lognormal latencies whose logarithms are autocorrelated.
    fn latencies(&mut self, n: usize, rho: f64, factor: f64) -> Vec<f64> {
        let mut z = self.normal();
        let mut next = || {
            z = rho * z + (1.0 - rho * rho).sqrt() * self.normal();
            factor * 0.3 * (0.5 * z).exp()
        };
        (0..n).map(|_| next()).collect()
    }
}

/// A gate whose answer is about the runs that were measured, not about others of the same builds.
fn of_these_runs() -> GatePlan {
    GatePlan { run_sd: Some(0.0), ..GatePlan::default() }
}

/// A log of one run for each set of records: latencies, `None` for a failed request.
fn runs(records: &[Vec<Option<f64>>]) -> Vec<Series> {
    let log = |(run, records): (usize, &Vec<Option<f64>>)| {
        let record = |ttft: &Option<f64>| match ttft {
            Some(ttft) => format!(r#"{{"status":"ok","ttft_s":{ttft}}}"#),
            None => r#"{"status":"timeout"}"#.to_owned(),
        };
        let records = records.iter().map(record).collect::<Vec<_>>().join(",");
        let text = format!(r#"{{"schema":"llmscope.session/1","provider":"p","model":"m","records":[{records}]}}"#);
        ingest::read(&format!("run-{run}.json"), text.as_bytes(), None).unwrap()
    };
    let logs: Vec<_> = records.iter().enumerate().map(log).collect();
    Selection::default().series(&logs).unwrap()
}

fn find(gate: &Gate, statistic: Statistic) -> &Comparison {
    gate.comparisons().map(|(_, comparison)| comparison).find(|c| c.statistic == statistic).unwrap()
}

/// `docs/gate.md` has the whole table; this test runs a fast part of it.
#[test]
fn without_a_change_it_fails_as_often_as_promised() {
    const GATES: u32 = 400;
    let alpha = 0.05;
    for rho in [0.0, 0.6] {
        let mut failed = 0;
        for seed in 0..GATES {
            let mut random = Random(u64::from(seed) << 20 | 17);
            let (one, other) = (times(&random.latencies(200, rho, 1.0)), times(&random.latencies(200, rho, 1.0)));
            let statistics = vec![Statistic::Typical];
            let plan = GatePlan { max_shift: 0.0, alpha, statistics, ..of_these_runs() };
            failed += u32::from(gate(&one, &other, &plan).unwrap().verdict == GateVerdict::Fail);
        }
        // The observed rate is in an interval that excludes one of a thousand such tests on each side.
        let observed = Proportion { share: f64::from(failed) / f64::from(GATES), size: f64::from(GATES) };
        let (low, high) = observed.wilson(0.001).unwrap();
        assert!(low <= alpha && alpha <= high, "ρ {rho}: {failed} of {GATES} failed: [{low}, {high}]");
    }
}

#[test]
fn a_shift_is_seen_and_its_interval_holds_it() {
    let mut random = Random(5);
    let (one, other) = (times(&random.latencies(2000, 0.3, 1.0)), times(&random.latencies(2000, 0.3, 1.2)));
    let answer = gate(&one, &other, &of_these_runs()).unwrap();
    assert_eq!(answer.verdict, GateVerdict::Fail);
    for (_, comparison) in answer.comparisons() {
        let interval = comparison.shift_interval.unwrap();
        assert!(interval.lower.unwrap() <= 0.2 && interval.upper.unwrap() >= 0.2, "{comparison:?}");
    }
    let back = gate(&other, &one, &of_these_runs()).unwrap();
    assert_eq!(back.verdict, GateVerdict::Pass, "{back}");
}

#[test]
fn of_tokens_per_second_less_is_worse() {
    let mut random = Random(6);
    let rate = |values: Vec<f64>| column("output_tokens_per_s", &values);
    let (one, other) = (rate(random.latencies(1000, 0.0, 100.0)), rate(random.latencies(1000, 0.0, 80.0)));
    let answer = gate(&one, &other, &of_these_runs()).unwrap();
    assert_eq!(answer.verdict, GateVerdict::Fail);
    let typical = find(&answer, Statistic::Typical);
    assert!(typical.shift.unwrap() < -0.1 && typical.allowed == -0.05 && typical.minimal_detectable.unwrap() < -0.05);
    assert_eq!(gate(&other, &one, &of_these_runs()).unwrap().verdict, GateVerdict::Pass);
}

#[test]
fn too_few_requests_are_an_answer_of_their_own() {
    let mut random = Random(7);
    let (one, other) = (times(&random.latencies(6, 0.0, 1.0)), times(&random.latencies(6, 0.0, 3.0)));
    let answer = gate(&one, &other, &of_these_runs()).unwrap();
    assert_eq!(answer.verdict, GateVerdict::NotEnoughData);
    assert!(
        answer.comparisons().all(|(_, c)| c.decision == Decision::NotEnoughData && c.need.unwrap() > 6),
        "{answer:?}"
    );
    // 200 requests are too few for a p99 at this level, and the result reports the number that is needed.
    let (one, other) = (times(&random.latencies(200, 0.0, 1.0)), times(&random.latencies(200, 0.0, 1.0)));
    let answer = gate(&one, &other, &of_these_runs()).unwrap();
    let p99 = find(&answer, Statistic::Quantile(0.99));
    assert_eq!(p99.decision, Decision::NotEnoughData);
    assert!((300..2000).contains(&p99.need.unwrap()), "{p99:?}");
}

#[test]
fn a_candidate_that_became_slow_half_way_is_not_excused_by_that() {
    let mut random = Random(8);
    let (one, mut other) = (random.latencies(300, 0.0, 1.0), random.latencies(300, 0.0, 1.0));
    other[150..].iter_mut().for_each(|latency| *latency *= 3.0);
    let answer = gate(&times(&one), &times(&other), &of_these_runs()).unwrap();
    assert_eq!(answer.verdict, GateVerdict::Fail, "{answer}");
    let chart = answer.pairs[0].chart.as_ref().unwrap();
    assert!(chart.signals > 50 && chart.points == 300);
}

#[test]
fn failures_are_compared_apart_from_latencies() {
    let records = |every: usize| {
        (0..400).map(|i| (i % every > 0).then_some(0.3 + f64::from(i as u32 % 7) * 0.01)).collect::<Vec<_>>()
    };
    let answer = gate(&session("m", &records(200)), &session("m", &records(5)), &GatePlan::default()).unwrap();
    let errors = find(&answer, Statistic::ErrorRate);
    assert_eq!((answer.verdict, errors.decision), (GateVerdict::Fail, Decision::Worse));
    assert!((errors.difference.unwrap() - 0.195).abs() < 1e-12);
    let typical = find(&answer, Statistic::Typical);
    assert_ne!(typical.decision, Decision::Worse, "{typical:?}");
    // If all requests failed, there is no latency, and the error rate decides.
    let nothing = gate(&session("m", &records(200)), &session("m", &[None; 100]), &GatePlan::default()).unwrap();
    assert_eq!(find(&nothing, Statistic::ErrorRate).decision, Decision::Worse);
}

/// 200 requests in each of some runs; those of the last run fail where `fails` says so.
fn with_failures(count: usize, fails: impl Fn(usize) -> bool) -> Vec<Series> {
    let mut random = Random(11);
    let run = |random: &mut Random| random.latencies(200, 0.0, 1.0).into_iter().map(Some).collect::<Vec<_>>();
    let mut all: Vec<Vec<Option<f64>>> = (0..count).map(|_| run(&mut random)).collect();
    for run in &mut all {
        run.iter_mut().enumerate().filter(|(i, _)| fails(*i)).for_each(|(_, value)| *value = None);
    }
    runs(&all)
}

#[test]
fn a_burst_of_failures_counts_in_full() {
    for count in [1, 5] {
        let baseline = with_failures(count, |_| false);
        for share in [10, 25, 50, 90] {
            let last = with_failures(count, |i| i >= 200 - 2 * share);
            let answer = gate(&baseline, &last, &GatePlan::default()).unwrap();
            assert_eq!((answer.verdict, answer.failing), (GateVerdict::Fail, true), "the last {share} %: {answer}");
        }
        for (name, fails) in [
            ("every second", Box::new(|i: usize| i.is_multiple_of(2)) as Box<dyn Fn(usize) -> bool>),
            ("15 % at random", Box::new(|i| i * 7919 % 200 < 30)),
        ] {
            let answer = gate(&baseline, &with_failures(count, fails), &GatePlan::default()).unwrap();
            assert_eq!((answer.verdict, answer.failing), (GateVerdict::Fail, true), "{name}: {answer}");
            assert!(answer.headline.contains("timeout"), "{answer}");
        }
        let one = gate(&baseline, &with_failures(count, |i| i == 77), &GatePlan::default()).unwrap();
        let errors = find(&one, Statistic::ErrorRate);
        assert_eq!((errors.decision, one.failing), (Decision::NotWorse, false), "{one}");
    }
    // More failures than allowed that chance explains: no pass.
    let undecided = gate(&with_failures(1, |_| false), &with_failures(1, |i| i < 3), &of_these_runs()).unwrap();
    let errors = find(&undecided, Statistic::ErrorRate);
    assert_eq!((errors.decision, undecided.verdict), (Decision::CannotTell, GateVerdict::NotEnoughData));
    // SciPy 1.17.1: hypergeom(400, 3, 200).sf(2).
    assert!((errors.p.unwrap() - 0.124_060_150_375_939_84).abs() < 1e-9, "{errors:?}");
}

#[test]
fn runs_that_differ_widen_the_interval() {
    let factors = [0.9, 1.1, 0.95, 1.05, 1.0];
    let side = |seed: u64, shift: f64, factors: &[f64]| {
        let mut random = Random(seed);
        let run = |factor: &f64| random.latencies(1000, 0.0, shift * factor).into_iter().map(Some).collect();
        runs(&factors.iter().map(run).collect::<Vec<_>>())
    };
    let typical = |gate: &Gate| find(gate, Statistic::Typical).shift_interval.unwrap();
    let alike = gate(&side(1, 1.0, &[1.0; 5]), &side(2, 1.0, &[1.0; 5]), &GatePlan::default()).unwrap();
    let unlike = gate(&side(1, 1.0, &factors), &side(2, 1.0, &factors), &GatePlan::default()).unwrap();
    let width = |gate: &Gate| typical(gate).upper.unwrap() - typical(gate).lower.unwrap();
    assert!(width(&unlike) > 3.0 * width(&alike), "{alike:?} {unlike:?}");
    let runs = unlike.pairs[0].runs.unwrap();
    // The standard deviation of the factors' logarithms is 0.0793 (NumPy 2.4).
    assert!((runs.sd - 0.079).abs() < 0.02 && !runs.assumed, "{runs:?}");
    assert_eq!((runs.baseline, runs.candidate), (5, 5));
    // One run of the candidate can be decided against five of the baseline.
    let one = gate(&side(1, 1.0, &[1.0; 5]), &side(2, 1.6, &[1.0]), &GatePlan::default()).unwrap();
    assert_eq!(one.verdict, GateVerdict::Fail, "{one}");
    // One run a side: the difference that is assumed decides how far the answer reaches.
    let (slow, fast) = (side(2, 1.2, &[1.0]), side(1, 1.0, &[1.0]));
    let assumed = gate(&fast, &slow, &GatePlan::default()).unwrap();
    assert_eq!(assumed.verdict, GateVerdict::NotEnoughData, "{assumed}");
    assert!(assumed.pairs[0].runs.unwrap().assumed && find(&assumed, Statistic::Typical).need_runs.is_some());
    assert_eq!(gate(&fast, &slow, &of_these_runs()).unwrap().verdict, GateVerdict::Fail);
}

/// Sessions of requests with answers of this many tokens on average, from a server of this speed.
fn answers(seed: u64, tokens: f64, slower: f64) -> Vec<Series> {
    let mut random = Random(seed);
    let record = |_| {
        let count = (tokens * (0.4 * random.normal()).exp()).round().max(1.0);
        let seconds = slower * (0.3 + 0.02 * count) * (0.1 * random.normal()).exp();
        format!(r#"{{"status":"ok","e2e_s":{seconds},"output_tokens":{count}}}"#)
    };
    let records = (0..300).map(record).collect::<Vec<_>>().join(",");
    let text = format!(r#"{{"schema":"llmscope.session/1","provider":"p","model":"m","records":[{records}]}}"#);
    Selection::default().series([&ingest::read("run.json", text.as_bytes(), None).unwrap()]).unwrap()
}

#[test]
fn longer_answers_are_no_slower_server() {
    let baseline = answers(1, 100.0, 1.0);
    let longer = gate(&baseline, &answers(2, 130.0, 1.0), &of_these_runs()).unwrap();
    assert_ne!(longer.verdict, GateVerdict::Fail, "{longer}");
    let load = longer.pairs[0].load.as_ref().unwrap();
    assert_eq!(load.adjusted_for, ["output_tokens"]);
    assert!(load.tokens[0].differs());
    let slower = gate(&baseline, &answers(3, 130.0, 1.2), &of_these_runs()).unwrap();
    assert_eq!(slower.verdict, GateVerdict::Fail, "{slower}");
    let typical = find(&slower, Statistic::Typical).shift_interval.unwrap();
    assert!(typical.lower.unwrap() <= 0.2 && typical.upper.unwrap() >= 0.2, "{typical:?}");
}

#[test]
fn a_load_without_a_known_slope_bounds_the_shift() {
    let fixed = |tokens: u32, seconds: f64| {
        let mut random = Random(3);
        let mut record = |_| {
            let seconds = seconds * (0.1 * random.normal()).exp();
            format!(r#"{{"status":"ok","e2e_s":{seconds},"output_tokens":{tokens}}}"#)
        };
        let records = (0..300).map(&mut record).collect::<Vec<_>>().join(",");
        let text = format!(r#"{{"schema":"llmscope.session/1","provider":"p","model":"m","records":[{records}]}}"#);
        Selection::default().series([&ingest::read("run.json", text.as_bytes(), None).unwrap()]).unwrap()
    };
    // 1.3 times as long with 1.3 times the tokens: the load explains all of it. Twice as long is more than that.
    let explained = gate(&fixed(100, 1.0), &fixed(130, 1.3), &of_these_runs()).unwrap();
    assert_eq!(explained.verdict, GateVerdict::NotEnoughData, "{explained}");
    assert!(explained.pairs[0].warnings.iter().any(|warning| warning.contains("token counts")), "{explained:?}");
    assert_eq!(gate(&fixed(100, 1.0), &fixed(130, 2.0), &of_these_runs()).unwrap().verdict, GateVerdict::Fail);
}

#[test]
fn objectives_of_a_run_are_certified() {
    let plan = |slo: &str| GatePlan { objectives: Objective::list(slo).unwrap(), ..of_these_runs() };
    let series = with_failures(1, |i| i % 10 == 0);
    let missed = certify(&series, &plan("errors=1%")).unwrap();
    assert_eq!((missed.verdict, missed.failing, missed.label()), (GateVerdict::Fail, true, "failing"));
    let met = certify(&series, &plan("ttft.p50=10s")).unwrap();
    assert_eq!((met.verdict, met.label()), (GateVerdict::Pass, "met"), "{met}");
    let unknown = certify(&series, &plan("ttft.p99=2s")).unwrap();
    assert_eq!(unknown.verdict, GateVerdict::NotEnoughData, "{unknown}");
    // A missed objective fails a gate whose comparisons pass.
    let both = gate(&series, &series, &plan("errors=1%")).unwrap();
    assert_eq!((both.verdict, both.certificates.len()), (GateVerdict::Fail, 1), "{both}");
}

#[test]
fn a_preview_says_how_many_runs_decide() {
    let mut random = Random(4);
    let mut run = |factor: f64| random.latencies(500, 0.0, factor).into_iter().map(Some).collect::<Vec<_>>();
    let baseline = runs(&[run(1.0), run(1.02), run(0.98), run(1.0)]);
    let plan = GatePlan { max_shift: 0.1, statistics: vec![Statistic::Typical], ..GatePlan::default() };
    let preview = preview(&baseline, &plan).unwrap();
    let counts: Vec<_> = preview.tables[0].rows.iter().map(|row| row.runs[0]).collect();
    assert!(counts.iter().all(Option::is_some) && counts.is_sorted_by(|a, b| a >= b), "{counts:?}");
    assert!(counts[0] > counts[6], "{counts:?}");
}

#[test]
fn objectives_are_compared_as_shares() {
    let mut random = Random(9);
    let (one, other) = (times(&random.latencies(800, 0.0, 1.0)), times(&random.latencies(800, 0.0, 1.5)));
    let objectives = vec![Objective::Request { metric: Metric::Ttft, limit: 0.5 }];
    let plan = GatePlan { objectives, statistics: vec![Statistic::ErrorRate], ..of_these_runs() };
    let answer = gate(&one, &other, &plan).unwrap();
    let missed = find(&answer, Statistic::MissedObjective);
    assert_eq!(missed.decision, Decision::Worse);
    // P(0.3 exp(0.5 Z) > 0.5) = 0.153 and P(0.45 exp(0.5 Z) > 0.5) = 0.417.
    assert!((missed.baseline.unwrap() - 0.153).abs() < 0.04 && (missed.candidate.unwrap() - 0.417).abs() < 0.05);
}

#[test]
fn groups_are_matched_by_name_and_those_without_a_partner_are_reported() {
    let ok = |n: usize| vec![Some(0.3); n];
    let both: Vec<Series> = session("a", &ok(50)).into_iter().chain(session("b", &ok(50))).collect();
    let answer = gate(&both, &session("a", &ok(50)), &GatePlan::default()).unwrap();
    assert!(
        answer.warnings.iter().any(|warning| warning.contains("model b, provider p is only in the baseline")),
        "{answer:?}"
    );
    assert_eq!(answer.pairs.len(), 2);
    let renamed = gate(&session("a", &ok(50)), &session("z", &ok(50)), &GatePlan::default()).unwrap();
    assert!(renamed.warnings[0].contains("groups with different names are compared"));
    assert!(renamed.pairs[0].candidate_group.is_some());
    let strangers = gate(&both, &session("z", &ok(50)), &GatePlan::default()).unwrap_err();
    assert!(matches!(strangers, Error::Unknown { .. }), "{strangers}");
}

#[test]
fn a_plan_out_of_range_is_refused_with_its_value() {
    let one = times(&[0.1, 0.2]);
    for plan in [
        GatePlan { max_shift: -0.1, ..GatePlan::default() },
        GatePlan { max_shift: f64::NAN, ..GatePlan::default() },
        GatePlan { alpha: 0.0, ..GatePlan::default() },
        GatePlan { alpha: 0.5, ..GatePlan::default() },
        GatePlan { max_share_increase: 1.0, ..GatePlan::default() },
        GatePlan { run_sd: Some(1.0), ..GatePlan::default() },
        GatePlan { objectives: vec![Objective::Request { metric: Metric::Ttft, limit: 0.0 }], ..GatePlan::default() },
    ] {
        assert!(matches!(gate(&one, &one, &plan), Err(Error::Parameter { .. })), "{plan:?}");
    }
}

#[test]
fn statistics_read_back() {
    for name in ["typical", "p50", "p99", "p99.9", "p2.5", "error_rate", "missed_objective"] {
        assert_eq!(name.parse::<Statistic>().unwrap().to_string(), name);
    }
    for name in ["p0", "p100", "p", "q95", "", "pNaN"] {
        assert!(name.parse::<Statistic>().is_err(), "{name}");
    }
}

#[test]
fn the_committed_schema_is_the_one_the_types_give() {
    let committed: serde_json::Value = serde_json::from_str(include_str!("../../docs/gate.schema.json")).unwrap();
    assert_eq!(committed, Gate::json_schema(), "run `make schemas`");
}

/// Constants, ties, tiny and ordinary samples, including zeros and huge values.
fn values() -> impl Strategy<Value = Vec<f64>> {
    let value = prop_oneof![
        4 => 1e-3f64..10.0,
        2 => (1u32..5).prop_map(f64::from),
        1 => Just(0.0),
        1 => prop_oneof![Just(1e60), Just(1e-60), Just(-1.0)],
    ];
    prop_oneof![
        proptest::collection::vec(value, 1..120),
        (1e-3f64..10.0, 1usize..120).prop_map(|(value, n)| vec![value; n]),
        proptest::collection::vec(0.1f64..0.2, 100..300),
    ]
}

fn numbers_of(value: &serde_json::Value, all: &mut Vec<f64>) {
    match value {
        serde_json::Value::Number(number) => all.extend(number.as_f64()),
        serde_json::Value::Array(items) => items.iter().for_each(|item| numbers_of(item, all)),
        serde_json::Value::Object(fields) => fields.values().for_each(|field| numbers_of(field, all)),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn whatever_the_numbers_it_answers_in_finite_ones(one in values(), other in values(), max_shift in 0.0f64..0.5) {
        let plan = GatePlan { max_shift, ..GatePlan::default() };
        let answer = gate(&column("a", &one), &column("a", &other), &plan).unwrap();
        let json = serde_json::to_value(&answer).unwrap();
        let read: Gate = serde_json::from_value(json.clone()).unwrap();
        // A value that is not finite becomes null, which is not read back as the same value.
        prop_assert_eq!(&read, &answer);
        let mut all = Vec::new();
        numbers_of(&json, &mut all);
        prop_assert!(all.iter().all(|number| number.is_finite()));
        for (_, comparison) in answer.comparisons() {
            if let (Some(shift), Some(interval)) = (comparison.shift, comparison.shift_interval) {
                prop_assert!(interval.lower.is_none_or(|lower| lower <= shift + 1e-9 * shift.abs().max(1.0)));
                prop_assert!(interval.upper.is_none_or(|upper| upper >= shift - 1e-9 * shift.abs().max(1.0)));
            }
        }
    }

    #[test]
    fn nothing_is_worse_than_itself(one in values(), max_shift in prop_oneof![Just(0.0), 0.0f64..0.5]) {
        let plan = GatePlan { max_shift, alpha: 0.2, ..GatePlan::default() };
        let answer = gate(&column("a", &one), &column("a", &one), &plan).unwrap();
        prop_assert!(answer.verdict != GateVerdict::Fail, "{}", answer);
    }

    #[test]
    fn another_unit_gives_the_same_answer(seed in 0u64..1000, factor in prop_oneof![Just(1024.0), Just(0.0625)]) {
        let mut random = Random(seed);
        let (one, other) = (random.latencies(150, 0.3, 1.0), random.latencies(150, 0.3, 1.1));
        let scaled = |values: &[f64]| column("a", &values.iter().map(|x| x * factor).collect::<Vec<_>>());
        let plan = GatePlan::default();
        let answer = gate(&column("a", &one), &column("a", &other), &plan).unwrap();
        let again = gate(&scaled(&one), &scaled(&other), &plan).unwrap();
        for ((_, a), (_, b)) in answer.comparisons().zip(again.comparisons()) {
            prop_assert_eq!(a.decision, b.decision);
            prop_assert!((a.shift.unwrap() - b.shift.unwrap()).abs() < 1e-9);
            prop_assert!((a.difference.unwrap() * factor - b.difference.unwrap()).abs() < 1e-9 * factor);
        }
    }
}

#[test]
fn sides_mirror() {
    let (mut equal, mut all) = (0, 0);
    for seed in 0..60 {
        let mut random = Random(seed << 20);
        let (one, other) = (times(&random.latencies(200, 0.0, 1.0)), times(&random.latencies(160, 0.0, 1.1)));
        let plan = GatePlan { statistics: vec![Statistic::Typical, Statistic::Quantile(0.5)], ..GatePlan::default() };
        let (forth, back) = (gate(&one, &other, &plan).unwrap(), gate(&other, &one, &plan).unwrap());
        for ((_, a), (_, b)) in forth.comparisons().zip(back.comparisons()) {
            let inverse = |shift: f64| 1.0 / (1.0 + shift) - 1.0;
            assert!((inverse(a.shift.unwrap()) - b.shift.unwrap()).abs() < 1e-9);
            let (lower, upper) = (a.shift_interval.unwrap().lower.unwrap(), b.shift_interval.unwrap().upper.unwrap());
            // The end towards no change can be nearer, because the candidate's dependence is bounded by the baseline's
            // there. It is at most slightly farther, because effective sizes are rounded down to whole numbers.
            assert!(inverse(lower) <= upper + 0.005, "{lower} {upper}");
            equal += u32::from((inverse(lower) - upper).abs() < 1e-9);
            all += 1;
        }
    }
    assert!(equal * 10 >= all * 8, "{equal} of {all}");
}
