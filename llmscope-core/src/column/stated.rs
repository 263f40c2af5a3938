//! What the user states about columns.

use super::{Meaning, Preference, Source};
use crate::error::{Error, Result};
use crate::metric::{Metric, Unit};

/// Units and preferences that the user states, by the name of the column. They replace those of the name.
///
/// ```
/// use llmscope_core::column::{Meaning, Preference, StatedMeanings};
///
/// let mut stated = StatedMeanings::default();
/// stated.state_unit("latency=ms")?;
/// stated.prefer("latency", Preference::Higher)?;
/// let meaning = stated.applied("latency", Meaning::of_name("latency"));
/// assert_eq!((meaning.unit.symbol(), meaning.preference), ("ms", Preference::Higher));
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StatedMeanings {
    units: Vec<(String, Unit)>,
    preferences: Vec<(String, Preference)>,
}

impl StatedMeanings {
    /// States a unit as `NAME=UNIT`, such as `latency=ms`.
    ///
    /// # Errors
    /// [`Error::Parameter`] for other text, for a second unit of the same column, and for a metric in another unit;
    /// [`Error::Unknown`] for an unknown unit.
    pub fn state_unit(&mut self, text: &str) -> Result<()> {
        let refuse = |expected| Err(Error::Parameter { name: "unit of a column", value: text.to_owned(), expected });
        let Some((name, unit)) = text.rsplit_once('=').filter(|(name, _)| !name.is_empty()) else {
            return refuse("NAME=UNIT, such as latency=ms");
        };
        let unit: Unit = unit.parse()?;
        if name.parse::<Metric>().is_ok_and(|metric| metric.unit() != unit) {
            return refuse("the unit of the metric; map the column to the metric with its unit instead");
        }
        if self.unit(name).is_some_and(|known| known != unit) {
            return refuse("one unit for each column");
        }
        self.units.push((name.to_owned(), unit));
        Ok(())
    }

    /// States whether lower or higher values of a column are better.
    ///
    /// # Errors
    /// [`Error::Parameter`] if both are stated of the same column.
    pub fn prefer(&mut self, name: &str, preference: Preference) -> Result<()> {
        if self.preference(name).is_some_and(|known| known != preference) {
            return Err(Error::Parameter {
                name: "direction of a column",
                value: name.to_owned(),
                expected: "either lower is better or higher is better, not both",
            });
        }
        self.preferences.push((name.to_owned(), preference));
        Ok(())
    }

    /// The stated unit of a column.
    #[must_use]
    pub fn unit(&self, name: &str) -> Option<Unit> {
        self.units.iter().find(|(known, _)| known == name).map(|&(_, unit)| unit)
    }

    /// The stated preference of a column.
    #[must_use]
    pub fn preference(&self, name: &str) -> Option<Preference> {
        self.preferences.iter().find(|(known, _)| known == name).map(|&(_, preference)| preference)
    }

    /// The units, by the name of the column.
    pub fn units(&self) -> impl Iterator<Item = (&str, Unit)> {
        self.units.iter().map(|(name, unit)| (name.as_str(), *unit))
    }

    /// The names of the columns.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.units.iter().map(|(name, _)| name.as_str()).chain(self.preferences.iter().map(|(name, _)| name.as_str()))
    }

    /// The meaning of a column with what is stated about it.
    #[must_use]
    pub fn applied(&self, name: &str, mut meaning: Meaning) -> Meaning {
        if let Some(unit) = self.unit(name) {
            meaning = meaning.in_unit(unit);
        }
        if let Some(preference) = self.preference(name) {
            (meaning.preference, meaning.preference_from) = (preference, Source::User);
        }
        meaning
    }

    /// What the name of a column says against the stated unit.
    #[must_use]
    pub fn contradiction(&self, name: &str) -> Option<String> {
        let (stated, by_name) = (self.unit(name)?, Meaning::of_name(name));
        let differs = by_name.unit_from == Source::Name && by_name.unit != Unit::One && by_name.unit != stated;
        differs.then(|| format!("{name} is read in {stated} as stated, but its name gives {}", by_name.unit))
    }
}
