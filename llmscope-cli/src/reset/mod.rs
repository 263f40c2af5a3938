//! `reset` removes data of the service's store; `reset --smoke` tests a new service from end to end.

mod smoke;

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use llmscope_core::quantity::counted;
use llmscope_server::reset::{Holdings, Reach, holdings, reset};

use crate::output::{self, DIM, GOOD};

const EXAMPLES: &str = "\
Examples:
  Show what would be removed, and ask:
    llmscope reset --database /data/llmscope.db
  Remove records, series and violations without asking:
    llmscope reset medium --yes
  Run a simulated benchmark through a new service:
    llmscope reset --smoke

The service must not be running.
Exit status: 0 done, 1 nothing was removed or the smoke test failed, 2 error.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ResetArgs {
    /// How much is removed
    #[arg(value_enum, default_value_t = ReachArg::Fast)]
    pub(crate) reach: ReachArg,
    /// SQLite file of the store
    #[arg(long, value_name = "FILE", env = "DATABASE_PATH", default_value = "llmscope.db")]
    pub(crate) database: PathBuf,
    /// Do not ask for confirmation
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Remove nothing: run a simulated benchmark through a new service
    #[arg(long, conflicts_with_all = ["yes"])]
    pub(crate) smoke: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReachArg {
    /// Records; limits, violations and sessions stay
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
    output::say(DIM, "will be removed:", &removal(args.reach, found));
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
    output::say(GOOD, "removed:", &removal(args.reach, found));
    Ok(ExitCode::SUCCESS)
}

/// What is removed and what stays, as text.
fn removal(reach: ReachArg, found: Holdings) -> String {
    let Holdings { records, series, violations, sessions } = found;
    let all = [
        counted(records, "record"),
        counted(series, "series"),
        counted(violations, "violation"),
        counted(sessions, "session"),
    ];
    let removed = match reach {
        ReachArg::Fast => 1,
        ReachArg::Medium => 3,
        ReachArg::Full => return format!("{}: the whole file", all.join(", ")),
    };
    let (removed, kept) = all.split_at(removed);
    format!("{} (stay: {})", removed.join(", "), kept.join(", "))
}

fn agreed() -> Result<bool> {
    if !io::stdin().is_terminal() {
        bail!("standard input is not a terminal, so nothing can be confirmed: use --yes to remove the data");
    }
    output::write_text(b"remove it? [y/N] ");
    io::stderr().flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}
