//! The one error type of this crate.

use std::panic::{AssertUnwindSafe, catch_unwind};

use polars::error::{PolarsError, PolarsResult};

/// The request cannot be fulfilled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An error of the core about a value, a file or a name.
    #[error(transparent)]
    Core(#[from] llmscope_core::Error),
    /// An error from polars.
    #[error("polars: {0}")]
    Polars(#[from] PolarsError),
    /// A panic in polars, as may happen with a damaged file.
    #[error(
        "{what}: polars panicked ({message}); the data may be damaged, or of a type that this build does not \
             support"
    )]
    Panicked {
        /// The operation.
        what: String,
        /// The message of the panic.
        message: String,
    },
    /// A column type that a table cannot hold.
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

/// Runs polars and converts its panics to errors.
pub(crate) fn guarded<T>(what: &str, work: impl FnOnce() -> PolarsResult<T>) -> Result<T> {
    // Nothing that the closure captures is used after a panic.
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => Ok(result?),
        Err(panic) => {
            let message = panic.downcast_ref::<String>().map(String::as_str);
            let message = message.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason given");
            Err(Error::Panicked { what: what.to_owned(), message: message.to_owned() })
        }
    }
}
