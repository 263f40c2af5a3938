//! Guesses: meanings of measures that the caller does not state, and on which a verdict depends.

use std::fmt;

use super::Series;
use crate::column::{Preference, Source};

/// The meaning of a measure that its name suggests, or that is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Guess {
    /// The metric or column.
    pub name: String,
    /// What is guessed.
    pub meaning: GuessedMeaning,
}

/// A meaning that is guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuessedMeaning {
    /// Whether lower or higher is better.
    Direction(Preference),
    /// The unit.
    Unit {
        /// True if the name suggests a unit, false if the unit is unknown.
        is_named: bool,
    },
}

impl Guess {
    /// The guessed direction of a series.
    #[must_use]
    pub fn of_direction(series: &Series) -> Option<Self> {
        let meaning = series.meaning();
        let preference = if meaning.preference_from == Source::Name { meaning.preference } else { Preference::Unknown };
        let guess = || Self { name: series.measure.name().to_owned(), meaning: GuessedMeaning::Direction(preference) };
        meaning.preference_from.is_guess().then(guess)
    }

    /// The guessed unit of a series.
    #[must_use]
    pub fn of_unit(series: &Series) -> Option<Self> {
        let from = series.meaning().unit_from;
        let meaning = GuessedMeaning::Unit { is_named: from == Source::Name };
        from.is_guess().then(|| Self { name: series.measure.name().to_owned(), meaning })
    }

    /// The first guess on which the verdicts of these series depend: a direction if `directions` decide, a unit if `units`
    /// do, because limits have one.
    #[must_use]
    pub fn first_of(series: &[Series], directions: bool, units: bool) -> Option<Self> {
        let guesses = |one| {
            let direction = Self::of_direction(one).filter(|_| directions);
            direction.or_else(|| Self::of_unit(one).filter(|_| units))
        };
        series.iter().find_map(guesses)
    }
}

impl fmt::Display for Guess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, meaning } = self;
        match meaning {
            GuessedMeaning::Direction(Preference::Higher) => {
                write!(f, "{name}: higher is better, a guess from its name")
            }
            GuessedMeaning::Direction(Preference::Lower) => write!(f, "{name}: lower is better, a guess from its name"),
            GuessedMeaning::Direction(_) => write!(f, "{name}: whether higher or lower is better is unknown"),
            GuessedMeaning::Unit { is_named: true } => write!(f, "the unit of {name} is guessed from its name"),
            GuessedMeaning::Unit { is_named: false } => write!(f, "the unit of {name} is unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(name: &str, directions: bool, units: bool) -> Option<String> {
        let series = Series::of_numbers(name, vec![1.0, 2.0]);
        Guess::first_of(&[series], directions, units).map(|guess| guess.to_string())
    }

    #[test]
    fn names_of_columns_are_guesses_and_metrics_are_not() {
        assert_eq!(guess("tps", true, false).as_deref(), Some("tps: higher is better, a guess from its name"));
        assert_eq!(
            guess("latency_ms", true, true).as_deref(),
            Some("latency_ms: lower is better, a guess from its name")
        );
        assert_eq!(guess("x", true, false).as_deref(), Some("x: whether higher or lower is better is unknown"));
        assert_eq!(
            guess("latency_ms", false, true).as_deref(),
            Some("the unit of latency_ms is guessed from its name")
        );
        assert_eq!(guess("x", false, true).as_deref(), Some("the unit of x is unknown"));
        assert_eq!(guess("ttft_s", true, true), None);
        assert_eq!(guess("tps", false, false), None);
    }
}
