//! The histogram of the measurements, with specification limits and a normal curve.

use llmscope_core::Analysis;
use llmscope_core::plot::Axis;
use llmscope_core::quantity::{counted, scale_of};
use llmscope_core::stats::{Histogram, Moments, QuantileMethod, Sorted};
use maud::{Markup, html};

const WIDTH: f64 = 520.0;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 40.0;
const RIGHT: f64 = WIDTH - 12.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = HEIGHT - 40.0;
/// Points of the normal curve.
const CURVE: u32 = 96;

pub(super) fn figure(analysis: &Analysis, values: &[f64]) -> Markup {
    let sorted = Sorted::of(values);
    let near = near(&sorted);
    let Some(histogram) = Histogram::of(&Sorted::of(near)) else { return html! {} };
    let plot = Plot::new(analysis, &histogram, values);
    let far = values.len() - near.len();
    html! {
        figure.distribution {
            figcaption {
                span.what { "Distribution" }
                " " span.muted { (counted(values.len(), "measurement")) ", normal curve of mean and overall sigma" (transformation(analysis)) }
            }
            svg.sketch viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(plot.description()) {
                (plot.axes())
                @for (bin, &count) in histogram.counts().iter().enumerate() { (plot.bar(histogram.bin(bin), count)) }
                @if let Some(curve) = plot.curve() { polyline.curve points=(curve) {} }
                @for (name, value) in plot.marks() { (plot.mark(name, value)) }
            }
            @if let (1.., Some(low), Some(high)) = (far, sorted.values().first(), sorted.values().last()) {
                p.key.always {
                    (counted(far, "value")) @if far == 1 { " is" } @else { " are" }
                    " not drawn: more than three interquartile ranges from the quartiles. The values range from "
                    (analysis.quantity(*low)) " to " (analysis.quantity(*high)) "."
                }
            }
        }
    }
}

/// Mean and overall sigma of the judged values, after any transformation. `None` without variation.
fn normal(analysis: &Analysis, values: &[f64]) -> Option<(f64, f64)> {
    let sigma = analysis.sigma?.overall.filter(|&sigma| sigma > 0.0)?;
    let mean = match analysis.transform {
        None => analysis.mean?,
        Some(power) => Moments::of(&values.iter().filter_map(|&x| power.apply(x)).collect::<Vec<_>>()).mean()?,
    };
    Some((mean, sigma))
}

/// The transformation that the normal curve applies to, if there is one.
fn transformation(analysis: &Analysis) -> String {
    analysis.transform.map(|power| format!(" after the transformation ({})", power.describe())).unwrap_or_default()
}

/// The sorted values within the outer fences (Tukey 1977, *Exploratory Data Analysis*, ch. 2). Otherwise, one far value
/// would reduce all others to one bar.
fn near(sorted: &Sorted) -> &[f64] {
    let values = sorted.values();
    let quartile = |p| sorted.quantile(p, QuantileMethod::HyndmanFan7);
    match (quartile(0.25), quartile(0.75)) {
        (Some(lower), Some(upper)) if upper > lower => {
            let reach = 3.0 * (upper - lower);
            let start = values.partition_point(|&value| value < lower - reach);
            let end = values.partition_point(|&value| value <= upper + reach);
            &values[start..end]
        }
        _ => values,
    }
}

struct Plot<'a> {
    analysis: &'a Analysis,
    n: f64,
    /// Mean and overall sigma of the judged values, after any transformation. `None` without variation.
    normal: Option<(f64, f64)>,
    width: f64,
    low: f64,
    high: f64,
    /// The smallest and the largest value on the horizontal axis.
    range: (f64, f64),
    x: Axis,
    y: Axis,
    factor: f64,
    symbol: &'static str,
}

impl<'a> Plot<'a> {
    fn new(analysis: &'a Analysis, histogram: &Histogram, values: &[f64]) -> Self {
        let last = histogram.counts().len() - 1;
        let (low, high) = (histogram.bin(0).0, histogram.bin(last).1);
        let range = with_near_limits(analysis, low, high);
        let (factor, symbol) = scale_of(analysis.unit, range.0.abs().max(range.1.abs()));
        let width = (high - low) / (last + 1) as f64;
        let most = histogram.counts().iter().copied().max().unwrap_or(1) as f64;
        let mut plot = Self {
            analysis,
            n: values.len() as f64,
            normal: normal(analysis, values),
            width,
            low,
            high,
            range,
            x: Axis::new((range.0 * factor, range.1 * factor), (LEFT, RIGHT)),
            y: Axis::new((0.0, most), (BOTTOM, TOP)),
            factor,
            symbol,
        };
        // The curve may rise above the bars.
        let peak = plot.steps().map(|value| plot.expected(value)).fold(0.0, f64::max);
        plot.y = Axis::new((0.0, most.max(peak)), (BOTTOM, TOP));
        plot
    }

    fn description(&self) -> String {
        let quantity = |value: f64| self.analysis.quantity(value);
        let mut text = format!("Histogram from {} to {}", quantity(self.low), quantity(self.high));
        for (name, value) in self.marks() {
            text.push_str(&format!(", {name} {}", quantity(value)));
        }
        text
    }

    fn x(&self, value: f64) -> f64 {
        self.x.at(value * self.factor).clamp(LEFT, RIGHT)
    }

    fn axes(&self) -> Markup {
        let (ticks, decimals) = self.x.ticks(6.0);
        let counts = self.y.ticks(3.0).0.into_iter().filter(|tick| tick.fract() == 0.0);
        let unit = if self.symbol.is_empty() { String::new() } else { format!(", {}", self.symbol) };
        html! {
            @for tick in counts {
                line.grid x1=(LEFT) x2=(RIGHT) y1=(px(self.y.at(tick))) y2=(px(self.y.at(tick))) {}
                text.tick x=(LEFT - 6.0) y=(px(self.y.at(tick) + 4.0)) text-anchor="end" { (tick) }
            }
            @for tick in ticks {
                text.tick x=(px(self.x.at(tick))) y=(BOTTOM + 17.0) text-anchor="middle" { (format!("{tick:.decimals$}")) }
            }
            text.tick x=(RIGHT) y=(BOTTOM + 35.0) text-anchor="end" { (self.analysis.metric) (unit) }
        }
    }

    fn bar(&self, (low, high): (f64, f64), count: usize) -> Markup {
        let (mut left, mut right) = (self.x(low), self.x(high));
        if right - left < 1.0 {
            // All values are equal: draw one bar with a visible width.
            (left, right) = (left - 6.0, right + 6.0);
        }
        let top = self.y.at(count as f64);
        html! {
            @if count > 0 {
                rect.bar x=(px(left)) y=(px(top)) width=(px((right - left - 1.0).max(0.6))) height=(px(BOTTOM - top)) {
                    title { (count) " from " (self.analysis.quantity(low)) " to " (self.analysis.quantity(high)) }
                }
            }
        }
    }

    /// The expected count of a bin around `value` if the judged values were normal.
    fn expected(&self, value: f64) -> f64 {
        let Some((mean, sigma)) = self.normal else { return 0.0 };
        let (judged, slope) = match self.analysis.transform.map(|power| (power.apply(value), power.slope(value))) {
            None => (value, 1.0),
            Some((Some(judged), slope)) => (judged, slope),
            Some((None, _)) => return 0.0,
        };
        let z = (judged - mean) / sigma;
        self.n * self.width * slope / sigma * (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt()
    }

    /// The values at which the curve is computed.
    fn steps(&self) -> impl Iterator<Item = f64> + use<> {
        let (low, high) = self.range;
        (0..=CURVE).map(move |step| low + (high - low) * f64::from(step) / f64::from(CURVE))
    }

    fn curve(&self) -> Option<String> {
        self.normal?;
        let point = |value: f64| format!("{},{}", px(self.x(value)), px(self.y.at(self.expected(value))));
        Some(self.steps().map(point).collect::<Vec<_>>().join(" "))
    }

    fn marks(&self) -> Vec<(&'static str, f64)> {
        let limits = self.analysis.specification;
        let known = [
            ("LSL", limits.and_then(|limits| limits.lower)),
            ("target", limits.and_then(|limits| limits.target)),
            ("USL", limits.and_then(|limits| limits.upper)),
        ];
        let drawn = |(name, value): (&'static str, Option<f64>)| {
            value.filter(|value| (self.range.0..=self.range.1).contains(value)).map(|value| (name, value))
        };
        let mean = ("mean", self.analysis.mean);
        known.into_iter().chain([mean]).filter_map(drawn).collect()
    }

    fn mark(&self, name: &str, value: f64) -> Markup {
        let x = self.x(value);
        let class = if name == "mean" { "mean" } else { "specification" };
        let near_end = x > RIGHT - 40.0;
        html! {
            line class={ "mark " (class) } x1=(px(x)) x2=(px(x)) y1=(TOP - 12.0) y2=(BOTTOM) {}
            text class={ "mark " (class) } x=(px(if near_end { x - 4.0 } else { x + 4.0 })) y=(TOP - 16.0)
                text-anchor=(if near_end { "end" } else { "start" }) { (name) }
        }
    }
}

/// The range of the values. It includes specification limits unless they are far away.
fn with_near_limits(analysis: &Analysis, low: f64, high: f64) -> (f64, f64) {
    let near = (low - 1.5 * (high - low))..=(high + 1.5 * (high - low));
    let limits = analysis.specification.map_or([None; 3], |limits| [limits.lower, limits.target, limits.upper]);
    let (low, high) = limits
        .into_iter()
        .flatten()
        .filter(|limit| near.contains(limit))
        .fold((low, high), |(a, b), limit| (a.min(limit), b.max(limit)));
    let margin = 0.02 * (high - low);
    (low - margin, high + margin)
}

fn px(value: f64) -> String {
    format!("{value:.1}")
}
