//! What a column means: its quantity, the direction that is better, its role, and the source of that meaning.
//!
//! A metric has a fixed meaning. Any other column means what the user states; otherwise the words of its name are
//! read. The rules are on one page, `docs/columns.md`.

mod instant;
mod name;
mod role;
mod setting;
mod stated;
mod units;
mod vocabulary;

use crate::metric::{Bounds, Metric, Unit};

pub(crate) use instant::TimeName;
pub use role::{Preference, Role, Source};
pub(crate) use setting::is_setting;
pub use stated::StatedMeanings;

/// The meaning of a column.
///
/// ```
/// use llmscope_core::column::{Meaning, Preference, Source};
/// use llmscope_core::Unit;
///
/// let meaning = Meaning::of_name("tokens_per_sec");
/// assert_eq!((meaning.unit, meaning.preference), (Unit::PerSecond, Preference::Higher));
/// assert_eq!(meaning.preference_from, Source::Name);
/// assert_eq!(Meaning::of_name("errors_per_sec").preference, Preference::Lower);
/// assert_eq!(Meaning::of_name("status").unit, Unit::One);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Meaning {
    /// What the column holds.
    pub role: Role,
    /// The unit of its numbers.
    pub unit: Unit,
    /// The physical bounds of its numbers: a duration is never below 0.
    pub bounds: Bounds,
    /// Whether lower or higher numbers are better.
    pub preference: Preference,
    /// The source of the unit.
    pub unit_from: Source,
    /// The source of the preference.
    pub preference_from: Source,
}

impl Meaning {
    /// The meaning of a metric.
    #[must_use]
    pub fn of_metric(metric: Metric) -> Self {
        Self {
            role: match metric {
                Metric::Ttft | Metric::TtftFromWrite => Role::FirstToken,
                Metric::E2e | Metric::SchedE2e => Role::EndToEnd,
                Metric::Tpot => Role::PerToken,
                Metric::Connect | Metric::SchedDelay => Role::Duration,
                Metric::OutputTokensPerS => Role::Rate,
                Metric::Cost => Role::Cost,
                Metric::ErrorRate => Role::Share,
            },
            unit: metric.unit(),
            bounds: metric.bounds(),
            preference: match metric {
                Metric::OutputTokensPerS => Preference::Higher,
                _ => Preference::Lower,
            },
            unit_from: Source::Metric,
            preference_from: Source::Metric,
        }
    }

    /// The meaning that a column's name gives: a metric and its statistics (`ttft_s`, `ttft_s.p99`), or any other name
    /// by its words.
    #[must_use]
    pub fn of_name(name: &str) -> Self {
        match metric_of(name) {
            Some(metric) => Self::of_metric(metric),
            None => vocabulary::meaning(name),
        }
    }

    /// The meaning with a unit that the recording tool guarantees, instead of one that its name only suggests.
    #[must_use]
    pub(crate) fn stated_by_tool(self) -> Self {
        let unit_from = if self.unit_from == Source::Name { Source::Tool } else { self.unit_from };
        Self { unit_from, ..self }
    }

    /// The meaning with what the name of the mapped column adds: everything if this name says nothing, the unit if it
    /// only lacks one.
    #[must_use]
    pub(crate) fn completed_by(self, column: Self) -> Self {
        if self.role == Role::Unknown {
            return column;
        }
        let lacks_unit = self.unit_from == Source::Unknown && self.role.is_duration() == column.role.is_duration();
        if lacks_unit { Self { unit: column.unit, unit_from: column.unit_from, ..self } } else { self }
    }

    /// The meaning in a unit that the user states. A number that is a duration or a rate only by its unit becomes one.
    #[must_use]
    fn in_unit(self, unit: Unit) -> Self {
        let stated = Self { unit, unit_from: Source::User, ..self };
        let role = match unit {
            _ if self.role == Role::Time => return stated,
            _ if unit.is_duration() && !self.role.is_duration() => Role::Duration,
            _ if unit.is_rate() => Role::Rate,
            _ => return stated,
        };
        let usual = if role == Role::Rate { Preference::Higher } else { Preference::Lower };
        let is_unknown = self.preference == Preference::Unknown;
        Self {
            role,
            bounds: Bounds::NON_NEGATIVE,
            preference: if is_unknown { usual } else { self.preference },
            preference_from: if is_unknown { Source::Name } else { self.preference_from },
            ..stated
        }
    }

    /// True if both are the same kind of quantity, so that one limit can apply to both.
    #[must_use]
    pub fn is_same_kind(&self, other: &Self) -> bool {
        let has_same_unit = self.unit == other.unit
            || (self.unit.is_duration() && other.unit.is_duration())
            || (self.unit.is_rate() && other.unit.is_rate());
        self.role == other.role && has_same_unit
    }
}

impl Unit {
    /// The unit that a column's name gives (`latency_ms`, `ttft_s`, `Total Time (s)`), else [`Unit::One`].
    #[must_use]
    pub fn of_column(name: &str) -> Self {
        Meaning::of_name(name).unit
    }
}

/// What makes the unit of a column unknown although its name gives one: the name gives a second one.
#[must_use]
pub(crate) fn two_units(name: &str) -> Option<String> {
    let units::TwoUnits(one, other) = units::of(&name::Name::of(name)).err()?;
    Some(format!("the name \"{name}\" gives two units, {one} and {other}: neither is used; state its unit"))
}

/// The metric in a column, or the metric that the column summarizes: `ttft_s`, `ttft_s.p99`.
fn metric_of(name: &str) -> Option<Metric> {
    let name = name.to_ascii_lowercase();
    let (metric, statistic) = name.split_once('.').unwrap_or((&name, ""));
    let is_summary = statistic.is_empty() || statistic.split(['.', '_']).all(name::is_statistic_of_values);
    metric.parse().ok().filter(|_| is_summary)
}
