//! Measurements between exports, and their conversion to rows.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::ingest::runs::{Runs, of_ns};

/// The maximum distance between the ends of points of one export: an SDK reads the clock once per export, or once per
/// metric.
const SAME_EXPORT_NS: i128 = 500_000_000;
/// The metric whose count is the number of requests.
pub(super) const REQUESTS: &str = "e2e_s";
/// The same metric, measured by the server.
pub(super) const SERVED: &str = "server_request_duration_s";

/// The names and values that a group of measurements has in common.
pub(super) type Labels = BTreeMap<String, String>;

/// The measurements of one metric of one group in one interval.
pub(super) struct Point {
    pub(super) line: u64,
    pub(super) column: &'static str,
    pub(super) labels: Labels,
    pub(super) begin_ns: Option<i128>,
    pub(super) end_ns: i128,
    pub(super) measured: Measured,
}

/// The summary values of a histogram, without its buckets.
#[derive(Clone, Copy)]
pub(super) struct Measured {
    pub(super) count: i128,
    pub(super) sum: Option<f64>,
    pub(super) min: Option<f64>,
    pub(super) max: Option<f64>,
}

impl Point {
    fn failed(&self) -> bool {
        self.labels.contains_key("error.type")
    }

    /// The labels of the request and the response, without the failure.
    fn group(&self) -> Labels {
        without(&self.labels, |name| name == "error.type")
    }

    /// The labels of the request: a failed one has no response.
    fn asked(&self) -> Labels {
        without(&self.labels, |name| name == "error.type" || name.contains(".response."))
    }
}

fn without(labels: &Labels, is_left_out: impl Fn(&str) -> bool) -> Labels {
    labels.iter().filter(|(name, _)| !is_left_out(name)).map(|(name, label)| (name.clone(), label.clone())).collect()
}

/// The intervals between the exports of a cumulative stream.
///
/// The first total covers a longer time than the others and is left out, unless the stream began with it.
pub(super) fn differences(mut stream: Vec<Point>, unknown_past: &mut usize) -> Vec<Point> {
    stream.sort_by_key(|point| point.end_ns);
    let longest_ns = stream.windows(2).map(|pair| pair[1].end_ns - pair[0].end_ns).max();
    let mut intervals = Vec::with_capacity(stream.len());
    let mut before: Option<Total> = None;
    for mut point in stream {
        let total = Total { begin_ns: point.begin_ns, end_ns: point.end_ns, measured: point.measured };
        let is_whole = match before {
            Some(earlier) if earlier.begin_ns == total.begin_ns && earlier.measured.count <= total.measured.count => {
                point.begin_ns = Some(earlier.end_ns);
                point.measured = since(earlier.measured, total.measured);
                true
            }
            // The process restarted.
            Some(earlier) => total.begin_ns.is_some() && earlier.begin_ns != total.begin_ns,
            None => is_as_long_as_others(total, longest_ns),
        };
        before = Some(total);
        if is_whole {
            intervals.push(point);
        } else {
            *unknown_past += 1;
        }
    }
    intervals
}

/// The total of a stream at an export.
#[derive(Clone, Copy)]
struct Total {
    begin_ns: Option<i128>,
    end_ns: i128,
    measured: Measured,
}

/// The usual interval between exports. The last one of a process is shorter.
const USUAL_INTERVAL_NS: i128 = 60_000_000_000;

/// True if the first total of a stream covers about as much time as one of the intervals after it.
fn is_as_long_as_others(first: Total, longest_ns: Option<i128>) -> bool {
    let Some(begin_ns) = first.begin_ns else { return false };
    longest_ns.is_none_or(|longest_ns| first.end_ns - begin_ns <= 2 * longest_ns.max(USUAL_INTERVAL_NS))
}

/// The measurements after `earlier`. The extremes of an interval cannot be derived from cumulative ones.
fn since(earlier: Measured, total: Measured) -> Measured {
    let sum = earlier.sum.zip(total.sum).map(|(earlier, total)| total - earlier).filter(|sum| *sum >= 0.0);
    Measured { count: total.count - earlier.count, sum, min: None, max: None }
}

/// One row: the measurements of one group in one interval.
struct Row {
    line: u64,
    labels: Labels,
    begin_ns: Option<i128>,
    end_ns: i128,
    columns: BTreeMap<&'static str, Measured>,
    failed: i128,
}

/// The rows of these points, in order of time.
pub(super) fn rows(points: Vec<Point>) -> Runs {
    let mut of_request: BTreeMap<Labels, Vec<Point>> = BTreeMap::new();
    for point in points {
        of_request.entry(point.asked()).or_default().push(point);
    }
    let mut rows: Vec<Row> = of_request.into_values().flat_map(exports).flat_map(rows_of_export).collect();
    rows.sort_by(|a, b| (a.end_ns, &a.labels).cmp(&(b.end_ns, &b.labels)));
    let mut runs = Runs::default();
    rows.iter().for_each(|row| row.write(&mut runs));
    runs
}

/// Groups the points by export.
fn exports(mut points: Vec<Point>) -> Vec<Vec<Point>> {
    points.sort_by_key(|point| point.end_ns);
    let mut exports: Vec<Vec<Point>> = Vec::new();
    let mut seen = BTreeSet::new();
    for point in points {
        let stream = (point.column, point.labels.clone());
        match exports.last_mut() {
            Some(export) if point.end_ns - export[0].end_ns <= SAME_EXPORT_NS && !seen.contains(&stream) => {
                export.push(point);
            }
            _ => {
                seen.clear();
                exports.push(vec![point]);
            }
        }
        seen.insert(stream);
    }
    exports
}

/// One row per kind of response; failures belong to the kind that most requests got.
fn rows_of_export(points: Vec<Point>) -> Vec<Row> {
    let (failures, answers): (Vec<Point>, Vec<Point>) = points.into_iter().partition(Point::failed);
    let mut rows: BTreeMap<Labels, Row> = BTreeMap::new();
    for point in &answers {
        rows.entry(point.group()).or_insert_with(|| Row::of(point, point.group())).add(point);
    }
    let mut rows: Vec<Row> = rows.into_values().collect();
    let counted = if failures.iter().any(|point| point.column == REQUESTS) { REQUESTS } else { SERVED };
    let failures: Vec<Point> = failures.into_iter().filter(|point| point.column == counted).collect();
    if let Some(first) = failures.first() {
        if rows.is_empty() {
            rows.push(Row::of(first, first.asked()));
        }
        if let Some(row) = rows.iter_mut().rev().max_by_key(|row| row.answers().unwrap_or(0)) {
            row.failed = failures.iter().map(|point| point.measured.count).sum();
            row.begin_ns = failures.iter().filter_map(|point| point.begin_ns).chain(row.begin_ns).min();
        }
    }
    rows
}

impl Row {
    fn of(first: &Point, labels: Labels) -> Self {
        let (line, begin_ns, end_ns) = (first.line, first.begin_ns, first.end_ns);
        Self { line, labels, begin_ns, end_ns, columns: BTreeMap::new(), failed: 0 }
    }

    fn add(&mut self, point: &Point) {
        self.begin_ns = self.begin_ns.into_iter().chain(point.begin_ns).min();
        let more = point.measured;
        self.columns.insert(point.column, more);
    }

    /// The number of requests with a response, if a metric counts them.
    fn answers(&self) -> Option<i128> {
        [REQUESTS, SERVED].iter().find_map(|column| self.columns.get(column)).map(|measured| measured.count)
    }

    fn write(&self, runs: &mut Runs) {
        runs.begin(self.line);
        runs.started_at(self.begin_ns.and_then(|ns| Timestamp::from_nanosecond(ns).ok()));
        for (name, label) in &self.labels {
            runs.text(name, Some(label));
        }
        runs.number("duration_s", self.begin_ns.map(|begin| of_ns(real(self.end_ns - begin))));
        if self.failed > 0 || self.answers().is_some() {
            runs.number("requests", Some(real(self.answers().unwrap_or(0) + self.failed)));
            runs.number("failed", Some(real(self.failed)));
        }
        for (column, measured) in &self.columns {
            runs.number(&format!("{column}.mean"), measured.sum.map(|sum| sum / real(measured.count)));
            runs.number(&format!("{column}.min"), measured.min);
            runs.number(&format!("{column}.max"), measured.max);
            runs.number(&format!("{column}.count"), Some(real(measured.count)));
        }
    }
}

/// A count or a time difference as a double: exact below 2⁵³.
#[allow(clippy::cast_precision_loss, reason = "counts and intervals are below 2^53")]
fn real(number: i128) -> f64 {
    number as f64
}
