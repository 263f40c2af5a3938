//! Certificates as text.

use super::{Certificate, CertificateStatus};
use crate::cast::float;
use crate::objective::Objective;
use crate::quantity::{counted, noun_for};

/// Below this share of independent requests, the text reports their number.
const NOTABLE_DEPENDENCE: f64 = 0.9;

impl CertificateStatus {
    /// The status as human-readable text.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Missed => "missed",
            Self::CannotTell => "cannot tell",
        }
    }
}

impl Certificate {
    /// `errors=1%: missed, 12 of 300 requests of this run failed (4.0 %, at least 1.8 % at 99 % confidence)`.
    pub(super) fn sentence(&self) -> String {
        let Some(observed) = self.observed else { return self.without_requests() };
        let mut facts = percent(observed);
        if let Some(bound) = self.bound {
            let side = if self.bounds_from_below() { "at least" } else { "at most" };
            let confidence = plain((1.0 - self.alpha) * 100.0, self.alpha * 100.0);
            facts += &format!(", {side} {} at {confidence} % confidence", percent(bound));
        }
        if let (Objective::Quantile { .. }, Some(allowed)) = (self.objective, self.objective.allowed_share()) {
            facts += &format!("; allowed: {} %", plain(allowed * 100.0, allowed * 100.0));
        }
        format!(
            "{}: {}, {:.0} of {}{} {} ({facts}){}{}",
            self.objective,
            self.status.label(),
            observed * float(self.n),
            self.requests(),
            scope(self.runs),
            self.deed("failed", "exceeded"),
            self.dependence(),
            self.outlook()
        )
    }

    fn without_requests(&self) -> String {
        let need = self.need.map_or_else(String::new, |need| {
            let condition = self.deed("fails", "exceeds");
            format!("; {} would decide if none {condition}", counted(need, "request"))
        });
        let kind = if self.is_of_values() { "successful requests" } else { "requests" };
        format!("{}: {}, no {kind}{}{need}", self.objective, self.status.label(), scope(self.runs))
    }

    fn is_of_values(&self) -> bool {
        matches!(self.objective, Objective::Quantile { .. })
    }

    fn bounds_from_below(&self) -> bool {
        self.observed > self.objective.allowed_share()
    }

    fn requests(&self) -> String {
        let kind = if self.is_of_values() { "successful " } else { "" };
        format!("{} {kind}{}", self.n, noun_for(&self.n, "request"))
    }

    /// What the counted requests did: they failed, or `exceeded 500 ms`.
    fn deed(&self, failed: &str, exceeded: &str) -> String {
        if self.is_of_values() {
            let (limit, unit) = self.objective.limit_text();
            format!("{exceeded} {limit} {unit}")
        } else {
            failed.to_owned()
        }
    }

    fn dependence(&self) -> String {
        if self.effective < NOTABLE_DEPENDENCE * float(self.n) {
            format!("; they carry the information of {:.0} independent ones", self.effective)
        } else {
            String::new()
        }
    }

    /// What would decide.
    fn outlook(&self) -> String {
        match (self.status, self.need) {
            (CertificateStatus::CannotTell, Some(need)) => {
                format!("; {need} more {} would decide if the share stays", noun_for(&need, "request"))
            }
            (CertificateStatus::CannotTell, None) => "; the share is too close to the objective to decide".to_owned(),
            _ => String::new(),
        }
    }
}

/// The runs that the answer is about.
fn scope(runs: usize) -> String {
    match runs {
        1 => " of this run".to_owned(),
        2 => " of these 2 runs".to_owned(),
        _ => format!(" of {runs} runs"),
    }
}

/// A share as a percentage with two significant digits.
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent == 0.0 || percent >= 9.95 {
        return format!("{percent:.0} %");
    }
    format!("{percent:.*} %", decimals(percent, 1))
}

/// A number with the decimals of two digits of `smallest`, without zeros at the end.
fn plain(value: f64, smallest: f64) -> String {
    let text = format!("{value:.*}", decimals(smallest, 1).max(1));
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The decimals that show a number to its leading digit and `further` ones.
fn decimals(value: f64, further: i32) -> usize {
    const MOST: f64 = 12.0;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=12")]
    let decimals = (f64::from(further) - value.log10().floor()).clamp(0.0, MOST) as usize;
    decimals
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Sample;

    fn text(objective: &str, values: Vec<f64>, run_starts: &[usize], alpha: f64) -> String {
        let objective: Objective = objective.parse().expect("an objective");
        let sample = Sample::new(values).expect("finite values");
        objective.certify(&sample, run_starts, alpha).expect("valid").expect("an objective of a run").text
    }

    fn every(step: usize, n: usize, high: f64, low: f64) -> Vec<f64> {
        (1..=n).map(|i| if i % step == 0 { high } else { low }).collect()
    }

    #[test]
    fn texts_name_the_share_the_bound_and_the_run() {
        for (expected, found) in [
            (
                "errors=1%: met, 0 of 600 requests of these 2 runs failed (0 %, at most 0.76 % at 99 % confidence)",
                text("errors=1%", vec![0.0; 600], &[300], 0.01),
            ),
            (
                "errors=1%: cannot tell, 2 of 300 requests of this run failed (0.67 %, at most 2.8 % at 99 % confidence); \
                 4366 more requests would decide if the share stays",
                text("errors=1%", every(150, 300, 1.0, 0.0), &[], 0.01),
            ),
            (
                "errors=1%: cannot tell, 3 of 300 requests of this run failed (1.0 %, at most 4.3 % at 99.9 % confidence); \
                 the share is too close to the objective to decide",
                text("errors=1%", every(100, 300, 1.0, 0.0), &[], 0.001),
            ),
            (
                "errors=1%: cannot tell, 0 of 1 request of this run failed (0 %); 458 more requests would decide if the share stays",
                text("errors=1%", vec![0.0], &[], 0.01),
            ),
            (
                "errors=1%: cannot tell, no requests of this run; 459 requests would decide if none fails",
                text("errors=1%", Vec::new(), &[], 0.01),
            ),
            (
                "ttft.p99=500ms: missed, 30 of 1000 successful requests of this run exceeded 500 ms (3.0 %, at least 1.9 % \
                 at 99 % confidence; allowed: 1 %)",
                text("ttft.p99=500ms", every(33, 1000, 0.6, 0.4), &[], 0.01),
            ),
            (
                "ttft.p99=500ms: cannot tell, no successful requests of this run; 459 requests would decide if none \
                 exceeds 500 ms",
                text("ttft.p99=500ms", Vec::new(), &[], 0.01),
            ),
        ] {
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn dependence_is_reported() {
        let burst: Vec<f64> = (0..300).map(|i| if (100..112).contains(&i) { 1.0 } else { 0.0 }).collect();
        let found = text("errors=1%", burst, &[], 0.01);
        assert!(found.contains("; they carry the information of ") && found.contains(" independent ones; "), "{found}");
    }
}
