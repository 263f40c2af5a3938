//! Settings that are refused before a run, and the header of a session.

use std::time::Duration;

use llmscope_harness::vendor::Simulation;
use llmscope_harness::workload::Workload;
use llmscope_harness::{Arrival, Bench, Error, Load, Plan, Probe, Target, TargetOptions, VendorKind};

use super::{SHORT, bench, closed, labelled, ms, requests};

#[test]
fn a_session_is_marked_as_simulated() {
    let plan = Plan { seed: 7, ..closed(&[3], requests(1)) };
    let header = bench(labelled(2, 1), plan, SHORT).header(Probe::new().environment());
    assert!(header.simulated && header.environment.is_some() && header.started_at.is_some());
    assert_eq!((header.provider.as_deref(), header.model.as_deref()), (Some("simulated"), Some("m")));
    let labels = ["vendor", "workload", "seed", "load", "concurrency"].map(|name| header.labels[name].as_str());
    assert_eq!(labels, ["simulated", "labelled", "7", "closed", "3"]);
}

#[test]
fn a_simulation_is_parsed() {
    let read: Simulation =
        "ttft=250ms, tpot=10ms,spread=0.3,tokens=64,failures=1%,rate-limited=0.02,shift=100:1.5".parse().unwrap();
    let expected = Simulation {
        ttft_s: 0.25,
        tpot_s: 0.01,
        spread: 0.3,
        output_tokens: 64,
        failures: 0.01,
        rate_limited: 0.02,
        shift: Some((100, 1.5)),
        servers: 0,
        seed: 0,
    };
    assert_eq!(read, expected);
    assert_eq!("".parse(), Ok(Simulation::default()));
    for wrong in [
        "ttft",
        "ttft=",
        "ttft=-1ms",
        "ttft=nan",
        "ttft=2h",
        "tokens=-1",
        "tokens=1.5",
        "spread=6",
        "failures=101%",
        "failures=x",
        "shift=5",
        "shift=x:2",
        "shift=5:-2",
        "shift=5:inf",
        "speed=3",
    ] {
        let error = wrong.parse::<Simulation>().unwrap_err();
        assert!(matches!(&error, Error::Setting { value, .. } if value == wrong), "{wrong}: {error}");
        assert!(error.to_string().contains("expected ttft=250ms"), "{error}");
    }
}

/// The name of the refused setting, and what was expected.
#[track_caller]
fn refused(plan: Plan, vendor: VendorKind) -> (&'static str, String) {
    match plan.checked(vendor).unwrap_err() {
        Error::Setting { name, expected, .. } => (name, expected),
        other => panic!("{other}"),
    }
}

#[test]
fn a_plan_beyond_the_daily_limit_is_refused() {
    let github = VendorKind::GitHub;
    assert!(requests(150).checked(github).is_ok());
    assert_eq!(Plan::default().checked(github).unwrap().requests, Some(100));
    let (name, expected) = refused(requests(151), github);
    assert!(name == "--requests" && expected.contains("--budget 151"), "{name}: {expected}");
    assert!(refused(Plan { warmup: 1, ..requests(150) }, github).1.contains("--budget 151"));
    assert!(refused(closed(&[1, 2, 4], requests(60)), github).1.contains("--budget 180"));
    assert_eq!(refused(Plan { requests: None, duration: Some(ms(100)), ..Plan::default() }, github).0, "--requests");
    let replay = Plan { load: Load::Replay { speed: 1.0 }, ..Plan::default() };
    assert_eq!(refused(replay, github).0, "--requests");
    assert!(Plan { budget: Some(1000), ..requests(1000) }.checked(github).is_ok());
    refused(requests(u64::MAX), github);
    assert!(requests(151).checked(VendorKind::OpenAi).is_ok());
}

#[test]
fn invalid_plans_are_refused() {
    let open = |rate_per_s| Plan {
        load: Load::Open { rates_per_s: vec![rate_per_s], arrival: Arrival::Poisson },
        ..Plan::default()
    };
    let replay = |speed| Plan { load: Load::Replay { speed }, ..Plan::default() };
    for (name, plan) in [
        ("--concurrency", closed(&[], Plan::default())),
        ("--concurrency", closed(&[1, 0], Plan::default())),
        ("--concurrency", closed(&[1_000_000], Plan::default())),
        ("--rate", open(0.0)),
        ("--rate", open(f64::NAN)),
        ("--rate", open(f64::INFINITY)),
        ("--speed", replay(-1.0)),
        ("--speed", replay(f64::INFINITY)),
        ("--requests", requests(0)),
        ("--duration", Plan { duration: Some(Duration::ZERO), ..Plan::default() }),
        ("--timeout", Plan { timeout: Duration::ZERO, ..Plan::default() }),
        ("--connect-timeout", Plan { connect_timeout: Duration::MAX, ..Plan::default() }),
    ] {
        assert_eq!(refused(plan, VendorKind::Simulated).0, name);
    }
}

#[test]
fn workloads_without_prompts_are_refused() {
    let options = || TargetOptions { model: Some("m".to_owned()), ..TargetOptions::default() };
    let target = || Target::new(VendorKind::Simulated, options()).unwrap();
    // A conversation without turns would use up requests that are never sent.
    let mut partly = labelled(2, 1);
    partly.conversations[0].turns.clear();
    for workload in [Workload::default(), labelled(2, 0), partly] {
        assert!(Bench::new(target(), workload, Plan::default(), SHORT).is_err());
    }
    // A workload without times cannot be replayed.
    let replay = Plan { load: Load::Replay { speed: 1.0 }, ..Plan::default() };
    assert!(Bench::new(target(), labelled(2, 1), replay, SHORT).is_err());
}
