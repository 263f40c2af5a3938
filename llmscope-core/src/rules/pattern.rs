//! The patterns that rules look for, and the constant-memory trackers that find them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Side;
use crate::error::{Error, Result};

/// A pattern of points against the center line and the zones. Every comparison is strict: a point on the center line
/// is on neither side, a point on a sigma line is inside it, a tie ends a trend and an alternation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Pattern {
    /// At least `count` of the last `window` points lie beyond `multiple` sigmas on one side, the last one among them.
    Beyond {
        /// Distance from the center line, in sigmas.
        multiple: f64,
        /// How many points must lie beyond.
        count: usize,
        /// Among how many.
        window: usize,
    },
    /// The last `length` points all lie above, or all below, the center line.
    SameSide {
        /// How many points.
        length: usize,
    },
    /// The last `length` points rise steadily, or fall steadily.
    Trend {
        /// How many points (one more than the differences).
        length: usize,
    },
    /// The last `length` points alternate up and down.
    Alternating {
        /// How many points (one more than the differences).
        length: usize,
    },
    /// The last `length` points all lie within `multiple` sigmas of the center line.
    Within {
        /// Distance from the center line, in sigmas.
        multiple: f64,
        /// How many points.
        length: usize,
    },
    /// The last `length` points all lie beyond `multiple` sigmas, on either side.
    Outside {
        /// Distance from the center line, in sigmas.
        multiple: f64,
        /// How many points.
        length: usize,
        /// True if points must lie on both sides.
        both_sides: bool,
    },
    /// Two successive points lie beyond `multiple` sigmas on opposite sides.
    Opposite {
        /// Distance from the center line, in sigmas.
        multiple: f64,
    },
}

/// Longest run that a pattern can ask for, and widest window: a window is one machine word.
const MAX_LENGTH: usize = 10_000;
const MAX_WINDOW: usize = 64;

impl Pattern {
    /// How many points the pattern takes, or reaches back over at most.
    #[must_use]
    pub const fn span(self) -> usize {
        match self {
            Self::Beyond { window, .. } => window,
            Self::SameSide { length }
            | Self::Trend { length }
            | Self::Alternating { length }
            | Self::Within { length, .. }
            | Self::Outside { length, .. } => length,
            Self::Opposite { .. } => 2,
        }
    }

    /// True for patterns that do not ask on which side of the center line, or in which direction, their points lie.
    pub(crate) const fn is_about_both_sides(self) -> bool {
        !matches!(self, Self::Beyond { .. } | Self::SameSide { .. } | Self::Trend { .. })
    }

    /// The line that the pattern compares points with, as a multiple of sigma; 0 is the center line.
    pub(super) const fn line(self) -> Option<f64> {
        match self {
            Self::SameSide { .. } => Some(0.0),
            Self::Beyond { multiple, .. }
            | Self::Within { multiple, .. }
            | Self::Outside { multiple, .. }
            | Self::Opposite { multiple } => Some(multiple),
            Self::Trend { .. } | Self::Alternating { .. } => None,
        }
    }

    /// True if the pattern is judged against zones, which need symmetric limits: Nelson's rules 5 to 8.
    ///
    /// A single point beyond the control limits is no zone pattern.
    #[must_use]
    pub const fn uses_zones(self) -> bool {
        match self {
            Self::Beyond { window, .. } => window > 1,
            Self::Within { .. } | Self::Outside { .. } | Self::Opposite { .. } => true,
            Self::SameSide { .. } | Self::Trend { .. } | Self::Alternating { .. } => false,
        }
    }

    /// The pattern in words.
    #[must_use]
    pub fn describe(self) -> String {
        match self {
            Self::Beyond { multiple, count: 1, window: 1 } => format!("1 point beyond {multiple}σ"),
            Self::Beyond { multiple, count, window } if count == window => {
                format!("{count} points in a row beyond {multiple}σ, same side")
            }
            Self::Beyond { multiple, count, window } => {
                format!("{count} of {window} points beyond {multiple}σ, same side")
            }
            Self::SameSide { length } => format!("{length} points in a row on one side of center"),
            Self::Trend { length } => format!("{length} points in a row rising or falling"),
            Self::Alternating { length } => format!("{length} points in a row alternating up and down"),
            Self::Within { multiple, length } => format!("{length} points in a row within {multiple}σ of center"),
            Self::Outside { multiple, length, both_sides: false } => {
                format!("{length} points in a row beyond {multiple}σ, either side")
            }
            Self::Outside { multiple, length, both_sides: true } => {
                format!("{length} points in a row beyond {multiple}σ, on both sides")
            }
            Self::Opposite { multiple } => format!("2 points in a row beyond {multiple}σ on opposite sides"),
        }
    }

    /// The same pattern with another run length. `count` replaces the count of a k-of-m pattern, if given.
    ///
    /// # Errors
    /// [`Error::Parameter`] if the length does not fit the pattern.
    pub fn with_length(self, length: usize, new_count: Option<usize>) -> Result<Self> {
        let changed = match (self, new_count) {
            (Self::Beyond { multiple, count, .. }, new_count) => {
                Self::Beyond { multiple, count: new_count.unwrap_or(count), window: length }
            }
            (Self::SameSide { .. }, None) => Self::SameSide { length },
            (Self::Trend { .. }, None) => Self::Trend { length },
            (Self::Alternating { .. }, None) => Self::Alternating { length },
            (Self::Within { multiple, .. }, None) => Self::Within { multiple, length },
            (Self::Outside { multiple, both_sides, .. }, None) => Self::Outside { multiple, length, both_sides },
            _ => {
                return Err(Error::Parameter {
                    name: "rule length",
                    value: length.to_string(),
                    expected: "a run length; only rules of the form k of m take k/m",
                });
            }
        };
        changed.checked()
    }

    /// The same pattern with another distance from the center line, in sigmas.
    ///
    /// # Errors
    /// [`Error::Parameter`] if the pattern has no such distance, or the distance is not finite and positive.
    pub fn with_multiple(self, new: f64) -> Result<Self> {
        let mut changed = self;
        match &mut changed {
            Self::Beyond { multiple, .. }
            | Self::Within { multiple, .. }
            | Self::Outside { multiple, .. }
            | Self::Opposite { multiple } => *multiple = new,
            _ => {
                return Err(Error::Parameter {
                    name: "rule multiple",
                    value: new.to_string(),
                    expected: "absent: this rule does not compare with multiples of sigma",
                });
            }
        }
        changed.checked()
    }

    /// Refuses lengths and multiples that make no pattern.
    pub(super) fn checked(self) -> Result<Self> {
        let refuse = |name, value: String, expected| Err(Error::Parameter { name, value, expected });
        match self {
            Self::Beyond { count, window, .. } if count < 1 || count > window || window > MAX_WINDOW => {
                return refuse("rule length", format!("{count}/{window}"), "k of m with 1 ≤ k ≤ m ≤ 64");
            }
            Self::Trend { length } | Self::Alternating { length } if !(3..=MAX_LENGTH).contains(&length) => {
                return refuse("rule length", length.to_string(), "between 3 and 10000 points");
            }
            Self::SameSide { length } | Self::Within { length, .. } | Self::Outside { length, .. }
                if !(2..=MAX_LENGTH).contains(&length) =>
            {
                return refuse("rule length", length.to_string(), "between 2 and 10000 points");
            }
            _ => {}
        }
        match self {
            Self::Beyond { multiple, .. }
            | Self::Within { multiple, .. }
            | Self::Outside { multiple, .. }
            | Self::Opposite { multiple }
                if !(multiple > 0.0 && multiple.is_finite()) =>
            {
                refuse("rule multiple", multiple.to_string(), "finite and above 0")
            }
            _ => Ok(self),
        }
    }
}

/// A point with the lines that it is judged against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Judged {
    pub(super) x: f64,
    pub(super) center: f64,
    pub(super) sigma: f64,
}

impl Judged {
    /// The side on which the point lies beyond `multiple` sigmas. Compared with the line itself, CL ± kσ, so that a
    /// point equal to the printed limit is not beyond it.
    pub(super) fn beyond(self, multiple: f64) -> Option<Side> {
        if self.x > self.center + multiple * self.sigma {
            Some(Side::Above)
        } else if self.x < self.center - multiple * self.sigma {
            Some(Side::Below)
        } else {
            None
        }
    }

    /// Within `multiple` sigmas, on the line included. Where sigma is 0 the zone has no width and holds nothing.
    fn within(self, multiple: f64) -> bool {
        self.sigma > 0.0 && self.beyond(multiple).is_none()
    }

    fn side(self) -> Option<Side> {
        if self.x > self.center {
            Some(Side::Above)
        } else if self.x < self.center {
            Some(Side::Below)
        } else {
            None
        }
    }
}

/// A completed pattern: it reaches back `span` points, this one included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) span: usize,
    pub(super) side: Side,
}

/// What one pattern remembers of the points so far: a few numbers, however long the run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Tracker {
    /// Points in the current run.
    run: usize,
    /// Side or direction of the current run.
    side: Option<Side>,
    /// The point before.
    previous: Option<f64>,
    /// For k-of-m patterns: which of the last points lie beyond, above and below; bit 0 is the newest.
    above: u64,
    below: u64,
    /// For patterns that must occur on both sides: points since the last one above and below.
    since_above: Option<usize>,
    since_below: Option<usize>,
}

impl Tracker {
    /// Takes one point and says whether it completes the pattern.
    ///
    /// Inlined, so that a loop over points decides once which pattern it is about.
    #[inline(always)]
    pub(super) fn step(&mut self, pattern: Pattern, point: Judged) -> Option<Hit> {
        match pattern {
            Pattern::Beyond { multiple, count, window } => self.step_window(point.beyond(multiple), count, window),
            Pattern::SameSide { length } => {
                self.extend_run(point.side());
                self.run_hit(length)
            }
            Pattern::Trend { length } => {
                let direction = self.direction(point.x);
                self.extend_run(direction);
                self.difference_hit(length, self.side)
            }
            Pattern::Alternating { length } => {
                let direction = self.direction(point.x);
                self.extend_alternation(direction);
                self.difference_hit(length, Some(Side::Both))
            }
            Pattern::Within { multiple, length } => {
                self.extend_run(point.within(multiple).then_some(Side::Both));
                self.run_hit(length)
            }
            Pattern::Outside { multiple, length, both_sides } => {
                self.step_outside(point.beyond(multiple), length, both_sides)
            }
            Pattern::Opposite { multiple } => {
                let (now, before) = (point.beyond(multiple), self.side);
                self.side = now;
                let opposite = now.is_some() && before.is_some() && now != before;
                opposite.then_some(Hit { span: 2, side: Side::Both })
            }
        }
    }

    #[inline]
    fn step_window(&mut self, beyond: Option<Side>, count: usize, window: usize) -> Option<Hit> {
        let mask = u64::MAX >> (MAX_WINDOW - window);
        self.above = (self.above << 1 | u64::from(beyond == Some(Side::Above))) & mask;
        self.below = (self.below << 1 | u64::from(beyond == Some(Side::Below))) & mask;
        let side = beyond?;
        let members = if side == Side::Above { self.above } else { self.below };
        let span = MAX_WINDOW - members.leading_zeros() as usize;
        (members.count_ones() as usize >= count).then_some(Hit { span, side })
    }

    #[inline]
    fn step_outside(&mut self, beyond: Option<Side>, length: usize, both_sides: bool) -> Option<Hit> {
        self.extend_run(beyond.map(|_| Side::Both));
        let older = |since: Option<usize>| since.map(|points| points.saturating_add(1));
        (self.since_above, self.since_below) = match beyond {
            Some(Side::Above) => (Some(0), older(self.since_below)),
            Some(_) => (older(self.since_above), Some(0)),
            None => (None, None),
        };
        let recent = |since: Option<usize>| since.is_some_and(|points| points < length);
        let side = match (recent(self.since_above), recent(self.since_below)) {
            (true, true) => Side::Both,
            (true, false) => Side::Above,
            _ => Side::Below,
        };
        let hit = self.run >= length && (!both_sides || side == Side::Both);
        hit.then_some(Hit { span: length, side })
    }

    /// Up, down, or none for a tie and for the first point.
    #[inline]
    fn direction(&mut self, x: f64) -> Option<Side> {
        let previous = self.previous.replace(x)?;
        if x > previous {
            Some(Side::Above)
        } else if x < previous {
            Some(Side::Below)
        } else {
            None
        }
    }

    #[inline]
    fn extend_run(&mut self, side: Option<Side>) {
        self.run = match side {
            None => 0,
            Some(_) if side == self.side => self.run.saturating_add(1),
            Some(_) => 1,
        };
        self.side = side;
    }

    #[inline]
    fn extend_alternation(&mut self, direction: Option<Side>) {
        self.run = match direction {
            None => 0,
            Some(_) if self.side.is_some() && direction != self.side => self.run.saturating_add(1),
            Some(_) => 1,
        };
        self.side = direction;
    }

    /// A run of points.
    fn run_hit(&self, length: usize) -> Option<Hit> {
        let side = self.side?;
        (self.run >= length).then_some(Hit { span: length, side })
    }

    /// A run of differences, which are one fewer than the points that they join.
    fn difference_hit(&self, length: usize, side: Option<Side>) -> Option<Hit> {
        (self.run + 1 >= length && self.run > 0).then_some(Hit { span: length, side: side? })
    }
}
