//! Warnings of an analysis: what to know before trusting the numbers, with cause and remedy.

use super::study::NOTABLE_LAG1;
use super::{Analysis, Verdict};
use crate::capability::{SpecificationLimits, Supported};
use crate::cast::float;
use crate::chart::{ChartKind, Phase};
use crate::quantity::{counted, with_unit};

/// Limits from fewer points are provisional (Montgomery recommends 20 to 25).
const FIRM_POINTS: usize = 25;
/// Data with a p-value below this are reported as not normal.
const NOT_NORMAL: f64 = 0.005;
/// A limit that is this factor beyond the median is probably in a unit that is a thousand times smaller: `800` for
/// `800ms`. A median of 0.9 s is 889 times below 800 s, so that the factor is lower than a thousand.
const FAR: f64 = 300.0;

pub(super) fn of(analysis: &Analysis, points: usize, constant: bool, left_out: (usize, usize)) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut warn = |applies: bool, text: &dyn Fn() -> String| {
        if applies {
            warnings.push(text());
        }
    };
    let excluded = analysis.excluded;
    warn(excluded.failed > 0 && analysis.metric != "error_rate", &|| {
        let all = analysis.n + excluded.failed + excluded.missing;
        let failed = excluded.failed;
        format!(
            "{failed} of {} failed and {} no latency: the metric error_rate counts them",
            counted(all, "request"),
            if failed == 1 { "has" } else { "have" }
        )
    });
    warn(excluded.missing > 0, &|| format!("{} without a value of this metric", counted(excluded.missing, "request")));
    warn(excluded.not_positive > 0, &|| {
        format!("{} cannot be transformed: treated as missing", counted(excluded.not_positive, "nonpositive value"))
    });
    let judged = analysis.patterns.verdict != Verdict::NotEnoughData;
    warn(analysis.stages.iter().any(|stage| stage.p.is_some()), &|| {
        "the level changes: the process is out of control, even if no rule signals within the stages".to_owned()
    });
    let stages = analysis.stages.iter().map(|stage| stage.last + 1 - stage.first);
    let points = stages.chain(analysis.basis.map(|basis| basis.n)).min().unwrap_or(points);
    warn(judged && analysis.phase == Phase::I && points < FIRM_POINTS, &|| {
        format!("limits from {} are provisional: collect at least {FIRM_POINTS} points", counted(points, "point"))
    });
    warn(constant && judged, &|| {
        "all points are equal: sigma is 0, the limits equal the center line and capability is undefined; check the \
         resolution of the clock and the log"
            .to_owned()
    });
    let (alone, unlabelled) = left_out;
    warn(alone > 0, &|| format!("{} excluded, each alone in its subgroup", counted(alone, "measurement")));
    warn(unlabelled > 0, &|| format!("{} excluded, without a subgroup label", counted(unlabelled, "measurement")));
    // A smaller correlation of many values is significant, and does not matter.
    let notable = (2.0 / float(analysis.n.max(1)).sqrt()).max(NOTABLE_LAG1);
    let lag1 = analysis.autocorrelation.map_or(0.0, |autocorrelation| autocorrelation.lag1);
    warn(judged && analysis.chart == ChartKind::Individuals && lag1.abs() > notable, &|| {
        let effect = if lag1 > 0.0 { "too narrow: expect false alarms" } else { "too wide: expect missed signals" };
        format!("the measurements are autocorrelated (lag 1: {lag1:.2}): limits from moving ranges are {effect}")
    });
    for text in far_limits(analysis) {
        warn(true, &|| text.clone());
    }
    let has_indices = analysis.capability.is_some() || analysis.performance.is_some();
    warn(analysis.transform.is_some() && analysis.specification.is_some_and(|limits| has_lost_one(&limits)), &|| {
        "a specification limit or target at or below 0 cannot be transformed: the indices ignore it".to_owned()
    });
    let has_stages = analysis.basis.is_some_and(|basis| basis.n + basis.outliers < analysis.n);
    warn(has_indices && has_stages, &|| {
        "capability is that of the last stage; performance mixes all stages and does not predict the future".to_owned()
    });
    let is_out = analysis.basis.is_none() && analysis.patterns.verdict == Verdict::OutOfControl;
    warn(has_indices && is_out, &|| {
        "the process is out of control: capability and performance do not predict its future".to_owned()
    });
    warn(has_indices && analysis.normality.is_some_and(|normality| normality.p < NOT_NORMAL), &|| {
        let instead = match analysis.non_normal.as_ref().map(|non_normal| non_normal.supported) {
            Some(Supported::None | Supported::Normal) | None => "the observed ppm".to_owned(),
            Some(supported) => format!("the observed ppm and the Ppk from the {}", supported.label()),
        };
        let data = if analysis.transform.is_some() { "the transformed data" } else { "the data" };
        format!("{data} are not normal, but the indices and the expected ppm assume normality: use {instead}")
    });
    warnings
}

/// Warnings about specification limits that are so far from the data that they seem to be in another unit.
#[must_use]
pub fn far_limits(analysis: &Analysis) -> Vec<String> {
    let (Some(limits), Some(median)) = (analysis.specification, analysis.median.filter(|&median| median > 0.0)) else {
        return Vec::new();
    };
    let named = [("lower specification limit", limits.lower), ("target", limits.target)];
    let named = [("upper specification limit", limits.upper)].into_iter().chain(named);
    let far = |(name, limit): (&str, Option<f64>)| {
        let limit = limit.filter(|&limit| limit > 0.0)?;
        let symbol = match limit / median {
            times if times >= FAR => analysis.unit.thousandth()?,
            times if times <= 1.0 / FAR => analysis.unit.thousandfold()?,
            _ => return None,
        };
        let [shown, typical] = [limit, median].map(|value| with_unit(analysis.unit, value));
        Some(format!("the {name} of {shown} is far from the data (median {typical}): did you mean {limit}{symbol}?"))
    };
    named.filter_map(far).collect()
}

fn has_lost_one(limits: &SpecificationLimits) -> bool {
    [limits.lower, limits.target, limits.upper].into_iter().flatten().any(|limit| limit <= 0.0)
}
