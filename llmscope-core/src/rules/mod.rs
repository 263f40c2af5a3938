//! Run rules: which points say that the process is not the one that the limits describe.
//!
//! A rule **signals at the point that completes its pattern**, and again at each further point that still completes it
//! (Minitab's convention). A [`Violation`] is a maximal run of such signals together with the points of the first
//! pattern. All rules are judged independently: none hides another.
//!
//! [`judge`] takes a whole chart, [`Monitor`] one point at a time; both give the same signals for the same points.

mod batch;
mod bits;
mod block;
mod comparisons;
mod marks;
mod monitor;
mod nelson;
mod pattern;
mod presets;
mod violation;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use batch::{Judgement, judge};
pub use marks::Marks;
pub use monitor::{Monitor, Signal};
pub use nelson::NelsonRule;
pub use pattern::Pattern;
pub use violation::{Side, Violation};

use crate::error::{Error, Result};

/// The stable code of a rule, such as `nelson-2`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct RuleCode(Cow<'static, str>);

impl RuleCode {
    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RuleCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A pattern under a code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rule {
    code: RuleCode,
    pattern: Pattern,
}

impl Rule {
    /// A rule of one's own.
    ///
    /// # Errors
    /// [`Error::Parameter`] if the pattern's lengths or multiples make no pattern.
    pub fn new(code: &str, pattern: Pattern) -> Result<Self> {
        Ok(Self { code: RuleCode(Cow::Owned(code.to_owned())), pattern: pattern.checked()? })
    }

    const fn known(code: &'static str, pattern: Pattern) -> Self {
        Self { code: RuleCode(Cow::Borrowed(code)), pattern }
    }

    /// The rule's code.
    #[must_use]
    pub fn code(&self) -> &RuleCode {
        &self.code
    }

    /// What it looks for.
    #[must_use]
    pub fn pattern(&self) -> Pattern {
        self.pattern
    }
}

/// Rules to judge a chart by, at most [`RuleSet::MAX`] of them.
///
/// ```
/// use llmscope_core::{NelsonRule, RuleSet};
///
/// let all: RuleSet = "nelson".parse()?;
/// let some: RuleSet = "1,2,5".parse()?;
/// let eight_in_a_row = some.with_length("nelson-2", 8, None)?;
/// assert_eq!(all.rules().len(), 8);
/// assert!(eight_in_a_row.rules()[1].pattern().describe().starts_with("8 points"));
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RuleSet {
    rules: Vec<Rule>,
}

impl RuleSet {
    /// The most rules in one set: one bit each in a [`RuleMask`].
    pub const MAX: usize = 32;

    /// A set of rules.
    ///
    /// # Errors
    /// [`Error::Parameter`] for more than [`Self::MAX`] rules, or two with the same code.
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> Result<Self> {
        let rules: Vec<Rule> = rules.into_iter().collect();
        if rules.len() > Self::MAX {
            return Err(Error::Parameter {
                name: "number of rules",
                value: rules.len().to_string(),
                expected: "at most 32",
            });
        }
        if let Some((i, _)) = rules.iter().enumerate().find(|(i, rule)| rules[..*i].iter().any(|r| r.code == rule.code))
        {
            return Err(Error::Parameter {
                name: "rule code",
                value: rules[i].code.to_string(),
                expected: "unique within the set",
            });
        }
        Ok(Self { rules })
    }

    fn of_known<const N: usize>(rules: [Rule; N]) -> Self {
        const { assert!(N <= Self::MAX) };
        Self { rules: rules.into() }
    }

    /// The rules, in order.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The codes of the rules, in order.
    pub fn codes(&self) -> impl Iterator<Item = &RuleCode> + '_ {
        self.rules.iter().map(Rule::code)
    }

    /// The rules of a mask.
    pub fn select(&self, mask: RuleMask) -> impl Iterator<Item = &Rule> + '_ {
        self.rules.iter().enumerate().filter(move |(index, _)| mask.contains(*index)).map(|(_, rule)| rule)
    }

    /// The same set with another run length for one rule; `count` changes the k of a k-of-m rule.
    ///
    /// # Errors
    /// [`Error::Unknown`] if the set has no such rule, [`Error::Parameter`] if the length does not fit it.
    pub fn with_length(self, code: &str, length: usize, count: Option<usize>) -> Result<Self> {
        self.changed(code, |pattern| pattern.with_length(length, count))
    }

    /// The same set with another distance from the center line for one rule, in sigmas.
    ///
    /// # Errors
    /// [`Error::Unknown`] if the set has no such rule, [`Error::Parameter`] if the distance does not fit it.
    pub fn with_multiple(self, code: &str, multiple: f64) -> Result<Self> {
        self.changed(code, |pattern| pattern.with_multiple(multiple))
    }

    fn changed(mut self, code: &str, change: impl Fn(Pattern) -> Result<Pattern>) -> Result<Self> {
        let known = || self.codes().map(RuleCode::as_str).collect::<Vec<_>>().join(", ");
        let index = self.position(code).ok_or_else(|| Error::Unknown {
            what: "rule of this set",
            name: code.to_owned(),
            expected: known(),
        })?;
        self.rules[index].pattern = change(self.rules[index].pattern)?;
        Ok(self)
    }

    /// A rule's place in the set, by its code or by the last part of it (`2` for `nelson-2`).
    fn position(&self, code: &str) -> Option<usize> {
        self.rules.iter().position(|rule| {
            let full = rule.code.as_str();
            full == code || full.strip_suffix(code).is_some_and(|start| start.ends_with('-') && !code.is_empty())
        })
    }

    /// The rules about a single point beyond a limit: what a chart of averages is judged by, whose successive points
    /// depend on each other.
    #[must_use]
    pub fn limits_only(&self) -> Self {
        let single = |rule: &&Rule| matches!(rule.pattern, Pattern::Beyond { window: 1, .. });
        Self { rules: self.rules.iter().filter(single).cloned().collect() }
    }

    /// The rules that do not need zones: what a dispersion chart (R, S, MR) is judged by unless asked otherwise.
    #[must_use]
    pub fn without_zones(&self) -> Self {
        Self { rules: self.rules.iter().filter(|rule| !rule.pattern.uses_zones()).cloned().collect() }
    }
}

impl FromStr for RuleSet {
    type Err = Error;

    /// Reads the name of a preset (`nelson`) or a list of rules (`1,2,5` of Nelson's, or full codes).
    fn from_str(text: &str) -> Result<Self> {
        if let Some(set) = Self::named(text.trim()) {
            return Ok(set);
        }
        Self::new(text.split(',').map(|item| known_rule(item.trim())).collect::<Result<Vec<_>>>()?)
    }
}

fn known_rule(name: &str) -> Result<Rule> {
    let nelson = RuleSet::nelson();
    if let (Ok(_), Some(index)) = (name.parse::<u8>(), nelson.position(name)) {
        return Ok(nelson.rules[index].clone());
    }
    RuleSet::NAMES
        .iter()
        .filter_map(|preset| RuleSet::named(preset))
        .flat_map(|set| set.rules)
        .find(|rule| rule.code.as_str() == name)
        .ok_or_else(|| Error::Unknown {
            what: "rule",
            name: name.to_owned(),
            expected: format!("{}, a number from 1 to 8, or a code such as nelson-2", RuleSet::NAMES.join(", ")),
        })
}

/// A set of rules as bits: bit i stands for the i-th rule of the [`RuleSet`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct RuleMask(u32);

impl RuleMask {
    /// True if no rule is in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// True if the rule at this place of the set is in it.
    #[must_use]
    pub const fn contains(self, rule: usize) -> bool {
        rule < RuleSet::MAX && self.0 >> rule & 1 == 1
    }

    /// The set as bits: bit i stands for the i-th rule.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    pub(crate) fn insert(&mut self, rule: usize) {
        self.0 |= 1 << rule;
    }
}
