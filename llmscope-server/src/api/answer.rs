//! Answers that are files.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use llmscope_core::Session;
use schemars::JsonSchema;
use serde::Deserialize;

use super::problem::Problem;

/// How requests are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum FileFormat {
    /// One JSON document.
    #[default]
    Json,
    /// JSON Lines.
    Jsonl,
    /// One request a row.
    Csv,
    /// Parquet, in builds that have it.
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

    /// The ending of a file's name.
    pub(super) const fn ending(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }

    /// A session as a file.
    pub(super) fn file(self, session: &Session, name: &str) -> Result<Response, Problem> {
        let content = match self {
            Self::Json => session.to_json()?.into_bytes(),
            Self::Jsonl => session.to_json_lines()?.into_bytes(),
            Self::Csv => session.to_csv()?.into_bytes(),
            Self::Parquet => parquet(session)?,
        };
        Ok(file(content, self.kind(), &format!("{name}.{}", self.ending())))
    }
}

/// A file to be saved under a name.
pub(super) fn file(content: impl Into<Body>, kind: &'static str, name: &str) -> Response {
    // What is safe in a header and in every file system.
    let safe: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' }).take(100).collect();
    let headers = [(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, format!("attachment; filename=\"{safe}\""))];
    (headers, content.into()).into_response()
}

#[cfg(feature = "parquet")]
fn parquet(session: &Session) -> Result<Vec<u8>, Problem> {
    let broken = |error: llmscope_polars::Error| {
        tracing::error!(%error, "a session could not be written as Parquet");
        Problem::Internal
    };
    let frame = llmscope_polars::session_to_frame(session).map_err(broken)?;
    llmscope_polars::to_bytes(&frame, llmscope_polars::FileKind::Parquet).map_err(broken)
}

#[cfg(not(feature = "parquet"))]
fn parquet(_: &Session) -> Result<Vec<u8>, Problem> {
    let words = "this build has no Parquet (cargo install --path llmscope-cli --features parquet): take csv or jsonl";
    Err(Problem::NotBuilt(words.to_owned()))
}
