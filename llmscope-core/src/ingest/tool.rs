//! The tools whose logs llmscope reads, and how it recognizes each format.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use super::runs::Runs;
use super::signature::Signature;
use super::{
    ReadOptions, Table, ab, action_benchmark, aiperf, artillery, bench_my_llm, criterion, evalscope, genai_bench,
    genai_perf, google_benchmark, guidellm, h2load, hey, hyperfine, inference_benchmarker, inference_perf, inferencex,
    infermark, javascript_benchmarks, jmeter, json_lines, k6, litellm, llama_bench, llama_server, llm_d, llmperf,
    locust, mlflow_runs, oha, ollama, otel, prometheus, pytest_benchmark, runs, service_export, sglang, vllm,
};
use crate::error::{Error, Location, Result, by_name};
use crate::session::columns::is_flat_session;
use crate::session::{RequestRecord, Session, SessionHeader, Warning};

/// A tool whose logs llmscope reads.
#[derive(Clone, Copy)]
pub struct Tool(pub(super) &'static Format);

/// One format in which a tool writes its logs.
pub(crate) struct Format {
    /// The tool's name on the command line.
    pub(crate) name: &'static str,
    /// The tool's name as its authors write it, with the kind of file.
    pub(crate) title: &'static str,
    /// Whether a file has this format, judged by its content. No file may be recognized by two formats.
    pub(crate) recognizes: fn(&Signature<'_>) -> bool,
    /// How to read it.
    pub(crate) reading: Reading,
}

/// How to read a file.
pub(crate) enum Reading {
    /// As a whole: the function takes the file's name for messages and its text.
    Whole(fn(&str, &str) -> Result<Parsed>),
    /// Line by line, each independent of the others. A truncated last line is skipped.
    Lines {
        /// Builds the header of the session from the first line.
        header: HeaderOf,
        /// Appends the requests of a line to the list: zero, one or several.
        records: RecordsOf,
    },
    /// As a table of delimited values.
    Delimited,
}

/// From the first line to the header of the session.
pub(crate) type HeaderOf = fn(&str) -> SessionHeader;
/// From a line and its location for messages to its requests.
pub(crate) type RecordsOf = fn(&str, &dyn Fn() -> Location, &mut Vec<RequestRecord>) -> Result<()>;

/// The content of a file that was read as a whole.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "one exists at a time, and is taken apart at once")]
pub(crate) enum Parsed {
    /// Requests, and warnings about the file.
    Session(Session, Vec<Warning>),
    /// Summaries of runs, from a tool that keeps no requests.
    Runs(Runs),
    /// Columns whose meaning only their names indicate.
    Table(Table, Vec<Warning>),
}

/// A session of our own names its schema among its first fields.
const LLMSCOPE: Format = Format {
    name: "llmscope",
    title: "LLMscope session",
    recognizes: |signature| match signature.is_json() {
        true => head(signature.text).contains("\"llmscope.session/"),
        false => is_flat_session(signature.text),
    },
    reading: Reading::Whole(|source, text| {
        Session::read(source, text).map(|read| Parsed::Session(read.session, read.warnings))
    }),
};

const JSON_LINES: Format = Format {
    name: "jsonl",
    title: "JSON Lines or a JSON array of objects",
    recognizes: |signature| signature.is_json(),
    reading: Reading::Whole(|source, text| {
        json_lines::read(source, text).map(|(table, warnings)| Parsed::Table(table, warnings))
    }),
};

const CSV: Format = Format {
    name: "csv",
    title: "delimited values with a header line",
    recognizes: |_| true,
    reading: Reading::Delimited,
};

impl Tool {
    /// A session of our own, as a JSON document, JSON Lines or CSV.
    pub const LLMSCOPE: Self = Self(&LLMSCOPE);
    /// JSON Lines or a JSON array of objects with numeric fields.
    pub const JSON_LINES: Self = Self(&JSON_LINES);
    /// Comma-, semicolon- or tab-separated values with a header line.
    pub const CSV: Self = Self(&CSV);

    /// Every format, in the order in which they are tried: the tables, which accept any text, come last.
    pub const ALL: &'static [Self] = &[
        Self::LLMSCOPE,
        Self(&runs::FORMAT),
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
        Self(&otel::LANGFUSE),
        Self(&otel::LANGFUSE_CSV),
        Self(&otel::MLFLOW),
        Self(&mlflow_runs::FORMAT),
        Self(&mlflow_runs::JSON),
        Self(&litellm::PAYLOADS),
        Self(&litellm::SPEND_LOGS),
        Self(&litellm::SPEND_CSV),
        Self(&service_export::FORMAT),
        Self(&oha::JSON),
        Self(&oha::CSV),
        Self(&oha::DATABASE),
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
        Self(&prometheus::QUERY),
        Self(&prometheus::SNAPSHOT),
        Self(&k6::POINTS),
        Self(&k6::CSV),
        Self(&k6::SUMMARY),
        Self(&jmeter::FORMAT),
        Self(&jmeter::XML),
        Self(&hey::FORMAT),
        Self(&h2load::FORMAT),
        Self(&ab::REQUESTS),
        Self(&ab::PERCENTILES),
        Self(&sglang::FORMAT),
        Self(&inference_perf::REQUESTS),
        Self(&inference_perf::SUMMARY),
        Self(&inferencex::FORMAT),
        Self(&llm_d::FORMAT),
        Self(&genai_bench::FORMAT),
        Self(&evalscope::FORMAT),
        Self(&evalscope::SUMMARY),
        Self(&evalscope::PERCENTILES),
        Self(&pytest_benchmark::FORMAT),
        Self(&google_benchmark::JSON),
        Self(&google_benchmark::CSV),
        Self(&action_benchmark::FORMAT),
        Self(&criterion::FORMAT),
        Self(&criterion::ESTIMATES),
        Self(&artillery::FORMAT),
        Self(&javascript_benchmarks::AUTOCANNON),
        Self(&javascript_benchmarks::TINYBENCH),
        Self(&javascript_benchmarks::VITEST),
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
    pub const fn label(self) -> &'static str {
        self.0.title
    }

    /// The tool that wrote a text.
    pub(super) fn of(signature: &Signature<'_>) -> Self {
        Self::ALL.iter().copied().find(|tool| (tool.0.recognizes)(signature)).unwrap_or(Self::CSV)
    }

    /// The tool whose format a text has; a table if no tool is known.
    #[must_use]
    pub fn recognized(text: &str) -> Self {
        Self::of(&Signature::of(text))
    }

    /// The tool that wrote a text about which the caller states these facts: delimited values whose columns the caller
    /// names are read as a table.
    pub(super) fn of_options(signature: &Signature<'_>, options: &ReadOptions) -> Self {
        let is_table = !signature.is_json() && options.columns.iter().any(|column| signature.has_column(column));
        if is_table { Self::CSV } else { Self::of(signature) }
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
