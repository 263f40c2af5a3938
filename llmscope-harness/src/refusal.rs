//! Answers that are none: their words, and how long the server wants to be left alone.

use std::time::Duration;

use http::HeaderMap;
use serde_json::Value;
use tokio::time::timeout;

use crate::failure::{Failure, FailureKind};
use crate::framing::Framing;
use crate::request::GRACE;
use crate::transport::Exchange;

/// So much of an error's body is read.
const ERROR_BODY: usize = 64 << 10;

/// The beginning of a body that is no answer, as far as it comes soon.
pub(crate) async fn some_of_the_body<E: Exchange>(exchange: &mut E) -> Vec<u8> {
    let mut body = Vec::new();
    let read = timeout(GRACE, async {
        while let Some(Ok(frame)) = exchange.next().await {
            body.extend_from_slice(&frame.bytes);
            if body.len() >= ERROR_BODY {
                break;
            }
        }
    });
    let _ = read.await;
    body
}

/// The words of an error's body, whatever its form: a few of them.
pub(crate) fn words_of(body: &[u8]) -> String {
    const MOST_CHARACTERS: usize = 300;
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let json = json.as_array().and_then(|list| list.first()).unwrap_or(&json);
    let said = [&json["error"]["message"], &json["message"], &json["error"], &json["detail"]];
    let words = said.into_iter().find_map(Value::as_str).map_or_else(|| String::from_utf8_lossy(body), Into::into);
    let words: String = words.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(MOST_CHARACTERS) {
        Some((at, _)) => format!("{}…", &words[..at]),
        None => words,
    }
}

/// How long the server asks to be left alone (RFC 9110, section 10.2.3, and the form in milliseconds).
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    const LONGEST: Duration = Duration::from_secs(3600);
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let number = |text: &str, unit: f64| Duration::try_from_secs_f64(text.parse::<f64>().ok()? * unit).ok();
    let until = |date: &str| {
        let date = httpdate::parse_http_date(date).ok()?;
        Some(date.duration_since(std::time::SystemTime::now()).unwrap_or_default())
    };
    let asked = text("retry-after-ms").and_then(|ms| number(ms, 1e-3));
    let asked = asked.or_else(|| text("retry-after").and_then(|after| number(after, 1.0).or_else(|| until(after))));
    asked.map(|asked| asked.min(LONGEST))
}

/// Refuses an answer that says itself that it is no stream of this framing.
pub(crate) async fn check_content_type<E: Exchange>(exchange: &mut E, framing: Framing) -> Result<(), Failure> {
    let declared = exchange.head().headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    match declared {
        Some(declared) if !framing.accepts(declared) => {
            let declared = declared.to_owned();
            let body = some_of_the_body(exchange).await;
            let words = format!("{declared} instead of a stream: {}", words_of(&body));
            Err(Failure::new(FailureKind::WrongContentType, words))
        }
        _ => Ok(()),
    }
}
