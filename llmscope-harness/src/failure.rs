//! Why a request failed, by kind.

use std::fmt;
use std::time::Duration;

use llmscope_core::session::{RequestError, Status};

/// The kind of a failure. Its name is written to sessions (OpenTelemetry: `error.type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FailureKind {
    /// The host name could not be resolved.
    Dns,
    /// No server listens at the address.
    ConnectionRefused,
    /// The connection could not be opened, or closed before the response began.
    Connection,
    /// The TLS handshake failed.
    Tls,
    /// No complete response within the time limit.
    Timeout,
    /// 401 or 403.
    Unauthorized,
    /// 404: a wrong path or an unknown model.
    NotFound,
    /// Another 4xx status.
    BadRequest,
    /// 429, or the same error inside a stream.
    RateLimited,
    /// 503 or 529, or the same error inside a stream.
    Overloaded,
    /// Another 5xx status, or another error inside a stream.
    ServerError,
    /// The response is not a stream of the expected content type.
    WrongContentType,
    /// The stream violates its format.
    Malformed,
    /// The stream ended before the response was complete.
    Cut,
    /// An event of the stream exceeds the size limit.
    TooLarge,
    /// The stream ended properly but had no data.
    Empty,
}

impl FailureKind {
    /// The name in sessions.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::ConnectionRefused => "connection_refused",
            Self::Connection => "connection",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Unauthorized => "unauthorized",
            Self::NotFound => "not_found",
            Self::BadRequest => "bad_request",
            Self::RateLimited => "rate_limited",
            Self::Overloaded => "overloaded",
            Self::ServerError => "server_error",
            Self::WrongContentType => "wrong_content_type",
            Self::Malformed => "malformed",
            Self::Cut => "cut",
            Self::TooLarge => "too_large",
            Self::Empty => "empty",
        }
    }

    /// The kind for an HTTP status; `None` for a success.
    #[must_use]
    pub const fn of_status(status: u16) -> Option<Self> {
        match status {
            200..=299 => None,
            401 | 403 => Some(Self::Unauthorized),
            404 => Some(Self::NotFound),
            408 | 504 => Some(Self::Timeout),
            429 => Some(Self::RateLimited),
            503 | 529 => Some(Self::Overloaded),
            500..=599 => Some(Self::ServerError),
            _ => Some(Self::BadRequest),
        }
    }

    /// True if a retry can succeed.
    #[must_use]
    pub const fn is_transient(self) -> bool {
        matches!(
            self,
            Self::ConnectionRefused | Self::Connection | Self::RateLimited | Self::Overloaded | Self::ServerError
        )
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A failed request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct Failure {
    /// Its kind.
    pub kind: FailureKind,
    /// The HTTP status, if there was one.
    pub code: Option<u16>,
    /// The error message of the server or of the client.
    pub message: String,
    /// How long the server asks the client to wait.
    pub retry_after: Option<Duration>,
}

impl Failure {
    /// A failure without an HTTP status.
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, code: None, message: message.into(), retry_after: None }
    }

    /// The status for the record of the request.
    #[must_use]
    pub fn status(&self) -> Status {
        if self.kind == FailureKind::Timeout { Status::Timeout } else { Status::Error }
    }

    /// The error for the record of the request.
    #[must_use]
    pub fn to_error(&self) -> RequestError {
        RequestError {
            kind: self.kind.name().to_owned(),
            code: self.code.map(i64::from),
            message: (!self.message.is_empty()).then(|| self.message.clone()),
        }
    }
}
