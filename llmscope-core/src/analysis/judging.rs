//! Computes the analysis of a series.

use std::collections::BTreeMap;
use std::ops::Range;

use super::last_stage::LastStage;
use super::scale::Scaled;
use super::stage::{self, Start};
use super::{
    Analysis, Answer, Autocorrelation, Dispersion, Drawing, Excluded, FalseAlarm, Grouping, Measure, Origin, Patterns,
    Plan, Point, Quantiles, SampleIndex, Series, SeriesVerdict, SigmaReport, Stages, Verdict, answer, definitions,
    scale, warnings,
};
use crate::capability::{self, ExpectedPpm, NonNormal};
use crate::cast::float;
use crate::chart::attributes::Counts;
use crate::chart::{
    Chart, ChartKind, Phase, Standards, attributes, cusum, ewma, individuals, laney, moving_average, staged, xbar,
};
use crate::error::{Error, Result};
use crate::ingest::Cell;
use crate::metric::Metric;
use crate::rules::{Judgement, RuleMask, RuleSet};
use crate::sample::{Sample, Subgroups};
use crate::sigma::{SigmaEstimate, SigmaEstimator};
use crate::stats::{self, Moments, QuantileMethod, Sorted, anderson_darling};
use crate::transform::PowerTransform;

/// The minimum number of points of a chart whose limits are estimated from them.
pub const MIN_POINTS: usize = 10;
/// The minimum number of subgroups of an X̄ chart.
const MIN_SUBGROUPS: usize = 5;
/// The block size for the error rate by default: large enough for a block to contain failures, small enough to leave
/// enough points for a chart.
const ERROR_RATE_BLOCK: std::ops::RangeInclusive<usize> = 5..=20;
const ERROR_RATE_POINTS: usize = 15;

/// Judges one series according to a plan.
///
/// # Errors
/// The errors of reading the values ([`Series::sample`]), and [`Error::Parameter`] for parameters that do not fit the
/// data or are out of range, such as alpha. Too few data are not an error: the verdict reports them.
///
/// ```
/// use llmscope_core::analysis::{Series, SeriesVerdict};
/// use llmscope_core::{Plan, analyze};
///
/// let values = (0..80).map(|i| if i < 40 { 10.0 } else { 20.0 } + f64::from(i * 7 % 5)).collect();
/// let analysis = analyze(&Series::of_numbers("ttft_s", values), &Plan::default())?;
/// assert_eq!(analysis.verdict, SeriesVerdict::Changed);
/// assert_eq!(analysis.n, 80);
/// # Ok::<(), llmscope_core::Error>(())
/// ```
pub fn analyze(series: &Series, plan: &Plan) -> Result<Analysis> {
    if let Some((plan, reason)) = definitions::learned_again(series, plan) {
        let mut analysis = analyze(series, &plan)?;
        analysis.warnings.insert(0, reason);
        return Ok(analysis);
    }
    answer::check_alpha(plan.alpha)?;
    // The search for changes finds the stage whose limits the chart has by default. Points of a chart of counts are judged
    // instead of the values.
    let is_staged = plan.takes_last_stage() && default_chart(series, plan) == ChartKind::Individuals;
    let first = is_staged.then(|| answer::of(series, plan, None)).transpose()?;
    let mut analysis = judged(series, plan, first.as_ref().map(|answered| answered.stages.as_slice()))?;
    let counts = || analysis.drawing.as_ref().filter(|_| analysis.chart.is_attribute()).map(|it| &*it.chart.points);
    let answered = match first {
        None if plan.answers => Some(answer::of(series, plan, counts())?),
        first => first,
    };
    if let Some(answered) = answered {
        (analysis.verdict, analysis.answer) = (answered.verdict, answered.answer);
    }
    analysis.warnings.splice(0..0, series.warnings.iter().cloned());
    Ok(analysis)
}

/// The control chart of a series with its rules, without the answer to whether it changed.
pub(crate) fn charted(series: &Series, plan: &Plan) -> Result<Analysis> {
    judged(series, plan, None)
}

/// The chart, its patterns and the capability. `stages` are those of the answer if the chart has the limits of the last one.
pub(super) fn judged(series: &Series, plan: &Plan, stages: Option<&[Range<usize>]>) -> Result<Analysis> {
    let kind = plan.chart.unwrap_or_else(|| default_chart(series, plan));
    check_subgroups(series, plan, kind)?;
    let needed = fewest_points(kind, &plan.origin);
    let (sample, kept) = series.sample(plan.missing)?;
    let stages = stages.filter(|_| sample.len() >= needed);
    let stage = stages.map(|stages| LastStage::of(series.unit(), &sample, stages)).transpose()?;
    let power = match &stage {
        Some(stage) => stage.power,
        None if sample.len() < needed => None,
        None => scale::of(plan, kind, series, &sample)?,
    };
    let placed = scale::placed(series, plan.missing, power)?;
    let (series, not_positive) = placed.as_ref().map_or((series, 0), |(placed, count)| (placed, *count));
    let (sample, kept) = if not_positive > 0 { series.sample(plan.missing)? } else { (sample, kept) };
    let transformed = power.map(|power| power.sample(&sample)).transpose()?;
    let scaled = Scaled { power, sample: transformed.as_ref().unwrap_or(&sample) };
    let mut analysis = described(series, plan, kind, &sample, &scaled);
    analysis.excluded.missing -= not_positive;
    analysis.excluded.not_positive = not_positive;
    if series.lacks_order() {
        analysis.warnings = warnings::of(&analysis, analysis.n, false, (0, 0));
        analysis.warnings.insert(0, "the values are sorted: without an order in time there is no chart".to_owned());
        return Ok(analysis);
    }
    let data = match data(series, plan, kind, &sample, &kept) {
        Ok(data) => data,
        Err(error) if sample.len() < needed => return Ok(not_enough(analysis, needed, &error)),
        Err(error) => return Err(error),
    };
    if data.len() < needed {
        return Ok(not_enough(
            analysis,
            needed,
            &Error::NotEnoughData { what: "a chart (points)", have: data.len(), need: needed },
        ));
    }
    if let Origin::FirstPoints(points) = &plan.origin
        && points.end > data.len()
    {
        let error = Error::NotEnoughData { what: "phase I (points)", have: data.len(), need: points.end };
        return Ok(not_enough(analysis, points.end, &error));
    }
    let (chart, starts) = match chart(series, plan, kind, &data, power, stage.as_ref()) {
        Ok(charted) => charted,
        // Gaps everywhere: no pair of adjacent measurements has a moving range.
        Err(error @ Error::NotEnoughData { .. }) => return Ok(not_enough(analysis, needed, &error)),
        Err(error) => return Err(error),
    };
    // If all points of a chart are equal, the rules do not apply.
    let constant = chart.is_degenerate() && chart.is_flat();
    let rules = if constant { RuleSet::none() } else { kind.fitting(&plan.rules) };
    let judged_points = stage.as_ref().map_or(0..chart.points.len(), |stage| stage.points.clone());
    let judgement = chart.judge(&rules)?.within(&judged_points);
    analysis.patterns.verdict = verdict(&judgement, &starts);
    if let Some(companion) = chart.dispersion_chart() {
        let mut dispersion = dispersion(&companion, &plan.rules)?;
        dispersion.violations.retain(|violation| judged_points.contains(&violation.first_signal));
        if kind.needs_subgroups() && !dispersion.violations.is_empty() {
            analysis.patterns.verdict = Verdict::OutOfControl;
        }
        analysis.dispersion = Some(dispersion);
    }
    analysis.phase = chart.phase;
    // Each stage has its own sigma, so there is no single number to report.
    let within = chart.standards.within.filter(|_| starts.is_empty());
    analysis.sigma = Some(SigmaReport {
        within: within.map(|within| within.sigma),
        estimator: within.map(|within| within.estimator),
        overall: analysis.sigma.and_then(|sigma| sigma.overall),
        inflation: chart.standards.inflation,
    });
    analysis.limits = Some(chart.limits.clone());
    analysis.patterns.violations = judgement.violations.clone();
    if let (Some(stages), Some(stage)) = (stages, &stage) {
        let lag1 = stats::rank_autocorrelation(&sample, 1, stages);
        analysis.autocorrelation = lag1.map(|lag1| Autocorrelation { lag1 });
        analysis.patterns.false_alarm = FalseAlarm::of(&stage.scaled(), stage.points.len(), lag1, &rules);
    }
    if starts.is_empty() {
        analysis.patterns.shifts = chart.shifts(&judgement);
        if !kind.is_attribute() {
            let of_stage = stage.as_ref().map(|stage| (chart.standards.center, stage.len()));
            add_capability(&mut analysis, plan, &data, within, of_stage, &sample, &scaled)?;
        }
    } else if let Data::Single(_) = data {
        analysis.autocorrelation = stage::autocorrelation(scaled.sample, &starts);
    }
    if let (Origin::FirstPoints(points), Data::Single(_)) = (&plan.origin, &data) {
        // A later change does not count as dependence of the points from which the limits come.
        let phase_one = scaled.sample.slice(points.start..points.end.min(data.len()));
        analysis.autocorrelation = stats::autocorrelation(&phase_one, 1).map(|lag1| Autocorrelation { lag1 });
    }
    let observations = &series.observations;
    let observation = |point: usize| kept.at(data.first_measurement(point));
    let times = observations.times_of((0..chart.points.len()).map(observation));
    analysis.basis = stage.map(|stage| stage.basis(|point| observations.at(observation(point))));
    if plan.stages != Stages::One {
        let level = data.level(&chart);
        analysis.stages = stage::described(&starts, level, |point| observations.at(observation(point)));
    }
    analysis.points = plan.points.then(|| {
        let codes = |mask: RuleMask| rules.select(mask).map(|rule| rule.code().clone()).collect();
        (0..chart.points.len())
            .map(|i| Point {
                i,
                t: observations.at(observation(i)),
                x: chart.points[i],
                lower: chart.lower_points.as_ref().map(|lower| lower[i]),
                rules: codes(judgement.signals.at(i)),
                member_of: codes(judgement.members.at(i)),
                source_index: Some(observations.position(observation(i))),
            })
            .collect()
    });
    analysis.warnings = warnings::of(&analysis, chart.points.len(), constant, data.left_out());
    analysis.drawing = Some(Drawing { chart: chart.into_owned(), judgement, rules, times });
    Ok(analysis)
}

/// The error rate is the proportion of failed requests in a block.
fn default_chart(series: &Series, plan: &Plan) -> ChartKind {
    if series.measure == Measure::Metric(Metric::ErrorRate) {
        ChartKind::P
    } else if plan.subgroups.is_some() {
        ChartKind::XbarR
    } else {
        ChartKind::Individuals
    }
}

/// Refuses subgroups that the chart would ignore.
fn check_subgroups(series: &Series, plan: &Plan, kind: ChartKind) -> Result<()> {
    let is_error_rate = series.measure == Measure::Metric(Metric::ErrorRate);
    let is_used = kind.needs_subgroups() || (is_error_rate && kind.is_attribute());
    match &plan.subgroups {
        Some(subgroups) if !is_used => Err(Error::Parameter {
            name: "subgroups",
            value: match subgroups {
                Grouping::Every(size) => format!("{size} with chart {kind}"),
                Grouping::Column(column) => format!("{column} with chart {kind}"),
            },
            expected: "no subgroups, or a chart of subgroups: xbar-r or xbar-s",
        }),
        _ => Ok(()),
    }
}

fn fewest_points(kind: ChartKind, origin: &Origin) -> usize {
    match origin {
        Origin::Baseline(_) | Origin::Given { .. } => 1,
        _ if kind.needs_subgroups() => MIN_SUBGROUPS,
        _ => MIN_POINTS,
    }
}

/// The part of an analysis that does not depend on a chart: descriptive statistics and what was excluded.
fn described(series: &Series, plan: &Plan, kind: ChartKind, sample: &Sample<'_>, scaled: &Scaled<'_>) -> Analysis {
    let is_error_rate = series.measure == Measure::Metric(Metric::ErrorRate);
    let failed = series.observations.failures();
    let out_of_bounds = series.out_of_bounds.len();
    let gaps = series.values.len() - sample.len() - out_of_bounds;
    let moments = Moments::of(sample.values());
    let sorted = Sorted::of(sample.values());
    let quantile = |p| sorted.quantile(p, QuantileMethod::HyndmanFan7);
    let enough = sample.len() >= 2;
    let describes = enough && !kind.is_attribute();
    let quantiles =
        || Some(Quantiles { p50: quantile(0.5)?, p90: quantile(0.9)?, p95: quantile(0.95)?, p99: quantile(0.99)? });
    let judged = scaled.power.map(|_| (Moments::of(scaled.sample.values()), Sorted::of(scaled.sample.values())));
    let (judged_moments, judged_sorted) =
        judged.as_ref().map_or((&moments, &sorted), |(moments, sorted)| (moments, sorted));
    let overall = judged_moments.standard_deviation().filter(|_| describes);
    Analysis {
        source: series.sources.clone(),
        group: series.labels(),
        metric: series.measure.name().to_owned(),
        unit: series.unit(),
        tpot_definition: series.tpot_definition,
        verdict: SeriesVerdict::NotEnoughData,
        answer: Answer::default(),
        n: sample.len(),
        excluded: if is_error_rate {
            Excluded { warmup: series.warmup, missing: gaps, ..Excluded::default() }
        } else {
            Excluded { failed, warmup: series.warmup, missing: gaps - failed, out_of_bounds, ..Excluded::default() }
        },
        chart: kind,
        phase: Phase::I,
        mean: moments.mean().filter(|_| enough),
        median: sorted.median().filter(|_| describes),
        transform: scaled.power,
        sigma: overall.map(|overall| SigmaReport {
            within: None,
            estimator: None,
            overall: Some(overall),
            inflation: None,
        }),
        limits: None,
        basis: None,
        stages: Vec::new(),
        patterns: Patterns {
            verdict: Verdict::NotEnoughData,
            rules: kind.fitting(&plan.rules).codes().cloned().collect(),
            violations: Vec::new(),
            shifts: Vec::new(),
            false_alarm: None,
        },
        need: None,
        dispersion: None,
        specification: plan.specification,
        capability: None,
        performance: None,
        non_normal: None,
        confidence: None,
        observed_ppm: None,
        expected_ppm: None,
        normality: if describes { anderson_darling(judged_sorted) } else { None },
        autocorrelation: if describes {
            stats::autocorrelation(scaled.sample, 1).map(|lag1| Autocorrelation { lag1 })
        } else {
            None
        },
        quantiles: if describes { quantiles() } else { None },
        warnings: Vec::new(),
        points: None,
        drawing: None,
    }
}

fn not_enough(mut analysis: Analysis, need: usize, reason: &Error) -> Analysis {
    analysis.need = Some(need);
    analysis.warnings = warnings::of(&analysis, analysis.n, false, (0, 0));
    analysis.warnings.insert(0, reason.to_string());
    analysis
}

/// The data in the form that the chart needs.
enum Data<'a> {
    Single(&'a Sample<'a>),
    Grouped(Subgroups<'a>),
    Counted { counts: Counts, firsts: Vec<usize> },
}

impl Data<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Single(sample) => sample.len(),
            Self::Grouped(subgroups) => subgroups.len(),
            Self::Counted { counts, .. } => counts.len(),
        }
    }

    /// The numbers of measurements outside all subgroups: alone in theirs, and without a label.
    fn left_out(&self) -> (usize, usize) {
        match self {
            Self::Grouped(subgroups) => (subgroups.left_over(), subgroups.unlabelled()),
            _ => (0, 0),
        }
    }

    /// The values in which a change of the level is sought: the measurements, or the plotted values if these are counts
    /// or means of subgroups.
    fn level<'c>(&'c self, chart: &'c Chart<'_>) -> &'c [f64] {
        match self {
            Self::Single(sample) => sample.values(),
            Self::Grouped(_) | Self::Counted { .. } => &chart.points,
        }
    }

    /// The first measurement of a point.
    fn first_measurement(&self, point: usize) -> usize {
        match self {
            Self::Single(_) => point,
            Self::Grouped(subgroups) => subgroups.starts()[point],
            Self::Counted { firsts, .. } => firsts[point],
        }
    }
}

fn data<'a>(
    series: &Series,
    plan: &Plan,
    kind: ChartKind,
    sample: &'a Sample<'a>,
    kept: &SampleIndex,
) -> Result<Data<'a>> {
    if kind.needs_subgroups() {
        return grouped(series, plan, sample, kept);
    }
    if kind.is_attribute() {
        return counted(series, plan, kind, sample, kept);
    }
    Ok(Data::Single(sample))
}

fn grouped<'a>(series: &Series, plan: &Plan, sample: &'a Sample<'a>, kept: &SampleIndex) -> Result<Data<'a>> {
    match &plan.subgroups {
        Some(Grouping::Every(size)) => Ok(Data::Grouped(Subgroups::of_size(sample, *size)?)),
        Some(Grouping::Column(_)) => {
            let label = |value: usize| series.observations.companion(kept.at(value)).label();
            Ok(Data::Grouped(Subgroups::of_labels(sample, &(0..sample.len()).map(label).collect::<Vec<_>>())?))
        }
        None => Err(Error::Parameter {
            name: "subgroups",
            value: String::new(),
            expected: "a size or a column of labels for an X̄ chart",
        }),
    }
}

fn counted<'a>(
    series: &Series,
    plan: &Plan,
    kind: ChartKind,
    sample: &Sample<'_>,
    kept: &SampleIndex,
) -> Result<Data<'a>> {
    let values = sample.values();
    if series.measure == Measure::Metric(Metric::ErrorRate) && series.of_runs {
        // Each run has a share of failures of its own.
        let counts = series.observations.counts();
        let of_run = |value: usize| counts.failures(kept.at(value)).unwrap_or((values[value], 1.0));
        let (failures, sizes): (Vec<f64>, Vec<f64>) = (0..values.len()).map(of_run).unzip();
        return Ok(Data::Counted { counts: Counts::of_items(failures, sizes)?, firsts: (0..values.len()).collect() });
    }
    if series.measure == Measure::Metric(Metric::ErrorRate) {
        let block = match plan.subgroups {
            Some(Grouping::Every(size)) if size > 0 => size,
            _ => (values.len() / ERROR_RATE_POINTS).clamp(*ERROR_RATE_BLOCK.start(), *ERROR_RATE_BLOCK.end()),
        };
        let failures = values.chunks(block).map(|block| block.iter().sum()).collect();
        let sizes = values.chunks(block).map(|block| float(block.len())).collect();
        let firsts = (0..values.len()).step_by(block).collect();
        return Ok(Data::Counted { counts: Counts::of_items(failures, sizes)?, firsts });
    }
    let needs_size = || Error::Parameter {
        name: "sample size",
        value: String::new(),
        expected: "a number or a column for p, np, u and Laney charts",
    };
    let sizes = match &plan.size {
        Some(Grouping::Every(size)) => vec![float(*size); values.len()],
        Some(Grouping::Column(_)) => (0..values.len())
            .map(|value| match series.observations.companion(kept.at(value)) {
                Cell::Number(size) => Ok(*size),
                _ => Err(needs_size()),
            })
            .collect::<Result<_>>()?,
        None if kind == ChartKind::C => vec![1.0; values.len()],
        None => return Err(needs_size()),
    };
    let counts = Counts::of_chart(kind, values.to_vec(), sizes)?;
    Ok(Data::Counted { counts, firsts: (0..values.len()).collect() })
}

fn chart<'a>(
    series: &Series,
    plan: &Plan,
    kind: ChartKind,
    data: &Data<'a>,
    power: Option<PowerTransform>,
    stage: Option<&LastStage>,
) -> Result<(Chart<'a>, Vec<Start>)> {
    let estimate = |points: Range<usize>| estimate(kind, plan, data, points, power);
    let starts = starts(plan, kind, data, power)?;
    let chart = match (&plan.origin, stage, data) {
        (_, Some(stage), Data::Single(sample)) => stage.chart(sample),
        (Origin::Data | Origin::LastStage, ..) => staged(data.len(), &stage::positions(&starts), estimate),
        (Origin::FirstPoints(points), ..) => {
            let points = points.start..points.end.min(data.len());
            if points.len() < 2 {
                return Err(Error::Parameter {
                    name: "phase I points",
                    value: format!("{}..{} of {}", points.start, points.end, data.len()),
                    expected: "at least two points of the data",
                });
            }
            monitor(&estimate(points)?.standards, data)
        }
        (Origin::Baseline(baselines), ..) => monitor(&frozen(series, kind, baselines)?, data),
        (Origin::Given { center, sigma }, ..) => monitor(&given(kind, plan, *center, *sigma, power)?, data),
    }?;
    // Means of subgroups have the bounds of their measurements; charts of counts have their own bounds.
    let chart = if kind.is_attribute() { chart } else { chart.with_bounds(series.meaning().bounds) };
    Ok((chart, starts))
}

/// The starts of the stages after the first.
fn starts(plan: &Plan, kind: ChartKind, data: &Data<'_>, power: Option<PowerTransform>) -> Result<Vec<Start>> {
    match (&plan.stages, &plan.origin) {
        (Stages::One, _) => Ok(Vec::new()),
        (Stages::At(points), Origin::Data | Origin::LastStage) => {
            Ok(points.iter().copied().map(Start::given).collect())
        }
        (Stages::Auto, Origin::Data | Origin::LastStage) => {
            let fewest = fewest_points(kind, &plan.origin);
            let found = if let Data::Single(sample) = data {
                stats::change_points(sample, fewest)
            } else {
                let Chart { points, breaks, .. } = estimate(kind, plan, data, 0..data.len(), power)?;
                stats::change_points(&Sample::new(points)?.with_breaks(breaks)?, fewest)
            };
            Ok(found.into_iter().map(Start::from).collect())
        }
        (stages, _) => Err(Error::Parameter {
            name: "stages",
            value: stages.to_string(),
            expected: "one stage, because the limits are not estimated from all of the data",
        }),
    }
}

fn estimate<'a>(
    kind: ChartKind,
    plan: &Plan,
    data: &Data<'a>,
    points: Range<usize>,
    power: Option<PowerTransform>,
) -> Result<Chart<'a>> {
    match data {
        Data::Single(sample) => {
            let estimator = plan.estimator.unwrap_or(SigmaEstimator::AverageMovingRange);
            match kind {
                ChartKind::Ewma => ewma::estimate_on(&sample.slice(points), estimator, plan.ewma, power),
                ChartKind::Cusum => cusum::estimate_on(&sample.slice(points), estimator, plan.cusum, power),
                ChartKind::MovingAverage => {
                    moving_average::estimate_on(&sample.slice(points), estimator, plan.span, power)
                }
                _ => individuals::estimate_on(&sample.slice(points), estimator, power),
            }
        }
        Data::Grouped(subgroups) => xbar::estimate(&subgroups.slice(points), kind, plan.estimator),
        Data::Counted { counts, .. } if kind.is_laney() => laney::estimate(&counts.slice(points), kind),
        Data::Counted { counts, .. } => attributes::estimate(&counts.slice(points), kind),
    }
}

fn monitor<'a>(standards: &Standards, data: &Data<'a>) -> Result<Chart<'a>> {
    match data {
        Data::Single(sample) => match standards.chart {
            ChartKind::Ewma => ewma::monitor(standards, sample),
            ChartKind::Cusum => cusum::monitor(standards, sample),
            ChartKind::MovingAverage => moving_average::monitor(standards, sample),
            _ => individuals::monitor(standards, sample),
        },
        Data::Grouped(subgroups) => xbar::monitor(standards, subgroups),
        Data::Counted { counts, .. } if standards.chart.is_laney() => laney::monitor(standards, counts),
        Data::Counted { counts, .. } => attributes::monitor(standards, counts),
    }
}

pub(super) fn frozen(series: &Series, kind: ChartKind, baselines: &[super::Baseline]) -> Result<Standards> {
    let found = baselines
        .iter()
        .find(|baseline| baseline.applies_to(series))
        .filter(|baseline| baseline.standards.chart == kind);
    found.map(|baseline| baseline.standards).ok_or_else(|| Error::Unknown {
        what: "baseline series",
        name: series_title(series.measure.name(), &series.group, kind),
        expected: baselines
            .iter()
            .map(|b| series_title(&b.metric, &b.group, b.standards.chart))
            .collect::<Vec<_>>()
            .join("; "),
    })
}

/// `ttft_s of groq · llama-3-70b (individuals)`.
fn series_title(metric: &str, group: &BTreeMap<String, String>, kind: ChartKind) -> String {
    let group = super::words::title_of(group);
    let of = if group.is_empty() { String::new() } else { format!(" of {group}") };
    format!("{metric}{of} ({kind})")
}

fn given(
    kind: ChartKind,
    plan: &Plan,
    center: f64,
    sigma: Option<f64>,
    power: Option<PowerTransform>,
) -> Result<Standards> {
    if kind.is_attribute() {
        return Standards::of_counts(kind, center);
    }
    let sigma = sigma.ok_or(Error::Parameter {
        name: "sigma",
        value: String::new(),
        expected: "a number together with the center line of a chart of measurements",
    })?;
    let center = match power {
        None => center,
        Some(power) => power.apply(center).ok_or_else(|| Error::Parameter {
            name: "center",
            value: center.to_string(),
            expected: "a positive number, because other values cannot be transformed",
        })?,
    };
    let standards = Standards::of_measurements(kind, center, SigmaEstimate::given(sigma)?)?;
    Ok(Standards {
        transform: power,
        ewma: (kind == ChartKind::Ewma).then_some(plan.ewma),
        cusum: (kind == ChartKind::Cusum).then_some(plan.cusum),
        span: (kind == ChartKind::MovingAverage).then_some(plan.span),
        ..standards
    })
}

/// A detected change of the level is a signal, like a violation of a rule.
fn verdict(judgement: &Judgement, starts: &[Start]) -> Verdict {
    let changed = starts.iter().any(|start| start.p.is_some());
    Verdict::of(judgement.is_in_control() && !changed)
}

fn dispersion(companion: &Chart<'_>, rules: &RuleSet) -> Result<Dispersion> {
    let rules = if companion.is_degenerate() { RuleSet::none() } else { companion.kind.fitting(rules) };
    let violations = companion.judge(&rules)?.violations;
    Ok(Dispersion {
        chart: companion.kind,
        limits: companion.limits.clone(),
        rules: rules.codes().cloned().collect(),
        violations,
    })
}

/// Indices against the specification limits. By default, the capability of subgroups is based on the pooled sigma; the
/// report names the estimator. With a transformation, data and limits are transformed. The center and the number of
/// measurements of a stage (`of_stage`) are those of the capability.
fn add_capability(
    analysis: &mut Analysis,
    plan: &Plan,
    data: &Data<'_>,
    within: Option<SigmaEstimate>,
    of_stage: Option<(f64, usize)>,
    sample: &Sample<'_>,
    scaled: &Scaled<'_>,
) -> Result<()> {
    let (Some(limits), Some(_)) = (&plan.specification, analysis.mean) else { return Ok(()) };
    analysis.non_normal = NonNormal::of(&Sorted::of(sample.values()), limits);
    analysis.observed_ppm = limits.observed_ppm(sample.values());
    let on_scale = scaled.power.map_or(Some(*limits), |power| limits.transformed(power));
    let mean = if scaled.power.is_some() { Moments::of(scaled.sample.values()).mean() } else { analysis.mean };
    let (Some(limits), Some(mean)) = (&on_scale, mean) else { return Ok(()) };
    let within = match data {
        Data::Grouped(subgroups) if plan.estimator.is_none() && analysis.phase == Phase::I => {
            Some(SigmaEstimator::Pooled.of_subgroups(subgroups)?)
        }
        _ => within,
    };
    let (center, n) = of_stage.unwrap_or((mean, sample.len()));
    let expected =
        |mean: f64, sigma: Option<f64>| sigma.and_then(|sigma| capability::expected_ppm(mean, sigma, limits));
    let overall = analysis.sigma.and_then(|sigma| sigma.overall);
    analysis.capability = within.and_then(|within| capability::capability(center, &within, n, limits, plan.confidence));
    analysis.performance = capability::performance(scaled.sample.values(), limits, plan.confidence);
    analysis.confidence = analysis.performance.map(|_| plan.confidence);
    analysis.expected_ppm = overall.filter(|&sigma| sigma > 0.0).map(|_| ExpectedPpm {
        within: expected(center, within.map(|within| within.sigma)),
        overall: expected(mean, overall),
    });
    Ok(())
}
