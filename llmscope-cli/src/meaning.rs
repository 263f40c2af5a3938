//! What the user states about columns, and the guesses that decide.

use anyhow::{Result, bail};
use clap::Args;
use llmscope_core::Objective;
use llmscope_core::analysis::answer::Part;
use llmscope_core::analysis::{Analysis, Guess, GuessedMeaning, Series, SeriesVerdict, far_limits};
use llmscope_core::column::{Preference, StatedMeanings};

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
        match Guess::first_of(series, directions, units).filter(|_| self.strict) {
            Some(guess) => bail!("--strict: {}", with_remedy(&guess)),
            None => Ok(()),
        }
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
    print_all(&guesses_of(deciding(series, analyses)));
}

/// The guessed directions that decide the verdict of a series, as text.
pub(crate) fn deciding_guesses(series: &[Series], analyses: &[Analysis]) -> Vec<String> {
    guesses_of(deciding(series, analyses)).iter().map(with_remedy).collect()
}

/// The series whose direction decides.
fn deciding<'s>(series: &'s [Series], analyses: &[Analysis]) -> impl Iterator<Item = &'s Series> {
    let decides =
        |analysis: &Analysis| analysis.verdict == SeriesVerdict::Changed && analysis.answer.part == Some(Part::Level);
    series.iter().zip(analyses).filter(move |(_, analysis)| decides(analysis)).map(|(series, _)| series)
}

/// Prints that an objective of failures has no answer, because no column of the logs says which requests failed.
pub(crate) fn print_unknown_outcomes(series: &[Series], objectives: &[Objective]) {
    let of_failures = objectives.iter().find(|objective| matches!(objective, Objective::Errors { .. }));
    let is_unknown = |one: &Series| !one.of_runs && one.observations.outcomes_unknown();
    if let Some(objective) = of_failures.filter(|_| series.iter().any(is_unknown)) {
        let text = format!(
            "{objective}: no column says whether a request failed; use --status COLUMN=ok,200..299 to name one"
        );
        output::say(CAUTION, "note:", &text);
    }
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
    print_all(&guesses_of(series));
}

fn print_all(guesses: &[Guess]) {
    guesses.iter().for_each(|guess| output::say(CAUTION, "note:", &with_remedy(guess)));
}

/// Each guessed direction once.
fn guesses_of<'s>(series: impl Iterator<Item = &'s Series>) -> Vec<Guess> {
    let mut guesses: Vec<Guess> = Vec::new();
    for guess in series.filter_map(Guess::of_direction) {
        if !guesses.contains(&guess) {
            guesses.push(guess);
        }
    }
    guesses
}

/// A guess, and how to state the meaning.
fn with_remedy(guess: &Guess) -> String {
    let name = &guess.name;
    let [higher, lower] = [format!("--higher-is-better {name}"), format!("--lower-is-better {name}")];
    match guess.meaning {
        GuessedMeaning::Direction(Preference::Higher) => format!("{guess}; use {higher} to state it, or {lower}"),
        GuessedMeaning::Direction(Preference::Lower) => format!("{guess}; use {lower} to state it, or {higher}"),
        GuessedMeaning::Direction(Preference::Unknown) => format!("{guess}; use {higher} or {lower} to state it"),
        GuessedMeaning::Unit { .. } => format!("{guess}; use --unit {name}=UNIT to state it"),
    }
}
