//! Measures: a known metric, or a column by its name.

use crate::column::Meaning;
use crate::metric::Metric;

/// The measure to judge: a metric of requests, or a column by its name.
///
/// ```
/// use llmscope_core::{Measure, Metric, Unit};
///
/// assert_eq!(Measure::Metric(Metric::Ttft).name(), "ttft_s");
/// assert_eq!(Measure::Column("queue_ms".to_owned()).meaning().unit, Unit::Millisecond);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Measure {
    /// A metric with a known meaning.
    Metric(Metric),
    /// A numeric column, or a numeric attribute that the recording tool added to its requests.
    Column(String),
}

impl Measure {
    /// The name in reports.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Metric(metric) => metric.name(),
            Self::Column(name) => name,
        }
    }

    /// What the measure means, as far as its name says it.
    #[must_use]
    pub fn meaning(&self) -> Meaning {
        match self {
            Self::Metric(metric) => Meaning::of_metric(*metric),
            Self::Column(name) => Meaning::of_name(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::{Bounds, Unit};

    #[test]
    fn a_summary_has_the_unit_and_the_bounds_of_its_metric() {
        let summary = Measure::Column("tpot_s.p99".to_owned());
        let meaning = summary.meaning();
        assert_eq!((meaning.unit, meaning.bounds), (Unit::SecondPerToken, Bounds::NON_NEGATIVE));
        let other = Measure::Column("queue_ms".to_owned()).meaning();
        assert_eq!((other.unit, other.bounds), (Unit::Millisecond, Bounds::NON_NEGATIVE));
    }
}
