//! The settings of the service.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use llmscope_core::analysis::Baseline;

use crate::access::Keys;
use crate::alerts::Alerting;
use crate::clock::Clock;
use crate::damage;
use crate::store::sqlite::Durability;
use crate::watches::WatchSettings;

/// The settings of the service.
#[derive(Clone)]
pub struct Settings {
    /// The address to listen at.
    pub address: SocketAddr,
    /// The store's file.
    pub database: PathBuf,
    /// When a record is acknowledged.
    pub durability: Durability,
    /// The keys of the API. Without a key, the service listens on loopback only.
    pub keys: Keys,
    /// Whether `/api/stats`, `/api/system` and `/metrics` need no key, and `/health` counts the records for everyone, as in
    /// the previous service.
    pub open_legacy: bool,
    /// Origins of other pages that may send requests, such as `https://ops.example`.
    pub origins: Vec<String>,
    /// Days after which live records are removed; 0 disables the removal.
    pub retention_days: u32,
    /// Days after which violations that ended are removed; 0 disables the removal.
    pub violation_days: u32,
    /// How to judge values.
    pub watch: WatchSettings,
    /// Frozen limits for the series that they name.
    pub baselines: Vec<Baseline>,
    /// Where to send alerts.
    pub alerting: Option<Alerting>,
    /// The most requests per second from one other machine; `None` for no limit.
    pub requests_per_s: Option<NonZeroU32>,
    /// The delay between the start and the first check of the store for damage; further ones follow once a day.
    pub first_check: Duration,
    /// The most open connections; further ones wait.
    pub connections: usize,
    /// How long `/health` and `/ready` wait for the store.
    pub probe_deadline: Duration,
    /// How often to look for endpoints that are silent.
    pub silence_check: Duration,
    /// The clock by which records arrive.
    pub clock: Clock,
}

impl Settings {
    /// The default port.
    pub const PORT: u16 = 8081;
    /// The default number of days after which live records are removed.
    pub const RETENTION_DAYS: u32 = 7;
    /// The default number of days after which violations that ended are removed.
    pub const VIOLATION_DAYS: u32 = 365;
    /// The default deadline of probes, so that their answer arrives within 100 ms.
    pub const PROBE_DEADLINE: Duration = Duration::from_millis(90);
}

impl Default for Settings {
    /// On loopback, in `llmscope.db` of the current folder, without a key.
    fn default() -> Self {
        Self {
            address: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), Self::PORT),
            database: PathBuf::from("llmscope.db"),
            durability: Durability::Full,
            keys: Keys::default(),
            open_legacy: false,
            origins: Vec::new(),
            retention_days: Self::RETENTION_DAYS,
            violation_days: Self::VIOLATION_DAYS,
            watch: WatchSettings::default(),
            baselines: Vec::new(),
            alerting: None,
            requests_per_s: NonZeroU32::new(1000),
            first_check: damage::FIRST,
            connections: 16_384,
            probe_deadline: Self::PROBE_DEADLINE,
            silence_check: Duration::from_secs(5),
            clock: Clock::default(),
        }
    }
}
