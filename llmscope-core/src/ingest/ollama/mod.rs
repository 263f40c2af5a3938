//! Ollama: responses of its server (`/api/generate`, `/api/chat`), and results of its own benchmark (`cmd/bench`).
//!
//! Traps: the server's times are in nanoseconds and contain no network time. `created_at` is the time of the end.
//! Fields that are zero are omitted.

mod bench;
mod responses;

use super::tool::{Format, Reading};

pub(super) const RESPONSES: Format = Format {
    name: "ollama",
    title: "Ollama responses",
    recognizes: |signature| {
        let has = |name: &str| signature.has(name) || signature.has(&format!("[].{name}"));
        ["model", "created_at", "done"].into_iter().all(has) && (has("response") || has("message"))
    },
    reading: Reading::Whole(responses::read),
};

pub(super) const BENCH: Format = Format {
    name: "ollama-bench",
    title: "Ollama cmd/bench results (CSV or benchstat lines)",
    recognizes: |signature| {
        signature.has_columns(&bench::COLUMNS)
            || (!signature.is_json() && signature.text.lines().take(bench::FIRST_LINES).any(bench::is_line))
    },
    reading: Reading::Whole(bench::read),
};
