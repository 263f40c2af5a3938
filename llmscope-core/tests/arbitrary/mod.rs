//! Arbitrary valid sessions, including pathological ones.

use jiff::Timestamp;
use llmscope_core::session::{
    AttributeValue, ClientHealth, Cpu, Environment, Gpu, GpuSample, MachineSample, RequestError, RunEvent,
    SessionHeader, Software, Status,
};
use llmscope_core::{RequestRecord, Session};
use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;

/// Arbitrary texts, including texts that a format could misinterpret.
pub(crate) fn text() -> impl Strategy<Value = String> {
    #[rustfmt::skip]
    const NASTY: [&str; 40] = [
        "", " ", "\"", "\"\"", "\"quoted\"", "\\", "\\\"", "a,b", "a;b", "a\tb", "\tb", "\n", "a\nb", "\r\n", "a\rb",
        "\r", "\0", "\u{1b}[31m", "\u{feff}", "\u{2028}", "é漢🦀", "=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "0",
        "1e400", "0x10", "007", "NaN", "inf", "-inf", "null", "NA", "true", "False", "{}", "[1]",
        "{\"schema\":\"llmscope.session/1\"}", "2026-11-23T11:32:13Z",
    ];
    prop_oneof![3 => proptest::sample::select(&NASTY[..]).prop_map(str::to_owned), 1 => any::<String>()]
}

fn finite() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => any::<f64>().prop_filter("finite", |number| number.is_finite()),
        1 => proptest::sample::select(&[0.0, -0.0, 5.0, 1e15, 1e16, -1e22, f64::MIN_POSITIVE, 5e-324, f64::MAX][..]),
    ]
}

fn amount() -> impl Strategy<Value = Option<f64>> {
    of(prop_oneof![0.0..10.0, finite().prop_map(f64::abs)])
}

/// All representable times, more often near the present.
fn time() -> impl Strategy<Value = Timestamp> {
    let near = (-2_000_000_000_i64..4_000_000_000, 0_i32..1_000_000_000);
    let any = (Timestamp::MIN.as_second() + 1..Timestamp::MAX.as_second(), 0_i32..1_000_000_000);
    prop_oneof![9 => near, 1 => any].prop_map(|(second, nanosecond)| Timestamp::new(second, nanosecond).unwrap())
}

fn attribute() -> impl Strategy<Value = AttributeValue> {
    prop_oneof![
        finite().prop_map(AttributeValue::Number),
        text().prop_map(AttributeValue::Text),
        any::<bool>().prop_map(AttributeValue::Bool),
    ]
}

prop_compose! {
    fn error()(kind in text(), code in of(any::<i64>()), message in of(text())) -> RequestError {
        RequestError { kind, code, message }
    }
}

prop_compose! {
    fn times()(
        ttft_s in amount(), e2e_s in amount(), tpot_s in amount(), ttft_from_write_s in amount(),
        connect_s in amount(), sched_delay_s in of(finite()), cost_usd in amount(),
        icl_s in vec(finite().prop_map(f64::abs), 0..4),
    ) -> RequestRecord {
        RequestRecord {
            ttft_s, e2e_s, tpot_s, icl_s, ttft_from_write_s, connect_s, sched_delay_s, cost_usd, ..RequestRecord::default()
        }
    }
}

prop_compose! {
    fn record()(
        times in times(), started_at in of(time()), provider in of(text()), model in of(text()), warmup: bool,
        status in proptest::sample::select(&Status::ALL[..]), error in of(error()),
        input_tokens in of(any::<u64>()), output_tokens in of(0_u64..5000), tokens_estimated: bool,
        attributes in btree_map(text(), attribute(), 0..4),
    ) -> RequestRecord {
        RequestRecord {
            started_at, provider, model, warmup, status, error, input_tokens, output_tokens, tokens_estimated,
            attributes, ..times
        }
    }
}

prop_compose! {
    fn environment()(os in of(text()), model in of(text()), memory_bytes in of(any::<u64>()), gpu in of(text())) -> Environment {
        Environment {
            os,
            memory_bytes,
            cpu: Some(Cpu { model, logical_cores: Some(8), ..Cpu::default() }),
            gpus: gpu.into_iter().map(|name| Gpu { name, driver: None, memory_bytes }).collect(),
            ..Environment::default()
        }
    }
}

prop_compose! {
    fn header()(
        name in of(text()), description in of(text()), started_at in of(time()), provider in of(text()),
        model in of(text()), recorder in of(text()), simulated: bool, outcomes_unknown: bool, labels in btree_map(text(), text(), 0..3),
        environment in of(environment()),
    ) -> SessionHeader {
        SessionHeader {
            name, description, started_at, provider, model, simulated, outcomes_unknown, labels, environment,
            recorder: recorder.map(|name| Software { name, version: None }),
            ..SessionHeader::default()
        }
    }
}

prop_compose! {
    fn sample()(at in time(), load_1m in of(finite()), power_w in of(finite())) -> MachineSample {
        MachineSample {
            at, load_1m, cpu_utilization: None, memory_used_bytes: None, cpu_temperature_c: None,
            gpus: vec![GpuSample { power_w, ..GpuSample::default() }],
        }
    }
}

prop_compose! {
    pub(crate) fn session()(
        header in header(), records in vec(record(), 0..6),
        events in vec((time(), text()).prop_map(|(at, message)| RunEvent { at, message }), 0..3),
        samples in vec(sample(), 0..3),
        health in of((any::<bool>(), vec(text(), 0..2), of(finite()))),
    ) -> Session {
        let client_health = health.map(|(bottleneck, reasons, cpu_share)| ClientHealth {
            bottleneck, reasons, cpu_share, ..ClientHealth::default()
        });
        let mut records = records;
        // A request may repeat what the header contains.
        if let Some(first) = records.first_mut() {
            first.model = header.model.clone();
        }
        Session { header, records, events, samples, client_health }
    }
}
