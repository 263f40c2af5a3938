//! Derives the reason for a failure from the error text of tools that record nothing else.

use crate::session::{RequestError, Status};

/// How a request ended, and why, from the text or traceback of an exception or from an HTTP reason phrase.
///
/// OpenTelemetry's `error.type` has few distinct values. For a Python exception it is the class, which precedes the
/// message on the last line of a traceback (`aiohttp.ClientError: …`) and the parenthesis of a `repr`
/// (`ReadTimeout('')`). For other texts it is the last line.
pub(super) fn of_text(text: &str) -> (Status, RequestError) {
    let text = text.trim();
    let last = text.lines().next_back().unwrap_or_default().trim();
    let class = last.split([':', '(']).next().unwrap_or_default();
    let is_class = !class.is_empty() && class.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
    let kind = if is_class { class } else { last };
    let status = if is_class && (class.ends_with("Timeout") || class.ends_with("TimeoutError")) {
        Status::Timeout
    } else {
        Status::Error
    };
    let kind = if kind.is_empty() { "_OTHER" } else { kind };
    (status, RequestError { kind: kind.to_owned(), code: None, message: (!text.is_empty()).then(|| text.to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_class_of_an_exception_is_its_kind() {
        for (text, status, kind) in [
            (
                "Traceback (most recent call last):\n  File \"a.py\", line 1\naiohttp.ClientError: cut\n",
                Status::Error,
                "aiohttp.ClientError",
            ),
            ("ReadTimeout('')", Status::Timeout, "ReadTimeout"),
            ("asyncio.exceptions.TimeoutError", Status::Timeout, "asyncio.exceptions.TimeoutError"),
            ("Gateway Timeout", Status::Error, "Gateway Timeout"),
            ("Too Many Requests", Status::Error, "Too Many Requests"),
            ("", Status::Error, "_OTHER"),
        ] {
            let (found, error) = of_text(text);
            assert_eq!((found, error.kind.as_str()), (status, kind), "{text:?}");
        }
    }
}
