//! What keeps a run from beginning. What happens to single requests is a [`Failure`](crate::Failure), and recorded.

/// A run, a probe or a monitor cannot do what was asked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file, a name or a number.
    #[error(transparent)]
    Core(#[from] llmscope_core::Error),
    /// A setting of the run lies outside its domain, or contradicts another.
    #[error("{name} is {value}: {expected}")]
    Setting {
        /// The setting's name.
        name: &'static str,
        /// The offending value, as text.
        value: String,
        /// What would be accepted.
        expected: String,
    },
    /// An address that cannot be asked.
    #[error("{url}: {problem}")]
    Url {
        /// The address, without anything secret.
        url: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The vendor wants a key and the environment has none.
    #[error("{vendor} needs a key: set {variables} in the environment")]
    MissingKey {
        /// The vendor.
        vendor: &'static str,
        /// The variables that are looked at.
        variables: String,
    },
    /// Encryption cannot be set up.
    #[error("TLS: {message}")]
    Tls {
        /// What is wrong.
        message: String,
    },
    /// A request cannot be put together or signed.
    #[error("{vendor}: {message}")]
    Request {
        /// The vendor.
        vendor: &'static str,
        /// What is wrong.
        message: String,
    },
    /// A service was asked for a document and did not give it.
    #[error("{url}: {failure}")]
    Inquiry {
        /// Where it was asked.
        url: String,
        /// What happened instead.
        failure: crate::Failure,
    },
    /// The endpoint was asked for its models and did not say.
    #[error("{url} does not list its models ({failure}): name one with --model")]
    NoModels {
        /// Where it was asked.
        url: String,
        /// What happened instead.
        failure: crate::Failure,
    },
    /// The thread that measures could not be started.
    #[error("cannot start measuring: {message}")]
    Start {
        /// The operating system's words.
        message: String,
    },
}

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;
