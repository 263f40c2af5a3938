//! The clock of the service, which a simulation can drive.

use std::sync::Arc;

use jiff::Timestamp;

/// The clock by which records arrive and endpoints are silent. By default it is that of the system.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// A clock that a simulation drives.
    #[must_use]
    pub fn driven(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self(Arc::new(Timestamp::now))
    }
}
