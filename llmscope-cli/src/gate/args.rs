//! The arguments of `gate`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use llmscope_core::gate::Statistic;
use llmscope_core::ingest::Tool;
use llmscope_core::{Metric, Missing, RuleSet};

use crate::cells::CellArgs;
use crate::meaning::MeaningArgs;
use crate::values;

const EXAMPLES: &str = "\
Examples:
  Is the branch slower?
    llmscope gate main.jsonl branch.jsonl
  Several runs on each side, which measure how much runs differ:
    llmscope gate main-*.jsonl --candidate branch-*.jsonl
  How many requests and runs decide, before measuring:
    llmscope gate --plan main-*.jsonl --max-shift 10%
  Objectives, without a baseline:
    llmscope gate run.jsonl --slo ttft.p99=500ms,errors=1%
  In CI, with an objective and reports:
    llmscope gate main.jsonl branch.jsonl --slo ttft=500ms \\
      --max-shift 10% --junit gate.xml --markdown gate.md
  Any numeric column of a table:
    llmscope gate old.csv new.csv --column latency_ms \\
      --statistic typical,p95 --json | jq .headline

A candidate is worse if the whole interval of a shift is beyond --max-shift,
and not worse if the whole interval is within it. Otherwise the data cannot
tell, and the answer gives the number of requests or runs that could. It is
failing if more requests failed than --max-share-increase allows.
Exit status: 0 not worse, or not enough data (see --undecided); 1 worse,
failing, or an objective of a run is missed; 2 error.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct GateArgs {
    /// BASELINE CANDIDATE; with --candidate or --plan, the files of the baseline
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Files of the candidate
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) candidate: Vec<PathBuf>,
    /// Show how many requests and runs per side decide, from the baseline alone
    #[arg(long, conflicts_with_all = ["candidate", "slo", "junit", "markdown"])]
    pub(crate) plan: bool,
    /// Read as this format instead of recognizing it; `--from help` lists them
    #[arg(long, value_name = "FORMAT", value_parser = values::format(), hide_possible_values = true)]
    pub(crate) from: Option<Tool>,
    /// Meaning of a table's column (repeatable): ttft_s=first_token:ms, model=engine
    #[arg(long, value_name = "NAME=COLUMN[:UNIT]")]
    pub(crate) map: Vec<String>,
    #[command(flatten)]
    pub(crate) meaning: MeaningArgs,
    #[command(flatten)]
    pub(crate) cells: CellArgs,

    /// Metric to compare (repeatable) [default: ttft_s, e2e_s, tpot_s]
    #[arg(long, value_name = "METRIC", value_parser = values::metric(), help_heading = "Selection")]
    pub(crate) metric: Vec<Metric>,
    /// Numeric column or attribute to compare (repeatable)
    #[arg(long, value_name = "NAME", help_heading = "Selection")]
    pub(crate) column: Vec<String>,
    /// Compare groups by provider, model, run, a label or a column
    /// [default: provider,model,run]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = values::group(),
          hide_possible_values = true, help_heading = "Selection")]
    pub(crate) by: Vec<String>,
    /// Statistics to compare [default: typical,p50,p90,p95,p99,error_rate]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = values::statistic(),
          hide_possible_values = true, help_heading = "Selection")]
    pub(crate) statistic: Vec<Statistic>,
    /// What a gap does: stop with an error, break runs of points, or be dropped
    /// [default: break in sessions, error in tables]
    #[arg(long, value_name = "POLICY", value_parser = values::missing(), help_heading = "Selection")]
    pub(crate) missing: Option<Missing>,

    /// Largest allowed shift for the worse
    #[arg(long, value_name = "SHARE", default_value = "5%", allow_hyphen_values = true, help_heading = "Decision")]
    pub(crate) max_shift: String,
    /// Largest allowed increase of the share that fails or misses an objective
    #[arg(long, value_name = "SHARE", default_value = "1%", allow_hyphen_values = true, help_heading = "Decision")]
    pub(crate) max_share_increase: String,
    /// Chance of failing an unchanged candidate, over all comparisons
    #[arg(long, value_name = "CHANCE", default_value = "0.01", help_heading = "Decision")]
    pub(crate) alpha: String,
    /// How much runs of one build differ (standard deviation), if there are too
    /// few runs to measure it; 0 is about the runs given [default for latencies: 10%]
    #[arg(long, value_name = "SHARE", help_heading = "Decision")]
    pub(crate) run_sd: Option<String>,
    /// Objectives of a request, compared as shares: ttft=500ms; of a run:
    /// ttft.p99=500ms,errors=1%
    #[arg(long, value_name = "LIMITS", help_heading = "Decision")]
    pub(crate) slo: Option<String>,
    /// Exit status without enough data: 0 (pass) or 1 (fail)
    #[arg(long, value_enum, default_value_t = Undecided::Pass, help_heading = "Decision")]
    pub(crate) undecided: Undecided,
    /// Rules for the chart with the baseline's limits, which does not decide
    #[arg(long, value_name = "RULES", default_value = "nelson", value_parser = values::rules(),
          hide_possible_values = true, help_heading = "Decision")]
    pub(crate) rules: RuleSet,

    /// Output format
    #[arg(long, value_enum, default_value_t = GateFormat::Table, help_heading = "Output")]
    pub(crate) format: GateFormat,
    /// Short for --format json
    #[arg(long, conflicts_with = "format", help_heading = "Output")]
    pub(crate) json: bool,
    /// Write to a file instead of standard output
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,
    /// Also write JUnit XML to this file
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) junit: Option<PathBuf>,
    /// Also write a summary for a pull request to this file
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
    /// A table for reading
    Table,
    /// llmscope.gate/2
    Json,
    /// A summary for a pull request
    Markdown,
    /// For the test reports of CI
    Junit,
}
