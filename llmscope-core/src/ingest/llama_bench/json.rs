//! `-o json` and `-o jsonl`: tests with the samples of their repetitions.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::{Kind, NOT_DISTINGUISHING, Settings, engine, run_name, test_name, varying};
use crate::error::Result;
use crate::ingest::attributes::{count, numbers, scalar, texts};
use crate::ingest::documents;
use crate::ingest::empty::no_requests;
use crate::ingest::runs::of_ns;
use crate::ingest::tool::Parsed;
use crate::session::{Cpu, Environment, Gpu, RequestRecord, Session, SessionHeader};

#[derive(Deserialize)]
struct Test {
    model_filename: Option<String>,
    n_prompt: u64,
    n_gen: u64,
    #[serde(default)]
    n_depth: u64,
    test_time: Option<String>,
    samples_ns: Vec<u64>,
    #[serde(default)]
    samples_ts: Vec<f64>,
    /// Settings, of which each release adds some, and statistics of the samples.
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
    #[serde(skip)]
    settings: Settings,
}

/// Fields that are computed from the samples or describe the model file.
const NO_SETTINGS: [&str; 6] = ["avg_ns", "stddev_ns", "avg_ts", "stddev_ts", "model_size", "model_n_params"];

pub(super) fn read(source: &str, text: &str) -> Result<Parsed> {
    let (tests, warnings) = documents::read::<Test>(source, text)?;
    let mut tests: Vec<Test> = tests.into_iter().map(|test| test.value).collect();
    for test in &mut tests {
        test.settings = settings(std::mem::take(&mut test.rest));
    }
    if tests.iter().all(|test| test.samples_ns.is_empty()) {
        return Err(no_requests(source, "give the result of at least one repetition (-r 1 or more)"));
    }
    let varying = varying(tests.iter().map(|test| &test.settings));
    let records = tests.iter().flat_map(|test| test.records(&varying)).collect();
    Ok(Parsed::Session(Session { header: header(&tests, &varying), records, ..Session::default() }, warnings))
}

/// The scalars among the other fields of a test.
fn settings(rest: BTreeMap<String, Value>) -> Settings {
    let text = |value: Value| match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    };
    let settings = rest.into_iter().filter(|(name, _)| !NO_SETTINGS.contains(&name.as_str()));
    settings.filter_map(|(name, value)| Some((name, text(value)?))).collect()
}

/// What all tests have in common.
fn header(tests: &[Test], varying: &BTreeSet<String>) -> SessionHeader {
    let Some(first) = tests.first() else { return SessionHeader::default() };
    let common = |name: &str| {
        let value = first.settings.get(name).filter(|value| !value.is_empty() && !varying.contains(name));
        value.map(String::as_str)
    };
    let (commit, number) = (common("build_commit"), common("build_number"));
    let gpus = common("gpu_info").into_iter().flat_map(|names| names.split(", "));
    let labels = first.settings.keys().filter(|name| !NOT_DISTINGUISHING[..4].contains(&name.as_str()));
    SessionHeader {
        recorder: Some(engine("llama-bench", commit, number)),
        started_at: tests.iter().filter_map(Test::began_at).min(),
        labels: labels.filter_map(|name| Some((name.clone(), common(name)?.to_owned()))).collect(),
        environment: Some(Environment {
            cpu: common("cpu_info").map(|model| Cpu { model: Some(model.to_owned()), ..Cpu::default() }),
            gpus: gpus.map(|name| Gpu { name: name.to_owned(), ..Gpu::default() }).collect(),
            engine: Some(engine("llama.cpp", commit, number)),
            ..Environment::default()
        }),
        ..SessionHeader::default()
    }
}

impl Test {
    /// The time just before the first repetition, in whole seconds.
    fn began_at(&self) -> Option<Timestamp> {
        self.test_time.as_ref()?.parse().ok()
    }

    /// One record per repetition.
    ///
    /// Repetitions have no time of their own: the tool records when a test begins, before its warm-up.
    fn records<'t>(&'t self, varying: &'t BTreeSet<String>) -> impl Iterator<Item = RequestRecord> + 't {
        let kind = Kind::of(self.n_prompt, self.n_gen);
        let run = run_name(&test_name(self.n_prompt, self.n_gen, self.n_depth), &self.settings, varying);
        let differing = varying.iter().filter_map(|name| Some((name.clone(), scalar(self.settings.get(name)?))));
        let mut attributes: BTreeMap<_, _> = differing.collect();
        attributes.extend(texts([("run", Some(run.as_str())), ("test_time", self.test_time.as_deref())]));
        attributes.extend(numbers([("n_depth", (self.n_depth > 0).then(|| count(self.n_depth)))]));
        self.samples_ns.iter().enumerate().map(move |(index, &nanoseconds)| {
            let duration_s = of_ns(count(nanoseconds));
            let mut attributes = attributes.clone();
            attributes.extend(numbers([
                (kind.duration(), Some(duration_s)),
                (kind.rate(), self.samples_ts.get(index).copied()),
            ]));
            RequestRecord {
                model: self.model_filename.clone(),
                // Each token of a generation test is one step of the engine, as is each token of a response after its
                // first. So the time of a step is the time per output token, without a server or a network.
                tpot_s: (kind == Kind::Generation).then(|| of_ns(count(nanoseconds) / count(self.n_gen))),
                input_tokens: (self.n_prompt > 0).then_some(self.n_prompt),
                output_tokens: (self.n_gen > 0).then_some(self.n_gen),
                attributes,
                ..RequestRecord::default()
            }
        })
    }
}
