//! The change of the level that the answer is about, as a mark on the chart.

use super::control_panel::ControlPanel;
use super::style::{CENTER, WORSE};
use super::svg::{Anchor, CHARACTER, Picture};
use crate::analysis::answer::{Direction, Part};
use crate::analysis::{Analysis, Drawing};
use crate::cast::float;

/// A change of the level with its place on the chart.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChangeMark {
    /// The 0-based position of the first point after the change.
    pub point: usize,
    /// `+119 %`, or a difference in the unit of the metric.
    pub size: String,
    /// `11:42:49`, with the date if the chart spans several days; `point 150` without a time.
    pub since: String,
    /// False for a change for the better. A change without a known direction counts as worse.
    pub is_worse: bool,
}

impl ChangeMark {
    /// `None` without a change of the level, and on charts whose points are not single measurements.
    ///
    /// ```
    /// use llmscope_core::analysis::Series;
    /// use llmscope_core::plot::ChangeMark;
    /// use llmscope_core::{Plan, analyze};
    ///
    /// let values = (0..80).map(|i| if i < 40 { 10.0 } else { 20.0 } + f64::from(i * 7 % 5)).collect();
    /// let changed = analyze(&Series::of_numbers("ttft_s", values), &Plan::default())?;
    /// assert!(ChangeMark::of(&changed).is_some());
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    #[must_use]
    pub fn of(analysis: &Analysis) -> Option<Self> {
        let (answer, drawing) = (&analysis.answer, analysis.drawing.as_ref()?);
        let points = drawing.chart.points.len();
        let point = answer.since.as_ref().filter(|_| answer.part == Some(Part::Level) && points == analysis.n)?.index;
        (point < points).then(|| Self {
            point,
            size: size(analysis),
            since: since(analysis, drawing, point),
            is_worse: answer.direction.is_none_or(Direction::counts_as_worse),
        })
    }

    /// `+119 % since 11:42:49`.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{} since {}", self.size, self.since).trim_start().to_owned()
    }

    /// The color of the mark.
    #[must_use]
    pub const fn color(&self) -> &'static str {
        if self.is_worse { WORSE } else { CENTER }
    }

    /// A line between the last point before the change and the first one after it, with its label above the panel.
    pub(super) fn draw(&self, panel: &ControlPanel<'_>, picture: &mut Picture) {
        let (frame, x) = (panel.frame(), panel.between(self.point));
        let color = self.color();
        let style = format!(r#"fill="none" stroke="{color}" stroke-width="1.6""#);
        picture.path([(x, frame.top - 4.0), (x, frame.bottom)], false, &style);
        let label = self.label();
        let half = CHARACTER * float(label.chars().count()) / 2.0;
        // The title of the axis of values is at the left end of this line.
        let center = x.min(frame.right - half).max(panel.end_of_title() + 12.0 + half);
        let style = format!(r#"font-weight="600" fill="{color}""#);
        picture.text((center, frame.top - 8.0), Anchor::Middle, &style, &label);
    }
}

fn size(analysis: &Analysis) -> String {
    let answer = &analysis.answer;
    match (answer.ratio, answer.difference) {
        (Some(ratio), _) => percent(100.0 * (ratio - 1.0)),
        (None, Some(difference)) => {
            let sign = if difference < 0.0 { '−' } else { '+' };
            format!("{sign}{}", analysis.quantity(difference.abs()))
        }
        (None, None) => String::new(),
    }
}

fn since(analysis: &Analysis, drawing: &Drawing, point: usize) -> String {
    let Some(t) = analysis.answer.since.as_ref().and_then(|since| since.t) else { return format!("point {point}") };
    let is_one_day = drawing.time_span().is_some_and(|(first, last)| {
        let day = |at: jiff::Timestamp| at.strftime("%F").to_string();
        day(first) == day(last)
    });
    t.strftime(if is_one_day { "%T" } else { "%F %T" }).to_string()
}

/// `+119 %`, or `−2.6 %`: with as many digits as in the answer.
fn percent(value: f64) -> String {
    let text = if value.abs() >= 9.95 { format!("{value:+.0} %") } else { format!("{value:+.1} %") };
    text.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::analysis::{Observation, Plan, Series, analyze};
    use crate::measure::Measure;
    use crate::metric::Metric;

    /// 40 latencies of about 0.3 s and 40 of about `level`, one every `seconds`.
    fn series(level: f64, seconds: Option<i64>) -> Series {
        let noise = |i: i32| 1.0 + 0.02 * (f64::from(i * 37 % 11) - 5.0) / 5.0;
        let start = "2026-11-23T11:42:00Z".parse::<Timestamp>().ok();
        let observation = |i: i32| Observation {
            value: Some(noise(i) * if i < 40 { 0.3 } else { level }),
            at: seconds.and_then(|step| {
                start.and_then(|start| start.checked_add(jiff::SignedDuration::from_secs(step * i64::from(i))).ok())
            }),
            ..Observation::default()
        };
        let blank =
            Series::of_numbers("ttft_s", Vec::new()).with_observations((0..80).map(observation).collect::<Vec<_>>());
        Series { measure: Measure::Metric(Metric::Ttft), ..blank }
    }

    fn mark(level: f64, seconds: Option<i64>) -> Option<ChangeMark> {
        analyze(&series(level, seconds), &Plan::default()).ok().and_then(|analysis| ChangeMark::of(&analysis))
    }

    #[test]
    fn sizes_have_a_sign_and_few_digits() {
        assert_eq!([119.2, 9.96, 9.94, -2.6, -55.0].map(percent), ["+119 %", "+10 %", "+9.9 %", "−2.6 %", "−55 %"]);
    }

    #[test]
    fn a_mark_names_the_time_of_the_change() {
        // 40 steps of a second after 11:42:00, and of an hour: almost two days.
        let texts = [Some(1), Some(3600), None].map(|step| mark(0.45, step).map(|mark| mark.label()));
        let since = ["+50 % since 11:42:40", "+50 % since 2026-11-25 03:42:00", "+50 % since point 40"];
        assert_eq!(texts, since.map(|text| Some(text.to_owned())));
    }

    #[test]
    fn a_change_for_the_better_has_the_color_of_the_center() {
        let colors = [0.45, 0.2].map(|level| mark(level, None).map(|mark| mark.color()));
        assert_eq!(colors, [Some(WORSE), Some(CENTER)]);
        assert_eq!(mark(0.3, None), None, "a stable series has no mark");
    }

    #[test]
    fn the_picture_has_the_mark_and_its_label() {
        let svg = analyze(&series(0.45, Some(1)), &Plan::default()).map(|analysis| crate::plot::svg(&analysis));
        assert!(svg.is_ok_and(|svg| svg.contains(">+50 % since 11:42:40</text>")));
    }
}
