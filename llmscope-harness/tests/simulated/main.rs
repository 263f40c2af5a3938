//! Runs against the simulated vendor: which requests are sent, in which order, and what is reported.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

mod settings;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::{Duration, Instant};

use llmscope_core::Objective;
use llmscope_core::session::{AttributeValue, RequestRecord, RunEvent, Status};
use llmscope_harness::vendor::Simulation;
use llmscope_harness::workload::{Conversation, Turn, Workload};
use llmscope_harness::{
    Arrival, Bench, FindLoad, FoundLoad, Load, LoadStage, LoadVerdict, Next, Plan, Target, TargetOptions, Update,
    VendorKind,
};

const SHORT: Simulation = Simulation {
    ttft_s: 0.004,
    tpot_s: 0.0005,
    spread: 0.1,
    output_tokens: 4,
    failures: 0.0,
    rate_limited: 0.0,
    shift: None,
    servers: 0,
    seed: 0,
};

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn bench(workload: Workload, plan: Plan, simulation: Simulation) -> Bench {
    let options = TargetOptions { model: Some("m".to_owned()), ..TargetOptions::default() };
    let target = Target::new(VendorKind::Simulated, options).unwrap();
    Bench::new(target, workload, plan, simulation).unwrap()
}

#[derive(Default)]
struct Report {
    records: Vec<RequestRecord>,
    stages: Vec<LoadStage>,
    ended_steps: usize,
    found: Option<Box<FoundLoad>>,
    events: Vec<RunEvent>,
    samples: usize,
    took: Duration,
}

fn run(workload: Workload, plan: Plan, simulation: Simulation) -> Report {
    let started = Instant::now();
    let handle = bench(workload, plan, simulation).start().unwrap();
    let mut report = Report::default();
    loop {
        assert!(started.elapsed() < Duration::from_secs(60), "the run hangs");
        match handle.next(ms(100)) {
            Next::Update(Update::Request(record)) => report.records.push(*record),
            Next::Update(Update::Stage(stage)) => report.stages.push(stage),
            Next::Update(Update::LoadFound(found)) => report.found = Some(found),
            Next::Update(Update::StepEnded(_)) => report.ended_steps += 1,
            Next::Update(Update::Event(event)) => report.events.push(event),
            Next::Update(Update::Sample(_)) => report.samples += 1,
            Next::Update(Update::Health(_)) | Next::Idle => {}
            Next::Finished => break,
        }
    }
    handle.join().unwrap();
    report.took = started.elapsed();
    report
}

/// Conversations of `turns` turns, each with its own label.
fn labelled(conversations: usize, turns: usize) -> Workload {
    let turn = |text: String| Turn { text, output_tokens: None };
    let conversation = |number: usize| Conversation {
        system: None,
        turns: (0..turns).map(|index| turn(format!("{number}.{index}"))).collect(),
        label: Some(number.to_string()),
    };
    let conversations = (0..conversations).map(conversation).collect();
    Workload { name: "labelled".to_owned(), conversations, ..Workload::default() }
}

fn requests(requests: u64) -> Plan {
    Plan { requests: Some(requests), ..Plan::default() }
}

fn closed(concurrency: &[usize], mut plan: Plan) -> Plan {
    plan.load = Load::Closed { concurrency: concurrency.to_vec() };
    plan
}

fn number(record: &RequestRecord, name: &str) -> Option<f64> {
    match record.attributes.get(name)? {
        AttributeValue::Number(number) => Some(*number),
        other => panic!("{name} is {other:?}"),
    }
}

fn label(record: &RequestRecord) -> String {
    record.attributes["label"].label()
}

#[test]
fn every_request_is_one_record() {
    let report = run(labelled(7, 1), closed(&[4], requests(50)), SHORT);
    assert_eq!((report.records.len(), report.stages.len()), (50, 1));
    assert_eq!(report.events, []);
    for record in &report.records {
        assert_eq!((record.status, &record.error, record.warmup), (Status::Ok, &None, false));
        assert_eq!((record.input_tokens, record.output_tokens), (Some(1), Some(4)));
        assert!(record.tpot_s.unwrap() > 0.0 && record.ttft_s.unwrap() < record.e2e_s.unwrap());
        assert_eq!(number(record, "concurrency"), None, "one load needs no label");
    }
    // Seven complete passes, and one more request.
    let mut counts = BTreeMap::new();
    report.records.iter().for_each(|record| *counts.entry(label(record)).or_insert(0) += 1);
    assert!(counts.len() == 7 && counts.values().all(|count| [7, 8].contains(count)), "{counts:?}");
}

#[test]
fn the_simulated_times_are_measured() {
    let slow = Simulation { ttft_s: 0.05, tpot_s: 0.01, spread: 0.0, ..SHORT };
    for record in run(labelled(1, 1), requests(5), slow).records {
        // The simulated times are due times, and nothing is read before it is due.
        let (ttft_s, e2e_s) = (record.ttft_s.unwrap(), record.e2e_s.unwrap());
        assert!(ttft_s >= 0.0499 && e2e_s >= 0.0799, "{record:?}");
        assert!((record.tpot_s.unwrap() - 0.01).abs() < 1e-6 && record.icl_s.len() == 3, "{record:?}");
    }
}

#[test]
fn warm_up_requests_are_marked() {
    let report = run(labelled(3, 1), Plan { warmup: 5, ..closed(&[2], requests(10)) }, SHORT);
    let warm = report.records.iter().filter(|record| record.warmup).count();
    assert_eq!((report.records.len(), warm), (15, 5));
    assert!(report.records[..5].iter().all(|record| record.warmup), "warm-up requests come first");
    assert_eq!(report.stages.iter().map(|stage| stage.warmup).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn the_seed_decides_the_order() {
    let order = |seed, concurrency| {
        let plan = Plan { seed, ..closed(&[concurrency], requests(60)) };
        let mut records = run(labelled(20, 1), plan, SHORT).records;
        records.sort_by_key(|record| record.started_at);
        records.iter().map(label).collect::<Vec<_>>()
    };
    let once = order(1, 1);
    assert_eq!(once, order(1, 1));
    assert_ne!(once, order(2, 1));
    // With any number of clients, each pass has every conversation once.
    let (mut alone, mut together) = (once[..40].to_vec(), order(1, 3)[..40].to_vec());
    alone.sort_unstable();
    together.sort_unstable();
    assert_eq!(alone, together);
}

#[test]
fn a_sweep_labels_its_steps() {
    let report = run(labelled(3, 1), Plan { warmup: 2, ..closed(&[1, 2, 4], requests(8)) }, SHORT);
    let step = |clients: &str| (Some(clients.to_owned()), 8);
    let mut counts = BTreeMap::new();
    for record in &report.records {
        *counts.entry(record.attributes.get("concurrency").map(AttributeValue::label)).or_insert(0) += 1;
    }
    assert_eq!(counts, BTreeMap::from([(None, 2), step("1"), step("2"), step("4")]));
    assert_eq!(report.stages.len(), 4);
}

#[test]
fn rates_are_steps_in_turn() {
    let load = Load::Open { rates_per_s: vec![200.0, 400.0], arrival: Arrival::Constant };
    let report = run(labelled(3, 1), Plan { load, ..requests(6) }, SHORT);
    let step = |name: &str| AttributeValue::Text(name.to_owned());
    let found =
        report.records.iter().map(|record| (record.attributes["load_step"].clone(), number(record, "rate_per_s")));
    let found: Vec<_> = found.collect();
    assert_eq!(found[..6], vec![(step("200/s"), Some(200.0)); 6]);
    assert_eq!(found[6..], vec![(step("400/s"), Some(400.0)); 6]);
    assert_eq!(report.ended_steps, 2);
}

#[test]
fn servers_have_a_queue() {
    let simulation = Simulation { ttft_s: 0.02, tpot_s: 0.0, spread: 0.0, output_tokens: 1, servers: 2, ..SHORT };
    let plan = Plan { think: Duration::ZERO, ..closed(&[6], requests(12)) };
    let mut ttft_s: Vec<f64> = run(labelled(3, 1), plan, simulation).records.iter().filter_map(|r| r.ttft_s).collect();
    ttft_s.sort_by(f64::total_cmp);
    // Six clients at two servers: at first 20, 40 and 60 ms, later 60 ms.
    assert!(ttft_s[0] >= 0.019 && ttft_s[2] >= 0.038 && ttft_s[5] >= 0.055, "{ttft_s:?}");
}

#[test]
fn a_search_finds_a_load_below_the_capacity() {
    // Two servers with 4 ms: 500 requests a second.
    let simulation = Simulation { ttft_s: 0.004, tpot_s: 0.0, spread: 0.0, output_tokens: 1, servers: 2, ..SHORT };
    let objectives = Objective::list("ttft.p90=100ms").unwrap();
    let load = Load::Find(FindLoad { objectives, alpha: 0.05, first_per_s: 200.0, arrival: Arrival::Poisson });
    let report = run(labelled(3, 1), Plan { load, ..requests(800) }, simulation);
    let found = report.found.unwrap();
    let highest = found.highest_per_s.unwrap_or_else(|| panic!("{found:?}"));
    assert!((200.0..600.0).contains(&highest), "{found:?}");
    assert!(found.tested.iter().any(|load| load.verdict != LoadVerdict::Keeps), "{found:?}");
    assert_eq!((report.ended_steps, report.stages.len()), (found.tested.len(), found.tested.len()));
    let of_highest = LoadStage { rate_per_s: Some(highest), ..report.stages[0].clone() }.load();
    let step = AttributeValue::Text(of_highest);
    assert_eq!(report.records.iter().filter(|record| record.attributes["load_step"] == step).count(), 800);
}

#[test]
fn the_turns_of_a_conversation_are_requests() {
    let plan = closed(&[3], requests(12));
    let records = run(labelled(4, 3), plan, SHORT).records;
    assert_eq!(records.len(), 12);
    let mut turns: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for record in &records {
        let conversation = record.attributes["conversation"].label();
        turns.entry(conversation).or_default().push(number(record, "turn").unwrap());
    }
    assert!(turns.values().all(|turns| (1..=turns.len()).map(|turn| turn as f64).eq(turns.iter().copied())));
    // Each request repeats the conversation so far, including the four words of each response.
    for record in &records {
        let turn = number(record, "turn").unwrap();
        assert_eq!(record.input_tokens.unwrap() as f64, turn + 4.0 * (turn - 1.0), "{record:?}");
    }
}

#[test]
fn the_token_limit_of_a_turn_is_used() {
    let mut workload = labelled(2, 1);
    workload.conversations[0].turns[0].output_tokens = Some(9);
    let records = run(workload, Plan { output_tokens: Some(2), ..requests(2) }, SHORT).records;
    let tokens: BTreeMap<_, _> = records.iter().map(|record| (label(record), record.output_tokens.unwrap())).collect();
    assert_eq!(tokens, BTreeMap::from([("0".to_owned(), 9), ("1".to_owned(), 2)]));
}

#[test]
fn a_trace_can_be_sped_up() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    for tenth in 0..10 {
        writeln!(file, r#"{{"at_s": {}, "input_tokens": 20, "output_tokens": {}}}"#, tenth, tenth + 1).unwrap();
    }
    let workload = Workload::read_trace(file.path(), 1).unwrap();
    let plan = Plan { load: Load::Replay { speed: 10.0 }, ..Plan::default() };
    let mut report = run(workload, plan, SHORT);
    report.records.sort_by_key(|record| record.started_at);
    assert!(report.took >= ms(900), "{:?}", report.took);
    let tokens: Vec<_> = report.records.iter().map(|record| record.output_tokens.unwrap()).collect();
    assert_eq!(tokens, (1..=10).collect::<Vec<_>>(), "in the order of the trace");
    let began = report.records[0].started_at.unwrap();
    for (number, record) in report.records.iter().enumerate() {
        let issued_s = record.started_at.unwrap().duration_since(began).as_secs_f64();
        let (delay_s, first_s) = (record.sched_delay_s.unwrap(), report.records[0].sched_delay_s.unwrap());
        assert!((issued_s + first_s - delay_s - number as f64 / 10.0).abs() < 0.005, "{record:?}");
    }
}

#[test]
fn a_trace_ends_with_the_number_of_requests() {
    let workload = Workload { arrivals_s: Some(vec![0.0, 0.01, 0.02, 0.03]), ..labelled(4, 1) };
    let plan = Plan { load: Load::Replay { speed: 1.0 }, ..requests(3) };
    let labels: Vec<_> = run(workload.clone(), plan.clone(), SHORT).records.iter().map(label).collect();
    assert_eq!(labels.len(), 3);
    let plan = Plan { duration: Some(ms(15)), requests: None, ..plan };
    assert_eq!(run(workload, plan, SHORT).records.len(), 2, "the requests that are due within the duration");
}

#[test]
fn failures_are_counted() {
    let simulation = Simulation { failures: 0.2, rate_limited: 0.1, ..SHORT };
    let plan = closed(&[20], requests(1000));
    let records = run(labelled(3, 1), plan.clone(), simulation).records;
    let count = |records: &[RequestRecord], kind: &str| {
        records.iter().filter_map(|record| record.error.as_ref()).filter(|error| error.kind == kind).count()
    };
    let (failed, limited) = (count(&records, "server_error"), count(&records, "rate_limited"));
    // Four standard errors.
    assert!(failed.abs_diff(200) < 51 && limited.abs_diff(100) < 38, "{failed} and {limited}");
    assert_eq!(records.iter().filter(|record| record.status == Status::Ok).count() + failed + limited, 1000);
    let again = run(labelled(3, 1), plan, simulation).records;
    assert_eq!((count(&again, "server_error"), count(&again, "rate_limited")), (failed, limited), "by the seed");
}

#[test]
fn a_shift_starts_at_its_request() {
    let simulation = Simulation { ttft_s: 0.01, shift: Some((10, 6.0)), spread: 0.0, ..SHORT };
    let records = run(labelled(3, 1), requests(20), simulation).records;
    assert!(records[10..].iter().all(|record| record.ttft_s.unwrap() >= 0.0599));
    let before: Vec<f64> = records[..10].iter().map(|record| record.ttft_s.unwrap()).collect();
    assert!(before.iter().copied().fold(f64::INFINITY, f64::min) < 0.0599, "{before:?}");
}

#[test]
fn clients_of_a_ramp_start_one_by_one() {
    let slow = Simulation { ttft_s: 5.0, spread: 0.0, ..SHORT };
    let plan = Plan { ramp: ms(400), timeout: ms(50), ..closed(&[4], requests(4)) };
    let mut records = run(labelled(1, 1), plan, slow).records;
    records.sort_by_key(|record| record.started_at);
    // The first client sends requests at 0 and 50 ms, the second not before 100 ms.
    let span = records[3].started_at.unwrap().duration_since(records[0].started_at.unwrap());
    assert!(span.as_secs_f64() >= 0.1, "{span}");
    assert!(records.iter().all(|record| record.status == Status::Timeout));
}

#[test]
fn an_open_ramp_starts_slowly() {
    let load = Load::Open { rates_per_s: vec![100.0], arrival: Arrival::Constant };
    let report = run(labelled(1, 1), Plan { load, ramp: ms(500), ..requests(50) }, SHORT);
    // 25 requests during the ramp of half a second, and 25 in the quarter second after it.
    assert!(report.took >= ms(740), "{:?}", report.took);
    assert_eq!(report.records.len(), 50);
}

#[test]
fn the_machine_is_sampled_on_request() {
    let report = run(labelled(1, 1), Plan { sample_machine: Some(ms(250)), think: ms(100), ..requests(12) }, SHORT);
    assert!(report.samples >= 1);
    assert_eq!(run(labelled(1, 1), requests(1), SHORT).samples, 0);
}
