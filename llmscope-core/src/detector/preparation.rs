//! What is judged of a value: its logarithm, without the part that the load of its request explains.

use serde::{Deserialize, Serialize};

use crate::cast::float;
use crate::split_mix::SplitMix64;
use crate::stats::LoadModel;

/// Below this share of distinct values, a clock rounds them.
const DISTINCT: f64 = 0.9;
/// A value with added noise is at least this share of the smallest one.
const LEAST_SHARE: f64 = 1e-3;

/// The scale on which values are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// The logarithm, for durations and other positive values: changes are ratios. A value that is not positive is a gap.
    #[default]
    Logarithm,
    /// The values as they are: changes are differences.
    Linear,
}

impl Scale {
    /// True unless the value is a gap on this scale.
    pub(super) fn takes(self, value: f64) -> bool {
        value.is_finite() && (self == Self::Linear || value > 0.0)
    }
}

/// How values are prepared, learned from the first ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Preparation {
    scale: Scale,
    load: Option<LoadModel>,
    clock: Option<Clock>,
}

/// A clock that rounds. Without noise, predicted values would order equal ones by the value before, and ranks would depend on
/// each other.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Clock {
    /// The smallest gap between two values.
    tick: f64,
    least: f64,
}

impl Preparation {
    /// Learns from values and their columns of token counts.
    pub(super) fn of(scale: Scale, values: &[f64], columns: &[Vec<f64>]) -> Self {
        let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let load = if columns.is_empty() || scale == Scale::Linear { None } else { LoadModel::fit(values, &columns) };
        Self { scale, load, clock: Clock::of(values) }
    }

    /// What is judged of the value number `index`; `None` for a gap.
    pub(super) fn prepared(&self, value: f64, tokens: &[f64], index: u64) -> Option<f64> {
        let value = self.clock.map_or(value, |clock| clock.blurred(value, index, self.scale));
        let value = self.load.as_ref().map_or(Some(value), |load| load.adjusted_value(value, tokens))?;
        let judged = match self.scale {
            Scale::Logarithm => value.ln(),
            Scale::Linear => value,
        };
        judged.is_finite().then_some(judged)
    }

    /// The model of the load; `None` if the values do not depend on it, or it is unknown.
    pub(super) const fn load(&self) -> Option<&LoadModel> {
        self.load.as_ref()
    }

    pub(super) fn is_valid(&self, columns: usize) -> bool {
        self.clock.is_none_or(|clock| clock.tick.is_finite() && clock.least.is_finite())
            && self.load.as_ref().is_none_or(|load| load.slopes().len() == columns)
    }
}

impl Clock {
    fn of(values: &[f64]) -> Option<Self> {
        let mut distinct = values.to_vec();
        distinct.sort_unstable_by(f64::total_cmp);
        distinct.dedup();
        if distinct.len() < 2 || float(distinct.len()) > DISTINCT * float(values.len()) {
            return None;
        }
        let tick = distinct.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min);
        Some(Self { tick, least: distinct[0] })
    }

    /// The value with uniform noise of one tick. The noise comes from the value's number, so that a restart gives the same.
    fn blurred(self, value: f64, index: u64, scale: Scale) -> f64 {
        let blurred = value + self.tick * (uniform(index) - 0.5);
        if scale == Scale::Logarithm && value > 0.0 {
            blurred.max(LEAST_SHARE * self.least.min(value))
        } else {
            blurred
        }
    }
}

/// The pseudorandom number of an index, between 0 and 1.
fn uniform(index: u64) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "53 bits")]
    let bits = (SplitMix64::after(index).next() >> 11) as f64;
    bits / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_clock_are_told_apart() {
        let rounded: Vec<f64> = (0..100).map(|i| f64::from(4 + i % 5) / 1000.0).collect();
        let preparation = Preparation::of(Scale::Logarithm, &rounded, &[]);
        let of = |index| preparation.prepared(0.006, &[], index).expect("positive");
        assert_ne!(of(1), of(2));
        assert_eq!(of(1), of(1), "the same after a restart");
        assert!((0..1000).all(|i| (of(i).exp() - 0.006).abs() <= 0.000_501));
        assert!(preparation.prepared(0.0, &[], 1).is_none(), "a value that is not positive stays one");
    }

    #[test]
    fn exact_values_stay_as_they_are() {
        let exact: Vec<f64> = (1..100).map(|i| 0.1 + f64::from(i * i) * 1e-4).collect();
        let preparation = Preparation::of(Scale::Logarithm, &exact, &[]);
        assert_eq!(preparation.prepared(0.5, &[], 7), Some(0.5_f64.ln()));
        for gap in [0.0, -1.0, f64::NAN] {
            assert_eq!(preparation.prepared(gap, &[], 7), None);
        }
        let linear = Preparation::of(Scale::Linear, &exact, &[]);
        assert_eq!(linear.prepared(-1.0, &[], 7), Some(-1.0));
    }

    #[test]
    fn the_load_of_a_request_is_taken_out() {
        let tokens: Vec<f64> = (0..60).map(|i| f64::from(100 + i * 37 % 61 * 10)).collect();
        let values: Vec<f64> = tokens.iter().map(|tokens| 0.2 + 0.02 * tokens).collect();
        let preparation = Preparation::of(Scale::Logarithm, &values, &[tokens]);
        let of = |tokens: f64| preparation.prepared(0.2 + 0.02 * tokens, &[tokens], 0).expect("positive");
        assert!((of(100.0) - of(650.0)).abs() < 1e-6);
        assert!(preparation.prepared(3.0, &[f64::NAN], 0).is_none(), "without its tokens, a value cannot be judged");
    }
}
