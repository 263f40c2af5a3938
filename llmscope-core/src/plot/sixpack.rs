//! Process capability on one page: charts of stability, distribution, and the indices.

use super::control_panel::ControlPanel;
use super::drawing::{Caption, LEGEND_LINE, WIDTH, draw_legend, heading};
use super::frame::Frame;
use super::histogram_panel::HistogramPanel;
use super::imr::{Imr, Labels, individual_quantity};
use super::index_table::{IndexTable, Row};
use super::probability_panel::ProbabilityPanel;
use super::recent_panel::RecentPanel;
use super::svg::Picture;
use crate::capability::{Capability, Performance, SpecificationLimits, capability, expected_ppm, performance};
use crate::cast::float;
use crate::chart::individuals;
use crate::error::Result;
use crate::metric::Bounds;
use crate::quantity::with_unit;
use crate::rules::RuleSet;
use crate::sample::Sample;
use crate::sigma::{SigmaEstimate, SigmaEstimator};
use crate::stats::{Moments, Normality, Sorted, anderson_darling};

const ROWS: [(f64, f64); 3] = [(92.0, 252.0), (332.0, 492.0), (572.0, 732.0)];
const LEFT_COLUMN: (f64, f64) = (76.0, 446.0);
const RIGHT_COLUMN: (f64, f64) = (640.0, 1064.0);
/// The first line of the legend, below the axes of the last row.
const LEGEND: f64 = 804.0;

/// How a sixpack is computed.
#[derive(Debug, Clone, PartialEq)]
pub struct SixpackPlan {
    /// Specification limits, in the unit of the measurements; without them, there are no indices.
    pub specification: Option<SpecificationLimits>,
    /// The estimator of the within sigma, which is that of the control limits, too.
    pub estimator: SigmaEstimator,
    /// Physical bounds of the quantity.
    pub bounds: Bounds,
    /// The rules of the charts.
    pub rules: RuleSet,
    /// The level of the intervals of the indices, such as 0.95.
    pub confidence: f64,
}

/// Stability, distribution and capability of single measurements: individuals chart, moving range chart, the last 25
/// values, capability histogram, normal probability plot and indices.
///
/// It shows the conditions of an index next to the index: it describes the future only of a stable process, and its
/// ppm only those of a normal one (Montgomery, *Introduction to Statistical Quality Control*, ch. 8; AIAG SPC 2nd ed.
/// 2005).
#[doc(alias = "capability sixpack")]
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Sixpack {
    /// Both control charts.
    pub charts: Imr,
    /// The measurements in increasing order.
    pub sorted: Sorted,
    /// Specification limits.
    pub specification: Option<SpecificationLimits>,
    /// Arithmetic mean.
    pub mean: f64,
    /// The within sigma.
    pub within: SigmaEstimate,
    /// The sample standard deviation.
    pub overall: f64,
    /// The indices of the within sigma; `None` without specification limits or variation.
    pub capability: Option<Capability>,
    /// The indices of the overall sigma; `None` without specification limits or variation.
    pub performance: Option<Performance>,
    /// The test of normality; `None` for fewer than 8 values or without variation.
    pub normality: Option<Normality>,
}

impl Sixpack {
    /// Computes the charts and indices of a sample.
    ///
    /// # Errors
    /// [`crate::Error::NotEnoughData`] for fewer than two values or no two adjacent ones; [`crate::Error::Parameter`]
    /// for an estimator that needs subgroups.
    ///
    /// ```
    /// use llmscope_core::plot::{Sixpack, SixpackPlan};
    /// use llmscope_core::{Bounds, RuleSet, Sample, SigmaEstimator, SpecificationLimits};
    ///
    /// let plan = SixpackPlan {
    ///     specification: Some(SpecificationLimits::new(None, Some(0.4), None)?),
    ///     estimator: SigmaEstimator::AverageMovingRange,
    ///     bounds: Bounds::NON_NEGATIVE,
    ///     rules: RuleSet::nelson(),
    ///     confidence: 0.95,
    /// };
    /// let sample = Sample::new(vec![0.31, 0.29, 0.30, 0.32, 0.30, 0.31, 0.29, 0.30])?;
    /// let sixpack = Sixpack::of(&sample, &plan)?;
    /// let index = sixpack.capability.unwrap();
    /// assert_eq!((index.cp, Some(index.cpk)), (None, index.cpu)); // one limit: no Cp
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub fn of(sample: &Sample<'_>, plan: &SixpackPlan) -> Result<Self> {
        let values = sample.values();
        let within = plan.estimator.of_sample(sample)?;
        let chart = individuals::estimate(sample, plan.estimator)?.with_bounds(plan.bounds).into_owned();
        let (moments, sorted) = (Moments::of(values), Sorted::of(values));
        let mean = moments.mean().unwrap_or_default();
        let of_limits = |limits: &SpecificationLimits| capability(mean, &within, values.len(), limits, plan.confidence);
        Ok(Self {
            charts: Imr::of(chart, &plan.rules)?,
            capability: plan.specification.as_ref().and_then(of_limits),
            performance: plan.specification.as_ref().and_then(|limits| performance(values, limits, plan.confidence)),
            normality: anderson_darling(&sorted),
            sorted,
            specification: plan.specification,
            mean,
            within,
            overall: moments.standard_deviation().unwrap_or_default(),
        })
    }

    /// The six panels as one SVG picture: 1100 units wide, readable without color, safe to embed.
    #[must_use]
    pub fn svg(&self, labels: &Labels) -> String {
        let broken = self.charts.broken_rules();
        let mut picture = Picture::new(WIDTH, LEGEND + LEGEND_LINE * float(broken.len()));
        heading(&mut picture, &self.caption(labels), RIGHT_COLUMN.1);
        self.stability(&mut picture, labels);
        self.distribution(&mut picture, labels);
        self.index_table(labels).draw(&mut picture, frame(RIGHT_COLUMN, 2));
        draw_legend(&mut picture, &broken.labelled(), LEGEND);
        picture.finish(&labels.title)
    }

    fn caption(&self, labels: &Labels) -> Caption {
        let mut caption = self.charts.caption(labels);
        if let Some(limits) = &self.specification {
            caption.facts.push(limits.describe(|value| with_unit(labels.unit, value)));
        }
        caption.facts[0] = "stability and capability".to_owned();
        caption
    }

    /// The left column: both control charts and the last values.
    fn stability(&self, picture: &mut Picture, labels: &Labels) {
        let (quantity, range) = (individual_quantity(labels), self.charts.range_quantity(labels));
        let individuals = ControlPanel::new(&self.charts.individuals, &quantity, frame(LEFT_COLUMN, 0));
        let ranges = self.charts.range_panel(&range, frame(LEFT_COLUMN, 1));
        for panel in [individuals, ranges] {
            panel.draw(picture);
            panel.axis_of_time(picture);
        }
        RecentPanel::new(&self.charts.individuals.chart, labels, frame(LEFT_COLUMN, 2)).draw(picture);
    }

    /// The right column: histogram and probability plot.
    fn distribution(&self, picture: &mut Picture, labels: &Labels) {
        HistogramPanel::new(self, labels, frame(RIGHT_COLUMN, 0)).draw(picture);
        ProbabilityPanel::new(self, labels, frame(RIGHT_COLUMN, 1)).draw(picture);
    }

    fn index_table(&self, labels: &Labels) -> IndexTable {
        let size = |sigma: f64| Some(with_unit(labels.unit, sigma));
        let mut rows = vec![Row::new("standard deviation", size(self.within.sigma), size(self.overall))];
        let Some(limits) = &self.specification else { return IndexTable { rows } };
        let (within, overall) = (self.capability, self.performance);
        rows.extend([
            Row::of_indices(
                "Cp, Pp",
                within.and_then(|c| Some((c.cp?, c.cp_interval))),
                overall.and_then(|p| Some((p.pp?, p.pp_interval))),
            ),
            Row::of_indices(
                "Cpk, Ppk",
                within.map(|c| (c.cpk, c.cpk_interval)),
                overall.map(|p| (p.ppk, p.ppk_interval)),
            ),
            Row::of_indices("Cpm", None, overall.and_then(|p| Some((p.cpm?, None)))),
            Row::of_indices(
                "Z bench",
                within.and_then(|c| Some((c.z_bench?, None))),
                overall.and_then(|p| Some((p.z_bench?, None))),
            ),
            Row::of_ppm(
                "expected ppm outside",
                expected_ppm(self.mean, self.within.sigma, limits),
                expected_ppm(self.mean, self.overall, limits),
            ),
            Row::of_ppm("observed ppm outside", None, limits.observed_ppm(self.sorted.values())),
        ]);
        rows.retain(Row::has_values);
        IndexTable { rows }
    }
}

fn frame((left, right): (f64, f64), row: usize) -> Frame {
    let (top, bottom) = ROWS[row];
    Frame { left, right, top, bottom }
}
