//! Errors of the service and its store. Errors of a single request are responses and are not defined here.

use std::net::SocketAddr;

/// The service cannot start or continue.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting is invalid.
    #[error("invalid {name} {value}: {expected}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// Its value; never a key.
        value: String,
        /// What is wrong and what is accepted.
        expected: String,
    },
    /// The address can be reached from other machines, and there is no key.
    #[error(
        "cannot listen at {address} without a key, because other machines can reach it: set LLMSCOPE_API_KEY (or \
        LLMSCOPE_API_KEYS), or listen on 127.0.0.1"
    )]
    Open {
        /// The address.
        address: SocketAddr,
    },
    /// Other machines could guess a key.
    #[error(
        "cannot listen at {address} with the key \"{name}\" of fewer than 8 characters, because other machines could \
        guess it: create a key with `openssl rand -hex 24`, or listen on 127.0.0.1"
    )]
    ShortKey {
        /// The address.
        address: SocketAddr,
        /// The name of the key.
        name: String,
    },
    /// The service cannot listen at the address.
    #[error("cannot listen at {address}: {message}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The operating system's message.
        message: String,
    },
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Invalid limits, rules or metrics.
    #[error(transparent)]
    Core(#[from] llmscope_core::Error),
    /// The webhook's address or its spool is invalid.
    #[error("cannot set up the webhook: {0}")]
    Webhook(llmscope_harness::Error),
    /// The operating system refused a thread or the runtime.
    #[error("cannot start the service: {message}")]
    Start {
        /// The operating system's message.
        message: String,
    },
}

/// An error of the store.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Nothing has this id.
    #[error("there is no {what} {id}")]
    Absent {
        /// The kind of the missing object.
        what: &'static str,
        /// Its id.
        id: i64,
    },
    /// The disk is full.
    #[error("{place}: the disk is full; free some space")]
    Full {
        /// The store's file.
        place: String,
    },
    /// The file is damaged.
    #[error(
        "{place}: the file is damaged and was not changed ({message}); restore a backup, or move the file away to start \
        with an empty store"
    )]
    Damaged {
        /// The store's file.
        place: String,
        /// SQLite's message.
        message: String,
    },
    /// The file belongs to another program.
    #[error("{place}: {found}; it was not changed; choose another file")]
    Foreign {
        /// The file.
        place: String,
        /// What the file is.
        found: String,
    },
    /// A newer version of the service wrote the file.
    #[error(
        "{place}: written by a newer version (schema {found}; this version supports up to {known}); use that version"
    )]
    Newer {
        /// The store's file.
        place: String,
        /// Its schema's version.
        found: i64,
        /// The newest version that this build supports.
        known: i64,
    },
    /// Another process uses the store.
    #[error("{place}: in use by another process; stop it, or use another file")]
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
