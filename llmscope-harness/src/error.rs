//! Errors that prevent a run from starting. A failed request is a [`Failure`](crate::Failure), and is recorded.

/// A run, a probe or a monitor cannot start.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An error of the core, about a file, a name or a number.
    #[error(transparent)]
    Core(#[from] llmscope_core::Error),
    /// A setting is invalid, or contradicts another setting.
    #[error("{}: {expected}", subject(name, value))]
    Setting {
        /// The setting's name.
        name: &'static str,
        /// The value, as text.
        value: String,
        /// What is accepted.
        expected: String,
    },
    /// An invalid address.
    #[error("{url}: {problem}")]
    Url {
        /// The address, without secrets.
        url: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The vendor requires an API key and the environment has none.
    #[error("{vendor} needs a key: set {variables} in the environment")]
    MissingKey {
        /// The vendor.
        vendor: &'static str,
        /// The environment variables that can hold the key.
        variables: String,
    },
    /// TLS cannot be set up.
    #[error("TLS: {message}")]
    Tls {
        /// What is wrong.
        message: String,
    },
    /// A request cannot be built or signed.
    #[error("{vendor}: {message}")]
    Request {
        /// The vendor.
        vendor: &'static str,
        /// What is wrong.
        message: String,
    },
    /// A document could not be fetched.
    #[error("{url}: {failure}")]
    Fetch {
        /// The address.
        url: String,
        /// Why the request failed.
        failure: crate::Failure,
    },
    /// The endpoint did not list its models.
    #[error("{url} {}", without_models(failure))]
    NoModels {
        /// The address.
        url: String,
        /// Why the request failed.
        failure: crate::Failure,
    },
    /// The measuring thread could not be started.
    #[error("cannot start measuring: {message}")]
    Start {
        /// The message of the operating system.
        message: String,
    },
}

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an endpoint did not list its models, and what to do: a server that does not answer needs no model.
fn without_models(failure: &crate::Failure) -> String {
    use crate::FailureKind::{Connection, ConnectionRefused, Dns, Timeout, Tls};
    match failure.kind {
        Dns | ConnectionRefused | Connection | Timeout | Tls => {
            format!("does not answer ({failure}): check the address and the port of --url, and that the server runs")
        }
        _ => format!("does not list its models ({failure}): set one with --model"),
    }
}

/// `invalid --rate 0`, or `missing --model` for an empty value.
fn subject(name: &str, value: &str) -> String {
    if value.is_empty() { format!("missing {name}") } else { format!("invalid {name} {value}") }
}
