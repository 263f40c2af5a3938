//! Nelson's eight rules, by their names.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Pattern, Rule};

/// One of the eight tests of Nelson (1984), *Journal of Quality Technology* 16(4), 237–239.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum NelsonRule {
    /// One point beyond 3σ.
    #[serde(rename = "nelson-1")]
    OneBeyondLimits,
    /// Nine points in a row on the same side of the center line.
    #[serde(rename = "nelson-2")]
    NineSameSide,
    /// Six points in a row, all rising or all falling.
    #[serde(rename = "nelson-3")]
    SixTrending,
    /// Fourteen points in a row, alternating up and down.
    #[serde(rename = "nelson-4")]
    FourteenAlternating,
    /// Two out of three points beyond 2σ on the same side.
    #[serde(rename = "nelson-5")]
    TwoOfThreeBeyondTwoSigma,
    /// Four out of five points beyond 1σ on the same side.
    #[serde(rename = "nelson-6")]
    FourOfFiveBeyondOneSigma,
    /// Fifteen points in a row within 1σ of the center line, on either side.
    #[serde(rename = "nelson-7")]
    FifteenWithinOneSigma,
    /// Eight points in a row beyond 1σ, on either side.
    #[serde(rename = "nelson-8")]
    EightBeyondOneSigma,
}

impl NelsonRule {
    /// The eight rules in Nelson's order.
    pub const ALL: [Self; 8] = [
        Self::OneBeyondLimits,
        Self::NineSameSide,
        Self::SixTrending,
        Self::FourteenAlternating,
        Self::TwoOfThreeBeyondTwoSigma,
        Self::FourOfFiveBeyondOneSigma,
        Self::FifteenWithinOneSigma,
        Self::EightBeyondOneSigma,
    ];

    /// The rule's stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::OneBeyondLimits => "nelson-1",
            Self::NineSameSide => "nelson-2",
            Self::SixTrending => "nelson-3",
            Self::FourteenAlternating => "nelson-4",
            Self::TwoOfThreeBeyondTwoSigma => "nelson-5",
            Self::FourOfFiveBeyondOneSigma => "nelson-6",
            Self::FifteenWithinOneSigma => "nelson-7",
            Self::EightBeyondOneSigma => "nelson-8",
        }
    }

    /// The pattern of the rule, with Nelson's lengths and multiples.
    #[must_use]
    pub const fn pattern(self) -> Pattern {
        match self {
            Self::OneBeyondLimits => Pattern::Beyond { multiple: 3.0, count: 1, window: 1 },
            Self::NineSameSide => Pattern::SameSide { length: 9 },
            Self::SixTrending => Pattern::Trend { length: 6 },
            Self::FourteenAlternating => Pattern::Alternating { length: 14 },
            Self::TwoOfThreeBeyondTwoSigma => Pattern::Beyond { multiple: 2.0, count: 2, window: 3 },
            Self::FourOfFiveBeyondOneSigma => Pattern::Beyond { multiple: 1.0, count: 4, window: 5 },
            Self::FifteenWithinOneSigma => Pattern::Within { multiple: 1.0, length: 15 },
            Self::EightBeyondOneSigma => Pattern::Outside { multiple: 1.0, length: 8, both_sides: false },
        }
    }
}

impl From<NelsonRule> for Rule {
    fn from(rule: NelsonRule) -> Self {
        Self::known(rule.code(), rule.pattern())
    }
}
