//! What the user states about columns, and the guesses that decide.

use anyhow::{Result, bail};
use clap::Args;
use llmscope_core::analysis::answer::Part;
use llmscope_core::analysis::{Analysis, Series, SeriesVerdict, far_limits};
use llmscope_core::column::{Preference, Source, StatedMeanings};

use crate::output::{self, CAUTION};

/// The options about the meaning of columns, which `analyze`, `report` and `gate` share.
#[derive(Debug, Args)]
pub(crate) struct MeaningArgs {
    /// Unit of a column (repeatable): latency=ms
    #[arg(long, value_name = "NAME=UNIT", help_heading = "Columns")]
    unit: Vec<String>,
    /// Column of which more is better (repeatable)
    #[arg(long, value_name = "NAME", help_heading = "Columns")]
    higher_is_better: Vec<String>,
    /// Column of which less is better (repeatable)
    #[arg(long, value_name = "NAME", help_heading = "Columns")]
    lower_is_better: Vec<String>,
    /// Refuse a unit or a direction that is guessed from a name and decides
    #[arg(long, help_heading = "Columns")]
    strict: bool,
}

impl MeaningArgs {
    /// What the options state.
    pub(crate) fn stated(&self) -> Result<StatedMeanings> {
        let mut stated = units(&self.unit)?;
        for (names, preference) in
            [(&self.higher_is_better, Preference::Higher), (&self.lower_is_better, Preference::Lower)]
        {
            names.iter().try_for_each(|name| stated.prefer(name, preference))?;
        }
        Ok(stated)
    }

    /// With `--strict`, refuses guessed directions and, if limits have a unit, guessed units.
    pub(crate) fn refuse_guesses(&self, series: &[Series], directions: bool, units: bool) -> Result<()> {
        if !self.strict {
            return Ok(());
        }
        for one in series {
            let (name, meaning) = (one.measure.name(), one.meaning());
            if directions && meaning.preference_from.is_guess() {
                bail!("--strict: {}", guess(name, meaning.preference, meaning.preference_from));
            }
            if units && meaning.unit_from.is_guess() {
                bail!(
                    "--strict: the unit of {name} is {}; use --unit {name}=UNIT to state it",
                    if meaning.unit_from == Source::Name { "guessed from its name" } else { "unknown" }
                );
            }
        }
        Ok(())
    }
}

/// The units that `--unit` states.
pub(crate) fn units(texts: &[String]) -> Result<StatedMeanings> {
    let mut stated = StatedMeanings::default();
    texts.iter().try_for_each(|text| stated.state_unit(text))?;
    Ok(stated)
}

/// Prints each guessed direction that decides the verdict of a series.
pub(crate) fn print_deciding_guesses(series: &[Series], analyses: &[Analysis]) {
    let decides =
        |analysis: &Analysis| analysis.verdict == SeriesVerdict::Changed && analysis.answer.part == Some(Part::Level);
    let deciding = series.iter().zip(analyses).filter(|(_, analysis)| decides(analysis));
    print_guesses(deciding.map(|(series, _)| series));
}

/// Prints what contradicts the meaning of a series: its name, its values, its limits.
pub(crate) fn print_contradictions(series: &[Series], analyses: &[Analysis]) {
    let mut printed: Vec<String> = Vec::new();
    for (one, analysis) in series.iter().zip(analyses) {
        let title = analysis.title();
        for text in one.contradictions.iter().cloned().chain(far_limits(analysis)) {
            let text = format!("{title}: {text}");
            if !printed.contains(&text) {
                output::say(CAUTION, "note:", &text);
                printed.push(text);
            }
        }
    }
}

/// Prints the direction of each measure whose direction is guessed.
pub(crate) fn print_guesses<'s>(series: impl Iterator<Item = &'s Series>) {
    let mut printed: Vec<&str> = Vec::new();
    for one in series {
        let (name, meaning) = (one.measure.name(), one.meaning());
        if meaning.preference_from.is_guess() && !printed.contains(&name) {
            output::say(CAUTION, "note:", &guess(name, meaning.preference, meaning.preference_from));
            printed.push(name);
        }
    }
}

/// A guessed direction, and how to state it.
fn guess(name: &str, preference: Preference, from: Source) -> String {
    let option = |preference: Preference| match preference {
        Preference::Higher => format!("--higher-is-better {name}"),
        _ => format!("--lower-is-better {name}"),
    };
    let [higher, lower] = [Preference::Higher, Preference::Lower].map(option);
    match (from, preference) {
        (Source::Name, Preference::Higher) => {
            format!("{name}: higher is better, a guess from its name; use {higher} to state it, or {lower}")
        }
        (Source::Name, _) => {
            format!("{name}: lower is better, a guess from its name; use {lower} to state it, or {higher}")
        }
        _ => format!("{name}: whether higher or lower is better is unknown; use {higher} or {lower} to state it"),
    }
}
