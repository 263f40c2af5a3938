//! Traces: when requests came to a service, and how large they were.

mod json;
mod tables;

use llmscope_core::error::{Location, Result};

use super::source::{Source, refuse};
use super::synthetic::Writer;
use super::tally::Tally;
use super::{Conversation, Workload};

/// Tokens of all prompts together: about 1.2 GiB of words.
const MOST_TOKENS: u64 = 250_000_000;
/// Tokens of a block in Mooncake's traces.
const BLOCK_TOKENS: usize = 512;

const EXPECTED: &str = "give JSON Lines such as {\"at_s\": 0.5, \"prompt\": \"…\", \"output_tokens\": 128} \
                        (or input_tokens for the prompt), Mooncake's, or the CSV of Azure or BurstGPT";

/// Reads a trace, and writes its prompts.
pub(super) fn read(source: &Source, seed: u64) -> Result<Workload> {
    let mut trace = rows(source)?;
    if trace.rows.is_empty() {
        let problem = match trace.failures.count() {
            0 => "there is no request".to_owned(),
            count => format!("none of {count} requests has tokens on both sides"),
        };
        return refuse(source.location(), problem, EXPECTED);
    }
    check_size(source, &trace.rows)?;
    let mut notices: Vec<String> = trace.failures.notice("skipped, as a side has no tokens").into_iter().collect();
    notices.extend(trace.sort().map(|words| format!("{}: {words}", source.given)));
    if trace.clock == Clock::OfTheService {
        trace.begin_at_the_first();
    }
    let arrivals_s = trace.rows.iter().map(|row| row.at_s).collect();
    let writer = Writer::new(seed);
    let conversations = (0..).zip(trace.rows).map(|(number, row)| row.request.written(number, &writer)).collect();
    Ok(Workload { name: source.name.clone(), conversations, arrivals_s: Some(arrivals_s), notices })
}

/// The requests of any form, recognized by content.
fn rows(source: &Source) -> Result<Trace> {
    let head = source.text.trim_start();
    if head.is_empty() {
        return refuse(source.location(), "the file is empty", EXPECTED);
    }
    if head.starts_with(['{', '[']) { json::read(source) } else { tables::read(source) }
}

/// A trace as it was read.
#[derive(Default)]
struct Trace {
    rows: Vec<Row>,
    clock: Clock,
    /// Requests without tokens on a side.
    failures: Tally,
}

/// What the times of a trace are counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Clock {
    /// The start of the run: the writer of the file wants it so.
    #[default]
    OfTheRun,
    /// Some time at the service that was watched: the first request begins the run.
    OfTheService,
}

struct Row {
    at_s: f64,
    request: Request,
}

/// What is asked, before its words are written.
enum Request {
    Spoken(Conversation),
    Sized { input_tokens: u32, output_tokens: Option<u32>, blocks: Vec<u64>, label: Option<String> },
}

impl Trace {
    /// Adds a request of a watched service, unless it failed.
    fn add_served(&mut self, at_s: f64, [input, output]: [u32; 2], rest: Served, location: &Location) {
        if input == 0 || output == 0 {
            self.failures.add(location);
            return;
        }
        let Served { blocks, label } = rest;
        let request = Request::Sized { input_tokens: input, output_tokens: Some(output), blocks, label };
        self.rows.push(Row { at_s, request });
    }

    /// Orders requests by time, and says so if they were not.
    fn sort(&mut self) -> Option<String> {
        let early = self.rows.windows(2).filter(|pair| pair[1].at_s < pair[0].at_s).count();
        self.rows.sort_by(|left, right| left.at_s.total_cmp(&right.at_s));
        let requests = if early == 1 { "1 request came" } else { &format!("{early} requests came") };
        (early > 0).then(|| format!("{requests} before the one above: sorted by time"))
    }

    fn begin_at_the_first(&mut self) {
        let start = self.rows.first().map_or(0.0, |row| row.at_s);
        self.rows.iter_mut().for_each(|row| row.at_s -= start);
    }
}

/// What some services tell beside the sizes.
#[derive(Default)]
struct Served {
    blocks: Vec<u64>,
    label: Option<String>,
}

impl Request {
    fn written(self, number: u64, writer: &Writer) -> Conversation {
        match self {
            Self::Spoken(conversation) => conversation,
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
        Request::Spoken(_) => 0,
        Request::Sized { input_tokens, .. } => u64::from(input_tokens),
    });
    match sizes.sum() {
        ..=MOST_TOKENS => Ok(()),
        tokens => refuse(
            source.location(),
            format!("the prompts of {} requests have {tokens} tokens, more than {MOST_TOKENS}", rows.len()),
            "replay a part of the trace (head -n 100000): the prompts are held in memory",
        ),
    }
}

#[cfg(test)]
mod tests;
