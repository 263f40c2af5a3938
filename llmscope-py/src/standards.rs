//! The standards that a phase I study estimates, and phase II.

use llmscope_core::chart::cusum::{self, Cusum};
use llmscope_core::chart::ewma::{self, Ewma};
use llmscope_core::chart::{attributes, individuals, laney, moving_average, xbar};
use llmscope_core::{ChartKind, Error, PowerTransform, SigmaEstimate, Standards as CoreStandards};
use pyo3::prelude::*;

use crate::capability::SigmaEstimate as PySigmaEstimate;
use crate::chart::{Chart, bounds_of, finished};
use crate::data::{CountData, GroupedData};
use crate::document::record;
use crate::error::Result;
use crate::values::Values;

record! {
    /// The standards that a phase I study estimates and a phase II chart applies unchanged.
    ///
    /// Args:
    ///     chart: The kind of chart.
    ///     center: Center line: the mean; a proportion (p, np); counts per area (c, u).
    ///     sigma: Within sigma of a single measurement, for charts of measurements.
    ///     lambda_: Weight of the newest point of an EWMA chart.
    ///     width: Width of the limits of an EWMA chart, in sigmas of the average.
    ///     k: Allowance of a CUSUM chart, in sigmas.
    ///     h: Decision interval of a CUSUM chart, in sigmas.
    ///     headstart: Where the sums of a CUSUM chart start, as a share of ``h``.
    ///     span: Measurements in each mean of a moving average chart.
    ///     power: The power λ of the transformation on an individuals chart, 0 for the logarithm; center line and sigma
    ///         then refer to the transformed measurements.
    ///
    /// Raises:
    ///     ParameterError: If the numbers do not suit the chart.
    ///
    /// Example:
    ///     >>> import llmscope as ls
    ///     >>> ls.Standards("individuals", center=0.30, sigma=0.01).monitor([0.31, 0.36]).judge("1").is_in_control
    ///     False
    Standards(CoreStandards) {
        /// The kind of chart.
        chart: &'static str = |chart: &ChartKind| chart.name(),
        /// The center line; with a ``power``, that of the transformed measurements.
        center: f64,
        /// The within sigma, for charts of measurements.
        within: Option<PySigmaEstimate> = |within: &Option<SigmaEstimate>| within.map(PySigmaEstimate),
        /// Laney's σ_z: variation relative to the binomial or Poisson distribution.
        inflation: Option<f64>,
    }
    {
        /// The power λ of the transformation of the measurements: 0 for the logarithm, ``None`` without one.
        #[getter]
        fn power(&self) -> Option<f64> {
            self.0.transform.map(PowerTransform::lambda)
        }

        #[new]
        #[pyo3(signature = (
            chart, center, sigma = None, *, lambda_ = 0.2, width = 3.0, k = 0.5, h = 5.0, headstart = 0.0, span = 5,
            power = None
        ))]
        #[allow(clippy::too_many_arguments, reason = "keyword arguments in Python")]
        fn new(
            chart: &str,
            center: f64,
            sigma: Option<f64>,
            lambda_: f64,
            width: f64,
            k: f64,
            h: f64,
            headstart: f64,
            span: usize,
            power: Option<f64>,
        ) -> Result<Self> {
            let kind: ChartKind = chart.parse()?;
            let transform = power.map(PowerTransform::new).transpose()?;
            if let Some(power) = power.filter(|_| kind != ChartKind::Individuals && !kind.has_memory()) {
                return Err(Error::Parameter {
                    name: "power",
                    value: format!("{power} with chart {kind}"),
                    expected: "no power, because only charts of single measurements have a transformation",
                }
                .into());
            }
            if kind.is_attribute() {
                return Ok(Self(CoreStandards::of_counts(kind, center)?));
            }
            let sigma = sigma.ok_or(Error::Parameter {
                name: "sigma",
                value: String::new(),
                expected: "a number, for a chart of measurements",
            })?;
            let standards = CoreStandards::of_measurements(kind, center, SigmaEstimate::given(sigma)?)?;
            let ewma = if kind == ChartKind::Ewma { Some(Ewma::new(lambda_, width)?) } else { None };
            let cusum = if kind == ChartKind::Cusum { Some(Cusum::new(k, h, headstart)?) } else { None };
            let span = (kind == ChartKind::MovingAverage).then_some(span);
            Ok(Self(CoreStandards { transform, ewma, cusum, span, ..standards }))
        }

        /// Phase II: a chart of new data against these standards. See :meth:`Chart.monitor`.
        #[pyo3(signature = (values, *, subgroups = None, sizes = None, bounds = (None, None), missing = "error"))]
        pub(crate) fn monitor(
            &self,
            py: Python<'_>,
            values: &Bound<'_, PyAny>,
            subgroups: Option<&Bound<'_, PyAny>>,
            sizes: Option<&Bound<'_, PyAny>>,
            bounds: (Option<f64>, Option<f64>),
            missing: &str,
        ) -> Result<Chart> {
            let (standards, bounds, missing) = (self.0, bounds_of(bounds), missing.parse()?);
            let kind = standards.chart;
            if kind.is_attribute() {
                let data = CountData::read(values, sizes, kind)?;
                return finished(py, data.counts.len(), move || {
                    let counts = data.checked(kind)?;
                    let laney = kind.is_laney();
                    let chart = if laney { laney::monitor } else { attributes::monitor }(&standards, &counts)?;
                    Ok(Chart::of(chart))
                });
            }
            if kind.needs_subgroups() {
                let data = GroupedData::read(values, subgroups, missing)?;
                return finished(py, data.values.len(), move || {
                    let chart = data.with(|subgroups| xbar::monitor(&standards, subgroups))?;
                    Ok(Chart::of(chart.with_bounds(bounds)))
                });
            }
            let values = Values::read(values)?;
            finished(py, values.len(), move || {
                Chart::of_sample(values, missing, bounds, |sample| match kind {
                    ChartKind::Ewma => ewma::monitor(&standards, sample),
                    ChartKind::Cusum => cusum::monitor(&standards, sample),
                    ChartKind::MovingAverage => moving_average::monitor(&standards, sample),
                    _ => individuals::monitor(&standards, sample),
                })
            })
        }
    }
}
