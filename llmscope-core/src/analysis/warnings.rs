//! What a reader should know before trusting the numbers: cause and remedy.

use super::{Analysis, Verdict};
use crate::capability::{SpecificationLimits, Supported};
use crate::cast::float;
use crate::chart::{ChartKind, Phase};

/// Fewer points than this make provisional limits (Montgomery recommends 20 to 25).
const FIRM_POINTS: usize = 25;
/// Below this p-value the data are called not normal.
const NOT_NORMAL: f64 = 0.005;

pub(super) fn of(analysis: &Analysis, points: usize, constant: bool, left_over: usize) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut warn = |applies: bool, text: &dyn Fn() -> String| {
        if applies {
            warnings.push(text());
        }
    };
    let excluded = analysis.excluded;
    warn(excluded.failed > 0 && analysis.metric != "error_rate", &|| {
        let all = analysis.n + excluded.failed + excluded.missing;
        format!("{} of {all} requests failed and have no latency: judge them with --metric error_rate", excluded.failed)
    });
    warn(excluded.missing > 0, &|| format!("{} requests did not record this metric", excluded.missing));
    warn(excluded.not_positive > 0, &|| {
        format!("{} values are not positive: they have no place on this scale and are gaps", excluded.not_positive)
    });
    let judged = analysis.verdict != Verdict::NotEnoughData;
    warn(analysis.stages.iter().any(|stage| stage.p.is_some()), &|| {
        "the level changes: the process is out of control, whatever the rules say within its stages".to_owned()
    });
    let points = analysis.stages.iter().map(|stage| stage.last + 1 - stage.first).min().unwrap_or(points);
    warn(judged && analysis.phase == Phase::I && points < FIRM_POINTS, &|| {
        format!("limits from {points} points are provisional: {FIRM_POINTS} make them firm")
    });
    warn(constant && judged, &|| {
        "all points are equal: sigma is 0, the limits collapse on the center line and capability is undefined; \
         is the clock or the log too coarse?"
            .to_owned()
    });
    warn(left_over > 0, &|| format!("{left_over} measurements were alone in a subgroup and left out"));
    let significant = 2.0 / float(analysis.n.max(1)).sqrt();
    let lag1 = analysis.autocorrelation.map_or(0.0, |autocorrelation| autocorrelation.lag1);
    warn(judged && analysis.chart == ChartKind::Individuals && lag1.abs() > significant, &|| {
        let effect = if lag1 > 0.0 { "too narrow: expect false alarms" } else { "too wide: expect missed signals" };
        format!("neighbours are correlated (lag-1 autocorrelation {lag1:.2}): limits from moving ranges are {effect}")
    });
    let has_indices = analysis.capability.is_some() || analysis.performance.is_some();
    warn(analysis.transform.is_some() && analysis.specification.is_some_and(|limits| has_lost_one(&limits)), &|| {
        "a specification limit or target at or below 0 has no place on this scale: the indices are those of the others"
            .to_owned()
    });
    warn(has_indices && analysis.verdict == Verdict::OutOfControl, &|| {
        "the process is not stable: capability and performance describe no process that will go on like this".to_owned()
    });
    warn(has_indices && analysis.normality.is_some_and(|normality| normality.p < NOT_NORMAL), &|| {
        let instead = match analysis.non_normal.as_ref().map(|non_normal| non_normal.supported) {
            Some(Supported::None | Supported::Normal) | None => "the observed ppm".to_owned(),
            Some(supported) => format!("the observed ppm and the Ppk by the {}", supported.words()),
        };
        let data = if analysis.transform.is_some() { "the transformed data" } else { "the data" };
        format!("{data} are not normal: indices and expected ppm assume that they are; trust {instead}")
    });
    warnings
}

fn has_lost_one(limits: &SpecificationLimits) -> bool {
    [limits.lower, limits.target, limits.upper].into_iter().flatten().any(|limit| limit <= 0.0)
}
