//! The drawing of a control chart: zones, limits, points, violations, legend.

use std::collections::BTreeSet;
use std::ops::Range;

use super::axis::Axis;
use super::svg::{Anchor, Picture};
use crate::analysis::{Analysis, Drawing, Verdict};
use crate::capability::SpecificationLimits;
use crate::cast::float;
use crate::chart::ChartKind;
use crate::limits::Line;
use crate::metric::{Metric, Unit};
use crate::quantity::{counted, number_to, scale_of};
use crate::rules::{Rule, Violation};
use crate::sample::ranges_between;

const WIDTH: f64 = 1100.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = WIDTH - 150.0;
const TOP: f64 = 88.0;
const BOTTOM: f64 = 456.0;
const LANES: f64 = BOTTOM + 52.0;
const LANE: f64 = 8.0;
const LEGEND_LINE: f64 = 20.0;

const MUTED: &str = r##"fill="#64748b""##;
const HEADING: &str = r##"font-size="17" font-weight="600" fill="#0f172a""##;

/// One color per rule, distinguishable for color-blind readers (Okabe & Ito 2008, darkened), repeated beyond eight.
const RULE_COLORS: [&str; 8] = ["#d1242f", "#0072b2", "#e08e00", "#7b3fb5", "#009e73", "#c2508f", "#8a5a00", "#2b8fb8"];

/// Zones C, B and A: from the center line outwards.
const ZONES: [(f64, &str); 3] = [(3.0, "#fde8e4"), (2.0, "#fdf6dc"), (1.0, "#e6f4ea")];

/// The area between the lines of a CUSUM.
const DECISION_INTERVAL: [(f64, &str); 1] = [(3.0, "#e6f4ea")];

/// The control chart of an analysis as SVG: 1100 units wide, readable without color, safe to embed.
///
/// For an analysis without a chart (too few data), the picture contains a message.
#[must_use]
pub fn svg(analysis: &Analysis) -> String {
    picture(&Caption::of(analysis), analysis.drawing.as_ref())
}

/// A control chart without an analysis, under a custom title, as SVG.
#[must_use]
pub fn svg_of(drawing: &Drawing, title: &str) -> String {
    let chart = &drawing.chart;
    let inside = drawing.judgement.is_in_control();
    let caption = Caption {
        title: title.to_owned(),
        quantity: String::new(),
        unit: Unit::One,
        verdict: if inside { Verdict::InControl } else { Verdict::OutOfControl },
        facts: vec![
            chart.kind.label().to_owned(),
            format!("phase {}", chart.phase.numeral()),
            format!("{} points", chart.points.len()),
        ],
        specification: None,
    };
    picture(&caption, Some(drawing))
}

/// The text around a chart.
struct Caption {
    title: String,
    quantity: String,
    unit: Unit,
    verdict: Verdict,
    facts: Vec<String>,
    specification: Option<SpecificationLimits>,
}

impl Caption {
    fn of(analysis: &Analysis) -> Self {
        let mut facts = vec![
            analysis.chart.label().to_owned(),
            format!("phase {}", analysis.phase.numeral()),
            counted(analysis.n, "measurement"),
        ];
        if analysis.excluded.failed > 0 {
            facts.push(format!("{} failed", counted(analysis.excluded.failed, "request")));
        }
        if let Some((first, last)) = analysis.drawing.as_ref().and_then(Drawing::time_span) {
            facts.push(format!("{first:.0} to {last:.0}"));
        }
        let sums = analysis.chart == ChartKind::Cusum;
        Self {
            title: title(analysis),
            quantity: if sums { format!("cumulative sums of {}", analysis.metric) } else { analysis.metric.clone() },
            unit: analysis.plotted_unit(),
            verdict: analysis.verdict,
            facts,
            // Specification limits do not apply to sums.
            specification: analysis.specification.filter(|_| !sums),
        }
    }
}

fn title(analysis: &Analysis) -> String {
    let metric = analysis.metric.parse().map_or_else(|_| analysis.metric.clone(), |m: Metric| m.label().to_owned());
    let group = analysis.group_title();
    if group.is_empty() { metric } else { format!("{group}: {metric}") }
}

fn picture(caption: &Caption, drawing: Option<&Drawing>) -> String {
    let legend = drawing.map(legend_entries).unwrap_or_default();
    let height = legend_top(legend.len()) + LEGEND_LINE * float(legend.len());
    let mut picture = Picture::new(WIDTH, height);
    heading(&mut picture, caption);
    match drawing {
        Some(drawing) if !drawing.chart.points.is_empty() => {
            Plot::new(caption, drawing).draw(&mut picture, &legend);
            draw_legend(&mut picture, &legend);
        }
        _ => picture.text((WIDTH / 2.0, 240.0), Anchor::Middle, MUTED, "not enough data for a chart"),
    }
    picture.finish(&caption.title)
}

/// The color of a verdict, shared by all output formats.
#[must_use]
pub const fn verdict_color(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::InControl => "#1a7f37",
        Verdict::OutOfControl => "#d1242f",
        Verdict::NotEnoughData => "#9a6700",
    }
}

fn heading(picture: &mut Picture, caption: &Caption) {
    let color = verdict_color(caption.verdict);
    picture.text((LEFT, 30.0), Anchor::Start, HEADING, &caption.title);
    let style = format!(r#"font-size="15" font-weight="600" fill="{color}""#);
    picture.text((RIGHT, 30.0), Anchor::End, &style, caption.verdict.label());
    picture.text((LEFT, 52.0), Anchor::Start, MUTED, &caption.facts.join(" · "));
}

/// The chart area with its two axes.
struct Plot<'a> {
    caption: &'a Caption,
    drawing: &'a Drawing,
    /// The smallest and the largest displayed value.
    range: (f64, f64),
    x: Axis,
    y: Axis,
    factor: f64,
    symbol: &'static str,
}

impl<'a> Plot<'a> {
    fn new(caption: &'a Caption, drawing: &'a Drawing) -> Self {
        let (low, high) = value_range(caption.specification, drawing);
        // All numbers of the drawing have the same unit.
        let (factor, symbol) = scale_of(caption.unit, low.abs().max(high.abs()));
        let margin = (high - low) * 0.04;
        let last = float(drawing.chart.points.len().saturating_sub(1));
        Self {
            caption,
            drawing,
            range: (low, high),
            x: Axis::new((-0.5, last + 0.5), (LEFT, RIGHT)),
            y: Axis::new(((low - margin) * factor, (high + margin) * factor), (BOTTOM, TOP)),
            factor,
            symbol,
        }
    }

    fn x(&self, point: usize) -> f64 {
        self.x.at(float(point))
    }

    fn y(&self, value: f64) -> f64 {
        self.y.at(value * self.factor).clamp(TOP, BOTTOM)
    }

    fn draw(&self, picture: &mut Picture, legend: &[Entry]) {
        self.zones(picture);
        self.axes(picture);
        self.points(picture);
        self.lines(picture);
        self.signals(picture);
        self.lanes(picture, legend);
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
                    corners.push((self.x.at(float(i) - 0.5), last));
                }
                corners.push((self.x.at(float(i) - 0.5), y));
            }
        }
        corners.extend(corners.last().map(|&(_, y)| (RIGHT, y)));
        corners
    }

    fn axes(&self, picture: &mut Picture) {
        let (ticks, decimals) = self.y.ticks(8.0);
        for tick in ticks {
            let y = self.y.at(tick);
            picture.path([(LEFT, y), (RIGHT, y)], false, r##"stroke="#94a3b8" stroke-opacity="0.25""##);
            picture.text((LEFT - 8.0, y + 4.0), Anchor::End, MUTED, &format!("{tick:.decimals$}"));
        }
        for tick in self.x.ticks(10.0).0.into_iter().filter(|tick| tick.fract() == 0.0) {
            let x = self.x.at(tick);
            picture.path([(x, BOTTOM), (x, BOTTOM + 4.0)], false, r##"stroke="#94a3b8""##);
            picture.text((x, BOTTOM + 18.0), Anchor::Middle, MUTED, &format!("{tick}"));
        }
        let unit = if self.symbol.is_empty() { String::new() } else { format!(" in {}", self.symbol) };
        picture.text((LEFT, TOP - 8.0), Anchor::Start, MUTED, &format!("{}{unit}", self.caption.quantity));
        let what = if self.drawing.chart.kind.needs_subgroups() { "subgroup" } else { "point" };
        picture.text((RIGHT, BOTTOM + 36.0), Anchor::End, MUTED, &format!("{what}, in time order"));
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
        line(picture, "UCL", &limits.upper, "#b42318", r#"stroke-dasharray="6 4""#);
        line(picture, "CL", &limits.center, "#1a7f37", "");
        line(picture, "LCL", &limits.lower, "#b42318", r#"stroke-dasharray="6 4""#);
        for (name, value) in self.specification() {
            line(picture, name, &Line::Constant(value), "#6d28d9", r#"stroke-dasharray="2 3""#);
        }
        labels.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut lowest = f64::NEG_INFINITY;
        for (y, text, color) in labels {
            // Labels of lines that are close together are moved apart.
            let y = (y + 4.0).max(lowest + 14.0);
            lowest = y;
            picture.text((RIGHT + 8.0, y), Anchor::Start, &format!(r#"fill="{color}""#), &text);
        }
    }

    fn specification(&self) -> Vec<(&'static str, f64)> {
        let Some(limits) = self.caption.specification else { return Vec::new() };
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
        let dots = points.len() <= 400;
        for Range { start, end } in ranges_between(breaks, points.len()) {
            let line = self.thinned(points, start, end);
            let style = format!(r#"fill="none" stroke="{color}" stroke-width="1" stroke-linejoin="round""#);
            picture.path(line.iter().copied(), false, &style);
            if dots || end - start == 1 {
                for position in line {
                    picture.circle(position, 1.8, r##"fill="#334155""##);
                }
            }
        }
    }

    fn thinned(&self, points: &[f64], start: usize, end: usize) -> Vec<(f64, f64)> {
        let position = |i: usize| (self.x(i), self.y(points[i]));
        if float(end - start) <= 2.0 * (RIGHT - LEFT) {
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
                let style = format!(r#"fill="none" stroke="{}" stroke-width="1.6""#, color(rule));
                picture.circle((x, y), 4.0, &style);
            }
        }
    }

    /// True if there are too many points to distinguish.
    fn is_dense(&self) -> bool {
        float(self.drawing.chart.points.len()) > 2.0 * (RIGHT - LEFT)
    }

    /// The plotted value at a point that signals: for a CUSUM, the sum that is beyond its limit.
    fn signalling(&self, point: usize) -> f64 {
        let chart = &self.drawing.chart;
        let upper = chart.points[point];
        let lower = chart.lower_points.as_ref().map(|lower| lower[point]);
        lower.filter(|_| self.drawing.is_inside(point, upper)).unwrap_or(upper)
    }

    /// A lane below the axis for each violated rule: thin where a pattern builds up, thick where it signals.
    fn lanes(&self, picture: &mut Picture, legend: &[Entry]) {
        for (lane, entry) in legend.iter().enumerate() {
            let y = LANES + LANE * float(lane);
            let bar = |picture: &mut Picture, first: usize, last: usize, height: f64| {
                let (left, right) = (self.x.at(float(first) - 0.4), self.x.at(float(last) + 0.4));
                let size = ((right - left).max(1.2), height);
                picture.rectangle((left, y - height / 2.0), size, color(entry.rule));
            };
            let mut right_end = f64::NEG_INFINITY;
            for violation in self.violations_of(entry.rule) {
                // Bars within one pixel of the previous one are indistinguishable from it.
                if self.x(violation.last) - right_end >= 0.5 {
                    bar(picture, violation.first, violation.last, 1.4);
                    bar(picture, violation.first_signal, violation.last, LANE - 2.0);
                    right_end = self.x(violation.last);
                }
            }
        }
    }

    fn violations_of(&self, rule: usize) -> impl Iterator<Item = &'a Violation> {
        let code = self.drawing.rules.rules()[rule].code();
        self.drawing.judgement.violations.iter().filter(move |violation| violation.rule == *code)
    }
}

/// The range of the drawing: points, limits, and specification limits unless they are far away.
fn value_range(specification: Option<SpecificationLimits>, drawing: &Drawing) -> (f64, f64) {
    let (low, high) = drawing.extent().unwrap_or_default();
    let near = (low - 1.5 * (high - low))..=(high + 1.5 * (high - low));
    let limits = specification.map_or([None, None], |limits| [limits.lower, limits.upper]);
    limits
        .into_iter()
        .flatten()
        .filter(|limit| near.contains(limit))
        .fold((low, high), |(a, b), limit| (a.min(limit), b.max(limit)))
}

/// A violated rule: its index in the rule set, and its text.
struct Entry {
    rule: usize,
    text: String,
}

fn legend_entries(drawing: &Drawing) -> Vec<Entry> {
    let rules = drawing.rules.rules().iter().enumerate();
    rules.filter_map(|(rule, known)| Some(Entry { rule, text: places(drawing, known)? })).collect()
}

/// The violations of a rule as text; `None` without violations.
fn places(drawing: &Drawing, rule: &Rule) -> Option<String> {
    const SHOWN: usize = 6;
    let violations: Vec<_> = drawing.judgement.violations.iter().filter(|v| v.rule == *rule.code()).collect();
    let mut places: Vec<String> = violations.iter().take(SHOWN).map(|violation| violation.range()).collect();
    if violations.len() > SHOWN {
        places.push(format!("… {} in all", violations.len()));
    }
    let text = || format!("{}: {}, at {}", rule.code(), drawing.chart.kind.describe(rule), places.join(", "));
    (!violations.is_empty()).then(text)
}

/// The first line of the legend, below the lanes.
fn legend_top(entries: usize) -> f64 {
    LANES + LANE * float(entries) + 22.0
}

fn draw_legend(picture: &mut Picture, entries: &[Entry]) {
    for (index, entry) in entries.iter().enumerate() {
        let y = legend_top(entries.len()) + LEGEND_LINE * float(index);
        let style = format!(r#"fill="none" stroke="{}" stroke-width="2""#, color(entry.rule));
        picture.circle((LEFT + 6.0, y - 4.0), 5.0, &style);
        picture.text((LEFT + 20.0, y), Anchor::Start, "", &entry.text);
    }
}

fn color(rule: usize) -> &'static str {
    RULE_COLORS[rule % RULE_COLORS.len()]
}
