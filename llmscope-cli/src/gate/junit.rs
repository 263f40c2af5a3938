//! JUnit XML, as the test reports of CI read it: a suite for each metric of a group, a case for each comparison.

use std::io::Write;

use anyhow::Result;
use llmscope_core::gate::{Comparison, Decision, Gate, Pair};

pub(super) fn write(out: &mut impl Write, gate: &Gate) -> Result<()> {
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    let all: Vec<&Comparison> = gate.comparisons().map(|(_, comparison)| comparison).collect();
    writeln!(out, "<testsuites name=\"llmscope gate\" {}>", counts(&all))?;
    for pair in &gate.pairs {
        suite(out, pair)?;
    }
    writeln!(out, "</testsuites>")?;
    Ok(())
}

fn suite(out: &mut impl Write, pair: &Pair) -> Result<()> {
    let name =
        [pair.group_title(), pair.metric.clone()].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
    let name = escaped(&name.join(" · "));
    let all: Vec<&Comparison> = pair.comparisons.iter().collect();
    writeln!(out, "  <testsuite name=\"{name}\" {}>", counts(&all))?;
    for comparison in all {
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

fn counts(comparisons: &[&Comparison]) -> String {
    let count = |decisions: &[Decision]| comparisons.iter().filter(|c| decisions.contains(&c.decision)).count();
    format!(
        "tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" time=\"0\"",
        comparisons.len(),
        count(&[Decision::Worse]),
        count(&[Decision::CannotTell, Decision::NotEnoughData])
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
