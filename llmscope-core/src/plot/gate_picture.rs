//! The picture of a gate: one row for each figure, with the interval of its change against the allowed change.

use super::axis::{Axis, with_near};
use super::drawing::{WIDTH, verdict_color};
use super::frame::Frame;
use super::style::{GRID, HEADING, LIMITS, MUTED, TICK_WIDTH, WORSE, ticks};
use super::svg::{Anchor, CHARACTER, Picture};
use crate::analysis::Verdict;
use crate::cast::float;
use crate::gate::{Certified, Comparison, Decision, Gate, GateVerdict, OpenInterval, Pair};
use crate::objective::CertificateStatus;

/// The columns, from left to right: names, two columns of figures, the bars, the change, the decision.
const LEFT: f64 = 24.0;
const BASELINE: f64 = 238.0;
const CANDIDATE: f64 = 352.0;
const BARS: (f64, f64) = (376.0, 756.0);
const CHANGE: f64 = 776.0;
const DECISION: f64 = 966.0;
const RIGHT: f64 = WIDTH - LEFT;

/// The first row, below the heading and the axis.
const TOP: f64 = 112.0;
const ROW: f64 = 24.0;
/// Space above the name of a metric.
const GAP: f64 = 14.0;
/// Height of a bar.
const BAR: f64 = 8.0;
/// Length of the arrow at an end of a bar that the picture cannot show.
const ARROW: f64 = 9.0;

const BOLD: &str = r##"font-weight="600" fill="#0f172a""##;
/// The line at no change.
const NO_CHANGE: &str = r##"stroke="#64748b" stroke-width="1.2""##;

/// A gate as SVG: one row for each figure, with the interval of its change against the allowed change. 1100 units wide,
/// readable without color, safe to embed. Certificates are rows of text.
///
/// Changes are in percent, those of shares in percentage points.
#[must_use]
pub fn gate_svg(gate: &Gate) -> String {
    let layout = Layout::of(gate);
    let mut picture = Picture::new(WIDTH, layout.height);
    heading(&mut picture, gate);
    if !gate.pairs.is_empty() {
        let bars = Bars::of(gate, &layout);
        bars.axis(&mut picture);
        for (pair, top) in gate.pairs.iter().zip(&layout.pairs) {
            bars.pair(&mut picture, gate, pair, *top);
        }
        key(&mut picture, layout.bars_end + 40.0);
    }
    certificates(&mut picture, &gate.certificates, layout.certificates);
    picture.finish(&title(gate))
}

/// Where the parts of the picture begin.
struct Layout {
    /// The name of each pair.
    pairs: Vec<f64>,
    /// The end of the last row of bars.
    bars_end: f64,
    certificates: f64,
    height: f64,
}

impl Layout {
    fn of(gate: &Gate) -> Self {
        let mut at = TOP;
        let mut pairs = Vec::new();
        for pair in &gate.pairs {
            pairs.push(at);
            at += ROW * float(pair.comparisons.len() + 1) + GAP;
        }
        let bars_end = at - GAP;
        let certificates = if gate.pairs.is_empty() { 84.0 } else { bars_end + 76.0 };
        let rows = gate.certificates.len();
        let height = if rows > 0 { certificates + ROW * float(rows) + 20.0 } else { bars_end + 60.0 };
        Self { pairs, bars_end, certificates, height }
    }
}

/// Title, verdict, and the headline.
fn heading(picture: &mut Picture, gate: &Gate) {
    let color = verdict_color(match gate.verdict {
        GateVerdict::Pass => Verdict::InControl,
        GateVerdict::Fail => Verdict::OutOfControl,
        GateVerdict::NotEnoughData => Verdict::NotEnoughData,
    });
    let style = format!(r#"font-size="15" font-weight="600" fill="{color}""#);
    picture.text((LEFT, 30.0), Anchor::Start, HEADING, &title(gate));
    picture.text((RIGHT, 30.0), Anchor::End, &style, gate.label());
    picture.text((LEFT, 52.0), Anchor::Start, MUTED, &fitting(&gate.headline, RIGHT - LEFT));
}

fn title(gate: &Gate) -> String {
    let Some(first) = gate.pairs.first() else { return "Objectives of the run".to_owned() };
    let group = first.group_title();
    let what = "candidate against baseline";
    if group.is_empty() || gate.has_several_groups() {
        "Candidate against baseline".to_owned()
    } else {
        format!("{}: {what}", fitting(&group, 560.0))
    }
}

/// The rows of figures, on one axis of changes.
struct Bars {
    frame: Frame,
    x: Axis,
}

impl Bars {
    fn of(gate: &Gate, layout: &Layout) -> Self {
        let (low, high) = range(gate);
        let margin = (high - low) * 0.04;
        let frame = Frame { left: BARS.0, right: BARS.1, top: TOP - 18.0, bottom: layout.bars_end - 4.0 };
        Self { frame, x: Axis::new((low - margin, high + margin), BARS) }
    }

    /// The position of a change, at most at the edge.
    fn x(&self, change: f64) -> f64 {
        self.x.at(100.0 * change).clamp(self.frame.left, self.frame.right)
    }

    fn is_inside(&self, change: f64) -> bool {
        (self.frame.left..=self.frame.right).contains(&self.x.at(100.0 * change))
    }

    fn axis(&self, picture: &mut Picture) {
        let Frame { top, bottom, .. } = self.frame;
        let (values, decimals) = self.x.ticks(ticks(self.frame.width(), TICK_WIDTH));
        for tick in values {
            let x = self.x.at(tick);
            picture.path([(x, top), (x, bottom)], false, GRID);
            self.frame.draw_label_below(picture, x, &signed(tick, decimals));
        }
        let x = self.x.at(0.0);
        picture.path([(x, top), (x, bottom)], false, NO_CHANGE);
        let head = top - 6.0;
        for (x, anchor, name) in [
            (BASELINE, Anchor::End, "baseline"),
            (CANDIDATE, Anchor::End, "candidate"),
            (BARS.0, Anchor::Start, "change in %, of shares in percentage points"),
            (CHANGE, Anchor::Start, "change [interval]"),
            (DECISION, Anchor::Start, "decision"),
        ] {
            picture.text((x, head), anchor, MUTED, name);
        }
    }

    fn pair(&self, picture: &mut Picture, gate: &Gate, pair: &Pair, top: f64) {
        let name = pair.metric_title();
        picture.text((LEFT, top), Anchor::Start, BOLD, &fitting(name, BASELINE - LEFT));
        if gate.has_several_groups() {
            let x = LEFT + CHARACTER * float(name.chars().count()) + 16.0;
            picture.text((x, top), Anchor::Start, MUTED, &fitting(&pair.group_title(), BARS.0 - 12.0 - x));
        }
        for (row, comparison) in pair.comparisons.iter().enumerate() {
            self.row(picture, pair, comparison, top + ROW * float(row + 1));
        }
    }

    fn row(&self, picture: &mut Picture, pair: &Pair, comparison: &Comparison, y: f64) {
        let color = decision_color(comparison.decision);
        let figure = |value| fitting(&pair.figure(comparison, value), CANDIDATE - BASELINE - 8.0);
        picture.text((LEFT + 10.0, y), Anchor::Start, "", &fitting(&pair.short_title(comparison), 130.0));
        picture.text((BASELINE, y), Anchor::End, "", &figure(comparison.baseline));
        picture.text((CANDIDATE, y), Anchor::End, "", &figure(comparison.candidate));
        self.allowed(picture, comparison.allowed, y);
        if let Some(interval) = comparison.interval_of_change() {
            self.bar(picture, interval, y - 4.0, color);
        }
        if let Some(change) = comparison.size_of_change().filter(|&change| self.is_inside(change)) {
            let style = format!(r##"fill="#ffffff" stroke="{color}" stroke-width="2""##);
            picture.circle((self.x(change), y - 4.0), 4.0, &style);
        }
        picture.text((CHANGE, y), Anchor::Start, "", &comparison.change());
        let style = format!(r#"font-weight="600" fill="{color}""#);
        picture.text((DECISION, y), Anchor::Start, &style, comparison.decision.words());
    }

    /// The largest allowed change: one line across rows that allow the same.
    fn allowed(&self, picture: &mut Picture, allowed: f64, y: f64) {
        if self.is_inside(allowed) {
            let (x, style) = (self.x(allowed), allowed_style());
            picture.path([(x, y - 4.0 - ROW / 2.0), (x, y - 4.0 + ROW / 2.0)], false, &style);
        }
    }

    /// The interval, with an arrow at an end that is open or outside the picture.
    fn bar(&self, picture: &mut Picture, interval: OpenInterval, y: f64, color: &str) {
        let Frame { left, right, .. } = self.frame;
        let shown = |end: Option<f64>| end.filter(|&end| self.is_inside(end));
        let (lower, upper) = (shown(interval.lower), shown(interval.upper));
        // An interval can be outside the picture as a whole.
        let from =
            lower.map_or(if interval.lower.is_some_and(|end| end > 0.0) { right } else { left }, |end| self.x(end));
        let to =
            upper.map_or(if interval.upper.is_some_and(|end| end < 0.0) { left } else { right }, |end| self.x(end));
        let style = format!(r#"fill="{color}" fill-opacity="0.45""#);
        let (top, bottom) = (y - BAR / 2.0, y + BAR / 2.0);
        let inner = (if lower.is_none() { from + ARROW } else { from }, if upper.is_none() { to - ARROW } else { to });
        if inner.1 > inner.0 {
            let corners = [(inner.0, top), (inner.1, top), (inner.1, bottom), (inner.0, bottom)];
            picture.path(corners, true, &style);
        }
        for (is_shown, base, tip) in [(lower.is_some(), inner.0, from), (upper.is_some(), inner.1, to)] {
            if !is_shown {
                picture.path([(base, top - 3.0), (tip, y), (base, bottom + 3.0)], true, &style);
            }
        }
    }
}

/// Percent from the lowest to the highest estimate and allowed change, and the ends of intervals unless they are far away.
fn range(gate: &Gate) -> (f64, f64) {
    let percent = |change: f64| 100.0 * change;
    let comparisons = || gate.comparisons().map(|(_, comparison)| comparison);
    // An allowed change is not at the edge.
    let allowed = comparisons().flat_map(|one| [one.allowed * 2.0, -one.allowed]);
    let estimates = comparisons().filter_map(Comparison::size_of_change);
    let shown = allowed.chain(estimates).map(percent).filter(|change| change.is_finite());
    let near = shown.fold((-1.0, 1.0), |(low, high): (f64, f64), change| (low.min(change), high.max(change)));
    let ends = comparisons().filter_map(Comparison::interval_of_change).flat_map(|ends| [ends.lower, ends.upper]);
    with_near(near, ends.flatten().map(percent))
}

/// What the marks mean.
fn key(picture: &mut Picture, y: f64) {
    let mut x = LEFT;
    let mut entry = |picture: &mut Picture, draw: &dyn Fn(&mut Picture, f64), text: &str| {
        draw(picture, x);
        picture.text((x + 30.0, y), Anchor::Start, MUTED, text);
        x += 30.0 + CHARACTER * float(text.chars().count()) + 20.0;
    };
    let dashed = |picture: &mut Picture, x: f64| {
        picture.path([(x + 11.0, y - 12.0), (x + 11.0, y + 4.0)], false, &allowed_style());
    };
    let bar = |picture: &mut Picture, x: f64| picture.rectangle((x, y - 8.0), (22.0, BAR), "#94a3b8");
    let dot = |picture: &mut Picture, x: f64| {
        picture.circle((x + 11.0, y - 4.0), 4.0, r##"fill="#ffffff" stroke="#64748b" stroke-width="2""##);
    };
    let arrow = |picture: &mut Picture, x: f64| {
        picture.path(
            [(x + 6.0, y - 11.0), (x + 6.0 + ARROW, y - 4.0), (x + 6.0, y + 3.0)],
            true,
            r##"fill="#94a3b8""##,
        );
    };
    entry(picture, &dashed, "largest allowed change");
    entry(picture, &dot, "measured change");
    entry(picture, &bar, "interval of the true change");
    entry(picture, &arrow, "open, or outside the picture");
}

fn allowed_style() -> String {
    format!(r#"fill="none" stroke="{LIMITS}" stroke-width="1.4" stroke-dasharray="6 4""#)
}

/// The objectives of the run, each with its answer.
fn certificates(picture: &mut Picture, certificates: &[Certified], top: f64) {
    if certificates.is_empty() {
        return;
    }
    picture.text((LEFT, top), Anchor::Start, BOLD, "objectives of the run");
    for (row, Certified { certificate, .. }) in certificates.iter().enumerate() {
        let y = top + ROW * float(row + 1);
        let color = status_color(certificate.status);
        picture.circle((LEFT + 5.0, y - 4.0), 4.0, &format!(r#"fill="{color}""#));
        picture.text((LEFT + 18.0, y), Anchor::Start, "", &fitting(&certificate.text, RIGHT - LEFT - 18.0));
    }
}

const fn status_color(status: CertificateStatus) -> &'static str {
    match status {
        CertificateStatus::Met => verdict_color(Verdict::InControl),
        CertificateStatus::Missed => WORSE,
        CertificateStatus::CannotTell => verdict_color(Verdict::NotEnoughData),
    }
}

const fn decision_color(decision: Decision) -> &'static str {
    match decision {
        Decision::Worse => WORSE,
        Decision::NotWorse => verdict_color(Verdict::InControl),
        Decision::CannotTell => verdict_color(Verdict::NotEnoughData),
        Decision::NotEnoughData => "#64748b",
    }
}

/// A percentage of the axis: `+50`, `0`, `−20`.
fn signed(value: f64, decimals: usize) -> String {
    if value == 0.0 { "0".to_owned() } else { format!("{value:+.decimals$}").replace('-', "−") }
}

/// A text that fits into a width, cut if necessary.
fn fitting(text: &str, width: f64) -> String {
    let length = text.chars().count();
    if CHARACTER * float(length) <= width {
        return text.to_owned();
    }
    let fits = (1..length).take_while(|&kept| CHARACTER * float(kept + 1) <= width).last().unwrap_or(0);
    let kept: String = text.chars().take(fits).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Series;
    use crate::gate::{GatePlan, gate};
    use crate::objective::Objective;

    /// Independent values of about 0.3 times a factor.
    fn side(factor: f64, seed: u32) -> Vec<Series> {
        let value = |i: u32| factor * (0.2 + 0.2 * f64::from((i * 7919 + seed * 104_729) % 10_007) / 10_007.0);
        vec![Series::of_numbers("latency_s", (0..400).map(value).collect())]
    }

    fn judged(factor: f64, objectives: &str) -> Option<Gate> {
        let objectives = if objectives.is_empty() { Vec::new() } else { Objective::list(objectives).ok()? };
        let plan = GatePlan { run_sd: Some(0.0), objectives, ..GatePlan::default() };
        gate(&side(1.0, 1), &side(factor, 2), &plan).ok()
    }

    #[test]
    fn each_comparison_has_its_row() {
        let gate = judged(1.5, "").expect("a gate");
        let svg = gate_svg(&gate);
        for (pair, comparison) in gate.comparisons() {
            assert!(svg.contains(&format!(">{}</text>", pair.short_title(comparison))), "{}", comparison.statistic);
            assert!(svg.contains(&comparison.change()), "{}", comparison.change());
        }
        assert_eq!(
            svg.matches(">worse</text>").count(),
            1 + gate.comparisons().filter(|(_, one)| one.decision == Decision::Worse).count()
        );
        assert!(svg.contains(&crate::plot::escaped(&gate.headline)));
    }

    #[test]
    fn the_allowed_change_is_between_no_change_and_the_interval_of_a_worse_candidate() {
        let gate = judged(1.5, "").expect("a gate");
        let bars = Bars::of(&gate, &Layout::of(&gate));
        let (_, typical) = gate.comparisons().next().expect("a comparison");
        let lower = typical.interval_of_change().and_then(|interval| interval.lower).expect("a lower end");
        assert!(bars.x(0.0) < bars.x(typical.allowed) && bars.x(typical.allowed) < bars.x(lower));
        assert_eq!(bars.x(1e9), BARS.1, "what is outside the picture is at its edge");
    }

    #[test]
    fn objectives_are_rows_of_text() {
        let gate = judged(1.0, "errors=5%").expect("a gate");
        let svg = gate_svg(&gate);
        assert!(svg.contains("objectives of the run") && svg.contains(">errors=5%: cannot tell"), "{svg}");
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(fitting("abcdef", 100.0), "abcdef");
        assert_eq!(fitting("abcdefghij", 4.0 * CHARACTER), "abc…");
    }
}
