//! `cmd/bench` of Ollama's repository: one line per step of each epoch, as CSV or in the format of Go's benchstat.

use std::collections::BTreeMap;

use crate::error::{Error, Location, Result, excerpt};
use crate::ingest::attributes::{numbers, scalar};
use crate::ingest::rows::{no_rows, whole_lines};
use crate::ingest::runs::of_ns;
use crate::ingest::tool::Parsed;
use crate::session::{AttributeValue, Cpu, Environment, RequestRecord, Session, SessionHeader, Software};

/// The first line of the CSV.
pub(super) const COLUMNS: [&str; 5] = ["NAME", "STEP", "COUNT", "NS_PER_COUNT", "TOKEN_PER_SEC"];
/// The number of lines in which recognition looks for the first benchstat result: descriptions of the machine and the
/// model precede it.
pub(super) const FIRST_LINES: usize = 20;
/// The beginning of each benchstat result.
const BENCHSTAT: &str = "BenchmarkModel/name=";

/// True for a benchstat result.
pub(super) fn is_line(line: &str) -> bool {
    line.starts_with(BENCHSTAT) && line.contains(" ns/")
}

/// A step of an epoch.
struct Step<'t> {
    model: &'t str,
    name: &'t str,
    /// The number of tokens; `None` in today's benchstat format, which counts the epoch instead.
    tokens: Option<u64>,
    /// Per token, or for the whole step.
    nanoseconds: f64,
}

/// What is known about a model, and the current epoch.
#[derive(Default)]
struct Epochs {
    about: BTreeMap<String, AttributeValue>,
    seen: Vec<String>,
    current: Option<RequestRecord>,
    records: Vec<RequestRecord>,
}

pub(super) fn read(source: &str, text: &str) -> Result<Parsed> {
    let (text, warnings) = whole_lines(source, text);
    let (mut epochs, mut environment) = (Epochs::default(), Environment::default());
    for (number, line) in (1..).zip(text.lines()) {
        let location = || Location::of(source).line(number);
        if let Some(about) = line.strip_prefix("# Model: ") {
            epochs.close();
            epochs.about = description(about);
        } else if let Some((name, value)) = line.split_once(": ").filter(|_| !line.starts_with(BENCHSTAT)) {
            match name {
                "goos" | "sysname" => environment.os = Some(value.to_owned()),
                "goarch" | "machine" => {
                    environment.cpu = Some(Cpu { architecture: Some(value.to_owned()), ..Cpu::default() });
                }
                _ => {}
            }
        } else if !line.trim().is_empty() && !line.starts_with('#') && !line.starts_with(COLUMNS[0]) {
            epochs.add(&step(line).ok_or_else(|| refused(location(), line))?);
        }
    }
    epochs.close();
    if epochs.records.is_empty() {
        return Err(no_rows(source, &warnings, "give the result of at least one epoch"));
    }
    let header = SessionHeader {
        recorder: Some(Software { name: "Ollama cmd/bench".to_owned(), version: None }),
        environment: (environment != Environment::default()).then_some(environment),
        ..SessionHeader::default()
    };
    Ok(Parsed::Session(Session { header, records: epochs.records, ..Session::default() }, warnings))
}

/// `gemma3,prefill,128,78125.00,12800.00`, or
/// `BenchmarkModel/name=gemma3/step=prefill 1 78125.00 ns/token 12800.00 token/sec`.
fn step(line: &str) -> Option<Step<'_>> {
    let (model, name, count, nanoseconds) = match line.strip_prefix(BENCHSTAT) {
        Some(result) => {
            let mut fields = result.split_whitespace();
            let name = fields.next()?;
            // The first versions give the total no name. A model may have a path prefix.
            let (model, step) = name.rsplit_once("/step=").unwrap_or((name, "total"));
            (model, step, fields.next()?, fields.next()?)
        }
        None => {
            let mut fields = line.rsplitn(COLUMNS.len(), ',').skip(1);
            let (nanoseconds, count, step) = (fields.next()?, fields.next()?, fields.next()?);
            (fields.next()?, step, count, nanoseconds)
        }
    };
    let count: u64 = count.parse().ok()?;
    let nanoseconds: f64 = nanoseconds.parse().ok()?;
    // In benchstat format, the first versions count tokens and later ones count epochs, one per line.
    let counts_tokens = matches!(name, "prefill" | "generate") && (!line.starts_with(BENCHSTAT) || count > 1);
    let is_duration = nanoseconds.is_finite() && nanoseconds >= 0.0;
    is_duration.then_some(Step { model, name, tokens: counts_tokens.then_some(count), nanoseconds })
}

impl Epochs {
    /// Adds a step. A repeated step or another model begins a new epoch.
    fn add(&mut self, step: &Step<'_>) {
        let of_another = self.current.as_ref().is_some_and(|record| record.model.as_deref() != Some(step.model));
        if of_another || self.seen.iter().any(|seen| seen == step.name) {
            self.close();
        }
        self.seen.push(step.name.to_owned());
        let record = self.current.get_or_insert_with(|| RequestRecord {
            model: Some(step.model.to_owned()),
            attributes: self.about.clone(),
            ..RequestRecord::default()
        });
        // The tool writes 0 for what it did not measure: a first chunk without text leaves no time to first token.
        let seconds = Some(of_ns(step.nanoseconds)).filter(|&seconds| seconds > 0.0);
        match step.name {
            // Measured by the client, from before the request to the first text, including reasoning.
            "ttft" => record.ttft_s = seconds,
            "prefill" => record.input_tokens = step.tokens,
            "generate" => record.output_tokens = step.tokens,
            _ => {}
        }
        let attribute = match step.name {
            // The server's times divided by all tokens, although the clock of generation starts with the first token.
            "prefill" => "prefill_per_token_s",
            "generate" => "generate_per_token_s",
            "load" => "server_load_s",
            "total" => "server_total_s",
            _ => return,
        };
        record.attributes.extend(numbers([(attribute, seconds)]));
    }

    fn close(&mut self) {
        self.seen.clear();
        self.records.extend(self.current.take());
    }
}

/// `gemma3 | Params: 4.3B | Quant: Q4_K_M | Family: gemma3 | Size: 4080218931 | VRAM: 4080218931`.
fn description(about: &str) -> BTreeMap<String, AttributeValue> {
    let fields = about.split(" | ").skip(1).filter_map(|field| field.split_once(": "));
    let named = fields.filter(|(_, value)| *value != "unknown").filter_map(|(name, value)| {
        let name = match name {
            "Params" => "parameters",
            "Quant" => "quantization",
            "Family" => "family",
            "Size" => "model_size_bytes",
            "VRAM" => "model_vram_bytes",
            "NumCtx" => "num_ctx",
            _ => return None,
        };
        Some((name.to_owned(), scalar(value)))
    });
    named.collect()
}

fn refused(location: Location, line: &str) -> Error {
    Error::Format {
        location,
        problem: format!("\"{}\" is not a step of an epoch", excerpt(line)),
        fix: "give the file as cmd/bench wrote it, such as: gemma3,ttft,1,45123000,0".to_owned(),
    }
}
