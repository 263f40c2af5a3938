//! A summary for a pull request: the line, the table, the rest folded away.

use std::io::Write;

use anyhow::Result;
use llmscope_core::gate::{Certified, Decision, Gate, GateVerdict};

pub(super) fn write(out: &mut impl Write, gate: &Gate) -> Result<()> {
    let mark = match gate.verdict {
        GateVerdict::Pass => "✅",
        GateVerdict::Fail => "❌",
        GateVerdict::NotEnoughData => "⚠️",
    };
    writeln!(out, "### {mark} Latency gate: {}\n", gate.label())?;
    writeln!(out, "**{}**\n", escaped(&gate.headline))?;
    for Certified { certificate, .. } in &gate.certificates {
        writeln!(out, "- {}", escaped(&certificate.text))?;
    }
    if gate.pairs.is_empty() {
        writeln!(out, "\n{}", escaped(&gate.promise()))?;
        return Ok(());
    }
    if !gate.certificates.is_empty() {
        writeln!(out)?;
    }
    writeln!(out, "| | baseline | candidate | change | verdict |")?;
    writeln!(out, "| --- | ---: | ---: | ---: | --- |")?;
    let several = gate.has_several_groups();
    for (pair, comparison) in gate.comparisons() {
        let title = pair.title_of(comparison);
        let verdict = comparison.decision.words();
        let cells = [
            if several { format!("{}: {title}", pair.group_title()) } else { title },
            pair.figure(comparison, comparison.baseline),
            pair.figure(comparison, comparison.candidate),
            comparison.change(),
            if comparison.decision == Decision::Worse { format!("**{verdict}**") } else { verdict.to_owned() },
        ];
        writeln!(out, "| {} |", cells.map(|cell| escaped(&cell)).join(" | "))?;
    }
    writeln!(out, "\n<details><summary>What this rests on</summary>\n")?;
    for pair in &gate.pairs {
        writeln!(
            out,
            "- **{}** {}: {}",
            escaped(pair.metric_title()),
            escaped(&pair.group_title()),
            escaped(&pair.scope())
        )?;
        for fact in pair.facts().iter().chain(&pair.warnings) {
            writeln!(out, "  - {}", escaped(fact))?;
        }
        for comparison in &pair.comparisons {
            let advice = comparison.advice();
            if matches!(comparison.decision, Decision::CannotTell | Decision::NotEnoughData) && !advice.is_empty() {
                writeln!(out, "  - {}: {}", escaped(&pair.title_of(comparison)), escaped(&advice))?;
            }
        }
    }
    for warning in &gate.warnings {
        writeln!(out, "- {}", escaped(warning))?;
    }
    writeln!(out, "\n{}\n\n</details>", escaped(&gate.promise()))?;
    Ok(())
}

/// Names come from logs: none of them may begin a tag, end a cell or a line.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '|' => safe.push_str("\\|"),
            '`' => safe.push_str("\\`"),
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}
