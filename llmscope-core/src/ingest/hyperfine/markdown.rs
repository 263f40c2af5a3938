//! `--export-markdown`: statistics of each command, rounded for display.

use std::collections::BTreeMap;

use super::run_names;
use crate::error::{Error, Location, Result, excerpt};
use crate::ingest::runs::Runs;
use crate::ingest::tool::Parsed;
use crate::ingest::{markdown, rows};
use crate::session::Warning;

/// True for the header of the table.
pub(super) fn is_header(line: &str) -> bool {
    markdown::rows(line).any(|(_, cells)| per_second(&cells).is_some())
}

/// The number of the header's units per second: `Command`, `Mean [ms]`, `Min [ms]`, `Max [ms]`, `Relative`.
fn per_second(cells: &[String]) -> Option<f64> {
    let [command, mean, min, max, relative] = cells else { return None };
    let unit = mean.strip_prefix("Mean [")?.strip_suffix(']')?;
    let of_unit = |cell: &String, name: &str| *cell == format!("{name} [{unit}]");
    let is_header = command == "Command" && relative == "Relative" && of_unit(min, "Min") && of_unit(max, "Max");
    let per_second = match unit {
        "s" => 1.0,
        "ms" => 1e3,
        "µs" => 1e6,
        _ => return None,
    };
    is_header.then_some(per_second)
}

pub(super) fn read(source: &str, text: &str) -> Result<Parsed> {
    let (text, warnings) = rows::whole_lines(source, text);
    let (mut unit, mut commands) = (1.0, Vec::new());
    for (line, cells) in markdown::rows(text) {
        if let Some(per_second) = per_second(&cells) {
            unit = per_second;
        } else if let [command, mean, min, max, _] = cells.as_slice() {
            let number = |name: &str, text: &str| {
                let location = Location::of(source).line(line).field(name);
                text.trim().parse::<f64>().map(|value| value / unit).map_err(|_| refused(location, text))
            };
            // A single run has no standard deviation.
            let (mean, std) = mean.split_once('±').map_or((mean.as_str(), None), |(mean, std)| (mean, Some(std)));
            let statistics = [
                ("e2e_s.mean", Some(number("Mean", mean)?)),
                ("e2e_s.std", std.map(|std| number("Mean", std)).transpose()?),
                ("e2e_s.min", Some(number("Min", min)?)),
                ("e2e_s.max", Some(number("Max", max)?)),
            ];
            commands.push((line, command.trim_matches('`').to_owned(), statistics));
        }
    }
    if commands.is_empty() {
        return Err(rows::no_rows(source, &warnings, "give the table with the row of at least one command"));
    }
    let named: Vec<_> = commands.iter().map(|(_, name, _)| (name.as_str(), BTreeMap::new())).collect();
    let mut runs = Runs { warnings, ..Runs::default() };
    runs.warnings.push(Warning {
        location: Location::of(source),
        message: "the values in this table are rounded; hyperfine's JSON and CSV have full precision".to_owned(),
    });
    for ((line, _, statistics), run) in commands.iter().zip(run_names(&named)) {
        runs.begin(*line);
        runs.text("run", Some(&run));
        statistics.iter().for_each(|(name, value)| runs.number(name, *value));
    }
    Ok(Parsed::Runs(runs))
}

fn refused(location: Location, text: &str) -> Error {
    Error::Format {
        location,
        problem: format!("\"{}\" is not a number", excerpt(text)),
        fix: "give the table as hyperfine wrote it, such as: 6.0 ± 14.0".to_owned(),
    }
}
