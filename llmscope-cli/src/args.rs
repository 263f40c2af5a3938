//! The arguments of the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use llmscope_core::analysis::Stages;
use llmscope_core::analysis::answer::ALPHA;
use llmscope_core::ingest::Tool;
use llmscope_core::{ChartKind, Metric, Missing, RuleSet, SigmaEstimator, Transform};

use crate::bench::BenchArgs;
use crate::cells::CellArgs;
use crate::convert::ConvertArgs;
use crate::gate::GateArgs;
use crate::meaning::MeaningArgs;
use crate::monitor::MonitorArgs;
use crate::probe::ProbeArgs;
use crate::reset::ResetArgs;
use crate::serve::ServeArgs;
use crate::values;

const PROGRAM_EXAMPLES: &str = "\
Examples:
  Judge the sessions of a folder:
    llmscope analyze sessions/*.json
  Compare a branch with main, in CI:
    llmscope gate main.jsonl branch.jsonl
  Measure a local model and write a session:
    llmscope bench --vendor ollama --model gemma3:4b -o run.jsonl
  Start the service with its dashboard:
    llmscope serve

`llmscope COMMAND --help` shows the options of a command, with examples.";

const EXAMPLES: &str = "\
Examples:
  Judge each provider and model:
    llmscope analyze sessions/*.json
  Judge each run, and what varies between runs:
    llmscope analyze sessions/*.json --by session
  Capability against an SLO, and a picture:
    llmscope analyze run.json --metric e2e_s --usl 800ms --plot run.png
  Any numeric column of a table:
    llmscope analyze log.csv --column latency_ms --by model
  From standard input to JSON:
    cat a.jsonl | llmscope analyze - --column latency --json | jq .

  Charts, limits and patterns of each series:
    llmscope analyze sessions/*.json --detail

Exit status: 0 every series is stable or changed for the better, 1 a series
changed for the worse or is failing, 2 error or no series has enough data.";

const REPORT_EXAMPLES: &str = "\
Examples:
  One page with verdicts, charts and violations:
    llmscope report sessions/*.json -o report.html
  Capability against an SLO, under a title:
    llmscope report run.json --slo ttft=800ms --title Nightly -o nightly.html
  Any numeric column of a table:
    llmscope report log.csv --column latency_ms --by model > report.html

Exit status: 0 the page was written, whatever its verdicts are; 2 error, or no
series has enough data.";

/// Widest line of help. Terminals that are narrower wrap earlier.
pub(crate) const HELP_WIDTH: usize = 78;

/// Statistical process control for LLM performance.
#[derive(Debug, Parser)]
#[command(name = "llmscope", bin_name = "llmscope", version, after_help = PROGRAM_EXAMPLES, max_term_width = HELP_WIDTH)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Judge logs: control charts, violations, capability
    Analyze(Box<AnalyzeArgs>),
    /// Measure an endpoint and write a session
    Bench(Box<BenchArgs>),
    /// Convert logs to sessions, and sessions to JSON, CSV or Parquet
    Convert(ConvertArgs),
    /// Watch endpoints and report violations and recoveries
    Monitor(Box<MonitorArgs>),
    /// Run the service: HTTP API, live dashboard, alerts
    Serve(Box<ServeArgs>),
    /// Remove data of the service, or try a new service (--smoke)
    Reset(ResetArgs),
    /// Write one HTML page with verdicts, charts and capability
    Report(Box<ReportArgs>),
    /// Compare a candidate with a baseline, for CI
    Gate(Box<GateArgs>),
    /// Describe this machine: processors, memory, temperatures, GPUs
    Probe(ProbeArgs),
    /// Print a JSON Schema: session, report, bench or gate
    Schema(SchemaArgs),
    /// Print a completion script for bash, zsh, fish and others
    Completions(CompletionsArgs),
    /// Print the manual page (roff) of the program or of a command
    Man(ManArgs),
}

/// Which logs are read and how they are judged: the options that `analyze` and `report` share.
#[derive(Debug, Args)]
pub(crate) struct JudgeArgs {
    /// Sessions, other tools' logs, CSV, JSON Lines or Parquet; `-` reads standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
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

    /// Metric to judge (repeatable) [default: ttft_s, e2e_s, tpot_s]
    #[arg(long, value_name = "METRIC", value_parser = values::metric(), help_heading = "Selection")]
    pub(crate) metric: Vec<Metric>,
    /// Numeric column or attribute to judge (repeatable)
    #[arg(long, value_name = "NAME", help_heading = "Selection")]
    pub(crate) column: Vec<String>,
    /// Group by provider, model, run, session, a label or a column
    /// [default: provider,model,run; session if a log has none of them;
    /// summaries by their settings]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = values::group(),
          hide_possible_values = true, help_heading = "Selection")]
    pub(crate) by: Vec<String>,
    /// What a gap does: stop with an error, break runs of points, or be dropped
    /// [default: break in sessions, error in tables]
    #[arg(long, value_name = "POLICY", value_parser = values::missing(), help_heading = "Selection")]
    pub(crate) missing: Option<Missing>,

    /// Control chart [default: individuals, or the one that fits the subgroups]
    #[arg(long, value_name = "CHART", value_parser = values::chart(), help_heading = "Chart")]
    pub(crate) chart: Option<ChartKind>,
    /// Subgroups of N successive measurements
    #[arg(long, value_name = "N", conflicts_with = "subgroup_by", help_heading = "Chart")]
    pub(crate) subgroup: Option<usize>,
    /// Subgroups by the values of a column
    #[arg(long, value_name = "COLUMN", help_heading = "Chart")]
    pub(crate) subgroup_by: Option<String>,
    /// Sample size or area of opportunity of attribute charts
    #[arg(long, value_name = "N|COLUMN", conflicts_with = "subgroup_by", help_heading = "Chart")]
    pub(crate) size: Option<String>,
    /// Weight of the newest point of an EWMA chart
    #[arg(long, value_name = "LAMBDA", default_value_t = 0.2, help_heading = "Chart")]
    pub(crate) ewma_lambda: f64,
    /// Width of the limits of an EWMA chart, in sigmas of the average
    #[arg(long, value_name = "L", default_value_t = 3.0, help_heading = "Chart")]
    pub(crate) ewma_width: f64,
    /// Allowance of a CUSUM chart, in sigmas: half the shift to detect
    #[arg(long, value_name = "K", default_value_t = 0.5, help_heading = "Chart")]
    pub(crate) cusum_k: f64,
    /// Decision interval of a CUSUM chart, in sigmas
    #[arg(long, value_name = "H", default_value_t = 5.0, help_heading = "Chart")]
    pub(crate) cusum_h: f64,
    /// Fast initial response of a CUSUM chart: start of its sums, as a share of H
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, help_heading = "Chart")]
    pub(crate) cusum_headstart: f64,
    /// Measurements in each mean of a moving average chart
    #[arg(long, value_name = "N", default_value_t = 5, help_heading = "Chart")]
    pub(crate) span: usize,
    /// Estimator of the within sigma [default: the usual one of the chart]
    #[arg(long, value_name = "ESTIMATOR", value_parser = values::estimator(), help_heading = "Chart")]
    pub(crate) sigma_estimator: Option<SigmaEstimator>,
    /// Judge transformed values; limits are drawn in the original unit
    /// [default: log for durations on an individuals chart, else none]
    #[arg(long, value_name = "TRANSFORM", value_parser = values::transform(), help_heading = "Chart")]
    pub(crate) transform: Option<Transform>,

    /// Given center line: no limits are estimated
    #[arg(long, value_name = "X", allow_hyphen_values = true, help_heading = "Limits")]
    pub(crate) given_center: Option<String>,
    /// Given sigma of a measurement (with --transform log, of its logarithm)
    #[arg(long, value_name = "X", requires = "given_center", help_heading = "Limits")]
    pub(crate) given_sigma: Option<String>,
    /// Estimate limits from these points (the first N, or A..B), monitor the rest
    #[arg(long, value_name = "N|A..B", conflicts_with_all = ["given_center", "baseline"], help_heading = "Limits")]
    pub(crate) phase1: Option<String>,
    /// Use the frozen limits of a file that --save-baseline wrote
    #[arg(long, value_name = "FILE", conflicts_with = "given_center", help_heading = "Limits")]
    pub(crate) baseline: Option<PathBuf>,
    /// Points at which new limits begin, or auto: where the level changes
    #[arg(long, value_name = "POINTS|auto",
          conflicts_with_all = ["phase1", "baseline", "given_center"], help_heading = "Limits")]
    pub(crate) stages: Option<Stages>,

    /// Rule set or list: nelson, western-electric, aiag, montgomery, westgard,
    /// none, or rules such as 1,2,5 [default: nelson]
    #[arg(long, value_name = "RULES", value_parser = values::rules(),
          hide_possible_values = true, help_heading = "Rules")]
    pub(crate) rules: Option<RuleSet>,
    /// Run length of a rule (repeatable): 2=8, or 5=3/4 for a k-of-m rule
    #[arg(long, value_name = "RULE=N", help_heading = "Rules")]
    pub(crate) rule_length: Vec<String>,
    /// Distance from the center of a rule, in sigmas (repeatable): 1=3.5
    #[arg(long, value_name = "RULE=K", help_heading = "Rules")]
    pub(crate) rule_sigma: Vec<String>,

    /// Lower specification limit, such as 200ms
    #[arg(long, value_name = "X", allow_hyphen_values = true, help_heading = "Specification")]
    pub(crate) lsl: Option<String>,
    /// Upper specification limit: an SLO, such as 800ms
    #[arg(long, value_name = "X", allow_hyphen_values = true, help_heading = "Specification")]
    pub(crate) usl: Option<String>,
    /// Target value, for Cpm
    #[arg(long, value_name = "X", allow_hyphen_values = true, help_heading = "Specification")]
    pub(crate) target: Option<String>,

    /// What decides: changes of the series, or the rules on the charts
    /// [default: changes; rules with --phase1, --baseline or --given-center]
    #[arg(long, value_enum, value_name = "BY", hide_possible_values = true, help_heading = "Verdict")]
    pub(crate) verdict: Option<DecidedBy>,
    /// Chance that the call reports a change of any series if nothing changed
    #[arg(long, value_name = "CHANCE", default_value_t = ALPHA, help_heading = "Verdict")]
    pub(crate) alpha: f64,
    /// Objectives (repeatable): ttft=500ms of a request, ttft.p99=500ms and errors=1%
    /// of a run; a missed one of a run is exit status 1
    #[arg(long, value_name = "LIST", help_heading = "Verdict")]
    pub(crate) slo: Vec<String>,
    /// Let single slow requests count as a change
    #[arg(long, help_heading = "Verdict")]
    pub(crate) spikes: bool,
    /// Exit status 1 for changes for the better, too
    #[arg(long, help_heading = "Verdict")]
    pub(crate) any_change: bool,
    /// Exit status if no series has enough data: 2 (error) or 0 (pass)
    #[arg(long, value_enum, default_value_t = Undecided::Error, help_heading = "Verdict")]
    pub(crate) undecided: Undecided,

    /// Confidence level of the capability intervals
    #[arg(long, value_name = "LEVEL", default_value_t = 0.95, help_heading = "Specification")]
    pub(crate) confidence: f64,
}

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct AnalyzeArgs {
    #[command(flatten)]
    pub(crate) judging: JudgeArgs,
    /// Freeze the limits of this analysis in a file
    #[arg(long, value_name = "FILE", conflicts_with = "stages", help_heading = "Limits")]
    pub(crate) save_baseline: Option<PathBuf>,

    /// Show what each column means, and whether its values were used
    #[arg(long, help_heading = "Output")]
    pub(crate) explain: bool,
    /// Show chart, limits and patterns of each series, not only of a single one
    #[arg(long, help_heading = "Output")]
    pub(crate) detail: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Table, help_heading = "Output")]
    pub(crate) format: Format,
    /// Short for --format json
    #[arg(long, conflicts_with = "format", help_heading = "Output")]
    pub(crate) json: bool,
    /// List every point in the JSON
    #[arg(long, help_heading = "Output")]
    pub(crate) points: bool,
    /// Draw each chart to FILE.svg or FILE.png (several get names of their own)
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) plot: Option<PathBuf>,
    /// Write to a file instead of standard output
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,
}

/// What decides about the exit status and comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DecidedBy {
    /// Which series changed, with a false-alarm rate that is stated
    Changes,
    /// The rules on the charts
    Rules,
}

/// What it means that no series has enough data for a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Undecided {
    /// An error, exit status 2
    Error,
    /// Exit status 0
    Pass,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table for reading
    Table,
    /// llmscope.report/2
    Json,
    /// One line per analysis
    Csv,
    /// A table for a pull request
    Markdown,
    /// One page without network access, as `report` writes it
    Html,
}

#[derive(Debug, Args)]
#[command(after_help = REPORT_EXAMPLES)]
pub(crate) struct ReportArgs {
    #[command(flatten)]
    pub(crate) judging: JudgeArgs,

    /// Title of the page
    #[arg(long, value_name = "TEXT", help_heading = "Output")]
    pub(crate) title: Option<String>,
    /// File for the page [default: standard output, unless it is a terminal]
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// Document that the schema describes
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
    /// Command [default: the whole program]
    pub(crate) command: Option<String>,
}
