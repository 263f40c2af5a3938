//! The reliability of the measuring client.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The client's report on itself at the end of a run: whether its times are those of the endpoint or contain its own
/// delays.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ClientHealth {
    /// True if the client was the bottleneck: the latencies then contain its own delays.
    pub bottleneck: bool,
    /// The reasons, as text; empty for a healthy client.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// Lateness of the client's own timers: median.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timer_lag_p50_s: Option<f64>,
    /// Lateness of the client's own timers: 99th percentile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timer_lag_p99_s: Option<f64>,
    /// Time between the arrival of bytes at the socket and their being read: 99th percentile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread_p99_s: Option<f64>,
    /// Time between the arrival of bytes at the socket and their being read: maximum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread_max_s: Option<f64>,
    /// Processor time of the measuring thread, as a share of the run's wall time: 1 is a whole core.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_share: Option<f64>,
    /// Time in which the measuring thread was runnable but had no processor, as a share of the run's wall time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_wait_share: Option<f64>,
    /// Time to a usable connection: median. A closed loop that reuses its connections opens them before its first
    /// request, so no request's time includes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_p50_s: Option<f64>,
    /// Time to a usable connection: maximum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_max_s: Option<f64>,
    /// Time for the TLS handshake: median.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_p50_s: Option<f64>,
    /// The number of opened connections.
    pub connections_opened: u64,
    /// The number of requests on reused connections.
    pub connections_reused: u64,
}

impl ClientHealth {
    /// The number of responses below which the client is not judged.
    pub const MIN_RESPONSES: usize = 20;
}
