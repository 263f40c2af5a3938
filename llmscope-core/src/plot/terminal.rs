//! A control chart in a few lines of text.

use crate::analysis::Drawing;
use crate::cast::float;
use crate::chart::Chart;
use crate::limits::Line;

/// One in this many points on each side may lie outside the drawn range.
const ONE_OUTSIDE_IN: usize = 10;
/// The part of the range of limits and central points that is added on each side.
const MARGIN: f64 = 0.25;

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
    /// A point below the drawn range, and therefore below its lower limit.
    Below,
    /// A point above the drawn range, and therefore above its upper limit.
    Above,
}

impl Mark {
    /// The character to print.
    ///
    /// ```
    /// use llmscope_core::plot::Mark;
    ///
    /// assert_eq!((Mark::Signal.character(), Mark::Signal.ascii()), ('●', 'o'));
    /// ```
    #[must_use]
    pub const fn character(self) -> char {
        match self {
            Self::Blank => ' ',
            Self::Limit => '╌',
            Self::Center => '─',
            Self::Point => '•',
            Self::Signal => '●',
            Self::Below => '▼',
            Self::Above => '▲',
        }
    }

    /// The character for a terminal that only shows ASCII.
    #[must_use]
    pub const fn ascii(self) -> char {
        match self {
            Self::Blank => ' ',
            Self::Limit | Self::Center => '-',
            Self::Point => '.',
            Self::Signal => 'o',
            Self::Below => 'v',
            Self::Above => '^',
        }
    }
}

/// The chart as `height` rows of `width` cells, the top row first. If several points share a column, all of them are
/// shown; a signal takes precedence over a plain point.
///
/// Both control limits are always in view. Values far beyond them and beyond the other values do not stretch the chart:
/// they are marked as [`Mark::Above`] in the top row, or as [`Mark::Below`] in the bottom row.
///
/// The second value contains the rows of the upper limit, the center line and the lower limit.
#[must_use]
pub fn terminal(drawing: &Drawing, width: usize, height: usize) -> (Vec<Vec<Mark>>, [usize; 3]) {
    let chart = &drawing.chart;
    let limits = &chart.limits;
    let (low, high) = shown_range(drawing).unwrap_or_default();
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
        let mark = match signals {
            _ if x > high => Mark::Above,
            _ if x < low => Mark::Below,
            true => Mark::Signal,
            false => Mark::Point,
        };
        put(row(x), i * columns / count, mark);
    }
    let last = count.saturating_sub(1);
    (cells, [&limits.upper, &limits.center, &limits.lower].map(|line| row(line.at(last))))
}

/// The drawn range of values: control limits and central points with a margin, but not more than all points need.
fn shown_range(drawing: &Drawing) -> Option<(f64, f64)> {
    let Chart { points, limits, lower_points, .. } = &drawing.chart;
    let mut all: Vec<f64> = points.iter().chain(lower_points.iter().flatten()).copied().collect();
    let last = all.len().checked_sub(1)?;
    // An observed value, so that a single spike among ten points has no influence. Sorting all points would take longer
    // than the rest of the chart.
    let mut ranked = |rank: usize| *all.select_nth_unstable_by(rank, f64::total_cmp).1;
    let central = (ranked(last / ONE_OUTSIDE_IN), ranked(last - (last + 1) / ONE_OUTSIDE_IN));
    let lines = [&limits.lower, &limits.upper].into_iter().filter_map(Line::extent);
    let ranges = lines.chain([central]);
    let (low, high) = ranges.reduce(|(a, b), (c, d)| (a.min(c), b.max(d)))?;
    let margin = MARGIN * (high - low);
    let (least, most) = drawing.extent()?;
    Some(((low - margin).max(least), (high + margin).min(most)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::RuleSet;
    use crate::sample::Sample;
    use crate::sigma::SigmaEstimator;

    const HEIGHT: usize = 9;

    /// The chart of 60 quiet values in which some are replaced; limits from the quiet values.
    fn cells(replaced: &[(usize, f64)]) -> (Vec<Vec<Mark>>, [usize; 3]) {
        let mut values: Vec<f64> = (0..60_u32).map(|i| 1.0 + f64::from(i * 4 % 11) * 0.01).collect();
        let individuals = crate::chart::individuals::estimate;
        let quiet = Sample::new(values.clone()).expect("finite");
        let study = individuals(&quiet, SigmaEstimator::AverageMovingRange).expect("enough data");
        replaced.iter().for_each(|&(at, value)| values[at] = value);
        let sample = Sample::new(values).expect("finite");
        let chart = crate::chart::individuals::monitor(&study.standards, &sample).expect("a chart").into_owned();
        let rules: RuleSet = "1".parse().expect("a rule");
        let judgement = chart.judge(&rules).expect("judged");
        terminal(&Drawing { chart, judgement, rules, times: Vec::new() }, 60, HEIGHT)
    }

    /// The row and column of each cell with this mark.
    fn places(cells: &[Vec<Mark>], mark: Mark) -> Vec<(usize, usize)> {
        let row = |(y, row): (usize, &Vec<Mark>)| {
            row.iter().enumerate().filter(|&(_, &cell)| cell == mark).map(|(x, _)| (y, x)).collect::<Vec<_>>()
        };
        cells.iter().enumerate().flat_map(row).collect()
    }

    #[test]
    fn a_huge_spike_is_marked_and_does_not_flatten_the_rest() {
        let (cells, rows) = cells(&[(20, 900.0), (40, -900.0)]);
        assert_eq!(places(&cells, Mark::Above), [(0, 20)]);
        assert_eq!(places(&cells, Mark::Below), [(HEIGHT - 1, 40)]);
        let [upper, center, lower] = rows;
        assert!(0 < upper && upper + 2 <= center && center + 2 <= lower && lower < HEIGHT - 1, "{rows:?}");
        let used = (0..HEIGHT).filter(|&row| cells[row].contains(&Mark::Point)).count();
        assert!(used >= 3, "the quiet points use {used} rows");
    }

    #[test]
    fn both_limits_are_in_view() {
        for spikes in [&[][..], &[(5, 900.0)], &[(5, -900.0)], &[(5, 1.4)]] {
            let (cells, [upper, _, lower]) = cells(spikes);
            assert!(cells[upper].contains(&Mark::Limit) && cells[lower].contains(&Mark::Limit), "{spikes:?}");
        }
    }

    #[test]
    fn a_signal_near_the_limit_is_drawn_at_its_value() {
        let (cells, [upper, ..]) = cells(&[(20, 1.22)]);
        let [(row, 20)] = places(&cells, Mark::Signal)[..] else { panic!("one signal") };
        assert!(row <= upper && places(&cells, Mark::Above).is_empty());
    }

    #[test]
    fn a_shift_that_lasts_is_shown_in_full() {
        let shifted: Vec<(usize, f64)> = (45..60).map(|at| (at, 3.0)).collect();
        let (cells, _) = cells(&shifted);
        assert_eq!(places(&cells, Mark::Signal).len(), 15);
        assert!(places(&cells, Mark::Above).is_empty());
    }

    #[test]
    fn every_mark_has_a_character_of_ascii() {
        let all = [Mark::Blank, Mark::Limit, Mark::Center, Mark::Point, Mark::Signal, Mark::Below, Mark::Above];
        assert!(all.iter().all(|mark| mark.ascii().is_ascii()));
    }
}
