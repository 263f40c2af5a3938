//! The interval of the size of a change that was found because it looked large.

use crate::stats::special::{normal_quantile_upper, normal_sf};
use crate::stats::{ChangePoint, ChangeSize, Contrast};

/// The interval of a size, given that the change was found at this `level`.
///
/// A change near the limit of detection is found only where it looks larger than it is, so that an ordinary interval lies
/// too far out. The lower bound δ in standard errors is therefore that of a normal value z, given that it exceeded the
/// limit c of detection: Q(z − δ)/Q(c − δ) = 0.025 with the normal tail Q (the truncated normal of selective inference:
/// Lee, Sun, Sun & Taylor 2016, *Annals of Statistics* 44). Where z is far beyond c, it is the ordinary one.
///
/// Next to the limit, this bound includes no change, which the search has excluded. The bound is therefore at least z − c
/// standard errors: the size of which a z so large is found at this level, whatever place was chosen (the hybrid of Andrews,
/// Kitagawa & McCloskey 2024, *Quarterly Journal of Economics* 139). It is above the truth only for changes that are hardly
/// ever found.
pub(super) fn interval(change: &ChangePoint, size: &ChangeSize, level: f64) -> Option<[f64; 2]> {
    let (low, high) = size.interval?;
    let scaled = |x: f64| if size.contrast == Contrast::Ratio { x.ln() } else { x };
    let back = |x: f64| if size.contrast == Contrast::Ratio { x.exp() } else { x };
    let estimate = scaled(size.size);
    let sign = if estimate < 0.0 { -1.0 } else { 1.0 };
    let (near, far) = if sign > 0.0 { (scaled(low), scaled(high)) } else { (-scaled(high), -scaled(low)) };
    let half = normal_quantile_upper((1.0 - super::CONFIDENCE) / 2.0)?;
    let error = (estimate.abs() - near) / half;
    let bound = if error > 0.0 && error.is_finite() {
        let z = estimate.abs() / error;
        let excess = (change.z * change.z + 2.0 * (change.p.max(f64::MIN_POSITIVE) / level).ln()).max(0.0).sqrt();
        let limit = z * (excess / change.z).min(1.0);
        (lower_bound(z, limit) * error).min(near).max((z - limit) * error)
    } else {
        near
    };
    let (first, last) = (back(sign * bound), back(sign * far));
    Some(if sign > 0.0 { [first, last] } else { [last, first] })
}

/// δ with Q(z − δ)/Q(c − δ) = 0.025, or 0 if it is smaller. The quotient grows with δ.
fn lower_bound(z: f64, limit: f64) -> f64 {
    const BISECTIONS: usize = 60;
    let tail = (1.0 - super::CONFIDENCE) / 2.0;
    let quotient = |delta: f64| normal_sf(z - delta) / normal_sf(limit - delta).max(f64::MIN_POSITIVE);
    let (mut low, mut high) = (0.0, z);
    if quotient(low) >= tail {
        return 0.0;
    }
    for _ in 0..BISECTIONS {
        let middle = f64::midpoint(low, high);
        if quotient(middle) < tail {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval_of(z: f64, p: f64, size: f64, bounds: (f64, f64)) -> [f64; 2] {
        let change = ChangePoint { at: 100, z, p };
        let size = ChangeSize { contrast: Contrast::Ratio, before: 1.0, after: size, size, interval: Some(bounds) };
        interval(&change, &size, 0.005).expect("has bounds")
    }

    #[test]
    fn a_clear_change_keeps_its_interval_and_a_faint_one_reaches_no_change() {
        let [low, high] = interval_of(12.0, 1e-30, 2.0, (1.9, 2.105));
        assert!((low - 1.9).abs() < 0.01 && high == 2.105, "{low} to {high}");
        let [low, high] = interval_of(4.0, 0.0049, 1.3, (1.15, 1.47));
        assert!((1.0..1.03).contains(&low) && high == 1.47, "{low} to {high}");
        // A change for the better is the mirror image.
        let [low, high] = interval_of(4.0, 0.0049, 1.0 / 1.3, (1.0 / 1.47, 1.0 / 1.15));
        assert!((0.97..=1.0).contains(&high) && (low - 1.0 / 1.47).abs() < 1e-12, "{low} to {high}");
    }

    #[test]
    fn the_interval_of_a_found_change_excludes_no_change() {
        // A change that is found with a twelfth of the level: the bound is z − c = 0.61 standard errors.
        let [low, high] = interval_of(4.5, 0.005 / 12.0, 1.0151, (1.0085, 1.0217));
        assert!((low - 1.002).abs() < 0.001 && high == 1.0217, "{low} to {high}");
        // The ordinary interval, of another estimate of the dependence, includes no change.
        let [low, high] = interval_of(6.0, 1e-7, 1.1, (0.98, 1.23));
        assert!(1.0 < low && low < 1.1 && high == 1.23, "{low} to {high}");
    }

    #[test]
    fn the_bound_is_that_of_a_truncated_normal_value() {
        // scipy.optimize.brentq of norm.sf(5 − δ)/norm.sf(3.5 − δ) − 0.025, of SciPy 1.17.1.
        assert!((lower_bound(5.0, 3.5) - 2.159_130_292_157_64).abs() < 1e-9, "{}", lower_bound(5.0, 3.5));
    }
}
