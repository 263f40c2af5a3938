//! The scale that a series is judged on, and what has no place on it.

use super::{Kept, Origin, Plan, Series};
use crate::chart::ChartKind;
use crate::error::{Error, Result};
use crate::sample::{Missing, Sample};
use crate::transform::{PowerTransform, Transform};

/// The measurements of a series on the scale that they are judged on.
pub(super) struct Scaled<'a> {
    pub(super) power: Option<PowerTransform>,
    pub(super) sample: &'a Sample<'a>,
}

/// The transformation of a series: that of its frozen limits, or the one that the values whose limits are drawn choose.
/// A chart of counts that nobody asked for by its name has none, whatever was asked for.
pub(super) fn of(plan: &Plan, kind: ChartKind, series: &Series, sample: &Sample<'_>) -> Result<Option<PowerTransform>> {
    let asked = plan.transform;
    let refuse = |value: String, expected| Err(Error::Parameter { name: "transform", value, expected });
    if kind != ChartKind::Individuals {
        let is_told = asked != Transform::None && (plan.chart.is_some() || !kind.is_attribute());
        let value = format!("{asked} with chart {kind}");
        return if is_told { refuse(value, "none: an individuals chart has others") } else { Ok(None) };
    }
    match &plan.origin {
        Origin::Data => Ok(asked.choose(sample.values())),
        Origin::FirstPoints(points) => {
            let part = points.start..points.end.min(sample.len());
            Ok(asked.choose(sample.values().get(part).unwrap_or_default()))
        }
        Origin::Baseline(baselines) => {
            let frozen = super::judging::frozen(series, kind, baselines)?.transform;
            let holds = match asked {
                Transform::None | Transform::Auto => true,
                Transform::Log => frozen == Some(PowerTransform::LOG),
                Transform::BoxCox => frozen.is_some(),
            };
            if holds { Ok(frozen) } else { refuse(asked.to_string(), "that of the baseline, which needs no asking") }
        }
        Origin::Given { .. } => match asked {
            Transform::None | Transform::Log => Ok(asked.choose(&[])),
            _ => refuse(asked.to_string(), "none or log where center line and sigma are given"),
        },
    }
}

/// The series without the values that have no place on its scale, and how many those are: gaps, unless gaps are errors.
/// `None` where each has a place.
pub(super) fn placed(
    series: &Series,
    missing: Option<Missing>,
    power: Option<PowerTransform>,
) -> Result<Option<(Series, usize)>> {
    let Some(power) = power else { return Ok(None) };
    let has_no_place = |x: f64| !x.is_nan() && power.apply(x).is_none();
    let Some(index) = series.values.iter().position(|&x| has_no_place(x)) else { return Ok(None) };
    if missing.unwrap_or(series.missing) == Missing::Error {
        let error = Error::NotPositive { index, value: series.values[index] };
        return Err(series.placed(error, &Kept::all()));
    }
    let count = series.values.iter().filter(|&&x| has_no_place(x)).count();
    let values = series.values.iter().map(|&x| if has_no_place(x) { f64::NAN } else { x }).collect();
    Ok(Some((Series { values, ..series.clone() }, count)))
}
