//! Error responses: their message, their `retry-after`, and responses of the wrong content type.

use std::time::Duration;

use http::HeaderMap;
use serde_json::Value;
use tokio::time::timeout;

use crate::failure::{Failure, FailureKind};
use crate::framing::Framing;
use crate::request::GRACE;
use crate::transport::Exchange;

/// Maximum number of bytes to read of an error body.
const ERROR_BODY: usize = 64 << 10;

/// Reads the beginning of an error body, for at most [`GRACE`].
pub(crate) async fn read_error_body<E: Exchange>(exchange: &mut E) -> Vec<u8> {
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

/// The error message in a body of any vendor's format, or the body itself, shortened.
pub(crate) fn error_message(body: &[u8]) -> String {
    const MOST_CHARACTERS: usize = 300;
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let json = json.as_array().and_then(|list| list.first()).unwrap_or(&json);
    let fields = [&json["error"]["message"], &json["message"], &json["error"], &json["detail"]];
    let message = fields.into_iter().find_map(Value::as_str).map_or_else(|| String::from_utf8_lossy(body), Into::into);
    let message: String = message.split_whitespace().collect::<Vec<_>>().join(" ");
    match message.char_indices().nth(MOST_CHARACTERS) {
        Some((at, _)) => format!("{}…", &message[..at]),
        None => message,
    }
}

/// How long the server asks to wait (RFC 9110, section 10.2.3, and `retry-after-ms` in milliseconds). LiteLLM passes
/// these headers of the server behind it on with the prefix `llm_provider-`.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    const LONGEST: Duration = Duration::from_secs(3600);
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let number = |text: &str, unit: f64| Duration::try_from_secs_f64(text.parse::<f64>().ok()? * unit).ok();
    let until = |date: &str| {
        let date = httpdate::parse_http_date(date).ok()?;
        Some(date.duration_since(std::time::SystemTime::now()).unwrap_or_default())
    };
    let milliseconds = ["retry-after-ms", "llm_provider-retry-after-ms"].into_iter().find_map(text);
    let seconds = ["retry-after", "llm_provider-retry-after"].into_iter().find_map(text);
    let delay = milliseconds.and_then(|ms| number(ms, 1e-3));
    let delay = delay.or_else(|| seconds.and_then(|after| number(after, 1.0).or_else(|| until(after))));
    delay.map(|delay| delay.min(LONGEST))
}

/// Fails if the content type of a response does not match the framing, or if the response is compressed.
pub(crate) async fn check_content_type<E: Exchange>(exchange: &mut E, framing: Framing) -> Result<(), Failure> {
    let encoding = exchange.head().headers.get(http::header::CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    if let Some(encoding) = encoding.filter(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        let message = format!(
            "expected an uncompressed stream, found content-encoding {encoding:?}: turn off the compression of event \
             streams on the server or its proxy"
        );
        return Err(Failure::new(FailureKind::WrongContentType, message));
    }
    let declared = exchange.head().headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    match declared {
        Some(declared) if !framing.accepts(declared) => {
            let declared = declared.to_owned();
            let body = read_error_body(exchange).await;
            let message = format!("expected a stream, found {declared}: {}", error_message(&body));
            Err(Failure::new(FailureKind::WrongContentType, message))
        }
        _ => Ok(()),
    }
}
