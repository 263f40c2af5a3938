//! A control chart in a few lines of text.

use crate::analysis::Drawing;
use crate::cast::float;

/// The content of a character cell of the terminal chart; the caller chooses the color.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// Nothing.
    Blank,
    /// A control limit.
    Limit,
    /// The center line.
    Center,
    /// A point at which no rule signals.
    Point,
    /// A point at which a rule signals.
    Signal,
}

impl Mark {
    /// The character to print.
    #[must_use]
    pub const fn character(self) -> char {
        match self {
            Self::Blank => ' ',
            Self::Limit => '╌',
            Self::Center => '─',
            Self::Point => '•',
            Self::Signal => '●',
        }
    }
}

/// The chart as `height` rows of `width` cells, the top row first. If several points share a column, all of them are
/// shown; a signal takes precedence over a plain point.
///
/// The second value contains the rows of the upper limit, the center line and the lower limit.
#[must_use]
pub fn terminal(drawing: &Drawing, width: usize, height: usize) -> (Vec<Vec<Mark>>, [usize; 3]) {
    let chart = &drawing.chart;
    let limits = &chart.limits;
    let (low, high) = drawing.extent().unwrap_or_default();
    let span = if high > low { high - low } else { 1.0 };
    let row = |value: f64| {
        let position = (high - value) / span * float(height.max(2) - 1);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the rows")]
        (position.round().max(0.0) as usize).min(height - 1)
    };
    let count = chart.points.len();
    let columns = width.min(count.max(1));
    let mut cells = vec![vec![Mark::Blank; columns]; height];
    let mut put = |row: usize, column: usize, mark: Mark| {
        let cell = &mut cells[row][column];
        *cell = (*cell).max(mark);
    };
    for column in 0..columns {
        let point = column * count / columns;
        put(row(limits.upper.at(point)), column, Mark::Limit);
        put(row(limits.lower.at(point)), column, Mark::Limit);
        put(row(limits.center.at(point)), column, Mark::Center);
    }
    let lower = chart.lower_points.iter().flatten().enumerate();
    for (i, &x) in chart.points.iter().enumerate().chain(lower) {
        // For a CUSUM, the sum that is beyond its limit signals.
        let signals =
            !drawing.judgement.signals.at(i).is_empty() && (chart.lower_points.is_none() || !drawing.is_inside(i, x));
        put(row(x), i * columns / count, if signals { Mark::Signal } else { Mark::Point });
    }
    let last = count.saturating_sub(1);
    (cells, [&limits.upper, &limits.center, &limits.lower].map(|line| row(line.at(last))))
}
