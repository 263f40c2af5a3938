//! The values that options take: shells complete them, and an error suggests the nearest one.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::str::FromStr;

use clap::builder::{PossibleValue, PossibleValuesParser, StringValueParser, TypedValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command};
use llmscope_core::chart::ChartKind;
use llmscope_core::gate::Statistic;
use llmscope_core::ingest::Tool;
use llmscope_core::rules::NelsonRule;
use llmscope_core::{Metric, Missing, RuleSet, SigmaEstimator, Transform, Unit};
use llmscope_harness::VendorKind;
use llmscope_harness::workload::Tier;

/// `--metric`.
pub(crate) fn metric() -> impl TypedValueParser<Value = Metric> {
    let names = Metric::ALL.iter().map(|metric| PossibleValue::new(metric.name()).help(metric.label()));
    closed(names.chain([PossibleValue::new("itl_s").hide(true)]))
}

/// `--chart`.
pub(crate) fn chart() -> impl TypedValueParser<Value = ChartKind> {
    closed(ChartKind::NAMED.map(|chart| PossibleValue::new(chart.name()).help(chart.label())))
}

/// `--sigma-estimator`.
pub(crate) fn estimator() -> impl TypedValueParser<Value = SigmaEstimator> {
    let value = |estimator: SigmaEstimator| PossibleValue::new(estimator.name()).alias(estimator.alias());
    let estimated = SigmaEstimator::ALL.into_iter().filter(|&estimator| estimator != SigmaEstimator::Given);
    closed(estimated.map(value))
}

/// `--transform`.
pub(crate) fn transform() -> impl TypedValueParser<Value = Transform> {
    closed(Transform::ALL.map(|transform| PossibleValue::new(transform.name())))
}

/// `--missing`.
pub(crate) fn missing() -> impl TypedValueParser<Value = Missing> {
    closed(["error", "break", "drop"].map(PossibleValue::new))
}

/// `--tier`.
pub(crate) fn tier() -> impl TypedValueParser<Value = Tier> {
    closed(Tier::ALL.map(|tier| PossibleValue::new(tier.name())))
}

/// `--max-error-rate`: 5%, or 0.05.
pub(crate) fn share(text: &str) -> Result<f64, String> {
    let share = Unit::One.parse(text).map_err(|error| error.to_string())?;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err("expected 0% to 100%".to_owned()) }
}

/// `--max-series`: a number above 0.
pub(crate) fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|&count| count > 0).ok_or_else(|| "expected a whole number of at least 1".to_owned())
}

/// `--rules`: a preset, or a list of rules.
pub(crate) fn rules() -> impl TypedValueParser<Value = RuleSet> {
    open(RuleSet::NAMES.into_iter().chain(NelsonRule::ALL.map(NelsonRule::code)))
}

/// `--statistic`: some have names, and there is one for every quantile.
pub(crate) fn statistic() -> impl TypedValueParser<Value = Statistic> {
    open(["typical", "p50", "p90", "p95", "p99", "error_rate", "missed_objective"])
}

/// `--by`: what most logs can be grouped by; columns and labels have any name.
pub(crate) fn group() -> impl TypedValueParser<Value = String> {
    open(["provider", "model", "run", "session"])
}

/// `--vendor`.
pub(crate) fn vendor() -> impl TypedValueParser<Value = VendorKind> {
    let names = VendorKind::ALL.map(|vendor| vendor.profile().name);
    Redirected { parser: closed(names.map(PossibleValue::new)), elsewhere: server_of_another_vendor }
}

/// `--from`: the name of a format. `help` prints the list and ends the program, whatever else is missing.
pub(crate) fn format() -> impl TypedValueParser<Value = Tool> {
    let names = Tool::ALL.iter().map(|tool| PossibleValue::new(tool.name()).help(tool.label()));
    Redirected { parser: closed(names), elsewhere: formats_of_a_family }
}

/// A parser of values that are all known.
fn closed<T>(values: impl IntoIterator<Item = PossibleValue>) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(values).try_map(|name| name.parse::<T>())
}

/// A parser of values that are not all known: shells complete these.
fn open<T>(values: impl IntoIterator<Item = &'static str>) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static> + Clone + Send + Sync + 'static,
{
    let names = values.into_iter().map(PossibleValue::new).collect();
    Open { names }.try_map(|text| text.parse::<T>())
}

/// Takes any text, and offers these to the shell.
#[derive(Clone)]
struct Open {
    names: Vec<PossibleValue>,
}

impl TypedValueParser for Open {
    type Value = String;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.names.iter().cloned()))
    }
}

/// The list that arguments such as `--from help` request, if parsing ended with one.
pub(crate) fn requested_list(error: &clap::Error) -> Option<&str> {
    match (error.kind(), error.get(ContextKind::Custom)) {
        (ErrorKind::DisplayHelp, Some(ContextValue::String(list))) => Some(list),
        _ => None,
    }
}

/// A parser that answers some invalid values with a remedy or a list.
#[derive(Clone)]
struct Redirected<P> {
    parser: P,
    elsewhere: fn(&str) -> Option<Answer>,
}

/// The answer to a text that is not a value: an error with a remedy, or a list to print.
enum Answer {
    Remedy(String),
    List(String),
}

impl<P: TypedValueParser> TypedValueParser for Redirected<P> {
    type Value = P::Value;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<P::Value, clap::Error> {
        let name = value.to_str().unwrap_or_default();
        match (self.elsewhere)(name) {
            None => self.parser.parse_ref(command, arg, value),
            Some(Answer::List(text)) => {
                let mut list = clap::Error::new(ErrorKind::DisplayHelp);
                list.insert(ContextKind::Custom, ContextValue::String(text));
                Err(list)
            }
            Some(Answer::Remedy(remedy)) => {
                let option = arg.map(ToString::to_string).unwrap_or_default();
                let text = format!("invalid value '{name}' for '{option}': {remedy}\n");
                Err(clap::Error::raw(ErrorKind::InvalidValue, text).with_cmd(command))
            }
        }
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        self.parser.possible_values()
    }
}

/// Servers and gateways that speak a vendor's API under a name of their own.
const OPENAI_COMPATIBLE: [&str; 22] = [
    "vllm",
    "sglang",
    "llama.cpp",
    "llama-cpp",
    "llama-server",
    "llamacpp",
    "tgi",
    "trt-llm",
    "tensorrt-llm",
    "triton",
    "nim",
    "lmdeploy",
    "lm-studio",
    "lmstudio",
    "litellm",
    "localai",
    "mlx",
    "mlx_lm",
    "groq",
    "together",
    "mistral",
    "deepseek",
];

fn server_of_another_vendor(name: &str) -> Option<Answer> {
    let name = name.to_ascii_lowercase();
    let remedy = |text: &str| Some(Answer::Remedy(text.to_owned()));
    match name.as_str() {
        _ if OPENAI_COMPATIBLE.contains(&name.as_str()) => Some(Answer::Remedy(format!(
            "{name} serves the OpenAI API; use '--vendor openai --url http://HOST:PORT/v1 --provider {name}'"
        ))),
        "claude" => remedy("use '--vendor anthropic'"),
        "google" | "vertex" | "gemini-api" => remedy("use '--vendor gemini'"),
        "aws" | "amazon" => remedy("use '--vendor bedrock'"),
        "gpt" | "chatgpt" => remedy("use '--vendor openai'"),
        "copilot" => remedy("use '--vendor github'"),
        _ => None,
    }
}

/// `help` lists all formats; the name of a tool with several formats, or a part of a name, lists these.
fn formats_of_a_family(name: &str) -> Option<Answer> {
    if name == "help" {
        return Some(Answer::List(format!("Formats of logs (--from):\n{}", list_of(Tool::ALL.iter().copied()))));
    }
    let of_family = |tool: &&Tool| !name.is_empty() && tool.name().starts_with(name);
    let known = Tool::ALL.iter().any(|tool| tool.name() == name);
    let family: Vec<Tool> = Tool::ALL.iter().filter(of_family).copied().collect();
    (!known && !family.is_empty()).then(|| Answer::Remedy(format!("did you mean\n{}", list_of(family).trim_end())))
}

fn list_of(tools: impl IntoIterator<Item = Tool>) -> String {
    let mut text = String::new();
    for tool in tools {
        let _ = writeln!(text, "  {:22} {}", tool.name(), tool.label());
    }
    text
}
