//! Named rule sets: the patterns with the lengths and multiples of various authors.

use super::{NelsonRule, Pattern, Rule, RuleSet};

const fn beyond(multiple: f64, count: usize, window: usize) -> Pattern {
    Pattern::Beyond { multiple, count, window }
}

impl RuleSet {
    /// The names that [`RuleSet::named`] accepts.
    pub const NAMES: [&'static str; 6] = ["nelson", "western-electric", "aiag", "montgomery", "westgard", "none"];

    /// The set with this name, if it is one of [`Self::NAMES`].
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "nelson" => Some(Self::nelson()),
            "western-electric" => Some(Self::western_electric()),
            "aiag" => Some(Self::aiag()),
            "montgomery" => Some(Self::montgomery()),
            "westgard" => Some(Self::westgard()),
            "none" => Some(Self::none()),
            _ => None,
        }
    }

    /// Nelson's eight tests (Nelson 1984).
    #[must_use]
    pub fn nelson() -> Self {
        Self::of_known(NelsonRule::ALL.map(Rule::from))
    }

    /// The four zone tests of the Western Electric *Statistical Quality Control Handbook* (1956).
    #[must_use]
    pub fn western_electric() -> Self {
        Self::of_known([
            Rule::known("western-electric-1", beyond(3.0, 1, 1)),
            Rule::known("western-electric-2", beyond(2.0, 2, 3)),
            Rule::known("western-electric-3", beyond(1.0, 4, 5)),
            Rule::known("western-electric-4", Pattern::SameSide { length: 8 }),
        ])
    }

    /// The typical special-cause criteria of AIAG, *Statistical Process Control*, 2nd ed. (2005), table II.1.
    #[must_use]
    pub fn aiag() -> Self {
        Self::of_known([
            Rule::known("aiag-1", beyond(3.0, 1, 1)),
            Rule::known("aiag-2", Pattern::SameSide { length: 7 }),
            Rule::known("aiag-3", Pattern::Trend { length: 6 }),
            Rule::known("aiag-4", Pattern::Alternating { length: 14 }),
            Rule::known("aiag-5", beyond(2.0, 2, 3)),
            Rule::known("aiag-6", beyond(1.0, 4, 5)),
            Rule::known("aiag-7", Pattern::Within { multiple: 1.0, length: 15 }),
            Rule::known("aiag-8", Pattern::Outside { multiple: 1.0, length: 8, both_sides: false }),
        ])
    }

    /// The sensitizing rules of Montgomery, *Introduction to Statistical Quality Control*, table 5.1, without the ninth
    /// and tenth ("an unusual pattern" and "a point near a limit"), which need a human reader.
    #[must_use]
    pub fn montgomery() -> Self {
        Self::of_known([
            Rule::known("montgomery-1", beyond(3.0, 1, 1)),
            Rule::known("montgomery-2", beyond(2.0, 2, 3)),
            Rule::known("montgomery-3", beyond(1.0, 4, 5)),
            Rule::known("montgomery-4", Pattern::SameSide { length: 8 }),
            Rule::known("montgomery-5", Pattern::Trend { length: 6 }),
            Rule::known("montgomery-6", Pattern::Within { multiple: 1.0, length: 15 }),
            Rule::known("montgomery-7", Pattern::Alternating { length: 14 }),
            Rule::known("montgomery-8", Pattern::Outside { multiple: 1.0, length: 8, both_sides: true }),
        ])
    }

    /// The multirule of Westgard et al. (1981), *Clinical Chemistry* 27(3), without its 1-2s warning; R-4s is judged
    /// on successive points.
    #[must_use]
    pub fn westgard() -> Self {
        Self::of_known([
            Rule::known("westgard-1-3s", beyond(3.0, 1, 1)),
            Rule::known("westgard-2-2s", beyond(2.0, 2, 2)),
            Rule::known("westgard-r-4s", Pattern::Opposite { multiple: 2.0 }),
            Rule::known("westgard-4-1s", beyond(1.0, 4, 4)),
            Rule::known("westgard-10-x", Pattern::SameSide { length: 10 }),
        ])
    }

    /// The empty set: a chart without judgement.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }
}
