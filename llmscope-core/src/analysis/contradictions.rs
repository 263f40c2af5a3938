//! What the rows of a group say that cannot be, as messages.

use crate::ingest::Time;
use crate::measure::Measure;
use crate::metric::Metric;
use crate::quantity::counted;

/// That all rows have the same time, which gives them no order.
pub(super) fn at_one_time(times: &[Time], rows: usize) -> Option<String> {
    let &first = times.first().filter(|time| **time != Time::NONE)?;
    let is_one = rows > 1 && times.len() == rows && times.iter().all(|time| *time == first);
    is_one.then(|| format!("all {rows} times are equal: the order is that of the file"))
}

/// That requests have a time to first token above their end-to-end latency.
pub(super) fn late_first_tokens(known: &[Measure], values: &[Vec<f64>]) -> Option<String> {
    /// Clocks and roundings differ by less.
    const TOLERANCE: f64 = 1e-3;
    let of = |metric: Metric| Some(&values[known.iter().position(|known| *known == Measure::Metric(metric))?]);
    let (ttft, e2e) = of(Metric::Ttft).zip(of(Metric::E2e))?;
    let count = ttft.iter().zip(e2e).filter(|(ttft, e2e)| **ttft > **e2e * (1.0 + TOLERANCE)).count();
    (count > 0).then(|| {
        let requests = counted(count, "request");
        format!(
            "{requests} with a time to first token above the end-to-end latency: check the meaning and unit of both"
        )
    })
}
