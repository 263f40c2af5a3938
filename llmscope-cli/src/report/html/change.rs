//! The change of the level that the answer is about, as the charts of the page show it.

use llmscope_core::analysis::answer::{Direction, Part};
use llmscope_core::analysis::{Analysis, Drawing};
use serde::Serialize;

/// A change of the level with its place on the chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct DrawnChange {
    /// The first point after the change.
    pub(super) point: usize,
    /// `+119 %`, or a difference in the unit of the metric.
    pub(super) label: String,
    /// The color: `bad` for the worse, `good` for the better.
    pub(super) tone: &'static str,
}

impl DrawnChange {
    /// `None` without a change of the level, and on charts whose points are not single measurements.
    pub(super) fn of(analysis: &Analysis, drawing: &Drawing) -> Option<Self> {
        let answer = &analysis.answer;
        let points = drawing.chart.points.len();
        let point = answer.since.as_ref().filter(|_| answer.part == Some(Part::Level) && points == analysis.n)?.index;
        (point < points).then(|| Self { point, label: label(analysis), tone: tone(answer.direction) })
    }
}

/// The class of a change: one without a known direction counts as worse.
pub(super) fn tone(direction: Option<Direction>) -> &'static str {
    if direction.is_none_or(Direction::counts_as_worse) { "bad" } else { "good" }
}

fn label(analysis: &Analysis) -> String {
    let answer = &analysis.answer;
    match (answer.ratio, answer.difference) {
        (Some(ratio), _) => percent(100.0 * (ratio - 1.0)),
        (None, Some(difference)) => {
            let sign = if difference < 0.0 { '−' } else { '+' };
            format!("{sign}{}", analysis.quantity(difference.abs()))
        }
        (None, None) => String::new(),
    }
}

/// `+119 %`, or `−2.6 %`: with as many digits as in the answer.
fn percent(value: f64) -> String {
    let text = if value.abs() >= 9.95 { format!("{value:+.0} %") } else { format!("{value:+.1} %") };
    text.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_a_sign_and_few_digits() {
        assert_eq!([119.2, 9.96, 9.94, -2.6, -55.0].map(percent), ["+119 %", "+10 %", "+9.9 %", "−2.6 %", "−55 %"]);
    }

    #[test]
    fn a_change_of_unknown_direction_counts_as_worse() {
        let directions = [Some(Direction::Better), Some(Direction::Worse), Some(Direction::Unknown), None];
        assert_eq!(directions.map(tone), ["good", "bad", "bad", "bad"]);
    }
}
