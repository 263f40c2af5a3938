//! The picture of a run with several loads: latencies against the served rate, with the knee.

use super::axis::Axis;
use super::drawing::{RIGHT, WIDTH};
use super::frame::Frame;
use super::style::{CENTER, HEADING, LIMITS, MUTED};
use super::svg::{Anchor, CHARACTER, Picture};
use crate::cast::float;
use crate::metric::Unit;
use crate::quantity::{in_unit, number, scale_of};

const LEFT: f64 = 84.0;
const TOP: f64 = 86.0;
const PANEL: f64 = 250.0;
/// Space for the axis between two panels.
const GAP: f64 = 84.0;
/// Color of the medians.
const MEDIAN: &str = "#334155";
const LINE_HEIGHT: f64 = 14.0;
/// With fewer steps, none of them is between two others.
const FEWEST_STEPS: usize = 3;
/// A step with this multiple of the latency of another one is beyond it.
const PASSED: f64 = 1.1;

/// What was measured at one load.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadStep {
    /// The load, such as `8 clients`.
    pub label: String,
    /// Successful requests per second.
    pub served_per_s: f64,
    /// Median and 99th percentile of the end-to-end latency, in seconds.
    pub e2e_s: [f64; 2],
    /// The same of the time to the first token, if it is known.
    pub ttft_s: Option<[f64; 2]>,
}

impl LoadStep {
    fn is_measured(&self) -> bool {
        let is_positive = |value: f64| value > 0.0 && value.is_finite();
        is_positive(self.served_per_s) && self.e2e_s.iter().all(|&value| is_positive(value))
    }
}

/// The position of the knee: the step with the largest power, which is the served rate divided by the median latency. Less load
/// serves fewer requests for hardly less latency, more load adds mostly latency (Kleinrock 1979, "Power and deterministic
/// rules of thumb for probabilistic problems in computer communications", *ICC '79*).
///
/// `None` with fewer than three measured steps, and if no step is at least a tenth slower: the knee is beyond them.
///
/// ```
/// use llmscope_core::plot::{LoadStep, knee};
///
/// let step = |label: &str, served_per_s, p50_s| {
///     LoadStep { label: label.to_owned(), served_per_s, e2e_s: [p50_s, 2.0 * p50_s], ttft_s: None }
/// };
/// let steps = [step("1", 10.0, 0.10), step("4", 36.0, 0.11), step("8", 50.0, 0.16), step("16", 52.0, 0.31)];
/// assert_eq!(knee(&steps), Some(1));
/// assert_eq!(knee(&steps[..2]), None);
/// ```
#[must_use]
pub fn knee(steps: &[LoadStep]) -> Option<usize> {
    let measured = || steps.iter().enumerate().filter(|(_, step)| step.is_measured());
    if measured().count() < FEWEST_STEPS {
        return None;
    }
    let power = |step: &LoadStep| step.served_per_s / step.e2e_s[0];
    let (best, at_best) = measured().max_by(|(_, a), (_, b)| power(a).total_cmp(&power(b)))?;
    let is_passed = measured().any(|(_, step)| step.e2e_s[0] >= PASSED * at_best.e2e_s[0]);
    is_passed.then_some(best)
}

/// The steps as SVG: the end-to-end latency against the served rate, and the time to the first token below if it is known. Steps
/// without a successful request are left out. 1100 units wide, readable without color, safe to embed.
#[must_use]
pub fn load_svg(title: &str, steps: &[LoadStep]) -> String {
    let measured: Vec<&LoadStep> = steps.iter().filter(|step| step.is_measured()).collect();
    let e2e: Vec<[f64; 2]> = measured.iter().map(|step| step.e2e_s).collect();
    let ttft: Option<Vec<[f64; 2]>> = measured.iter().map(|step| step.ttft_s).collect();
    let mut panels = vec![("end-to-end latency", e2e)];
    panels.extend(ttft.filter(|ttft| !ttft.is_empty()).map(|ttft| ("time to first token", ttft)));
    let mut height = TOP;
    for _ in &panels {
        height += PANEL + GAP;
    }
    let mut picture = Picture::new(WIDTH, height - 30.0);
    picture.text((24.0, 30.0), Anchor::Start, HEADING, title);
    let knee = knee(steps).map(|index| &steps[index]);
    picture.text((24.0, 52.0), Anchor::Start, MUTED, &sentence(measured.len(), knee));
    let mut top = TOP;
    for (name, latencies) in &panels {
        let frame = Frame { left: LEFT, right: RIGHT, top, bottom: top + PANEL };
        Panel::new(frame, name, &measured, latencies).draw(&mut picture, knee);
        top += PANEL + GAP;
    }
    picture.finish(title)
}

fn sentence(measured: usize, knee: Option<&LoadStep>) -> String {
    match knee {
        Some(step) => format!(
            "knee: {}, {} requests/s; more load adds mostly latency (largest rate divided by latency)",
            step.label,
            number(step.served_per_s)
        ),
        None if measured < FEWEST_STEPS => "fewer than three loads were measured: no knee".to_owned(),
        None => "no knee: no load adds a tenth of latency without serving as much more".to_owned(),
    }
}

/// Median and 99th percentile of one latency at each step.
struct Panel<'a> {
    frame: Frame,
    x: Axis,
    y: Axis,
    factor: f64,
    title: String,
    steps: &'a [&'a LoadStep],
    latencies: &'a [[f64; 2]],
}

impl<'a> Panel<'a> {
    fn new(frame: Frame, name: &str, steps: &'a [&'a LoadStep], latencies: &'a [[f64; 2]]) -> Self {
        let largest = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max);
        let served = largest(&mut steps.iter().map(|step| step.served_per_s));
        let slowest = largest(&mut latencies.iter().flatten().copied());
        let (factor, symbol) = scale_of(Unit::Second, slowest);
        Self {
            frame,
            x: Axis::new((0.0, 1.06 * served), (frame.left, frame.right)),
            y: Axis::new((0.0, 1.12 * slowest * factor), (frame.bottom, frame.top)),
            factor,
            title: in_unit(name, symbol),
            steps,
            latencies,
        }
    }

    fn draw(&self, picture: &mut Picture, knee: Option<&LoadStep>) {
        let Frame { left, top, bottom, .. } = self.frame;
        self.frame.draw_values(picture, &self.y);
        self.frame.draw_values_below(picture, &self.x);
        self.frame.draw_title_below(picture, "successful requests/s");
        picture.text((left, top - 8.0), Anchor::Start, MUTED, &self.title);
        if let Some(knee) = knee {
            let x = self.x.at(knee.served_per_s);
            picture.path([(x, top), (x, bottom)], false, &format!(r#"stroke="{CENTER}" stroke-width="1.3""#));
            picture.text((x, top - 8.0), Anchor::Middle, &format!(r#"font-weight="600" fill="{CENTER}""#), "knee");
        }
        self.line(picture, 1, "p99", LIMITS, r#" stroke-dasharray="6 4""#);
        self.line(picture, 0, "p50", MEDIAN, "");
        self.labels(picture);
    }

    fn line(&self, picture: &mut Picture, which: usize, name: &str, color: &str, dashes: &str) {
        let places: Vec<(f64, f64)> = (0..self.steps.len()).map(|step| self.place(step, which)).collect();
        let style = format!(r#"fill="none" stroke="{color}" stroke-width="1.6"{dashes}"#);
        picture.path(places.iter().copied(), false, &style);
        for &place in &places {
            picture.circle(place, 3.0, &format!(r#"fill="{color}""#));
        }
        if let Some(&(x, y)) = places.last() {
            picture.text((x.max(self.frame.right) + 8.0, y + 4.0), Anchor::Start, MUTED, name);
        }
    }

    fn place(&self, step: usize, which: usize) -> (f64, f64) {
        (self.x.at(self.steps[step].served_per_s), self.y.at(self.latencies[step][which] * self.factor))
    }

    /// The loads above their 99th percentiles, but for those that would overlap one.
    fn labels(&self, picture: &mut Picture) {
        let mut drawn: Vec<(f64, f64, f64)> = Vec::new();
        for (index, step) in self.steps.iter().enumerate() {
            let (x, y) = self.place(index, 1);
            let half = CHARACTER * float(step.label.chars().count()) / 2.0;
            let overlaps = |&(other, at, width): &(f64, f64, f64)| {
                (x - other).abs() < half + width && (y - at).abs() < LINE_HEIGHT
            };
            if !drawn.iter().any(overlaps) {
                picture.text((x, y - 8.0), Anchor::Middle, "", &step.label);
                drawn.push((x, y, half));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(clients: u32, served_per_s: f64, p50_s: f64) -> LoadStep {
        LoadStep {
            label: format!("{clients} clients"),
            served_per_s,
            e2e_s: [p50_s, 1.5 * p50_s],
            ttft_s: Some([0.1, 0.2]),
        }
    }

    /// A closed system with one station of service time 0.1 s and a delay of 0.9 s: by mean value analysis, the power is largest
    /// where the clients are as many as the ratio of delay and service allows without waiting (Kleinrock 1979: N* = 10).
    #[test]
    fn the_knee_of_a_closed_queue_is_near_its_saturation_point() {
        let (service_s, delay_s) = (0.1, 0.9);
        let mut queue = 0.0;
        let mut steps = Vec::new();
        for clients in 1..=40_u32 {
            let waited_s = service_s * (1.0 + queue);
            let rate = f64::from(clients) / (waited_s + delay_s);
            queue = rate * waited_s;
            steps.push(step(clients, rate, waited_s + delay_s));
        }
        let found = knee(&steps).expect("a knee");
        assert!((8..=12).contains(&(found + 1)), "{} clients", found + 1);
    }

    #[test]
    fn a_load_that_is_not_reached_has_no_knee() {
        let linear: Vec<LoadStep> = (1..=5).map(|n| step(n, 10.0 * f64::from(n), 0.1)).collect();
        assert_eq!(knee(&linear), None);
        assert!(load_svg("m", &linear).contains("no knee"));
    }

    #[test]
    fn steps_without_a_success_are_left_out() {
        let mut steps = vec![step(1, 10.0, 0.1), step(2, 19.0, 0.105), step(4, 20.0, 0.2), step(8, 0.0, 0.0)];
        assert_eq!(knee(&steps), Some(1));
        let picture = load_svg("a < b", &steps);
        assert!(picture.contains("a &lt; b") && picture.contains("knee: 2 clients, 19"), "{picture}");
        assert!(picture.contains("4 clients") && !picture.contains("8 clients") && !picture.contains("NaN"));
        steps.clear();
        assert!(!load_svg("m", &steps).contains("NaN"));
    }
}
