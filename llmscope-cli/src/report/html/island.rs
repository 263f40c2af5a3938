//! What the page's script draws: the points, limits and violations of each analysis, as JSON inside the page.

use std::collections::BTreeMap;

use anyhow::Result;
use jiff::Timestamp;
use llmscope_core::analysis::{Analysis, Drawing, shown};
use llmscope_core::quantity::scale_of;
use llmscope_core::{Chart, ChartKind, Line, PowerTransform, Unit, Violation};
use serde::Serialize;

use super::environment::Event;
use super::section;
use crate::analyze::Judged;

/// Up to so many points a page carries all of them.
pub(super) const MOST_POINTS: usize = 6000;

/// All charts of the page.
#[derive(Serialize)]
struct Island<'a> {
    schema: &'static str,
    analyses: Vec<AnalysisData<'a>>,
}

#[derive(Serialize)]
struct AnalysisData<'a> {
    /// The section that shows it.
    id: String,
    /// Name of the CSV file with its points.
    file: String,
    metric: &'a str,
    /// Meaning of each rule that signals.
    rules: BTreeMap<&'a str, String>,
    /// What else happened: its letter, the first point after it, words.
    events: Vec<(String, usize, String)>,
    charts: Vec<ChartData<'a>>,
}

/// One chart: values in the unit of the metric, positions in the analyzed order.
#[derive(Serialize)]
struct ChartData<'a> {
    title: &'static str,
    kind: ChartKind,
    #[serde(flatten)]
    shown_in: ShownIn,
    /// Number of points, shown or not.
    n: usize,
    i: Vec<usize>,
    x: Vec<f64>,
    /// Milliseconds since 1970, where all are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    t: Option<Vec<i64>>,
    lower: Values,
    center: Values,
    upper: Values,
    sigma: Values,
    /// The power of the transformation that sigma and the zones belong to.
    #[serde(skip_serializing_if = "Option::is_none")]
    lambda: Option<f64>,
    /// Positions before which something is missing.
    breaks: Vec<usize>,
    /// Rule, first point, first signal, last signal, side.
    violations: Vec<(&'a str, usize, usize, usize, &'static str)>,
    /// Lower limit, target, upper limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    specification: Option<[Option<f64>; 3]>,
}

/// What values are multiplied by to be shown in the unit `symbol`, with so many decimals.
#[derive(Serialize)]
struct ShownIn {
    factor: f64,
    symbol: &'static str,
    decimals: usize,
}

impl ShownIn {
    fn new(unit: Unit, (low, high): (f64, f64), resolution: f64) -> Self {
        let largest = low.abs().max(high.abs());
        let (factor, symbol) = scale_of(unit, largest);
        Self { factor, symbol, decimals: decimals(largest * factor, resolution * factor) }
    }
}

/// One value, or one for each point that is shown.
#[derive(Serialize)]
#[serde(untagged)]
enum Values {
    Constant(f64),
    Each(Vec<f64>),
}

/// The data of the page, safe inside a script element.
pub(super) fn json(judged: &Judged, events: &[Event]) -> Result<String> {
    let drawn = judged.report.analyses.iter().enumerate();
    let drawn = drawn.filter_map(|(index, analysis)| Some((index, analysis, analysis.drawing.as_ref()?)));
    let analyses = drawn.map(|(index, analysis, drawing)| of(index, analysis, drawing, events)).collect();
    let island = Island { schema: "llmscope.page/1", analyses };
    // `<` is the only character that could end the element or begin a comment in it.
    Ok(serde_json::to_string(&island)?.replace('<', "\\u003c"))
}

fn of<'a>(index: usize, analysis: &'a Analysis, drawing: &'a Drawing, events: &[Event]) -> AnalysisData<'a> {
    let mut charts = vec![level(analysis, drawing)];
    charts.extend(spread(analysis, drawing));
    let used = charts.iter().flat_map(|chart| &chart.violations).map(|violation| violation.0);
    let words = |code: &str| drawing.rules.rules().iter().find(|rule| rule.code().as_str() == code);
    AnalysisData {
        id: section::id(index),
        file: file_name(analysis),
        metric: &analysis.metric,
        rules: used.filter_map(|code| Some((code, words(code)?.pattern().describe()))).collect(),
        events: placed(analysis, drawing, events).into_iter().map(|e| (e.letter, e.point, e.message)).collect(),
        charts,
    }
}

fn level<'a>(analysis: &'a Analysis, drawing: &Drawing) -> ChartData<'a> {
    let specification = analysis.specification.filter(|_| !drawing.chart.kind.is_attribute());
    let positions: Vec<usize> = (0..drawing.chart.points.len()).collect();
    ChartData {
        specification: specification.map(|limits| [limits.lower, limits.target, limits.upper]),
        ..chart(&drawing.chart, &positions, drawing, &analysis.violations, level_shown_in(analysis, drawing))
    }
}

fn spread<'a>(analysis: &'a Analysis, drawing: &Drawing) -> Option<ChartData<'a>> {
    let dispersion = analysis.dispersion.as_ref()?;
    let companion = drawing.chart.companion()?;
    let positions = companion.positions.clone().unwrap_or_else(|| (0..companion.points.len()).collect());
    // Beside the level in its unit, unless what is transformed has none.
    let shown_in = match analysis.transform {
        None => level_shown_in(analysis, drawing),
        Some(_) => {
            let (_, most) = companion.limits.upper.extent()?;
            let most = companion.points.iter().copied().fold(most, f64::max);
            ShownIn::new(analysis.spread_unit(), (0.0, most), analysis.spread_resolution())
        }
    };
    Some(chart(&companion, &positions, drawing, &dispersion.violations, shown_in))
}

fn level_shown_in(analysis: &Analysis, drawing: &Drawing) -> ShownIn {
    ShownIn::new(analysis.plotted_unit(), drawing.extent().unwrap_or_default(), analysis.resolution())
}

fn chart<'a>(
    chart: &Chart<'_>,
    positions: &[usize],
    drawing: &Drawing,
    violations: &'a [Violation],
    shown_in: ShownIn,
) -> ChartData<'a> {
    let place = |position: usize| positions.binary_search(&position).ok();
    let marks = violations.iter().flat_map(|violation| [violation.first, violation.first_signal, violation.last]);
    let around = chart.breaks.iter().flat_map(|&at| [at.saturating_sub(1), at]);
    let shown = shown(&chart.points, MOST_POINTS, marks.filter_map(place).chain(around));
    let values = |line: &Line| match line {
        Line::Constant(value) => Values::Constant(*value),
        Line::PerPoint(values) => Values::Each(shown.iter().map(|&at| values[at]).collect()),
    };
    let time = |&at: &usize| drawing.time(positions[at]).map(Timestamp::as_millisecond);
    ChartData {
        title: chart.kind.title(),
        kind: chart.kind,
        shown_in,
        n: chart.points.len(),
        i: shown.iter().map(|&at| positions[at]).collect(),
        x: shown.iter().map(|&at| chart.points[at]).collect(),
        t: shown.iter().map(time).collect(),
        lower: values(&chart.limits.lower),
        center: values(&chart.limits.center),
        upper: values(&chart.limits.upper),
        sigma: values(&chart.limits.sigma),
        lambda: chart.limits.transform.map(PowerTransform::lambda),
        breaks: chart.breaks.iter().map(|&at| positions[at]).collect(),
        violations: violations
            .iter()
            .map(|v| (v.rule.as_str(), v.first, v.first_signal, v.last, v.side.name()))
            .collect(),
        specification: None,
    }
}

/// An event beside the points.
pub(super) struct Placed {
    pub(super) letter: String,
    /// The first point that was measured after it.
    pub(super) point: usize,
    pub(super) at: String,
    pub(super) message: String,
}

/// The events of the analysis's own files, in order, as far as points follow.
pub(super) fn placed(analysis: &Analysis, drawing: &Drawing, events: &[Event]) -> Vec<Placed> {
    let after =
        |at: Timestamp| (0..drawing.times.len()).find(|&point| drawing.time(point).is_some_and(|time| time >= at));
    let own = events.iter().filter(|event| analysis.source.contains(&event.source));
    let mut found: Vec<(usize, &Event)> = own.filter_map(|event| Some((after(event.at)?, event))).collect();
    found.sort_by_key(|(_, event)| event.at);
    let placed = |(letter, (point, event)): (String, (usize, &Event))| Placed {
        letter,
        point,
        at: event.at.strftime("%F %T UTC").to_string(),
        message: event.message.clone(),
    };
    letters().zip(found).map(placed).collect()
}

/// A, B, … Z, A1, B1, …
fn letters() -> impl Iterator<Item = String> {
    let round = |round: usize| ('A'..='Z').map(move |c| if round == 0 { c.to_string() } else { format!("{c}{round}") });
    (0..).flat_map(round)
}

/// `groq-llama-3-70b-ttft_s.csv`
fn file_name(analysis: &Analysis) -> String {
    let name = format!("{}-{}", analysis.group_title(), analysis.metric);
    let words = name.split(|c: char| !(c.is_ascii_alphanumeric() || "_.".contains(c))).filter(|word| !word.is_empty());
    format!("{}.csv", words.collect::<Vec<_>>().join("-"))
}

/// Decimals that show four digits, or more where it takes more to tell the points apart.
fn decimals(magnitude: f64, resolution: f64) -> usize {
    let digits = |value: f64, wanted: f64| if value > 0.0 { wanted - value.log10().floor() } else { 0.0 };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=9")]
    let decimals = digits(magnitude, 3.0).max(digits(resolution, 0.0)).clamp(0.0, 9.0) as usize;
    decimals
}
