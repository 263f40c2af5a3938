//! The answers of a call, the most urgent one first.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::{Analysis, Report};
use super::{Direction, SeriesVerdict};
use crate::quantity::counted;

/// The answer about one series in the order of a call's answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct RankedAnswer {
    /// The index of the analysis.
    pub analysis: usize,
    /// The properties that the requests have in common.
    pub group: BTreeMap<String, String>,
    /// The metric or column.
    pub metric: String,
    /// The verdict.
    pub verdict: SeriesVerdict,
    /// Whether the change is for the worse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// The answer as one sentence.
    pub text: String,
}

impl Report {
    /// The result of the call as one sentence: `9 series: 1 failing, 2 changed for the worse. …`.
    ///
    /// ```
    /// use llmscope_core::analysis::Series;
    /// use llmscope_core::{Plan, Report, analyze};
    ///
    /// let values = (0..80).map(|i| if i < 40 { 10.0 } else { 20.0 } + f64::from(i * 7 % 5)).collect();
    /// let plan = Plan::default();
    /// let report = Report::new(None, &plan, vec![analyze(&Series::of_numbers("ttft_s", values), &plan)?]);
    /// assert!(report.headline().starts_with("1 series: 1 changed"), "{}", report.headline());
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    #[must_use]
    pub fn headline(&self) -> String {
        let count = |is: &dyn Fn(&RankedAnswer) -> bool| self.answers.iter().filter(|answer| is(answer)).count();
        let of = |verdict: SeriesVerdict| count(&|answer| answer.verdict == verdict);
        let better =
            count(&|answer| answer.verdict == SeriesVerdict::Changed && answer.direction == Some(Direction::Better));
        let (failing, worse) = (of(SeriesVerdict::Failing), of(SeriesVerdict::Changed) - better);
        let (few, all) = (of(SeriesVerdict::NotEnoughData), self.answers.len());
        let mut parts = Vec::new();
        for (count, what) in
            [(failing, "failing"), (worse, "changed for the worse"), (better, "changed for the better")]
        {
            if count > 0 {
                parts.push(format!("{count} {what}"));
            }
        }
        let missed = count(&|answer| self.analyses[answer.analysis].answer.misses_an_objective());
        if missed > 0 {
            parts.push(format!("{missed} with a missed objective"));
        }
        if parts.is_empty() && few < all {
            parts.push("no change".to_owned());
        }
        if few > 0 {
            parts.push(format!("{few} without enough data"));
        }
        if all == 0 {
            parts.push("nothing to judge".to_owned());
        }
        let alpha = super::words::alpha_words(self.alpha);
        format!(
            "{}: {}. If nothing changed, at most {alpha} of such calls report a change.",
            counted(all, "series"),
            parts.join(", ")
        )
    }
}

/// The answers about these series: failing ones, changes for the worse, the level and failures before the dispersion and
/// by size, changes for the better, stable ones, and those without enough data.
#[must_use]
pub fn ranked(analyses: &[Analysis]) -> Vec<RankedAnswer> {
    let mut order: Vec<usize> = (0..analyses.len()).collect();
    let key = |&index: &usize| {
        let Analysis { verdict, answer, .. } = &analyses[index];
        let better = answer.direction == Some(Direction::Better);
        let main = answer.part.and_then(|part| {
            let of_part = answer.changes.iter().filter(|change| change.part == part);
            of_part.map(super::Change::magnitude).max_by(f64::total_cmp)
        });
        // The order of the bits of positive numbers is that of the numbers.
        (*verdict, better, answer.part, Reverse(main.unwrap_or(0.0).to_bits()))
    };
    order.sort_by_cached_key(key);
    let answer = |index: usize| {
        let Analysis { group, metric, verdict, answer, .. } = &analyses[index];
        RankedAnswer {
            analysis: index,
            group: group.clone(),
            metric: metric.clone(),
            verdict: *verdict,
            direction: answer.direction,
            text: answer.text.clone(),
        }
    };
    order.into_iter().map(answer).collect()
}
