//! A sparkline of a series, as tall as a line of text.

use llmscope_core::Analysis;
use llmscope_core::analysis::Drawing;
use llmscope_core::plot::Axis;
use maud::{Markup, html};

use super::change::DrawnChange;

const WIDTH: f64 = 132.0;
const HEIGHT: f64 = 26.0;
const COLUMNS: usize = 66;

/// Draws the band between the control limits, the points, and a dot at the first signal. It is hidden from screen readers,
/// because the other cells of the table contain the same information.
pub(super) fn of(analysis: &Analysis) -> Markup {
    let first = analysis.patterns.violations.iter().map(|violation| violation.first_signal).min();
    picture(analysis, |drawing, x, y| {
        html! {
            @if let Some(at) = first {
                circle.signal cx=(px(x.at(at as f64))) cy=(px(y.at(drawing.chart.points[at]))) r="2.6" {}
            }
        }
    })
}

/// The same, with a line at the change of the level instead of the dot.
pub(super) fn with_change(analysis: &Analysis) -> Markup {
    picture(analysis, |_, x, _| {
        html! {
            @if let Some(change) = DrawnChange::of(analysis) {
                @let at = px(x.at(change.point as f64 - 0.5));
                line class={ "change " (change.tone) } x1=(at) x2=(at) y1="0" y2=(HEIGHT) {}
            }
        }
    })
}

/// The band and the points, with a mark on top of them.
fn picture(analysis: &Analysis, mark: impl Fn(&Drawing, &Axis, &Axis) -> Markup) -> Markup {
    let Some(drawing) = &analysis.drawing else { return html! {} };
    let points = &drawing.chart.points;
    let limits = &drawing.chart.limits;
    let x = Axis::new((0.0, points.len().saturating_sub(1).max(1) as f64), (3.0, WIDTH - 3.0));
    let y = Axis::new(drawing.extent().unwrap_or_default(), (HEIGHT - 3.0, 3.0));
    let (upper, lower) = (y.at(limits.upper.at(0)), y.at(limits.lower.at(0)));
    html! {
        svg.spark viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } width=(WIDTH) height=(HEIGHT) aria-hidden="true" focusable="false" {
            rect.band x="0" width=(WIDTH) y=(px(upper)) height=(px((lower - upper).max(0.5))) {}
            polyline.line points=(line(points, &x, &y)) {}
            (mark(drawing, &x, &y))
        }
    }
}

fn px(value: f64) -> String {
    format!("{value:.1}")
}

/// A line through the lowest and the highest point of each column.
fn line(points: &[f64], x: &Axis, y: &Axis) -> String {
    let size = points.len().div_ceil(COLUMNS).max(1);
    let mut text = String::new();
    for (column, values) in points.chunks(size).enumerate() {
        let min = values.iter().copied().fold(f64::INFINITY, f64::min);
        let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let at = x.at((column * size) as f64);
        text.push_str(&format!("{at:.1},{:.1} ", y.at(min)));
        if max > min {
            text.push_str(&format!("{at:.1},{:.1} ", y.at(max)));
        }
    }
    text.truncate(text.trim_end().len());
    text
}
