//! Summaries in CSV: a section of distributions, one of single figures, and one of graphics processors. Numbers are
//! rounded to two decimal places.

use csv::{ReaderBuilder, StringRecord};

use super::summary::statistic_name;
use super::{DISTRIBUTIONS, FIGURES, KNOWN_UNITS, in_si};
use crate::error::{Error, Location, Result};
use crate::ingest::runs::Runs;
use crate::ingest::tool::Parsed;
use crate::quantity::counted;

/// A file describes one run.
pub(super) fn read(source: &str, text: &str) -> Result<Parsed> {
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut runs = Runs::default();
    runs.begin(1);
    let mut header = StringRecord::new();
    let (mut succeeded, mut completed, mut failed) = (None, None, None);
    let mut row = StringRecord::new();
    while reader.read_record(&mut row).map_err(|error| Error::of_csv(source, &error))? {
        let Some(metric) = row.get(0) else { continue };
        if metric == "Metric" || metric == "Endpoint" {
            header = row.clone();
            continue;
        }
        if header.get(0) != Some("Metric") {
            continue;
        }
        if row.len() < header.len() {
            return Err(Error::Format {
                location: Location::of(source).field(metric),
                problem: format!("found {}, but the header has {}", counted(row.len(), "field"), header.len()),
                fix: "the file is truncated: copy it again".to_owned(),
            });
        }
        let (tag, unit) = tag_of(metric);
        let to_si = |value: f64| {
            in_si(value, unit).ok_or_else(|| Error::Format {
                location: Location::of(source).field(metric),
                problem: format!("unknown unit {unit:?}"),
                fix: KNOWN_UNITS.to_owned(),
            })
        };
        let only = row.get(1).and_then(number);
        match tag.as_str() {
            "request_count" => succeeded = only,
            "completed_requests" => completed = only,
            "error_request_count" => failed = only,
            _ => {}
        }
        if let Some((_, column)) = FIGURES.iter().find(|(known, _)| *known == tag) {
            runs.number(column, only.map(to_si).transpose()?);
        }
        if let Some((_, column)) = DISTRIBUTIONS.iter().find(|(known, _)| *known == tag) {
            for (name, cell) in header.iter().zip(&row).skip(1) {
                if let Some(statistic) = statistic_name(name) {
                    runs.number(&format!("{column}.{statistic}"), number(cell).map(to_si).transpose()?);
                }
            }
        }
    }
    let all = completed.or_else(|| failed.map(|failed: f64| failed + succeeded.unwrap_or_default())).or(succeeded);
    runs.number("requests", all);
    runs.number("failed", failed.or_else(|| Some(completed? - succeeded?)));
    Ok(Parsed::Runs(runs))
}

/// The tag and the unit from a title such as `Time to First Token (ms)`; other parentheses are comments. Counts have no
/// unit.
fn tag_of(title: &str) -> (String, &str) {
    let (title, unit) = match title.strip_suffix(')').and_then(|title| title.rsplit_once(" (")) {
        Some((title, unit)) if in_si(0.0, unit).is_some() || unit.contains('/') => (title, unit),
        _ => (title, "count"),
    };
    let title = title.split_once(" (").map_or(title, |(title, _)| title);
    (title.to_lowercase().replace([' ', '-'], "_"), unit)
}

/// genai-perf separates thousands with commas.
fn number(cell: &str) -> Option<f64> {
    cell.replace(',', "").parse().ok().filter(|value: &f64| value.is_finite())
}
