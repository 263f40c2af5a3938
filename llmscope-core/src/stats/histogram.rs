//! Histograms with equal bins.

use super::{QuantileMethod, Sorted};
use crate::cast::float;

/// The number of values in each of several equal bins between the smallest and the largest value.
#[doc(alias = "Freedman-Diaconis")]
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    low: f64,
    high: f64,
    counts: Vec<usize>,
}

/// The maximum number of bins that a drawing can show; with distant outliers the rule would need thousands.
const MOST_BINS: f64 = 80.0;

impl Histogram {
    /// The histogram of a sample, with bins of the width 2·IQR/∛n (Freedman & Diaconis 1981, *Zeitschrift für
    /// Wahrscheinlichkeitstheorie und verwandte Gebiete* 57). The bins are widened slightly so that a whole number of
    /// them covers the range; at most 80 are used. If the interquartile range is 0, there are 1 + log₂ n bins (Sturges
    /// 1926).
    ///
    /// Each bin includes its lower edge and excludes its upper edge; the last bin includes both. `None` for an empty
    /// sample.
    ///
    /// ```
    /// use llmscope_core::stats::{Histogram, Sorted};
    ///
    /// let histogram = Histogram::of(&Sorted::of(&[1.0, 2.0, 2.0, 3.0, 3.0, 3.0, 4.0, 9.0])).unwrap();
    /// assert_eq!(histogram.counts(), [3, 3, 1, 0, 0, 0, 1]);
    /// assert_eq!(histogram.bin(6).1, 9.0);
    /// ```
    #[must_use]
    pub fn of(sorted: &Sorted) -> Option<Self> {
        let values = sorted.values();
        let (&low, &high) = (values.first()?, values.last()?);
        let quartile = |p| sorted.quantile(p, QuantileMethod::HyndmanFan7);
        let width = 2.0 * (quartile(0.75)? - quartile(0.25)?) / float(values.len()).cbrt();
        let wanted = if width > 0.0 { (high - low) / width } else { 1.0 + float(values.len()).log2() };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 1..=80")]
        let bins = if high > low { wanted.ceil().clamp(1.0, MOST_BINS) as usize } else { 1 };
        let mut histogram = Self { low, high, counts: vec![0; bins] };
        let mut bin = 0;
        for &value in values {
            while bin + 1 < bins && value >= histogram.edge(bin + 1) {
                bin += 1;
            }
            histogram.counts[bin] += 1;
        }
        Some(histogram)
    }

    /// The number of values in each bin, from the lowest bin to the highest.
    #[must_use]
    pub fn counts(&self) -> &[usize] {
        &self.counts
    }

    /// The two edges of a bin.
    ///
    /// ```
    /// use llmscope_core::stats::{Histogram, Sorted};
    ///
    /// let histogram = Histogram::of(&Sorted::of(&[1.0, 2.0, 2.0, 3.0, 3.0, 3.0, 4.0, 9.0])).unwrap();
    /// assert_eq!(histogram.bin(0).0, 1.0);
    /// assert_eq!(histogram.bin(1).0, histogram.bin(0).1);
    /// ```
    #[must_use]
    pub fn bin(&self, index: usize) -> (f64, f64) {
        (self.edge(index), self.edge(index + 1))
    }

    fn edge(&self, index: usize) -> f64 {
        if index >= self.counts.len() {
            return self.high;
        }
        self.low + (self.high - self.low) * (float(index) / float(self.counts.len()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_value_is_counted_once(values in prop::collection::vec(-1e6..1e6f64, 1..400)) {
            let histogram = Histogram::of(&Sorted::of(&values)).expect("not empty");
            prop_assert_eq!(histogram.counts().iter().sum::<usize>(), values.len());
            prop_assert!(histogram.counts().len() <= 80);
            for (index, &count) in histogram.counts().iter().enumerate() {
                let (low, high) = histogram.bin(index);
                let last = index + 1 == histogram.counts().len();
                let inside = |x: f64| x >= low && (x < high || last && x <= high);
                prop_assert_eq!(values.iter().filter(|&&x| inside(x)).count(), count);
            }
        }
    }

    /// `numpy.histogram([(k * k % 97) ** 2 / 97 for k in range(200)], bins="fd")`, NumPy 2.4.6.
    #[test]
    fn agrees_with_numpy() {
        let values: Vec<f64> = (0..200_u32).map(|k| f64::from(k * k % 97).powi(2) / 97.0).collect();
        let histogram = Histogram::of(&Sorted::of(&values)).expect("not empty");
        assert_eq!(histogram.counts(), [88, 32, 20, 16, 16, 28]);
        assert_eq!(histogram.bin(1), (15.835_051_546_391_753, 31.670_103_092_783_506));
    }

    #[test]
    fn constant_and_nearly_constant_samples_have_bins() {
        let one = Histogram::of(&Sorted::of(&[0.5; 20])).expect("not empty");
        assert_eq!((one.counts(), one.bin(0)), (&[20][..], (0.5, 0.5)));
        let mut nearly = [0.5; 20];
        nearly[7] = 0.9;
        assert_eq!(Histogram::of(&Sorted::of(&nearly)).expect("not empty").counts(), [19, 0, 0, 0, 0, 1]);
        assert_eq!(Histogram::of(&Sorted::of(&[])), None);
    }
}
