//! Control limits: a center line with a lower and an upper limit, constant or one value per point.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::metric::Bounds;
use crate::transform::PowerTransform;

/// The distance of control limits from the center line, in sigmas (Shewhart 1931).
#[doc(alias = "three sigma")]
pub const LIMIT_MULTIPLE: f64 = 3.0;

/// A horizontal line of a chart: one value, or one per point if the limits vary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Line {
    /// The same value at every point.
    Constant(f64),
    /// A value for each point.
    PerPoint(Vec<f64>),
}

impl Line {
    /// The line with these values: constant if they are all equal.
    ///
    /// ```
    /// use llmscope_core::Line;
    ///
    /// assert_eq!(Line::through(vec![2.0, 2.0]), Line::Constant(2.0));
    /// assert_eq!(Line::through(vec![2.0, 3.0]), Line::PerPoint(vec![2.0, 3.0]));
    /// ```
    #[must_use]
    pub fn through(values: Vec<f64>) -> Self {
        match values.first() {
            Some(&first) if values.iter().all(|&value| value == first) => Self::Constant(first),
            _ => Self::PerPoint(values),
        }
    }

    /// The line's value at a point.
    ///
    /// # Panics
    /// If the line varies and has no such point.
    ///
    /// ```
    /// use llmscope_core::Line;
    ///
    /// assert_eq!(Line::Constant(0.3).at(1000), 0.3);
    /// assert_eq!(Line::PerPoint(vec![0.3, 0.4]).at(1), 0.4);
    /// ```
    #[must_use]
    pub fn at(&self, point: usize) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::PerPoint(values) => values[point],
        }
    }

    /// The value, if it is the same at every point.
    ///
    /// ```
    /// use llmscope_core::Line;
    ///
    /// assert_eq!(Line::Constant(0.3).constant(), Some(0.3));
    /// assert_eq!(Line::PerPoint(vec![0.3, 0.4]).constant(), None);
    /// ```
    #[must_use]
    pub fn constant(&self) -> Option<f64> {
        match self {
            Self::Constant(value) => Some(*value),
            Self::PerPoint(_) => None,
        }
    }

    /// The smallest and the largest value; `None` for a line without points.
    ///
    /// ```
    /// use llmscope_core::Line;
    ///
    /// assert_eq!(Line::PerPoint(vec![0.4, 0.2, 0.3]).extent(), Some((0.2, 0.4)));
    /// assert_eq!(Line::PerPoint(vec![]).extent(), None);
    /// ```
    #[must_use]
    pub fn extent(&self) -> Option<(f64, f64)> {
        match self {
            Self::Constant(value) => Some((*value, *value)),
            Self::PerPoint(values) => {
                let min = values.iter().copied().reduce(f64::min)?;
                Some((min, values.iter().copied().fold(min, f64::max)))
            }
        }
    }

    pub(crate) fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        match self {
            Self::Constant(value) => Self::Constant(f(*value)),
            Self::PerPoint(values) => Self::PerPoint(values.iter().map(|&value| f(value)).collect()),
        }
    }

    /// Maps the values of the line; `None` if `f` returns `None` for one of them.
    pub(crate) fn try_map(&self, f: impl Fn(f64) -> Option<f64>) -> Option<Self> {
        Some(match self {
            Self::Constant(value) => Self::Constant(f(*value)?),
            Self::PerPoint(values) => Self::PerPoint(values.iter().map(|&value| f(value)).collect::<Option<_>>()?),
        })
    }

    /// Combines two lines point by point.
    fn zip(&self, other: &Self, f: impl Fn(f64, f64) -> f64) -> Self {
        match (self, other) {
            (Self::Constant(a), Self::Constant(b)) => Self::Constant(f(*a, *b)),
            (Self::PerPoint(values), _) => {
                Self::PerPoint(values.iter().enumerate().map(|(i, &a)| f(a, other.at(i))).collect())
            }
            (Self::Constant(a), Self::PerPoint(values)) => Self::PerPoint(values.iter().map(|&b| f(*a, b)).collect()),
        }
    }

    /// Joins the lines of successive stages, each with its number of points.
    pub(crate) fn concatenated<'l>(stages: impl IntoIterator<Item = (usize, &'l Self)>) -> Self {
        Self::through(stages.into_iter().flat_map(|(count, line)| line.expanded(count)).collect())
    }

    /// The values at `count` points.
    fn expanded(&self, count: usize) -> Vec<f64> {
        (0..count).map(|point| self.at(point)).collect()
    }
}

/// Control limits of a chart: the expected range of its points while the process is in control.
#[doc(alias("control limits", "3 sigma limits"))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ControlLimits {
    /// Lower control limit: center − 3σ, not below the physical bound.
    #[doc(alias("LCL", "lower control limit"))]
    pub lower: Line,
    /// Center line.
    #[doc(alias("CL", "center line"))]
    pub center: Line,
    /// Upper control limit: center + 3σ, not above the physical bound.
    #[doc(alias("UCL", "upper control limit"))]
    pub upper: Line,
    /// Standard deviation of the plotted statistic, of which the zones are multiples; with a transformation, that of
    /// the transformed statistic.
    pub sigma: Line,
    /// The transformation, if any. On its scale, the limits are three sigmas from the center line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transform: Option<PowerTransform>,
    /// Whether limits were clamped to a physical bound.
    #[serde(default, skip_serializing_if = "Clamped::is_none")]
    pub clamped: Clamped,
}

/// The limits that were clamped to a physical bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Clamped {
    /// The lower limit, at one point at least.
    #[serde(default)]
    pub lower: bool,
    /// The upper limit, at one point at least.
    #[serde(default)]
    pub upper: bool,
}

impl Clamped {
    fn is_none(&self) -> bool {
        !self.lower && !self.upper
    }
}

impl ControlLimits {
    /// Limits at three sigmas of the plotted statistic on both sides of the center line.
    ///
    /// ```
    /// use llmscope_core::{ControlLimits, Line};
    ///
    /// // Of a p chart: the larger the sample, the narrower the limits.
    /// let sigma = |n: f64| (0.1 * 0.9 / n).sqrt();
    /// let limits = ControlLimits::three_sigma(Line::Constant(0.1), Line::through(vec![sigma(100.0), sigma(400.0)]));
    /// assert!((limits.upper.at(0) - 0.19).abs() < 1e-12);
    /// assert!((limits.upper.at(1) - 0.145).abs() < 1e-12);
    /// ```
    #[must_use]
    pub fn three_sigma(center: Line, sigma: Line) -> Self {
        Self {
            lower: center.zip(&sigma, |center, sigma| center - LIMIT_MULTIPLE * sigma),
            upper: center.zip(&sigma, |center, sigma| center + LIMIT_MULTIPLE * sigma),
            center,
            sigma,
            transform: None,
            clamped: Clamped::default(),
        }
    }

    /// Converts limits on a transformed scale back to the unit of the values. Their sigma does not change.
    ///
    /// # Errors
    /// [`Error::Parameter`] if a line is not finite after the conversion.
    pub(crate) fn drawn_back(self, power: PowerTransform) -> Result<Self> {
        let back = |line: &Line| {
            line.try_map(|y| power.back(y)).ok_or_else(|| Error::Parameter {
                name: "transformed control limits",
                value: format!("up to {:?}", self.upper.extent().unwrap_or_default().1),
                expected: "limits that convert back to finite measurements",
            })
        };
        let (lower, center, upper) = (back(&self.lower)?, back(&self.center)?, back(&self.upper)?);
        let below_all = |line: &Line| power != PowerTransform::LOG && line.extent().is_some_and(|(min, _)| min <= 0.0);
        let clamped = Clamped { lower: self.clamped.lower || below_all(&self.lower), ..self.clamped };
        Ok(Self { lower, center, upper, transform: Some(power), clamped, ..self })
    }

    /// Clamps the limits to physical bounds.
    ///
    /// ```
    /// use llmscope_core::{Bounds, ControlLimits, Line};
    ///
    /// let limits = ControlLimits::three_sigma(Line::Constant(0.02), Line::Constant(0.01));
    /// let limits = limits.clamped_to(Bounds::NON_NEGATIVE);
    /// assert_eq!((limits.lower.at(0), limits.upper.at(0)), (0.0, 0.05));
    /// assert!(limits.clamped.lower && !limits.clamped.upper);
    /// ```
    #[must_use]
    pub fn clamped_to(mut self, bounds: Bounds) -> Self {
        if let Some(bound) = bounds.lower {
            self.clamped.lower |= self.lower.extent().is_some_and(|(min, _)| min < bound);
            self.lower = self.lower.map(|lower| lower.max(bound));
        }
        if let Some(bound) = bounds.upper {
            self.clamped.upper |= self.upper.extent().is_some_and(|(_, max)| max > bound);
            self.upper = self.upper.map(|upper| upper.min(bound));
        }
        self
    }

    /// The edge of a zone: center + k·σ at a point, computed on the transformed scale if there is one.
    ///
    /// ```
    /// use llmscope_core::{ControlLimits, Line};
    ///
    /// let limits = ControlLimits::three_sigma(Line::Constant(10.0), Line::Constant(2.0));
    /// assert_eq!((limits.zone_edge(0, 2.0), limits.zone_edge(0, -1.0)), (14.0, 8.0));
    /// ```
    #[must_use]
    pub fn zone_edge(&self, point: usize, multiple: f64) -> f64 {
        let (center, offset) = (self.center.at(point), multiple * self.sigma.at(point));
        match self.transform {
            None => center + offset,
            // A center line at the end of the scale has no zones.
            Some(power) => power.apply(center).and_then(|center| power.back(center + offset)).unwrap_or(center),
        }
    }

    /// The edge of a zone along the chart.
    ///
    /// ```
    /// use llmscope_core::{ControlLimits, Line};
    ///
    /// let limits = ControlLimits::three_sigma(Line::Constant(10.0), Line::PerPoint(vec![1.0, 2.0]));
    /// assert_eq!(limits.zone_line(2.0), Line::PerPoint(vec![12.0, 14.0]));
    /// ```
    #[must_use]
    pub fn zone_line(&self, multiple: f64) -> Line {
        match (&self.center, &self.sigma) {
            (Line::Constant(_), Line::Constant(_)) => Line::Constant(self.zone_edge(0, multiple)),
            (Line::PerPoint(values), _) | (_, Line::PerPoint(values)) => {
                Line::PerPoint((0..values.len()).map(|point| self.zone_edge(point, multiple)).collect())
            }
        }
    }

    /// One sigma above the center line, in the unit of the plotted values. The resolution of displayed values is a
    /// fraction of it.
    ///
    /// ```
    /// use llmscope_core::{PowerTransform, Sample, SigmaEstimator, chart::individuals};
    ///
    /// let sample = Sample::new(vec![1.0, 2.0, 4.0, 2.0, 1.0, 2.0])?;
    /// let chart = individuals::estimate_on(&sample, SigmaEstimator::AverageMovingRange, Some(PowerTransform::LOG))?;
    /// let (center, sigma) = (chart.limits.center.at(0), chart.limits.sigma.at(0));
    /// assert!((chart.limits.plotted_sigma(0) - center * (sigma.exp() - 1.0)).abs() < 1e-12);
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    #[must_use]
    pub fn plotted_sigma(&self, point: usize) -> f64 {
        match self.transform {
            None => self.sigma.at(point),
            Some(_) => self.zone_edge(point, 1.0) - self.center.at(point),
        }
    }

    /// The three lines as text: `lower 0.2543  center 0.3167  upper 0.379`; for a varying line, its extent.
    ///
    /// ```
    /// use llmscope_core::{ControlLimits, Line, quantity::number};
    ///
    /// let limits = ControlLimits::three_sigma(Line::Constant(10.0), Line::Constant(2.0));
    /// assert_eq!(limits.describe(number), "lower 4.000  center 10.00  upper 16.00");
    /// ```
    #[must_use]
    pub fn describe(&self, quantity: impl Fn(f64) -> String) -> String {
        let one = |name: &str, line: &Line| match line {
            Line::Constant(value) => format!("{name} {}", quantity(*value)),
            Line::PerPoint(_) => {
                let (low, high) = line.extent().unwrap_or_default();
                format!("{name} {} to {}", quantity(low), quantity(high))
            }
        };
        let clamped = if self.clamped.lower { " (clamped)" } else { "" };
        let (lower, center) = (one("lower", &self.lower), one("center", &self.center));
        format!("{lower}{clamped}  {center}  {}", one("upper", &self.upper))
    }

    /// Joins the limits of successive stages, given as `(points, limits)`.
    pub(crate) fn concatenated(stages: &[(usize, &Self)]) -> Self {
        let line =
            |pick: fn(&Self) -> &Line| Line::concatenated(stages.iter().map(|&(count, limits)| (count, pick(limits))));
        Self {
            lower: line(|limits| &limits.lower),
            center: line(|limits| &limits.center),
            upper: line(|limits| &limits.upper),
            sigma: line(|limits| &limits.sigma),
            transform: stages.first().and_then(|(_, limits)| limits.transform),
            clamped: Clamped {
                lower: stages.iter().any(|(_, limits)| limits.clamped.lower),
                upper: stages.iter().any(|(_, limits)| limits.clamped.upper),
            },
        }
    }
}
