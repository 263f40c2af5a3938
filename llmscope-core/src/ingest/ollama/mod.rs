//! Ollama: what its server answers, and what its own benchmark prints.

mod bench;
mod responses;

use super::tool::{Format, Reading};

pub(super) const RESPONSES: Format = Format {
    name: "ollama",
    title: "Ollama responses",
    recognizes: |outline| {
        let has = |name: &str| outline.has(name) || outline.has(&format!("[].{name}"));
        ["model", "created_at", "done"].into_iter().all(has) && (has("response") || has("message"))
    },
    reading: Reading::Whole(responses::read),
};

pub(super) const BENCH: Format = Format {
    name: "ollama-bench",
    title: "Ollama cmd/bench results (CSV or benchstat lines)",
    recognizes: |outline| {
        outline.has_columns(&bench::COLUMNS)
            || (!outline.is_json() && outline.text.lines().take(bench::FIRST_LINES).any(bench::is_line))
    },
    reading: Reading::Whole(bench::read),
};
