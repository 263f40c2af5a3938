//! Autoregressions of the orders 0, 1, …, and the best one of them.

use crate::cast::float;
use crate::stats::{aicc, fits};

/// An autoregression of one order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Order {
    pub(super) coefficients: Vec<f64>,
    /// Variance of the innovations.
    pub(super) variance: f64,
    aicc: f64,
}

/// Autoregressions of the orders 0, 1, ….
pub(super) struct Orders(Vec<Order>);

impl Orders {
    /// Of values in time order, about their mean; autocovariances are divided by n.
    pub(super) fn of(values: &[f64], most: usize) -> Self {
        let n = values.len();
        if values.windows(2).all(|pair| pair[0] == pair[1]) {
            // Rounding errors of their mean would look dependent.
            return Self::of_covariances(&vec![0.0; most + 1], n);
        }
        let mean = values.iter().sum::<f64>() / float(n.max(1));
        let centered: Vec<f64> = values.iter().map(|x| x - mean).collect();
        let lagged = |lag: usize| centered.iter().zip(&centered[lag.min(n)..]).map(|(a, b)| a * b).sum::<f64>();
        let covariances: Vec<f64> = (0..=most).map(|lag| lagged(lag) / float(n.max(1))).collect();
        Self::of_covariances(&covariances, n)
    }

    /// Of the autocovariances at lags 0, 1, … of n values. Without variation there is the order 0 only.
    pub(super) fn of_covariances(covariances: &[f64], n: usize) -> Self {
        let variance = covariances.first().copied().unwrap_or(0.0);
        let higher = (variance > 0.0).then(|| fits(covariances));
        let order = |(coefficients, variance): (Vec<f64>, f64)| {
            let aicc = aicc(n, coefficients.len(), variance);
            Order { coefficients, variance, aicc }
        };
        Self(std::iter::once((Vec::new(), variance)).chain(higher.into_iter().flatten()).map(order).collect())
    }

    /// The order of the smallest AICc, of at least `fewest`. A series without variation has an order of zeros.
    pub(super) fn best(&self, fewest: usize) -> Order {
        let wanted = self.0.iter().skip(fewest);
        let best = wanted.reduce(|a, b| if b.aicc < a.aicc { b } else { a });
        best.cloned().unwrap_or_else(|| Order { coefficients: vec![0.0; fewest], ..self.0[0].clone() })
    }

    /// The long-run variance divided by the variance, of the best order from 0 on; at least 1.
    pub(super) fn long_run_ratio(&self) -> (f64, usize) {
        /// A larger Σφ is that of a level that moves.
        const MOST: f64 = 0.95;
        let Order { coefficients, variance, .. } = self.best(0);
        if coefficients.is_empty() || self.0[0].variance <= 0.0 {
            return (1.0, 0);
        }
        let sum = coefficients.iter().sum::<f64>().min(MOST);
        ((variance / self.0[0].variance / (1.0 - sum).powi(2)).max(1.0), coefficients.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_autocovariances_of_a_process_give_its_coefficients() {
        // x_t = 0.5 x_(t−1) − 0.3 x_(t−2) + e_t with variance 1 of e: γ from the Yule–Walker equations.
        let (a, b) = (0.5, -0.3);
        let rho1 = a / (1.0 - b);
        let rho2 = a * rho1 + b;
        let gamma0 = 1.0 / (1.0 - a * rho1 - b * rho2);
        let rho3 = a * rho2 + b * rho1;
        let covariances: Vec<f64> = [1.0, rho1, rho2, rho3].iter().map(|rho| gamma0 * rho).collect();
        let recursion = Orders::of_covariances(&covariances, 10_000);
        let best = recursion.best(1);
        assert_eq!(best.coefficients.len(), 2, "{best:?}");
        assert!((best.coefficients[0] - a).abs() < 1e-12 && (best.coefficients[1] - b).abs() < 1e-12, "{best:?}");
        assert!((best.variance - 1.0).abs() < 1e-12, "{best:?}");
        let (ratio, order) = recursion.long_run_ratio();
        assert_eq!(order, 2);
        assert!((ratio - (1.0_f64 / gamma0 / (1.0 - a - b).powi(2)).max(1.0)).abs() < 1e-12, "{ratio}");
    }

    #[test]
    fn equal_values_are_independent() {
        let recursion = Orders::of(&[0.3; 50], 8);
        assert_eq!(recursion.best(1).coefficients, [0.0]);
        assert_eq!(recursion.long_run_ratio(), (1.0, 0));
    }
}
