//! How far the measuring side can be trusted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the client says about itself at the end of a run: whether its times are the endpoint's or its own.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ClientHealth {
    /// True if the machine that measured was the bottleneck: latencies then contain its own delays.
    pub bottleneck: bool,
    /// Why, in words; empty for a healthy client.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// How late the client's own timers fired: median.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timer_lag_p50_s: Option<f64>,
    /// How late the client's own timers fired: 99 % were less late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timer_lag_p99_s: Option<f64>,
    /// How long bytes waited between the news of their arrival and their being read: 99 % waited less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread_p99_s: Option<f64>,
    /// The longest such wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread_max_s: Option<f64>,
    /// Processor time that the measuring thread used, as a share of the run's wall time: 1 is a whole core.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_share: Option<f64>,
    /// Time in which the measuring thread could have run and did not get a processor, as a share of the wall time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_wait_share: Option<f64>,
    /// Time to a usable connection: median. A closed loop that keeps its connections opens them before its first
    /// request, so that no request's time contains them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_p50_s: Option<f64>,
    /// Time to a usable connection: the longest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_max_s: Option<f64>,
    /// Time for the TLS handshake: median.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_p50_s: Option<f64>,
    /// Connections that were opened.
    pub connections_opened: u64,
    /// Requests that went over a connection that was open already.
    pub connections_reused: u64,
}
