//! The arguments of `monitor`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use llmscope_core::watch::Promise;
use llmscope_core::{Metric, RuleSet, Transform};
use llmscope_harness::VendorKind;
use llmscope_harness::vendor::Simulation;

use crate::alarm::{AlarmArg, AlarmSideArg};
use crate::target::{TargetArgs, duration};
use crate::values;

const EXAMPLES: &str = "\
Examples:
  A local model:
    llmscope monitor --vendor ollama --model gemma3:4b -o watch.jsonl
  A server, with a service and a notification; a false alarm a month:
    llmscope monitor --vendor openai --url http://localhost:8000/v1 \\
      --interval 15s --false-alarms 1/month \\
      --post http://localhost:8081 --spool unsent.jsonl \\
      --on-violation 'notify-send \"$LLMSCOPE_MESSAGE\"'
  Several endpoints:
    llmscope monitor --config endpoints.toml -o watch.jsonl
  Without an endpoint:
    llmscope monitor --vendor simulated --interval 200ms \\
      --simulate ttft=50ms,shift=150:2 --count 200

A file of endpoints:
  interval = \"15s\"
  [[endpoint]]
  name = \"prod\"
  vendor = \"openai\"
  url = \"http://localhost:8000/v1\"
  model = \"llama-3-70b\"
  key_env = \"PROD_KEY\"

Environment: LLMSCOPE_API_BASE (or LLMSCOPE_API_URL, LLMSCOPE_BASE: --post),
LLMSCOPE_API_KEY, LLMSCOPE_WEBHOOK_URL (accepts Slack messages),
MONITORING_INTERVAL (or MONITOR_INTERVAL), OLLAMA_URL (or OLLAMA_BASE_URL),
 OLLAMA_MODEL, USE_OLLAMA (without --vendor: true for Ollama,
false for the simulation), and the keys of the vendors.

Each change is reported once when it begins, when it has become larger by
half, and when it ends. SIGTERM and Ctrl-C end the monitor cleanly.
Exit status: 0 no incident is open at the end, 1 one is open, 2 error.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct MonitorArgs {
    /// API of the endpoint; for several endpoints use --config
    #[arg(long, value_name = "VENDOR", value_parser = values::vendor(), conflicts_with = "config")]
    pub(crate) vendor: Option<VendorKind>,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// TOML file of endpoints
    #[arg(long, value_name = "FILE", help_heading = "Endpoint")]
    pub(crate) config: Option<PathBuf>,
    /// Simulated behaviour: ttft=50ms,tpot=2ms,failures=1%,shift=100:1.5
    #[arg(long, value_name = "BEHAVIOUR", help_heading = "Endpoint")]
    pub(crate) simulate: Option<Simulation>,

    /// Time between requests
    #[arg(long, value_name = "TIME", value_parser = duration, env = "MONITORING_INTERVAL", default_value = "15s",
          help_heading = "Requests")]
    pub(crate) interval: Duration,
    /// Share of the interval by which requests vary in time
    #[arg(long, value_name = "SHARE", default_value_t = 0.1, help_heading = "Requests")]
    pub(crate) jitter: f64,
    /// Prompt of every request
    #[arg(long, value_name = "TEXT", default_value = DEFAULT_PROMPT, help_heading = "Requests")]
    pub(crate) prompt: String,
    /// Longest response, in tokens
    #[arg(long, value_name = "N", default_value_t = 32, help_heading = "Requests")]
    pub(crate) output_tokens: u32,
    /// Longest time for a complete response
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "60s", help_heading = "Requests")]
    pub(crate) timeout: Duration,
    /// End after N results
    #[arg(long, value_name = "N", help_heading = "Requests")]
    pub(crate) count: Option<u64>,
    /// Seed of the jitter
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Requests")]
    pub(crate) seed: u64,

    /// Metric to judge (repeatable) [default: ttft_s, e2e_s]
    #[arg(long, value_name = "METRIC", value_parser = values::metric(), help_heading = "Judging")]
    pub(crate) metric: Vec<Metric>,
    /// What raises an alarm [default: shift, or rules if one of their options
    /// is given]
    #[arg(long, value_enum, value_name = "KIND", help_heading = "Judging")]
    pub(crate) alarm: Option<AlarmArg>,
    /// How often an alarm may be false: 1/N values of each metric, or 1/day,
    /// 1/week for the monitor as a whole
    #[arg(long, value_name = "RATE", default_value_t, help_heading = "Judging")]
    pub(crate) false_alarms: Promise,
    /// Results to learn from [default: 100; with rules: 30]
    #[arg(long, value_name = "N", help_heading = "Judging")]
    pub(crate) learn: Option<usize>,
    /// Changes that send a message
    #[arg(long, value_enum, value_name = "SIDE", default_value_t = AlarmSideArg::Worse, help_heading = "Judging")]
    pub(crate) alarm_side: AlarmSideArg,

    /// Rule set, or list of rules [default: 1,2]
    #[arg(long, value_name = "RULES", value_parser = values::rules(), hide_possible_values = true,
          help_heading = "Judging by rules")]
    pub(crate) rules: Option<RuleSet>,
    /// Frozen limits from `analyze --save-baseline` or a previous monitor
    #[arg(long, value_name = "FILE", help_heading = "Judging by rules")]
    pub(crate) baseline: Option<PathBuf>,
    /// Estimate limits of transformed values (log: for long tails)
    #[arg(long, value_name = "TRANSFORM", value_parser = values::transform(), help_heading = "Judging by rules")]
    pub(crate) transform: Option<Transform>,
    /// File for estimated limits; if it exists, they are read from it
    #[arg(long, value_name = "FILE", help_heading = "Judging by rules")]
    pub(crate) save_baseline: Option<PathBuf>,
    /// Results without a signal that end a violation [default: 5]
    #[arg(long, value_name = "N", help_heading = "Judging by rules")]
    pub(crate) recover_after: Option<usize>,
    /// Failures in a row that open a violation [default: 2]
    #[arg(long, value_name = "N", help_heading = "Judging by rules")]
    pub(crate) failures: Option<usize>,

    /// Session in JSON Lines to append to, or to create
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,
    /// Send each record to a service, such as http://localhost:8081
    #[arg(long, value_name = "URL", env = "LLMSCOPE_API_BASE", help_heading = "Output")]
    pub(crate) post: Option<String>,
    /// File of records not sent yet, which the next monitor sends
    /// [default: in the state folder of the user]
    #[arg(long, value_name = "FILE", requires = "post", help_heading = "Output")]
    pub(crate) spool: Option<PathBuf>,
    /// Environment variable with the URL of a webhook for Slack messages
    #[arg(long, value_name = "VARIABLE", default_value = "LLMSCOPE_WEBHOOK_URL", help_heading = "Output")]
    pub(crate) webhook_env: String,
    /// Command to run when an incident or a violation begins, becomes worse or
    /// ends: JSON on standard input, text in LLMSCOPE_MESSAGE, kind in
    /// LLMSCOPE_EVENT
    #[arg(long, value_name = "COMMAND", help_heading = "Output")]
    pub(crate) on_violation: Option<String>,
    /// Interval of the message that all is well
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "5min", help_heading = "Output")]
    pub(crate) heartbeat: Duration,
    /// Print records and events as JSON Lines
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
    /// Print events only, not each result
    #[arg(short, long, help_heading = "Output")]
    pub(crate) quiet: bool,
}

pub(super) const DEFAULT_PROMPT: &str = "Count from one to ten in words, separated by commas.";
