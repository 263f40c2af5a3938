//! The text of an analysis, shared by all output formats.

use std::collections::BTreeMap;
use std::fmt;

use super::{Analysis, Drawing, Selection, Stage};
use crate::capability::{Interval, NonNormal};
use crate::chart::ChartKind;
use crate::chart::cusum::Shift;
use crate::metric::{Metric, Unit};
use crate::quantity::{counted, number, with_unit, with_unit_to};
use crate::rules::Violation;
use crate::stats::Distribution;

/// The number of violations that a text lists before it only counts the rest.
pub const MOST_VIOLATIONS: usize = 12;

impl Analysis {
    /// The group as a short title: `groq · llama-3-70b`.
    #[must_use]
    pub fn group_title(&self) -> String {
        title_of(&self.group)
    }

    /// The group and the metric: `groq · llama-3-70b ttft_s`.
    #[must_use]
    pub fn title(&self) -> String {
        let group = self.group_title();
        if group.is_empty() { self.metric.clone() } else { format!("{group} {}", self.metric) }
    }

    /// The metric and its label: `ttft_s (time to first token)`.
    #[must_use]
    pub fn metric_title(&self) -> String {
        metric_title(&self.metric)
    }

    /// The unit of the plotted values. Neither a count or a proportion, nor a sum of transformed values has the unit of the
    /// metric.
    #[must_use]
    pub fn plotted_unit(&self) -> Unit {
        let is_transformed_sum = self.chart == ChartKind::Cusum && self.transform.is_some();
        if self.chart.is_attribute() || is_transformed_sum { Unit::One } else { self.unit }
    }

    /// A plotted value in a suitable unit, with enough digits to distinguish the points.
    #[must_use]
    pub fn quantity(&self, value: f64) -> String {
        with_unit_to(self.plotted_unit(), value, self.resolution())
    }

    /// The resolution of displayed values: a tenth of the sigma of the plotted points.
    #[must_use]
    pub fn resolution(&self) -> f64 {
        let drawing = self.drawing.as_ref();
        let sigma = drawing.map(|drawing| drawing.chart.limits.plotted_sigma(0));
        // With a transformation, sigma does not have the unit of the values.
        let overall = self.sigma.and_then(|sigma| sigma.overall).filter(|_| self.transform.is_none());
        sigma.or(overall).unwrap_or(0.0) / 10.0
    }

    /// The unit of the dispersion chart. Transformed values have none.
    #[must_use]
    pub fn dispersion_unit(&self) -> Unit {
        if self.transform.is_some() { Unit::One } else { self.plotted_unit() }
    }

    /// The resolution of displayed values of the dispersion chart.
    #[must_use]
    pub fn dispersion_resolution(&self) -> f64 {
        match (self.transform, self.sigma.and_then(|sigma| sigma.within)) {
            (Some(_), Some(sigma)) => sigma / 10.0,
            _ => self.resolution(),
        }
    }

    /// A sigma in the unit of the metric or, with a transformation, a plain number.
    #[must_use]
    pub fn sigma_quantity(&self, sigma: f64) -> String {
        if self.transform.is_some() { number(sigma) } else { self.quantity(sigma) }
    }

    /// The number of measurements, the exclusions, the time span and the sources.
    #[must_use]
    pub fn scope(&self) -> Vec<String> {
        let mut parts = vec![counted(self.n, "measurement")];
        let excluded = self.excluded;
        let excluded = [
            (excluded.failed, "failed"),
            (excluded.warmup, "warm-up"),
            (excluded.missing, "missing"),
            (excluded.out_of_bounds, "below 0"),
            (excluded.not_positive, "not positive"),
        ];
        for (count, what) in excluded {
            if count > 0 {
                parts.push(format!("{count} {what}"));
            }
        }
        if let Some(need) = self.need {
            parts.push(format!("needs at least {need} points"));
        }
        if let Some((first, last)) = self.drawing.as_ref().and_then(Drawing::time_span) {
            parts.push(format!("{first:.0} to {last:.0}"));
        }
        if !self.source.is_empty() {
            parts.push(self.source.join(", "));
        }
        parts
    }

    /// `nelson-1 ×3, nelson-5`: the violated rules with the number of violations.
    #[must_use]
    pub fn broken_rules(&self) -> String {
        let mut rules: Vec<(&str, usize)> = Vec::new();
        for Violation { rule, .. } in &self.patterns.violations {
            match rules.iter_mut().find(|(code, _)| *code == rule.as_str()) {
                Some((_, count)) => *count += 1,
                None => rules.push((rule.as_str(), 1)),
            }
        }
        rules.sort_unstable();
        let one = |(code, count): (&str, usize)| if count == 1 { code.to_owned() } else { format!("{code} ×{count}") };
        rules.into_iter().map(one).collect::<Vec<_>>().join(", ")
    }

    /// The numbers, each with its name: limits, sigma, quantiles, capability. Numbers that do not apply are absent.
    #[must_use]
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = Vec::new();
        if let Some(limits) = &self.limits {
            let limits = limits.describe(|value| self.quantity(value));
            facts.push(("limits", format!("{limits} ({}, phase {})", self.chart.label(), self.phase.numeral())));
        }
        facts.extend(self.basis_words().map(|text| ("limits from", text)));
        facts.extend(self.stage_words().map(|text| ("stages", text)));
        if let Some(power) = self.transform {
            facts.push((
                "transform",
                format!("{}: sigma and capability refer to the transformed values", power.describe()),
            ));
        }
        facts.extend(self.shift_words().map(|text| ("shifts", text)));
        facts.extend(self.sigma_words().map(|text| ("sigma", text)));
        if let Some(quantiles) = self.quantiles {
            let q = [quantiles.p50, quantiles.p90, quantiles.p95, quantiles.p99].map(|value| self.quantity(value));
            let mean = self.mean.map(|mean| format!("mean {}  ", self.quantity(mean))).unwrap_or_default();
            facts.push(("values", format!("{mean}p50 {}  p90 {}  p95 {}  p99 {}", q[0], q[1], q[2], q[3])));
        }
        if let Some(limits) = self.specification {
            facts.push(("specification", limits.describe(|value| self.quantity(value))));
        }
        facts.extend(self.capability_words());
        if let Some(dispersion) = &self.dispersion {
            let signals: usize = dispersion.violations.iter().map(|violation| violation.signals().len()).sum();
            let text = match signals {
                0 => "no signal".to_owned(),
                1 => format!("1 signal, at {}", dispersion.violations[0].first_signal),
                _ => format!("{signals} signals, first at {}", dispersion.violations[0].first_signal),
            };
            facts.push(("dispersion", format!("{text} ({})", dispersion.chart.label())));
        }
        facts.extend(self.patterns.false_alarm.map(|share| ("false alarms", share.describe())));
        facts
    }

    /// `points 150 to 299, the last stage, without 3 outliers`: the measurements from which limits, within sigma and
    /// capability come by default; `None` for requested limits and for those of all points.
    #[must_use]
    pub fn basis_words(&self) -> Option<String> {
        let basis = self.basis?;
        let stage = if basis.last + 1 - basis.first == self.n {
            format!("all {}", counted(self.n, "measurement"))
        } else {
            let time = basis.t.map(|t| format!(" (since {t:.0})")).unwrap_or_default();
            format!("points {} to {}, the last stage{time}", basis.first, basis.last)
        };
        Some(match basis.outliers {
            0 => stage,
            count => format!("{stage}, without {}", counted(count, "outlier")),
        })
    }

    /// `147 measurements of the last stage`, `147 measurements without outliers`: the measurements behind the capability.
    #[must_use]
    pub fn basis_measurements(&self) -> Option<String> {
        let basis = self.basis?;
        let measurements = counted(basis.n, "measurement");
        Some(if basis.n + basis.outliers < self.n {
            format!("{measurements} of the last stage")
        } else if basis.outliers > 0 {
            format!("{measurements} without outliers")
        } else {
            format!("all {measurements}")
        })
    }

    /// `mean 100 ms; from 412 on 138 ms (+38.0 %, p < 0.001)` for given or detected stages; `None` if no stages were
    /// requested.
    #[must_use]
    pub fn stage_words(&self) -> Option<String> {
        const SHOWN: usize = 6;
        let (first, later) = self.stages.split_first()?;
        if later.is_empty() {
            return Some("one: no change of the level was found".to_owned());
        }
        let change = |(before, stage): (&Stage, &Stage)| {
            let time = stage.t.map(|t| format!(" ({t:.0})")).unwrap_or_default();
            let mut notes = Vec::new();
            if before.mean > 0.0 {
                notes.push(format!("{:+.1} %", 100.0 * (stage.mean / before.mean - 1.0)).replace('-', "−"));
            }
            notes.extend(stage.p.map(p_words));
            let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join(", ")) };
            format!("from {}{time} on {}{notes}", stage.first, self.quantity(stage.mean))
        };
        let mut words = vec![format!("mean {}", self.quantity(first.mean))];
        words.extend(self.stages.iter().zip(later).take(SHOWN).map(change));
        if later.len() > SHOWN {
            words.push(format!("… {} stages in all", self.stages.len()));
        }
        Some(words.join("; "))
    }

    /// `from 22 to 29 about 11.16 (signal at 28)` for the shifts that a CUSUM detects.
    fn shift_words(&self) -> Option<String> {
        const SHOWN: usize = 4;
        // The sums of transformed values have no unit, and the measurements have the one of the metric.
        let level = |shift: &Shift| match self.transform {
            Some(_) => with_unit(self.unit, shift.level),
            None => self.quantity(shift.level),
        };
        let one = |shift: &Shift| {
            format!("from {} to {} about {} (signal at {})", shift.began, shift.last, level(shift), shift.signal)
        };
        let mut words: Vec<String> = self.patterns.shifts.iter().take(SHOWN).map(one).collect();
        if self.patterns.shifts.len() > SHOWN {
            words.push(format!("… {} in all", self.patterns.shifts.len()));
        }
        (!words.is_empty()).then(|| words.join("; "))
    }

    fn sigma_words(&self) -> Option<String> {
        let sigma = self.sigma?;
        let mut parts = Vec::new();
        if let (Some(within), Some(estimator)) = (sigma.within, sigma.estimator) {
            parts.push(format!("within {} ({})", self.sigma_quantity(within), estimator.convention()));
        }
        if let Some(overall) = sigma.overall {
            parts.push(format!("overall {}", self.sigma_quantity(overall)));
        }
        if let Some(inflation) = sigma.inflation {
            parts.push(format!("σz {}", number(inflation)));
        }
        (!parts.is_empty()).then(|| parts.join("  "))
    }

    fn capability_words(&self) -> Vec<(&'static str, String)> {
        let mut rows = Vec::new();
        if let Some(c) = self.capability {
            let cp = c.cp.map(|cp| format!("Cp {}  ", index(cp, c.cp_interval))).unwrap_or_default();
            let sigma = format!("σ {}, {}", self.sigma_quantity(c.sigma), c.estimator.convention());
            let of = self.basis_measurements().map(|of| format!("; {of}")).unwrap_or_default();
            rows.push(("capability", format!("{cp}Cpk {}  ({sigma}{of})", index(c.cpk, c.cpk_interval))));
        }
        if let Some(p) = self.performance {
            let pp = p.pp.map(|pp| format!("Pp {}  ", index(pp, p.pp_interval))).unwrap_or_default();
            let cpm = p.cpm.map(|cpm| format!("  Cpm {cpm:.2}")).unwrap_or_default();
            let of = self.basis.map(|_| format!("  (all {})", counted(self.n, "measurement"))).unwrap_or_default();
            rows.push(("performance", format!("{pp}Ppk {}{cpm}{of}", index(p.ppk, p.ppk_interval))));
        }
        if let Some(non_normal) = &self.non_normal {
            rows.push(("non-normal", non_normal_words(non_normal)));
        }
        if let Some(observed) = self.observed_ppm {
            let expected = self.expected_ppm;
            let one = |name: &str, ppm: Option<f64>| ppm.map(|ppm| format!("  expected {name} {}", number(ppm)));
            let within = expected.and_then(|ppm| one("within", ppm.within)).unwrap_or_default();
            let overall = expected.and_then(|ppm| one("overall", ppm.overall)).unwrap_or_default();
            rows.push(("ppm outside", format!("observed {}{within}{overall}", number(observed))));
        }
        rows
    }
}

impl fmt::Display for Analysis {
    /// The report of this analysis as plain text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  {}", self.patterns.verdict.label().to_uppercase(), self.metric_title())?;
        let group = self.group_title();
        if !group.is_empty() {
            write!(f, "  {group}")?;
        }
        write!(f, "\n  {}", self.scope().join(" · "))?;
        for (name, text) in self.facts() {
            write!(f, "\n  {name:<14}{text}")?;
        }
        for violation in self.patterns.violations.iter().take(MOST_VIOLATIONS) {
            write!(f, "\n  {violation}")?;
        }
        if let rest @ 1.. = self.patterns.violations.len().saturating_sub(MOST_VIOLATIONS) {
            write!(f, "\n  … and {}", counted(rest, "more violation"))?;
        }
        self.warnings.iter().try_for_each(|warning| write!(f, "\n  ! {warning}"))
    }
}

/// `Ppk 0.91 from the lognormal distribution; Ppk Weibull 0.88 (does not fit), …`.
fn non_normal_words(non_normal: &NonNormal) -> String {
    let short = |ppk: f64| index(ppk, None);
    let supported = match non_normal.supported_ppk() {
        Some(ppk) => format!("Ppk {} from the {}", short(ppk), non_normal.supported.label()),
        None => "no distribution fits, and percentiles of the sample need at least 741 values".to_owned(),
    };
    let fits = non_normal.fits.iter().filter(|fit| !matches!(fit.fit.distribution, Distribution::Normal { .. }));
    let mut others: Vec<String> = fits
        .map(|fit| {
            let verdict = if fit.fits { "fits" } else { "does not fit" };
            format!("{} {} ({verdict})", fit.fit.distribution, short(fit.performance.ppk))
        })
        .collect();
    if let Some(transformed) = non_normal.box_cox {
        let end = if transformed.box_cox.is_at_the_end() { " (end of the search range)" } else { "" };
        others.push(format!("Box–Cox λ {:.2}{end} {}", transformed.box_cox.lambda, short(transformed.ppk)));
    }
    others.extend(non_normal.empirical.map(|empirical| format!("percentiles {}", short(empirical.ppk))));
    if others.is_empty() { supported } else { format!("{supported}; Ppk {}", others.join(", ")) }
}

fn p_words(p: f64) -> String {
    if p < 0.001 { "p < 0.001".to_owned() } else { format!("p {p:.3}") }
}

/// The group as a short title: `groq · llama-3-70b`, `llama-3-70b · concurrency 8`. A number has its name.
pub(super) fn title_of(group: &BTreeMap<String, String>) -> String {
    let usual = Selection::GROUPS.iter().filter_map(|name| group.get(*name)).cloned();
    let others = group.iter().filter(|(name, _)| !Selection::GROUPS.contains(&name.as_str()));
    let titled = |(name, value): (&String, &String)| match value.parse::<f64>() {
        Ok(_) => format!("{name} {value}"),
        Err(_) => value.clone(),
    };
    usual.chain(others.map(titled)).collect::<Vec<_>>().join(" · ")
}

/// A metric and its label.
pub(super) fn metric_title(name: &str) -> String {
    match name.parse::<Metric>() {
        Ok(metric) => format!("{} ({})", metric.name(), metric.label()),
        Err(_) => name.to_owned(),
    }
}

/// An index with its interval: `1.20 [1.00, 1.40]`.
#[must_use]
pub fn index(value: f64, interval: Option<Interval>) -> String {
    let short = |value: f64| if value.abs() < 100.0 { format!("{value:.2}") } else { number(value) };
    match interval {
        Some(interval) => format!("{} [{}, {}]", short(value), short(interval.lower), short(interval.upper)),
        None => short(value),
    }
}
