//! Run rules: they find points that contradict a process in control.
//!
//! A rule **signals at the point that completes its pattern**, and again at each further point that still completes it
//! (Minitab's convention). A [`Violation`] is a maximal run of such signals together with the points of the first
//! pattern. Every rule is judged independently of the others.
//!
//! [`judge`] judges a whole chart, [`Monitor`] one point at a time. Both give the same signals for the same points.

mod batch;
mod bits;
mod block;
mod comparisons;
mod judged_part;
mod monitor;
mod nelson;
#[cfg(target_arch = "x86_64")]
mod packed;
mod pattern;
mod presets;
mod rule_bits;
mod violation;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use batch::{Judgement, judge};
pub use monitor::{Monitor, Signal};
pub use nelson::NelsonRule;
pub use pattern::Pattern;
pub use rule_bits::RuleBits;
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

/// A pattern with its code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rule {
    code: RuleCode,
    pattern: Pattern,
}

impl Rule {
    /// Creates a custom rule.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a length or a multiple outside its range.
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

    /// The pattern that the rule looks for.
    #[must_use]
    pub fn pattern(&self) -> Pattern {
        self.pattern
    }
}

/// A set of at most [`RuleSet::MAX`] rules.
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
    /// The maximum number of rules in a set: one bit each in a [`RuleMask`].
    pub const MAX: usize = 32;

    /// Creates a set of rules.
    ///
    /// # Errors
    /// [`Error::Parameter`] for more than [`Self::MAX`] rules, or for two rules with the same code.
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> Result<Self> {
        let rules: Vec<Rule> = rules.into_iter().collect();
        if rules.len() > Self::MAX {
            return Err(Error::Parameter {
                name: "number of rules",
                value: rules.len().to_string(),
                expected: "at most 32 rules",
            });
        }
        if let Some((i, _)) = rules.iter().enumerate().find(|(i, rule)| rules[..*i].iter().any(|r| r.code == rule.code))
        {
            return Err(Error::Parameter {
                name: "rule code",
                value: rules[i].code.to_string(),
                expected: "a code that occurs once in the set",
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

    /// Changes the run length of one rule; `count` changes the k of a k-of-m rule.
    ///
    /// # Errors
    /// [`Error::Unknown`] if the set has no such rule, [`Error::Parameter`] if the length is not valid for it.
    pub fn with_length(self, code: &str, length: usize, count: Option<usize>) -> Result<Self> {
        self.changed(code, |pattern| pattern.with_length(length, count))
    }

    /// Changes the distance from the center line of one rule, in sigmas.
    ///
    /// # Errors
    /// [`Error::Unknown`] if the set has no such rule, [`Error::Parameter`] if the distance is not valid for it.
    pub fn with_multiple(self, code: &str, multiple: f64) -> Result<Self> {
        self.changed(code, |pattern| pattern.with_multiple(multiple))
    }

    fn changed(mut self, code: &str, change: impl Fn(Pattern) -> Result<Pattern>) -> Result<Self> {
        let known = || self.codes().map(RuleCode::as_str).collect::<Vec<_>>().join(", ");
        let index = self.position(code).ok_or_else(|| Error::Unknown {
            what: "rule in this set",
            name: code.to_owned(),
            expected: known(),
        })?;
        self.rules[index].pattern = change(self.rules[index].pattern)?;
        Ok(self)
    }

    /// The index of a rule in the set, by its code or by the last part of its code (`2` for `nelson-2`).
    fn position(&self, code: &str) -> Option<usize> {
        self.rules.iter().position(|rule| {
            let full = rule.code.as_str();
            full == code || full.strip_suffix(code).is_some_and(|start| start.ends_with('-') && !code.is_empty())
        })
    }

    /// The rules about a single point beyond a limit. Charts of averages use only these, because their successive
    /// points depend on each other.
    #[must_use]
    pub fn limits_only(&self) -> Self {
        let single = |rule: &&Rule| matches!(rule.pattern, Pattern::Beyond { window: 1, .. });
        Self { rules: self.rules.iter().filter(single).cloned().collect() }
    }

    /// The rules that do not need zones, which dispersion charts (R, S, MR) use by default.
    #[must_use]
    pub fn without_zones(&self) -> Self {
        Self { rules: self.rules.iter().filter(|rule| !rule.pattern.uses_zones()).cloned().collect() }
    }
}

impl FromStr for RuleSet {
    type Err = Error;

    /// Parses the name of a preset (`nelson`) or a list of rules (`1,2,5` for Nelson's rules, or full codes).
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
    /// True if the mask contains no rule.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// True if the mask contains the rule with this index.
    #[must_use]
    pub const fn contains(self, rule: usize) -> bool {
        rule < RuleSet::MAX && self.0 >> rule & 1 == 1
    }

    /// The mask as bits: bit i stands for the i-th rule.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    pub(crate) fn insert(&mut self, rule: usize) {
        self.0 |= 1 << rule;
    }
}
