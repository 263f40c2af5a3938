//! Results of queries: a row for each sample of each series.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::{ACCUMULATING, Labels};
use crate::error::{Error, Location, Result, excerpt};
use crate::ingest::empty::no_requests;
use crate::ingest::timestamp::of_epoch_s;
use crate::ingest::tool::Parsed;
use crate::ingest::{Cell, Column, Table};
use crate::quantity::counted;
use crate::session::Warning;

/// The label with the name of the metric.
const NAME: &str = "__name__";
/// The column of a series whose query dropped its name, as `rate` and `histogram_quantile` do.
const VALUE: &str = "value";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    error_type: Option<String>,
    error: Option<String>,
    data: Option<Data>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    result_type: String,
    result: Value,
}

/// A series of a range, or of an instant.
#[derive(Deserialize)]
struct Found {
    #[serde(default)]
    metric: Labels,
    #[serde(default)]
    values: Vec<(f64, String)>,
    value: Option<(f64, String)>,
    #[serde(default)]
    histograms: Vec<Value>,
}

pub(in crate::ingest) fn read(source: &str, text: &str) -> Result<Parsed> {
    let broken = |error: serde_json::Error| Error::of_json(Location::of(source), &error);
    let response: Response = serde_json::from_str(text).map_err(broken)?;
    let Some(data) = response.data else {
        let [kind, message] = [response.error_type, response.error].map(Option::unwrap_or_default);
        return Err(Error::Format {
            location: Location::of(source).field("error"),
            problem: format!("Prometheus refused the query ({}: {})", excerpt(&kind), excerpt(&message)),
            fix: "correct the query, and save its result".to_owned(),
        });
    };
    if !["matrix", "vector"].contains(&data.result_type.as_str()) {
        return Err(Error::Format {
            location: Location::of(source).field("data.resultType"),
            problem: format!("a result of the type \"{}\" has no series", excerpt(&data.result_type)),
            fix: "query a metric over a range (/api/v1/query_range)".to_owned(),
        });
    }
    let found: Vec<Found> = serde_json::from_value(data.result).map_err(broken)?;
    let mut warnings = Vec::new();
    let mut warn = |message| warnings.push(Warning { location: Location::of(source), message });
    let histograms = found.iter().filter(|series| !series.histograms.is_empty()).count();
    let is_counter = |series: &&Found| series.is_counter();
    let counters: BTreeSet<&str> = found.iter().filter(is_counter).filter_map(Found::name).collect();
    let read: Vec<&Found> = found.iter().filter(|series| !series.is_counter()).collect();
    let table = rows(source, &read)?;
    if histograms > 0 {
        warn(format!("left out {}: query histogram_quantile", counted(histograms, "native histogram")));
    }
    let constant = read.iter().filter(|series| series.is_constant_result()).count();
    if constant > 0 {
        warn(format!(
            "the values of {constant} series never change: a quantile of a histogram stays the same while all times are \
             in one bucket; query the mean, rate(NAME_sum[5m]) / rate(NAME_count[5m])"
        ));
    }
    for name in &counters {
        let name = excerpt(name);
        warn(format!("left out {name}: its samples accumulate; query rate({name}[5m]), or increase"));
    }
    if table.rows() == 0 {
        let fix = "query a range in which the metric has samples, and rate(NAME[5m]) of a counter";
        return Err(no_requests(source, fix));
    }
    Ok(Parsed::Table(table, warnings))
}

impl Found {
    fn name(&self) -> Option<&str> {
        self.metric.get(NAME).map(String::as_str)
    }

    fn samples(&self) -> impl Iterator<Item = &(f64, String)> {
        self.values.iter().chain(&self.value)
    }

    /// True if a query that dropped the name has the same result at all times, as no measured time has.
    fn is_constant_result(&self) -> bool {
        const SAMPLES: usize = 5;
        let mut texts = self.samples().map(|(_, text)| text);
        let Some(first) = texts.next().filter(|_| self.name().is_none() && self.values.len() >= SAMPLES) else {
            return false;
        };
        first.parse::<f64>().is_ok_and(|value| value.is_finite() && value != 0.0) && texts.all(|text| text == first)
    }

    /// True for a counter, or a part of a histogram: its name says so, and it decreases only where it began again.
    fn is_counter(&self) -> bool {
        const SAMPLES_A_RESTART: usize = 10;
        let values: Vec<f64> = self.samples().filter_map(|(_, value)| value.parse().ok()).collect();
        let decreases = values.windows(2).filter(|pair| pair[1] < pair[0]).count();
        let is_named = self.name().is_some_and(|name| ACCUMULATING.iter().any(|ending| name.ends_with(ending)));
        is_named && decreases * SAMPLES_A_RESTART <= values.len()
    }
}

fn rows(source: &str, read: &[&Found]) -> Result<Table> {
    let labels = differing(read);
    let mut columns: BTreeMap<&str, Vec<Cell>> = BTreeMap::new();
    let (mut times, mut series) = (Vec::new(), Vec::new());
    for found in read {
        let own: Vec<String> =
            labels.iter().filter_map(|name| Some(format!("{name}={}", found.metric.get(*name)?))).collect();
        for (at, value) in found.samples() {
            let location = || Location::of(source).field("data.result[].values");
            let time = of_epoch_s(*at).ok_or_else(|| Error::Format {
                location: location(),
                problem: format!("{at} is not a time in seconds since 1970"),
                fix: "give the file as Prometheus wrote it".to_owned(),
            })?;
            let row = times.len();
            times.push(Cell::Text(time.to_string()));
            series.push(if own.is_empty() { Cell::Missing } else { Cell::Text(own.join(", ")) });
            let column = columns.entry(found.name().unwrap_or(VALUE)).or_default();
            column.resize(row, Cell::Missing);
            column.push(number(value, location)?);
        }
    }
    let rows = times.len();
    let mut table = Table { lines: vec![1; rows], ..Table::default() };
    let mut add = |name: &str, mut cells: Vec<Cell>| {
        cells.resize(rows, Cell::Missing);
        table.columns.push(Column { name: name.to_owned(), cells });
    };
    add("timestamp", times);
    if series.iter().any(|cell| *cell != Cell::Missing) {
        add("run", series);
    }
    for (name, cells) in columns {
        add(name, cells);
    }
    Ok(table)
}

/// The labels in which the series differ.
fn differing<'s>(read: &[&'s Found]) -> BTreeSet<&'s str> {
    let names = read.iter().flat_map(|found| found.metric.keys()).filter(|name| *name != NAME);
    let differs = |name: &&String| read.iter().any(|found| found.metric.get(*name) != read[0].metric.get(*name));
    names.filter(differs).map(String::as_str).collect()
}

/// `NaN` and infinities are absent: no request, or no bound.
fn number(text: &str, location: impl Fn() -> Location) -> Result<Cell> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Cell::Number(value)),
        Ok(_) => Ok(Cell::Missing),
        Err(_) => Err(Error::Format {
            location: location(),
            problem: format!("\"{}\" is not a number", excerpt(text)),
            fix: "give the file as Prometheus wrote it".to_owned(),
        }),
    }
}
