//! The dispersion chart as a small image: moving ranges, ranges or standard deviations.

use std::fmt::Write as _;

use llmscope_core::Analysis;
use llmscope_core::Chart;
use llmscope_core::analysis::Drawing;
use llmscope_core::plot::Axis;
use llmscope_core::quantity::{counted, number_to, scale_of};
use maud::{Markup, html};

const WIDTH: f64 = 1100.0;
const HEIGHT: f64 = 200.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = WIDTH - 150.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = HEIGHT - 28.0;

pub(super) struct Still {
    pub(super) title: &'static str,
    pub(super) verdict: String,
    pub(super) picture: Markup,
}

/// `None` if the chart has no dispersion chart.
pub(super) fn still(analysis: &Analysis, drawing: &Drawing) -> Option<Still> {
    let result = analysis.dispersion.as_ref()?;
    let dispersion = drawing.chart.dispersion_chart()?;
    let signals: usize = result.violations.iter().map(|violation| violation.signals().len()).sum();
    let weight = if analysis.chart.needs_subgroups() { "" } else { "; the verdict does not depend on it" };
    let verdict = if signals == 0 { "no signal".to_owned() } else { format!("{}{weight}", counted(signals, "signal")) };
    let title = result.chart.label();
    let picture = picture(analysis, &dispersion, drawing.chart.points.len(), &format!("{title}: {verdict}"))?;
    Some(Still { title, verdict, picture })
}

fn picture(analysis: &Analysis, chart: &Chart<'_>, count: usize, description: &str) -> Option<Markup> {
    let (_, most) = chart.limits.upper.extent()?;
    let most = chart.points.iter().copied().fold(most, f64::max);
    let (factor, symbol) = scale_of(analysis.dispersion_unit(), most);
    let y = Axis::new((0.0, most * factor * 1.04), (BOTTOM, TOP));
    let x = Axis::new((-0.5, count as f64 - 0.5), (LEFT, RIGHT));
    let position = |at: usize| chart.positions.as_ref().map_or(at, |positions| positions[at]);
    let place = |at: usize| (x.at(position(at) as f64), y.at(chart.points[at] * factor));
    let beyond = |&at: &usize| {
        let limits = &chart.limits;
        chart.points[at] > limits.upper.at(at) || chart.points[at] < limits.lower.at(at)
    };
    let lines = [("UCL", &chart.limits.upper), ("CL", &chart.limits.center)];
    let last = chart.points.len().checked_sub(1)?;
    let number = |value: f64| number_to(value * factor, analysis.dispersion_resolution() * factor);
    let (ticks, decimals) = y.ticks(4.0);
    Some(html! {
        svg.sketch viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(description) {
            @for tick in ticks {
                line.grid x1=(LEFT) x2=(RIGHT) y1=(px(y.at(tick))) y2=(px(y.at(tick))) {}
                text.tick x=(LEFT - 8.0) y=(px(y.at(tick) + 4.0)) text-anchor="end" { (format!("{tick:.decimals$}")) }
            }
            @for (name, line) in lines {
                polyline class={ "limit " (name) } points=(steps(&x, (0..=last).map(|at| (position(at), y.at(line.at(at) * factor))))) {}
                @let level = y.at(line.at(last) * factor);
                // Keep the labels of close lines apart.
                @let label = if name == "UCL" { level.min(BOTTOM - 16.0) } else { level };
                text.tick x=(RIGHT + 8.0) y=(px(label + 4.0)) { (name) " " (number(line.at(last))) }
            }
            polyline.line points=(polyline(chart, place)) {}
            @for at in (0..=last).filter(beyond).take(400) {
                circle.signal cx=(px(place(at).0)) cy=(px(place(at).1)) r="3.2" {}
            }
            text.tick x=(LEFT) y=(HEIGHT - 6.0) {
                @if let Some(power) = analysis.transform { (power.describe()) " of " }
                (analysis.metric) @if !symbol.is_empty() { ", " (symbol) }
            }
        }
    })
}

/// A line through the lowest and the highest point of each column.
fn polyline(chart: &Chart<'_>, place: impl Fn(usize) -> (f64, f64)) -> String {
    let size = chart.points.len().div_ceil(900).max(1);
    let by_value = |&a: &usize, &b: &usize| chart.points[a].total_cmp(&chart.points[b]);
    let mut text = String::new();
    for start in (0..chart.points.len()).step_by(size) {
        let column = start..(start + size).min(chart.points.len());
        let (low, high) = (column.clone().min_by(by_value), column.max_by(by_value));
        for at in [low, high.filter(|_| size > 1)].into_iter().flatten() {
            let (x, y) = place(at);
            let _ = write!(text, "{x:.1},{y:.1} ");
        }
    }
    text
}

/// The points of a line that may change at every position.
fn steps(x: &Axis, levels: impl Iterator<Item = (usize, f64)>) -> String {
    let mut text = String::new();
    let mut last = f64::NAN;
    for (position, y) in levels {
        // `last` is NaN at the first point, so that the comparison is false there.
        if (y - last).abs() < 0.05 {
            continue;
        }
        let at = x.at(position as f64 - 0.5);
        if last.is_finite() {
            let _ = write!(text, "{at:.1},{last:.1} ");
        }
        let _ = write!(text, "{at:.1},{y:.1} ");
        last = y;
    }
    let _ = write!(text, "{RIGHT:.1},{last:.1}");
    text
}

fn px(value: f64) -> String {
    format!("{value:.1}")
}
