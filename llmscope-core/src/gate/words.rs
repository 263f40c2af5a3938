//! The text of a gate's result, shared by all output formats.

use std::collections::BTreeMap;

use super::{Bounded, Comparison, Decision, Gate, GateVerdict, Pair, Side, Statistic};
use crate::metric::Metric;
use crate::quantity::{counted, with_unit};

impl GateVerdict {
    /// The verdict's name in files.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::NotEnoughData => "not_enough_data",
        }
    }

    /// The verdict's human-readable label.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Pass => "not worse",
            Self::Fail => "worse",
            Self::NotEnoughData => "not enough data to tell",
        }
    }
}

impl Decision {
    /// The decision's human-readable label.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Worse => "worse",
            Self::NotWorse => "not worse",
            Self::CannotTell => "cannot tell",
            Self::NotEnoughData => "not enough data",
        }
    }
}

impl Pair {
    /// The group as a short title: `groq · llama-3-70b`, followed by the candidate's group if it differs.
    #[must_use]
    pub fn group_title(&self) -> String {
        let title = |group: &BTreeMap<String, String>| {
            let usual = ["provider", "model"].iter().filter_map(|name| group.get(*name));
            let others =
                group.iter().filter(|(name, _)| !["provider", "model"].contains(&name.as_str())).map(|(_, v)| v);
            usual.chain(others).cloned().collect::<Vec<_>>().join(" · ")
        };
        match &self.candidate_group {
            Some(other) => format!("{} → {}", title(&self.group), title(other)),
            None => title(&self.group),
        }
    }

    /// The metric's short label: `TTFT`, `E2E`, `error rate`.
    #[must_use]
    pub fn metric_title(&self) -> &str {
        match self.metric.parse::<Metric>() {
            Ok(Metric::Ttft) => "TTFT",
            Ok(Metric::E2e) => "E2E",
            Ok(Metric::Tpot) => "TPOT",
            Ok(Metric::OutputTokensPerS) => "output tokens/s",
            Ok(metric @ (Metric::ErrorRate | Metric::Cost)) => metric.label(),
            _ => &self.metric,
        }
    }

    /// The compared figure: `TTFT p95`, `error rate`, `TTFT beyond 500 ms`.
    #[must_use]
    pub fn title_of(&self, comparison: &Comparison) -> String {
        match comparison.statistic {
            Statistic::ErrorRate => self.metric_title().to_owned(),
            Statistic::MissedObjective => {
                let limit = self.objective.map(|limit| with_unit(self.unit, limit)).unwrap_or_default();
                format!("{} beyond {limit}", self.metric_title())
            }
            statistic => format!("{} {statistic}", self.metric_title()),
        }
    }

    /// The figure without the metric, to be shown below the metric: `p95`, `beyond 500 ms`.
    #[must_use]
    pub fn short_title(&self, comparison: &Comparison) -> String {
        let title = self.title_of(comparison);
        title
            .strip_prefix(self.metric_title())
            .map(str::trim)
            .filter(|rest| !rest.is_empty())
            .unwrap_or(&title)
            .to_owned()
    }

    /// The number of measurements on each side, with their sources.
    #[must_use]
    pub fn scope(&self) -> String {
        let requests = if self.metric == Metric::ErrorRate.name() { "requests" } else { "measurements" };
        let side = |name: &str, side: &Side| {
            let excluded = side.excluded;
            let counts = [(excluded.failed, "failed"), (excluded.warmup, "warm-up"), (excluded.missing, "missing")];
            let left_out: String = counts
                .iter()
                .filter(|(count, _)| *count > 0)
                .map(|(count, what)| format!(", {count} {what}"))
                .collect();
            let from = if side.source.is_empty() { String::new() } else { format!(" ({})", side.source.join(", ")) };
            format!("{name} {} {requests}{left_out}{from}", side.n)
        };
        format!("{} · {}", side("baseline", &self.baseline), side("candidate", &self.candidate))
    }

    /// Further facts: Mann and Whitney's test, the frozen chart.
    #[must_use]
    pub fn facts(&self) -> Vec<String> {
        let ranks = self.rank_test.map(|test| {
            let share = plain(test.superiority * 100.0);
            let p = if test.p < 0.0001 { "p < 0.0001".to_owned() } else { format!("p = {:.4}", test.p) };
            format!("the value of a candidate's request exceeds that of a baseline's {share} % of the time (Mann–Whitney {p})")
        });
        let chart = self.chart.as_ref().map(|chart| match chart.signals {
            0 => "no signal on the baseline's frozen chart".to_owned(),
            signals => format!(
                "{signals} of {} points signal on the baseline's frozen chart ({}), for information only",
                chart.points, chart.broken_rules
            ),
        });
        ranks.into_iter().chain(chart).collect()
    }

    /// A figure in its unit; a share in percent.
    #[must_use]
    pub fn figure(&self, comparison: &Comparison, value: Option<f64>) -> String {
        match value {
            None => String::new(),
            Some(share) if comparison.statistic.is_share() => format!("{} %", plain(share * 100.0)),
            Some(value) => with_unit(self.unit, value),
        }
    }
}

impl Comparison {
    /// The change with its interval: `+12 % [8 %, 17 %]`, in percentage points for a share.
    #[must_use]
    pub fn change(&self) -> String {
        let (value, interval, unit) = match self.statistic.is_share() {
            true => (self.difference, self.difference_interval, "points"),
            false => (self.shift, self.shift_interval, "%"),
        };
        let Some(value) = value else { return String::new() };
        let points = self.statistic.is_share();
        let end = |value: f64| format!("{}{}", plain(value * 100.0), if points { "" } else { " %" });
        let change = format!("{} {unit}", signed(value * 100.0));
        match interval {
            None => change,
            Some(Bounded { lower, upper }) => {
                let open = "open".to_owned();
                format!("{change} [{}, {}]", lower.map_or(open.clone(), end), upper.map_or(open, end))
            }
        }
    }

    /// The smallest change that is detected as worse four times out of five: `+18 %`; empty if unknown.
    #[must_use]
    pub fn detectable(&self) -> String {
        let unit = if self.statistic.is_share() { "points" } else { "%" };
        self.minimal_detectable.map(|change| format!("{} {unit}", signed(change * 100.0))).unwrap_or_default()
    }

    /// For an undecided comparison, what would decide it: `would detect +18 %; needs about 1900 requests per side`.
    #[must_use]
    pub fn advice(&self) -> String {
        let detectable = Some(self.detectable()).filter(|text| !text.is_empty());
        let parts = [
            self.reason.clone(),
            detectable.map(|change| format!("would detect {change}")),
            self.need.map(|need| format!("needs about {need} requests per side")),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
    }
}

impl Gate {
    /// True if more than one group was compared.
    #[must_use]
    pub fn has_several_groups(&self) -> bool {
        self.pairs.iter().any(|pair| pair.group != self.pairs[0].group)
    }

    /// The guarantee of the intervals, in one sentence.
    #[must_use]
    pub fn promise(&self) -> String {
        format!(
            "If nothing has changed, the gate fails with a probability of at most {} %. Each end of an interval is wrong \
             with a probability of {} %: alpha is shared by the comparisons that these requests can decide ({}).",
            plain(self.alpha * 100.0).trim_end_matches('0').trim_end_matches('.'),
            plain(self.level * 100.0).trim_end_matches('0').trim_end_matches('.'),
            self.family
        )
    }

    /// The headline: the decisive comparison.
    pub(super) fn headline_of(&self) -> String {
        let total = self.comparisons().count();
        let decided = |decision: Decision| self.comparisons().filter(move |(_, c)| c.decision == decision);
        let several = self.has_several_groups();
        let line = |(pair, comparison): (&Pair, &Comparison)| {
            let group = if several { format!("{}: ", pair.group_title()) } else { String::new() };
            let change = comparison.change();
            let gap = if change.is_empty() { "" } else { " " };
            format!("{group}{}{gap}{change}: {}", pair.title_of(comparison), comparison.decision.words())
        };
        let most = |decision: Decision| {
            decided(decision).max_by(|(p, a), (q, b)| a.badness(p).total_cmp(&b.badness(q))).map(line)
        };
        let undecided = total - decided(Decision::Worse).count() - decided(Decision::NotWorse).count();
        match self.verdict {
            GateVerdict::Fail => {
                let count = decided(Decision::Worse).count();
                let rest = if count > 1 {
                    format!(" ({count} of {} are worse)", counted(total, "comparison"))
                } else {
                    String::new()
                };
                format!("{}{rest}", most(Decision::Worse).unwrap_or_default())
            }
            GateVerdict::Pass => {
                let open = if undecided > 0 {
                    format!(" ({undecided} of {} undecided)", counted(total, "comparison"))
                } else {
                    String::new()
                };
                format!("{}{open}", most(Decision::NotWorse).unwrap_or_default())
            }
            GateVerdict::NotEnoughData => {
                let closest = most(Decision::CannotTell).or_else(|| most(Decision::NotEnoughData));
                format!(
                    "{} ({undecided} of {} undecided)",
                    closest.unwrap_or_else(|| "nothing to compare".to_owned()),
                    counted(total, "comparison")
                )
            }
        }
    }
}

impl Comparison {
    /// The size of the change for the worse, to select the comparison for the headline: the near end of the interval if
    /// the comparison is worse, else the far end.
    fn badness(&self, pair: &Pair) -> f64 {
        let interval = if self.statistic.is_share() { self.difference_interval } else { self.shift_interval };
        let less_is_worse = pair.less_is_worse;
        let worse = self.decision == Decision::Worse;
        let end = interval.and_then(|i| if worse != less_is_worse { i.lower } else { i.upper });
        let value = end.or(self.shift).or(self.difference).unwrap_or(f64::NEG_INFINITY);
        if less_is_worse { -value } else { value }
    }
}

fn signed(value: f64) -> String {
    if value >= 0.0 { format!("+{}", plain(value)) } else { plain(value) }
}

/// Formats a number with two significant digits and at most two decimals, with a real minus sign.
fn plain(value: f64) -> String {
    let size = value.abs();
    let text = if size >= 9.95 || size == 0.0 {
        format!("{size:.0}")
    } else if size >= 0.995 {
        format!("{size:.1}")
    } else {
        format!("{size:.2}")
    };
    let zero = text.chars().all(|c| c == '0' || c == '.');
    if value < 0.0 && !zero { format!("−{text}") } else { text }
}
