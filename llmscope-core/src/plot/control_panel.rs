//! A panel with a control chart: zones, limits, points, and rings around signals.

use std::collections::BTreeSet;
use std::ops::Range;

use super::axis::{Axis, with_near};
use super::broken_rule::{BrokenRule, rule_color};
use super::frame::Frame;
use super::style::{CENTER, LIMITS, MUTED, POINT, SPECIFICATION, TICK_WIDTH, ticks};
use super::svg::{Anchor, CHARACTER, Picture};
use crate::analysis::Drawing;
use crate::capability::SpecificationLimits;
use crate::cast::float;
use crate::chart::Chart;
use crate::limits::Line;
use crate::metric::Unit;
use crate::quantity::{in_unit, number_to, scale_of};
use crate::rules::Violation;
use crate::sample::ranges_between;

/// The height of a lane of a violated rule.
pub(super) const LANE: f64 = 8.0;
/// Points per unit of width up to which each point is a dot: 400 in a picture of one chart.
const DOTS_PER_UNIT: f64 = 0.458;

/// Zones C, B and A: from the center line outwards.
const ZONES: [(f64, &str); 3] = [(3.0, "#fde8e4"), (2.0, "#fdf6dc"), (1.0, "#e6f4ea")];

/// The area between the lines of a CUSUM.
const DECISION_INTERVAL: [(f64, &str); 1] = [(3.0, "#e6f4ea")];

/// The plotted quantity.
pub(super) struct Quantity {
    pub(super) name: String,
    pub(super) unit: Unit,
    pub(super) specification: Option<SpecificationLimits>,
}

/// The chart area with its two axes.
pub(super) struct ControlPanel<'a> {
    drawing: &'a Drawing,
    frame: Frame,
    quantity: &'a Quantity,
    /// The smallest and the largest displayed value.
    range: (f64, f64),
    x: Axis,
    y: Axis,
    factor: f64,
    symbol: &'static str,
}

impl<'a> ControlPanel<'a> {
    /// A panel that shows the chart of a quantity in a frame.
    pub(super) fn new(drawing: &'a Drawing, quantity: &'a Quantity, frame: Frame) -> Self {
        let (low, high) = value_range(quantity.specification, drawing);
        // All numbers of the drawing have the same unit.
        let (factor, symbol) = scale_of(quantity.unit, low.abs().max(high.abs()));
        let margin = (high - low) * 0.04;
        Self {
            drawing,
            frame,
            quantity,
            range: (low, high),
            x: axis_of_time(length(&drawing.chart), frame),
            y: Axis::new(((low - margin) * factor, (high + margin) * factor), (frame.bottom, frame.top)),
            factor,
            symbol,
        }
    }

    /// The panel with an axis of time for `length` points, to share it with another panel.
    pub(super) fn with_length(self, length: usize) -> Self {
        Self { x: axis_of_time(length, self.frame), ..self }
    }

    /// The position of a point on the axis of time: for a moving range, that of its later measurement.
    fn position(&self, point: usize) -> f64 {
        float(self.drawing.chart.positions.as_ref().map_or(point, |positions| positions[point]))
    }

    fn x(&self, point: usize) -> f64 {
        self.x.at(self.position(point))
    }

    pub(super) const fn frame(&self) -> Frame {
        self.frame
    }

    /// The position between a point and the previous one.
    pub(super) fn between(&self, point: usize) -> f64 {
        self.x.at(self.position(point) - 0.5)
    }

    /// The title of the axis of values, above its left end.
    fn title(&self) -> String {
        in_unit(&self.quantity.name, self.symbol)
    }

    /// Where the title of the axis of values ends, roughly.
    pub(super) fn end_of_title(&self) -> f64 {
        self.frame.left + CHARACTER * float(self.title().chars().count())
    }

    fn y(&self, value: f64) -> f64 {
        self.y.at(value * self.factor).clamp(self.frame.top, self.frame.bottom)
    }

    /// Zones, axis of values, points, lines and signals.
    pub(super) fn draw(&self, picture: &mut Picture) {
        self.zones(picture);
        self.axis_of_values(picture);
        self.points(picture);
        self.lines(picture);
        self.signals(picture);
    }

    fn zones(&self, picture: &mut Picture) {
        let limits = &self.drawing.chart.limits;
        // Sums have no zones, only a decision interval.
        let zones = if self.drawing.chart.lower_points.is_some() { &DECISION_INTERVAL[..] } else { &ZONES[..] };
        for &(multiple, fill) in zones {
            // Zone A ends at the drawn limits, which are clamped to the physical bounds.
            let upper = |i: usize| limits.zone_edge(i, multiple).min(limits.upper.at(i));
            let lower = |i: usize| limits.zone_edge(i, -multiple).max(limits.lower.at(i));
            let mut edge = self.steps(upper);
            edge.extend(self.steps(lower).into_iter().rev());
            picture.path(edge, true, &format!(r#"fill="{fill}""#));
        }
    }

    /// A line that may change at every point, drawn as steps; at most a few per pixel.
    fn steps(&self, value: impl Fn(usize) -> f64) -> Vec<(f64, f64)> {
        let count = self.drawing.chart.points.len();
        let mut corners: Vec<(f64, f64)> = Vec::new();
        for i in 0..count {
            let y = self.y(value(i));
            if corners.last().is_none_or(|&(_, last)| (last - y).abs() > 0.05) {
                if let Some(&(_, last)) = corners.last() {
                    corners.push((self.x.at(self.position(i) - 0.5), last));
                }
                corners.push((self.x.at(self.position(i) - 0.5), y));
            }
        }
        corners.extend(corners.last().map(|&(_, y)| (self.frame.right, y)));
        corners
    }

    fn axis_of_values(&self, picture: &mut Picture) {
        let Frame { left, top, .. } = self.frame;
        self.frame.draw_values(picture, &self.y);
        picture.text((left, top - 8.0), Anchor::Start, MUTED, &self.title());
    }

    /// The axis of time, below the panel.
    pub(super) fn axis_of_time(&self, picture: &mut Picture) {
        let what = if self.drawing.chart.kind.needs_subgroups() { "subgroup" } else { "point" };
        self.frame.draw_positions(picture, &self.x, ticks(self.frame.width(), TICK_WIDTH), what);
    }

    /// Center line, control limits and specification limits, each with its value in the right margin.
    fn lines(&self, picture: &mut Picture) {
        let limits = &self.drawing.chart.limits;
        let last = self.drawing.chart.points.len() - 1;
        let resolution = limits.plotted_sigma(last) / 10.0 * self.factor;
        let mut labels: Vec<(f64, String, &str)> = Vec::new();
        let mut line = |picture: &mut Picture, name: &str, line: &Line, color: &'static str, dash: &str| {
            let style = format!(r#"fill="none" stroke="{color}" stroke-width="1.3" {dash}"#);
            picture.path(self.steps(|i| line.at(i)), false, &style);
            labels.push((
                self.y(line.at(last)),
                format!("{name} {}", number_to(line.at(last) * self.factor, resolution)),
                color,
            ));
        };
        line(picture, "UCL", &limits.upper, LIMITS, r#"stroke-dasharray="6 4""#);
        line(picture, "CL", &limits.center, CENTER, "");
        line(picture, "LCL", &limits.lower, LIMITS, r#"stroke-dasharray="6 4""#);
        for (name, value) in self.specification() {
            line(picture, name, &Line::Constant(value), SPECIFICATION, r#"stroke-dasharray="2 3""#);
        }
        labels.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut lowest = f64::NEG_INFINITY;
        for (y, text, color) in labels {
            // Labels of lines that are close together are moved apart.
            let y = (y + 4.0).max(lowest + 14.0);
            lowest = y;
            picture.text((self.frame.right + 8.0, y), Anchor::Start, &format!(r#"fill="{color}""#), &text);
        }
    }

    fn specification(&self) -> Vec<(&'static str, f64)> {
        let Some(limits) = self.quantity.specification else { return Vec::new() };
        let (low, high) = self.range;
        [("USL", limits.upper), ("LSL", limits.lower)]
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .filter(|&(_, value)| (low..=high).contains(&value))
            .collect()
    }

    /// The points, joined except across gaps. With more points than pixels, the extremes of each pixel column.
    fn points(&self, picture: &mut Picture) {
        self.joined(picture, &self.drawing.chart.points, "#475569");
        if let Some(lower) = &self.drawing.chart.lower_points {
            self.joined(picture, lower, "#0072b2");
        }
    }

    fn joined(&self, picture: &mut Picture, points: &[f64], color: &str) {
        let breaks = &self.drawing.chart.breaks;
        let dots = float(points.len()) <= DOTS_PER_UNIT * self.frame.width();
        for Range { start, end } in ranges_between(breaks, points.len()) {
            let line = self.thinned(points, start, end);
            let style = format!(r#"fill="none" stroke="{color}" stroke-width="1" stroke-linejoin="round""#);
            picture.path(line.iter().copied(), false, &style);
            if dots || end - start == 1 {
                for position in line {
                    picture.circle(position, 1.8, POINT);
                }
            }
        }
    }

    fn thinned(&self, points: &[f64], start: usize, end: usize) -> Vec<(f64, f64)> {
        let position = |i: usize| (self.x(i), self.y(points[i]));
        if float(end - start) <= 2.0 * self.frame.width() {
            return (start..end).map(position).collect();
        }
        let mut line: Vec<(f64, f64)> = Vec::new();
        for i in start..end {
            let (x, y) = position(i);
            let n = line.len();
            match line.get(n.wrapping_sub(2)) {
                // The last two entries are the lowest and highest of this column.
                Some(&(column, _)) if n >= 2 && column == x.floor() => {
                    line[n - 2].1 = line[n - 2].1.min(y);
                    line[n - 1].1 = line[n - 1].1.max(y);
                }
                _ => line.extend([(x.floor(), y), (x.floor(), y)]),
            }
        }
        line
    }

    /// A ring around every point at which a rule signals, in the color of the first such rule. If points are denser
    /// than pixels, only points beyond the limits have a ring; the lanes show the other signals.
    fn signals(&self, picture: &mut Picture) {
        let cell = if self.is_dense() { 4.0 } else { 1.0 };
        let mut drawn = BTreeSet::new();
        for (i, mask) in self.drawing.judgement.signals.iter().enumerate() {
            let value = self.signalling(i);
            let Some(rule) = (0..self.drawing.rules.rules().len()).find(|&rule| mask.contains(rule)) else { continue };
            if self.is_dense() && self.drawing.is_inside(i, value) {
                continue;
            }
            let (x, y) = (self.x(i), self.y(value));
            // Of several rings at the same position, only one is drawn.
            #[allow(clippy::cast_possible_truncation, reason = "pixels")]
            if drawn.insert(((x / cell) as i32, (y / cell) as i32, rule)) {
                let style = format!(r#"fill="none" stroke="{}" stroke-width="1.6""#, rule_color(rule));
                picture.circle((x, y), 4.0, &style);
            }
        }
    }

    /// True if there are too many points to distinguish.
    fn is_dense(&self) -> bool {
        float(self.drawing.chart.points.len()) > 2.0 * self.frame.width()
    }

    /// The plotted value at a point that signals: for a CUSUM, the sum that is beyond its limit.
    fn signalling(&self, point: usize) -> f64 {
        let chart = &self.drawing.chart;
        let upper = chart.points[point];
        let lower = chart.lower_points.as_ref().map(|lower| lower[point]);
        lower.filter(|_| self.drawing.is_inside(point, upper)).unwrap_or(upper)
    }

    /// A lane for each violated rule, the first one around `top`: thin where a pattern builds up, thick where it
    /// signals.
    pub(super) fn lanes(&self, picture: &mut Picture, broken: &[BrokenRule], top: f64) {
        for (lane, broken) in broken.iter().enumerate() {
            let y = top + LANE * float(lane);
            let bar = |picture: &mut Picture, first: usize, last: usize, height: f64| {
                let (left, right) = (self.x.at(float(first) - 0.4), self.x.at(float(last) + 0.4));
                let size = ((right - left).max(1.2), height);
                picture.rectangle((left, y - height / 2.0), size, rule_color(broken.rule));
            };
            // Violations have positions on the axis of time.
            let mut right_end = f64::NEG_INFINITY;
            for violation in self.violations_of(broken.rule) {
                // Bars within one pixel of the previous one are indistinguishable from it.
                let end = self.x.at(float(violation.last));
                if end - right_end >= 0.5 {
                    bar(picture, violation.first, violation.last, 1.4);
                    bar(picture, violation.first_signal, violation.last, LANE - 2.0);
                    right_end = end;
                }
            }
        }
    }

    fn violations_of(&self, rule: usize) -> impl Iterator<Item = &'a Violation> {
        let code = self.drawing.rules.rules()[rule].code();
        self.drawing.judgement.violations.iter().filter(move |violation| violation.rule == *code)
    }
}

/// The number of positions on the axis of time of a chart.
fn length(chart: &Chart<'_>) -> usize {
    let positions = chart.positions.as_ref().map(|positions| positions.last().map_or(0, |last| last + 1));
    positions.unwrap_or(chart.points.len())
}

fn axis_of_time(length: usize, frame: Frame) -> Axis {
    Axis::new((-0.5, float(length.saturating_sub(1)) + 0.5), (frame.left, frame.right))
}

/// The range of the drawing: points, limits, and specification limits unless they are far away.
fn value_range(specification: Option<SpecificationLimits>, drawing: &Drawing) -> (f64, f64) {
    let limits = specification.map_or([None, None], |limits| [limits.lower, limits.upper]);
    with_near(drawing.extent().unwrap_or_default(), limits.into_iter().flatten())
}
