//! Checks what a caller states about logs against what their rows yield, and reports what the rows leave open.

use std::collections::BTreeSet;

use super::selection::{Key, Selection, SourceLog};
use crate::error::{Error, Location, Result};
use crate::ingest::{Content, Log, Mapping, Projection, SESSION, StatusRule, Table, takes_no_statement};
use crate::measure::Measure;
use crate::metric::Metric;
use crate::quantity::counted;
use crate::session::Warning;

/// The names by which the rows of a log can be grouped.
pub(super) fn labels_of(log: &Log) -> BTreeSet<String> {
    match &log.content {
        Content::Table(table) => table.columns.iter().map(|column| column.name.clone()).collect(),
        Content::Session(session) => {
            let attributes = session.records.iter().flat_map(|record| record.attributes.keys());
            attributes.chain(session.header.labels.keys()).cloned().collect()
        }
    }
}

/// Refuses names of columns that a table lacks.
pub(super) fn check_names(selection: &Selection, source: &str, table: &Table) -> Result<()> {
    let filters = selection.reading.filters.iter().map(|filter| &filter.column);
    let is_mapped = |name: &str| selection.mappings.iter().any(|mapping| mapping.to == name);
    let filters = filters.filter(|column| !is_mapped(column));
    let stated = match &selection.reading.status {
        StatusRule::Stated { column, .. } => Some(column),
        _ => None,
    };
    let named = selection.mappings.iter().map(|mapping| &mapping.from).chain(filters).chain(stated);
    for name in named {
        if table.column(name).is_none() {
            return Err(table.unknown_column(name));
        }
    }
    if let Some(repeated) = repeated_target(&selection.mappings) {
        return Err(Error::Format {
            location: Location::of(source),
            problem: format!("two columns are mapped to \"{}\"", repeated.to),
            fix: "omit one of the mappings".to_owned(),
        });
    }
    Ok(())
}

/// Refuses conditions on what no request of a session has.
pub(super) fn check_conditions(selection: &Selection, labels: &BTreeSet<String>) -> Result<()> {
    const OF_EVERY_REQUEST: [&str; 3] = ["provider", "model", "status"];
    let columns = selection.reading.filters.iter().map(|filter| &filter.column);
    let mut unknown = columns.filter(|&name| !labels.contains(name) && !OF_EVERY_REQUEST.contains(&name.as_str()));
    match unknown.next() {
        None => Ok(()),
        Some(name) => {
            let known: Vec<&str> = labels.iter().map(String::as_str).chain(OF_EVERY_REQUEST).collect();
            Err(Error::Unknown { what: "column", name: name.clone(), expected: known.join(", ") })
        }
    }
}

fn repeated_target(mappings: &[Mapping]) -> Option<&Mapping> {
    mappings
        .iter()
        .enumerate()
        .find(|(at, one)| mappings[..*at].iter().any(|other| other.to == one.to))
        .map(|(_, one)| one)
}

/// The measure of a log whose rows hold a single number, if it has none of the usual metrics.
pub(super) fn only_measure(projection: &Projection, log: &Log, names: &[String]) -> Option<Measure> {
    let is_of_runs = matches!(&log.content, Content::Table(table) if table.of_runs);
    // Every request has an error rate.
    let rate = Metric::ErrorRate.name();
    let is_known = |name: &&String| name.as_str() != rate && name.parse::<Metric>().is_ok();
    let mapped = projection.mappings.iter().any(|mapping| mapping.to.parse::<Metric>().is_ok());
    if is_of_runs || mapped || names.iter().any(|name| is_known(&name)) {
        return None;
    }
    let mut others = projection.columns_with_a_role(names);
    if let Content::Table(table) = &log.content {
        // A column that leaves its outcome open is refused when it is read.
        let outcomes = projection.outcomes_by_value(&log.source, table).unwrap_or_default();
        others.extend(outcomes.into_iter().map(|(name, _)| name));
    }
    let by = &projection.labels;
    let has_a_role = |name: &String| {
        name == rate || others.contains(name) || by.contains(name) || projection.companion.as_ref() == Some(name)
    };
    let mut measures = names.iter().filter(|name| !has_a_role(name));
    let only = measures.next()?;
    measures.next().is_none().then(|| Measure::Column(only.clone()))
}

/// Refuses a log if a mapping, a status or a time that the caller states yields no value on any of its rows.
pub(super) fn check(selection: &Selection, log: &SourceLog) -> Result<()> {
    let refuse = |field: &str, problem: String, fix: &str| {
        Err(Error::Format { location: Location::of(&log.source).field(field), problem, fix: fix.to_owned() })
    };
    if log.is_table && log.records == 0 {
        return refuse_rows(log, "the file has no rows");
    }
    if log.records > 0 && log.tally.filtered == log.records {
        return refuse_rows(log, "no row meets the conditions");
    }
    if let Some((column, text)) = log.tally.unreadable_time.as_ref().filter(|_| log.tally.times == 0 && !log.of_runs) {
        return refuse(
            column,
            format!("no row has a time that can be read, such as \"{text}\""),
            "state the form of the times, or that the rows have none",
        );
    }
    if let Some(column) = &log.tally.mixed_units {
        return refuse(
            column,
            "some values have a unit of time, and others have none".to_owned(),
            "write all values in one form",
        );
    }
    let stated = |column: &&String| selection.stated.unit(column).is_some();
    if let Some(column) = log.tally.duration_column.as_ref().filter(stated) {
        return refuse(column, "the values have units of their own".to_owned(), "omit the stated unit");
    }
    let all_failed = log.failed > 0 && log.failed + log.warmup + log.tally.filtered + log.repeated >= log.records;
    for (mapping, count) in selection.mappings.iter().zip(&log.tally.mapped) {
        if *count == Some(0) && !all_failed && log.repeated == 0 {
            return refuse(
                &mapping.to,
                format!("the column \"{}\" has no value on any row", mapping.from),
                "map another column, or omit the mapping",
            );
        }
    }
    Ok(())
}

fn refuse_rows(log: &SourceLog, problem: &str) -> Result<()> {
    Err(Error::Format {
        location: Location::of(&log.source),
        problem: problem.to_owned(),
        fix: "give a log with at least one row".to_owned(),
    })
}

/// Refuses statements that no log of the call can take.
pub(super) fn check_all(
    selection: &Selection,
    sources: &[SourceLog],
    labels: &BTreeSet<String>,
    groups: &[&Key],
    has_companions: bool,
) -> Result<()> {
    let states = !selection.mappings.is_empty() || matches!(selection.reading.status, StatusRule::Stated { .. });
    if states
        && let Some(log) = sources.first()
        && !sources.iter().any(|log| log.is_table)
    {
        return Err(takes_no_statement(&log.source, log.tool));
    }
    let usual = Selection::GROUPS.iter().chain([&SESSION]);
    let is_known = |name: &String| {
        usual.clone().any(|usual| usual == name)
            || labels.contains(name)
            || groups.iter().any(|key| key.contains_key(name))
    };
    let unknown = |what: &'static str, name: &String| {
        let known: Vec<&str> = labels.iter().map(String::as_str).chain(usual.clone().copied()).collect();
        Err(Error::Unknown { what, name: name.clone(), expected: known.join(", ") })
    };
    let by = selection.by.as_deref().unwrap_or_default();
    // The names of the columns of a log that is read in blocks are known only as far as they have values.
    let companion = selection.companion.as_ref().filter(|_| !has_companions);
    let companion = companion.filter(|name| !is_known(name) && *name != "status");
    match (by.iter().find(|name| !is_known(name)), companion) {
        _ if sources.is_empty() => Ok(()),
        (Some(name), _) => unknown("group column", name),
        (None, Some(name)) => unknown("column of subgroups or sample sizes", name),
        (None, None) => Ok(()),
    }
}

/// What the rows of a log leave open, as warnings.
pub(super) fn warnings(log: &SourceLog) -> Vec<Warning> {
    let tally = &log.tally;
    let rows = if log.is_table { "row" } else { "record" };
    let location = || Location::of(&log.source);
    let mut warnings = Vec::new();
    let mut warn = |applies: bool, message: &dyn Fn() -> String| {
        if applies {
            warnings.push(Warning { location: location(), message: message() });
        }
    };
    warn(log.repeated > 0, &|| format!("left out {}: the same request", repeats(log.repeated, rows)));
    // The date of a run orders the runs, whatever its offset is.
    warn(tally.naive_times > 0 && !log.of_runs, &|| {
        format!("the times of {} have no offset: read as UTC", counted(tally.naive_times, rows))
    });
    warn(tally.guessed_times.is_some(), &|| {
        let column = tally.guessed_times.as_deref().unwrap_or_default();
        format!("the column \"{column}\" is read as the time of each row, a guess from its name")
    });
    let small = tally.small_times.as_deref().filter(|_| tally.times == 0 && !log.of_runs);
    warn(small.is_some(), &|| {
        format!(
            "the numbers of the column \"{}\" can be durations, and are not read as times: the rows keep the order of the file",
            small.unwrap_or_default()
        )
    });
    let read = log.records.saturating_sub(log.warmup + tally.filtered);
    let is_dated_in_part = (1..read).contains(&tally.times) && tally.unreadable_times == 0 && !log.of_runs;
    warn(is_dated_in_part, &|| {
        format!("{} without a time: the rows keep the order of the file", counted(read - tally.times, rows))
    });
    let unread = log.unread_time.as_deref().filter(|_| tally.times == 0);
    warn(unread.is_some(), &|| {
        format!(
            "the column \"{}\" holds times, and is not read as one: the rows keep the order of the file",
            unread.unwrap_or_default()
        )
    });
    warn(tally.unreadable_times > 0, &|| {
        let (column, text) = tally.unreadable_time.clone().unwrap_or_default();
        format!(
            "{} without a time that can be read (\"{column}\": \"{text}\"): the rows keep the order of the file",
            counted(tally.unreadable_times, rows)
        )
    });
    warn(tally.outcomes > 0 && tally.without_outcome > 0, &|| {
        format!("{} without a status: counted as succeeded", counted(tally.without_outcome, rows))
    });
    for text in &log.guessed_outcomes {
        warn(true, &|| text.clone());
    }
    let unread = log.unread_outcome.as_deref().filter(|_| !log.tells_outcomes);
    warn(unread.is_some(), &|| {
        format!(
            "the column \"{}\" looks like the outcome of each row, and is not read as one",
            unread.unwrap_or_default()
        )
    });
    warn(tally.filtered > 0, &|| {
        format!("left out {} of {} by the conditions", tally.filtered, counted(log.records, rows))
    });
    warn(tally.non_finite > 0, &|| {
        format!("{} that JSON cannot hold (NaN, Infinity): read as absent", counted(tally.non_finite, "number"))
    });
    warn(tally.durations > 0, &|| format!("{} with units: read in seconds", counted(tally.durations, "duration")));
    warnings
}

fn repeats(count: usize, rows: &str) -> String {
    match count {
        1 => format!("1 {rows} that repeats the id of another"),
        _ => format!("{count} {rows}s that repeat the id of another"),
    }
}
