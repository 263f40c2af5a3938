//! The arguments of `bench`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use llmscope_harness::workload::Tier;
use llmscope_harness::{VendorKind, vendor::Simulation};

use crate::target::{TargetArgs, duration};
use crate::values;

const EXAMPLES: &str = "\
Examples:
  Without an endpoint (the session is labelled as simulated):
    llmscope bench --vendor simulated -o demo.jsonl
  A local model with the built-in prompts and one client:
    llmscope bench --vendor ollama --model gemma3:4b -n 50
  A vLLM server under load:
    llmscope bench --vendor openai --url http://localhost:8000/v1 \\
      --concurrency 16 --duration 60s --warmup 16 \\
      --prompt-tokens 512 --output-tokens 128 -o vllm.jsonl
  An open loop with an objective:
    llmscope bench --vendor anthropic --model MODEL --rate 2 --slo ttft=800ms
  Several loads, one after the other:
    llmscope bench --vendor openai --url http://localhost:8000 \\
      --concurrency 1,2,4,8,16 -o steps.jsonl --plot steps.png
  The highest load that keeps an objective:
    llmscope bench --vendor openai --url http://localhost:8000 \\
      --find-load --slo ttft.p99=500ms
  The control charts of what was measured:
    llmscope analyze vllm.jsonl

Keys come from the environment: OPENAI_API_KEY, AZURE_OPENAI_API_KEY,
OPENROUTER_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY,
AWS_BEARER_TOKEN_BEDROCK or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY,
GITHUB_TOKEN, OLLAMA_API_KEY.

The first Ctrl-C ends the run and keeps what was measured; the second ends
the program.
Exit status: 0 measured, 1 too many requests failed, 2 error or none succeeded.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct BenchArgs {
    /// API of the endpoint; vLLM, llama.cpp and other compatible servers: openai
    #[arg(long, value_name = "VENDOR", value_parser = values::vendor())]
    pub(crate) vendor: VendorKind,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Simulated behaviour: ttft=50ms,tpot=2ms,spread=0.1,failures=1%,servers=4
    #[arg(long, value_name = "BEHAVIOUR", help_heading = "Endpoint")]
    pub(crate) simulate: Option<Simulation>,

    /// Requests to measure [default: 100, without --duration]
    #[arg(short = 'n', long, value_name = "N", help_heading = "Load")]
    pub(crate) requests: Option<u64>,
    /// Time during which requests are sent, such as 60s or 5min
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = "Load")]
    pub(crate) duration: Option<Duration>,
    /// Closed loop: N clients, each waits for its response; 1,2,4 are steps [default: 1]
    #[arg(
        short = 'c',
        long,
        visible_alias = "sweep",
        value_name = "N,…",
        value_delimiter = ',',
        help_heading = "Load"
    )]
    #[arg(conflicts_with_all = ["rate", "trace"])]
    pub(crate) concurrency: Vec<usize>,
    /// Open loop: requests per second, independent of responses; 1,2,4 are steps
    #[arg(long, value_name = "PER_SECOND,…", value_delimiter = ',', conflicts_with = "trace", help_heading = "Load")]
    pub(crate) rate: Vec<f64>,
    /// Find the highest rate that keeps --slo, such as ttft.p99=500ms
    ///
    /// The rate doubles from --rate [default: 1] until a step of --requests
    /// does not keep the objectives, and four more steps find it within 5 %.
    #[arg(long, requires = "slo", conflicts_with_all = ["concurrency", "trace", "duration", "ramp"], help_heading = "Load")]
    pub(crate) find_load: bool,
    /// Probability that the load of --find-load misses an objective
    #[arg(long, value_name = "SHARE", value_parser = values::share, default_value = "5%", help_heading = "Load")]
    #[arg(requires = "find_load")]
    pub(crate) alpha: f64,
    /// Spacing of the requests of an open loop
    #[arg(long, value_enum, default_value_t = ArrivalArg::Poisson, help_heading = "Load")]
    pub(crate) arrival: ArrivalArg,
    /// Replay a trace with its times: JSON Lines, Mooncake, Azure or BurstGPT CSV
    #[arg(long, value_name = "FILE", conflicts_with = "prompts", help_heading = "Load")]
    pub(crate) trace: Option<PathBuf>,
    /// Replay FACTOR times as fast as recorded
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, requires = "trace", help_heading = "Load")]
    pub(crate) speed: f64,
    /// Requests at the start that are not judged
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Load")]
    pub(crate) warmup: u64,
    /// Time over which the load grows to its full size
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "0s", help_heading = "Load")]
    pub(crate) ramp: Duration,
    /// Pause between a response and the client's next request
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "0s", help_heading = "Load")]
    pub(crate) think: Duration,
    /// Seed of all random choices: order, prompts, arrivals
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Load")]
    pub(crate) seed: u64,
    /// Requests to spend on a vendor with a daily limit
    #[arg(long, value_name = "N", help_heading = "Load")]
    pub(crate) budget: Option<u64>,

    /// Prompts: JSON Lines, CSV, ShareGPT, or one per line
    #[arg(long, value_name = "FILE", conflicts_with_all = ["prompt_tokens", "tier"], help_heading = "Prompts")]
    pub(crate) prompts: Option<PathBuf>,
    /// Synthetic prompts of about N tokens
    #[arg(long, value_name = "N", conflicts_with = "tier", help_heading = "Prompts")]
    pub(crate) prompt_tokens: Option<u32>,
    /// Standard deviation of --prompt-tokens
    #[arg(long, value_name = "N", default_value_t = 0, requires = "prompt_tokens", help_heading = "Prompts")]
    pub(crate) prompt_tokens_stdev: u32,
    /// Longest response, in tokens [default: as the prompts say, 128 if synthetic]
    #[arg(long, value_name = "N", help_heading = "Prompts")]
    pub(crate) output_tokens: Option<u32>,
    /// Built-in prompts (repeatable) [default: simple-recall]
    ///
    /// Responses of different tiers differ in length: judge them with
    /// `analyze --by label`.
    #[arg(long, value_name = "TIER", value_parser = values::tier(), help_heading = "Prompts")]
    pub(crate) tier: Vec<Tier>,

    /// Longest time for a complete response
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "300s", help_heading = "Requests")]
    pub(crate) timeout: Duration,
    /// Longest time to open a connection
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "10s", help_heading = "Requests")]
    pub(crate) connect_timeout: Duration,
    /// Retries after 429, 5xx or a broken connection; each is recorded
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Requests")]
    pub(crate) retries: u32,
    /// Stop after N failures in a row; 0 never stops
    #[arg(long, value_name = "N", default_value_t = 20, help_heading = "Requests")]
    pub(crate) stop_after_failures: u32,
    /// Exit status 1 if a larger share of the requests fails
    #[arg(long, value_name = "SHARE", value_parser = values::share, default_value = "50%", help_heading = "Requests")]
    pub(crate) max_error_rate: f64,
    /// Open a new connection for every request
    #[arg(long, help_heading = "Requests")]
    pub(crate) no_keepalive: bool,

    /// Objectives for goodput: ttft=500ms,tpot=50ms,e2e=10s
    ///
    /// With --find-load, objectives of the run: ttft.p99=500ms,errors=1%.
    #[arg(long, value_name = "LIMITS", help_heading = "Output")]
    pub(crate) slo: Option<String>,
    /// Session to write: .jsonl grows during the run, .json appears at its end,
    /// `-` is standard output [default: llmscope-DATE.jsonl]
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,
    /// Draw the latencies of several loads, with the knee: .svg or .png
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) plot: Option<PathBuf>,
    /// Append to an existing session in JSON Lines
    #[arg(long, requires = "output", help_heading = "Output")]
    pub(crate) append: bool,
    /// Name of the run, stored in the session
    #[arg(long, value_name = "NAME", help_heading = "Output")]
    pub(crate) name: Option<String>,
    /// Label of the run to group by (repeatable): build=1234
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Output")]
    pub(crate) label: Vec<String>,
    /// Interval at which CPU, memory and GPUs are sampled into the session
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = "Output")]
    pub(crate) sample_machine: Option<Duration>,
    /// Also send each record to this service (key in LLMSCOPE_API_KEY)
    #[arg(long, value_name = "URL", help_heading = "Output")]
    pub(crate) post: Option<String>,
    /// Print the summary as JSON
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
    /// Print neither progress nor summary
    #[arg(short, long, help_heading = "Output")]
    pub(crate) quiet: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ArrivalArg {
    /// Evenly
    Constant,
    /// Independent of each other, like the requests of many users
    Poisson,
}
