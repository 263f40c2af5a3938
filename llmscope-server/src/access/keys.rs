//! Keys, their names and scopes.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

use crate::error::{Error, Result};

/// What a key may do. Each scope includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Read data.
    Read,
    /// Send records, sessions and limits; annotate violations.
    Write,
    /// Remove data, take backups.
    Admin,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Admin];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

impl FromStr for Scope {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|scope| scope.name() == name).ok_or(())
    }
}

/// The caller of a request: the name of its key, and the key's scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The name of the key.
    pub name: Arc<str>,
    /// The scope of the key.
    pub scope: Scope,
}

/// The keys of the service, stored as digests: neither memory nor a message holds a key.
#[derive(Clone, Default)]
pub struct Keys(Vec<Key>);

#[derive(Clone)]
struct Key {
    caller: Caller,
    digest: [u8; 32],
    /// True if other machines could guess it.
    is_short: bool,
}

/// A shorter key, in bytes, could be guessed by other machines.
const SHORTEST: usize = 8;

impl Keys {
    /// Reads the key of `LLMSCOPE_API_KEY`, which has the scope admin, and those of `LLMSCOPE_API_KEYS`: entries
    /// `name:scope:key`, separated by commas or line breaks. Empty values are ignored.
    ///
    /// # Errors
    /// [`Error::Setting`] for a key without a name or scope, and for a duplicate name. The message never holds the key.
    pub fn new(single: Option<&str>, several: Option<&str>) -> Result<Self> {
        let mut keys = Self::default();
        if let Some(key) = single.map(str::trim).filter(|key| !key.is_empty()) {
            keys.add("default", Scope::Admin, key);
        }
        let entries = several.unwrap_or_default().split([',', '\n']).map(str::trim).filter(|entry| !entry.is_empty());
        for entry in entries {
            let mut parts = entry.splitn(3, ':');
            let (name, scope, key) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
            let refuse = |what: &str| {
                // Report the name only: the rest of the entry may be the key.
                let value = if scope.is_some() { format!("entry \"{name}\"") } else { "entry".to_owned() };
                let expected = format!("{what}; expected name:scope:key with a scope of read, write or admin");
                Error::Setting { name: "LLMSCOPE_API_KEYS", value, expected }
            };
            let (Some(scope), Some(key)) = (scope, key) else { return Err(refuse("a part is missing")) };
            let scope = scope.parse().map_err(|()| refuse("unknown scope"))?;
            if key.is_empty() {
                return Err(refuse("empty key"));
            }
            if name.is_empty() || keys.0.iter().any(|known| &*known.caller.name == name) {
                return Err(refuse("empty or duplicate name"));
            }
            keys.add(name, scope, key);
        }
        Ok(keys)
    }

    fn add(&mut self, name: &str, scope: Scope, key: &str) {
        let caller = Caller { name: name.into(), scope };
        self.0.push(Key { caller, digest: Sha256::digest(key).into(), is_short: key.len() < SHORTEST });
    }

    /// The name of the first key with fewer than 8 characters. Such a key is accepted on loopback only.
    #[must_use]
    pub fn short(&self) -> Option<&str> {
        self.0.iter().find(|key| key.is_short).map(|key| &*key.caller.name)
    }

    /// True if there are no keys: then every client that reaches the service has the scope admin.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The caller that this key belongs to. The comparison takes the same time for a wrong key as for any valid one.
    #[must_use]
    pub fn caller(&self, presented: &str) -> Option<&Caller> {
        let digest: [u8; 32] = Sha256::digest(presented).into();
        let mut found = None;
        for key in &self.0 {
            let same: Choice = key.digest[..].ct_eq(&digest[..]);
            if bool::from(same) {
                found = Some(&key.caller);
            }
        }
        found
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|key| (&key.caller.name, key.caller.scope))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_gives_its_caller_a_name_and_a_scope() {
        let keys = Keys::new(Some("the-one-key"), Some("ci:write:aaaa:bbbb-cccc,\n grafana:read:dddddddd ,")).unwrap();
        let caller = |key| keys.caller(key).map(|caller| (&*caller.name, caller.scope));
        assert_eq!(caller("the-one-key"), Some(("default", Scope::Admin)));
        assert_eq!(caller("aaaa:bbbb-cccc"), Some(("ci", Scope::Write)));
        assert_eq!(caller("dddddddd"), Some(("grafana", Scope::Read)));
        for wrong in ["", "the-one-ke", "the-one-key ", "ci", "aaaa"] {
            assert_eq!(caller(wrong), None, "{wrong}");
        }
        assert!(Keys::new(Some("  "), Some("")).unwrap().is_empty());
        assert!(Scope::Read < Scope::Write && Scope::Write < Scope::Admin);
    }

    #[test]
    fn no_message_holds_a_key() {
        for several in
            ["secret-secret", "ci:secret-secret", "ci:wrote:secret-secret", ":read:secret-secret", "ci:read:"]
        {
            let message = Keys::new(None, Some(several)).unwrap_err().to_string();
            assert!(!message.contains("secret"), "{message}");
        }
        let short = Keys::new(Some("long-enough"), Some("ci:read:short")).unwrap();
        assert_eq!((short.short(), Keys::new(Some("long-enough"), None).unwrap().short()), (Some("ci"), None));
        let twice = "ci:read:secret-secret,ci:write:secret-secre2";
        assert!(Keys::new(None, Some(twice)).unwrap_err().to_string().contains("duplicate name"));
        let keys = Keys::new(Some("secret-secret"), None).unwrap();
        assert!(!format!("{keys:?}").contains("secret"));
    }
}
