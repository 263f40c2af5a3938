//! For each point of a chart, a set of rules.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::bits::Bits;
use super::{RuleMask, RuleSet};

/// For each point a set of rules, stored as one bit per rule and point.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(from = "Vec<RuleMask>", into = "Vec<RuleMask>")]
pub struct RuleBits {
    rules: Vec<Bits>,
    points: usize,
}

impl RuleBits {
    /// One set of points for each rule, in the order of the rule set.
    pub(super) fn new(mut rules: Vec<Bits>, points: usize) -> Self {
        // Trailing rules without points are removed, so that equal sets compare equal.
        while rules.last().is_some_and(|last| last.next(0).is_none()) {
            rules.pop();
        }
        Self { rules, points }
    }

    /// The same without the points outside a range.
    pub(super) fn within(self, range: &Range<usize>) -> Self {
        Self::new(self.rules.into_iter().map(|bits| bits.within(range)).collect(), self.points)
    }

    /// The number of points.
    #[must_use]
    pub fn len(&self) -> usize {
        self.points
    }

    /// True if there is no point.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.points == 0
    }

    /// The rules at a point.
    ///
    /// # Panics
    /// If there is no such point.
    #[must_use]
    pub fn at(&self, point: usize) -> RuleMask {
        assert!(point < self.points, "point {point} of {}", self.points);
        let mut mask = RuleMask::default();
        for (rule, bits) in self.rules.iter().enumerate() {
            if bits.get(point) {
                mask.insert(rule);
            }
        }
        mask
    }

    /// The rules at every point, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = RuleMask> + '_ {
        (0..self.points).map(|point| self.at(point))
    }

    /// The points of a rule, by its index in the set, in order.
    pub fn points_of(&self, rule: usize) -> impl Iterator<Item = usize> + '_ {
        self.rules.get(rule).into_iter().flat_map(Bits::positions)
    }

    /// The number of points of a rule, by its index in the set.
    #[must_use]
    pub fn count_of(&self, rule: usize) -> usize {
        self.rules.get(rule).map_or(0, Bits::count)
    }
}

impl From<RuleBits> for Vec<RuleMask> {
    fn from(marks: RuleBits) -> Self {
        marks.iter().collect()
    }
}

impl From<Vec<RuleMask>> for RuleBits {
    fn from(masks: Vec<RuleMask>) -> Self {
        let bits = |rule: usize| Bits::of(masks.len(), |point| masks[point].contains(rule));
        Self::new((0..RuleSet::MAX).map(bits).collect(), masks.len())
    }
}
