//! The data of the page's script: points, limits and violations of each analysis, as JSON inside the page.

use std::collections::BTreeMap;

use anyhow::Result;
use jiff::Timestamp;
use llmscope_core::analysis::{Analysis, DecidedBy, Drawing, downsample};
use llmscope_core::quantity::scale_of;
use llmscope_core::{Chart, ChartKind, Line, PowerTransform, Unit, Violation};
use serde::Serialize;

use super::change::DrawnChange;
use super::environment::Event;
use super::section;
use crate::analyze::Judged;

/// Charts with more points are downsampled.
pub(super) const MAX_POINTS: usize = 6000;

/// All charts of the page.
#[derive(Serialize)]
struct Island<'a> {
    schema: &'static str,
    analyses: Vec<AnalysisData<'a>>,
}

#[derive(Serialize)]
struct AnalysisData<'a> {
    /// The id of the section that shows the analysis.
    id: String,
    /// The name of the CSV file with its points.
    file: String,
    metric: &'a str,
    /// The description of each rule that signals.
    rules: BTreeMap<&'a str, String>,
    /// Events: letter, first point after the event, message.
    events: Vec<(String, usize, String)>,
    /// The change of the level that the answer is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<DrawnChange>,
    charts: Vec<ChartData<'a>>,
}

/// One chart: values in the unit of the metric, positions in the analyzed order.
#[derive(Serialize)]
struct ChartData<'a> {
    title: &'static str,
    kind: ChartKind,
    #[serde(flatten)]
    display_unit: DisplayUnit,
    /// The number of points before downsampling.
    n: usize,
    i: Vec<usize>,
    x: Vec<f64>,
    /// Milliseconds since 1970, if all times are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    t: Option<Vec<i64>>,
    lower: Values,
    center: Values,
    upper: Values,
    sigma: Values,
    /// The power of the transformation that applies to sigma and the zones.
    #[serde(skip_serializing_if = "Option::is_none")]
    lambda: Option<f64>,
    /// Positions that follow a gap in the data.
    breaks: Vec<usize>,
    /// Rule, first point, first signal, last signal, side.
    violations: Vec<(&'a str, usize, usize, usize, &'static str)>,
    /// Lower limit, target, upper limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    specification: Option<[Option<f64>; 3]>,
}

/// Values times `factor` are in the unit `symbol`. They are shown with `decimals` decimals.
#[derive(Serialize)]
struct DisplayUnit {
    factor: f64,
    symbol: &'static str,
    decimals: usize,
}

impl DisplayUnit {
    fn new(unit: Unit, (low, high): (f64, f64), resolution: f64) -> Self {
        let largest = low.abs().max(high.abs());
        let (factor, symbol) = scale_of(unit, largest);
        Self { factor, symbol, decimals: decimals(largest * factor, resolution * factor) }
    }
}

/// One value for all points, or one per point.
#[derive(Serialize)]
#[serde(untagged)]
enum Values {
    Constant(f64),
    Each(Vec<f64>),
}

/// The data of the page, escaped for a script element.
pub(super) fn json(judged: &Judged, events: &[Event]) -> Result<String> {
    let drawn = judged.report.analyses.iter().enumerate();
    let drawn = drawn.filter_map(|(index, analysis)| Some((index, analysis, analysis.drawing.as_ref()?)));
    let by_rules = judged.report.decided_by == DecidedBy::Rules;
    let analyses = drawn.map(|(index, analysis, drawing)| {
        let change = DrawnChange::of(analysis).filter(|_| !by_rules);
        AnalysisData { change, ..of(index, analysis, drawing, events) }
    });
    let analyses = analyses.collect();
    let island = Island { schema: "llmscope.page/1", analyses };
    // `<` is the only character that could end the element or begin a comment in it.
    Ok(serde_json::to_string(&island)?.replace('<', "\\u003c"))
}

fn of<'a>(index: usize, analysis: &'a Analysis, drawing: &'a Drawing, events: &[Event]) -> AnalysisData<'a> {
    let mut charts = vec![level(analysis, drawing)];
    charts.extend(dispersion(analysis, drawing));
    let used = charts.iter().flat_map(|chart| &chart.violations).map(|violation| violation.0);
    let rule_of = |code: &str| drawing.rules.rules().iter().find(|rule| rule.code().as_str() == code);
    AnalysisData {
        id: section::id(index),
        file: file_name(analysis),
        metric: &analysis.metric,
        rules: used.filter_map(|code| Some((code, rule_of(code)?.pattern().describe()))).collect(),
        events: placed_events(analysis, drawing, events).into_iter().map(|e| (e.letter, e.point, e.message)).collect(),
        change: None,
        charts,
    }
}

fn level<'a>(analysis: &'a Analysis, drawing: &Drawing) -> ChartData<'a> {
    let specification = analysis.specification.filter(|_| !drawing.chart.kind.is_attribute());
    let positions: Vec<usize> = (0..drawing.chart.points.len()).collect();
    ChartData {
        specification: specification.map(|limits| [limits.lower, limits.target, limits.upper]),
        ..chart(
            &drawing.chart,
            &positions,
            drawing,
            &analysis.patterns.violations,
            level_display_unit(analysis, drawing),
        )
    }
}

fn dispersion<'a>(analysis: &'a Analysis, drawing: &Drawing) -> Option<ChartData<'a>> {
    let result = analysis.dispersion.as_ref()?;
    let dispersion = drawing.chart.dispersion_chart()?;
    let positions = dispersion.positions.clone().unwrap_or_else(|| (0..dispersion.points.len()).collect());
    // The chart shares the unit of the level, unless transformed values have no unit.
    let display_unit = match analysis.transform {
        None => level_display_unit(analysis, drawing),
        Some(_) => {
            let (_, most) = dispersion.limits.upper.extent()?;
            let most = dispersion.points.iter().copied().fold(most, f64::max);
            DisplayUnit::new(analysis.dispersion_unit(), (0.0, most), analysis.dispersion_resolution())
        }
    };
    Some(chart(&dispersion, &positions, drawing, &result.violations, display_unit))
}

fn level_display_unit(analysis: &Analysis, drawing: &Drawing) -> DisplayUnit {
    DisplayUnit::new(analysis.plotted_unit(), drawing.extent().unwrap_or_default(), analysis.resolution())
}

fn chart<'a>(
    chart: &Chart<'_>,
    positions: &[usize],
    drawing: &Drawing,
    violations: &'a [Violation],
    display_unit: DisplayUnit,
) -> ChartData<'a> {
    let place = |position: usize| positions.binary_search(&position).ok();
    let marks = violations.iter().flat_map(|violation| [violation.first, violation.first_signal, violation.last]);
    let around = chart.breaks.iter().flat_map(|&at| [at.saturating_sub(1), at]);
    let shown = downsample(&chart.points, MAX_POINTS, marks.filter_map(place).chain(around));
    let values = |line: &Line| match line {
        Line::Constant(value) => Values::Constant(*value),
        Line::PerPoint(values) => Values::Each(shown.iter().map(|&at| values[at]).collect()),
    };
    let time = |&at: &usize| drawing.time(positions[at]).map(Timestamp::as_millisecond);
    ChartData {
        title: chart.kind.label(),
        kind: chart.kind,
        display_unit,
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

/// An event with its position among the points.
pub(super) struct PlacedEvent {
    pub(super) letter: String,
    /// The first point that was measured after the event.
    pub(super) point: usize,
    pub(super) at: String,
    pub(super) message: String,
}

/// The events of the analysis's files in order. Events after the last point are left out.
pub(super) fn placed_events(analysis: &Analysis, drawing: &Drawing, events: &[Event]) -> Vec<PlacedEvent> {
    let after =
        |at: Timestamp| (0..drawing.times.len()).find(|&point| drawing.time(point).is_some_and(|time| time >= at));
    let own = events.iter().filter(|event| analysis.source.contains(&event.source));
    let mut found: Vec<(usize, &Event)> = own.filter_map(|event| Some((after(event.at)?, event))).collect();
    found.sort_by_key(|(_, event)| event.at);
    let placed = |(letter, (point, event)): (String, (usize, &Event))| PlacedEvent {
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

/// The decimals for four significant digits, or more if they are needed to distinguish the points.
fn decimals(magnitude: f64, resolution: f64) -> usize {
    let digits = |value: f64, wanted: f64| if value > 0.0 { wanted - value.log10().floor() } else { 0.0 };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=9")]
    let decimals = digits(magnitude, 3.0).max(digits(resolution, 0.0)).clamp(0.0, 9.0) as usize;
    decimals
}
