//! `--export-csv`: statistics of each command, in seconds.

use super::{PARAMETER, run_names};
use crate::error::Result;
use crate::ingest::rows;
use crate::ingest::runs::Runs;
use crate::ingest::tool::Parsed;

/// The tool's columns and our names.
const STATISTICS: [(&str, &str); 7] = [
    ("mean", "e2e_s.mean"),
    ("stddev", "e2e_s.std"),
    ("median", "e2e_s.p50"),
    ("min", "e2e_s.min"),
    ("max", "e2e_s.max"),
    ("user", "user_s.mean"),
    ("system", "system_s.mean"),
];

pub(super) fn read(source: &str, text: &str) -> Result<Parsed> {
    let mut commands = Vec::new();
    let warnings = rows::read(source, text, "give the statistics of at least one command", |row| {
        let statistics = STATISTICS.iter().map(|(theirs, ours)| Ok((*ours, row.number(theirs)?)));
        let mut statistics = statistics.collect::<Result<Vec<_>>>()?;
        // For a single run, which has no standard deviation, the tool writes 0. Equal minimum and maximum indicate the
        // same.
        let extremes = (row.number("min")?, row.number("max")?);
        statistics.retain(|(name, _)| *name != "e2e_s.std" || extremes.0 != extremes.1);
        let parameters = row.fields().filter_map(|(name, value)| Some((name.strip_prefix(PARAMETER)?, value)));
        let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let command = row.text("command").unwrap_or_default().to_owned();
        commands.push((row.location.line.unwrap_or(1), command, parameters, statistics));
        Ok(())
    })?;
    let named: Vec<_> =
        commands.iter().map(|(_, name, parameters, _)| (name.as_str(), Clone::clone(parameters))).collect();
    let mut runs = Runs { warnings, ..Runs::default() };
    for ((line, _, parameters, statistics), run) in commands.iter().zip(run_names(&named)) {
        runs.begin(*line);
        runs.text("run", Some(&run));
        statistics.iter().for_each(|(name, value)| runs.number(name, *value));
        parameters.iter().for_each(|(name, value)| runs.text(&format!("{PARAMETER}{name}"), Some(value)));
    }
    Ok(Parsed::Runs(runs))
}
