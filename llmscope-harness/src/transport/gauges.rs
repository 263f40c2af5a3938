//! What the transport notices about the machine that it runs on.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hdrhistogram::Histogram;

use super::Journey;
use crate::durations::{durations, quantile_s, record};

/// Connections, and how long bytes waited to be read after the news of their arrival.
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
    pub(super) fn opened_one(&self, journey: &Journey) {
        self.opened.fetch_add(1, Ordering::Relaxed);
        for (histogram, seconds) in [(&self.connect_ns, journey.connect_s()), (&self.tls_ns, journey.tls_s)] {
            let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            duration.into_iter().for_each(|duration| record(histogram, duration));
        }
    }

    pub(super) fn reused_one(&self) {
        self.reused.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn waited(&self, wait: Duration) {
        record(&self.unread_ns, wait);
    }

    /// Connections that were opened.
    #[must_use]
    pub fn connections_opened(&self) -> u64 {
        self.opened.load(Ordering::Relaxed)
    }

    /// Requests that went over a connection that was open already.
    #[must_use]
    pub fn connections_reused(&self) -> u64 {
        self.reused.load(Ordering::Relaxed)
    }

    /// How long bytes waited unread, at a quantile between 0 and 1, in seconds; `None` before any were read.
    #[must_use]
    pub fn unread_s(&self, quantile: f64) -> Option<f64> {
        quantile_s(&self.unread_ns, quantile)
    }

    /// Time to a usable connection, at a quantile between 0 and 1, in seconds; `None` before any was opened.
    #[must_use]
    pub fn connect_s(&self, quantile: f64) -> Option<f64> {
        quantile_s(&self.connect_ns, quantile)
    }

    /// Time for the TLS handshake, at a quantile between 0 and 1, in seconds; `None` without any.
    #[must_use]
    pub fn tls_s(&self, quantile: f64) -> Option<f64> {
        quantile_s(&self.tls_ns, quantile)
    }
}
