//! The header `Idempotency-Key` (IETF draft-ietf-httpapi-idempotency-key-header): a call that is sent again stores
//! nothing.

use axum::extract::FromRequestParts;
use http::request::Parts;
use sha2::{Digest as _, Sha256};

use super::api_error::{ApiError, FieldError};
use crate::access::Caller;
use crate::identity::CallIdentity;

/// The name of the header.
pub(super) const HEADER: &str = "Idempotency-Key";
/// The longest key, in bytes.
pub(super) const LONGEST: usize = 255;

/// The key of a call, if it has one, as a number that no other operation and no other caller shares.
pub(super) struct IdempotencyKey(Option<u64>);

impl IdempotencyKey {
    /// The identity of the call with this body.
    pub(super) fn call(&self, body: &[u8]) -> Option<CallIdentity> {
        self.0.map(|key| CallIdentity { key, digest: number(&[body]) })
    }
}

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let Some(key) = parts.headers.get(HEADER) else { return Ok(Self(None)) };
        let text = key.to_str().unwrap_or_default().trim();
        if text.is_empty() || text.len() > LONGEST {
            let message = format!("invalid key: expected 1 to {LONGEST} visible ASCII characters");
            return Err(ApiError::Invalid(vec![FieldError::new("header", Some(HEADER), message)]));
        }
        let caller = parts.extensions.get::<Caller>().map(|caller| caller.name.clone()).unwrap_or_default();
        Ok(Self(Some(number(&[parts.uri.path().as_bytes(), caller.as_bytes(), text.as_bytes()]))))
    }
}

/// A number of these parts.
fn number(parts: &[&[u8]]) -> u64 {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    let digest: [u8; 32] = hasher.finalize().into();
    digest.first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
}
