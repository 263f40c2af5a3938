//! Rate limits per client address.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// Wrong keys that one address may try per second.
const WRONG_KEYS_PER_S: NonZeroU32 = NonZeroU32::new(5).unwrap();

/// Limits for the requests of each address, and for the wrong keys that it tries.
pub(crate) struct Rates {
    clock: DefaultClock,
    requests: Option<DefaultKeyedRateLimiter<IpAddr>>,
    wrong_keys: DefaultKeyedRateLimiter<IpAddr>,
}

impl Rates {
    /// Allows `requests_per_s` requests per second from one address; `None` disables this limit.
    pub(crate) fn new(requests_per_s: Option<NonZeroU32>) -> Self {
        let limiter = |per_s| RateLimiter::keyed(Quota::per_second(per_s));
        Self {
            clock: DefaultClock::default(),
            requests: requests_per_s.map(limiter),
            wrong_keys: limiter(WRONG_KEYS_PER_S),
        }
    }

    /// Counts a request. The error is the time to wait. Requests from this machine are not limited.
    pub(crate) fn request(&self, from: IpAddr) -> Result<(), Duration> {
        match &self.requests {
            Some(requests) if !from.is_loopback() => self.count(requests, from),
            _ => Ok(()),
        }
    }

    /// Counts a wrong key. The error is the time to wait.
    pub(crate) fn wrong_key(&self, from: IpAddr) -> Result<(), Duration> {
        self.count(&self.wrong_keys, from)
    }

    fn count(&self, limiter: &DefaultKeyedRateLimiter<IpAddr>, from: IpAddr) -> Result<(), Duration> {
        limiter.check_key(&network(from)).map_err(|refusal| refusal.wait_time_from(self.clock.now()))
    }

    /// Forgets addresses without recent requests.
    pub(crate) fn forget(&self) {
        self.requests.iter().for_each(RateLimiter::retain_recent);
        self.wrong_keys.retain_recent();
    }
}

/// The network of a client: one IPv4 address, or the /64 of an IPv6 address, which belongs to one customer (RFC 6177).
fn network(from: IpAddr) -> IpAddr {
    match from {
        IpAddr::V4(_) => from,
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => mapped.into(),
            None => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn addresses_of_one_ipv6_network_are_one_client() {
        let network = |text: &str| network(text.parse().unwrap()).to_string();
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(network("2001:db8:1:2:ffff::1"), "2001:db8:1:2::");
        assert_eq!(network("2001:db8:1:3::1"), "2001:db8:1:3::");
        assert_eq!((network("192.0.2.7"), network("::ffff:192.0.2.7")), ("192.0.2.7".into(), "192.0.2.7".into()));
    }
}
