//! `analyze` and `report`: logs → series → analyses → report.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use jiff::Timestamp;
use llmscope_core::analysis::answer::{check_objectives, family_of, limit_of_requests};
use llmscope_core::analysis::{
    Baseline, DecidedBy, Grouping, Measure, Origin, SelectedSeries, Selection, Series, SourceLog, Study,
    check_one_kind, point_range, study,
};
use llmscope_core::chart::cusum::Cusum;
use llmscope_core::chart::ewma::Ewma;
use llmscope_core::quantity::counted;
use llmscope_core::{
    Analysis, Missing, Objective, Plan, Report, RuleSet, SpecificationLimits, Transform, Unit, analyze, plot,
};

use crate::args::{self, AnalyzeArgs, Format, JudgeArgs, ReportArgs, Undecided};
use crate::baseline;
use crate::cells;
use crate::logs;
use crate::meaning;
use crate::output::{self, Sink};
use crate::picture;
use crate::report;

/// Logs and the analyses of their series.
pub(crate) struct Judged {
    pub(crate) logs: Vec<SourceLog>,
    /// One for each analysis of the report.
    pub(crate) series: Vec<Series>,
    pub(crate) missing: Option<Missing>,
    pub(crate) report: Report,
    /// True if the direction of a change decides its verdict.
    pub(crate) directions_decide: bool,
}

impl Judged {
    fn of(args: &JudgeArgs, shown: Shown) -> Result<Self> {
        let SelectedSeries { series, runs, columns, logs, .. } = logs::series(&args.files, selection(args)?)?;
        let decided_by = decided_by(args);
        let has_limits = limits(args).next().is_some();
        if has_limits {
            check_one_kind(&series, limits(args).all(|limit| limit.trim().parse::<f64>().is_err()))?;
        }
        let directions_decide = decided_by == DecidedBy::Changes && !args.any_change;
        args.meaning.refuse_guesses(&series, directions_decide, has_limits)?;
        let baselines = args.baseline.as_deref().map(baseline::read).transpose()?;
        let objectives = objectives(args, &series)?;
        meaning::print_unknown_outcomes(&series, &objectives);
        let shared = Plan { alpha: args.alpha, family: family_of(&series), ..Plan::default() };
        let judge = |series: &Series| {
            let mut plan = plan(args, series, baselines.as_deref(), shown)?;
            plan.specification = plan.specification.or(limit_of_requests(&objectives, series)?);
            Ok(analyze(series, &Plan { family: shared.family, objectives: objectives.clone(), ..plan })?)
        };
        let analyses = series.iter().map(judge).collect::<Result<Vec<_>>>()?;
        let study = |runs: &Vec<Series>| study_of(args, runs).transpose();
        let studies = runs.iter().filter_map(study).collect::<Result<_>>()?;
        let report = Report::new(Some(Timestamp::now()), &shared, analyses).with_studies(studies);
        let report = report.decided_by(decided_by).with_columns(columns);
        if directions_decide {
            meaning::print_deciding_guesses(&series, &report.analyses);
        }
        Ok(Self { logs, series, missing: args.missing, report, directions_decide })
    }

    /// Fails if nothing was judged, so that a check of an empty log does not pass.
    fn expect_verdict(&self, args: &JudgeArgs) -> Result<()> {
        let judged = match self.report.decided_by {
            DecidedBy::Changes => self.report.has_verdict(),
            DecidedBy::Rules => self.report.has_judged_patterns(),
        };
        if judged || args.undecided == Undecided::Pass {
            return Ok(());
        }
        let reason = match self.report.analyses.iter().max_by_key(|analysis| analysis.n) {
            None | Some(Analysis { n: 0, .. }) => "the logs have no measurements".to_owned(),
            Some(longest) => match self.report.decided_by {
                DecidedBy::Changes => format!("{}: {}", longest.title(), longest.answer.text),
                DecidedBy::Rules => format!("the longest series has {}", counted(longest.n, "measurement")),
            },
        };
        bail!("no series has enough data for a verdict: {reason}; use --undecided pass to accept this")
    }
}

pub(crate) fn run(args: &AnalyzeArgs) -> Result<ExitCode> {
    let judged = Judged::of(&args.judging, Shown { points: args.points, answers: shows_answers(args) })?;
    let analyses = &judged.report.analyses;
    if let Some(path) = &args.plot {
        draw(path, analyses)?;
    }
    if let Some(path) = &args.save_baseline {
        baseline::save(path, analyses)?;
    }
    if !shows_warnings(args, &judged) {
        meaning::print_contradictions(&judged.series, analyses);
    }
    output::unless_closed(write(args, &judged))?;
    let decision = match judged.report.decided_by {
        DecidedBy::Changes => judged.report.has_changes(args.judging.any_change),
        DecidedBy::Rules => judged.report.has_signals(),
    };
    let is_alarm = decision || judged.report.misses_an_objective();
    if !is_alarm {
        judged.expect_verdict(&args.judging)?;
    }
    Ok(ExitCode::from(u8::from(is_alarm)))
}

/// What the outputs show of the analyses.
#[derive(Clone, Copy)]
struct Shown {
    points: bool,
    answers: bool,
}

/// False if the rules decide, and no output has a part of the answers.
fn shows_answers(args: &AnalyzeArgs) -> bool {
    let is_of_rules = decided_by(&args.judging) == DecidedBy::Rules && args.judging.slo.is_empty();
    let format = if args.json { Format::Json } else { args.format };
    let has_answers = matches!(format, Format::Json | Format::Html);
    !is_of_rules || has_answers || args.plot.is_some() || args.save_baseline.is_some()
}

/// True if the output for a reader lists the warnings of each series.
fn shows_warnings(args: &AnalyzeArgs, judged: &Judged) -> bool {
    let is_table = args.format == Format::Table && !args.json;
    let has_sections = args.detail || judged.series.len() == 1 || judged.report.decided_by == DecidedBy::Rules;
    is_table && has_sections
}

/// Frozen or given limits are judged by rules, unless the user decides otherwise.
fn decided_by(args: &JudgeArgs) -> DecidedBy {
    let has_limits = args.phase1.is_some() || args.baseline.is_some() || args.given_center.is_some();
    match args.verdict {
        Some(args::DecidedBy::Changes) => DecidedBy::Changes,
        Some(args::DecidedBy::Rules) => DecidedBy::Rules,
        None if has_limits => DecidedBy::Rules,
        None => DecidedBy::Changes,
    }
}

/// The study of several sessions.
fn study_of(args: &JudgeArgs, runs: &[Series]) -> Result<Option<Study>> {
    match runs.first() {
        Some(first) => Ok(study(runs, &plan(args, first, None, Shown { points: false, answers: false })?)?),
        None => Ok(None),
    }
}

/// `report`: the same analyses as one page. The exit status is that of writing the page; the verdicts are on it.
pub(crate) fn report(args: &ReportArgs) -> Result<ExitCode> {
    ensure!(
        args.output.is_some() || !io::stdout().is_terminal(),
        "standard output is a terminal: write the page to a file with -o report.html, or redirect the output"
    );
    let judged = Judged::of(&args.judging, Shown { points: false, answers: true })?;
    let page = report::html::page(&judged, args.title.as_deref())?;
    let mut sink = Sink::to(args.output.as_deref())?;
    sink.write_all(page.as_bytes())?;
    sink.finish()?;
    if let Some(path) = &args.output {
        let size = format!("{} ({} kB)", path.display(), page.len().div_ceil(1000));
        output::say(output::DIM, "written:", &size);
    }
    judged.expect_verdict(&args.judging)?;
    Ok(ExitCode::SUCCESS)
}

fn selection(args: &JudgeArgs) -> Result<Selection> {
    let mut measures: Vec<_> = args.metric.iter().copied().map(Measure::Metric).collect();
    measures.extend(args.column.iter().cloned().map(Measure::Column));
    let companion = args.subgroup_by.clone().or_else(|| match size(args) {
        Ok(Some(Grouping::Column(column))) => Some(column),
        _ => None,
    });
    let mappings = cells::mappings(&args.map)?;
    let reading = args.cells.options(args.from, &mappings)?;
    let by = (!args.by.is_empty()).then(|| args.by.clone());
    Ok(Selection { measures, by, companion, mappings, stated: args.meaning.stated()?, reading })
}

/// The plan that the arguments describe, in the unit of a series.
fn plan(args: &JudgeArgs, series: &Series, baselines: Option<&[Baseline]>, shown: Shown) -> Result<Plan> {
    let unit = series.unit();
    ensure!(
        args.confidence > 0.0 && args.confidence < 1.0,
        "--confidence {}: expected a level between 0 and 1, such as 0.95",
        args.confidence
    );
    let subgroups = args.subgroup.map(Grouping::Every).or_else(|| args.subgroup_by.clone().map(Grouping::Column));
    Ok(Plan {
        chart: args.chart,
        subgroups,
        size: size(args)?,
        rules: rules(args)?,
        ewma: Ewma::new(args.ewma_lambda, args.ewma_width)?,
        cusum: Cusum::new(args.cusum_k, args.cusum_h, args.cusum_headstart)?,
        span: args.span,
        transform: args.transform.unwrap_or_default(),
        estimator: args.sigma_estimator,
        origin: origin(args, unit, baselines)?,
        stages: args.stages.clone().unwrap_or_default(),
        specification: specification(args, unit)?,
        missing: args.missing,
        confidence: args.confidence,
        points: shown.points,
        alpha: args.alpha,
        family: 1,
        slow_requests: args.spikes,
        objectives: Vec::new(),
        answers: shown.answers,
    })
}

fn size(args: &JudgeArgs) -> Result<Option<Grouping>> {
    Ok(match args.size.as_deref().map(|size| (size, size.parse::<usize>())) {
        None => None,
        Some((_, Ok(0))) => bail!("--size 0: expected a number above 0 or the name of a column"),
        Some((_, Ok(size))) => Some(Grouping::Every(size)),
        Some((column, Err(_))) => Some(Grouping::Column(column.to_owned())),
    })
}

fn rules(args: &JudgeArgs) -> Result<RuleSet> {
    let mut rules = args.rules.clone().unwrap_or_else(RuleSet::nelson);
    for text in &args.rule_length {
        let (code, length) = assignment("--rule-length", text, "2=8 or 5=3/4")?;
        let number = |text: &str| text.trim().parse::<usize>().with_context(|| format!("--rule-length {text}"));
        rules = match length.split_once('/') {
            Some((count, window)) => rules.with_length(code, number(window)?, Some(number(count)?))?,
            None => rules.with_length(code, number(length)?, None)?,
        };
    }
    for text in &args.rule_sigma {
        let (code, multiple) = assignment("--rule-sigma", text, "1=3.5")?;
        let multiple = multiple.parse().with_context(|| format!("--rule-sigma {text}: expected a number of sigmas"))?;
        rules = rules.with_multiple(code, multiple)?;
    }
    Ok(rules)
}

fn assignment<'t>(option: &str, text: &'t str, example: &str) -> Result<(&'t str, &'t str)> {
    text.split_once('=').ok_or_else(|| anyhow!("{option} {text}: expected RULE=VALUE, such as {example}"))
}

fn origin(args: &JudgeArgs, unit: Unit, baselines: Option<&[Baseline]>) -> Result<Origin> {
    if let Some(center) = &args.given_center {
        // The sigma of logarithms has no unit.
        let unit_of_sigma = if args.transform.unwrap_or_default() == Transform::None { unit } else { Unit::One };
        let sigma = args.given_sigma.as_deref().map(|sigma| unit_of_sigma.parse(sigma)).transpose()?;
        return Ok(Origin::Given { center: unit.parse(center)?, sigma });
    }
    if let Some(baselines) = baselines {
        return Ok(Origin::Baseline(baselines.to_vec()));
    }
    if let Some(points) = &args.phase1 {
        return Ok(Origin::FirstPoints(point_range(points)?));
    }
    // With rules or a scale of your own, the limits are those that other programs draw: those of all points.
    let has_rules = args.rules.is_some() || !args.rule_length.is_empty() || !args.rule_sigma.is_empty();
    let are_classical = has_rules || args.transform.is_some() || args.verdict == Some(args::DecidedBy::Rules);
    Ok(if are_classical { Origin::Data } else { Origin::LastStage })
}

/// The objectives of the call. Each one needs a series that it is about.
fn objectives(args: &JudgeArgs, series: &[Series]) -> Result<Vec<Objective>> {
    if args.slo.is_empty() {
        return Ok(Vec::new());
    }
    let objectives = Objective::list(&args.slo.join(",")).context("--slo")?;
    check_objectives(&objectives, series).context("--slo")?;
    Ok(objectives)
}

/// The limits that apply to each value of the series, which must therefore be of one kind.
fn limits(args: &JudgeArgs) -> impl Iterator<Item = &String> {
    [&args.lsl, &args.usl, &args.target, &args.given_center].into_iter().flatten()
}

fn specification(args: &JudgeArgs, unit: Unit) -> Result<Option<SpecificationLimits>> {
    let read = |name: &str, text: &Option<String>| {
        text.as_deref().map(|text| unit.parse(text).with_context(|| name.to_owned())).transpose()
    };
    let (lower, upper) = (read("--lsl", &args.lsl)?, read("--usl", &args.usl)?);
    let target = read("--target", &args.target)?;
    if lower.is_none() && upper.is_none() && target.is_none() {
        return Ok(None);
    }
    Ok(Some(SpecificationLimits::new(lower, upper, target)?))
}

fn draw(path: &Path, analyses: &[Analysis]) -> Result<()> {
    picture::check(path)?;
    let drawable: Vec<_> = analyses.iter().filter(|analysis| analysis.drawing.is_some()).collect();
    for analysis in &drawable {
        let path = if drawable.len() == 1 { path.to_owned() } else { named(path, analysis) };
        picture::write(&path, plot::svg(analysis))?;
    }
    Ok(())
}

/// `run.png` → `run.groq.llama-3-70b.ttft_s.png`.
fn named(path: &Path, analysis: &Analysis) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let safe = |text: &str| text.replace(|c: char| !(c.is_alphanumeric() || "-_".contains(c)), "-");
    let mut name = stem.into_owned();
    for part in analysis.group.values().chain([&analysis.metric]) {
        name.push('.');
        name.push_str(&safe(part));
    }
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{name}.{extension}"))
}

fn write(args: &AnalyzeArgs, study: &Judged) -> Result<()> {
    let report = &study.report;
    let mut sink = Sink::to(args.output.as_deref())?;
    match if args.json { Format::Json } else { args.format } {
        Format::Json => sink.write_json(report)?,
        Format::Csv => report::csv::write(&mut sink, report)?,
        Format::Markdown => report::markdown::write(&mut sink, report)?,
        Format::Html => sink.write_all(report::html::page(study, None)?.as_bytes())?,
        Format::Table => {
            let width = sink.width();
            if args.explain {
                report::table::columns::write(&mut sink, &report.columns, width)?;
            }
            report::table::write(&mut sink, report, args.detail, width)?;
        }
    }
    sink.finish()
}
