//! polars frames and Parquet or Arrow files for LLMscope: sessions, tables, samples, and control charts by group.
//!
//! ```
//! use llmscope_core::{Plan, Session, Verdict};
//! use llmscope_polars::{ByGroup, frame_to_session, session_to_frame};
//! use llmscope_polars::polars::prelude::{IntoLazy, df};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // A session is a frame with one request a row, and comes back from it.
//! let text = r#"{"schema":"llmscope.session/1","records":[{"ttft_s":0.21},{"status":"timeout"}]}"#;
//! let session = Session::read("run.json", text)?.session;
//! let frame = session_to_frame(&session)?;
//! assert_eq!(frame.height(), 2);
//! assert_eq!(frame_to_session("frame", &frame)?, session);
//!
//! // Any frame: one control chart for each group.
//! let latency_ms: Vec<f64> = (0..60).map(|i| 300.0 + f64::from(i * 4 % 11)).collect();
//! let model: Vec<&str> = (0..60).map(|i| if i % 2 == 0 { "small" } else { "large" }).collect();
//! let frame = df!("model" => model, "latency_ms" => latency_ms)?;
//! let analyses = ByGroup::of("latency_ms").by(["model"]).analyze(frame.lazy(), &Plan::default())?;
//! assert_eq!(analyses.len(), 2);
//! # Ok(())
//! # }
//! ```
//!
//! # What is where
//! - [`read_parquet`], [`write_parquet`], [`read_ipc`], [`write_ipc`]: files; [`FileKind`] recognizes them by content.
//! - [`session_to_frame`], [`frame_to_session`]: the flat form of `docs/session-format.md`, without loss.
//! - [`table_of`], [`table_to_frame`]: frames whose meaning only the names of their columns tell.
//! - [`sample`], [`gather`]: a column as measurements; without a copy where it is contiguous.
//! - [`ByGroup`]: a lazy group-by with one analysis for each group; of a file, only the columns that it needs are read.
//!
//! # What it does not do
//! It leaks no panic of polars: what polars cannot read or compute is an [`Error`]; see [`read_bytes`] for the one thing
//! that cannot be caught.

mod error;
mod files;
mod groups;
mod sample;
mod session;
mod table;
mod value;

pub use error::{Error, Result};
pub use files::{FileKind, read_bytes, read_ipc, read_parquet, scan, to_bytes, write_ipc, write_parquet};
pub use groups::ByGroup;
pub use polars;
pub use sample::{gather, sample};
pub use session::{frame_to_session, is_session, session_to_frame};
pub use table::{table_of, table_to_frame};
