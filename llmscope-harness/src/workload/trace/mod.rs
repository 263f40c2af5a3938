//! Reads traces: the time and the size of each request to a service.

mod json;
mod tables;

use llmscope_core::error::{Location, Result};
use llmscope_core::quantity::counted;

use super::source::{Source, refuse};
use super::synthetic::Writer;
use super::tally::Tally;
use super::{Conversation, Workload};

/// Maximum number of tokens of all prompts together: about 1.2 GiB of words.
const MOST_TOKENS: u64 = 250_000_000;
/// Tokens of a block in Mooncake traces.
const BLOCK_TOKENS: usize = 512;

const EXPECTED: &str = "give JSON Lines such as {\"at_s\": 0.5, \"prompt\": \"…\", \"output_tokens\": 128} \
                        (or input_tokens instead of the prompt), a Mooncake trace, or the CSV of Azure or BurstGPT";

/// Reads a trace and generates its prompts.
pub(super) fn read(source: &Source, seed: u64) -> Result<Workload> {
    let mut trace = rows(source)?;
    if trace.rows.is_empty() {
        let problem = match trace.failures.count() {
            0 => "there is no request".to_owned(),
            count => format!("none of {} has both input and output tokens", counted(count, "request")),
        };
        return refuse(source.location(), problem, EXPECTED);
    }
    check_size(source, &trace.rows)?;
    let mut warnings: Vec<String> = trace.failures.warning("it has no input or no output tokens").into_iter().collect();
    warnings.extend(trace.sort().map(|warning| format!("{}: {warning}", source.given)));
    if trace.origin == TimeOrigin::FirstRequest {
        trace.shift_to_zero();
    }
    let arrivals_s = trace.rows.iter().map(|row| row.at_s).collect();
    let writer = Writer::new(seed);
    let conversations =
        (0..).zip(trace.rows).map(|(number, row)| row.request.into_conversation(number, &writer)).collect();
    Ok(Workload { name: source.name.clone(), conversations, arrivals_s: Some(arrivals_s), warnings })
}

/// Reads a trace of any format, detected from its content.
fn rows(source: &Source) -> Result<Trace> {
    let head = source.text.trim_start();
    if head.is_empty() {
        return refuse(source.location(), "the file is empty", EXPECTED);
    }
    if head.starts_with(['{', '[']) { json::read(source) } else { tables::read(source) }
}

/// A trace as read from the file.
#[derive(Default)]
struct Trace {
    rows: Vec<Row>,
    origin: TimeOrigin,
    /// Requests without input or output tokens.
    failures: Tally,
}

/// The origin of the times of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum TimeOrigin {
    /// The start of the run, as the author of the file specified.
    #[default]
    RunStart,
    /// An arbitrary time at the recorded service: the run starts with the first request.
    FirstRequest,
}

struct Row {
    at_s: f64,
    request: Request,
}

/// A request, before its prompt is generated.
enum Request {
    Chat(Conversation),
    Sized { input_tokens: u32, output_tokens: Option<u32>, blocks: Vec<u64>, label: Option<String> },
}

impl Trace {
    /// Adds a request of a recorded service, unless it failed.
    fn add_recorded(&mut self, at_s: f64, [input, output]: [u32; 2], rest: Extras, location: &Location) {
        if input == 0 || output == 0 {
            self.failures.add(location);
            return;
        }
        let Extras { blocks, label } = rest;
        let request = Request::Sized { input_tokens: input, output_tokens: Some(output), blocks, label };
        self.rows.push(Row { at_s, request });
    }

    /// Sorts requests by time; returns a warning if they were not sorted.
    fn sort(&mut self) -> Option<String> {
        let out_of_order = self.rows.windows(2).filter(|pair| pair[1].at_s < pair[0].at_s).count();
        self.rows.sort_by(|left, right| left.at_s.total_cmp(&right.at_s));
        (out_of_order > 0).then(|| format!("{} out of order: sorted by time", counted(out_of_order, "request")))
    }

    fn shift_to_zero(&mut self) {
        let start = self.rows.first().map_or(0.0, |row| row.at_s);
        self.rows.iter_mut().for_each(|row| row.at_s -= start);
    }
}

/// Optional data of a recorded request.
#[derive(Default)]
struct Extras {
    blocks: Vec<u64>,
    label: Option<String>,
}

impl Request {
    fn into_conversation(self, number: u64, writer: &Writer) -> Conversation {
        match self {
            Self::Chat(conversation) => conversation,
            Self::Sized { input_tokens, output_tokens, blocks, label } => {
                let text = if blocks.is_empty() {
                    writer.prompt(number, input_tokens)
                } else {
                    writer.prompt_of_blocks(number, input_tokens, &blocks, BLOCK_TOKENS)
                };
                Conversation { label, ..Conversation::of_one_turn(text, output_tokens) }
            }
        }
    }
}

fn check_size(source: &Source, rows: &[Row]) -> Result<()> {
    let sizes = rows.iter().map(|row| match row.request {
        Request::Chat(_) => 0,
        Request::Sized { input_tokens, .. } => u64::from(input_tokens),
    });
    match sizes.sum() {
        ..=MOST_TOKENS => Ok(()),
        tokens => refuse(
            source.location(),
            format!("the prompts of {} have {tokens} tokens, more than {MOST_TOKENS}", counted(rows.len(), "request")),
            "replay a part of the trace (head -n 100000): the prompts are held in memory",
        ),
    }
}

#[cfg(test)]
mod tests;
