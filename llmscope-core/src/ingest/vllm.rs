//! Results of `vllm bench serve`: one JSON object per run. `--append-result` writes
//! several runs into one file.
//!
//! Traps: requests are present only with `--save-detailed`; otherwise a run is a row of statistics. Unmeasured values
//! are 0. `date` is a local time without an offset. Statistics are in milliseconds, arrays in seconds.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::failure;
use super::runs::{Runs, of_ms};
use super::tool::{Format, Parsed, Reading};
use crate::error::{Error, Location, Result};
use crate::quantity::counted;
use crate::session::{
    AttributeValue, RequestError, RequestRecord, Session, SessionHeader, Software, Status, Warning, torn_tail,
};

/// The settings that every version writes, plus a throughput: other tools do not name the tokenizer.
pub(super) const FORMAT: Format = Format {
    name: "vllm-bench-serve",
    title: "vLLM bench serve results",
    recognizes: |signature| signature.has_all(&["model_id", "tokenizer_id", "completed", "request_throughput"]),
    reading: Reading::Whole(read),
};

/// One run. Durations are in milliseconds if the name ends in `_ms`, and in seconds in the arrays.
#[derive(Deserialize)]
struct Run {
    /// The 1-based line on which it begins.
    #[serde(skip)]
    line: u64,
    /// Local time of the end, without an offset: it does not identify an instant.
    date: Option<String>,
    backend: Option<String>,
    label: Option<String>,
    model_id: Option<String>,
    tokenizer_id: Option<String>,
    num_prompts: Option<f64>,
    request_rate: Option<Scalar>,
    burstiness: Option<f64>,
    max_concurrency: Option<f64>,
    duration: Option<f64>,
    completed: Option<f64>,
    failed: Option<f64>,
    request_throughput: Option<f64>,
    /// Some versions wrote the colon from their printed report into the name.
    #[serde(alias = "request_goodput:")]
    request_goodput: Option<f64>,
    output_throughput: Option<f64>,
    total_token_throughput: Option<f64>,
    input_lens: Option<Vec<u64>>,
    output_lens: Option<Vec<u64>>,
    ttfts: Option<Vec<f64>>,
    itls: Option<Vec<Vec<f64>>>,
    latencies: Option<Vec<f64>>,
    start_times: Option<Vec<f64>>,
    queue_times: Option<Vec<f64>>,
    /// Present only with `--save-detailed`, unlike some of the other arrays.
    errors: Option<Vec<Option<String>>>,
    // Listed so that `rest` does not collect them.
    #[serde(default, rename = "generated_texts")]
    _generated_texts: IgnoredAny,
    #[serde(default, rename = "endpoint_type")]
    _endpoint_type: IgnoredAny,
    /// Statistics under composed names (`p99_ttft_ms`), and the user's `--metadata`.
    #[serde(flatten)]
    rest: BTreeMap<String, Scalar>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Number(f64),
    Text(String),
    Other(IgnoredAny),
}

fn read(source: &str, text: &str) -> Result<Parsed> {
    let (runs, warnings) = values(source, text)?;
    if !are_detailed(&runs) {
        return Ok(Parsed::Runs(summaries(&runs)));
    }
    let mut session = Session { header: header(&runs), ..Session::default() };
    let several = runs.len() > 1;
    for (index, run) in runs.iter().enumerate() {
        let location = Location::of(source).line(run.line);
        let requests = requests(run, &location)?;
        let attributes = if several { place(run, index) } else { BTreeMap::new() };
        for request in requests {
            let mut record = run.record(request);
            record.model = run.model_id.clone().filter(|_| session.header.model.is_none());
            record.attributes.extend(attributes.clone());
            session.records.push(record);
        }
    }
    Ok(Parsed::Session(session, warnings))
}

/// True if every run contains its requests.
fn are_detailed(runs: &[Run]) -> bool {
    runs.iter().all(|run| run.errors.is_some())
}

/// The consecutive objects in a text, each with the line on which it begins. If whole objects precede it, a truncated
/// last object is left out.
fn values(source: &str, text: &str) -> Result<(Vec<Run>, Vec<Warning>)> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Run>();
    let mut runs = Vec::new();
    loop {
        let begun = values.byte_offset();
        let begins = begun + text[begun..].len() - text[begun..].trim_start().len();
        let line = text[..begins].matches('\n').count() as u64 + 1;
        match values.next() {
            None => return Ok((runs, Vec::new())),
            Some(Ok(run)) => runs.push(Run { line, ..run }),
            Some(Err(error)) if error.is_eof() && !runs.is_empty() && are_detailed(&runs) => {
                return Ok((runs, vec![torn_tail(Location::of(source).line(line))]));
            }
            Some(Err(error)) => return Err(Error::of_json(Location::of(source), &error)),
        }
    }
}

/// The indices of a run's requests in its arrays, in the order in which they were sent.
fn requests(run: &Run, location: &Location) -> Result<Vec<usize>> {
    let count = run.errors.as_ref().map_or(0, Vec::len);
    if count == 0 {
        return Err(Error::Format {
            location: location.clone().field("errors"),
            problem: "no requests".to_owned(),
            fix: "give the result of a run that sent requests".to_owned(),
        });
    }
    for (name, length) in [
        ("input_lens", run.input_lens.as_ref().map(Vec::len)),
        ("output_lens", run.output_lens.as_ref().map(Vec::len)),
        ("ttfts", run.ttfts.as_ref().map(Vec::len)),
        ("itls", run.itls.as_ref().map(Vec::len)),
        ("latencies", run.latencies.as_ref().map(Vec::len)),
        ("start_times", run.start_times.as_ref().map(Vec::len)),
        ("queue_times", run.queue_times.as_ref().map(Vec::len)),
    ] {
        if let Some(length) = length.filter(|&length| length != count) {
            return Err(Error::Format {
                location: location.clone().field(name),
                problem: format!("found {}, but `errors` has {count}", counted(length, "entry")),
                fix: "give the file as the tool wrote it: each array has one entry per request".to_owned(),
            });
        }
    }
    let mut order: Vec<usize> = (0..count).collect();
    if let Some(starts) = &run.start_times {
        order.sort_by(|&a, &b| starts[a].total_cmp(&starts[b]));
    }
    Ok(order)
}

impl Run {
    fn record(&self, request: usize) -> RequestRecord {
        let of = |values: &Option<Vec<f64>>| values.as_ref().map(|values| values[request]);
        // Unmeasured values are 0, above all those of failed requests.
        let measured = |values: &Option<Vec<f64>>| of(values).filter(|&value| value != 0.0);
        let ttft_s = measured(&self.ttfts);
        let icl_s = self.itls.as_ref().map(|itls| itls[request].clone()).unwrap_or_default();
        let after_first_s = (!icl_s.is_empty()).then(|| icl_s.iter().sum::<f64>());
        let output_tokens = self.output_lens.as_ref().map(|lens| lens[request]);
        // Before vLLM saved `latencies`, its own timeline plot computed the same sum.
        let e2e_s = match &self.latencies {
            Some(_) => measured(&self.latencies),
            None => ttft_s.map(|ttft_s| ttft_s + after_first_s.unwrap_or_default()),
        };
        let (status, error) = self.outcome(request, ttft_s.or(e2e_s).is_some());
        let succeeded = status == Status::Ok;
        let queued_s = of(&self.queue_times);
        let is_open_loop = matches!(self.request_rate, Some(Scalar::Number(_)));
        let mut attributes = BTreeMap::new();
        let mut note = |name: &str, value: Option<f64>| {
            attributes.extend(value.map(|value| (name.to_owned(), AttributeValue::Number(value))));
        };
        // Times of the client's monotonic clock, whose zero is arbitrary.
        note("start_time_s", of(&self.start_times));
        // In a closed loop, requests wait for a free slot by design: no schedule is missed.
        note("client_queue_time_s", queued_s.filter(|_| !is_open_loop));
        RequestRecord {
            status,
            error,
            ttft_s,
            e2e_s: e2e_s.filter(|_| succeeded),
            tpot_s: after_first_s.zip(output_tokens).filter(|_| succeeded).and_then(|(s, n)| per_token(s, n)),
            icl_s,
            sched_delay_s: queued_s.filter(|_| is_open_loop),
            input_tokens: self.input_lens.as_ref().map(|lens| lens[request]),
            output_tokens: output_tokens.filter(|_| succeeded),
            attributes,
            ..RequestRecord::default()
        }
    }

    /// A failed request has an error text, which is empty if the server gave no reason phrase.
    fn outcome(&self, request: usize, has_latency: bool) -> (Status, Option<RequestError>) {
        let error = self.errors.as_ref().and_then(|errors| errors[request].as_deref()).unwrap_or_default();
        if error.is_empty() && has_latency {
            return (Status::Ok, None);
        }
        let (status, error) = failure::of_text(error);
        (status, Some(error))
    }
}

/// Time per output token after the first, from the time between the first and the last chunk.
fn per_token(after_first_s: f64, output_tokens: u64) -> Option<f64> {
    let after_first = output_tokens.checked_sub(1).filter(|&tokens| tokens > 0)?;
    #[allow(clippy::cast_precision_loss, reason = "a token count is far below 2^53")]
    let tokens = after_first as f64;
    Some(after_first_s / tokens)
}

/// What distinguishes the runs of one file.
fn place(run: &Run, index: usize) -> BTreeMap<String, AttributeValue> {
    let name = run.date.clone().unwrap_or_else(|| (index + 1).to_string());
    let rate = match run.request_rate {
        Some(Scalar::Number(rate)) => Some(rate),
        _ => None,
    };
    let numbers = [("concurrency", run.max_concurrency), ("request_rate_per_s", rate)];
    numbers
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), AttributeValue::Number(value?))))
        .chain([("run".to_owned(), AttributeValue::Text(name))])
        .collect()
}

/// What all runs of a file have in common.
fn header(runs: &[Run]) -> SessionHeader {
    let mut labels: Vec<BTreeMap<String, String>> = runs.iter().map(Run::settings).collect();
    let mut common = labels.pop().unwrap_or_default();
    common.retain(|name, value| labels.iter().all(|other| other.get(name) == Some(value)));
    let models: BTreeSet<_> = runs.iter().filter_map(|run| run.model_id.as_deref()).collect();
    SessionHeader {
        recorder: Some(Software { name: "vllm bench serve".to_owned(), version: None }),
        model: if models.len() == 1 { models.first().map(|&model| model.to_owned()) } else { None },
        labels: common,
        ..SessionHeader::default()
    }
}

impl Run {
    /// The settings under the tool's own names, and the user's metadata.
    fn settings(&self) -> BTreeMap<String, String> {
        let number = |value: Option<f64>| value.map(|value| value.to_string());
        let rate = match &self.request_rate {
            Some(Scalar::Number(rate)) => Some(rate.to_string()),
            Some(Scalar::Text(text)) => Some(text.clone()),
            _ => None,
        };
        let settings = [
            ("date", self.date.clone()),
            ("backend", self.backend.clone()),
            ("label", self.label.clone()),
            ("tokenizer_id", self.tokenizer_id.clone()),
            ("num_prompts", number(self.num_prompts)),
            ("request_rate", rate),
            ("burstiness", number(self.burstiness)),
            ("max_concurrency", number(self.max_concurrency)),
        ];
        let settings = settings.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        settings.chain(self.metadata().map(|(name, text)| (name.to_owned(), text.to_owned()))).collect()
    }

    fn metadata(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rest.iter().filter_map(|(name, value)| match value {
            Scalar::Text(text) => Some((name.as_str(), text.as_str())),
            _ => None,
        })
    }

    fn number(&self, name: &str) -> Option<f64> {
        match self.rest.get(name) {
            Some(Scalar::Number(number)) => Some(*number),
            _ => None,
        }
    }
}

/// A number that is wrong in the file.
const MISCOUNTED: &str = "max_concurrent_requests";

/// One row per run.
///
/// [`MISCOUNTED`] is left out: versions up to 0.33 count every request of a whole second, for example 12
/// with `--max-concurrency 4`.
fn summaries(runs: &[Run]) -> Runs {
    let mut table = Runs::default();
    for run in runs {
        table.begin(run.line);
        table.text("run", run.date.as_deref());
        table.text("date", run.date.as_deref());
        table.text("model", run.model_id.as_deref());
        table.text("backend", run.backend.as_deref());
        table.text("label", run.label.as_deref());
        for (name, text) in run.metadata() {
            table.text(name, Some(text));
        }
        table.number("concurrency", run.max_concurrency);
        if let Some(Scalar::Number(rate)) = run.request_rate {
            table.number("request_rate_per_s", Some(rate));
            table.number("burstiness", run.burstiness);
        }
        table.number("requests", run.completed.zip(run.failed).map(|(ok, failed)| ok + failed).or(run.num_prompts));
        table.number("failed", run.failed);
        table.number("duration_s", run.duration);
        table.number("requests_per_s", run.request_throughput);
        table.number("goodput_requests_per_s", run.request_goodput);
        table.number("output_tokens_per_s", run.output_throughput);
        table.number("total_tokens_per_s", run.total_token_throughput);
        for name in run.rest.keys() {
            if let Some((column, value_ms)) = statistic(run, name) {
                table.number(&column, Some(of_ms(value_ms)));
            } else if !name.ends_with("_ms") && name != MISCOUNTED {
                // Of another version or fork, whose units are unknown.
                table.number(name, run.number(name));
            }
        }
    }
    table
}

/// The column and the value of a statistic such as `p99_ttft_ms`. Without data, such as the time to first token of
/// non-streamed requests, all statistics are 0.
fn statistic(run: &Run, name: &str) -> Option<(String, f64)> {
    let (statistic, metric) = name.strip_suffix("_ms")?.split_once('_')?;
    let statistic = match statistic {
        "median" => "p50",
        "mean" | "std" => statistic,
        _ if statistic.strip_prefix('p')?.parse::<f64>().is_ok() => statistic,
        _ => return None,
    };
    run.number(&format!("mean_{metric}_ms")).filter(|&mean| mean != 0.0)?;
    let metric = match metric {
        "ttft" => "ttft_s".to_owned(),
        "tpot" => "tpot_s".to_owned(),
        // Gaps between chunks, regardless of the number of tokens in each.
        "itl" => "icl_s".to_owned(),
        "e2el" => "e2e_s".to_owned(),
        other => format!("{other}_s"),
    };
    Some((format!("{metric}.{statistic}"), run.number(name)?))
}
