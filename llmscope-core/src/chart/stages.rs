//! Stages: a chart whose limits are estimated separately in each stage, for example after a known change.

use std::ops::Range;

use super::Chart;
use crate::error::{Error, Result};
use crate::limits::{ControlLimits, Line};
use crate::sample::ranges_between;

/// Joins the charts of successive stages, which must have the same transformation or none.
///
/// `starts` are the points at which a new stage begins; `estimate` computes the chart of one stage from its range of
/// points. Runs do not span two stages.
///
/// # Errors
/// [`Error::Parameter`] unless `starts` are strictly increasing within `1..count`, and unless all stages have the same
/// transformation; the errors of `estimate`.
///
/// ```
/// use llmscope_core::{Sample, SigmaEstimator, chart};
///
/// let sample = Sample::new(vec![1.0, 1.1, 0.9, 1.0, 2.0, 2.1, 1.9, 2.0])?;
/// let chart = chart::staged(sample.len(), &[4], |points| {
///     chart::individuals::estimate(&sample.slice(points), SigmaEstimator::AverageMovingRange)
/// })?;
/// assert_eq!((chart.limits.center.at(3), chart.limits.center.at(4)), (1.0, 2.0));
/// # Ok::<(), llmscope_core::Error>(())
/// ```
pub fn staged<'a>(
    count: usize,
    starts: &[usize],
    estimate: impl Fn(Range<usize>) -> Result<Chart<'a>>,
) -> Result<Chart<'a>> {
    let rising = starts.windows(2).all(|pair| pair[0] < pair[1]);
    if !rising || starts.iter().any(|&start| start == 0 || start >= count) {
        return Err(Error::Parameter {
            name: "stages",
            value: format!("{starts:?}"),
            expected: "strictly increasing positions above 0 and below the number of points",
        });
    }
    let charts = ranges_between(starts, count).map(estimate).collect::<Result<Vec<_>>>()?;
    if charts.windows(2).any(|pair| pair[0].limits.transform != pair[1].limits.transform) {
        return Err(Error::Parameter {
            name: "stages",
            value: "with different transformations".to_owned(),
            expected: "the same transformation in every stage",
        });
    }
    let mut parts = charts.into_iter().zip(ranges_between(starts, count).map(|stage| stage.start));
    let Some((first, _)) = parts.next() else {
        return Err(Error::NotEnoughData { what: "a chart of stages (points)", have: 0, need: 1 });
    };
    Ok(parts.fold(first, |whole, (stage, start)| joined(whole, stage, start)))
}

/// Appends `stage`, whose first point has position `start`, to `whole`.
fn joined<'a>(whole: Chart<'a>, stage: Chart<'a>, start: usize) -> Chart<'a> {
    let offset = whole.points.len();
    let limits = ControlLimits::concatenated(&[(offset, &whole.limits), (stage.points.len(), &stage.limits)]);
    let mut breaks = whole.breaks;
    if offset > 0 && !stage.points.is_empty() {
        breaks.push(offset);
    }
    breaks.extend(stage.breaks.iter().map(|at| at + offset));
    let positions = whole.positions.zip(stage.positions).map(|(mut positions, added)| {
        positions.extend(added.iter().map(|position| position + start));
        positions
    });
    let lower_points = whole.lower_points.zip(stage.lower_points).map(|(mut lower, added)| {
        lower.extend(added);
        lower
    });
    let dispersion =
        whole.dispersion.zip(stage.dispersion).map(|(whole, stage)| Box::new(joined(*whole, *stage, start)));
    let judged_center = whole
        .judged_center
        .zip(stage.judged_center)
        .map(|(whole, added)| Line::concatenated([(offset, &whole), (stage.points.len(), &added)]));
    let mut points = whole.points;
    points.to_mut().extend_from_slice(&stage.points);
    let (kind, phase, standards) = (whole.kind, whole.phase, whole.standards);
    Chart { kind, phase, points, limits, breaks, standards, positions, lower_points, dispersion, judged_center }
}
