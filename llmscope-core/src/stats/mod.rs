//! Descriptive statistics, accurate to the limit of `f64`.

mod anova;
mod autocorrelation;
mod double_double;
mod fisher;
mod histogram;
mod moments;
mod normality;
mod quantile;
pub mod special;

pub use anova::{OneWay, VarianceInterval};
pub use autocorrelation::autocorrelation;
pub(crate) use double_double::{sum, sum_of_pairs};
pub use fisher::{fisher_quantile_upper, fisher_sf};
pub use histogram::Histogram;
pub use moments::{Moments, mean};
pub use normality::{MIN_NORMALITY, Normality, anderson_darling};
pub use quantile::{QuantileMethod, Sorted};
