//! The change of the level that the answer is about, as the charts of the page show it.

use llmscope_core::analysis::Analysis;
use llmscope_core::analysis::answer::Direction;
use llmscope_core::plot::ChangeMark;
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
    pub(super) fn of(analysis: &Analysis) -> Option<Self> {
        let mark = ChangeMark::of(analysis)?;
        Some(Self { point: mark.point, label: mark.size, tone: tone(analysis.answer.direction) })
    }
}

/// The class of a change: one without a known direction counts as worse.
pub(super) fn tone(direction: Option<Direction>) -> &'static str {
    if direction.is_none_or(Direction::counts_as_worse) { "bad" } else { "good" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_unknown_direction_counts_as_worse() {
        let directions = [Some(Direction::Better), Some(Direction::Worse), Some(Direction::Unknown), None];
        assert_eq!(directions.map(tone), ["good", "bad", "bad", "bad"]);
    }
}
