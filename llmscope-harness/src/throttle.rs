//! Rate limiting on the client: `retry-after` of the endpoint, a minimum spacing, and pauses between retries.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use tokio::time::{Instant, sleep_until};

use crate::failure::{Failure, FailureKind};

/// A gate that every request of a run passes. It is closed while the endpoint asks clients to wait.
#[derive(Debug)]
pub(crate) struct Throttle {
    opens_at: Mutex<Option<Instant>>,
    /// The minimum time between two requests, where the endpoint has a limit per minute.
    spacing: Duration,
}

impl Throttle {
    pub(crate) fn new(per_minute: Option<u32>) -> Self {
        let spacing = per_minute.map_or(Duration::ZERO, |n| Duration::from_secs(60) / n.max(1));
        Self { opens_at: Mutex::new(None), spacing }
    }

    /// Waits until the gate is open; false if it stays closed beyond the deadline.
    pub(crate) async fn wait(&self, deadline: Option<Instant>) -> bool {
        while let Some(opens_at) = self.try_acquire() {
            if deadline.is_some_and(|deadline| opens_at >= deadline) {
                return false;
            }
            sleep_until(opens_at).await;
        }
        true
    }

    fn try_acquire(&self) -> Option<Instant> {
        let mut opens_at = self.opens_at.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        match *opens_at {
            Some(later) if later > now => Some(later),
            _ => {
                *opens_at = (!self.spacing.is_zero()).then(|| now + self.spacing);
                None
            }
        }
    }

    /// Closes the gate for the `retry-after` time of a failure, if it has one.
    pub(crate) fn apply_retry_after(&self, failure: &Failure) {
        if let Some(wait) = failure.retry_after {
            let mut opens_at = self.opens_at.lock().unwrap_or_else(PoisonError::into_inner);
            let later = Instant::now() + wait;
            *opens_at = Some(opens_at.map_or(later, |earlier| earlier.max(later)));
        }
    }
}

/// The pauses before retries: half a second, doubled each time up to half a minute, with jitter.
pub(crate) fn pauses(retries: u32, seed: u64) -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(500))
        .with_max_delay(Duration::from_secs(30))
        .with_max_times(retries as usize)
        .with_jitter()
        .with_jitter_seed(seed)
        .build()
}

/// The failed attempts before the attempt that a record describes.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    pub(crate) failures: Vec<FailureKind>,
    pub(crate) waited: Duration,
}

impl Attempts {
    pub(crate) fn record_in(&self, record: &mut llmscope_core::session::RequestRecord) {
        use llmscope_core::session::AttributeValue::{Number, Text};
        if self.failures.is_empty() {
            return;
        }
        let retries = u32::try_from(self.failures.len()).unwrap_or(u32::MAX);
        let limited = self.failures.iter().filter(|&&kind| kind == FailureKind::RateLimited).count();
        let limited = u32::try_from(limited).unwrap_or(u32::MAX);
        let names: Vec<_> = self.failures.iter().map(|kind| kind.name()).collect();
        let attributes = &mut record.attributes;
        attributes.insert("retries".to_owned(), Number(f64::from(retries)));
        attributes.insert("rate_limited".to_owned(), Number(f64::from(limited)));
        attributes.insert("retry_wait_s".to_owned(), Number(self.waited.as_secs_f64()));
        attributes.insert("retried_after".to_owned(), Text(names.join(",")));
    }
}
