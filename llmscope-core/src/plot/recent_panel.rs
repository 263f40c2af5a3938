//! The last measurements, one dot each.

use super::axis::Axis;
use super::frame::Frame;
use super::imr::Labels;
use super::style::{CENTER, MUTED, POINT};
use super::svg::{Anchor, Picture};
use crate::cast::float;
use crate::chart::Chart;
use crate::quantity::{in_unit, scale_of};

/// The number of measurements.
const RECENT: usize = 25;

/// The last measurements around the center line, without limits: a look at patterns that no rule describes.
pub(super) struct RecentPanel<'a> {
    values: &'a [f64],
    /// The position of the first of them.
    first: usize,
    center: f64,
    frame: Frame,
    x: Axis,
    y: Axis,
    factor: f64,
    title: String,
}

impl<'a> RecentPanel<'a> {
    pub(super) fn new(chart: &'a Chart<'_>, labels: &Labels, frame: Frame) -> Self {
        let first = chart.points.len().saturating_sub(RECENT);
        let values = &chart.points[first..];
        let center = chart.limits.center.at(chart.points.len().saturating_sub(1));
        let (low, high) = values.iter().fold((center, center), |(low, high), &x| (low.min(x), high.max(x)));
        let (factor, symbol) = scale_of(labels.unit, low.abs().max(high.abs()));
        let margin = (high - low) * 0.08;
        let start = float(first);
        Self {
            values,
            first,
            center,
            frame,
            x: Axis::new((start - 0.5, start + float(values.len()) - 0.5), (frame.left, frame.right)),
            y: Axis::new(((low - margin) * factor, (high + margin) * factor), (frame.bottom, frame.top)),
            factor,
            title: in_unit(&format!("last {} values", values.len()), symbol),
        }
    }

    pub(super) fn draw(&self, picture: &mut Picture) {
        let Frame { left, right, top, .. } = self.frame;
        self.frame.draw_values(picture, &self.y);
        self.frame.draw_positions(picture, &self.x, 5.0, "point");
        picture.text((left, top - 8.0), Anchor::Start, MUTED, &self.title);
        let center = self.y.at(self.center * self.factor);
        picture.path([(left, center), (right, center)], false, &format!(r#"stroke="{CENTER}" stroke-width="1.3""#));
        picture.text((right + 8.0, center + 4.0), Anchor::Start, &format!(r#"fill="{CENTER}""#), "CL");
        for (index, &value) in self.values.iter().enumerate() {
            let position = (self.x.at(float(self.first + index)), self.y.at(value * self.factor));
            picture.circle(position, 2.6, POINT);
        }
    }
}
