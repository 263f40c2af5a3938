//! API keys and other secrets.

use std::fmt;

use http::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};

use crate::error::{Error, Result};

/// An API key. It prints as `***`, is erased from memory when dropped, and can be redacted from a text.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Creates a secret from a key; surrounding space is removed.
    #[must_use]
    pub fn new(key: &str) -> Self {
        Self(SecretString::from(key.trim()))
    }

    /// The first of these environment variables that is set and not empty.
    #[must_use]
    pub fn from_environment(variables: &[&str]) -> Option<Self> {
        let values = variables.iter().filter_map(|name| std::env::var(name).ok());
        values.map(|value| Self::new(&value)).find(|secret| !secret.expose().is_empty())
    }

    /// The key itself.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// A header value with the key after `prefix`, marked as sensitive so that logs do not show it.
    pub(crate) fn header(&self, vendor: &'static str, prefix: &str) -> Result<HeaderValue> {
        let text = format!("{prefix}{}", self.expose());
        let mut value = HeaderValue::from_str(&text).map_err(|_| Error::Request {
            vendor,
            message: "the key contains characters that an HTTP header does not allow".to_owned(),
        })?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// The text with the key replaced by `***`. Servers often repeat a wrong key in their error message.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        // Replacing a very short key would make the text unreadable.
        const SHORTEST: usize = 4;
        if self.expose().len() < SHORTEST { text.to_owned() } else { text.replace(self.expose(), "***") }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
