//! What was typed after `gate`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use llmscope_core::gate::Statistic;
use llmscope_harness::Objectives;

const EXAMPLES: &str = "\
Examples:
  llmscope-cli gate main.jsonl branch.jsonl                    is the branch slower?
  llmscope-cli gate main-*.jsonl --candidate branch-*.jsonl    several runs on each side
  llmscope-cli gate main.jsonl branch.jsonl --slo ttft=500ms --max-shift 10% --junit gate.xml --markdown gate.md
  llmscope-cli gate old.csv new.csv --column latency_ms --statistic typical,p95 --json | jq .headline

A candidate is worse if all of the interval of a shift lies beyond --max-shift, and not worse if none of it does;
otherwise the data cannot tell, and the answer says how many requests could.
Exit status: 0 not worse, or not enough data (see --undecided); 1 worse; 2 error.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct GateArgs {
    /// BASELINE CANDIDATE; with --candidate, the files of the baseline: sessions, other tools' logs, CSV or JSON Lines
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The files of the candidate
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) candidate: Vec<PathBuf>,
    /// Force a log format instead of recognizing it: llmscope, llmperf, jsonl, csv
    #[arg(long, value_name = "TOOL")]
    pub(crate) from: Option<String>,
    /// What a column of a table is (repeatable): ttft_s=time_to_first_token:ms, model=engine, started_at=ts:ms
    #[arg(long, value_name = "NAME=COLUMN[:UNIT]")]
    pub(crate) map: Vec<String>,

    /// Metric to compare (repeatable): ttft_s, e2e_s, tpot_s, output_tokens_per_s, cost_usd, error_rate, …
    #[arg(long, value_name = "METRIC", help_heading = "Selection")]
    pub(crate) metric: Vec<String>,
    /// Numeric column or attribute to compare (repeatable)
    #[arg(long, value_name = "NAME", help_heading = "Selection")]
    pub(crate) column: Vec<String>,
    /// Compare group with group of these: provider, model, a label or a column [default: provider,model]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', help_heading = "Selection")]
    pub(crate) by: Vec<String>,
    /// What to compare of each metric [default: typical,p50,p90,p95,p99,error_rate]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', help_heading = "Selection")]
    pub(crate) statistic: Vec<Statistic>,
    /// What a gap means: error, break (ends runs), drop [default: break in sessions, error in tables]
    #[arg(long, value_name = "POLICY", help_heading = "Selection")]
    pub(crate) missing: Option<String>,

    /// Largest shift for the worse that is allowed
    #[arg(long, value_name = "SHARE", default_value = "5%", allow_hyphen_values = true, help_heading = "Decision")]
    pub(crate) max_shift: String,
    /// How many more requests may fail, or miss an objective of --slo
    #[arg(long, value_name = "SHARE", default_value = "1%", allow_hyphen_values = true, help_heading = "Decision")]
    pub(crate) max_share_increase: String,
    /// Chance of failing a candidate that has not changed, over all comparisons together
    #[arg(long, value_name = "CHANCE", default_value = "0.01", help_heading = "Decision")]
    pub(crate) alpha: String,
    /// Objectives of a request: ttft=500ms,tpot=50ms,e2e=10s
    #[arg(long, value_name = "LIMITS", help_heading = "Decision")]
    pub(crate) slo: Option<Objectives>,
    /// The exit status when there is not enough data to tell: pass is 0, fail is 1
    #[arg(long, value_enum, default_value_t = Undecided::Pass, help_heading = "Decision")]
    pub(crate) undecided: Undecided,
    /// Rules on the baseline's frozen chart, which informs and does not decide
    #[arg(long, value_name = "RULES", default_value = "nelson", help_heading = "Decision")]
    pub(crate) rules: String,

    /// Output format
    #[arg(long, value_enum, default_value_t = GateFormat::Table, help_heading = "Output")]
    pub(crate) format: GateFormat,
    /// Short for --format json
    #[arg(long, conflicts_with = "format", help_heading = "Output")]
    pub(crate) json: bool,
    /// Write to a file instead of standard output
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,
    /// Write JUnit XML to this file as well
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) junit: Option<PathBuf>,
    /// Write a summary for a pull request to this file as well
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) markdown: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Undecided {
    /// Warn, exit 0
    Pass,
    /// Exit 1
    Fail,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GateFormat {
    /// For people
    Table,
    /// llmscope.gate/1
    Json,
    /// A summary for a pull request
    Markdown,
    /// For the test reports of CI
    Junit,
}
