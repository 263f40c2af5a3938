//! Tests of the probe on the machine that runs them.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::hint::spin_loop;
use std::time::{Duration, Instant};

use llmscope_harness::probe::{Probe, SHORTEST_INTERVAL};
use serde_json::Value;

fn work_for(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        spin_loop();
    }
}

/// The paths of all fields that are 0, null or empty.
fn hollow_fields(at: &str, value: &Value, found: &mut Vec<String>) {
    let is_hollow = match value {
        Value::Null => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| hollow_fields(&format!("{at}[{index}]"), item, found));
            items.is_empty()
        }
        Value::Object(fields) => {
            fields.iter().for_each(|(name, field)| hollow_fields(&format!("{at}.{name}"), field, found));
            fields.is_empty()
        }
        Value::Bool(_) => false,
    };
    if is_hollow {
        found.push(at.to_owned());
    }
}

#[test]
fn the_environment_has_no_empty_fields() {
    let probe = Probe::new();
    let environment = probe.environment();
    let mut found = Vec::new();
    hollow_fields("environment", &serde_json::to_value(&environment).unwrap(), &mut found);
    assert!(found.is_empty(), "{found:?}");
    assert_eq!(environment.engine, None);
    assert!(environment.os.is_some() && environment.kernel.is_some() && environment.memory_bytes.is_some());
    assert!(environment.cpu.as_ref().unwrap().logical_cores.is_some());
    assert_eq!(probe.environment(), environment);
}

#[test]
fn work_between_two_samples_is_measured() {
    let mut probe = Probe::new();
    probe.sample();
    work_for(SHORTEST_INTERVAL * 2);
    let sample = probe.sample();
    let busy = sample.cpu_utilization.unwrap();
    assert!(busy > 0.0 && busy <= 1.0, "{busy}");

    // An idle GPU and a load average of 0 are valid readings.
    let mut sample = serde_json::to_value(&sample).unwrap();
    let fields = sample.as_object_mut().unwrap();
    fields.remove("gpus");
    fields.remove("load_1m");
    let mut found = Vec::new();
    hollow_fields("sample", &sample, &mut found);
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn samples_and_environment_have_the_same_gpus() {
    let mut probe = Probe::new();
    let sampled = probe.sample().gpus.len();
    assert_eq!(probe.environment().gpus.len(), sampled);
    assert_eq!(probe.sample().gpus.len(), sampled);
}

#[test]
fn used_memory_is_a_part_of_the_memory() {
    let mut probe = Probe::new();
    let (used, all) = (probe.sample().memory_used_bytes.unwrap(), probe.environment().memory_bytes.unwrap());
    assert!((1..=all).contains(&used), "{used} of {all}");
}
