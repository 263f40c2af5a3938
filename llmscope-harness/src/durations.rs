//! Histograms of durations.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;

/// A histogram of durations from a nanosecond to an hour, with two significant digits.
pub(crate) fn durations() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 3_600_000_000_000, 2)
        .unwrap_or_else(|_| unreachable!("the bounds are constants that the crate accepts"))
}

/// Records a duration; more than an hour is recorded as an hour.
pub(crate) fn record(histogram: &Mutex<Histogram<u64>>, duration: Duration) {
    let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    histogram.lock().unwrap_or_else(PoisonError::into_inner).saturating_record(nanoseconds);
}

/// The value at a quantile between 0 and 1, in seconds; `None` if the histogram is empty.
pub(crate) fn quantile_s(histogram: &Mutex<Histogram<u64>>, quantile: f64) -> Option<f64> {
    let histogram = histogram.lock().unwrap_or_else(PoisonError::into_inner);
    #[allow(clippy::cast_precision_loss, reason = "at most an hour of nanoseconds, far below 2^53")]
    (!histogram.is_empty()).then(|| histogram.value_at_quantile(quantile) as f64 * 1e-9)
}
