//! What a run does: how much is asked, how fast, for how long.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::vendor::{Budget, VendorKind};

/// How much is asked, how fast, for how long.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// How requests follow each other.
    pub load: Load,
    /// Requests to measure, each turn of a conversation being one; of each step of a sweep.
    pub requests: Option<u64>,
    /// How long requests are issued; those on their way may finish.
    pub duration: Option<Duration>,
    /// Requests that come first and are not judged.
    pub warmup: u64,
    /// Time in which the load grows to its full size.
    pub ramp: Duration,
    /// Pause between an answer and the next request of the same client.
    pub think: Duration,
    /// Longest time for a whole answer.
    pub timeout: Duration,
    /// Longest time to open a connection.
    pub connect_timeout: Duration,
    /// Further attempts after a failure that may pass.
    pub retries: u32,
    /// Whether connections are kept for later requests.
    pub reuse_connections: bool,
    /// Longest answer to ask for, in tokens, where the workload does not say.
    pub output_tokens: Option<u32>,
    /// Of every random choice.
    pub seed: u64,
    /// How often the machine is sampled, if at all.
    pub sample_machine: Option<Duration>,
    /// Requests to spend on an endpoint with a small daily limit, where that is to be more than the limit itself.
    pub budget: Option<u64>,
}

/// How requests follow each other.
#[derive(Debug, Clone, PartialEq)]
pub enum Load {
    /// Closed loop: so many clients, each waits for its answer before it asks again. Several numbers are a sweep.
    Closed {
        /// Clients of each step.
        concurrency: Vec<usize>,
    },
    /// Open loop: requests come when they come, whether earlier ones are answered or not.
    Open {
        /// Requests per second.
        rate_per_s: f64,
        /// How they are spaced.
        arrival: Arrival,
    },
    /// Open loop at the times of a recorded trace.
    Replay {
        /// 2 is twice as fast as it was recorded.
        speed: f64,
    },
}

/// How the requests of an open loop are spaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// Evenly.
    Constant,
    /// As a Poisson process: independent of each other, as the requests of many people are.
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
            reuse_connections: true,
            output_tokens: None,
            seed: 0,
            sample_machine: None,
            budget: None,
        }
    }
}

/// Requests of a plan that names neither their number nor its duration.
const DEFAULT_REQUESTS: u64 = 100;
/// More clients than any machine has ports for.
const MOST_CLIENTS: usize = 65_000;
/// Timers tick in milliseconds: beyond this the schedule is no longer one.
const HIGHEST_RATE_PER_S: f64 = 100_000.0;

impl Plan {
    /// The plan with what it left open, if it can be carried out.
    ///
    /// # Errors
    /// [`Error::Setting`] with the name of what cannot be, and what could.
    pub fn checked(mut self, vendor: VendorKind) -> Result<Self> {
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
            Load::Closed { concurrency } if concurrency.is_empty() => Err(setting("--sweep", &"empty", "1,2,4,8")),
            Load::Closed { concurrency } => match concurrency.iter().find(|&&n| n == 0 || n > MOST_CLIENTS) {
                Some(n) => Err(setting("--concurrency", n, &format!("1 to {MOST_CLIENTS} clients"))),
                None => Ok(()),
            },
            Load::Open { rate_per_s, .. } if !(*rate_per_s > 0.0 && *rate_per_s <= HIGHEST_RATE_PER_S) => {
                Err(setting("--rate", rate_per_s, &format!("above 0, up to {HIGHEST_RATE_PER_S} requests per second")))
            }
            Load::Replay { speed } if !(*speed > 0.0 && speed.is_finite()) => {
                Err(setting("--speed", speed, "above 0: 1 is as it was recorded"))
            }
            _ => Ok(()),
        }
    }

    /// A free plan's daily limit is not to be burnt by a slip of the hand.
    fn check_budget(&self, vendor: VendorKind, budget: Budget) -> Result<()> {
        let steps = if let Load::Closed { concurrency } = &self.load { concurrency.len() as u64 } else { 1 };
        let allowed = self.budget.unwrap_or(budget.per_day);
        let asked = self.requests.map(|requests| requests.saturating_mul(steps).saturating_add(self.warmup));
        match asked {
            Some(asked) if asked <= allowed => Ok(()),
            Some(asked) => Err(setting(
                "--requests",
                &asked,
                &format!(
                    "{} bears about {} requests a day on its free plan; say --budget {asked} if yours bears more",
                    vendor.profile().name,
                    budget.per_day
                ),
            )),
            None => Err(setting("--requests", &"missing", "a number of requests, because this vendor counts them")),
        }
    }
}

fn setting(name: &'static str, value: &dyn std::fmt::Display, expected: &str) -> Error {
    Error::Setting { name, value: value.to_string(), expected: format!("expected {expected}") }
}
