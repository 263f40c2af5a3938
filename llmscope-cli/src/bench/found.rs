//! `--find-load`: its objectives, how long it takes, and what it found.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use llmscope_core::quantity::number;
use llmscope_core::{Metric, Objective};
use llmscope_harness::{FoundLoad, Load, Objectives, Plan};

use super::BenchArgs;
use crate::output::{self, BOLD, CAUTION, DIM};

/// The objectives of the search; none without a search.
pub(super) fn objectives(args: &BenchArgs) -> Result<Vec<Objective>> {
    match &args.slo {
        Some(slo) if args.find_load => Objective::list(slo).context("--slo"),
        _ => Ok(Vec::new()),
    }
}

/// The limits of these objectives for single requests, for the goodput of each step.
pub(super) fn of_requests(objectives: &[Objective]) -> Objectives {
    let limit_of = |metric: Metric| {
        let limits = objectives.iter().filter_map(|objective| match *objective {
            Objective::Quantile { metric: of, limit, .. } if of == metric => Some(limit),
            _ => None,
        });
        limits.reduce(f64::min)
    };
    Objectives { ttft_s: limit_of(Metric::Ttft), tpot_s: limit_of(Metric::Tpot), e2e_s: limit_of(Metric::E2e) }
}

/// Says before the search how long it takes.
pub(super) fn announce(args: &BenchArgs, plan: &Plan) {
    let (Load::Find(find), Some(requests)) = (&plan.load, plan.requests) else { return };
    if args.quiet {
        return;
    }
    let [usually, most] = find.times_s(requests).map(duration);
    let first = number(find.first_per_s);
    let text = format!(
        "steps of {requests} requests from {first}/s, to within 5 %: at most about {most}, and about {usually} if the load is \
         much higher"
    );
    output::say(DIM, "find-load:", &text);
}

fn duration(seconds: f64) -> String {
    const MINUTE: f64 = 60.0;
    if seconds < 2.0 * MINUTE { format!("{seconds:.0} s") } else { format!("{:.0} min", seconds / MINUTE) }
}

pub(super) fn write(out: &mut impl Write, found: &FoundLoad) -> Result<()> {
    let objectives = list(found);
    match found.highest_per_s {
        Some(highest) => {
            writeln!(out, "{BOLD}highest load that keeps {objectives}: {}/s{BOLD:#}", number(highest))?;
            if let Some(missing) = found.missing_per_s {
                writeln!(out, "{}/s misses it", number(missing))?;
            }
            if let Some(rate) = found.not_sent_per_s {
                let text = "the server may keep more: this machine could not send";
                writeln!(out, "{CAUTION}{text} {}/s{CAUTION:#}", number(rate))?;
            }
            let alpha = number(found.alpha * 100.0);
            writeln!(out, "{DIM}wrong with a probability of at most {alpha} %, if {}{DIM:#}", found.assumption)?;
        }
        None => writeln!(out, "{CAUTION}no load keeps {objectives}{CAUTION:#}")?,
    }
    writeln!(out)?;
    Ok(())
}

/// 1 if not even the first load keeps the objectives.
pub(super) fn exit_status(found: &FoundLoad) -> ExitCode {
    if found.highest_per_s.is_some() {
        return ExitCode::SUCCESS;
    }
    let first = found.tested.first().map_or_else(String::new, |first| {
        format!("the first load, {}/s, {}; ", number(first.rate_per_s), first.verdict.label())
    });
    let fix = if found.not_sent_per_s.is_some() { "use a faster or less busy machine, or " } else { "" };
    output::say(CAUTION, "not found:", &format!("{first}{fix}start with a lower --rate"));
    ExitCode::from(1)
}

fn list(found: &FoundLoad) -> String {
    found.objectives.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}
