//! The definitions of the time per output token.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The definition by which a time per output token was computed. Values of different definitions are never compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct TpotDefinition(u8);

impl TpotDefinition {
    /// The attribute of a record that holds the number of the definition.
    pub const ATTRIBUTE: &'static str = "tpot_definition";
    /// The definition of records that name none: sessions before November 2026, and other programs. It divides the time
    /// to the last text by all tokens but one, and is too small for streams with an end token or hidden reasoning.
    pub const FIRST: Self = Self(1);
    /// The definition by which this version measures.
    pub const CURRENT: Self = Self(2);

    /// The definition with the number that a record states, if it states one.
    #[must_use]
    pub fn stated(number: Option<f64>) -> Self {
        let number = number.filter(|number| number.fract() == 0.0 && (1.0..=255.0).contains(number));
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number between 1 and 255")]
        number.map_or(Self::FIRST, |number| Self(number as u8))
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// True for the definition of records that name none.
    #[must_use]
    pub fn is_first(&self) -> bool {
        *self == Self::FIRST
    }
}

impl Default for TpotDefinition {
    fn default() -> Self {
        Self::FIRST
    }
}

impl fmt::Display for TpotDefinition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "definition {}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_number_names_a_definition() {
        let stated = |number| TpotDefinition::stated(number).number();
        let numbers = [None, Some(2.0), Some(3.0), Some(1.5), Some(-2.0), Some(300.0), Some(f64::NAN)];
        assert_eq!(numbers.map(stated), [1, 2, 3, 1, 1, 1, 1]);
        assert_eq!(TpotDefinition::CURRENT.to_string(), "definition 2");
    }
}
