//! The individuals chart over its moving range chart.

use super::broken_rule::{BrokenRule, broken_rules};
use super::control_panel::{ControlPanel, LANE, Quantity};
use super::drawing::{Caption, LEFT, LEGEND_LINE, RIGHT, WIDTH, draw_legend, heading};
use super::frame::Frame;
use super::svg::Picture;
use crate::analysis::{Drawing, Verdict};
use crate::cast::float;
use crate::chart::{Chart, ChartKind};
use crate::error::{Error, Result};
use crate::metric::Unit;
use crate::quantity::counted;
use crate::rules::RuleSet;

const TOP: f64 = 88.0;
const INDIVIDUALS_HEIGHT: f64 = 270.0;
const RANGES_HEIGHT: f64 = 150.0;
/// Space between the lanes of the upper chart and the lower chart, which has its title there.
const GAP: f64 = 40.0;
/// Space between a chart without an axis of time and its first lane.
const ABOVE_LANES: f64 = 12.0;
/// Space between a chart with an axis of time and its first lane.
const AXIS_OF_TIME: f64 = 52.0;

/// The texts of a picture of several charts.
#[derive(Debug, Clone, PartialEq)]
pub struct Labels {
    /// The title.
    pub title: String,
    /// The name of the measured quantity.
    pub quantity: String,
    /// The unit of the measurements.
    pub unit: Unit,
}

/// An individuals chart and its moving range chart, judged by the rules that suit each of them (I-MR; Montgomery,
/// *Introduction to Statistical Quality Control*, ch. 6.4).
#[doc(alias("I-MR", "XmR"))]
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Imr {
    /// The chart of the level.
    pub individuals: Drawing,
    /// The chart of the dispersion. With a transformation, its ranges are those of the transformed measurements.
    pub ranges: Drawing,
}

impl Imr {
    /// Judges an individuals chart and its moving ranges. Rules that use zones do not apply to the ranges.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a chart of another kind.
    ///
    /// ```
    /// use llmscope_core::{RuleSet, Sample, SigmaEstimator, Verdict, chart::individuals, plot::Imr};
    ///
    /// let sample = Sample::new(vec![5.0, 5.2, 4.9, 5.1, 5.0, 9.0, 5.1, 4.9])?;
    /// let chart = individuals::estimate(&sample, SigmaEstimator::MedianMovingRange)?.into_owned();
    /// let pair = Imr::of(chart, &RuleSet::nelson())?;
    /// assert_eq!(pair.verdict(), Verdict::OutOfControl);
    /// assert_eq!(pair.ranges.chart.points.len(), 7);
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub fn of(chart: Chart<'static>, rules: &RuleSet) -> Result<Self> {
        if chart.kind != ChartKind::Individuals {
            let value = chart.kind.name().to_owned();
            return Err(Error::Parameter { name: "chart", value, expected: "an individuals chart" });
        }
        let ranges = chart.dispersion_chart().map(|ranges| ranges.into_owned().into_owned());
        let ranges = ranges.ok_or(Error::NotEnoughData { what: "moving ranges (values)", have: 0, need: 2 })?;
        Ok(Self { individuals: judged(chart, rules)?, ranges: judged(ranges, rules)? })
    }

    /// [`Verdict::InControl`] if no rule signals on either chart.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        Verdict::of(self.individuals.judgement.is_in_control() && self.ranges.judgement.is_in_control())
    }

    /// Both charts as one SVG picture over a shared axis of time: 1100 units wide, readable without color, safe to
    /// embed.
    #[must_use]
    pub fn svg(&self, labels: &Labels) -> String {
        let broken = self.broken_rules();
        let (individuals, ranges) = frames(broken.individuals.len());
        let lanes = ranges.bottom + AXIS_OF_TIME;
        let legend = lanes + LANE * float(broken.ranges.len()) + 22.0;
        let mut picture = Picture::new(WIDTH, legend + LEGEND_LINE * float(broken.len()));
        heading(&mut picture, &self.caption(labels), RIGHT);
        let (quantity, range) = (individual_quantity(labels), self.range_quantity(labels));
        let upper = ControlPanel::new(&self.individuals, &quantity, individuals);
        upper.draw(&mut picture);
        upper.lanes(&mut picture, &broken.individuals, individuals.bottom + ABOVE_LANES);
        let lower = self.range_panel(&range, ranges);
        lower.draw(&mut picture);
        lower.axis_of_time(&mut picture);
        lower.lanes(&mut picture, &broken.ranges, lanes);
        draw_legend(&mut picture, &broken.labelled(), legend);
        picture.finish(&labels.title)
    }

    pub(super) fn caption(&self, labels: &Labels) -> Caption {
        let chart = &self.individuals.chart;
        Caption {
            title: labels.title.clone(),
            quantity: individual_quantity(labels),
            verdict: self.verdict(),
            facts: vec![
                "individuals and moving ranges".to_owned(),
                format!("phase {}", chart.phase.numeral()),
                counted(chart.points.len(), "measurement"),
            ],
        }
    }

    /// The panel of the moving ranges, on the axis of time of the individuals.
    pub(super) fn range_panel<'a>(&'a self, quantity: &'a Quantity, frame: Frame) -> ControlPanel<'a> {
        ControlPanel::new(&self.ranges, quantity, frame).with_length(self.individuals.chart.points.len())
    }

    pub(super) fn range_quantity(&self, labels: &Labels) -> Quantity {
        let transformed = self.individuals.chart.limits.transform.is_some();
        let name = if transformed { "moving range, transformed" } else { "moving range" };
        let unit = if transformed { Unit::One } else { labels.unit };
        Quantity { name: name.to_owned(), unit, specification: None }
    }

    pub(super) fn broken_rules(&self) -> BrokenRules {
        BrokenRules { individuals: broken_rules(&self.individuals), ranges: broken_rules(&self.ranges) }
    }
}

pub(super) fn individual_quantity(labels: &Labels) -> Quantity {
    Quantity { name: labels.quantity.clone(), unit: labels.unit, specification: None }
}

/// The violated rules of both charts.
pub(super) struct BrokenRules {
    pub(super) individuals: Vec<BrokenRule>,
    pub(super) ranges: Vec<BrokenRule>,
}

impl BrokenRules {
    pub(super) fn len(&self) -> usize {
        self.individuals.len() + self.ranges.len()
    }

    /// All of them, each with the name of its chart.
    pub(super) fn labelled(self) -> Vec<BrokenRule> {
        let of = |chart: &'static str| {
            move |broken: BrokenRule| BrokenRule { text: format!("{chart}: {}", broken.text), ..broken }
        };
        let ranges = self.ranges.into_iter().map(of("moving range"));
        self.individuals.into_iter().map(of("individuals")).chain(ranges).collect()
    }
}

fn judged(chart: Chart<'static>, rules: &RuleSet) -> Result<Drawing> {
    let rules = chart.kind.fitting(rules);
    Ok(Drawing { judgement: chart.judge(&rules)?, chart, rules, times: Vec::new() })
}

/// The frames of both charts, below each other.
fn frames(lanes: usize) -> (Frame, Frame) {
    let individuals = Frame { left: LEFT, right: RIGHT, top: TOP, bottom: TOP + INDIVIDUALS_HEIGHT };
    let top = individuals.bottom + LANE * float(lanes) + GAP;
    (individuals, Frame { top, bottom: top + RANGES_HEIGHT, ..individuals })
}
