//! llama-bench of llama.cpp: tests of prompt processing and of token generation, each with several repetitions.
//! Formats: JSON, JSON Lines, CSV, SQL and Markdown.
//!
//! Traps: llama-bench makes no requests; a repetition is a loop around the engine. So there is no time to first token
//! and no end-to-end latency, and only token generation has a metric that is comparable with other tools. The engine
//! may write its own messages before a table.

mod fields;
mod json;
mod markdown;
mod tables;

use std::collections::{BTreeMap, BTreeSet};

use super::signature::Signature;
use super::tool::{Format, Reading};
use crate::session::Software;

/// The fields that every release has.
const NAMES: [&str; 5] = ["build_commit", "n_prompt", "n_gen", "avg_ns", "avg_ts"];

pub(super) const JSON: Format = Format {
    name: "llama-bench",
    title: "llama-bench repetitions (JSON or JSON Lines)",
    recognizes: |signature| {
        let has =
            |prefix: &str| NAMES.iter().chain(&["samples_ns"]).all(|name| signature.has(&format!("{prefix}{name}")));
        has("") || has("[].")
    },
    reading: Reading::Whole(json::read),
};

pub(super) const CSV: Format = Format {
    name: "llama-bench-csv",
    title: "llama-bench tests (CSV)",
    recognizes: |signature| signature.has_columns(&NAMES),
    reading: Reading::Whole(tables::read_csv),
};

pub(super) const SQL: Format = Format {
    name: "llama-bench-sql",
    title: "llama-bench tests (SQL)",
    recognizes: |signature| {
        signature.text.starts_with("CREATE TABLE IF NOT EXISTS llama_bench ")
            || signature.text.starts_with(tables::INSERT)
    },
    reading: Reading::Whole(tables::read_sql),
};

pub(super) const MARKDOWN: Format = Format {
    name: "llama-bench-markdown",
    title: "llama-bench tests (Markdown)",
    recognizes: is_markdown,
    reading: Reading::Whole(markdown::read),
};

/// True if one of the first lines is the header of the table: messages of the engine may precede it.
fn is_markdown(signature: &Signature<'_>) -> bool {
    const FIRST_LINES: usize = 100;
    !signature.is_json() && signature.text.lines().take(FIRST_LINES).any(markdown::is_header)
}

/// What a test measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The processing of a prompt (`pp64`).
    Prompt,
    /// The generation of tokens one after the other (`tg16`).
    Generation,
    /// Both in turn, measured together (`pp64+tg16`).
    Both,
}

impl Kind {
    fn of(n_prompt: u64, n_gen: u64) -> Self {
        match (n_prompt, n_gen) {
            (_, 0) => Self::Prompt,
            (0, _) => Self::Generation,
            _ => Self::Both,
        }
    }

    /// The name of a repetition's duration. The time to process a prompt in the engine differs from a client's wait for
    /// its first token, so each kind has a distinct name.
    const fn duration(self) -> &'static str {
        match self {
            Self::Prompt => "prompt_eval_s",
            Self::Generation => "generation_s",
            Self::Both => "prompt_and_generation_s",
        }
    }

    /// The name of the rate, which the tool always calls t/s.
    const fn rate(self) -> &'static str {
        match self {
            Self::Prompt => "prompt_tokens_per_s",
            Self::Generation => "generated_tokens_per_s",
            Self::Both => "prompt_and_generated_tokens_per_s",
        }
    }
}

/// The name of a test as the tool prints it: `pp64`, `tg16 @ d512`.
fn test_name(n_prompt: u64, n_gen: u64, n_depth: u64) -> String {
    let name = match Kind::of(n_prompt, n_gen) {
        Kind::Prompt => format!("pp{n_prompt}"),
        Kind::Generation => format!("tg{n_gen}"),
        Kind::Both => format!("pp{n_prompt}+tg{n_gen}"),
    };
    if n_depth > 0 { format!("{name} @ d{n_depth}") } else { name }
}

/// Settings under the tool's names, as text.
type Settings = BTreeMap<String, String>;

/// The settings in which the tests of a file differ.
fn varying<'s>(mut tests: impl Iterator<Item = &'s Settings>) -> BTreeSet<String> {
    let Some(first) = tests.next() else { return BTreeSet::new() };
    let mut names = BTreeSet::new();
    for other in tests {
        names.extend(first.keys().chain(other.keys()).filter(|&name| first.get(name) != other.get(name)).cloned());
    }
    names
}

/// Settings in which different builds, machines and models differ anyway: they do not distinguish tests of one file.
const NOT_DISTINGUISHING: [&str; 5] = ["build_commit", "build_number", "cpu_info", "gpu_info", "model_type"];

/// The name of a run: the name of its test, followed by the settings in which the tests of the file differ.
fn run_name(test: &str, settings: &Settings, varying: &BTreeSet<String>) -> String {
    let distinguishes = |name: &&String| !NOT_DISTINGUISHING.contains(&name.as_str());
    let settings = varying.iter().filter(distinguishes).filter_map(|name| Some((name, settings.get(name)?)));
    settings.fold(test.to_owned(), |run, (name, value)| format!("{run}, {name}={value}"))
}

/// The engine and its build, if known.
fn engine(name: &str, build_commit: Option<&str>, build_number: Option<&str>) -> Software {
    let commit = build_commit.filter(|&commit| !commit.is_empty() && commit != "unknown");
    let number = build_number.filter(|&number| !number.is_empty() && number != "0");
    let version = match (commit, number) {
        (Some(commit), Some(number)) => Some(format!("{number} ({commit})")),
        (one, other) => one.or(other).map(str::to_owned),
    };
    Software { name: name.to_owned(), version }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_named_as_the_tool_names_them() {
        assert_eq!(test_name(64, 0, 0), "pp64");
        assert_eq!(test_name(0, 16, 512), "tg16 @ d512");
        assert_eq!(test_name(64, 16, 0), "pp64+tg16");
    }

    #[test]
    fn a_build_that_is_not_known_has_no_version() {
        assert_eq!(engine("llama.cpp", Some("unknown"), Some("0")).version, None);
        assert_eq!(engine("llama.cpp", Some("a1b2"), Some("6123")).version.as_deref(), Some("6123 (a1b2)"));
    }
}
