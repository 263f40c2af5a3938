//! The load of the two sides: longer prompts and answers are no change of the server.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::measured::Values;
use super::runs::Ends;
use crate::analysis::Series;
use crate::cast::float;
use crate::stats::special::normal_quantile_upper;
use crate::stats::{self, LoadModel, QuantileMethod, Sorted};

/// Parts of the baseline that are left out in turn to find how well the model is known.
const PARTS: usize = 10;
/// Token counts whose medians differ by less than this share are the same load.
const SAME: f64 = 0.02;

/// The token counts of the two sides of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Load {
    /// The token counts for which the measurements were adjusted.
    pub adjusted_for: Vec<String>,
    /// The token counts of the requests.
    pub tokens: Vec<TokenCounts>,
}

/// A token count of the requests of both sides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct TokenCounts {
    /// The count: `input_tokens` or `output_tokens`.
    pub name: String,
    /// The median of the baseline's requests.
    pub baseline: f64,
    /// The median of the candidate's requests.
    pub candidate: f64,
}

impl TokenCounts {
    fn ratio(&self) -> f64 {
        self.candidate / self.baseline
    }

    /// True if the requests of the sides differ notably.
    #[must_use]
    pub fn differs(&self) -> bool {
        let change = (self.ratio() - 1.0).abs();
        // Two medians of 0 have no ratio, and do not differ.
        self.baseline != self.candidate && (change.is_nan() || change > SAME)
    }
}

/// What is unknown about the load in a shift.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct LoadEffect {
    /// The standard error of the logarithm of the adjustment between the sides.
    standard_error: f64,
    /// The factors between which counts without a known slope have multiplied the measurements: by 1, not at all, or in
    /// proportion to the tokens.
    least: f64,
    most: f64,
}

impl LoadEffect {
    /// The interval of the logarithm of a shift, with what is unknown about the load.
    pub(super) fn widened(self, estimate: f64, ends: Ends, level: f64) -> Ends {
        let Ends { lower, upper } =
            ends.plus(estimate, self.standard_error * normal_quantile_upper(level).unwrap_or(0.0));
        Ends { lower: lower - self.most.ln(), upper: upper - self.least.ln() }
    }

    /// True if the load may explain a shift to any extent that is not known.
    pub(super) fn is_open(self) -> bool {
        self.least < 1.0 || self.most > 1.0
    }
}

/// The values of both sides as those of requests with the same token counts, as far as the counts are known.
pub(super) struct SameLoad {
    pub(super) baseline: Values,
    pub(super) candidate: Values,
    pub(super) load: Option<Load>,
    pub(super) effect: Option<LoadEffect>,
}

impl SameLoad {
    /// The model of the load is that of the baseline, so that a change of the candidate cannot hide in it.
    pub(super) fn of((one, baseline): (&Series, Values), (other, candidate): (&Series, Values)) -> Self {
        let sides = (one.token_columns(&baseline.observations), other.token_columns(&candidate.observations));
        let tokens = counted(&sides.0, &sides.1);
        if tokens.is_empty() {
            return Self { baseline, candidate, load: None, effect: None };
        }
        let of_side = |columns: &[(&'static str, Vec<f64>)]| -> Vec<Vec<f64>> {
            let known = columns.iter().filter(|(name, _)| tokens.iter().any(|count| count.name == *name));
            known.map(|(_, column)| column.clone()).collect()
        };
        let columns = (of_side(&sides.0), of_side(&sides.1));
        let model = fitted(&baseline.values, &columns.0);
        let used = model.as_ref().map_or_else(|| vec![false; tokens.len()], LoadModel::used);
        let unknown = tokens.iter().zip(&columns.0).zip(&used).filter(|((_, column), used)| !**used && !varies(column));
        let (least, most) = between(unknown.map(|((count, _), _)| count));
        let adjusted_for = tokens.iter().zip(&used).filter(|(_, used)| **used).map(|(count, _)| count.name.clone());
        let load = Some(Load { adjusted_for: adjusted_for.collect(), tokens: tokens.clone() });
        let Some(model) = model else {
            return Self { baseline, candidate, load, effect: Some(LoadEffect { standard_error: 0.0, least, most }) };
        };
        let standard_error = standard_error(&baseline.values, &columns.0, &columns.1);
        let adjusted = |values: Values, columns: &[Vec<f64>]| {
            let adjusted = model.adjusted(&values.values, &borrowed(columns));
            values.replaced(adjusted)
        };
        Self {
            baseline: adjusted(baseline, &columns.0),
            candidate: adjusted(candidate, &columns.1),
            load,
            effect: Some(LoadEffect { standard_error, least, most }),
        }
    }
}

fn borrowed(columns: &[Vec<f64>]) -> Vec<&[f64]> {
    columns.iter().map(Vec::as_slice).collect()
}

fn fitted(values: &[f64], columns: &[Vec<f64>]) -> Option<LoadModel> {
    LoadModel::fit(values, &borrowed(columns))
}

/// The counts that at least a third of the requests of both sides have.
fn counted(baseline: &[(&'static str, Vec<f64>)], candidate: &[(&'static str, Vec<f64>)]) -> Vec<TokenCounts> {
    let median = |column: &[f64]| {
        let known: Vec<f64> = column.iter().copied().filter(|count| count.is_finite()).collect();
        (!known.is_empty() && 3 * known.len() >= column.len()).then(|| stats::median(&known)).flatten()
    };
    let of_name = |(name, column): &(&'static str, Vec<f64>)| {
        let (_, other) = candidate.iter().find(|(other, _)| other == name)?;
        Some(TokenCounts { name: (*name).to_owned(), baseline: median(column)?, candidate: median(other)? })
    };
    baseline.iter().filter_map(of_name).collect()
}

/// True if the middle 80 % of the counts differ notably, so that a slope would be seen.
fn varies(column: &[f64]) -> bool {
    let known: Vec<f64> = column.iter().copied().filter(|count| count.is_finite()).collect();
    let sorted = Sorted::of(&known);
    let at = |p| sorted.quantile(p, QuantileMethod::HyndmanFan7).unwrap_or(0.0);
    at(0.9) - at(0.1) > SAME * at(0.5)
}

/// The factors by which these loads can have changed a latency a + Σ bⱼ·tokensⱼ with coefficients of at least 0.
fn between<'c>(tokens: impl Iterator<Item = &'c TokenCounts>) -> (f64, f64) {
    let ratios = tokens.filter(|count| count.differs()).map(TokenCounts::ratio);
    let known = ratios.filter(|ratio| *ratio > 0.0 && ratio.is_finite());
    known.fold((1.0, 1.0), |(least, most), ratio| (ratio.min(least), ratio.max(most)))
}

/// The standard error of the mean logarithm by which the model adjusts the candidate's requests relative to the baseline's.
///
/// A jackknife that leaves out a tenth of the baseline's requests, in time order, so that dependent requests are left out
/// together (Künsch 1989, *Annals of Statistics* 17(3)): variance (k − 1)/k·Σ(Lᵢ − L̄)².
fn standard_error(values: &[f64], baseline: &[Vec<f64>], candidate: &[Vec<f64>]) -> f64 {
    let n = values.len();
    let without = |part: usize| {
        let range = part * n / PARTS..(part + 1) * n / PARTS;
        let rest = |all: &[f64]| [&all[..range.start], &all[range.end..]].concat();
        let columns: Vec<Vec<f64>> = baseline.iter().map(|column| rest(column)).collect();
        let model = fitted(&rest(values), &columns)?;
        Some(mean_adjustment(&model, candidate)? - mean_adjustment(&model, baseline)?)
    };
    let adjustments: Vec<f64> = (0..PARTS).filter_map(without).collect();
    let count = float(adjustments.len());
    if adjustments.len() < 2 {
        return 0.0;
    }
    let mean = adjustments.iter().sum::<f64>() / count;
    let squares: f64 = adjustments.iter().map(|adjustment| (adjustment - mean).powi(2)).sum();
    ((count - 1.0) / count * squares).sqrt()
}

/// The mean logarithm of the factor that adjusts a value of 1 to the typical load.
fn mean_adjustment(model: &LoadModel, columns: &[Vec<f64>]) -> Option<f64> {
    let ones = vec![1.0; columns.first()?.len()];
    let logarithms = model.adjusted(&ones, &borrowed(columns)).into_iter().filter(|factor| factor.is_finite());
    let logarithms: Vec<f64> = logarithms.map(f64::ln).collect();
    (!logarithms.is_empty()).then(|| logarithms.iter().sum::<f64>() / float(logarithms.len()))
}
