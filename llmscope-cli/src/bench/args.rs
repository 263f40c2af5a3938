//! What was typed after `bench`.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use llmscope_harness::workload::Tier;
use llmscope_harness::{Objectives, VendorKind, vendor::Simulation};

use crate::target::{TargetArgs, duration, vendor};

const EXAMPLES: &str = "\
Examples:
  llmscope-cli bench --vendor simulated -o demo.jsonl                    no endpoint needed, labelled as simulated
  llmscope-cli bench --vendor ollama --model gemma3:4b -n 50             the built-in prompts, one client
  llmscope-cli bench --vendor openai --url http://localhost:8000/v1 --concurrency 16 --duration 60s \\
      --prompt-tokens 512 --output-tokens 128 --warmup 16 -o vllm.jsonl  a vLLM server under load
  llmscope-cli bench --vendor anthropic --model MODEL --rate 2 --arrival poisson --slo ttft=800ms
  llmscope-cli bench --vendor openai --url http://localhost:8000 --sweep 1,2,4,8,16 -o sweep.jsonl
  llmscope-cli analyze vllm.jsonl                                        the control charts of what was measured

Keys come from the environment: OPENAI_API_KEY, AZURE_OPENAI_API_KEY, OPENROUTER_API_KEY, ANTHROPIC_API_KEY,
GEMINI_API_KEY, AWS_BEARER_TOKEN_BEDROCK or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, GITHUB_TOKEN, OLLAMA_API_KEY.

Ctrl-C ends a run and keeps what was measured; a second one ends the program.
Exit status: 0 measured, 2 error, or no request succeeded.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct BenchArgs {
    /// Whom to ask; compatible servers (vLLM, llama.cpp, …) are asked as openai
    #[arg(long, value_name = "VENDOR", value_parser = vendor())]
    pub(crate) vendor: VendorKind,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// How the simulated vendor behaves: ttft=50ms,tpot=2ms,spread=0.1,tokens=32,failures=1%,shift=100:1.5
    #[arg(long, value_name = "BEHAVIOUR", help_heading = "Endpoint")]
    pub(crate) simulate: Option<Simulation>,

    /// Requests to measure [default: 100, unless there is a duration]
    #[arg(short = 'n', long, value_name = "N", help_heading = "Load")]
    pub(crate) requests: Option<u64>,
    /// How long requests are issued, such as 60s or 5min
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = "Load")]
    pub(crate) duration: Option<Duration>,
    /// Closed loop: so many clients, each waits for its answer [default: 1]
    #[arg(short = 'c', long, value_name = "N", conflicts_with_all = ["rate", "sweep", "trace"], help_heading = "Load")]
    pub(crate) concurrency: Option<usize>,
    /// Closed loops of these numbers of clients, one after the other: 1,2,4,8
    #[arg(long, value_name = "N,…", value_delimiter = ',', conflicts_with_all = ["rate", "trace"], help_heading = "Load")]
    pub(crate) sweep: Vec<usize>,
    /// Open loop: requests per second, whether earlier ones are answered or not
    #[arg(long, value_name = "PER_SECOND", conflicts_with = "trace", help_heading = "Load")]
    pub(crate) rate: Option<f64>,
    /// How the requests of an open loop are spaced
    #[arg(long, value_enum, default_value_t = ArrivalArg::Poisson, help_heading = "Load")]
    pub(crate) arrival: ArrivalArg,
    /// Replay a recorded trace with its times: JSON Lines, Mooncake, Azure's or BurstGPT's CSV
    #[arg(long, value_name = "FILE", conflicts_with = "prompts", help_heading = "Load")]
    pub(crate) trace: Option<PathBuf>,
    /// Replay so many times as fast as it was recorded
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, requires = "trace", help_heading = "Load")]
    pub(crate) speed: f64,
    /// Requests that come first and are not judged
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Load")]
    pub(crate) warmup: u64,
    /// Time in which the load grows to its full size
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "0s", help_heading = "Load")]
    pub(crate) ramp: Duration,
    /// Pause between an answer and the same client's next request
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "0s", help_heading = "Load")]
    pub(crate) think: Duration,
    /// Of every random choice: order, prompts, arrivals
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Load")]
    pub(crate) seed: u64,
    /// Requests to spend on a vendor that bears only few a day
    #[arg(long, value_name = "N", help_heading = "Load")]
    pub(crate) budget: Option<u64>,

    /// Prompts: JSON Lines, CSV, ShareGPT, or one a line
    #[arg(long, value_name = "FILE", conflicts_with_all = ["prompt_tokens", "tier"], help_heading = "Prompts")]
    pub(crate) prompts: Option<PathBuf>,
    /// Synthetic prompts of about so many tokens
    #[arg(long, value_name = "N", conflicts_with = "tier", help_heading = "Prompts")]
    pub(crate) prompt_tokens: Option<u32>,
    /// Standard deviation of --prompt-tokens
    #[arg(long, value_name = "N", default_value_t = 0, requires = "prompt_tokens", help_heading = "Prompts")]
    pub(crate) prompt_tokens_stdev: u32,
    /// Longest answer to ask for, in tokens, whatever the prompts say [default: theirs; 128 for synthetic ones]
    #[arg(long, value_name = "N", help_heading = "Prompts")]
    pub(crate) output_tokens: Option<u32>,
    /// Built-in prompts (repeatable) [default: simple-recall]
    ///
    /// Answers of different tiers differ in length: judge them with `analyze --by label`.
    #[arg(long, value_name = "TIER", value_parser = tier(), help_heading = "Prompts")]
    pub(crate) tier: Vec<Tier>,

    /// Longest time for a whole answer
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "300s", help_heading = "Requests")]
    pub(crate) timeout: Duration,
    /// Longest time to open a connection
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "10s", help_heading = "Requests")]
    pub(crate) connect_timeout: Duration,
    /// Further attempts after 429, 5xx or a broken connection; every one is recorded
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Requests")]
    pub(crate) retries: u32,
    /// Open a new connection for every request
    #[arg(long, help_heading = "Requests")]
    pub(crate) no_keepalive: bool,

    /// Objectives for goodput: ttft=500ms,tpot=50ms,e2e=10s
    #[arg(long, value_name = "LIMITS", help_heading = "Output")]
    pub(crate) slo: Option<Objectives>,
    /// Session to write: .jsonl grows while the run goes on, .json appears whole at its end, `-` is standard output
    /// [default: llmscope-DATE.jsonl]
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,
    /// Go on with a session in JSON Lines that is already there
    #[arg(long, requires = "output", help_heading = "Output")]
    pub(crate) append: bool,
    /// Name of the run, kept in the session
    #[arg(long, value_name = "NAME", help_heading = "Output")]
    pub(crate) name: Option<String>,
    /// Label of the run to group by (repeatable): build=1234
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Output")]
    pub(crate) label: Vec<String>,
    /// Sample processors, memory and GPUs at this interval into the session
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = "Output")]
    pub(crate) sample_machine: Option<Duration>,
    /// Send every record to a service as well: http://localhost:8081 (key in LLMSCOPE_API_KEY)
    #[arg(long, value_name = "URL", help_heading = "Output")]
    pub(crate) post: Option<String>,
    /// Print the summary as JSON
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
    /// No progress, no summary
    #[arg(short, long, help_heading = "Output")]
    pub(crate) quiet: bool,
}

fn tier() -> impl TypedValueParser<Value = Tier> {
    PossibleValuesParser::new(Tier::ALL.map(Tier::name)).try_map(|name| name.parse::<Tier>())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ArrivalArg {
    /// Evenly
    Constant,
    /// Independent of each other, as the requests of many people are
    Poisson,
}
