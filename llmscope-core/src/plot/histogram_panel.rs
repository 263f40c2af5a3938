//! The histogram of measurements with normal curves and specification limits.

use super::axis::{Axis, with_near};
use super::drawing::WIDTH;
use super::frame::Frame;
use super::imr::Labels;
use super::sixpack::Sixpack;
use super::style::{GRID, MUTED, OVERALL, SPECIFICATION, TICK, TICK_WIDTH, WITHIN, ticks};
use super::svg::{Anchor, CHARACTER, Picture};
use crate::cast::float;
use crate::quantity::{in_unit, number, scale_of};
use crate::stats::Histogram;
use crate::stats::special::normal_pdf;

const BAR: &str = "#cbd5e1";
/// The curves are drawn this many sigmas to each side of the mean.
const REACH: f64 = 3.5;
/// Straight pieces of a curve.
const PIECES: u32 = 96;

/// Bars with the share of the measurements in each bin; the curves have the same area.
pub(super) struct HistogramPanel<'a> {
    pack: &'a Sixpack,
    histogram: Option<Histogram>,
    frame: Frame,
    x: Axis,
    /// The height of the frame in measurements.
    highest: f64,
    factor: f64,
    title: String,
}

impl<'a> HistogramPanel<'a> {
    pub(super) fn new(pack: &'a Sixpack, labels: &Labels, frame: Frame) -> Self {
        let (low, high) = shown_range(pack);
        let (factor, symbol) = scale_of(labels.unit, low.abs().max(high.abs()));
        let margin = (high - low) * 0.03;
        let mut panel = Self {
            pack,
            histogram: Histogram::of(&pack.sorted),
            frame,
            x: Axis::new(((low - margin) * factor, (high + margin) * factor), (frame.left, frame.right)),
            highest: 1.0,
            factor,
            title: in_unit(&labels.quantity, symbol),
        };
        let bars = panel.bars().map(|(_, _, count)| count).fold(0.0, f64::max);
        let curves = panel.sigmas().map(|sigma| panel.curve_at(panel.pack.mean, sigma)).fold(0.0, f64::max);
        // A curve much narrower than its bins would flatten them.
        panel.highest = 1.08 * bars.max(curves.min(2.0 * bars));
        panel
    }

    pub(super) fn draw(&self, picture: &mut Picture) {
        self.axis(picture);
        self.draw_bars(picture);
        self.draw_curves(picture);
        self.draw_specification(picture);
    }

    fn x(&self, value: f64) -> f64 {
        self.x.at(value * self.factor)
    }

    fn y(&self, count: f64) -> f64 {
        (self.frame.bottom - count / self.highest * self.frame.height()).max(self.frame.top)
    }

    /// Lower edge, upper edge and count of each bin; a sample without variation has one thin bar.
    fn bars(&self) -> impl Iterator<Item = (f64, f64, f64)> + '_ {
        self.histogram.iter().flat_map(|histogram| {
            let bin = |(index, &count): (usize, &usize)| (histogram.bin(index).0, histogram.bin(index).1, float(count));
            histogram.counts().iter().enumerate().map(bin)
        })
    }

    fn sigmas(&self) -> impl Iterator<Item = f64> {
        [self.pack.within.sigma, self.pack.overall].into_iter().filter(|&sigma| sigma > 0.0)
    }

    /// The number of measurements that a normal distribution expects in a bin around `value`.
    fn curve_at(&self, value: f64, sigma: f64) -> f64 {
        let width = self.histogram.as_ref().map_or(0.0, |histogram| histogram.bin(0).1 - histogram.bin(0).0);
        float(self.pack.sorted.values().len()) * width / sigma * normal_pdf((value - self.pack.mean) / sigma)
    }

    fn axis(&self, picture: &mut Picture) {
        let Frame { left, right, bottom, .. } = self.frame;
        let (values, decimals) = self.x.ticks(ticks(self.frame.width(), TICK_WIDTH));
        for tick in values {
            let x = self.x.at(tick);
            picture.path([(x, self.frame.top), (x, bottom)], false, GRID);
            self.frame.draw_label_below(picture, x, &format!("{tick:.decimals$}"));
        }
        picture.path([(left, bottom), (right, bottom)], false, TICK);
        self.frame.draw_title_below(picture, &self.title);
    }

    fn draw_bars(&self, picture: &mut Picture) {
        for (low, high, count) in self.bars() {
            let (left, right, top) = (self.x(low), self.x(high), self.y(count));
            let width = (right - left - 1.0).max(1.5);
            picture.rectangle((left, top), (width, self.frame.bottom - top), BAR);
        }
    }

    /// Both curves, with a key below the axis.
    fn draw_curves(&self, picture: &mut Picture) {
        let curves = [(self.pack.within.sigma, WITHIN, "within"), (self.pack.overall, OVERALL, "overall")];
        let mut key = self.frame.left;
        for (sigma, style, name) in curves {
            if sigma > 0.0 {
                let y = self.frame.bottom + 32.0;
                picture.path([(key, y), (key + 22.0, y)], false, style);
                picture.text((key + 28.0, y + 4.0), Anchor::Start, MUTED, name);
                key += 92.0;
                let at = |piece: u32| {
                    let z = REACH * (2.0 * f64::from(piece) / f64::from(PIECES) - 1.0);
                    let value = self.pack.mean + z * sigma;
                    (self.x(value), self.y(self.curve_at(value, sigma)))
                };
                picture.path((0..=PIECES).map(at).filter(|&(x, _)| self.contains(x)), false, style);
            }
        }
    }

    fn contains(&self, x: f64) -> bool {
        (self.frame.left..=self.frame.right).contains(&x)
    }

    /// The limits and the target as lines, with labels above the frame that are moved apart.
    fn draw_specification(&self, picture: &mut Picture) {
        let Some(limits) = self.pack.specification else { return };
        let mut lines: Vec<(f64, String)> = [("LSL", limits.lower), ("target", limits.target), ("USL", limits.upper)]
            .into_iter()
            .filter_map(|(name, value)| Some((self.x(value?), format!("{name} {}", round(value? * self.factor)))))
            .filter(|&(x, _)| self.contains(x))
            .collect();
        lines.sort_by(|a, b| a.0.total_cmp(&b.0));
        let centers = spread_apart(&lines);
        for ((x, label), center) in lines.into_iter().zip(centers) {
            let style = format!(r#"stroke="{SPECIFICATION}" stroke-width="1.3" stroke-dasharray="2 3""#);
            picture.path([(x, self.frame.top), (x, self.frame.bottom)], false, &style);
            picture.text((center, self.frame.top - 8.0), Anchor::Middle, &format!(r#"fill="{SPECIFICATION}""#), &label);
        }
    }
}

/// The centers of labels at increasing positions, moved apart and into the picture.
fn spread_apart(labels: &[(f64, String)]) -> Vec<f64> {
    let half = |label: &str| CHARACTER * float(label.chars().count()) / 2.0;
    let mut free = f64::NEG_INFINITY;
    let mut centers: Vec<f64> = Vec::new();
    for (x, label) in labels {
        let center = x.max(free + half(label));
        free = center + half(label) + 6.0;
        centers.push(center);
    }
    let mut free = WIDTH;
    for (center, (_, label)) in centers.iter_mut().zip(labels).rev() {
        *center = center.min(free - half(label));
        free = *center - half(label) - 6.0;
    }
    centers
}

/// A limit that someone chose, without the zeros that a measured value would have.
fn round(value: f64) -> String {
    let text = number(value);
    if text.contains('.') && !text.contains('e') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// The measurements, the center of the curves, and specification limits unless they are far away.
fn shown_range(pack: &Sixpack) -> (f64, f64) {
    let values = pack.sorted.values();
    let (first, last) = (values.first().copied().unwrap_or_default(), values.last().copied().unwrap_or_default());
    let sigma = pack.overall.max(pack.within.sigma);
    let (low, high) = (first.min(pack.mean - 3.0 * sigma), last.max(pack.mean + 3.0 * sigma));
    let limits = pack.specification.map_or([None; 3], |limits| [limits.lower, limits.upper, limits.target]);
    with_near((low, high), limits.into_iter().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_moved_apart_and_stay_in_the_picture() {
        let labels = [1040.0, 1044.0, 1060.0].map(|x| (x, "USL 400".to_owned()));
        let centers = spread_apart(&labels);
        assert!(centers.windows(2).all(|pair| pair[1] - pair[0] >= 7.0 * CHARACTER));
        assert!(centers[2] + 3.5 * CHARACTER <= WIDTH);
        assert_eq!(spread_apart(&[(700.0, "LSL".to_owned())]), [700.0], "a label with space stays at its line");
    }

    #[test]
    fn a_limit_has_no_trailing_zeros() {
        assert_eq!([400.0, 0.25, 1.0, 1e-9].map(round), ["400", "0.25", "1", "1e-9"]);
    }
}
