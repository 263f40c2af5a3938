//! Whether the measured times are the endpoint's or this machine's own.

use std::sync::Mutex;
use std::time::Duration;

use hdrhistogram::Histogram;
use llmscope_core::session::ClientHealth;
use tokio::time::{Instant, sleep_until};

use crate::durations::{durations, quantile_s, record};
use crate::transport::Gauges;

/// Timers of the runtime tick in milliseconds, so that lags of one or two mean nothing.
const PULSE: Duration = Duration::from_millis(20);
/// A timer that fires later than this delays what the run wanted to do by as much.
const LATE_S: f64 = 0.010;
/// Bytes that wait longer than this, and than a twentieth of the usual time to first token, are read too late.
const UNREAD_S: f64 = 0.002;
const UNREAD_SHARE: f64 = 0.05;
/// A measuring thread that is busier than this has queues of its own.
const BUSY: f64 = 0.85;
/// A measuring thread that waits longer than this for a processor shares the machine with too much else.
const STARVED: f64 = 0.10;

/// Watches the thread that measures while it does.
#[derive(Debug)]
pub(crate) struct HealthWatch {
    begun: Instant,
    processor_at_start: Option<ProcessorTime>,
    lags_ns: Mutex<Histogram<u64>>,
    ttfts_ns: Mutex<Histogram<u64>>,
}

impl HealthWatch {
    /// Begins to watch the present thread.
    pub(crate) fn new() -> Self {
        Self {
            begun: Instant::now(),
            processor_at_start: ProcessorTime::of_this_thread(),
            lags_ns: Mutex::new(durations()),
            ttfts_ns: Mutex::new(durations()),
        }
    }

    /// Feels the pulse of the runtime: a timer every now and then, and how late it fires.
    pub(crate) async fn feel_pulse(&self) {
        loop {
            let due = Instant::now() + PULSE;
            sleep_until(due).await;
            record(&self.lags_ns, due.elapsed());
        }
    }

    /// Notes a time to first token, against which delays are weighed.
    pub(crate) fn note_ttft(&self, ttft_s: f64) {
        if let Ok(ttft) = Duration::try_from_secs_f64(ttft_s) {
            record(&self.ttfts_ns, ttft);
        }
    }

    /// The verdict, on the thread that was watched.
    pub(crate) fn verdict(&self, gauges: Option<&Gauges>) -> ClientHealth {
        let wall_s = self.begun.elapsed().as_secs_f64();
        let used = self.processor_at_start.zip(ProcessorTime::of_this_thread());
        let share = |seconds: f64| if wall_s > 0.0 { Some(seconds / wall_s) } else { None };
        let mut health = ClientHealth {
            timer_lag_p50_s: quantile_s(&self.lags_ns, 0.5),
            timer_lag_p99_s: quantile_s(&self.lags_ns, 0.99),
            unread_p99_s: gauges.and_then(|gauges| gauges.unread_s(0.99)),
            unread_max_s: gauges.and_then(|gauges| gauges.unread_s(1.0)),
            cpu_share: used.and_then(|(before, after)| share(after.running_s - before.running_s)),
            cpu_wait_share: used.and_then(|(before, after)| share(after.waiting_s - before.waiting_s)),
            connect_p50_s: gauges.and_then(|gauges| gauges.connect_s(0.5)),
            connect_max_s: gauges.and_then(|gauges| gauges.connect_s(1.0)),
            tls_p50_s: gauges.and_then(|gauges| gauges.tls_s(0.5)),
            connections_opened: gauges.map_or(0, Gauges::connections_opened),
            connections_reused: gauges.map_or(0, Gauges::connections_reused),
            ..ClientHealth::default()
        };
        health.reasons = reasons(&health, quantile_s(&self.ttfts_ns, 0.5));
        health.bottleneck = !health.reasons.is_empty();
        health
    }
}

/// What speaks against the times of a run, each with its remedy.
fn reasons(health: &ClientHealth, usual_ttft_s: Option<f64>) -> Vec<String> {
    let mut reasons = Vec::new();
    let ms = |seconds: f64| seconds * 1e3;
    if let Some(lag_s) = health.timer_lag_p99_s.filter(|&lag_s| lag_s > LATE_S) {
        reasons.push(format!("timers fired up to {:.1} ms late (p99): requests were issued late", ms(lag_s)));
    }
    let bearable_s = usual_ttft_s.map_or(UNREAD_S, |ttft_s| UNREAD_S.max(UNREAD_SHARE * ttft_s));
    if let Some(unread_s) = health.unread_p99_s.filter(|&unread_s| unread_s > bearable_s) {
        reasons.push(format!("arrived bytes waited up to {:.1} ms to be read (p99)", ms(unread_s)));
    }
    if let Some(share) = health.cpu_share.filter(|&share| share > BUSY) {
        reasons.push(format!(
            "the measuring thread was busy {:.0} % of the time: ask less, or from several machines",
            share * 1e2
        ));
    }
    if let Some(share) = health.cpu_wait_share.filter(|&share| share > STARVED) {
        reasons.push(format!(
            "the measuring thread waited {:.0} % of the time for a processor: measure from a machine with less to do",
            share * 1e2
        ));
    }
    reasons
}

/// Processor time of a thread, in seconds.
#[derive(Debug, Clone, Copy)]
struct ProcessorTime {
    running_s: f64,
    waiting_s: f64,
}

impl ProcessorTime {
    /// What Linux says about the present thread; `None` elsewhere.
    fn of_this_thread() -> Option<Self> {
        // Two counters in nanoseconds: running, and ready to run without a processor (proc(5), schedstat).
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        let mut counters = text.split_whitespace().map(|counter| counter.parse::<f64>().ok());
        Some(Self { running_s: counters.next()?? * 1e-9, waiting_s: counters.next()?? * 1e-9 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_healthy_client_says_nothing() {
        let health = ClientHealth { timer_lag_p99_s: Some(0.0015), cpu_share: Some(0.2), ..ClientHealth::default() };
        assert_eq!(reasons(&health, Some(0.1)), Vec::<String>::new());
    }

    #[test]
    fn each_delay_is_a_reason() {
        let health = ClientHealth {
            timer_lag_p99_s: Some(0.05),
            unread_p99_s: Some(0.02),
            cpu_share: Some(0.99),
            cpu_wait_share: Some(0.5),
            ..ClientHealth::default()
        };
        assert_eq!(reasons(&health, Some(0.1)).len(), 4);
        // 20 ms are little beside a time to first token of a second.
        assert_eq!(reasons(&health, Some(1.0)).len(), 3);
    }
}
