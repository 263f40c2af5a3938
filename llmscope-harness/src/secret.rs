//! Keys, which never leave by any door but the one to their vendor.

use std::fmt;

use http::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};

use crate::error::{Error, Result};

/// A key. It prints as `***`, is erased from memory when it is dropped, and can be struck out of a text.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// A key.
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

    /// A header that holds the key after `prefix`, marked so that no log shows it.
    pub(crate) fn header(&self, vendor: &'static str, prefix: &str) -> Result<HeaderValue> {
        let text = format!("{prefix}{}", self.expose());
        let mut value = HeaderValue::from_str(&text).map_err(|_| Error::Request {
            vendor,
            message: "the key holds characters that no header can".to_owned(),
        })?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// The text without the key: servers like to repeat a wrong one in their answer.
    #[must_use]
    pub fn struck_from(&self, text: &str) -> String {
        // A key of a letter or two would only shred the text.
        const SHORTEST: usize = 4;
        if self.expose().len() < SHORTEST { text.to_owned() } else { text.replace(self.expose(), "***") }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
