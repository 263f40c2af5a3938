//! The patterns of rules, and the constant-memory trackers that detect them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Side;
use crate::error::{Error, Result};

/// A pattern of points relative to the center line and the zones. Every comparison is strict: a point on the center
/// line is on neither side, a point on a sigma line is inside it, and a tie ends a trend and an alternation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Pattern {
    /// At least `count` of the last `window` points, including the last one, are beyond `multiple` sigmas on one side.
    Beyond {
        /// Distance from the center line, in sigmas.
        multiple: f64,
        /// The number of points beyond.
        count: usize,
        /// The size of the window.
        window: usize,
    },
    /// The last `length` points are all above, or all below, the center line.
    SameSide {
        /// The number of points.
        length: usize,
    },
    /// The last `length` points rise steadily, or fall steadily.
    Trend {
        /// The number of points (one more than the number of differences).
        length: usize,
    },
    /// The last `length` points alternate up and down.
    Alternating {
        /// The number of points (one more than the number of differences).
        length: usize,
    },
    /// The last `length` points are all within `multiple` sigmas of the center line.
    Within {
        /// Distance from the center line, in sigmas.
        multiple: f64,
        /// The number of points.
        length: usize,
    },
    /// The last `length` points are all beyond `multiple` sigmas, on either side.
    Outside {
        /// Distance from the center line, in sigmas.
        multiple: f64,
        /// The number of points.
        length: usize,
        /// True if the points must be on both sides.
        both_sides: bool,
    },
    /// Two successive points are beyond `multiple` sigmas on opposite sides.
    Opposite {
        /// Distance from the center line, in sigmas.
        multiple: f64,
    },
}

/// The longest run of a pattern. The widest window is smaller: it must fit into one machine word.
const MAX_LENGTH: usize = 10_000;
const MAX_WINDOW: usize = 64;

impl Pattern {
    /// The number of points of the pattern, or the maximum that it spans.
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

    /// True for patterns that accept points on both sides of the center line, or in both directions.
    pub(crate) const fn is_about_both_sides(self) -> bool {
        !matches!(self, Self::Beyond { .. } | Self::SameSide { .. } | Self::Trend { .. })
    }

    /// The line with which the pattern compares points, as a multiple of sigma; 0 is the center line.
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
    /// A single point beyond the control limits is not a zone pattern.
    #[must_use]
    pub const fn uses_zones(self) -> bool {
        match self {
            Self::Beyond { window, .. } => window > 1,
            Self::Within { .. } | Self::Outside { .. } | Self::Opposite { .. } => true,
            Self::SameSide { .. } | Self::Trend { .. } | Self::Alternating { .. } => false,
        }
    }

    /// A description of the pattern.
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
            Self::Within { multiple, length } => {
                format!("{length} points in a row within {multiple}σ of the center line")
            }
            Self::Outside { multiple, length, both_sides: false } => {
                format!("{length} points in a row beyond {multiple}σ, either side")
            }
            Self::Outside { multiple, length, both_sides: true } => {
                format!("{length} points in a row beyond {multiple}σ, on both sides")
            }
            Self::Opposite { multiple } => format!("2 points in a row beyond {multiple}σ on opposite sides"),
        }
    }

    /// Changes the run length. `count` replaces the count of a k-of-m pattern, if given.
    ///
    /// # Errors
    /// [`Error::Parameter`] if the length is not valid for the pattern.
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
                    expected: "a single run length; only rules of the form k of m take k/m",
                });
            }
        };
        changed.checked()
    }

    /// Changes the distance from the center line, in sigmas.
    ///
    /// # Errors
    /// [`Error::Parameter`] if the pattern has no such distance, or if the distance is not finite and positive.
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
                    expected: "no multiple, because this rule does not compare with multiples of sigma",
                });
            }
        }
        changed.checked()
    }

    /// Rejects lengths and multiples outside their ranges.
    pub(super) fn checked(self) -> Result<Self> {
        let refuse = |name, value: String, expected| Err(Error::Parameter { name, value, expected });
        match self {
            Self::Beyond { count, window, .. } if count < 1 || count > window || window > MAX_WINDOW => {
                return refuse("rule length", format!("{count}/{window}"), "k/m with 1 ≤ k ≤ m ≤ 64");
            }
            Self::Trend { length } | Self::Alternating { length } if !(3..=MAX_LENGTH).contains(&length) => {
                return refuse("rule length", length.to_string(), "a length from 3 to 10000 points");
            }
            Self::SameSide { length } | Self::Within { length, .. } | Self::Outside { length, .. }
                if !(2..=MAX_LENGTH).contains(&length) =>
            {
                return refuse("rule length", length.to_string(), "a length from 2 to 10000 points");
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
                refuse("rule multiple", multiple.to_string(), "a finite number above 0")
            }
            _ => Ok(self),
        }
    }
}

/// A point with the lines that it is compared with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Judged {
    pub(super) x: f64,
    pub(super) center: f64,
    pub(super) sigma: f64,
}

impl Judged {
    /// The side on which the point is beyond `multiple` sigmas. The point is compared with the line itself, CL ± kσ, so
    /// that a point equal to the printed limit is not beyond it.
    pub(super) fn beyond(self, multiple: f64) -> Option<Side> {
        if self.x > self.center + multiple * self.sigma {
            Some(Side::Above)
        } else if self.x < self.center - multiple * self.sigma {
            Some(Side::Below)
        } else {
            None
        }
    }

    /// True if the point is within `multiple` sigmas or on the line. If sigma is 0, the zone has no width and contains
    /// nothing.
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

/// A completed pattern: it spans `span` points, including this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) span: usize,
    pub(super) side: Side,
}

/// The state of one pattern after the points so far: a few numbers, independent of the length of the run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Tracker {
    /// The number of points in the current run.
    run: usize,
    /// Side or direction of the current run.
    side: Option<Side>,
    /// The previous point.
    previous: Option<f64>,
    /// For k-of-m patterns: which of the last points are beyond the line, above and below; bit 0 is the newest.
    above: u64,
    below: u64,
    /// For patterns that must occur on both sides: the number of points since the last one above and below.
    since_above: Option<usize>,
    since_below: Option<usize>,
}

impl Tracker {
    /// Adds one point and returns whether it completes the pattern.
    ///
    /// Inlined, so that the match on the pattern moves out of a loop over points.
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

    /// Up, down, or `None` for a tie and for the first point.
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

    /// A run of differences, which number one fewer than the points that they join.
    fn difference_hit(&self, length: usize, side: Option<Side>) -> Option<Hit> {
        (self.run + 1 >= length && self.run > 0).then_some(Hit { span: length, side: side? })
    }
}
