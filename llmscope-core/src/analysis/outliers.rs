//! Outliers: measurements that are farther from the median of their stage than chance explains.

use crate::cast::float;
use crate::stats::median;
use crate::stats::special::normal_quantile_upper;

/// The number of outliers on each side that a stage of normal values has by chance.
const EXPECTED: f64 = 0.01;
/// Standard deviations of a normal distribution in its median absolute deviation.
const SIGMAS_PER_DEVIATION: f64 = 1.4826;
/// A larger share is a part of the distribution, such as the requests that miss a cache.
const MOST: f64 = 0.05;

/// The standard deviation of residuals about their median, by the median absolute deviation (Hampel 1974, *JASA* 69), and two
/// of its standard errors more; `None` if half of the residuals are 0.
pub(super) fn sigma(residuals: &[f64]) -> Option<f64> {
    let distances: Vec<f64> = residuals.iter().map(|residual| residual.abs()).collect();
    let deviation = median(&distances).filter(|&deviation| deviation > 0.0)?;
    // The median absolute deviation of n normal values has a relative standard error of 1.17/√n.
    Some(SIGMAS_PER_DEVIATION * deviation * (1.0 + 2.34 / float(residuals.len()).sqrt()))
}

/// The distance from the median beyond which one of n residuals with this standard deviation is an outlier.
pub(super) fn distance(n: usize, sigma: f64) -> Option<f64> {
    Some(normal_quantile_upper(EXPECTED / float(n.max(1)))? * sigma)
}

/// True if `count` of n residuals beyond that distance are too many for outliers: they are a part of the distribution.
pub(super) fn are_many(count: usize, n: usize) -> bool {
    float(count) > (MOST * float(n)).max(1.0)
}
