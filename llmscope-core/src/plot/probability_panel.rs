//! The normal probability plot.

use super::axis::Axis;
use super::frame::Frame;
use super::imr::Labels;
use super::sixpack::Sixpack;
use super::style::{GRID, MUTED, OVERALL, POINT};
use super::svg::{Anchor, Picture};
use crate::cast::float;
use crate::quantity::{in_unit, number, scale_of};
use crate::stats::special::normal_quantile;

/// Labelled probabilities, in percent.
const PERCENT: [f64; 11] = [0.01, 0.1, 1.0, 5.0, 20.0, 50.0, 80.0, 95.0, 99.0, 99.9, 99.99];
/// The maximum number of dots.
const MOST_DOTS: usize = 400;
/// The least distance between two labels.
const LABEL_HEIGHT: f64 = 13.0;

/// The measurements against the normal quantiles of their median ranks (i − 0.3)/(n + 0.4) (Benard & Bos-Levenbach
/// 1953): normal measurements are on the line.
pub(super) struct ProbabilityPanel<'a> {
    pack: &'a Sixpack,
    frame: Frame,
    x: Axis,
    y: Axis,
    factor: f64,
    title: String,
}

impl<'a> ProbabilityPanel<'a> {
    pub(super) fn new(pack: &'a Sixpack, labels: &Labels, frame: Frame) -> Self {
        let values = pack.sorted.values();
        let (low, high) = (values.first().copied().unwrap_or_default(), values.last().copied().unwrap_or_default());
        let (factor, symbol) = scale_of(labels.unit, low.abs().max(high.abs()));
        let margin = (high - low) * 0.05;
        let reach = score(values.len().saturating_sub(1), values.len()).max(1.0) * 1.12;
        Self {
            pack,
            frame,
            x: Axis::new(((low - margin) * factor, (high + margin) * factor), (frame.left, frame.right)),
            y: Axis::new((-reach, reach), (frame.bottom, frame.top)),
            factor,
            title: in_unit(&labels.quantity, symbol),
        }
    }

    pub(super) fn draw(&self, picture: &mut Picture) {
        self.axes(picture);
        self.line(picture);
        self.dots(picture);
    }

    fn axes(&self, picture: &mut Picture) {
        let Frame { left, right, top, bottom } = self.frame;
        let mut free = f64::INFINITY;
        for percent in PERCENT {
            let y = normal_quantile(percent / 100.0).map_or(f64::NAN, |z| self.y.at(z));
            if (top..=bottom).contains(&y) && free - y >= LABEL_HEIGHT {
                free = y;
                picture.path([(left, y), (right, y)], false, GRID);
                picture.text((left - 8.0, y + 4.0), Anchor::End, MUTED, &format!("{percent} %"));
            }
        }
        self.frame.draw_values_below(picture, &self.x);
        picture.text((left, top - 8.0), Anchor::Start, MUTED, "normal probability");
        picture.text((right, top - 8.0), Anchor::End, MUTED, &self.test());
        self.frame.draw_title_below(picture, &self.title);
    }

    /// The result of Anderson and Darling's test as text.
    fn test(&self) -> String {
        let Some(test) = self.pack.normality else { return String::new() };
        // Stephens' approximation has about three digits.
        let p = if test.p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {:.3}", test.p) };
        format!("Anderson–Darling {}, {p}", number(test.anderson_darling))
    }

    /// The normal distribution with the mean and standard deviation of the measurements.
    fn line(&self, picture: &mut Picture) {
        let Frame { left, right, top, bottom } = self.frame;
        if self.pack.overall <= 0.0 {
            return;
        }
        let at = |z: f64| (self.x.at((self.pack.mean + z * self.pack.overall) * self.factor), self.y.at(z));
        let (start, end) = (at(-1.0), at(1.0));
        let slope = (end.1 - start.1) / (end.0 - start.0);
        // The part of the line inside the frame.
        let clipped = |x: f64| {
            let y = (start.1 + slope * (x - start.0)).clamp(top, bottom);
            (start.0 + (y - start.1) / slope, y)
        };
        picture.path([clipped(left), clipped(right)], false, OVERALL);
    }

    fn dots(&self, picture: &mut Picture) {
        let values = self.pack.sorted.values();
        let dots = values.len().min(MOST_DOTS);
        for dot in 0..dots {
            // Both extremes are shown, however many values there are.
            let rank = if dots == values.len() { dot } else { dot * (values.len() - 1) / (dots - 1) };
            let position = (self.x.at(values[rank] * self.factor), self.y.at(score(rank, values.len())));
            picture.circle(position, 1.8, POINT);
        }
    }
}

/// The normal quantile of the median rank of a value, by its 0-based rank.
fn score(rank: usize, n: usize) -> f64 {
    normal_quantile((float(rank) + 0.7) / (float(n) + 0.4)).unwrap_or_default()
}
