//! The text of a gate's result, shared by all output formats.

use std::collections::BTreeMap;

use super::{Arm, Comparison, Decision, Gate, GateVerdict, Load, OpenInterval, Pair, Runs, Statistic, TokenCounts};
use crate::analysis::answer::FailureCount;
use crate::column::Preference;
use crate::metric::Metric;
use crate::objective::CertificateStatus;
use crate::quantity::{counted, with_unit};

impl GateVerdict {
    /// The verdict's name in files.
    ///
    /// ```
    /// use llmscope_core::gate::GateVerdict;
    ///
    /// assert_eq!((GateVerdict::Fail.key(), GateVerdict::Fail.words()), ("fail", "worse"));
    /// ```
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
        let arm = |name: &str, arm: &Arm| {
            let excluded = arm.excluded;
            let counts = [(excluded.failed, "failed"), (excluded.warmup, "warm-up"), (excluded.missing, "missing")];
            let left_out: String = counts
                .iter()
                .filter(|(count, _)| *count > 0)
                .map(|(count, what)| format!(", {count} {what}"))
                .collect();
            let from = if arm.source.is_empty() { String::new() } else { format!(" ({})", arm.source.join(", ")) };
            format!("{name} {} {requests}{left_out}{from}", arm.n)
        };
        format!("{} · {}", arm("baseline", &self.baseline), arm("candidate", &self.candidate))
    }

    /// Further facts: a guessed direction, the failures, the runs, the load, the candidate's own change, Mann and Whitney's test, the frozen
    /// chart.
    #[must_use]
    pub fn facts(&self) -> Vec<String> {
        let ranks = self.rank_test.map(|test| {
            let share = plain(test.superiority * 100.0);
            let p = p_text(test.p);
            format!("the value of a candidate's request exceeds that of a baseline's {share} % of the time (Mann–Whitney {p})")
        });
        let chart = self.chart.as_ref().map(|chart| match chart.signals {
            0 => "no signal on the baseline's frozen chart".to_owned(),
            signals => format!(
                "{signals} of {} points signal on the baseline's frozen chart ({}), for information only",
                chart.points, chart.broken_rules
            ),
        });
        let failures = (!self.failures.is_empty()).then(|| format!("failed: {}", listed(&self.failures)));
        let change =
            self.since_text.as_ref().map(|text| format!("the candidate changed while it was measured: {text}"));
        let facts =
            [self.guess(), failures, self.runs.and_then(Runs::fact), self.load.as_ref().and_then(Load::fact), change];
        facts.into_iter().flatten().chain(ranks).chain(chart).collect()
    }

    /// The direction, if it is a guess.
    fn guess(&self) -> Option<String> {
        let text = match self.direction {
            Preference::Unknown => "whether higher or lower is better is unknown: a shift in either direction is worse",
            Preference::Lower => "lower is better, a guess from the name",
            Preference::Higher => "higher is better, a guess from the name",
        };
        self.direction_from.is_guess().then(|| text.to_owned())
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

impl Runs {
    /// How much the runs differ, or what is assumed about it.
    fn fact(self) -> Option<String> {
        let Self { baseline, candidate, sd, assumed } = self;
        let counts = format!("{baseline} and {}", counted(candidate, "run"));
        let sd = plain(sd * 100.0);
        match (assumed, baseline + candidate) {
            (true, _) if self.sd == 0.0 => {
                Some(format!("{counts}: the answer is about these runs, not about others of the same builds"))
            }
            (true, 2) => Some(format!(
                "one run a side: assumes that runs of one build differ by {sd} % (standard deviation); measure yours with \
                 3 runs a side"
            )),
            (true, _) => Some(format!(
                "{counts} are too few to measure how much runs differ: assumes {sd} % (standard deviation)"
            )),
            (false, _) => Some(format!("{counts}, which differ by {sd} % within a side (standard deviation)")),
        }
    }
}

impl Load {
    /// The load of both sides, and what the measurements were adjusted for.
    fn fact(&self) -> Option<String> {
        let differing = self.tokens.iter().filter(|count| count.differs()).map(TokenCounts::change);
        let parts: Vec<String> = differing.collect();
        let load = if parts.is_empty() { "the same load on both sides".to_owned() } else { parts.join(", ") };
        let names = self.adjusted_for.iter().map(|name| name.replace('_', " ")).collect::<Vec<_>>().join(" and ");
        match (names.is_empty(), parts.is_empty()) {
            (false, _) => Some(format!("{load}; adjusted for {names}")),
            (true, false) => Some(format!("{load}; not adjusted")),
            (true, true) => None,
        }
    }
}

impl TokenCounts {
    /// `output tokens 100 → 130 (median)`.
    fn change(&self) -> String {
        let Self { name, baseline, candidate } = self;
        format!("{} {baseline:.0} → {candidate:.0} (median)", name.replace('_', " "))
    }
}

/// `20 × timeout ("no answer in 30 s"), 5 × HTTP 500`.
fn listed(failures: &[FailureCount]) -> String {
    let one = |failure: &FailureCount| {
        let example = failure.example.as_ref().map(|example| format!(" (\"{example}\")")).unwrap_or_default();
        format!("{} × {}{example}", failure.count, failure.label)
    };
    failures.iter().map(one).collect::<Vec<_>>().join(", ")
}

impl Comparison {
    /// The measured change: the difference of a share, the shift of another figure.
    #[must_use]
    pub const fn size_of_change(&self) -> Option<f64> {
        if self.statistic.is_share() { self.difference } else { self.shift }
    }

    /// The interval of the true change.
    #[must_use]
    pub const fn interval_of_change(&self) -> Option<OpenInterval> {
        if self.statistic.is_share() { self.difference_interval } else { self.shift_interval }
    }

    /// The change with its interval: `+12 % [8 %, 17 %]`, in percentage points for a share.
    #[must_use]
    pub fn change(&self) -> String {
        let (interval, points) = (self.interval_of_change(), self.statistic.is_share());
        let unit = if points { "points" } else { "%" };
        let Some(value) = self.size_of_change() else { return String::new() };
        let end = |value: f64| format!("{}{}", plain(value * 100.0), if points { "" } else { " %" });
        let change = format!("{} {unit}", signed(value * 100.0));
        match interval {
            None => change,
            Some(OpenInterval { lower, upper }) => {
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
            self.need_runs.map(|need| format!("needs about {need} runs per side")),
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

    /// The verdict's human-readable label.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        if self.failing {
            return "failing";
        }
        match (self.verdict, self.pairs.is_empty()) {
            (GateVerdict::Pass, true) => "met",
            (GateVerdict::Fail, true) => "missed",
            (verdict, _) => verdict.words(),
        }
    }

    /// The guarantee of the answer, in a few sentences.
    #[must_use]
    pub fn promise(&self) -> String {
        let percent = |share: f64| {
            let text = plain(share * 100.0);
            if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
        };
        if self.pairs.is_empty() {
            return format!(
                "Each objective is met or missed with a probability of error of at most {} %.",
                percent(self.alpha)
            );
        }
        let levels = match self.comparisons().find(|(_, one)| one.statistic == Statistic::Typical) {
            Some((_, typical)) if typical.level != self.level => {
                format!(
                    "{} % for a typical request and {} % for another figure",
                    percent(typical.level),
                    percent(self.level)
                )
            }
            Some((_, typical)) => format!("{} %", percent(typical.level)),
            None => format!("{} %", percent(self.level)),
        };
        format!(
            "If nothing has changed, the gate fails with a probability of at most {} %. Each end of an interval is wrong \
             with a probability of {levels}: alpha is shared by the comparisons that these requests can decide ({}). Failed \
             requests count as they were measured.",
            percent(self.alpha),
            self.family
        )
    }

    /// The headline: what failed, else the objective that decides, else the decisive comparison.
    pub(super) fn headline_of(&self) -> String {
        self.failure_headline().or_else(|| self.objective_headline()).unwrap_or_else(|| self.comparison_headline())
    }

    /// The share of failed requests, if it fails the gate.
    fn failure_headline(&self) -> Option<String> {
        let fails =
            |(_, one): &(&Pair, &Comparison)| one.statistic == Statistic::ErrorRate && one.decision == Decision::Worse;
        let (pair, comparison) = self.comparisons().find(fails)?;
        let group = if self.has_several_groups() { format!("{}: ", pair.group_title()) } else { String::new() };
        let [one, other] = [comparison.baseline, comparison.candidate].map(|share| pair.figure(comparison, share));
        let kinds = listed(&pair.failures);
        let kinds = if kinds.is_empty() { kinds } else { format!(": {kinds}") };
        let p = comparison.p.map(|p| format!(", {}", p_text(p))).unwrap_or_default();
        Some(format!("{group}{other} of the requests failed, {one} in the baseline{p}{kinds}"))
    }

    /// The certificate that decides: the first one that is missed, else the first undecided one, else that of a gate without
    /// a baseline.
    fn objective_headline(&self) -> Option<String> {
        let first = |status: CertificateStatus| {
            self.certificates.iter().map(|one| &one.certificate).find(|certificate| certificate.status == status)
        };
        let missed = first(CertificateStatus::Missed);
        let other = || first(CertificateStatus::CannotTell).or_else(|| first(CertificateStatus::Met));
        let certificate = if self.pairs.is_empty() { missed.or_else(other) } else { missed };
        certificate.map(|certificate| certificate.text.clone())
    }

    fn comparison_headline(&self) -> String {
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
        let interval = self.interval_of_change();
        if pair.direction == Preference::Unknown {
            let ends = interval.map(|interval| (interval.lower.unwrap_or(-1.0), interval.upper.unwrap_or(f64::MAX)));
            let farthest = |(lower, upper): (f64, f64)| upper.abs().max(lower.abs());
            return ends.map_or(f64::NEG_INFINITY, farthest);
        }
        let less_is_worse = pair.less_is_worse;
        let worse = self.decision == Decision::Worse;
        let end = interval.and_then(|i| if worse != less_is_worse { i.lower } else { i.upper });
        let value = end.or(self.shift).or(self.difference).unwrap_or(f64::NEG_INFINITY);
        if less_is_worse { -value } else { value }
    }
}

fn p_text(p: f64) -> String {
    if p < 0.0001 { "p < 0.0001".to_owned() } else { format!("p = {p:.4}") }
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
