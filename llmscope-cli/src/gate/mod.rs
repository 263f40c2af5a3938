//! `gate`: two sets of logs → series → comparison → one line, a table, and an exit status.

mod args;
mod junit;
mod markdown;
mod preview;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use jiff::Timestamp;
use llmscope_core::analysis::{Measure, Selection, Series};
use llmscope_core::gate::{Gate, GatePlan, GateVerdict, Statistic, certify, check_common_measure, gate};
use llmscope_core::quantity::counted;
use llmscope_core::{Objective, Unit};

pub(crate) use self::args::GateArgs;
use self::args::{GateFormat, Undecided};
use crate::cells;
use crate::logs;
use crate::meaning::{print_guesses, print_unknown_outcomes};
use crate::output::{self, CAUTION, Sink};

pub(crate) fn run(args: &GateArgs) -> Result<ExitCode> {
    let plan = plan(args)?;
    let selection = selection(args, &plan)?;
    if args.plan {
        return preview::run(args, &series(&selection, &args.files)?, &plan);
    }
    let answer = judged(args, &selection, &plan)?.at(Timestamp::now());
    output::unless_closed(write(args, &answer))?;
    if answer.verdict == GateVerdict::NotEnoughData {
        output::say(CAUTION, "not enough data to tell:", &undecided(&answer));
    }
    let failed = match answer.verdict {
        GateVerdict::Pass => false,
        GateVerdict::Fail => true,
        GateVerdict::NotEnoughData => args.undecided == Undecided::Fail,
    };
    Ok(ExitCode::from(u8::from(failed)))
}

/// Compares the two sides, or certifies the objectives of a run for a single file.
fn judged(args: &GateArgs, selection: &Selection, plan: &GatePlan) -> Result<Gate> {
    let of_runs = plan.objectives.iter().any(|objective| objective.allowed_share().is_some());
    if args.candidate.is_empty() && args.files.len() == 1 && of_runs {
        let series = series(selection, &args.files)?;
        print_unknown_outcomes(&series, &plan.objectives);
        return Ok(certify(&series, plan)?);
    }
    let (baseline, candidate) = sides(args)?;
    let baseline = series(selection, &baseline).context("baseline")?;
    let candidate = series(selection, &candidate).context("candidate")?;
    check_common_measure(&baseline, &candidate)?;
    args.meaning.refuse_guesses(&baseline, true, false)?;
    print_unknown_outcomes(&candidate, &plan.objectives);
    let answer = gate(&baseline, &candidate, plan)?;
    let is_compared = |series: &&Series| answer.pairs.iter().any(|pair| pair.metric == series.measure.name());
    print_guesses(baseline.iter().filter(is_compared));
    Ok(answer)
}

/// What an undecided gate means, and what helps.
fn undecided(gate: &Gate) -> String {
    if gate.pairs.is_empty() {
        return "an objective is neither met nor missed; measure more requests, or use --undecided fail for exit status 1"
            .to_owned();
    }
    let assumed = gate.pairs.iter().filter_map(|pair| pair.runs).any(|runs| runs.assumed && runs.sd > 0.0);
    let runs = if assumed { "measure 3 or more runs a side, " } else { "measure more, " };
    format!(
        "no comparison is worse, but this does not prove anything; {runs}allow a larger --max-shift, or use --undecided \
         fail for exit status 1"
    )
}

/// The files of the baseline and of the candidate.
fn sides(args: &GateArgs) -> Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let (baseline, candidate) = match (&args.files[..], &args.candidate[..]) {
        ([baseline, candidate], []) => (vec![baseline.clone()], vec![candidate.clone()]),
        (files, []) => bail!(
            "{}: expected BASELINE CANDIDATE, several on each side as BASELINE… --candidate CANDIDATE…, or one file with \
             --slo ttft.p99=500ms",
            counted(files.len(), "file")
        ),
        (files, candidate) => (files.to_vec(), candidate.to_vec()),
    };
    if baseline.iter().chain(&candidate).filter(|path| path.as_os_str() == "-").count() > 1 {
        bail!("standard input can be read once: give the other side as a file");
    }
    Ok((baseline, candidate))
}

fn series(selection: &Selection, files: &[PathBuf]) -> Result<Vec<Series>> {
    Ok(logs::series(files, selection.clone())?.series)
}

fn plan(args: &GateArgs) -> Result<GatePlan> {
    let share = |name: &str, text: &str| Unit::One.parse(text).with_context(|| format!("{name} {text}"));
    let statistics = if args.statistic.is_empty() { Statistic::DEFAULT.to_vec() } else { args.statistic.clone() };
    let objectives = args.slo.as_deref().map(Objective::list).transpose().context("--slo")?.unwrap_or_default();
    Ok(GatePlan {
        max_shift: share("--max-shift", &args.max_shift)?,
        max_share_increase: share("--max-share-increase", &args.max_share_increase)?,
        alpha: share("--alpha", &args.alpha)?,
        statistics,
        run_sd: args.run_sd.as_deref().map(|text| share("--run-sd", text)).transpose()?,
        objectives,
        rules: args.rules.clone(),
        missing: args.missing,
    })
}

/// The named metrics and columns, and each metric with an objective.
fn selection(args: &GateArgs, plan: &GatePlan) -> Result<Selection> {
    let mut measures: Vec<_> = args.metric.iter().copied().map(Measure::Metric).collect();
    measures.extend(args.column.iter().cloned().map(Measure::Column));
    if !measures.is_empty() {
        let objectives = plan.objectives.iter().map(|objective| Measure::Metric(objective.metric()));
        let further: Vec<Measure> = objectives.filter(|measure| !measures.contains(measure)).collect();
        measures.extend(further);
    }
    let mappings = cells::mappings(&args.map)?;
    let reading = args.cells.options(args.from, &mappings)?;
    let by = if args.by.is_empty() { Selection::groups_of_runs() } else { args.by.clone() };
    Ok(Selection { measures, by: Some(by), companion: None, mappings, stated: args.meaning.stated()?, reading })
}

fn write(args: &GateArgs, answer: &Gate) -> Result<()> {
    for (path, format) in [(&args.junit, GateFormat::Junit), (&args.markdown, GateFormat::Markdown)] {
        if let Some(path) = path {
            print(Sink::to(Some(path))?, format, answer)?;
        }
    }
    print(Sink::to(args.output.as_deref())?, if args.json { GateFormat::Json } else { args.format }, answer)
}

fn print(mut sink: Sink, format: GateFormat, answer: &Gate) -> Result<()> {
    match format {
        GateFormat::Json => sink.write_json(answer)?,
        GateFormat::Markdown => markdown::write(&mut sink, answer)?,
        GateFormat::Junit => junit::write(&mut sink, answer)?,
        GateFormat::Table => {
            let width = sink.width();
            table::write(&mut sink, answer, width)?;
        }
    }
    sink.finish()
}
