//! Descriptive statistics, accurate to the limit of `f64`.

mod anova;
mod autocorrelation;
mod bucket_sort;
mod change_points;
mod change_size;
mod contrasts;
mod dependence;
mod double_double;
mod exact_test;
mod fisher;
mod fit;
mod histogram;
mod lagged;
mod lanes;
mod largest_z;
mod load;
mod mann_whitney;
mod moments;
mod normality;
mod ordinal;
mod proportions;
mod quantile;
mod quantile_shift;
mod rank_dependence;
mod ranks;
mod robust_line;
pub mod special;

pub use anova::{OneWay, VarianceInterval};
pub use autocorrelation::{autocorrelation, rank_autocorrelation};
pub use change_points::{
    CHANGE_POINT_LEVEL, ChangePoint, ChangeSearch, change_points, change_points_at, change_points_given,
    maximally_selected_p, search_changes,
};
pub(crate) use change_points::{RankedSearch, places};
pub(crate) use change_size::sizes_between;
pub use change_size::{ChangeSize, change_sizes};
pub use contrasts::Contrast;
pub use dependence::{Autoregression, Dependence};
pub(crate) use dependence::{aicc, fits};
pub(crate) use double_double::{sum, sum_of_moving_ranges};
pub use exact_test::fisher_exact;
pub use fisher::{fisher_quantile_upper, fisher_sf, student_quantile_upper};
pub use fit::{BoxCox, Distribution, Fit};
pub use histogram::Histogram;
pub use load::LoadModel;
pub use mann_whitney::{MannWhitney, hodges_lehmann, shift_bounds, smallest_shift_level};
pub(crate) use moments::about_means;
pub use moments::{Moments, mean};
pub use normality::{MIN_NORMALITY, Normality, anderson_darling};
pub use proportions::Proportion;
pub use quantile::{QuantileMethod, Sorted, median};
pub use quantile_shift::{BoundingRanks, bounding_ranks, exceedance, fewest_values, smallest_level};
pub use ranks::{Ranking, mid_ranks};
