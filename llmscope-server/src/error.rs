//! What can go wrong with the service as a whole. What is wrong with a request is answered, and no error here.

use std::net::SocketAddr;

/// The service cannot start or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting cannot be.
    #[error("{name} {value}: {expected}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// What it was; never a key.
        value: String,
        /// What it must be.
        expected: String,
    },
    /// It was asked to listen where others can reach it, without a key.
    #[error(
        "{address} can be reached from other machines, and there is no key: set LLMSCOPE_API_KEY (or LLMSCOPE_API_KEYS), \
         or listen on 127.0.0.1"
    )]
    Open {
        /// Where it was to listen.
        address: SocketAddr,
    },
    /// The address cannot be listened at.
    #[error("cannot listen at {address}: {message}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The operating system's words.
        message: String,
    },
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Limits, rules or metrics that are none.
    #[error(transparent)]
    Core(#[from] llmscope_core::Error),
    /// The webhook's address is none.
    #[error("the webhook: {0}")]
    Webhook(llmscope_harness::Error),
    /// No thread or runtime could be had.
    #[error("the service could not start: {message}")]
    Start {
        /// The operating system's words.
        message: String,
    },
}

/// The store refuses.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is nothing of this number.
    #[error("there is no {what} {id}")]
    Absent {
        /// The kind of thing.
        what: &'static str,
        /// Its number.
        id: i64,
    },
    /// No room is left.
    #[error("{place}: the disk is full; make room on it")]
    Full {
        /// The store's file.
        place: String,
    },
    /// The file is damaged.
    #[error(
        "{place}: damaged, and left as it is ({message}); put a backup in its place, or move it away to begin anew"
    )]
    Damaged {
        /// The store's file.
        place: String,
        /// SQLite's words.
        message: String,
    },
    /// The file belongs to another program.
    #[error("{place}: {found}, and left as it is; name another file")]
    Foreign {
        /// The file.
        place: String,
        /// What it is.
        found: String,
    },
    /// A later version of the service wrote it.
    #[error("{place}: written by a later version (schema {found}, this one knows {known}); use that version")]
    Newer {
        /// The store's file.
        place: String,
        /// Its schema's version.
        found: i64,
        /// The last that is known here.
        known: i64,
    },
    /// Another process writes to it.
    #[error("{place}: in use by another process")]
    Busy {
        /// The store's file.
        place: String,
    },
    /// Anything else.
    #[error("{place}: {message}")]
    Other {
        /// The store's file.
        place: String,
        /// What happened.
        message: String,
    },
}

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;
