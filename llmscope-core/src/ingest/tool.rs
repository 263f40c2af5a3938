//! The tools whose logs are read, and how each log is recognized.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use super::outline::Outline;
use super::runs::Runs;
use super::{
    Table, aiperf, bench_my_llm, delimited, genai_perf, guidellm, hyperfine, inference_benchmarker, infermark,
    json_lines, k6, litellm, llama_bench, llama_server, llmperf, locust, oha, ollama, otel, service_export, vllm,
};
use crate::error::{Error, Location, Result, by_name};
use crate::session::columns::is_flat_session;
use crate::session::{Notice, RequestRecord, Session, SessionHeader};

/// A tool whose logs are read.
#[derive(Clone, Copy)]
pub struct Tool(pub(super) &'static Format);

/// One way in which a tool writes its logs.
pub(crate) struct Format {
    /// The tool's name on the command line.
    pub(crate) name: &'static str,
    /// The tool's name as its authors write it, with the kind of file.
    pub(crate) title: &'static str,
    /// Whether a file is one of these, by its content. A file that two formats recognize is a mistake of one of them.
    pub(crate) recognizes: fn(&Outline<'_>) -> bool,
    /// How it is read.
    pub(crate) reading: Reading,
}

/// How a file is read.
pub(crate) enum Reading {
    /// As a whole: the file's name for messages, and its text.
    Whole(fn(&str, &str) -> Result<Found>),
    /// Line by line, each of which stands for itself. A last line that was cut short is skipped.
    Lines {
        /// What holds for the whole run, from the first line.
        header: HeaderOf,
        /// Puts the requests that a line tells of at the end of the list: none, one or several.
        records: RecordsOf,
    },
}

/// From the first line to what holds for the whole run.
pub(crate) type HeaderOf = fn(&str) -> SessionHeader;
/// From a line, and its place for messages, to the requests that it tells of.
pub(crate) type RecordsOf = fn(&str, &dyn Fn() -> Location, &mut Vec<RequestRecord>) -> Result<()>;

/// What was found in a file that was read as a whole.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "one exists at a time, and is taken apart at once")]
pub(crate) enum Found {
    /// Requests, and what was odd about the file.
    Session(Session, Vec<Notice>),
    /// Summaries of runs, of a tool that kept no requests.
    Runs(Runs),
    /// Columns, whose meaning only their names tell.
    Table(Table, Vec<Notice>),
}

/// A session of our own announces its schema among its first fields.
const LLMSCOPE: Format = Format {
    name: "llmscope",
    title: "LLMscope session",
    recognizes: |outline| match outline.is_json() {
        true => head(outline.text).contains("\"llmscope.session/"),
        false => is_flat_session(outline.text),
    },
    reading: Reading::Whole(|source, text| {
        Session::read(source, text).map(|read| Found::Session(read.session, read.notices))
    }),
};

const JSON_LINES: Format = Format {
    name: "jsonl",
    title: "JSON Lines or a JSON array of objects",
    recognizes: |outline| outline.is_json(),
    reading: Reading::Whole(|source, text| {
        json_lines::read(source, text).map(|(table, notices)| Found::Table(table, notices))
    }),
};

const CSV: Format = Format {
    name: "csv",
    title: "delimited values with a header line",
    recognizes: |_| true,
    reading: Reading::Whole(|source, text| delimited::read(source, text).map(|table| Found::Table(table, Vec::new()))),
};

impl Tool {
    /// A session of our own, as a JSON document, as JSON Lines or as CSV.
    pub const LLMSCOPE: Self = Self(&LLMSCOPE);
    /// JSON Lines, or a JSON array, of objects with numeric fields.
    pub const JSON_LINES: Self = Self(&JSON_LINES);
    /// Comma-, semicolon- or tab-separated values with a header line.
    pub const CSV: Self = Self(&CSV);

    /// Every tool, in the order in which logs are tried: the tables, which take anything, come last.
    pub const ALL: &'static [Self] = &[
        Self::LLMSCOPE,
        Self(&llmperf::FORMAT),
        Self(&llmperf::SUMMARY),
        Self(&vllm::FORMAT),
        Self(&guidellm::JSON),
        Self(&guidellm::CSV),
        Self(&aiperf::RECORDS),
        Self(&aiperf::SUMMARY),
        Self(&aiperf::TIMESLICES),
        Self(&aiperf::CSV),
        Self(&genai_perf::FORMAT),
        Self(&aiperf::GENAI_PERF_SUMMARY),
        Self(&aiperf::GENAI_PERF_CSV),
        Self(&inference_benchmarker::FORMAT),
        Self(&infermark::FORMAT),
        Self(&bench_my_llm::FORMAT),
        Self(&llama_bench::JSON),
        Self(&llama_bench::CSV),
        Self(&llama_bench::SQL),
        Self(&llama_bench::MARKDOWN),
        Self(&otel::SPANS),
        Self(&otel::CONSOLE),
        Self(&otel::METRICS),
        Self(&litellm::PAYLOADS),
        Self(&litellm::SPEND_LOGS),
        Self(&service_export::FORMAT),
        Self(&oha::JSON),
        Self(&oha::CSV),
        Self(&hyperfine::JSON),
        Self(&hyperfine::CSV),
        Self(&hyperfine::MARKDOWN),
        Self(&ollama::RESPONSES),
        Self(&ollama::BENCH),
        Self(&llama_server::FORMAT),
        Self(&locust::STATS),
        Self(&locust::HISTORY),
        Self(&locust::JSON),
        Self(&locust::FAILURES),
        Self(&k6::POINTS),
        Self(&k6::SUMMARY),
        Self::JSON_LINES,
        Self::CSV,
    ];

    /// The tool's name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0.name
    }

    /// The tool's name as its authors write it, with the kind of file.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.0.title
    }

    /// The tool that wrote a text.
    pub(super) fn of(outline: &Outline<'_>) -> Self {
        Self::ALL.iter().copied().find(|tool| (tool.0.recognizes)(outline)).unwrap_or(Self::CSV)
    }
}

/// The first few kilobytes of a text.
fn head(text: &str) -> &str {
    const LONGEST: usize = 4096;
    &text[..text.char_indices().nth(LONGEST).map_or(text.len(), |(at, _)| at)]
}

impl PartialEq for Tool {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Tool {}

impl Hash for Tool {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

impl fmt::Debug for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tool({})", self.name())
    }
}

impl FromStr for Tool {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        by_name("tool", name, Self::ALL, Self::name)
    }
}
