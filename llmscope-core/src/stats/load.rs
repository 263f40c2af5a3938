//! The part of a duration that the load of its request explains.

use serde::{Deserialize, Serialize};

use super::quantile;
use super::robust_line::{LEAST_SHARE, RelativeErrors};

/// Fewer values with tokens do not determine a line that judgements can rely on.
const FEWEST: usize = 20;
/// More rows make the line slower to compute, not better to any visible degree.
const MOST: usize = 20_000;

/// The expected value of a request given its token counts: f = a + Σ bⱼ·tokensⱼ, with slopes bⱼ > 0.
///
/// Long prompts and long answers take longer on an unchanged server. Judge y/f instead of y to separate the two
/// (regression-adjusted charts: Mandel 1969, *Journal of Quality Technology* 1(1); Hawkins 1991, *Technometrics* 33(1)).
///
/// The coefficients solve Σ wᵢ·(yᵢ − fᵢ)·(1, tokensᵢ) = 0 with relative errors rᵢ = yᵢ/fᵢ − 1 and weights
/// wᵢ = min(1, 1.345·s/|rᵢ|)/fᵢ², s = 1.4826·median |rᵢ| (Huber 1964, *Annals of Mathematical Statistics* 35(1)).
/// They are found by iteratively reweighted least squares, in at most 30 rounds. f is at least 0.001 of the median value.
/// Data that are nearly linear settle in about 15 to 30 rounds. Where values grow much faster than the token counts, short
/// requests reach the least f, and the last round is taken as it is.
///
/// Columns that are constant, collinear with previous ones, or have a slope that is not positive are left out: their
/// slope is 0. Above 20,000 values, 20,000 that are evenly spaced are used.
///
/// The weights limit the influence of unusual values, not that of unusual token counts. A change of the server that
/// coincides with a change of the token counts cannot be separated from it.
///
/// ```
/// use llmscope_core::stats::LoadModel;
///
/// let tokens: Vec<f64> = (0..50).map(|i| f64::from(100 + i % 7 * 40)).collect();
/// let seconds: Vec<f64> = tokens.iter().map(|tokens| 0.2 + 0.02 * tokens).collect();
/// let model = LoadModel::fit(&seconds, &[&tokens]).unwrap();
/// assert!((model.intercept() - 0.2).abs() < 1e-9 && (model.slopes()[0] - 0.02).abs() < 1e-9);
/// assert_eq!(model.typical(), [220.0]);
/// // As with 220 tokens: 4.6 s.
/// assert!(model.adjusted(&seconds, &[&tokens]).iter().all(|adjusted| (adjusted - 4.6).abs() < 1e-9));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadModel {
    intercept: f64,
    slopes: Vec<f64>,
    typical: Vec<f64>,
    floor: f64,
}

impl LoadModel {
    /// Fits the model to `values` (NaN is a gap, and so is a value that is not positive) and `columns` of token counts,
    /// each as long as the values (NaN or negative: unknown).
    ///
    /// `None` if fewer than a third of the values, or fewer than 20, have all token counts, or if no column keeps a
    /// slope.
    #[must_use]
    pub fn fit(values: &[f64], columns: &[&[f64]]) -> Option<Self> {
        let positive: Vec<usize> = (0..values.len()).filter(|&i| values[i] > 0.0 && values[i].is_finite()).collect();
        let complete = |i: &usize| columns.iter().all(|column| tokens_at(column, *i).is_some());
        let rows: Vec<usize> = positive.iter().copied().filter(complete).collect();
        if rows.len() < FEWEST || 3 * rows.len() < positive.len() {
            return None;
        }
        let picked = |column: &[f64]| -> Vec<f64> { rows.iter().map(|&i| column[i]).collect() };
        let median = quantile::median(&picked(values))?;
        let typical = columns.iter().map(|column| quantile::median(&picked(column))).collect::<Option<_>>()?;
        let regression = RelativeErrors::of(values, columns, &evenly(&rows), median);
        let (kept, line) = regression.line()?;
        let mut slopes = vec![0.0; columns.len()];
        for (&j, slope) in kept.iter().zip(&line.slopes) {
            slopes[j] = slope * (median / regression.largest[j]);
        }
        let floor = (LEAST_SHARE * median).max(f64::MIN_POSITIVE);
        let model = Self { intercept: line.intercept * median, slopes, typical, floor };
        let finite = model.intercept.is_finite() && model.slopes.iter().all(|slope| slope.is_finite());
        (finite && model.used().contains(&true)).then_some(model)
    }

    /// a, in the unit of the values.
    #[must_use]
    pub const fn intercept(&self) -> f64 {
        self.intercept
    }

    /// bⱼ of each column, in the unit of the values per token; 0 if the column is left out.
    #[must_use]
    pub fn slopes(&self) -> &[f64] {
        &self.slopes
    }

    /// The median of each column.
    #[must_use]
    pub fn typical(&self) -> &[f64] {
        &self.typical
    }

    /// Which columns have a slope.
    ///
    /// ```
    /// use llmscope_core::stats::LoadModel;
    ///
    /// let tokens: Vec<f64> = (0..50).map(|i| f64::from(100 + i % 7 * 40)).collect();
    /// let seconds: Vec<f64> = tokens.iter().map(|tokens| 0.2 + 0.02 * tokens).collect();
    /// let model = LoadModel::fit(&seconds, &[&tokens, &[64.0; 50]]).unwrap();
    /// assert_eq!(model.used(), [true, false]); // a constant count explains nothing
    /// ```
    #[must_use]
    pub fn used(&self) -> Vec<bool> {
        self.slopes.iter().map(|&slope| slope > 0.0).collect()
    }

    /// The values that requests with the typical token counts would have had: value · f(typical) / f(tokens). NaN where
    /// the value, or a token count that has a slope, is unknown.
    #[must_use]
    pub fn adjusted(&self, values: &[f64], columns: &[&[f64]]) -> Vec<f64> {
        let typical = self.expected(|j| self.typical.get(j).copied());
        let mut tokens = vec![f64::NAN; columns.len()];
        let of_row = |(i, &value): (usize, &f64)| {
            for (count, column) in tokens.iter_mut().zip(columns) {
                *count = column.get(i).copied().unwrap_or(f64::NAN);
            }
            typical.and_then(|typical| self.adjusted_to(typical, value, &tokens)).unwrap_or(f64::NAN)
        };
        values.iter().enumerate().map(of_row).collect()
    }

    /// The same for one value with its token counts; `None` where [`LoadModel::adjusted`] has NaN.
    ///
    /// ```
    /// use llmscope_core::stats::LoadModel;
    ///
    /// let tokens: Vec<f64> = (0..50).map(|i| f64::from(100 + i % 7 * 40)).collect();
    /// let seconds: Vec<f64> = tokens.iter().map(|tokens| 0.2 + 0.02 * tokens).collect();
    /// let model = LoadModel::fit(&seconds, &[&tokens]).unwrap();
    /// // 6.2 s are what 300 tokens take, and the typical request with 220 takes 4.6 s.
    /// assert!((model.adjusted_value(6.2, &[300.0]).unwrap() - 4.6).abs() < 1e-9);
    /// ```
    #[must_use]
    pub fn adjusted_value(&self, value: f64, tokens: &[f64]) -> Option<f64> {
        self.adjusted_to(self.expected(|j| self.typical.get(j).copied())?, value, tokens)
    }

    /// The same, given f(typical).
    fn adjusted_to(&self, typical: f64, value: f64, tokens: &[f64]) -> Option<f64> {
        let expected = self.expected(|j| tokens_at(tokens, j)).filter(|_| value.is_finite())?;
        Some((value * (typical / expected).min(f64::MAX)).clamp(f64::MIN, f64::MAX))
    }

    /// f of the tokens of a request; `None` if a token count that has a slope is unknown.
    fn expected(&self, tokens: impl Fn(usize) -> Option<f64>) -> Option<f64> {
        let mut sloped = self.slopes.iter().enumerate().filter(|&(_, &slope)| slope > 0.0);
        let sum = sloped.try_fold(self.intercept, |sum, (j, slope)| Some(sum + slope * tokens(j)?))?;
        Some(sum.clamp(self.floor, f64::MAX))
    }
}

fn tokens_at(column: &[f64], row: usize) -> Option<f64> {
    column.get(row).copied().filter(|tokens| tokens.is_finite() && *tokens >= 0.0)
}

fn evenly(rows: &[usize]) -> Vec<usize> {
    let count = rows.len().min(MOST);
    (0..count).map(|k| rows[k * rows.len() / count]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values from 0 to 1 of a linear congruential generator.
    fn noise() -> impl Iterator<Item = f64> {
        let next = |x: &u32| Some(x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
        std::iter::successors(Some(1_u32), next).skip(1).map(|x| f64::from(x >> 8) / f64::from(1 << 24))
    }

    fn tokens(count: usize) -> Vec<f64> {
        noise().take(count).map(|u| (10.0 + 400.0 * u).floor()).collect()
    }

    /// Values whose errors have nothing to do with the tokens.
    fn values(tokens: &[f64], of: impl Fn(usize, f64) -> f64) -> Vec<f64> {
        let errors = noise().skip(100_000).map(|u| 0.8 + 0.4 * u);
        tokens.iter().zip(errors).enumerate().map(|(i, (t, error))| of(i, 200.0 + 20.0 * t) * error).collect()
    }

    fn median(values: &[f64]) -> f64 {
        quantile::median(values).unwrap()
    }

    #[track_caller]
    fn assert_close(got: &[f64], expected: &[f64], tolerance: f64) {
        let close = got.iter().zip(expected).all(|(a, b)| (a - b).abs() <= tolerance * b.abs());
        assert!(close && got.len() == expected.len(), "{got:?} is not {expected:?}");
    }

    #[test]
    fn exact_data_are_recovered_whatever_the_outliers() {
        let t = tokens(200);
        let outliers = |i: usize| if i % 20 == 7 { 10.0 } else { 1.0 };
        let y: Vec<f64> = t.iter().enumerate().map(|(i, t)| (200.0 + 20.0 * t) * outliers(i)).collect();
        let model = LoadModel::fit(&y, &[&t]).unwrap();
        assert_close(&[model.intercept(), model.slopes()[0]], &[200.0, 20.0], 1e-6);
    }

    #[test]
    fn outliers_hardly_move_the_line() {
        let t = tokens(2000);
        let of = |factor: f64| LoadModel::fit(&values(&t, |i, f| if i % 20 == 7 { factor * f } else { f }), &[&t]);
        let (clean, outliers) = (of(1.0).unwrap(), of(10.0).unwrap());
        assert_close(clean.slopes(), &[20.0], 0.02);
        assert_close(outliers.slopes(), clean.slopes(), 0.02);
    }

    /// Reference: scipy 1.17.1, `optimize.root` (hybr) of Σ ψ(rᵢ)/fᵢ·(1, tokensᵢ) = 0, ψ(r) = r clipped at 1.345·s, on
    /// the same data. It solves the equations directly, without weights or rounds.
    #[test]
    fn coefficients_solve_the_equations_of_the_estimate() {
        let random: Vec<f64> = noise().take(180).collect();
        let column = |k: usize, of: fn(f64) -> f64| random.chunks(3).map(|row| of(row[k])).collect::<Vec<_>>();
        let (input, output) = (column(0, |u| (50.0 + 1000.0 * u).floor()), column(1, |u| (10.0 + 400.0 * u).floor()));
        let factors = column(2, |u| 0.8 + 0.4 * u);
        let of_row = |i: usize| {
            let outlier = if i % 15 == 7 { 10.0 } else { 1.0 };
            (200.0 + 2.0 * input[i] + 20.0 * output[i]) * factors[i] * outlier
        };
        let model = LoadModel::fit(&(0..60).map(of_row).collect::<Vec<_>>(), &[&input, &output]).unwrap();
        let coefficients = [model.intercept(), model.slopes()[0], model.slopes()[1]];
        assert_close(&coefficients, &[991.592_307_270_408, 1.049_437_984_203_527, 18.583_125_036_182_63], 1e-6);
    }

    #[test]
    fn a_change_of_the_server_stays_in_the_adjusted_values() {
        let t = tokens(2000);
        let y = values(&t, |i, f| if i < 1000 { f } else { 1.2 * f });
        let adjusted = LoadModel::fit(&y, &[&t]).unwrap().adjusted(&y, &[&t]);
        assert_close(&[median(&adjusted[1000..]) / median(&adjusted[..1000])], &[1.2], 0.02);
    }

    #[test]
    fn a_change_of_the_token_counts_leaves_the_adjusted_values() {
        let t: Vec<f64> = tokens(2000).iter().enumerate().map(|(i, t)| if i < 1000 { *t } else { 1.5 * t }).collect();
        let y = values(&t, |_, f| f);
        let adjusted = LoadModel::fit(&y, &[&t]).unwrap().adjusted(&y, &[&t]);
        assert!(median(&y[1000..]) > 1.4 * median(&y[..1000]));
        assert_close(&[median(&adjusted[1000..]) / median(&adjusted[..1000])], &[1.0], 0.02);
    }

    #[test]
    fn the_unit_of_the_values_does_not_matter() {
        let t = tokens(300);
        let y = values(&t, |_, f| f);
        let model = LoadModel::fit(&y, &[&t]).unwrap();
        for unit in [1e-300, 1e-3, 1e250] {
            let scaled: Vec<f64> = y.iter().map(|y| y * unit).collect();
            let other = LoadModel::fit(&scaled, &[&t]).unwrap();
            let coefficients = [model.intercept() * unit, model.slopes()[0] * unit];
            assert_close(&[other.intercept(), other.slopes()[0]], &coefficients, 1e-9);
            let adjusted: Vec<f64> = model.adjusted(&y, &[&t]).iter().map(|y| y * unit).collect();
            assert_close(&other.adjusted(&scaled, &[&t]), &adjusted, 1e-9);
        }
    }

    #[test]
    fn columns_without_a_slope_of_their_own_are_left_out() {
        let t = tokens(300);
        let y = values(&t, |_, f| f);
        let (falling, twice): (Vec<f64>, Vec<f64>) = t.iter().map(|t| (1000.0 - t, 2.0 * t)).unzip();
        let constant = vec![7.0; 300];
        let model = LoadModel::fit(&y, &[&constant, &t, &twice, &falling]).unwrap();
        assert_eq!(model.used(), [false, true, false, false]);
        assert_eq!(LoadModel::fit(&y, &[&constant, &falling]), None);
        assert_eq!(LoadModel::fit(&constant, &[&t]), None);
        assert_eq!(LoadModel::fit(&y, &[]), None);
    }

    #[test]
    fn unknown_tokens_and_gaps_are_not_numbers() {
        let mut t = tokens(90);
        let mut y = values(&t, |_, f| f);
        y[89] = f64::NAN;
        t[..59].fill(f64::NAN);
        let model = LoadModel::fit(&y, &[&t]).unwrap();
        let adjusted = model.adjusted(&y, &[&t]);
        assert!(adjusted.iter().enumerate().all(|(i, x)| x.is_nan() == (i < 59 || i == 89)));
        t[..60].fill(f64::NAN);
        assert_eq!(LoadModel::fit(&y, &[&t]), None);
        assert_eq!(LoadModel::fit(&y[70..], &[&t[70..]]), None);
    }

    #[test]
    fn extreme_input_gives_finite_results() {
        let extremes = [0.0, f64::MIN_POSITIVE, 1e-3, 1.0, 7.0, 1e9, 1e300, f64::MAX, -1.0, -f64::MAX];
        let picked = |step: usize| -> Vec<f64> { (0..400).map(|i| extremes[(i * step + i / 13) % 10]).collect() };
        for (y, t) in (1..10).flat_map(|a| (1..10).map(move |b| (picked(a), picked(b)))) {
            let columns: [&[f64]; 2] = [&t, &y];
            for columns in [&columns[..1], &columns[..]] {
                let Some(model) = LoadModel::fit(&y, columns) else { continue };
                assert!(model.intercept().is_finite() && model.slopes().iter().all(|slope| slope.is_finite()));
                let known = |i: usize| (0..columns.len()).all(|j| !model.used()[j] || columns[j][i] >= 0.0);
                assert!(model.adjusted(&y, columns).iter().enumerate().all(|(i, x)| x.is_finite() == known(i)));
            }
        }
    }
}
