//! Measures: a known metric, or a column by its name.

use crate::metric::{Bounds, Metric, Unit};

/// The measure to judge: a metric of requests, or a column by its name.
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

    /// The unit.
    #[must_use]
    pub fn unit(&self) -> Unit {
        match self {
            Self::Metric(metric) => metric.unit(),
            Self::Column(name) => summarized(name).map_or_else(|| Unit::of_column(name), Metric::unit),
        }
    }

    /// The physical bounds of the values.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        match self {
            Self::Metric(metric) => metric.bounds(),
            Self::Column(name) => summarized(name).map_or(Bounds::NONE, Metric::bounds),
        }
    }
}

/// The metric in a column, or the metric that the column summarizes: `ttft_s`, `ttft_s.p99`.
fn summarized(column: &str) -> Option<Metric> {
    column.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_has_the_unit_and_the_bounds_of_its_metric() {
        let summary = Measure::Column("tpot_s.p99".to_owned());
        assert_eq!((summary.unit(), summary.bounds()), (Unit::SecondPerToken, Bounds::NON_NEGATIVE));
        let other = Measure::Column("queue_ms".to_owned());
        assert_eq!((other.unit(), other.bounds()), (Unit::Millisecond, Bounds::NONE));
    }
}
