//! What was typed after `serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use llmscope_core::Transform;
use llmscope_server::Settings;

const EXAMPLES: &str = "\
Examples:
  llmscope-cli serve                                            on this machine only: http://127.0.0.1:8081
  LLMSCOPE_API_KEY=$(openssl rand -hex 24) llmscope-cli serve --address 0.0.0.0:8081 --database /data/llmscope.db
  llmscope-cli serve --baseline good.json --alert-rules 1,2     limits of a good build; Slack hears of rules 1 and 2
  llmscope-cli monitor --vendor ollama --model gemma3:4b --post http://127.0.0.1:8081

Environment: LLMSCOPE_API_KEY (one key that may do everything), LLMSCOPE_API_KEYS (name:scope:key, separated by commas;
scopes: read, write, admin), LLMSCOPE_WEBHOOK_URL (Slack's form), DATABASE_PATH, DATA_RETENTION_DAYS, LLMSCOPE_LOG
(error, warn, info, debug). Without a key it listens on loopback only.

SIGTERM and Ctrl-C end it cleanly: what was acknowledged is durable. Exit status: 0 ended, 2 error.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ServeArgs {
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", env = "LLMSCOPE_ADDRESS", default_value = "127.0.0.1:8081")]
    pub(crate) address: SocketAddr,
    /// The store: one SQLite file, made if it is not there
    #[arg(long, value_name = "FILE", env = "DATABASE_PATH", default_value = "llmscope.db")]
    pub(crate) database: PathBuf,

    /// Metric to judge as it arrives (repeatable) [default: ttft_s, e2e_s, tpot_s]
    #[arg(long, value_name = "METRIC", help_heading = "Judging")]
    pub(crate) metric: Vec<String>,
    /// Rules: a preset or a list
    #[arg(long, value_name = "RULES", default_value = "nelson", help_heading = "Judging")]
    pub(crate) rules: String,
    /// Values of each series to learn limits from, where none are frozen
    #[arg(long, value_name = "N", default_value_t = 100, help_heading = "Judging")]
    pub(crate) learn: usize,
    /// Scale on which limits are learned, drawn back to the unit: none, log (for long tails), box-cox, auto
    #[arg(long, value_name = "SCALE", default_value_t, help_heading = "Judging")]
    pub(crate) transform: Transform,
    /// Frozen limits, from `analyze --save-baseline` or `GET /api/v1/baselines`
    #[arg(long, value_name = "FILE", help_heading = "Judging")]
    pub(crate) baseline: Option<PathBuf>,
    /// Rules whose violations are told to the webhook; the others are only kept
    #[arg(long, value_name = "RULES", default_value = "1,2", help_heading = "Judging")]
    pub(crate) alert_rules: String,
    /// Environment variable with a webhook's address that takes Slack's form of messages
    #[arg(long, value_name = "VARIABLE", default_value = "LLMSCOPE_WEBHOOK_URL", help_heading = "Judging")]
    pub(crate) webhook_env: String,

    /// Days after which records are removed; 0 keeps them
    #[arg(long, value_name = "DAYS", env = "DATA_RETENTION_DAYS", value_parser = days, default_value = "7",
          help_heading = "Store")]
    pub(crate) retention_days: u32,
    /// When a record is acknowledged: when the disk has it, or when the operating system has it
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t = DurabilityArg::Full, help_heading = "Store")]
    pub(crate) durability: DurabilityArg,
    /// Read the whole store first, and start only if it is sound
    #[arg(long, help_heading = "Store")]
    pub(crate) check: bool,

    /// Origin of pages that may ask, beside its own, such as `https://ops.example` (repeatable)
    #[arg(long, value_name = "ORIGIN", help_heading = "Access")]
    pub(crate) origin: Vec<String>,
    /// Requests per second from one other machine; 0 for any number
    #[arg(long, value_name = "N", default_value_t = 1000, help_heading = "Access")]
    pub(crate) rate_limit: u32,
    /// Connections at once; others wait
    #[arg(long, value_name = "N", default_value_t = 16_384, help_heading = "Access")]
    pub(crate) connections: usize,
    /// Start nothing: ask the service at the address whether it is ready (exit status 0 or 1)
    #[arg(long, help_heading = "Output")]
    pub(crate) healthcheck: bool,
    /// Log as JSON, one event a line
    #[arg(long, help_heading = "Output")]
    pub(crate) log_json: bool,
}

/// A number of days. A variable that is set to nothing is not set.
fn days(text: &str) -> Result<u32, String> {
    if text.trim().is_empty() {
        return Ok(Settings::RETENTION_DAYS);
    }
    text.trim().parse().map_err(|_| "expected a whole number of days, 0 to keep everything".to_owned())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DurabilityArg {
    /// Survives a loss of power
    Full,
    /// Survives a crash of the service, not always a loss of power
    Normal,
}
