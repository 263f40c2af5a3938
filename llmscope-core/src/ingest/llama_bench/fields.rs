//! A test of which only the mean and the standard deviation are known.

use std::collections::BTreeSet;

use super::{Kind, Settings, run_name, test_name, varying};
use crate::error::{Error, Location, Result, excerpt};
use crate::ingest::attributes::{count, scalar};
use crate::ingest::rows;
use crate::ingest::runs::{Runs, of_ns};
use crate::session::{AttributeValue, Warning};

/// The fields of a test with their location.
pub(super) struct Test {
    pub(super) location: Location,
    pub(super) fields: Settings,
}

/// Fields that are not settings: the identity of the test, its results and its time.
const NO_SETTINGS: [&str; 11] = [
    "model_filename",
    "model_size",
    "model_n_params",
    "n_prompt",
    "n_gen",
    "n_depth",
    "test_time",
    "avg_ns",
    "stddev_ns",
    "avg_ts",
    "stddev_ts",
];

/// One row of runs per test.
pub(super) fn runs(tests: &[Test], warnings: Vec<Warning>) -> Result<Runs> {
    let mut runs = Runs { warnings, ..Runs::default() };
    let settings = |test: &Test| -> Settings {
        let settings = test.fields.iter().filter(|(name, _)| !NO_SETTINGS.contains(&name.as_str()));
        settings.map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    let all: Vec<Settings> = tests.iter().map(settings).collect();
    let varying = varying(all.iter());
    for (test, settings) in tests.iter().zip(&all) {
        test.add_to(&mut runs, settings, &varying)?;
    }
    Ok(runs)
}

impl Test {
    fn add_to(&self, runs: &mut Runs, settings: &Settings, varying: &BTreeSet<String>) -> Result<()> {
        let tokens = |name| self.tokens(name);
        let (n_prompt, n_gen, n_depth) = (tokens("n_prompt")?, tokens("n_gen")?, tokens("n_depth")?);
        let (mean_ns, std_ns) = (self.number("avg_ns")?, self.number("stddev_ns")?);
        let (mean_rate, std_rate) = (self.number("avg_ts")?, self.number("stddev_ts")?);
        let kind = Kind::of(n_prompt, n_gen);
        runs.begin(self.location.line.unwrap_or(1));
        runs.text("run", Some(&run_name(&test_name(n_prompt, n_gen, n_depth), settings, varying)));
        runs.text("model", self.fields.get("model_filename").map(String::as_str));
        runs.started_at(self.fields.get("test_time").and_then(|at| at.parse().ok()));
        if kind == Kind::Generation {
            runs.number("tpot_s.mean", mean_ns.map(|ns| of_ns(ns / count(n_gen))));
            runs.number("tpot_s.std", std_ns.map(|ns| of_ns(ns / count(n_gen))));
        }
        runs.number(&format!("{}.mean", kind.duration()), mean_ns.map(of_ns));
        runs.number(&format!("{}.std", kind.duration()), std_ns.map(of_ns));
        runs.number(&format!("{}.mean", kind.rate()), mean_rate);
        runs.number(&format!("{}.std", kind.rate()), std_rate);
        runs.number("input_tokens", (n_prompt > 0).then(|| count(n_prompt)));
        runs.number("output_tokens", (n_gen > 0).then(|| count(n_gen)));
        runs.number("n_depth", Some(count(n_depth)));
        for (name, value) in settings {
            match scalar(value) {
                AttributeValue::Number(number) => runs.number(name, Some(number)),
                _ => runs.text(name, Some(value)),
            }
        }
        Ok(())
    }

    /// A number of tokens; 0 if an old release lacks the field.
    fn tokens(&self, name: &str) -> Result<u64> {
        let Some(text) = self.fields.get(name) else { return Ok(0) };
        text.parse().map_err(|_| Error::Format {
            location: self.location.clone().field(name),
            problem: format!("\"{}\" is not a number of tokens", excerpt(text)),
            fix: "give the file as llama-bench wrote it".to_owned(),
        })
    }

    fn number(&self, name: &str) -> Result<Option<f64>> {
        self.fields.get(name).map(|text| rows::number(&self.location, name, text)).transpose()
    }
}
