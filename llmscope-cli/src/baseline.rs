//! Files of frozen limits.

use std::path::Path;

use anyhow::{Context as _, Result};
use llmscope_core::Analysis;
use llmscope_core::analysis::{Baseline, SeriesVerdict};
use llmscope_core::files::write_atomically;
use llmscope_core::quantity::counted;

use crate::output::{self, CAUTION, DIM};

/// Limits from fewer measurements differ too much from those of the next baseline.
const FIRM: usize = 100;

pub(crate) fn read(path: &Path) -> Result<Vec<Baseline>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Baseline::read(&path.display().to_string(), &text)?)
}

/// Freezes the limits of the analyses, and reports from which measurements they come.
pub(crate) fn save(path: &Path, analyses: &[Analysis]) -> Result<()> {
    let frozen: Vec<(&Analysis, Baseline)> =
        analyses.iter().filter_map(|analysis| Some((analysis, analysis.baseline()?))).collect();
    let baselines: Vec<Baseline> = frozen.iter().map(|(_, baseline)| baseline.clone()).collect();
    write_atomically(path, Baseline::to_json(&baselines)?.as_bytes())?;
    for (analysis, baseline) in &frozen {
        let Some(basis) = analysis.basis_words() else { continue };
        // The names in a title come from files.
        let title = analysis.title().replace(char::is_control, " ");
        output::say(DIM, "frozen:", &format!("{title}: limits from {basis}"));
        for warning in warnings(analysis, baseline.n) {
            output::say(CAUTION, "warning:", &format!("{title}: {warning}"));
        }
    }
    Ok(())
}

fn warnings(analysis: &Analysis, n: usize) -> Vec<String> {
    let mut warnings = Vec::new();
    if n < FIRM {
        warnings.push(format!("limits from {} are provisional: collect at least {FIRM}", counted(n, "measurement")));
    }
    if analysis.verdict != SeriesVerdict::Stable {
        warnings.push(format!("the series is not stable: {}", analysis.answer.text));
    }
    warnings
}
