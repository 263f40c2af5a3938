//! What the service counts of itself since its start.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The statuses of HTTP.
const STATUSES: std::ops::Range<u16> = 100..600;

/// The counts of the service.
#[derive(Debug)]
pub(crate) struct ServiceMetrics {
    /// Responses, by status from 100.
    responses: Vec<Count>,
    /// Transactions of the writer, and the nanoseconds that they took together.
    pub(crate) transactions: Count,
    transaction_ns: Count,
    /// Records that had been accepted before.
    pub(crate) repeated: Count,
    /// Values that were stored and not judged, because there are as many series as allowed.
    pub(crate) unjudged: Count,
    /// Records and violations that were removed because of their age.
    pub(crate) removed_records: Count,
    pub(crate) removed_violations: Count,
}

impl Default for ServiceMetrics {
    fn default() -> Self {
        Self {
            responses: STATUSES.map(|_| Count::default()).collect(),
            transactions: Count::default(),
            transaction_ns: Count::default(),
            repeated: Count::default(),
            unjudged: Count::default(),
            removed_records: Count::default(),
            removed_violations: Count::default(),
        }
    }
}

impl ServiceMetrics {
    /// Counts a response.
    pub(crate) fn responded(&self, status: u16) {
        let place = status.checked_sub(STATUSES.start).and_then(|place| self.responses.get(usize::from(place)));
        place.into_iter().for_each(|count| count.add(1));
    }

    /// The statuses that occurred, and how often.
    pub(crate) fn responses(&self) -> impl Iterator<Item = (u16, u64)> + '_ {
        STATUSES.zip(&self.responses).map(|(status, count)| (status, count.get())).filter(|(_, count)| *count > 0)
    }

    /// Counts a transaction.
    pub(crate) fn committed(&self, took: Duration) {
        self.transactions.add(1);
        self.transaction_ns.add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }

    /// The seconds of all transactions together.
    pub(crate) fn transaction_s(&self) -> f64 {
        Duration::from_nanos(self.transaction_ns.get()).as_secs_f64()
    }
}
