//! What one answer turned out to be.

use std::collections::BTreeMap;

use crate::failure::{Failure, FailureKind};

/// What the messages of a stream have said so far. What the vendor does not report stays absent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// Tokens of the prompt.
    pub input_tokens: Option<u64>,
    /// Tokens generated, reasoning included.
    pub output_tokens: Option<u64>,
    /// Tokens of the answer that were reasoning.
    pub reasoning_tokens: Option<u64>,
    /// Tokens of the prompt that came from a cache.
    pub cached_tokens: Option<u64>,
    /// Tokens generated up to and including this message, where the vendor counts along.
    pub tokens_so_far: Option<u64>,
    /// What the vendor charged, in US dollars.
    pub cost_usd: Option<f64>,
    /// Why generation ended, in the vendor's word.
    pub finish_reason: Option<String>,
    /// The model that answered.
    pub model: Option<String>,
    /// The vendor's name for the answer.
    pub id: Option<String>,
    /// The vendor's own times, in seconds, by the names under which sessions keep them.
    pub server: BTreeMap<&'static str, f64>,
    /// The words, if somebody will need them.
    pub text: Option<String>,
    /// True once the stream has said that nothing more belongs to the answer.
    pub ended: bool,
    /// True once the stream has said all that it ever says: waiting for more is pointless.
    pub closed: bool,
}

impl Answer {
    /// An answer of which nothing has come; `keep_text` if the words will be needed.
    #[must_use]
    pub fn new(keep_text: bool) -> Self {
        Self { text: keep_text.then(String::new), ..Self::default() }
    }

    /// Adds words of the answer.
    pub fn say(&mut self, words: &str) {
        if let Some(text) = &mut self.text {
            text.push_str(words);
        }
    }

    /// Notes a time that the vendor reports, unless it cannot be one.
    pub fn server_time(&mut self, name: &'static str, seconds: f64) {
        if seconds.is_finite() && seconds >= 0.0 {
            self.server.insert(name, seconds);
        }
    }
}

/// The failure that a vendor reports inside its stream: its type or code, and its words.
pub(crate) fn reported(kind: &str, message: &str) -> Failure {
    let lower = kind.to_ascii_lowercase();
    let kind_is = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let known = if kind_is(&["rate_limit", "ratelimit", "throttl", "429", "resource_exhausted"]) {
        FailureKind::RateLimited
    } else if kind_is(&["overload", "unavailable", "529", "503"]) {
        FailureKind::Overloaded
    } else if kind_is(&["auth", "permission", "401", "403"]) {
        FailureKind::Unauthorized
    } else if kind_is(&["timeout", "timed", "deadline", "504"]) {
        FailureKind::Timeout
    } else if kind_is(&["not_found", "404"]) {
        FailureKind::NotFound
    } else if kind_is(&["invalid", "validation", "bad_request", "400"]) {
        FailureKind::BadRequest
    } else {
        FailureKind::ServerError
    };
    let message = match (kind, message) {
        ("", words) => words.to_owned(),
        (kind, "") => kind.to_owned(),
        (kind, words) => format!("{kind}: {words}"),
    };
    Failure::new(known, message)
}
