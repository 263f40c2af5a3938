//! Responses that are files.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use llmscope_core::Session;
use schemars::JsonSchema;
use serde::Deserialize;

use super::api_error::ApiError;

/// The file format of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum FileFormat {
    /// One JSON document.
    #[default]
    Json,
    /// JSON Lines.
    Jsonl,
    /// CSV, one request per row.
    Csv,
    /// Parquet, in builds with the feature `parquet`.
    Parquet,
}

impl FileFormat {
    /// The media type.
    pub(super) const fn kind(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Jsonl => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }

    /// The extension of a file's name.
    pub(super) const fn extension(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }

    /// Writes a session as a file.
    pub(super) fn file(self, session: &Session, name: &str) -> Result<Response, ApiError> {
        let content = match self {
            Self::Json => session.to_json()?.into_bytes(),
            Self::Jsonl => session.to_json_lines()?.into_bytes(),
            Self::Csv => session.to_csv()?.into_bytes(),
            Self::Parquet => parquet(session)?,
        };
        Ok(file(content, self.kind(), &format!("{name}.{}", self.extension())))
    }
}

/// A file to save under this name.
pub(super) fn file(content: impl Into<Body>, kind: &'static str, name: &str) -> Response {
    // Only characters that are safe in a header and in every file system.
    let safe: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' }).take(100).collect();
    let headers = [(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, format!("attachment; filename=\"{safe}\""))];
    (headers, content.into()).into_response()
}

#[cfg(feature = "parquet")]
fn parquet(session: &Session) -> Result<Vec<u8>, ApiError> {
    let broken = |error: llmscope_polars::Error| {
        tracing::error!(%error, "cannot write a session as Parquet");
        ApiError::Internal
    };
    let frame = llmscope_polars::session_to_frame(session).map_err(broken)?;
    llmscope_polars::to_bytes(&frame, llmscope_polars::FileKind::Parquet).map_err(broken)
}

#[cfg(not(feature = "parquet"))]
fn parquet(_: &Session) -> Result<Vec<u8>, ApiError> {
    let message = "this build does not support parquet: use csv or jsonl, or a build with it \
    (cargo install --path llmscope-cli --features parquet)";
    Err(ApiError::NotBuilt(message.to_owned()))
}
