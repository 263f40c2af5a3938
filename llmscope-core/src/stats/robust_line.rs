//! A line over a few columns that minimizes relative errors, and that outliers hardly move.

use super::quantile;

const ROUNDS: usize = 30;
/// Huber's constant: 95 % efficiency on normal errors.
const HUBER: f64 = 1.345;
/// The expected value never falls below this share of the median, where a negative intercept would give 0 or less.
pub(super) const LEAST_SHARE: f64 = 1e-3;
/// A value of more medians is an outlier whatever its size. The limit keeps the sums finite.
const MOST_MEDIANS: f64 = 1e12;
/// Relative errors, effects and differences of this size are rounding.
const ROUNDING: f64 = 1e-9;
/// The rounds end when no coefficient, in medians, changes by more.
const SETTLED: f64 = 1e-12;

/// Regression of values in medians on columns in shares of their largest, by Huber's weights of relative errors.
/// See [`LoadModel`](super::LoadModel) for the equations.
pub(super) struct RelativeErrors {
    values: Vec<f64>,
    columns: Vec<Vec<f64>>,
    pub(super) largest: Vec<f64>,
}

impl RelativeErrors {
    pub(super) fn of(values: &[f64], columns: &[&[f64]], rows: &[usize], median: f64) -> Self {
        let picked = |column: &[f64], unit: f64| -> Vec<f64> { rows.iter().map(|&i| column[i] / unit).collect() };
        // A column of zeros is divided by the least number, and stays constant.
        let largest: Vec<f64> =
            columns.iter().map(|column| rows.iter().map(|&i| column[i]).fold(f64::MIN_POSITIVE, f64::max)).collect();
        Self {
            values: picked(values, median).into_iter().map(|value| value.min(MOST_MEDIANS)).collect(),
            columns: columns.iter().zip(&largest).map(|(column, &unit)| picked(column, unit)).collect(),
            largest,
        }
    }

    /// The columns that keep a positive slope, and the line over them.
    pub(super) fn line(&self) -> Option<(Vec<usize>, Line)> {
        let mut kept: Vec<usize> = (0..self.columns.len()).collect();
        while !kept.is_empty() {
            let dropped = match self.settled(&kept) {
                Err(undetermined) => undetermined,
                Ok(line) => match line.without_effect() {
                    Some(least) => least,
                    None => return Some((kept, line)),
                },
            };
            kept.remove(dropped);
        }
        None
    }

    /// The line whose weights reproduce it. The error is the position of a column that is constant or collinear.
    fn settled(&self, kept: &[usize]) -> Result<Line, usize> {
        // Weights of relative errors that large outliers cannot distort, before any line is known.
        let first: Vec<f64> = self.values.iter().map(|value| value.max(1.0).powi(-2)).collect();
        let columns: Vec<&[f64]> = kept.iter().map(|&j| &self.columns[j][..]).collect();
        let mut line = weighted_line(&self.values, &columns, &first)?;
        for _ in 0..ROUNDS {
            let next = weighted_line(&self.values, &columns, &self.weights(&columns, &line))?;
            let settled = next.is_close_to(&line);
            line = next;
            if settled {
                break;
            }
        }
        Ok(line)
    }

    fn weights(&self, columns: &[&[f64]], line: &Line) -> Vec<f64> {
        let of_row = |i: usize| {
            let terms = columns.iter().zip(&line.slopes).map(|(column, slope)| slope * column[i]);
            (line.intercept + terms.sum::<f64>()).max(LEAST_SHARE)
        };
        let expected: Vec<f64> = (0..self.values.len()).map(of_row).collect();
        let errors: Vec<f64> = self.values.iter().zip(&expected).map(|(y, f)| (y / f - 1.0).abs()).collect();
        // Exact data have a median error of 0: errors of rounding size keep their full weight.
        let limit = HUBER * (1.4826 * quantile::median(&errors).unwrap_or(0.0)).max(ROUNDING);
        errors.iter().zip(&expected).map(|(error, f)| (limit / error.max(limit)) / (f * f)).collect()
    }
}

/// A line over columns, and the weighted standard deviations of the columns.
pub(super) struct Line {
    pub(super) intercept: f64,
    pub(super) slopes: Vec<f64>,
    deviations: Vec<f64>,
}

impl Line {
    fn is_close_to(&self, other: &Self) -> bool {
        let close = |(a, b): (&f64, &f64)| (a - b).abs() <= SETTLED * (1.0 + a.abs());
        close((&self.intercept, &other.intercept)) && self.slopes.iter().zip(&other.slopes).all(close)
    }

    /// The column with the least effect, if that is not positive.
    fn without_effect(&self) -> Option<usize> {
        let effects = self.slopes.iter().zip(&self.deviations).map(|(slope, sd)| slope * sd);
        let (position, least) = effects.enumerate().min_by(|(_, a), (_, b)| a.total_cmp(b))?;
        (least <= ROUNDING).then_some(position)
    }
}

/// Weighted least squares, about weighted means and in standard deviations, where rounding harms least. The error is the
/// position of a column that is constant or collinear.
fn weighted_line(values: &[f64], columns: &[&[f64]], weights: &[f64]) -> Result<Line, usize> {
    let total: f64 = weights.iter().sum();
    let mean = |x: &[f64]| x.iter().zip(weights).map(|(x, w)| w * x).sum::<f64>() / total;
    let centered = |x: &[f64], mean: f64| -> Vec<f64> { x.iter().map(|x| x - mean).collect() };
    let product = |x: &[f64], y: &[f64]| -> f64 {
        x.iter().zip(y).zip(weights).map(|((x, y), w)| w * x * y).sum::<f64>() / total
    };
    let means: Vec<f64> = columns.iter().map(|x| mean(x)).collect();
    let columns: Vec<Vec<f64>> = columns.iter().zip(&means).map(|(x, &m)| centered(x, m)).collect();
    let deviations: Vec<f64> = columns.iter().map(|x| product(x, x).sqrt()).collect();
    if let Some(constant) = deviations.iter().zip(&means).position(|(sd, mean)| *sd <= ROUNDING * mean) {
        return Err(constant);
    }
    let value = mean(values);
    let values = centered(values, value);
    let unit = |j: usize, k: usize| product(&columns[j], &columns[k]) / (deviations[j] * deviations[k]);
    let correlations: Vec<Vec<f64>> = (0..columns.len()).map(|j| (0..=j).map(|k| unit(j, k)).collect()).collect();
    let right = columns.iter().zip(&deviations).map(|(x, sd)| product(x, &values) / sd).collect();
    let effects = solved(correlations, right)?;
    let slopes: Vec<f64> = effects.iter().zip(&deviations).map(|(effect, sd)| effect / sd).collect();
    let intercept = value - slopes.iter().zip(&means).map(|(slope, mean)| slope * mean).sum::<f64>();
    Ok(Line { intercept, slopes, deviations })
}

/// The solution of a system whose lower triangle is a matrix of correlations, by Cholesky's factors. The error is the
/// position of a column that the previous ones explain.
fn solved(mut factor: Vec<Vec<f64>>, mut right: Vec<f64>) -> Result<Vec<f64>, usize> {
    for j in 0..right.len() {
        for k in 0..=j {
            let inner: f64 = (0..k).map(|l| factor[j][l] * factor[k][l]).sum();
            let rest = factor[j][k] - inner;
            if j == k && rest < ROUNDING {
                return Err(j);
            }
            factor[j][k] = if j == k { rest.sqrt() } else { rest / factor[k][k] };
        }
        let known: f64 = (0..j).map(|k| factor[j][k] * right[k]).sum();
        right[j] = (right[j] - known) / factor[j][j];
    }
    for j in (0..right.len()).rev() {
        let known: f64 = (j + 1..right.len()).map(|k| factor[k][j] * right[k]).sum();
        right[j] = (right[j] - known) / factor[j][j];
    }
    Ok(right)
}
