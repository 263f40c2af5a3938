//! Descriptive statistics.

use llmscope_core::stats::{self as core, QuantileMethod, Sorted};
use llmscope_core::{Error, Sample};
use numpy::PyArray1;
use pyo3::IntoPyObjectExt as _;
use pyo3::prelude::*;
use serde::{Deserialize, Serialize};

use crate::capability::checked;
use crate::document::{self, Pickled, record};
use crate::error::Result;
use crate::values::{Values, with_sample};
use crate::work::{ANALYZING, SORTING};

/// Count, mean and higher moments of a sample, in twice the precision of a float.
///
/// The moments of two parts merge to those of the whole, so the parts may be processed on different machines.
///
/// Example:
///     >>> import llmscope as ls
///     >>> ls.moments([1.0, 2.0, 4.0]).merge(ls.moments([9.0])).mean
///     4.0
#[pyclass(frozen, eq, module = "llmscope")]
#[derive(PartialEq)]
pub(crate) struct Moments(pub(crate) core::Moments);

/// The serialized form of moments.
#[derive(Serialize)]
struct Described {
    count: u64,
    min: Option<f64>,
    max: Option<f64>,
    mean: Option<f64>,
    standard_deviation: Option<f64>,
    skewness: Option<f64>,
    excess_kurtosis: Option<f64>,
}

impl Moments {
    fn described(&self) -> Described {
        Described {
            count: self.0.count(),
            min: self.0.min(),
            max: self.0.max(),
            mean: self.0.mean(),
            standard_deviation: self.0.standard_deviation(),
            skewness: self.0.skewness(),
            excess_kurtosis: self.0.excess_kurtosis(),
        }
    }
}

#[pymethods]
impl Moments {
    /// Number of values.
    #[getter]
    fn count(&self) -> u64 {
        self.0.count()
    }

    /// Smallest value; ``None`` without data.
    #[getter]
    fn min(&self) -> Option<f64> {
        self.0.min()
    }

    /// Largest value; ``None`` without data.
    #[getter]
    fn max(&self) -> Option<f64> {
        self.0.max()
    }

    /// Arithmetic mean; ``None`` without data.
    #[getter]
    fn mean(&self) -> Option<f64> {
        self.0.mean()
    }

    /// Sample variance with n − 1; ``None`` for fewer than two values.
    #[getter]
    fn variance(&self) -> Option<f64> {
        self.0.variance()
    }

    /// Sample standard deviation with n − 1; ``None`` for fewer than two values.
    #[getter]
    fn standard_deviation(&self) -> Option<f64> {
        self.0.standard_deviation()
    }

    /// Skewness g₁ (Joanes & Gill 1998); ``None`` without variation.
    #[getter]
    fn skewness(&self) -> Option<f64> {
        self.0.skewness()
    }

    /// Excess kurtosis g₂ (Joanes & Gill 1998); ``None`` without variation.
    #[getter]
    fn excess_kurtosis(&self) -> Option<f64> {
        self.0.excess_kurtosis()
    }

    /// The moments of both samples combined.
    fn merge(&self, other: &Self) -> Self {
        Self(self.0.merge(&other.0))
    }

    /// The moments as a dictionary.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        document::to_dict(py, &self.described())
    }

    /// The moments as JSON.
    fn to_json(&self) -> PyResult<String> {
        document::to_json(&self.described())
    }

    fn __repr__(&self) -> PyResult<String> {
        document::repr("Moments", &self.described())
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Pickled<'py>> {
        document::reduce(py, "Moments", &self.0)
    }
}

record! {
    /// Anderson–Darling test of normality.
    Normality(core::Normality) {
        /// The statistic A².
        anderson_darling: f64,
        /// Its p-value (Stephens 1986); small if the data are not normal.
        p: f64,
    }
}

/// A change with its size.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct SizedChange {
    at: usize,
    z: f64,
    p: f64,
    #[serde(flatten)]
    measured: core::ChangeSize,
}

record! {
    /// A change of the level, with its size between the two neighboring stages.
    ChangePoint(SizedChange) {
        /// Position of the first value after the change, 0-based.
        at: usize,
        /// The standardized rank sum statistic of the values before and after the change.
        z: f64,
        /// An upper bound of the probability of so clear a change anywhere if the level never changes.
        p: f64,
    }
    {
        /// ``"ratio"`` if all values are positive, otherwise ``"difference"``.
        #[getter]
        fn contrast(&self) -> &'static str {
            self.0.measured.contrast.name()
        }

        /// The size: the median of the contrasts of all pairs of values across the change (Hodges & Lehmann 1963). A
        /// ratio has no unit; a difference has that of the values.
        #[getter]
        fn size(&self) -> f64 {
            self.0.measured.size
        }

        /// The interval of the size, ``(lower, upper)``; ``None`` if the stages are too short for the confidence.
        #[getter]
        fn interval(&self) -> Option<(f64, f64)> {
            self.0.measured.interval
        }

        /// Median of the stage before the change, in the unit of the values.
        #[getter]
        fn before(&self) -> f64 {
            self.0.measured.before
        }

        /// Median of the stage after the change, in the unit of the values.
        #[getter]
        fn after(&self) -> f64 {
            self.0.measured.after
        }
    }
}

/// Count, mean, standard deviation, skewness and kurtosis in one pass.
///
/// Source: Chan, Golub & LeVeque 1979; Pébay 2008, in double-double arithmetic.
///
/// Args:
///     values: Measurements. Shape (n,).
///     missing: Policy for missing values and NaN: ``"error"``, ``"break"`` or ``"drop"``.
///
/// Example:
///     >>> import llmscope as ls
///     >>> ls.moments([1.0, 2.0, 4.0]).merge(ls.moments([9.0])).mean
///     4.0
#[pyfunction]
#[pyo3(signature = (values, *, missing = "error"))]
pub(crate) fn moments(values: &Bound<'_, PyAny>, missing: &str) -> Result<Moments> {
    Ok(Moments(with_sample(values, missing, 1, |sample| Ok(core::Moments::of(sample.values())))?))
}

/// Quantiles of a sample.
///
/// Source: Hyndman & Fan 1996, *The American Statistician* 50(4).
///
/// Args:
///     values: Measurements. Shape (n,).
///     p: A probability from 0 to 1, or several.
///     method: Hyndman and Fan's number, 1 to 9; 7 is the default of NumPy and pandas.
///     missing: Policy for missing values and NaN: ``"error"``, ``"break"`` or ``"drop"``.
///
/// Returns:
///     A float for one probability, an array for several.
///
/// Raises:
///     NotEnoughDataError: Without data.
///     ParameterError: For a probability outside [0, 1] or an unknown method.
///
/// Example:
///     >>> import llmscope as ls
///     >>> ls.quantile([1.0, 2.0, 4.0, 8.0], 0.5)
///     3.0
///     >>> ls.quantile([1.0, 2.0, 4.0, 8.0], [0.0, 1.0]).tolist()
///     [1.0, 8.0]
#[pyfunction]
#[pyo3(signature = (values, p, *, method = 7, missing = "error"))]
pub(crate) fn quantile<'py>(
    py: Python<'py>,
    values: &Bound<'py, PyAny>,
    p: &Bound<'py, PyAny>,
    method: usize,
    missing: &str,
) -> Result<Bound<'py, PyAny>> {
    let refuse = |name, value: String, expected| Error::Parameter { name, value, expected };
    let method = *method
        .checked_sub(1)
        .and_then(|index| QuantileMethod::ALL.get(index))
        .ok_or_else(|| refuse("method", method.to_string(), "a number from 1 to 9"))?;
    let one = p.extract::<f64>();
    let wanted = one.as_ref().map_or_else(|_| Values::read(p).map(|p| p.filled()), |&p| Ok(vec![p]))?;
    if let Some(bad) = wanted.iter().find(|p| !(0.0..=1.0).contains(*p)) {
        Err(refuse("p", bad.to_string(), "a probability from 0 to 1"))?;
    }
    let found: Vec<f64> = with_sample(values, missing, SORTING, move |sample| {
        let sorted = Sorted::of(sample.values());
        let none = || Error::NotEnoughData { what: "a quantile (values)", have: 0, need: 1 };
        wanted.iter().map(|&p| sorted.quantile(p, method).ok_or_else(none)).collect()
    })?;
    Ok(if one.is_ok() { found[0].into_bound_py_any(py)? } else { PyArray1::from_vec(py, found).into_any() })
}

/// Anderson–Darling test of normality, with mean and standard deviation estimated from the data.
///
/// Source: Anderson & Darling 1954; p-value by Stephens 1986.
///
/// Args:
///     values: Measurements. Shape (n,).
///     missing: Policy for missing values and NaN: ``"error"``, ``"break"`` or ``"drop"``.
///
/// Returns:
///     The statistic and its p-value; ``None`` for fewer than 8 values or without variation.
///
/// Example:
///     >>> import llmscope as ls
///     >>> ls.anderson_darling([0.1, 0.2, 0.3, 0.2, 0.1, 0.3, 0.2, 9.0]).p < 0.005
///     True
#[pyfunction]
#[pyo3(signature = (values, *, missing = "error"))]
pub(crate) fn anderson_darling(values: &Bound<'_, PyAny>, missing: &str) -> Result<Option<Normality>> {
    let test = |sample: &Sample<'_>| Ok(core::anderson_darling(&Sorted::of(sample.values())));
    Ok(with_sample(values, missing, SORTING, test)?.map(Normality))
}

/// Detects changes of the level of a series from the ranks of its values, so long tails and outliers have no influence.
///
/// Wilcoxon's rank sum is computed at each position of seeded intervals. If the level never changes, the probability of
/// any detection is at most ``level``; values may be autocorrelated.
///
/// The size of a change is Hodges and Lehmann's ratio between the neighboring stages, with the interval of Mann and
/// Whitney's test: a difference if a value is not positive. Autocorrelation widens the interval. The positions count as
/// known, so the size of a change that is barely found is overstated.
///
/// Source: Miller & Siegmund 1982, *Biometrics* 38; Kovács, Bühlmann, Li & Munk 2023, *Biometrika* 110; Baranowski, Chen
/// & Fryzlewicz 2019, *JRSS B* 81. Sizes: Hodges & Lehmann 1963, *Annals of Mathematical Statistics* 34; Hollander &
/// Wolfe, section 4.3.
///
/// Args:
///     values: Measurements in time order. Shape (n,).
///     fewest: The minimum number of values between changes.
///     level: The probability of any detection if the level never changes, between 0 and 1.
///     confidence: Level of the intervals of the sizes, between 0 and 1.
///     missing: Policy for missing values and NaN: ``"error"``, ``"break"`` or ``"drop"``. Positions count only the
///         values that are present.
///     inflation: The factor 1 + 2Σρ_k by which dependence inflates the variance of a mean, if it is known, such as from
///         a long series without changes: 1 for independent values, (1 + ρ)/(1 − ρ) for a first-order autoregression.
///         By default, it is estimated.
///
/// Returns:
///     The changes in order.
///
/// Raises:
///     ParameterError: If ``fewest`` is 0, ``level`` or ``confidence`` is not between 0 and 1, or ``inflation`` is
///         below 1.
///
/// Example:
///     >>> import llmscope as ls
///     >>> level = [31.0, 29.0, 30.0, 32.0, 28.0, 30.5, 29.5, 31.5, 28.5, 30.2, 29.1, 30.9]
///     >>> change = ls.change_points(level + [1.5 * x for x in level])[0]
///     >>> change.at, change.contrast, round(change.size, 2)
///     (12, 'ratio', 1.5)
#[pyfunction]
#[pyo3(signature = (values, *, fewest = 10, level = 0.05, confidence = 0.95, missing = "error", inflation = None))]
pub(crate) fn change_points(
    values: &Bound<'_, PyAny>,
    fewest: usize,
    level: f64,
    confidence: f64,
    missing: &str,
    inflation: Option<f64>,
) -> Result<Vec<ChangePoint>> {
    let confidence = checked(confidence)?;
    if !(level > 0.0 && level < 1.0) {
        Err(Error::Parameter {
            name: "level",
            value: level.to_string(),
            expected: "a level between 0 and 1, such as 0.05",
        })?;
    }
    if fewest == 0 {
        Err(Error::Parameter { name: "fewest", value: "0".to_owned(), expected: "at least 1 value" })?;
    }
    if let Some(inflation) = inflation.filter(|&inflation| !(1.0..=f64::MAX).contains(&inflation)) {
        Err(Error::Parameter {
            name: "inflation",
            value: inflation.to_string(),
            expected: "a number of at least 1, such as 4.0",
        })?;
    }
    let find = move |sample: &Sample<'_>| {
        let changes = match inflation {
            Some(inflation) => core::change_points_given(sample, fewest, level, inflation),
            None => core::change_points_at(sample, fewest, level),
        };
        let sizes = core::change_sizes(sample, &changes, confidence);
        Ok(changes.into_iter().zip(sizes).collect::<Vec<_>>())
    };
    let found = with_sample(values, missing, ANALYZING, find)?;
    let sized = |(core::ChangePoint { at, z, p, .. }, measured)| ChangePoint(SizedChange { at, z, p, measured });
    Ok(found.into_iter().map(sized).collect())
}

/// Autocorrelation: the correlation of values that are ``lag`` points apart.
///
/// Args:
///     values: Measurements in time order. Shape (n,).
///     lag: The distance, in points.
///     missing: Policy for missing values and NaN: ``"error"``, ``"break"`` or ``"drop"``.
///
/// Returns:
///     The correlation; ``None`` without variation or without pairs at that distance.
///
/// Example:
///     >>> import llmscope as ls
///     >>> ls.autocorrelation([1.0, -1.0, 1.0, -1.0])
///     -0.75
#[pyfunction]
#[pyo3(signature = (values, lag = 1, *, missing = "error"))]
pub(crate) fn autocorrelation(values: &Bound<'_, PyAny>, lag: usize, missing: &str) -> Result<Option<f64>> {
    with_sample(values, missing, 1, move |sample| Ok(core::autocorrelation(sample, lag)))
}
