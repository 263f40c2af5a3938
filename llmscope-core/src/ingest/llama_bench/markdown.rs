//! `-o md`: the table that llama-bench prints by default.

use super::{Kind, Settings, run_name, varying};
use crate::error::{Error, Location, Result, excerpt};
use crate::ingest::attributes::scalar;
use crate::ingest::runs::Runs;
use crate::ingest::tool::Parsed;
use crate::ingest::{markdown, rows};
use crate::session::AttributeValue;

/// True for the header of the table.
pub(super) fn is_header(line: &str) -> bool {
    markdown::rows(line).any(|(_, cells)| are_header(&cells))
}

fn are_header(cells: &[String]) -> bool {
    ["model", "test", "t/s"].iter().all(|name| cells.iter().any(|cell| cell == name))
}

/// Columns that are not settings of a test.
const NO_SETTINGS: [&str; 5] = ["model", "size", "params", "test", "t/s"];

pub(super) fn read(source: &str, text: &str) -> Result<Parsed> {
    let (text, warnings) = rows::whole_lines(source, text);
    let (mut names, mut tests) = (Vec::new(), Vec::new());
    for (line, cells) in markdown::rows(text) {
        if are_header(&cells) {
            names = cells;
        } else if cells.len() == names.len() {
            tests.push((line, names.iter().cloned().zip(cells).collect::<Settings>()));
        }
    }
    if tests.is_empty() {
        return Err(rows::no_rows(source, &warnings, "give the table with the row of at least one test"));
    }
    let settings = |fields: &Settings| -> Settings {
        fields
            .iter()
            .filter(|(name, _)| !NO_SETTINGS.contains(&name.as_str()))
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect()
    };
    let all: Vec<Settings> = tests.iter().map(|(_, fields)| settings(fields)).collect();
    let varying = varying(all.iter());
    let mut runs = Runs { warnings, ..Runs::default() };
    for ((line, fields), settings) in tests.iter().zip(&all) {
        let get = |name: &str| fields.get(name).map_or("", String::as_str);
        let (mean, std) = rate(get("t/s")).ok_or_else(|| Error::Format {
            location: Location::of(source).line(*line).field("t/s"),
            problem: format!("\"{}\" is not a mean with its standard deviation", excerpt(get("t/s"))),
            fix: "give the table as llama-bench printed it, such as: 139.96 ± 53.47".to_owned(),
        })?;
        runs.begin(*line);
        runs.text("run", Some(&run_name(get("test"), settings, &varying)));
        runs.text("model", Some(get("model")));
        let name = rate_name(get("test"));
        runs.number(&format!("{name}.mean"), Some(mean));
        runs.number(&format!("{name}.std"), Some(std));
        for (name, value) in settings {
            match scalar(value) {
                AttributeValue::Number(number) => runs.number(name, Some(number)),
                _ => runs.text(name, Some(value)),
            }
        }
    }
    Ok(Parsed::Runs(runs))
}

/// `139.96 ± 53.47`.
fn rate(cell: &str) -> Option<(f64, f64)> {
    let (mean, std) = cell.split_once('±')?;
    Some((mean.trim().parse().ok()?, std.trim().parse().ok()?))
}

/// The name of the rate of `pp64`, `tg16` or `pp64+tg16`.
fn rate_name(test: &str) -> &'static str {
    let kind = match (test.starts_with("pp"), test.contains("tg")) {
        (true, false) => Kind::Prompt,
        (false, _) => Kind::Generation,
        (true, true) => Kind::Both,
    };
    kind.rate()
}
