//! The plan of a run: load, number of requests, duration and limits.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::find_load::FindLoad;
use crate::vendor::{Budget, VendorKind};

/// The plan of a run: load, number of requests, duration and limits.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// How requests are issued.
    pub load: Load,
    /// Number of requests to measure, for each step. Each turn of a conversation is a request.
    pub requests: Option<u64>,
    /// How long requests are issued. Requests in flight at the end can finish.
    pub duration: Option<Duration>,
    /// Number of warm-up requests, which come first and are excluded from the analysis.
    pub warmup: u64,
    /// Time in which the load grows to its full size.
    pub ramp: Duration,
    /// Pause between a response and the next request of the same client.
    pub think: Duration,
    /// Time limit for a complete response.
    pub timeout: Duration,
    /// Time limit for opening a connection.
    pub connect_timeout: Duration,
    /// Maximum number of retries after a transient failure.
    pub retries: u32,
    /// Number of failures in a row after which the run stops; 0 never stops it.
    pub stop_after_failures: u32,
    /// Whether connections are reused for later requests.
    pub reuse_connections: bool,
    /// Maximum number of output tokens, where the workload does not set one.
    pub output_tokens: Option<u32>,
    /// Seed of all random choices.
    pub seed: u64,
    /// Interval at which the machine is sampled; `None` for no samples.
    pub sample_machine: Option<Duration>,
    /// Number of requests allowed on an endpoint with a small daily limit; by default, the limit itself.
    pub budget: Option<u64>,
}

/// How requests are issued.
#[derive(Debug, Clone, PartialEq)]
pub enum Load {
    /// Closed loop: N clients, each of which waits for its response before it sends the next request. Several numbers
    /// are steps, one after the other.
    Closed {
        /// Number of clients of each step.
        concurrency: Vec<usize>,
    },
    /// Open loop: requests are issued at their due times, independent of earlier responses. Several rates are steps, one
    /// after the other.
    Open {
        /// Requests per second of each step.
        rates_per_s: Vec<f64>,
        /// How the requests are spaced.
        arrival: Arrival,
    },
    /// Open loop whose steps search for the highest rate that keeps objectives.
    Find(FindLoad),
    /// Open loop at the times of a recorded trace.
    Replay {
        /// Factor on the recorded speed: 2 replays the trace twice as fast.
        speed: f64,
    },
}

impl Load {
    /// The number of steps; of a search, as many as it often has.
    #[must_use]
    pub fn steps(&self) -> usize {
        match self {
            Self::Closed { concurrency } => concurrency.len(),
            Self::Open { rates_per_s, .. } => rates_per_s.len(),
            Self::Find(_) => 3 + FindLoad::REFINEMENTS as usize,
            Self::Replay { .. } => 1,
        }
    }
}

/// How the requests of an open loop are spaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// Evenly.
    Constant,
    /// As a Poisson process: independent of each other, like the requests of many users.
    Poisson,
}

impl Default for Plan {
    /// One client, 100 requests.
    fn default() -> Self {
        Self {
            load: Load::Closed { concurrency: vec![1] },
            requests: None,
            duration: None,
            warmup: 0,
            ramp: Duration::ZERO,
            think: Duration::ZERO,
            timeout: Duration::from_secs(300),
            connect_timeout: Duration::from_secs(10),
            retries: 0,
            stop_after_failures: STOP_AFTER_FAILURES,
            reuse_connections: true,
            output_tokens: None,
            seed: 0,
            sample_machine: None,
            budget: None,
        }
    }
}

/// Number of failures in a row after which a run stops by default. An endpoint that fails now and then has fewer: with
/// half of the requests failing at random, a run of a million requests stops with a probability of about 0.4.
const STOP_AFTER_FAILURES: u32 = 20;
/// Number of requests of a plan that sets neither a number nor a duration.
const DEFAULT_REQUESTS: u64 = 100;
/// One machine does not have ports for more clients.
const MOST_CLIENTS: usize = 65_000;
/// Timers tick in milliseconds: beyond this rate the schedule loses its meaning.
pub(crate) const HIGHEST_RATE_PER_S: f64 = 100_000.0;

impl Plan {
    /// Fills in the defaults and checks the plan against the vendor.
    ///
    /// # Errors
    /// [`Error::Setting`] with the name of the invalid setting and what is accepted.
    pub fn checked(mut self, vendor: VendorKind) -> Result<Self> {
        if let Load::Find(find) = &self.load {
            if self.duration.is_some() {
                return Err(setting(
                    "--duration",
                    &"with --find-load",
                    "--requests, the number of requests of each step",
                ));
            }
            find.check(self.requests)?;
            self.requests = self.requests.or(Some(find.usual_requests()));
        }
        if self.requests.is_none() && self.duration.is_none() && !matches!(self.load, Load::Replay { .. }) {
            self.requests = Some(DEFAULT_REQUESTS);
        }
        self.check_load()?;
        if self.requests == Some(0) {
            return Err(setting("--requests", &0, "at least 1"));
        }
        if self.duration == Some(Duration::ZERO) {
            return Err(setting("--duration", &"0s", "a time above 0"));
        }
        for (name, limit) in [("--timeout", self.timeout), ("--connect-timeout", self.connect_timeout)] {
            const LONGEST: Duration = Duration::from_secs(24 * 3600);
            if limit.is_zero() || limit > LONGEST {
                return Err(setting(name, &format!("{limit:?}"), "a time above 0, up to a day"));
            }
        }
        if let Some(budget) = vendor.profile().budget {
            self.check_budget(vendor, budget)?;
        }
        Ok(self)
    }

    fn check_load(&self) -> Result<()> {
        match &self.load {
            Load::Closed { concurrency } if concurrency.is_empty() => {
                Err(setting("--concurrency", &"empty", "numbers of clients such as 1,2,4,8"))
            }
            Load::Closed { concurrency } => match concurrency.iter().find(|&&n| n == 0 || n > MOST_CLIENTS) {
                Some(n) => Err(setting("--concurrency", n, &format!("1 to {MOST_CLIENTS} clients"))),
                None => Ok(()),
            },
            Load::Open { .. } | Load::Find(_) => {
                let rates_per_s = match &self.load {
                    Load::Open { rates_per_s, .. } => rates_per_s.as_slice(),
                    Load::Find(find) => std::slice::from_ref(&find.first_per_s),
                    Load::Closed { .. } | Load::Replay { .. } => &[],
                };
                let is_possible = |rate: &f64| *rate > 0.0 && *rate <= HIGHEST_RATE_PER_S;
                let expected = format!("a rate above 0, up to {HIGHEST_RATE_PER_S} requests per second");
                match rates_per_s.iter().find(|rate| !is_possible(rate)) {
                    Some(rate) => Err(setting("--rate", rate, &expected)),
                    None if rates_per_s.is_empty() => Err(setting("--rate", &"empty", &expected)),
                    None => Ok(()),
                }
            }
            Load::Replay { speed } if !(*speed > 0.0 && speed.is_finite()) => {
                Err(setting("--speed", speed, "a factor above 0, where 1 is the recorded speed"))
            }
            _ => Ok(()),
        }
    }

    /// Refuses a plan that would exceed the daily limit of the vendor's free plan by accident.
    fn check_budget(&self, vendor: VendorKind, budget: Budget) -> Result<()> {
        let steps = self.load.steps().max(1) as u64;
        let allowed = self.budget.unwrap_or(budget.per_day);
        let planned = self.requests.map(|requests| requests.saturating_mul(steps).saturating_add(self.warmup));
        match planned {
            Some(planned) if planned <= allowed => Ok(()),
            Some(planned) => Err(setting(
                "--requests",
                &planned,
                &format!(
                    "at most {allowed}, as the free plan of {} allows about {} requests a day; set --budget {planned} if \
                     your plan allows more",
                    vendor.profile().name,
                    budget.per_day
                ),
            )),
            None => Err(setting("--requests", &"", "a number of requests, as this vendor has a daily limit")),
        }
    }
}

fn setting(name: &'static str, value: &dyn std::fmt::Display, expected: &str) -> Error {
    Error::Setting { name, value: value.to_string(), expected: format!("expected {expected}") }
}
