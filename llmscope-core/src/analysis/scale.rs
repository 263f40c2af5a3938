//! The transformation of a series, and the values that cannot be transformed.

use super::{Origin, Plan, SampleIndex, Series};
use crate::chart::ChartKind;
use crate::error::{Error, Result};
use crate::sample::{Missing, Sample};
use crate::transform::{PowerTransform, Transform};

/// The transformed measurements of a series, with their transformation.
pub(super) struct Scaled<'a> {
    pub(super) power: Option<PowerTransform>,
    pub(super) sample: &'a Sample<'a>,
}

/// The transformation of a series: that of its frozen limits, or the one chosen from the values from which the limits
/// are estimated. A chart of counts that was chosen by default has none, even if the plan names one.
pub(super) fn of(plan: &Plan, kind: ChartKind, series: &Series, sample: &Sample<'_>) -> Result<Option<PowerTransform>> {
    let asked = plan.transform;
    let refuse = |value: String, expected| Err(Error::Parameter { name: "transform", value, expected });
    if kind != ChartKind::Individuals && !kind.has_memory() {
        let is_told = asked != Transform::None && (plan.chart.is_some() || !kind.is_attribute());
        let value = format!("{asked} with chart {kind}");
        return if is_told {
            refuse(value, "none, because only charts of single measurements have a transformation")
        } else {
            Ok(None)
        };
    }
    match &plan.origin {
        Origin::Data | Origin::LastStage => Ok(asked.choose(sample.values())),
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
            if holds {
                Ok(frozen)
            } else {
                refuse(asked.to_string(), "the transformation of the baseline, which applies by default")
            }
        }
        Origin::Given { .. } => match asked {
            Transform::None | Transform::Log => Ok(asked.choose(&[])),
            _ => refuse(asked.to_string(), "none or log, because the center line and sigma are given"),
        },
    }
}

/// The series without the values that cannot be transformed, and their number. They become gaps, unless gaps are
/// errors. `None` if all values can be transformed.
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
        return Err(series.placed(error, &SampleIndex::all()));
    }
    let count = series.values.iter().filter(|&&x| has_no_place(x)).count();
    let values = series.values.iter().map(|&x| if has_no_place(x) { f64::NAN } else { x }).collect();
    Ok(Some((Series { values, ..series.clone() }, count)))
}
