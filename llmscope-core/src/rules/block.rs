//! The patterns of rules as shifts and conjunctions of sets of points.

use std::ops::Range;

use super::batch::ChartLines;
use super::bits::Bits;
use super::comparisons::{beyond_constant, beyond_varying, directions};
use super::{Pattern, Rule, RuleSet, Side};

/// The occurrences of a pattern on one side.
pub(super) struct Found {
    pub(super) side: Side,
    pub(super) signals: Bits,
    pub(super) members: Bits,
}

/// The points of a block as sets, for every comparison that the patterns need.
pub(super) struct Block {
    /// The points before which a value is missing.
    starts: Bits,
    /// True if there are no such points.
    whole: bool,
    /// The points beyond a multiple of sigma, above and below; multiple 0 is the center line.
    beyond: Vec<(f64, [Bits; 2])>,
    /// The points above and below their predecessor, if a pattern needs them.
    directions: [Bits; 2],
    /// The points with a nonzero sigma. Without one, a zone has no width and contains nothing.
    zoned: Bits,
}

impl Block {
    /// Computes the sets for the points `seen`.
    pub(super) fn of(chart: &ChartLines<'_>, seen: &Range<usize>, rules: &RuleSet) -> Self {
        let points = &chart.points[seen.clone()];
        let n = points.len();
        let breaks: Vec<usize> = chart.breaks_in(seen).iter().map(|at| at - seen.start).collect();
        let starts = Bits::at(n, &breaks);
        let patterns = || rules.rules().iter().map(Rule::pattern);
        let mut multiples: Vec<f64> = patterns().filter_map(Pattern::line).collect();
        multiples.sort_by(f64::total_cmp);
        multiples.dedup();
        let beyond = match (chart.center.constant(), chart.sigma.constant()) {
            (Some(center), Some(sigma)) => {
                let lines: Vec<_> = multiples.iter().map(|k| [center + k * sigma, center - k * sigma]).collect();
                multiples.iter().copied().zip(beyond_constant(points, &lines)).collect()
            }
            _ => multiples.iter().map(|&multiple| (multiple, beyond_varying(chart, seen, multiple))).collect(),
        };
        let ordered = patterns().any(|pattern| matches!(pattern, Pattern::Trend { .. } | Pattern::Alternating { .. }));
        let directions = if ordered { directions(points) } else { [Bits::none(n), Bits::none(n)] };
        let zoned = match chart.sigma.constant() {
            Some(sigma) if sigma > 0.0 => Bits::none(n).complement(),
            _ => Bits::of(n, |point| chart.sigma.at(seen.start + point) > 0.0),
        };
        let directions = directions.map(|direction| direction.and_not(&starts));
        Self { whole: breaks.is_empty(), starts, beyond, directions, zoned }
    }

    /// The points beyond a line, above and below.
    #[inline(always)]
    fn beyond(&self, multiple: f64) -> &[Bits; 2] {
        let found = self.beyond.iter().find(|(known, _)| *known == multiple);
        &found.expect("every line of the rule set was compared").1
    }

    /// The points whose predecessor is in the set, with no gap between them.
    #[inline(always)]
    fn after(&self, set: &Bits) -> Bits {
        let after = set.later(1);
        if self.whole { after } else { after.and_not(&self.starts) }
    }

    /// The points that end `length` successive points of the set.
    #[inline(always)]
    fn runs(&self, set: &Bits, length: usize) -> Bits {
        match length {
            0 | 1 => set.clone(),
            _ if self.whole => set.runs(length),
            _ => self.after(set).runs(length - 1).and(set),
        }
    }

    /// The occurrences of the pattern, above and below, or on both sides at once.
    #[inline(always)]
    pub(super) fn look_for(&self, pattern: Pattern) -> Vec<Found> {
        let run = |side, signals: Bits| {
            let members = signals.with_points_before(pattern.span());
            Found { side, signals, members }
        };
        let each_way = |[above, below]: &[Bits; 2], steps| {
            vec![run(Side::Above, self.runs(above, steps)), run(Side::Below, self.runs(below, steps))]
        };
        match pattern {
            Pattern::Beyond { multiple, count, window } => {
                let [above, below] = self.beyond(multiple);
                let look = |side, set| self.window(side, set, count, window);
                vec![look(Side::Above, above), look(Side::Below, below)]
            }
            Pattern::SameSide { length } => each_way(self.beyond(0.0), length),
            // A run of differences, which number one fewer than the points that they join.
            Pattern::Trend { length } => each_way(&self.directions, length - 1),
            Pattern::Alternating { length } => {
                vec![run(Side::Both, self.runs(&self.changes(&self.directions), length - 2))]
            }
            Pattern::Within { multiple, length } => {
                let [above, below] = self.beyond(multiple);
                let inside = above.clone().or(below).complement().and(&self.zoned);
                vec![run(Side::Both, self.runs(&inside, length))]
            }
            Pattern::Outside { multiple, length, both_sides } => {
                let [above, below] = self.beyond(multiple);
                let mut ends = self.runs(&above.clone().or(below), length);
                if both_sides {
                    let recent = |side: &Bits| side.with_points_after(length);
                    ends = ends.and(&recent(above)).and(&recent(below));
                }
                vec![run(Side::Both, ends)]
            }
            Pattern::Opposite { multiple } => vec![run(Side::Both, self.changes(self.beyond(multiple)))],
        }
    }

    /// The points in one set whose predecessors are in the other.
    #[inline(always)]
    fn changes(&self, [one, other]: &[Bits; 2]) -> Bits {
        self.after(one).and(other).or(&self.after(other).and(one))
    }

    /// The points of the set with at least `count` of the last `window` points in the set.
    #[inline(always)]
    fn window(&self, side: Side, set: &Bits, count: usize, window: usize) -> Found {
        if window == 1 {
            return Found { side, signals: set.clone(), members: set.clone() };
        }
        // The numbers of earlier points in the window, bit by bit: plane k holds the bits of value 2ᵏ.
        let mut planes: Vec<Bits> = Vec::new();
        let mut earlier = set.clone();
        for _ in 1..window {
            earlier = self.after(&earlier);
            let mut carry = earlier.clone();
            for plane in &mut planes {
                carry = plane.add(carry);
            }
            if planes.len() < (usize::BITS - window.leading_zeros()) as usize {
                planes.push(carry);
            }
        }
        let signals = at_least(&planes, count - 1, set.len()).and(set);
        let members = self.windows_ending_at(&signals, window).and(set);
        Found { side, signals, members }
    }

    /// The points of the windows that end at the points of a set.
    #[inline(always)]
    fn windows_ending_at(&self, ends: &Bits, window: usize) -> Bits {
        if self.whole {
            return ends.with_points_before(window);
        }
        let (mut all, mut ends) = (ends.clone(), ends.clone());
        for _ in 1..window {
            ends = ends.and_not(&self.starts).earlier();
            all = all.or(&ends);
        }
        all
    }
}

/// The points whose number, given by its bit planes, is at least `least`.
#[inline(always)]
fn at_least(planes: &[Bits], least: usize, len: usize) -> Bits {
    let (mut greater, mut equal) = (Bits::none(len), Bits::none(len).complement());
    for (k, plane) in planes.iter().enumerate().rev() {
        if least >> k & 1 == 1 {
            equal = equal.and(plane);
        } else {
            greater = greater.or(&equal.clone().and(plane));
            equal = equal.and_not(plane);
        }
    }
    greater.or(&equal)
}
