//! What was typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use llmscope_core::Transform;
use llmscope_core::analysis::Stages;

use crate::bench::BenchArgs;
use crate::convert::ConvertArgs;
use crate::gate::GateArgs;
use crate::monitor::MonitorArgs;
use crate::probe::ProbeArgs;
use crate::reset::ResetArgs;
use crate::serve::ServeArgs;

const EXAMPLES: &str = "\
Examples:
  llmscope-cli analyze sessions/*.json                        judge each provider and model
  llmscope-cli analyze sessions/*.json --by session           judge each run, and what varies between runs
  llmscope-cli analyze run.json --usl 800ms --plot run.png    capability against an SLO, and a picture
  llmscope-cli analyze log.csv --column latency_ms --by model any numeric column
  cat a.jsonl | llmscope-cli analyze - --column latency --json | jq .

Exit status: 0 in control, 1 signals found, 2 error.";

const REPORT_EXAMPLES: &str = "\
Examples:
  llmscope-cli report sessions/*.json -o report.html                  one page: verdicts, charts, violations
  llmscope-cli report run.json --usl 800ms --title 'Nightly' -o r.html   capability against an SLO
  llmscope-cli report log.csv --column latency_ms --by model > r.html    any numeric column

Exit status: 0 the page was written, whatever it says; 2 error.";

/// Statistical process control for LLM performance.
#[derive(Debug, Parser)]
#[command(name = "llmscope-cli", version, about, after_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Judge logs: control chart, violations and capability per group and metric
    Analyze(Box<AnalyzeArgs>),
    /// Measure an endpoint: send requests, stamp every chunk of the answers, write a session
    Bench(Box<BenchArgs>),
    /// Turn logs into sessions, and sessions into JSON, JSON Lines, CSV or Parquet and back
    Convert(ConvertArgs),
    /// Watch endpoints for weeks: judge each result at once, tell violations and recoveries
    Monitor(Box<MonitorArgs>),
    /// Take records over HTTP, judge them as they arrive, show them live
    Serve(Box<ServeArgs>),
    /// Remove the service's data after showing what will go; or try a fresh service out (--smoke)
    Reset(ResetArgs),
    /// Write one page that shows it all: verdicts, charts, violations, capability, environment
    Report(Box<ReportArgs>),
    /// Compare a candidate with a baseline: is it worse? For CI, with a promised false-alarm rate
    Gate(Box<GateArgs>),
    /// Describe this machine: processors, memory, temperatures, GPUs
    Probe(ProbeArgs),
    /// Print the JSON Schema of sessions or reports
    Schema(SchemaArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Print the manual page (roff), of the program or of one command
    Man(ManArgs),
}

/// Which logs, and how they are judged: `analyze` and `report` take the same.
#[derive(Debug, Args)]
pub(crate) struct JudgeArgs {
    /// Sessions, other tools' logs, CSV, JSON Lines or Parquet; `-` reads standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Force a log format instead of recognizing it (`--from help` lists them)
    #[arg(long, value_name = "TOOL")]
    pub(crate) from: Option<String>,
    /// What a column of a table is (repeatable): ttft_s=time_to_first_token:ms, model=engine, started_at=ts:ms
    #[arg(long, value_name = "NAME=COLUMN[:UNIT]")]
    pub(crate) map: Vec<String>,

    /// Metric to judge (repeatable): ttft_s, e2e_s, tpot_s, itl_s, output_tokens_per_s, cost_usd, error_rate, …
    #[arg(long, value_name = "METRIC", help_heading = "Selection")]
    pub(crate) metric: Vec<String>,
    /// Numeric column or attribute to judge (repeatable)
    #[arg(long, value_name = "NAME", help_heading = "Selection")]
    pub(crate) column: Vec<String>,
    /// Group by these: provider, model, session, a label or a column [default: provider,model,run, else session]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', help_heading = "Selection")]
    pub(crate) by: Vec<String>,
    /// What a gap means: error, break (ends runs), drop [default: break in sessions, error in tables]
    #[arg(long, value_name = "POLICY", help_heading = "Selection")]
    pub(crate) missing: Option<String>,

    /// Chart: individuals, xbar-r, xbar-s, p, np, c, u, laney-p, laney-u, ewma, cusum, moving-average
    #[arg(long, value_name = "CHART", help_heading = "Chart")]
    pub(crate) chart: Option<String>,
    /// Subgroups of N successive measurements
    #[arg(long, value_name = "N", conflicts_with = "subgroup_by", help_heading = "Chart")]
    pub(crate) subgroup: Option<usize>,
    /// Subgroups by the values of a column
    #[arg(long, value_name = "COLUMN", help_heading = "Chart")]
    pub(crate) subgroup_by: Option<String>,
    /// Sample size or area of opportunity of p, np, c, u and Laney charts: a number or a column
    #[arg(long, value_name = "N|COLUMN", conflicts_with = "subgroup_by", help_heading = "Chart")]
    pub(crate) size: Option<String>,
    /// Weight of the newest point of an EWMA chart
    #[arg(long, value_name = "LAMBDA", default_value_t = 0.2, help_heading = "Chart")]
    pub(crate) ewma_lambda: f64,
    /// Width of the limits of an EWMA chart, in sigmas of the average
    #[arg(long, value_name = "L", default_value_t = 3.0, help_heading = "Chart")]
    pub(crate) ewma_width: f64,
    /// Allowance of a CUSUM chart, in sigmas: half the shift that is worth finding
    #[arg(long, value_name = "K", default_value_t = 0.5, help_heading = "Chart")]
    pub(crate) cusum_k: f64,
    /// Decision interval of a CUSUM chart, in sigmas
    #[arg(long, value_name = "H", default_value_t = 5.0, help_heading = "Chart")]
    pub(crate) cusum_h: f64,
    /// Fast initial response of a CUSUM chart: where its sums start, as a share of H (0.5 is usual)
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, help_heading = "Chart")]
    pub(crate) cusum_headstart: f64,
    /// Measurements in each mean of a moving average chart
    #[arg(long, value_name = "N", default_value_t = 5, help_heading = "Chart")]
    pub(crate) span: usize,
    /// Within sigma: average-mr, median-mr, average-range, average-s, pooled, pooled-biased, overall, overall-unbiased
    #[arg(long, value_name = "ESTIMATOR", help_heading = "Chart")]
    pub(crate) sigma_estimator: Option<String>,
    /// Judge on another scale, limits drawn back: none, log, box-cox (power by maximum likelihood), auto (if not normal)
    #[arg(long, value_name = "SCALE", default_value_t, help_heading = "Chart")]
    pub(crate) transform: Transform,

    /// Standards given: this center line, nothing is estimated
    #[arg(long, value_name = "X", allow_hyphen_values = true, help_heading = "Limits")]
    pub(crate) given_center: Option<String>,
    /// Standards given: this sigma of a single measurement (with --transform log: of its logarithm)
    #[arg(long, value_name = "X", requires = "given_center", help_heading = "Limits")]
    pub(crate) given_sigma: Option<String>,
    /// Limits from these points (the first N, or A..B), the rest is monitored
    #[arg(long, value_name = "N|A..B", conflicts_with_all = ["given_center", "baseline"], help_heading = "Limits")]
    pub(crate) phase1: Option<String>,
    /// Frozen limits from an earlier --save-baseline
    #[arg(long, value_name = "FILE", conflicts_with = "given_center", help_heading = "Limits")]
    pub(crate) baseline: Option<PathBuf>,
    /// Points at which new limits begin (A,B,…), or auto: where the level changes
    #[arg(long, value_name = "POINTS|auto",
          conflicts_with_all = ["phase1", "baseline", "given_center"], help_heading = "Limits")]
    pub(crate) stages: Option<Stages>,

    /// Rules: nelson, western-electric, aiag, montgomery, westgard, none, or a list such as 1,2,5
    #[arg(long, value_name = "RULES", default_value = "nelson", help_heading = "Rules")]
    pub(crate) rules: String,
    /// Another run length for a rule: 2=8, or 5=3/4 for a k-of-m rule (repeatable)
    #[arg(long, value_name = "RULE=N", help_heading = "Rules")]
    pub(crate) rule_length: Vec<String>,
    /// Another distance from center for a rule, in sigmas: 1=3.5 (repeatable)
    #[arg(long, value_name = "RULE=K", help_heading = "Rules")]
    pub(crate) rule_sigma: Vec<String>,

    /// Lower specification limit, in the metric's unit (`200ms` works)
    #[arg(long, value_name = "X", allow_hyphen_values = true, help_heading = "Specification")]
    pub(crate) lsl: Option<String>,
    /// Upper specification limit: an SLO is one (`800ms` works)
    #[arg(long, value_name = "X", allow_hyphen_values = true, help_heading = "Specification")]
    pub(crate) usl: Option<String>,
    /// Target value, for Cpm
    #[arg(long, value_name = "X", allow_hyphen_values = true, help_heading = "Specification")]
    pub(crate) target: Option<String>,
    /// Confidence level of the capability intervals
    #[arg(long, value_name = "LEVEL", default_value_t = 0.95, help_heading = "Specification")]
    pub(crate) confidence: f64,
}

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct AnalyzeArgs {
    #[command(flatten)]
    pub(crate) judging: JudgeArgs,
    /// Freeze the limits of this study in a file
    #[arg(long, value_name = "FILE", conflicts_with = "stages", help_heading = "Limits")]
    pub(crate) save_baseline: Option<PathBuf>,

    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Table, help_heading = "Output")]
    pub(crate) format: Format,
    /// Short for --format json
    #[arg(long, conflicts_with = "format", help_heading = "Output")]
    pub(crate) json: bool,
    /// List every point in the JSON
    #[arg(long, help_heading = "Output")]
    pub(crate) points: bool,
    /// Draw each chart: FILE.svg or FILE.png (several charts get the group and metric in their names)
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) plot: Option<PathBuf>,
    /// Write to a file instead of standard output
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Table,
    /// llmscope.report/1
    Json,
    /// One line per analysis
    Csv,
    /// A table for a pull request
    Markdown,
    /// One page that needs no network, as `report` writes it
    Html,
}

#[derive(Debug, Args)]
#[command(after_help = REPORT_EXAMPLES)]
pub(crate) struct ReportArgs {
    #[command(flatten)]
    pub(crate) judging: JudgeArgs,

    /// The page's title
    #[arg(long, value_name = "TEXT", help_heading = "Output")]
    pub(crate) title: Option<String>,
    /// Write the page to this file; without it, to standard output unless that is a terminal
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// Which schema
    #[arg(value_enum)]
    pub(crate) of: SchemaKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaKind {
    /// A session as one JSON document
    Session,
    /// One line of a session in JSON Lines
    SessionLine,
    /// The output of `analyze --json`
    Report,
    /// The output of `bench --json`
    Bench,
    /// The output of `gate --json`
    Gate,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// The command; without one, the program
    pub(crate) command: Option<String>,
}
