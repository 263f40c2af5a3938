//! The picture of one control chart: heading, chart, legend of the violations.

use super::broken_rule::{BrokenRule, broken_rules, rule_color};
use super::change_mark::ChangeMark;
use super::control_panel::{ControlPanel, LANE, Quantity};
use super::frame::Frame;
use super::style::{HEADING, MUTED};
use super::svg::{Anchor, Picture};
use crate::analysis::{Analysis, Drawing, Verdict};
use crate::cast::float;
use crate::chart::ChartKind;
use crate::metric::{Metric, Unit};
use crate::quantity::counted;

pub(super) const WIDTH: f64 = 1100.0;
pub(super) const LEFT: f64 = 76.0;
pub(super) const RIGHT: f64 = WIDTH - 150.0;
const FRAME: Frame = Frame { left: LEFT, right: RIGHT, top: 88.0, bottom: 456.0 };
const LANES: f64 = FRAME.bottom + 52.0;
/// Height of a line of the legend.
pub(super) const LEGEND_LINE: f64 = 20.0;

/// The control chart of an analysis as SVG: 1100 units wide, readable without color, safe to embed. A change of the level
/// is marked where it begins.
///
/// For an analysis without a chart (too few data), the picture contains a message.
///
/// ```
/// use llmscope_core::analysis::Series;
/// use llmscope_core::{Plan, analyze, plot};
///
/// let values: Vec<f64> = (0..30).map(|i| 10.0 + f64::from(i * 7 % 5)).collect();
/// let analysis = analyze(&Series::of_numbers("ttft_s", values), &Plan::default())?;
/// assert!(plot::svg(&analysis).starts_with("<svg "));
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[must_use]
pub fn svg(analysis: &Analysis) -> String {
    picture(&Caption::of(analysis), analysis.drawing.as_ref(), ChangeMark::of(analysis).as_ref())
}

/// A control chart without an analysis, under a custom title, as SVG.
#[must_use]
pub fn svg_of(drawing: &Drawing, title: &str) -> String {
    let chart = &drawing.chart;
    let inside = drawing.judgement.is_in_control();
    let caption = Caption {
        title: title.to_owned(),
        quantity: Quantity { name: String::new(), unit: Unit::One, specification: None },
        verdict: Verdict::of(inside),
        facts: vec![
            chart.kind.label().to_owned(),
            format!("phase {}", chart.phase.numeral()),
            format!("{} points", chart.points.len()),
        ],
    };
    picture(&caption, Some(drawing), None)
}

/// The text around a chart.
pub(super) struct Caption {
    pub(super) title: String,
    pub(super) quantity: Quantity,
    pub(super) verdict: Verdict,
    pub(super) facts: Vec<String>,
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
        if let Some(basis) = analysis.basis.filter(|basis| basis.n + basis.outliers < analysis.n) {
            facts.push(format!("limits from points {} to {}", basis.first, basis.last));
        }
        let sums = analysis.chart == ChartKind::Cusum;
        Self {
            title: title(analysis),
            quantity: Quantity {
                name: match (sums, analysis.transform) {
                    (true, Some(power)) => format!("cumulative sums of {}, {}", analysis.metric, power.describe()),
                    (true, None) => format!("cumulative sums of {}", analysis.metric),
                    (false, _) => analysis.metric.clone(),
                },
                unit: analysis.plotted_unit(),
                // Specification limits do not apply to sums.
                specification: analysis.specification.filter(|_| !sums),
            },
            verdict: analysis.patterns.verdict,
            facts,
        }
    }
}

fn title(analysis: &Analysis) -> String {
    let metric = analysis.metric.parse().map_or_else(|_| analysis.metric.clone(), |m: Metric| m.label().to_owned());
    let group = analysis.group_title();
    if group.is_empty() { metric } else { format!("{group}: {metric}") }
}

fn picture(caption: &Caption, drawing: Option<&Drawing>, change: Option<&ChangeMark>) -> String {
    let legend = drawing.map(broken_rules).unwrap_or_default();
    let height = legend_top(legend.len()) + LEGEND_LINE * float(legend.len());
    let mut picture = Picture::new(WIDTH, height);
    heading(&mut picture, caption, RIGHT);
    match drawing {
        Some(drawing) if !drawing.chart.points.is_empty() => {
            let panel = ControlPanel::new(drawing, &caption.quantity, FRAME);
            panel.draw(&mut picture);
            if let Some(change) = change {
                change.draw(&panel, &mut picture);
            }
            panel.axis_of_time(&mut picture);
            panel.lanes(&mut picture, &legend, LANES);
            draw_legend(&mut picture, &legend, legend_top(legend.len()));
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

/// Title and facts above the charts, and the verdict at their right edge.
pub(super) fn heading(picture: &mut Picture, caption: &Caption, right: f64) {
    let color = verdict_color(caption.verdict);
    picture.text((LEFT, 30.0), Anchor::Start, HEADING, &caption.title);
    let style = format!(r#"font-size="15" font-weight="600" fill="{color}""#);
    picture.text((right, 30.0), Anchor::End, &style, caption.verdict.label());
    picture.text((LEFT, 52.0), Anchor::Start, MUTED, &caption.facts.join(" · "));
}

/// The first line of the legend, below the lanes.
fn legend_top(entries: usize) -> f64 {
    LANES + LANE * float(entries) + 22.0
}

/// One line for each violated rule, the first one at `top`.
pub(super) fn draw_legend(picture: &mut Picture, broken: &[BrokenRule], top: f64) {
    for (index, broken) in broken.iter().enumerate() {
        let y = top + LEGEND_LINE * float(index);
        let style = format!(r#"fill="none" stroke="{}" stroke-width="2""#, rule_color(broken.rule));
        picture.circle((LEFT + 6.0, y - 4.0), 5.0, &style);
        picture.text((LEFT + 20.0, y), Anchor::Start, "", &broken.text);
    }
}
