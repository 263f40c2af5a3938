//! What the service is told when it starts.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;

use llmscope_core::analysis::Baseline;

use crate::access::Keys;
use crate::alerts::Alerting;
use crate::store::sqlite::Durability;
use crate::watches::Judging;

/// How the service is to run.
#[derive(Clone)]
pub struct Settings {
    /// Where it listens.
    pub address: SocketAddr,
    /// The store's file.
    pub database: PathBuf,
    /// When a record is acknowledged.
    pub durability: Durability,
    /// Who may ask for what. Without a key it listens on loopback only.
    pub keys: Keys,
    /// Origins of pages that may ask, beside its own: `https://ops.example`.
    pub origins: Vec<String>,
    /// Days after which live records are removed; 0 keeps them.
    pub retention_days: u32,
    /// How values are judged.
    pub judging: Judging,
    /// Limits of earlier studies, for the series that they name.
    pub baselines: Vec<Baseline>,
    /// Whom to tell of violations.
    pub alerting: Option<Alerting>,
    /// Requests per second from one other machine; `None` for any number.
    pub requests_per_s: Option<NonZeroU32>,
    /// Connections at once; others wait.
    pub connections: usize,
}

impl Settings {
    /// The port of the service.
    pub const PORT: u16 = 8081;
    /// Days after which live records are removed.
    pub const RETENTION_DAYS: u32 = 7;
}

impl Default for Settings {
    /// On loopback, in `llmscope.db` of the current folder, without a key.
    fn default() -> Self {
        Self {
            address: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), Self::PORT),
            database: PathBuf::from("llmscope.db"),
            durability: Durability::Full,
            keys: Keys::default(),
            origins: Vec::new(),
            retention_days: Self::RETENTION_DAYS,
            judging: Judging::default(),
            baselines: Vec::new(),
            alerting: None,
            requests_per_s: NonZeroU32::new(1000),
            connections: 16_384,
        }
    }
}
