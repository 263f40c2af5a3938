//! Whether the measured times are those of the endpoint or of this machine.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use llmscope_core::session::ClientHealth;
use tokio::time::{Instant, sleep_until};

use crate::durations::{durations, quantile_s, record};
use crate::transport::Gauges;

/// How often the timer lag is measured. Timers of the runtime tick in milliseconds, so a lag of one or two is normal.
const TIMER_INTERVAL: Duration = Duration::from_millis(20);
/// A greater timer lag delays requests noticeably.
const LATE_S: f64 = 0.010;
/// Bytes are read too late if they wait longer than this and longer than a twentieth of the median time to first token.
const UNREAD_S: f64 = 0.002;
const UNREAD_SHARE: f64 = 0.05;
/// A busier measuring thread adds queueing delays of its own.
const BUSY: f64 = 0.85;
/// A measuring thread that waits longer for a processor shares the machine with too much other work.
const STARVED: f64 = 0.10;

/// Observes the measuring thread during a run and during each of its steps.
#[derive(Debug)]
pub(crate) struct HealthWatch {
    run: Observed,
    step: Mutex<Observed>,
}

/// Observations of the measuring thread since a time.
#[derive(Debug)]
struct Observed {
    started_at: Instant,
    cpu_time_at_start: Option<CpuTime>,
    lags_ns: Mutex<Histogram<u64>>,
    ttfts_ns: Mutex<Histogram<u64>>,
}

impl HealthWatch {
    /// Starts to observe the current thread.
    pub(crate) fn new() -> Self {
        Self { run: Observed::new(), step: Mutex::new(Observed::new()) }
    }

    /// Starts to observe the next step.
    pub(crate) fn begin_step(&self) {
        *self.step.lock().unwrap_or_else(PoisonError::into_inner) = Observed::new();
    }

    /// The health during the current step. Connections are those of the run.
    pub(crate) fn report_of_step(&self) -> ClientHealth {
        self.step.lock().unwrap_or_else(PoisonError::into_inner).report(None)
    }

    /// Measures how late a periodic timer fires.
    pub(crate) async fn measure_timer_lag(&self) {
        loop {
            let due = Instant::now() + TIMER_INTERVAL;
            sleep_until(due).await;
            let lag = due.elapsed();
            self.each(|observed| record(&observed.lags_ns, lag));
        }
    }

    /// Records a time to first token, as a reference for delays.
    pub(crate) fn note_ttft(&self, ttft_s: f64) {
        if let Ok(ttft) = Duration::try_from_secs_f64(ttft_s) {
            self.each(|observed| record(&observed.ttfts_ns, ttft));
        }
    }

    fn each(&self, note: impl Fn(&Observed)) {
        note(&self.run);
        note(&self.step.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The result. Call it on the observed thread.
    pub(crate) fn report(&self, gauges: Option<&Gauges>) -> ClientHealth {
        self.run.report(gauges)
    }
}

impl Observed {
    fn new() -> Self {
        Self {
            started_at: Instant::now(),
            cpu_time_at_start: CpuTime::of_this_thread(),
            lags_ns: Mutex::new(durations()),
            ttfts_ns: Mutex::new(durations()),
        }
    }

    fn report(&self, gauges: Option<&Gauges>) -> ClientHealth {
        let wall_s = self.started_at.elapsed().as_secs_f64();
        let used = self.cpu_time_at_start.zip(CpuTime::of_this_thread());
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
        let responses = self.ttfts_ns.lock().map_or(0, |ttfts| ttfts.len());
        // A few responses, or refusals at full speed, do not show how the client measures.
        if responses >= ClientHealth::MIN_RESPONSES as u64 {
            health.reasons = reasons(&health, quantile_s(&self.ttfts_ns, 0.5));
        }
        health.bottleneck = !health.reasons.is_empty();
        health
    }
}

/// The reasons why the times of a run are not reliable, with a remedy where there is one.
fn reasons(health: &ClientHealth, usual_ttft_s: Option<f64>) -> Vec<String> {
    let mut reasons = Vec::new();
    let ms = |seconds: f64| seconds * 1e3;
    if let Some(lag_s) = health.timer_lag_p99_s.filter(|&lag_s| lag_s > LATE_S) {
        reasons.push(format!("timers fired up to {:.1} ms late (p99), so requests were issued late", ms(lag_s)));
    }
    let limit_s = usual_ttft_s.map_or(UNREAD_S, |ttft_s| UNREAD_S.max(UNREAD_SHARE * ttft_s));
    if let Some(unread_s) = health.unread_p99_s.filter(|&unread_s| unread_s > limit_s) {
        reasons.push(format!("arrived bytes waited up to {:.1} ms to be read (p99)", ms(unread_s)));
    }
    if let Some(share) = health.cpu_share.filter(|&share| share > BUSY) {
        reasons.push(format!(
            "the measuring thread was busy {:.0} % of the time: send fewer requests, or use several machines",
            share * 1e2
        ));
    }
    if let Some(share) = health.cpu_wait_share.filter(|&share| share > STARVED) {
        reasons.push(format!(
            "the measuring thread waited {:.0} % of the time for a processor: measure from a machine with less load",
            share * 1e2
        ));
    }
    reasons
}

/// Processor time of a thread, in seconds.
#[derive(Debug, Clone, Copy)]
struct CpuTime {
    running_s: f64,
    waiting_s: f64,
}

impl CpuTime {
    /// The processor time of the current thread on Linux; `None` on other systems.
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
    fn a_healthy_client_has_no_reasons() {
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
        // 20 ms are negligible compared with a time to first token of one second.
        assert_eq!(reasons(&health, Some(1.0)).len(), 3);
    }
}
