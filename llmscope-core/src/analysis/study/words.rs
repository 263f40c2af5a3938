//! The text of a study, shared by all output formats.

use std::fmt;

use super::{Component, Study};
use crate::analysis::words::{index, metric_title, title_of};
use crate::quantity::{counted, number, with_unit_to};

impl Study {
    /// The properties that the runs have in common, as a short title.
    #[must_use]
    pub fn group_title(&self) -> String {
        title_of(&self.group)
    }

    /// The metric and its label: `ttft_s (time to first token)`.
    #[must_use]
    pub fn metric_title(&self) -> String {
        metric_title(&self.metric)
    }

    /// A value of the metric in a suitable unit, with enough digits to distinguish run means.
    #[must_use]
    pub fn quantity(&self, value: f64) -> String {
        with_unit_to(self.unit, value, self.total.sigma / 10.0)
    }

    /// The numbers of runs and measurements.
    #[must_use]
    pub fn scope(&self) -> Vec<String> {
        let mut parts = vec![counted(self.runs.len(), "run"), counted(self.n, "measurement")];
        if let Some(need) = self.need {
            parts.push(format!("needs at least {need} runs"));
        }
        parts
    }

    /// The names of the runs whose means are beyond the limits of the run means.
    #[must_use]
    pub fn runs_out(&self) -> Vec<&str> {
        self.runs.iter().filter(|run| run.out).map(|run| run.name.as_str()).collect()
    }

    /// The names of the runs whose means deviate more than the variation of their own requests explains.
    #[must_use]
    pub fn runs_beyond_within(&self) -> Vec<&str> {
        self.runs.iter().filter(|run| run.beyond_within).map(|run| run.name.as_str()).collect()
    }

    /// The numbers, each with its name. Numbers that do not apply are absent.
    #[must_use]
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = vec![("mean", self.quantity(self.mean))];
        let sigma = |name: &str, of: Component| {
            let interval = of
                .interval
                .map(|interval| format!(" [{}, {}]", self.quantity(interval.lower), self.quantity(interval.upper)));
            format!("{name} {}{}", self.quantity(of.sigma), interval.unwrap_or_default())
        };
        facts.push(("σ within runs", sigma("", self.within).trim_start().to_owned()));
        let share = self.between_share.map(|share| format!("  {:.1} % of the variance", 100.0 * share));
        facts
            .push(("σ between runs", format!("{}{}", sigma("", self.between).trim_start(), share.unwrap_or_default())));
        facts.push(("σ total", sigma("", self.total).trim_start().to_owned()));
        if let (Some(f), Some(p)) = (self.anova.f, self.anova.p) {
            let (d1, d2) = self.anova.degrees_of_freedom();
            facts.push(("equal runs?", format!("F {} ({d1}, {d2})  p {}", number(f), number(p))));
        }
        if let Some(limits) = &self.limits {
            let limits = limits.describe(|value| self.quantity(value));
            facts.push(("limits", format!("{limits} (of run means, from their moving ranges)")));
        }
        facts.extend(self.specification.map(|limits| ("specification", limits.describe(|value| self.quantity(value)))));
        if let Some(c) = self.capability {
            let cp = c.cp.map(|cp| format!("Cp {}  ", index(cp, c.cp_interval))).unwrap_or_default();
            facts.push(("capability", format!("{cp}Cpk {}  (σ within runs)", index(c.cpk, c.cpk_interval))));
        }
        if let Some(p) = self.performance {
            let pp = p.pp.map(|pp| format!("Pp {}  ", index(pp, p.pp_interval))).unwrap_or_default();
            let cpm = p.cpm.map(|cpm| format!("  Cpm {cpm:.2}")).unwrap_or_default();
            facts.push(("performance", format!("{pp}Ppk {}{cpm}  (σ total)", index(p.ppk, p.ppk_interval))));
        }
        if let Some(observed) = self.observed_ppm {
            let expected = self.expected_ppm;
            let one = |name: &str, ppm: Option<f64>| ppm.map(|ppm| format!("  expected {name} {}", number(ppm)));
            let within = expected.and_then(|ppm| one("within", ppm.within)).unwrap_or_default();
            let total = expected.and_then(|ppm| one("total", ppm.overall)).unwrap_or_default();
            facts.push(("ppm outside", format!("observed {}{within}{total}", number(observed))));
        }
        facts
    }

    /// The runs: name, number of measurements, mean, sigma, and a remark.
    #[must_use]
    pub fn run_rows(&self) -> Vec<[String; 5]> {
        let remark = |out: bool, beyond_within: bool| match (out, beyond_within) {
            (true, _) => "OUT of the limits of run means",
            (false, true) => "beyond the within-run limits",
            (false, false) => "",
        };
        let row = |run: &super::Run| {
            [
                run.name.clone(),
                run.n.to_string(),
                self.quantity(run.mean),
                run.sigma.map(|sigma| self.quantity(sigma)).unwrap_or_default(),
                remark(run.out, run.beyond_within).to_owned(),
            ]
        };
        self.runs.iter().map(row).collect()
    }
}

impl fmt::Display for Study {
    /// The report of this study as plain text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RUNS {}  {}", self.verdict.label().to_uppercase(), self.metric_title())?;
        let group = self.group_title();
        if !group.is_empty() {
            write!(f, "  {group}")?;
        }
        write!(f, "\n  {}", self.scope().join(" · "))?;
        for (name, text) in self.facts() {
            write!(f, "\n  {name:<15}{text}")?;
        }
        for [name, n, mean, sigma, remark] in self.run_rows() {
            write!(
                f,
                "\n  {name}: n {n}, mean {mean}, σ {sigma}{}{remark}",
                if remark.is_empty() { "" } else { ", " }
            )?;
        }
        self.warnings.iter().try_for_each(|warning| write!(f, "\n  ! {warning}"))
    }
}
