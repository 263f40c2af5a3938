//! polars frames and Parquet or Arrow files for llmscope: sessions, tables, samples, and control charts by group.
//!
//! ```
//! use llmscope_core::{Plan, Session, Verdict};
//! use llmscope_polars::{ByGroup, frame_to_session, session_to_frame};
//! use llmscope_polars::polars::prelude::{IntoLazy, df};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // A session becomes a frame with one request per row, and the frame becomes the session again.
//! let text = r#"{"schema":"llmscope.session/1","records":[{"ttft_s":0.21},{"status":"timeout"}]}"#;
//! let session = Session::read("run.json", text)?.session;
//! let frame = session_to_frame(&session)?;
//! assert_eq!(frame.height(), 2);
//! assert_eq!(frame_to_session("frame", &frame)?, session);
//!
//! // Any frame: one control chart per group.
//! let latency_ms: Vec<f64> = (0..60).map(|i| 300.0 + f64::from(i * 4 % 11)).collect();
//! let model: Vec<&str> = (0..60).map(|i| if i % 2 == 0 { "small" } else { "large" }).collect();
//! let frame = df!("model" => model, "latency_ms" => latency_ms)?;
//! let analyses = ByGroup::of("latency_ms").by(["model"]).analyze(frame.lazy(), &Plan::default())?;
//! assert_eq!(analyses.len(), 2);
//! # Ok(())
//! # }
//! ```
//!
//! # Overview
//! - [`read_parquet`], [`write_parquet`], [`read_ipc`], [`write_ipc`]: files; [`FileKind`] recognizes them by content.
//! - [`session_to_frame`], [`frame_to_session`]: the flat form of `docs/session-format.md`, lossless.
//! - [`table_of`], [`table_to_frame`]: frames whose meaning only the names of their columns indicate.
//! - [`sample`], [`gather`]: a column as measurements, without a copy if it is contiguous.
//! - [`ByGroup`]: a lazy group-by with one analysis per group; from a file, only the needed columns are read.
//!
//! # Panics in polars
//! Panics of polars become an [`Error`]. See [`read_bytes`] for the one failure that cannot be caught.

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
