//! The arguments of `serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};
use llmscope_core::watch::Promise;
use llmscope_core::{Metric, RuleSet, Transform};
use llmscope_server::{Settings, WatchSettings};
use url::Url;

use crate::alarm::{AlarmArg, AlarmSideArg};
use crate::values;

const EXAMPLES: &str = "\
Examples:
  On this machine only, at http://127.0.0.1:8081:
    llmscope serve
  For other machines, with a key:
    LLMSCOPE_API_KEY=$(openssl rand -hex 24) llmscope serve \\
      --address 0.0.0.0:8081 --database /data/llmscope.db
  With one false alarm a month instead of one a week:
    llmscope serve --false-alarms 1/month
  By rules, with the limits of a good build:
    llmscope serve --baseline good.json --alert-rules 1,2
  Send it the results of a monitor:
    llmscope monitor --vendor ollama --model gemma3:4b \\
      --post http://127.0.0.1:8081

Environment: LLMSCOPE_API_KEY (one key with all scopes), LLMSCOPE_API_KEYS
(name:scope:key, separated by commas; scopes: read, write, admin),
LLMSCOPE_WEBHOOK_URL (accepts Slack messages), LLMSCOPE_ORIGIN (--origin,
separated by commas), LLMSCOPE_OPEN_LEGACY (--open-legacy), DATABASE_PATH,
DATA_RETENTION_DAYS, LLMSCOPE_LOG (error, warn, info, debug).
Without a key the service listens on loopback only.

SIGTERM and Ctrl-C end the service cleanly; acknowledged records are durable.
Exit status: 0 ended, 2 error.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ServeArgs {
    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", env = "LLMSCOPE_ADDRESS", default_value = "127.0.0.1:8081",
          value_parser = address)]
    pub(crate) address: SocketAddr,
    /// SQLite file of the store, created if it does not exist
    #[arg(long, value_name = "FILE", env = "DATABASE_PATH", default_value = "llmscope.db")]
    pub(crate) database: PathBuf,

    /// Metric to judge as it arrives (repeatable) [default: ttft_s, e2e_s, tpot_s]
    #[arg(long, value_name = "METRIC", value_parser = values::metric(), hide_possible_values = true,
          help_heading = "Judging")]
    pub(crate) metric: Vec<Metric>,
    /// What raises an alarm [default: shift, or rules with --alert-rules]
    #[arg(long, value_enum, value_name = "KIND", help_heading = "Judging")]
    pub(crate) alarm: Option<AlarmArg>,
    /// How often an alarm may be false: 1/N values of each series, or 1/day,
    /// 1/week for the service as a whole
    #[arg(long, value_name = "RATE", default_value_t, help_heading = "Judging")]
    pub(crate) false_alarms: Promise,
    /// Changes that send a message
    #[arg(long, value_enum, value_name = "SIDE", default_value_t = AlarmSideArg::Worse, help_heading = "Judging")]
    pub(crate) alarm_side: AlarmSideArg,
    /// Rule set, or list of rules, that is drawn
    #[arg(long, value_name = "RULES", default_value = "nelson", value_parser = values::rules(),
          hide_possible_values = true, help_heading = "Judging")]
    pub(crate) rules: RuleSet,
    /// Values of a series to learn from
    #[arg(long, value_name = "N", default_value_t = 100, help_heading = "Judging")]
    pub(crate) learn: usize,
    /// Estimate limits of transformed values (log: for long tails)
    #[arg(long, value_name = "TRANSFORM", value_parser = values::transform(), default_value_t, help_heading = "Judging")]
    pub(crate) transform: Transform,
    /// Series at most; values of further ones are stored and not judged
    #[arg(long, value_name = "N", default_value_t = WatchSettings::MAX_SERIES, value_parser = values::at_least_one,
          help_heading = "Judging")]
    pub(crate) max_series: usize,
    /// Frozen limits from `analyze --save-baseline` or GET /api/v1/baselines
    #[arg(long, value_name = "FILE", help_heading = "Judging")]
    pub(crate) baseline: Option<PathBuf>,
    /// Rules whose violations are sent to the webhook [with --alarm rules: 1,2]
    #[arg(long, value_name = "RULES", value_parser = values::rules(), hide_possible_values = true,
          help_heading = "Judging")]
    pub(crate) alert_rules: Option<RuleSet>,
    /// Also send a message when a regular endpoint is silent
    #[arg(long, help_heading = "Judging")]
    pub(crate) alert_no_data: bool,
    /// Environment variable with the URL of a webhook for Slack messages
    #[arg(long, value_name = "VARIABLE", default_value = "LLMSCOPE_WEBHOOK_URL", help_heading = "Judging")]
    pub(crate) webhook_env: String,

    /// Days after which records are removed; 0 keeps them
    #[arg(long, value_name = "DAYS", env = "DATA_RETENTION_DAYS", value_parser = days, default_value = "7",
          help_heading = "Store")]
    pub(crate) retention_days: u32,
    /// Days after which violations that ended are removed; 0 keeps them
    #[arg(long, value_name = "DAYS", default_value_t = Settings::VIOLATION_DAYS, help_heading = "Store")]
    pub(crate) violation_days: u32,
    /// When a record is acknowledged: on disk (full) or in the OS (normal)
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t = DurabilityArg::Full, help_heading = "Store")]
    pub(crate) durability: DurabilityArg,
    /// Check the integrity of the whole store before the start
    #[arg(long, help_heading = "Store")]
    pub(crate) check: bool,

    /// Answer /api/stats, /api/system and /metrics without a key
    #[arg(long, env = "LLMSCOPE_OPEN_LEGACY", value_parser = FalseyValueParser::new(), help_heading = "Access")]
    pub(crate) open_legacy: bool,
    /// Further origin of pages that may call the API (repeatable)
    #[arg(long, value_name = "ORIGIN", env = "LLMSCOPE_ORIGIN", value_delimiter = ',', value_parser = origin,
          help_heading = "Access")]
    pub(crate) origin: Vec<String>,
    /// Requests per second from one other machine; 0 for no limit
    #[arg(long, value_name = "N", default_value_t = 1000, help_heading = "Access")]
    pub(crate) rate_limit: u32,
    /// Concurrent connections; others wait
    #[arg(long, value_name = "N", default_value_t = 16_384, help_heading = "Access")]
    pub(crate) connections: usize,
    /// Ask the service at the address whether it is ready (exit status 0 or 1)
    #[arg(long, help_heading = "Output")]
    pub(crate) healthcheck: bool,
    /// Log as JSON Lines
    #[arg(long, help_heading = "Output")]
    pub(crate) log_json: bool,
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "expected IP:PORT, such as 127.0.0.1:8081 or [::1]:8081".to_owned())
}

/// An origin as browsers send it: a scheme, a host, and a port if it is not the scheme's own.
fn origin(text: &str) -> Result<String, String> {
    const EXPECTED: &str = "expected an origin such as https://dashboard.example.com or http://localhost:3000";
    if text.trim() == "*" {
        return Err(format!("every page could write to the service; {EXPECTED}"));
    }
    let url = Url::parse(text.trim()).map_err(|_| EXPECTED.to_owned())?;
    let is_web = matches!(url.scheme(), "http" | "https") && url.path() == "/" && url.query().is_none();
    if is_web { Ok(url.origin().ascii_serialization()) } else { Err(EXPECTED.to_owned()) }
}

/// A number of days. An empty environment variable counts as unset.
fn days(text: &str) -> Result<u32, String> {
    if text.trim().is_empty() {
        return Ok(Settings::RETENTION_DAYS);
    }
    text.trim().parse().map_err(|_| "expected a whole number of days, 0 to keep everything".to_owned())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DurabilityArg {
    /// Acknowledged records survive a loss of power
    Full,
    /// Acknowledged records survive a crash of the service, not always of the host
    Normal,
}
