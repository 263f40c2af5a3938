//! The state of one response while its stream is read.

use std::collections::BTreeMap;

use crate::failure::{Failure, FailureKind};

/// What the events of a stream reported so far. Values that the vendor does not report stay absent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ResponseState {
    /// Tokens of the prompt.
    pub input_tokens: Option<u64>,
    /// Generated tokens, including reasoning.
    pub output_tokens: Option<u64>,
    /// Generated tokens that were reasoning.
    pub reasoning_tokens: Option<u64>,
    /// Tokens of the prompt that came from a cache.
    pub cached_tokens: Option<u64>,
    /// Tokens generated up to and including this event, where the vendor sends a running count.
    pub tokens_so_far: Option<u64>,
    /// True if this event has a place for text and no text: it can be a token, such as half of a character.
    pub silent: bool,
    /// True once reasoning was streamed as the server generated it, and not as a summary.
    pub streamed_reasoning: bool,
    /// True once the stream contained reasoning whose number of tokens may never be reported.
    pub uncounted_reasoning: bool,
    /// True once the stream identified a server that counts the end of the response as a token.
    pub counts_end_token: bool,
    /// The price that the vendor reported, in US dollars.
    pub cost_usd: Option<f64>,
    /// Why generation ended, as the vendor names it.
    pub finish_reason: Option<String>,
    /// The model that responded.
    pub model: Option<String>,
    /// The vendor's id of the response.
    pub id: Option<String>,
    /// The server times that the vendor reported, in seconds, by their names in sessions.
    pub server: BTreeMap<&'static str, f64>,
    /// The text of the response, if the caller keeps it.
    pub text: Option<String>,
    /// True once the stream reported that the content is complete.
    pub ended: bool,
    /// True once the stream sent its last event: no more data is expected.
    pub closed: bool,
}

impl ResponseState {
    /// The state before the first event. `keep_text` keeps the text of the response.
    #[must_use]
    pub fn new(keep_text: bool) -> Self {
        Self { text: keep_text.then(String::new), ..Self::default() }
    }

    /// Appends a part of the response text.
    pub fn push_text(&mut self, part: &str) {
        if let Some(text) = &mut self.text {
            text.push_str(part);
        }
    }

    /// True if the model ended the response, and not a limit on its tokens.
    #[must_use]
    pub fn ended_naturally(&self) -> bool {
        let by_limit = |reason: &str| {
            let reason = reason.to_ascii_lowercase();
            ["length", "max_", "incomplete"].iter().any(|word| reason.contains(word))
        };
        self.finish_reason.as_deref().is_some_and(|reason| !by_limit(reason))
    }

    /// Stores a server time. Negative and non-finite values are ignored.
    pub fn server_time(&mut self, name: &'static str, seconds: f64) {
        if seconds.is_finite() && seconds >= 0.0 {
            self.server.insert(name, seconds);
        }
    }
}

/// Converts an error that a vendor reports inside its stream, from its type or code and its message.
pub(crate) fn reported_failure(kind: &str, message: &str) -> Failure {
    let lower = kind.to_ascii_lowercase();
    let kind_is = |text: &[&str]| text.iter().any(|word| lower.contains(word));
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
        ("", text) => text.to_owned(),
        (kind, "") => kind.to_owned(),
        (kind, text) => format!("{kind}: {text}"),
    };
    Failure::new(known, message)
}
