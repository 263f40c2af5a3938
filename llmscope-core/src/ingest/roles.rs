//! The roles of a table's columns besides being measured: when a row was measured, how it ended, which record it is.

use super::identity;
use super::outcome::{OutcomeColumn, StatusRule, key};
use super::outcome_by_value::OutcomeGuess;
use super::projection::Projection;
use super::when::TimeForm;
use crate::column::TimeName;

/// The names of columns, as far as they are known before the rows are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct KnownNames<'n> {
    pub(super) names: &'n [String],
    /// False if later rows can have further columns.
    pub(super) complete: bool,
}

/// Columns by their roles.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Roles<'p> {
    /// Columns with the time of a row, the most specific first.
    pub(super) times: Vec<(String, TimeColumn)>,
    pub(super) outcomes: Vec<(String, OutcomeColumn<'p>)>,
    /// True if a column counts requests: then the rows are summaries, and `failed` is a count.
    pub(super) counts_requests: bool,
    /// Columns that together identify a record.
    pub(super) identity: Vec<String>,
    pub(super) warmup: Option<String>,
}

/// How a column tells the time of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum TimeColumn {
    /// A point in time, or a small number that counts from the start of the run.
    Start,
    /// A point in time. A small number in it may be a duration.
    Instant,
    /// A point in time if its value is one: the name only suggests it.
    Guess(TimeName),
}

/// Names of times, without case and punctuation, the most specific first.
const TIMES: [&str; 20] = [
    "startedat",
    "timestamp",
    "time",
    "ts",
    "starttime",
    "starttimestamp",
    "requeststarttime",
    "datetime",
    "createdat",
    "eventtime",
    "timestampms",
    "timestampus",
    "timestampns",
    "timems",
    "timeus",
    "timens",
    "timeunixnano",
    "starttimelocal",
    "generatedat",
    "date",
];
/// Names of times that are never durations.
const STARTS: [&str; 7] =
    ["startedat", "timestamp", "ts", "starttime", "starttimestamp", "requeststarttime", "createdat"];
/// Columns of tables whose rows are summaries of runs: there, `failed` and `success` are counts.
const COUNTS: [&str; 6] = ["requests", "numrequests", "requestcount", "totalrequests", "completed", "count"];

impl<'p> Roles<'p> {
    pub(super) fn of(projection: &'p Projection, known: KnownNames<'_>) -> Self {
        Self::with_outcomes(projection, known, &projection.outcomes)
    }

    /// The roles if these columns tell outcomes in a way that only their values show.
    pub(super) fn with_outcomes(
        projection: &'p Projection,
        known: KnownNames<'_>,
        by_value: &[(String, OutcomeGuess)],
    ) -> Self {
        let keyed: Vec<(String, &String)> = known.names.iter().map(|name| (key(name), name)).collect();
        let is_used = |name: &str| {
            projection.measures.iter().any(|measure| measure.name() == name)
                || projection.companion.as_deref() == Some(name)
                || projection.mappings.iter().any(|mapping| mapping.from == name && mapping.to != "status")
        };
        let named =
            |wanted: &str| keyed.iter().find(|(key, name)| key == wanted && !is_used(name)).map(|(_, name)| *name);
        Self {
            times: times(projection, known, &named),
            outcomes: outcomes(projection, known, by_value, &keyed, &is_used),
            counts_requests: counts_requests(&keyed, by_value),
            identity: identity(&named),
            warmup: named("warmup").or_else(|| named("iswarmup")).cloned(),
        }
    }
}

fn times<'n>(
    projection: &Projection,
    known: KnownNames<'_>,
    named: &impl Fn(&str) -> Option<&'n String>,
) -> Vec<(String, TimeColumn)> {
    if projection.reading.times.form == TimeForm::None {
        return Vec::new();
    }
    let mapped =
        Projection::TIMES.into_iter().find(|time| projection.mappings.iter().any(|mapping| mapping.to == *time));
    if let Some(mapped) = mapped {
        return vec![(mapped.to_owned(), TimeColumn::Start)];
    }
    let kind = |key: &str| if STARTS.contains(&key) { TimeColumn::Start } else { TimeColumn::Instant };
    let mut times: Vec<(String, TimeColumn)> =
        TIMES.iter().filter_map(|time| Some((named(time)?.clone(), kind(time)))).collect();
    // A date next to a time of day is a part of a time.
    if times.len() > 1 {
        times.retain(|(name, _)| key(name) != "date");
    }
    if times.iter().all(|(name, _)| key(name) == "date") {
        times.splice(0..0, guessed_times(projection, known, named));
    }
    if !known.complete {
        let is_measured = |name: &str| projection.measures.iter().any(|measure| measure.name() == name);
        for name in Projection::TIMES {
            if !is_measured(name) && times.iter().all(|(time, _)| time != name) {
                times.push((name.to_owned(), kind(&key(name))));
            }
        }
    }
    times
}

/// The columns whose names suggest a time, those of beginnings first.
fn guessed_times<'n>(
    projection: &Projection,
    known: KnownNames<'_>,
    named: &impl Fn(&str) -> Option<&'n String>,
) -> Vec<(String, TimeColumn)> {
    let is_free = |name: &str| {
        let key = key(name);
        key != "date" && named(&key).is_some() && !projection.labels.iter().any(|label| label == name)
    };
    let guess = |name: &String| Some((name.clone(), TimeName::of(name).filter(|_| is_free(name))?));
    let mut guessed: Vec<(String, TimeName)> = known.names.iter().filter_map(guess).collect();
    guessed.sort_by_key(|(_, time)| time.is_end);
    guessed.into_iter().map(|(name, time)| (name, TimeColumn::Guess(time))).collect()
}

fn outcomes<'p>(
    projection: &'p Projection,
    known: KnownNames<'_>,
    guesses: &[(String, OutcomeGuess)],
    keyed: &[(String, &String)],
    is_used: &impl Fn(&str) -> bool,
) -> Vec<(String, OutcomeColumn<'p>)> {
    match &projection.reading.status {
        StatusRule::None => return Vec::new(),
        StatusRule::Stated { column, succeeded } => return vec![(column.clone(), OutcomeColumn::Stated(succeeded))],
        StatusRule::Names => {}
    }
    let by_value = |name: &str| {
        let known = guesses.iter().find(|(known, _)| known == name);
        known.map(|(_, guess)| guess.column())
    };
    if let Some(mapping) = projection.mappings.iter().find(|mapping| mapping.to == "status") {
        let column = OutcomeColumn::of_name(&mapping.from).unwrap_or(OutcomeColumn::Verdict);
        return vec![("status".to_owned(), by_value("status").unwrap_or(column))];
    }
    let of_runs = counts_requests(keyed, guesses);
    let is_count = |name: &str| of_runs && !matches!(key(name).as_str(), "status" | "outcome");
    let later = OutcomeColumn::OF_FAILED_ROWS.iter().filter(|_| !known.complete).map(|name| (*name).to_owned());
    let mut outcomes: Vec<(String, OutcomeColumn<'p>)> = Vec::new();
    for name in known.names.iter().cloned().chain(later) {
        let is_new = outcomes.iter().all(|(known, _)| *known != name);
        if is_new && !is_used(&name) && !projection.labels.contains(&name) && !is_count(&name) {
            let column = by_value(&name).or_else(|| OutcomeColumn::of_name(&name));
            outcomes.extend(column.map(|column| (name, column)));
        }
    }
    outcomes
}

/// A flag such as `completed`, as its values show, is not a count.
fn counts_requests(keyed: &[(String, &String)], by_value: &[(String, OutcomeGuess)]) -> bool {
    let is_flag = |name: &String| by_value.iter().any(|(flag, _)| flag == name);
    keyed.iter().any(|(key, name)| COUNTS.contains(&key.as_str()) && !is_flag(name))
}

/// True for the name of a number of requests.
pub(super) fn counts_by_name(name: &str) -> bool {
    COUNTS.contains(&key(name).as_str())
}

fn identity<'n>(named: &impl Fn(&str) -> Option<&'n String>) -> Vec<String> {
    if let Some((trace, span)) = named("traceid").zip(named("spanid")) {
        return vec![trace.clone(), span.clone()];
    }
    identity::NAMES.iter().find_map(|name| named(name)).into_iter().cloned().collect()
}
