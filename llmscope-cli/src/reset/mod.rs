//! `reset`: what the service's store holds → what is to go → gone. `--smoke`: does a fresh service work at all?

mod smoke;

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use llmscope_server::reset::{Holdings, Reach, holdings, reset};

use crate::output::{self, DIM, GOOD};

const EXAMPLES: &str = "\
Examples:
  llmscope-cli reset --database /data/llmscope.db          show what would go, and ask
  llmscope-cli reset medium --yes                          records, series and violations, without asking
  llmscope-cli reset --smoke                               a simulated benchmark through a service of its own

The service must not be running. Exit status: 0 done, 1 nothing was removed or the smoke test failed, 2 error.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ResetArgs {
    /// How much goes
    #[arg(value_enum, default_value_t = ReachArg::Fast)]
    pub(crate) reach: ReachArg,
    /// The store of the service
    #[arg(long, value_name = "FILE", env = "DATABASE_PATH", default_value = "llmscope.db")]
    pub(crate) database: PathBuf,
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Remove nothing: run a short simulated benchmark through a fresh service, and check what it answers
    #[arg(long, conflicts_with_all = ["yes"])]
    pub(crate) smoke: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReachArg {
    /// Records; series keep their limits, violations and sessions stay
    Fast,
    /// Records, series with their limits, violations; sessions stay
    Medium,
    /// Everything: the file itself
    Full,
}

pub(crate) fn run(args: &ResetArgs) -> Result<ExitCode> {
    if args.smoke {
        return smoke::run();
    }
    let found = holdings(&args.database)?;
    output::say(DIM, "store:", &args.database.display().to_string());
    output::say(DIM, "will go:", &going(args.reach, found));
    if !args.yes && !agreed()? {
        output::say(DIM, "kept:", "nothing was removed");
        return Ok(ExitCode::FAILURE);
    }
    let reach = match args.reach {
        ReachArg::Fast => Reach::Records,
        ReachArg::Medium => Reach::Series,
        ReachArg::Full => Reach::Everything,
    };
    reset(&args.database, reach)?;
    output::say(GOOD, "removed:", &going(args.reach, found));
    Ok(ExitCode::SUCCESS)
}

/// What goes, and what stays, in words.
fn going(reach: ReachArg, found: Holdings) -> String {
    let Holdings { records, series, violations, sessions } = found;
    match reach {
        ReachArg::Fast => {
            format!("{records} records (stay: {series} series, {violations} violations, {sessions} sessions)")
        }
        ReachArg::Medium => {
            format!("{records} records, {series} series, {violations} violations (stay: {sessions} sessions)")
        }
        ReachArg::Full => {
            format!("{records} records, {series} series, {violations} violations, {sessions} sessions: the whole file")
        }
    }
}

fn agreed() -> Result<bool> {
    if !io::stdin().is_terminal() {
        bail!("nobody is there to ask: say --yes to remove it");
    }
    output::write_words(b"remove it? [y/N] ");
    io::stderr().flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}
