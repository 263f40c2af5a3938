//! Looks for damage of the store while the service runs: SQLite notices a damaged page only when it reads it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::error::StoreError;
use crate::store::{Result, Store};

/// The delay between the start of the service and the first check, and between two checks.
pub(crate) const FIRST: Duration = Duration::from_secs(10);
pub(crate) const INTERVAL: Duration = Duration::from_secs(24 * 3600);

/// Whether damage was seen since the start. It does not heal.
#[derive(Debug, Default)]
pub(crate) struct Damage(AtomicBool);

impl Damage {
    /// True if damage was seen.
    pub(crate) fn was_seen(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Notes whether an error reports damage.
    pub(crate) fn note(&self, error: &StoreError) {
        if matches!(error, StoreError::Damaged { .. }) && !self.0.swap(true, Ordering::Relaxed) {
            tracing::error!(%error, "the store is damaged: the service is no longer ready");
        }
    }

    /// Checks the store. Other errors than damage, such as a lock, are left to the next check.
    pub(crate) fn check(&self, store: &dyn Store) -> Result<()> {
        let checked = store.quick_check();
        checked.as_ref().err().into_iter().for_each(|error| self.note(error));
        checked
    }
}
