//! How often one address may ask.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// Wrong keys that one address may try in a second.
const WRONG_KEYS_PER_S: NonZeroU32 = NonZeroU32::new(5).unwrap();

/// Requests of each address, and the wrong keys that it tried.
pub(crate) struct Rates {
    clock: DefaultClock,
    requests: Option<DefaultKeyedRateLimiter<IpAddr>>,
    wrong_keys: DefaultKeyedRateLimiter<IpAddr>,
}

impl Rates {
    /// At most so many requests per second from one address; `None` for any number.
    pub(crate) fn new(requests_per_s: Option<NonZeroU32>) -> Self {
        let limiter = |per_s| RateLimiter::keyed(Quota::per_second(per_s));
        Self {
            clock: DefaultClock::default(),
            requests: requests_per_s.map(limiter),
            wrong_keys: limiter(WRONG_KEYS_PER_S),
        }
    }

    /// Counts a request; how long to wait if it is one too many. This machine may ask as often as it likes.
    pub(crate) fn request(&self, from: IpAddr) -> Result<(), Duration> {
        match &self.requests {
            Some(requests) if !from.is_loopback() => self.count(requests, from),
            _ => Ok(()),
        }
    }

    /// Counts a wrong key; how long to wait if it is one too many.
    pub(crate) fn wrong_key(&self, from: IpAddr) -> Result<(), Duration> {
        self.count(&self.wrong_keys, from)
    }

    fn count(&self, limiter: &DefaultKeyedRateLimiter<IpAddr>, from: IpAddr) -> Result<(), Duration> {
        limiter.check_key(&from).map_err(|refusal| refusal.wait_time_from(self.clock.now()))
    }

    /// Forgets addresses that have been silent.
    pub(crate) fn forget(&self) {
        self.requests.iter().for_each(RateLimiter::retain_recent);
        self.wrong_keys.retain_recent();
    }
}
