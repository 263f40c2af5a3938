//! Why a request failed, by kinds that can be counted.

use std::fmt;
use std::time::Duration;

use llmscope_core::session::{RequestError, Status};

/// The kind of a failure. Its name is written to sessions (OpenTelemetry: `error.type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FailureKind {
    /// The name of the host could not be resolved.
    Dns,
    /// Nobody listens there.
    ConnectionRefused,
    /// The connection could not be opened, or broke before the answer began.
    Connection,
    /// The TLS handshake failed.
    Tls,
    /// No complete answer in the time allowed.
    Timeout,
    /// 401 or 403.
    Unauthorized,
    /// 404: a wrong path or an unknown model.
    NotFound,
    /// Another status in the four hundreds.
    BadRequest,
    /// 429, or the same said inside a stream.
    RateLimited,
    /// 503 or 529, or the same said inside a stream.
    Overloaded,
    /// Another status in the five hundreds, or an error said inside a stream.
    ServerError,
    /// The answer is no stream of the expected kind.
    WrongContentType,
    /// The stream breaks its own format.
    Malformed,
    /// The stream ended before the answer did.
    Cut,
    /// A message of the stream is larger than any answer.
    TooLarge,
    /// The stream ended properly and said nothing.
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

    /// The kind that an HTTP status stands for; `None` for a success.
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

    /// True if the same request may succeed a little later.
    #[must_use]
    pub const fn passes(self) -> bool {
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
    /// The HTTP status, where there was one.
    pub code: Option<u16>,
    /// The server's words, or what the client saw.
    pub message: String,
    /// How long the server asks to be left alone.
    pub retry_after: Option<Duration>,
}

impl Failure {
    /// A failure that the client saw.
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, code: None, message: message.into(), retry_after: None }
    }

    /// How the record of the request says it.
    #[must_use]
    pub fn status(&self) -> Status {
        if self.kind == FailureKind::Timeout { Status::Timeout } else { Status::Error }
    }

    /// What the record of the request keeps.
    #[must_use]
    pub fn to_error(&self) -> RequestError {
        RequestError {
            kind: self.kind.name().to_owned(),
            code: self.code.map(i64::from),
            message: (!self.message.is_empty()).then(|| self.message.clone()),
        }
    }
}
