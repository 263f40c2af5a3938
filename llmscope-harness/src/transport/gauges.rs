//! Measurements of the connections and of the client machine.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hdrhistogram::Histogram;

use super::ConnectionTimings;
use crate::durations::{durations, quantile_s, record};

/// Counts and times of connections, and how long arrived bytes waited to be read.
#[derive(Debug)]
pub struct Gauges {
    opened: AtomicU64,
    reused: AtomicU64,
    unread_ns: Mutex<Histogram<u64>>,
    connect_ns: Mutex<Histogram<u64>>,
    tls_ns: Mutex<Histogram<u64>>,
}

impl Default for Gauges {
    fn default() -> Self {
        Self {
            opened: AtomicU64::new(0),
            reused: AtomicU64::new(0),
            unread_ns: Mutex::new(durations()),
            connect_ns: Mutex::new(durations()),
            tls_ns: Mutex::new(durations()),
        }
    }
}

impl Gauges {
    pub(super) fn opened_one(&self, timings: &ConnectionTimings) {
        self.opened.fetch_add(1, Ordering::Relaxed);
        for (histogram, seconds) in [(&self.connect_ns, timings.connect_s()), (&self.tls_ns, timings.tls_s)] {
            let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            duration.into_iter().for_each(|duration| record(histogram, duration));
        }
    }

    pub(super) fn reused_one(&self) {
        self.reused.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn record_wait(&self, wait: Duration) {
        record(&self.unread_ns, wait);
    }

    /// Number of opened connections.
    #[must_use]
    pub fn connections_opened(&self) -> u64 {
        self.opened.load(Ordering::Relaxed)
    }

    /// Number of requests on a reused connection.
    #[must_use]
    pub fn connections_reused(&self) -> u64 {
        self.reused.load(Ordering::Relaxed)
    }

    /// How long arrived bytes waited to be read, at a quantile between 0 and 1, in seconds; `None` before the first
    /// read.
    #[must_use]
    pub fn unread_s(&self, quantile: f64) -> Option<f64> {
        quantile_s(&self.unread_ns, quantile)
    }

    /// Time to a usable connection, at a quantile between 0 and 1, in seconds; `None` before the first connection.
    #[must_use]
    pub fn connect_s(&self, quantile: f64) -> Option<f64> {
        quantile_s(&self.connect_ns, quantile)
    }

    /// Time for the TLS handshake, at a quantile between 0 and 1, in seconds; `None` without a handshake.
    #[must_use]
    pub fn tls_s(&self, quantile: f64) -> Option<f64> {
        quantile_s(&self.tls_ns, quantile)
    }
}
