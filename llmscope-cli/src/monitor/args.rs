//! What was typed after `monitor`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use llmscope_core::Transform;
use llmscope_harness::VendorKind;
use llmscope_harness::vendor::Simulation;

use crate::target::{TargetArgs, duration, vendor};

const EXAMPLES: &str = "\
Examples:
  llmscope-cli monitor --vendor ollama --model gemma3:4b -o watch.jsonl
  llmscope-cli monitor --vendor openai --url http://localhost:8000/v1 --interval 15s --baseline good.json \\
      --post http://localhost:8081 --spool unsent.jsonl --on-violation 'notify-send \"$LLMSCOPE_MESSAGE\"'
  llmscope-cli monitor --config endpoints.toml -o watch.jsonl
  llmscope-cli monitor --vendor simulated --interval 200ms --simulate ttft=50ms,shift=60:2 --count 120

A file of endpoints:
  interval = \"15s\"
  [[endpoint]]
  name = \"prod\"
  vendor = \"openai\"
  url = \"http://localhost:8000/v1\"
  model = \"llama-3-70b\"
  key_env = \"PROD_KEY\"

Environment: LLMSCOPE_API_BASE (--post), LLMSCOPE_API_KEY, LLMSCOPE_WEBHOOK_URL (Slack's form), MONITORING_INTERVAL,
OLLAMA_URL, OLLAMA_MODEL, USE_OLLAMA (true: Ollama, false: simulated, where no vendor is named), the vendors' keys.

Each violation is told once, and its end once. SIGTERM and Ctrl-C end it cleanly.
Exit status: 0 nothing out of control at the end, 1 a violation is open, 2 error.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct MonitorArgs {
    /// Vendor of the endpoint to watch; several endpoints come from --config
    #[arg(long, value_name = "VENDOR", value_parser = vendor(), conflicts_with = "config")]
    pub(crate) vendor: Option<VendorKind>,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Endpoints from a TOML file
    #[arg(long, value_name = "FILE", help_heading = "Endpoint")]
    pub(crate) config: Option<PathBuf>,
    /// How the simulated vendor behaves: ttft=50ms,tpot=2ms,failures=1%,shift=100:1.5
    #[arg(long, value_name = "BEHAVIOUR", help_heading = "Endpoint")]
    pub(crate) simulate: Option<Simulation>,

    /// Time from one request to the next
    #[arg(long, value_name = "TIME", value_parser = duration, env = "MONITORING_INTERVAL", default_value = "15s",
          help_heading = "Requests")]
    pub(crate) interval: Duration,
    /// Share of the interval by which requests come earlier or later
    #[arg(long, value_name = "SHARE", default_value_t = 0.1, help_heading = "Requests")]
    pub(crate) jitter: f64,
    /// What to ask, always the same
    #[arg(long, value_name = "TEXT", default_value = DEFAULT_PROMPT, help_heading = "Requests")]
    pub(crate) prompt: String,
    /// Longest answer to ask for, in tokens
    #[arg(long, value_name = "N", default_value_t = 32, help_heading = "Requests")]
    pub(crate) output_tokens: u32,
    /// Longest time for a whole answer
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "60s", help_heading = "Requests")]
    pub(crate) timeout: Duration,
    /// End after so many results
    #[arg(long, value_name = "N", help_heading = "Requests")]
    pub(crate) count: Option<u64>,
    /// Of the jitter
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Requests")]
    pub(crate) seed: u64,

    /// Metric to judge (repeatable) [default: ttft_s and e2e_s]
    #[arg(long, value_name = "METRIC", help_heading = "Judging")]
    pub(crate) metric: Vec<String>,
    /// Rules: a preset or a list
    #[arg(long, value_name = "RULES", default_value = "1,2", help_heading = "Judging")]
    pub(crate) rules: String,
    /// Frozen limits, from `analyze --save-baseline` or an earlier monitor
    #[arg(long, value_name = "FILE", help_heading = "Judging")]
    pub(crate) baseline: Option<PathBuf>,
    /// Results to learn limits from, where none are frozen
    #[arg(long, value_name = "N", default_value_t = 30, help_heading = "Judging")]
    pub(crate) learn: usize,
    /// Scale on which limits are learned, drawn back to the unit: none, log (for long tails), box-cox, auto
    #[arg(long, value_name = "SCALE", default_value_t, help_heading = "Judging")]
    pub(crate) transform: Transform,
    /// Keep the limits that were learned in a file; where it is there already, they are not learned again
    #[arg(long, value_name = "FILE", help_heading = "Judging")]
    pub(crate) save_baseline: Option<PathBuf>,
    /// Results without a signal that make a recovery
    #[arg(long, value_name = "N", default_value_t = 5, help_heading = "Judging")]
    pub(crate) recover_after: usize,
    /// Failures in a row that make a violation
    #[arg(long, value_name = "N", default_value_t = 2, help_heading = "Judging")]
    pub(crate) failures: usize,

    /// Session in JSON Lines to append to; it may be there already
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,
    /// Post every record to a service, such as http://localhost:8081
    #[arg(long, value_name = "URL", env = "LLMSCOPE_API_BASE", help_heading = "Output")]
    pub(crate) post: Option<String>,
    /// File for what could not be posted at the end; the next monitor takes it up
    #[arg(long, value_name = "FILE", requires = "post", help_heading = "Output")]
    pub(crate) spool: Option<PathBuf>,
    /// Environment variable with a webhook's address that takes Slack's form of messages
    #[arg(long, value_name = "VARIABLE", default_value = "LLMSCOPE_WEBHOOK_URL", help_heading = "Output")]
    pub(crate) webhook_env: String,
    /// Command to run at each violation and recovery: the event as JSON on its standard input, in words in
    /// LLMSCOPE_MESSAGE, its kind in LLMSCOPE_EVENT
    #[arg(long, value_name = "COMMAND", help_heading = "Output")]
    pub(crate) on_violation: Option<String>,
    /// Say that all is well at this interval
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "5min", help_heading = "Output")]
    pub(crate) heartbeat: Duration,
    /// Print records and events as JSON, one a line
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
    /// Print events only, not every result
    #[arg(short, long, help_heading = "Output")]
    pub(crate) quiet: bool,
}

pub(super) const DEFAULT_PROMPT: &str = "Count from one to ten in words, separated by commas.";
