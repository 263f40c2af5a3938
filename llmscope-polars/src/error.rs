//! The one error type of this crate.

use std::panic::{AssertUnwindSafe, catch_unwind};

use polars::error::{PolarsError, PolarsResult};

/// What was asked for cannot be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A value, a file or a name, as the core says it.
    #[error(transparent)]
    Core(#[from] llmscope_core::Error),
    /// polars refused.
    #[error("polars: {0}")]
    Polars(#[from] PolarsError),
    /// polars panicked, as it may on a damaged file.
    #[error("{what}: polars gave up ({message}); the data may be damaged, or of a kind that this build lacks")]
    Panicked {
        /// What was being done.
        what: String,
        /// Its last words.
        message: String,
    },
    /// A column is of a type that has no place in a table.
    #[error("{source_name}: column {column} holds {found}; drop it or cast it first")]
    Unsupported {
        /// The file or frame.
        source_name: String,
        /// The column.
        column: String,
        /// Its type.
        found: String,
    },
}

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Runs polars, with its panics as errors.
pub(crate) fn guarded<T>(what: &str, work: impl FnOnce() -> PolarsResult<T>) -> Result<T> {
    // Nothing that the closure holds is used after a panic.
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => Ok(result?),
        Err(panic) => {
            let words = panic.downcast_ref::<String>().map(String::as_str);
            let message = words.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason given");
            Err(Error::Panicked { what: what.to_owned(), message: message.to_owned() })
        }
    }
}
