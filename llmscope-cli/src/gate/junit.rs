//! JUnit XML, as the test reports of CI read it: a suite for each metric of a group, a case for each comparison.

use std::io::Write;

use anyhow::Result;
use llmscope_core::gate::{Certified, Decision, Gate, Pair};
use llmscope_core::objective::CertificateStatus;

pub(super) fn write(out: &mut impl Write, gate: &Gate) -> Result<()> {
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    let outcomes = gate.comparisons().map(|(_, comparison)| Outcome::of(comparison.decision));
    let certified = || gate.certificates.iter().map(|one| Outcome::of_objective(one.certificate.status));
    writeln!(out, "<testsuites name=\"llmscope gate\" {}>", counts(outcomes.chain(certified())))?;
    for pair in &gate.pairs {
        suite(out, pair)?;
    }
    if !gate.certificates.is_empty() {
        writeln!(out, "  <testsuite name=\"objectives\" {}>", counts(certified()))?;
        gate.certificates.iter().try_for_each(|one| objective(out, one))?;
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")?;
    Ok(())
}

/// The result of a test case.
#[derive(Clone, Copy, PartialEq)]
enum Outcome {
    Passed,
    Failed,
    Skipped,
}

impl Outcome {
    fn of(decision: Decision) -> Self {
        match decision {
            Decision::Worse => Self::Failed,
            Decision::NotWorse => Self::Passed,
            Decision::CannotTell | Decision::NotEnoughData => Self::Skipped,
        }
    }

    fn of_objective(status: CertificateStatus) -> Self {
        match status {
            CertificateStatus::Missed => Self::Failed,
            CertificateStatus::Met => Self::Passed,
            CertificateStatus::CannotTell => Self::Skipped,
        }
    }
}

fn objective(out: &mut impl Write, certified: &Certified) -> Result<()> {
    let Certified { group, certificate, .. } = certified;
    let group = group.values().cloned().collect::<Vec<_>>().join(" · ");
    let (class, name) = (escaped(&group), escaped(&certificate.objective.to_string()));
    let text = escaped(&certificate.text);
    let result = match Outcome::of_objective(certificate.status) {
        Outcome::Failed => format!("<failure type=\"missed\" message=\"{text}\"/>"),
        Outcome::Passed => format!("<system-out>{text}</system-out>"),
        Outcome::Skipped => format!("<skipped message=\"{text}\"/>"),
    };
    writeln!(out, "    <testcase classname=\"{class}\" name=\"{name}\" time=\"0\">{result}</testcase>")?;
    Ok(())
}

fn suite(out: &mut impl Write, pair: &Pair) -> Result<()> {
    let name =
        [pair.group_title(), pair.metric.clone()].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
    let name = escaped(&name.join(" · "));
    let outcomes = pair.comparisons.iter().map(|comparison| Outcome::of(comparison.decision));
    writeln!(out, "  <testsuite name=\"{name}\" {}>", counts(outcomes))?;
    for comparison in &pair.comparisons {
        let title = escaped(&pair.title_of(comparison));
        write!(out, "    <testcase classname=\"{name}\" name=\"{title}\" time=\"0\">")?;
        let figures = format!(
            "baseline {}, candidate {}",
            pair.figure(comparison, comparison.baseline),
            pair.figure(comparison, comparison.candidate)
        );
        let change = escaped(&comparison.change());
        let words = comparison.decision.words();
        match comparison.decision {
            Decision::Worse => {
                let text = escaped(&figures);
                write!(out, "<failure type=\"{words}\" message=\"{title} {change}\">{text}</failure>")?;
            }
            Decision::NotWorse => write!(out, "<system-out>{change}; {}</system-out>", escaped(&figures))?,
            Decision::CannotTell | Decision::NotEnoughData => {
                let parts = [comparison.change(), comparison.advice()];
                let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
                write!(out, "<skipped message=\"{words}: {}\"/>", escaped(&parts.join("; ")))?;
            }
        }
        writeln!(out, "</testcase>")?;
    }
    writeln!(out, "  </testsuite>")?;
    Ok(())
}

fn counts(outcomes: impl Iterator<Item = Outcome>) -> String {
    let outcomes: Vec<Outcome> = outcomes.collect();
    let count = |wanted: Outcome| outcomes.iter().filter(|outcome| **outcome == wanted).count();
    format!(
        "tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" time=\"0\"",
        outcomes.len(),
        count(Outcome::Failed),
        count(Outcome::Skipped)
    )
}

/// Text for an attribute or an element. Characters that XML 1.0 cannot hold become the replacement character.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&apos;"),
            '\t' | '\n' | '\r' => safe.push(' '),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}
