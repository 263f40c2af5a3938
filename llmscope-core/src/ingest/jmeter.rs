//! Apache JMeter: results of samples as CSV and XML (`.jtl`).
//!
//! Traps: rows are in order of the end, and `timeStamp` is the start. `Latency` is the time to the first byte, and 0 if
//! none arrived. A sample without a response has a text instead of a code. A Transaction Controller adds a sample for the
//! sum of its samples. In XML, the samples within a sample are its parts. CSV can lack the header
//! (`print_field_names=false`): only the first columns then have the same place in each configuration.

use super::Cell;
use super::attributes::{numbers, scalar, texts};
use super::gathered;
use super::outcome::{Outcome, OutcomeColumn};
use super::rows;
use super::runs::of_ms;
use super::signature::Signature;
use super::tool::{Format, Parsed, Reading};
use super::when::{Moment, TimeRules};
use super::xml::{Attributes, Event, Events};
use crate::error::{Error, Location, Result};
use crate::quantity::counted;
use crate::session::{RequestRecord, Software, Warning, torn_tail};

pub(super) const FORMAT: Format = Format {
    name: "jmeter",
    title: "Apache JMeter samples (CSV)",
    recognizes: |signature| {
        signature.has_columns(&["timeStamp", "elapsed", "label", "responseCode", "success"])
            || (!signature.is_json() && header_of(signature.first_line()).is_some())
    },
    reading: Reading::Whole(read),
};

pub(super) const XML: Format = Format {
    name: "jmeter-xml",
    title: "Apache JMeter samples (XML)",
    recognizes: |signature| {
        !signature.is_json() && signature.text.starts_with('<') && root(signature.text) == Some(ROOT)
    },
    reading: Reading::Whole(read_xml),
};

const ROOT: &str = "testResults";
/// The elements of samples.
const SAMPLES: [&str; 2] = ["sample", "httpSample"];
/// The attributes of a sample in XML, and the columns of the same values.
const COLUMNS: [(&str, &str); 11] = [
    ("timeStamp", "ts"),
    ("elapsed", "t"),
    ("Latency", "lt"),
    ("Connect", "ct"),
    ("success", "s"),
    ("label", "lb"),
    ("responseCode", "rc"),
    ("responseMessage", "rm"),
    ("threadName", "tn"),
    ("bytes", "by"),
    ("allThreads", "na"),
];

fn root(text: &str) -> Option<&str> {
    Events::of(text).find_map(|event| if let Event::Open { name, .. } = event { Some(name) } else { None })
}

fn read(source: &str, text: &str) -> Result<Parsed> {
    let line = text.trim_start().lines().next().unwrap_or_default();
    let header = header_of(Signature::of(line).first_line());
    let with_header = header.as_ref().map(|header| format!("{header}\n{}", text.trim_start()));
    let mut samples = Vec::new();
    let mut warnings = rows::read(source, with_header.as_deref().unwrap_or(text), NO_SAMPLES, |row| {
        let location = if header.is_some() { above(&row.location) } else { row.location.clone() };
        samples.push(Sample::of(&|name| row.text(name), &location)?);
        Ok(())
    })?;
    if header.is_some() {
        warnings.iter_mut().for_each(|warning| warning.location = above(&warning.location));
        let message = "no header: the columns are taken by their places in the default configuration".to_owned();
        warnings.push(Warning { location: Location::of(source).line(1), message });
    }
    Ok(session(source, samples, warnings))
}

/// The columns of the default configurations of JMeter 5, 3 and 2.13.
const USUAL: [&str; 3] = [
    "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes,sentBytes,\
     grpThreads,allThreads,URL,Latency,IdleTime,Connect",
    "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes,sentBytes,\
     grpThreads,allThreads,Latency,IdleTime,Connect",
    "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,bytes,grpThreads,allThreads,Latency",
];

/// The header line for rows without one, whose first has these cells: a start in milliseconds, a duration, a label, a
/// code, and later whether it succeeded.
fn header_of(cells: &[String]) -> Option<String> {
    const MILLISECOND_DIGITS: usize = 13;
    let is_count = |cell: &String| !cell.is_empty() && cell.bytes().all(|byte| byte.is_ascii_digit());
    let is_start = cells.first().is_some_and(|cell| is_count(cell) && cell.len() == MILLISECOND_DIGITS);
    let success = cells.iter().position(|cell| cell == "true" || cell == "false")?;
    if !is_start || !cells.get(1).is_some_and(is_count) || !(5..=7).contains(&success) {
        return None;
    }
    let fits = |names: &&&str| {
        let names: Vec<&str> = names.split(',').collect();
        names.len() == cells.len() && names[success] == "success"
    };
    if let Some(usual) = USUAL.iter().find(fits) {
        return Some((*usual).to_owned());
    }
    let name = |place: usize| match place {
        0 => "timeStamp",
        1 => "elapsed",
        2 => "label",
        3 => "responseCode",
        _ if place == success => "success",
        _ => "",
    };
    Some((0..cells.len()).map(name).collect::<Vec<_>>().join(","))
}

/// The line before.
fn above(location: &Location) -> Location {
    Location { line: location.line.map(|line| line.saturating_sub(1)), ..location.clone() }
}

const NO_SAMPLES: &str = "give the results of a test with at least one sample";

fn read_xml(source: &str, text: &str) -> Result<Parsed> {
    let (mut samples, mut warnings, mut depth) = (Vec::new(), Vec::new(), 0_usize);
    // The outermost sample, the depth of its element, and the message of its failed assertion.
    let mut current: Option<(Attributes<'_>, Location)> = None;
    let (mut message, mut in_message) = (None, false);
    for event in Events::of(text) {
        match event {
            Event::Open { name, attributes, line } => {
                depth += 1;
                in_message = name == "failureMessage";
                if depth == 2 && SAMPLES.contains(&name) {
                    current = Some((attributes, Location::of(source).line(line)));
                    message = None;
                }
            }
            Event::Text(text) if in_message && message.is_none() => message = Some(text.into_owned()),
            Event::Text(_) => {}
            Event::Close => {
                depth = depth.saturating_sub(1);
                in_message = false;
                if depth == 1
                    && let Some((attributes, location)) = current.take()
                {
                    let field = |name: &str| match COLUMNS.iter().find(|(column, _)| *column == name) {
                        Some((_, attribute)) => attributes.get(attribute),
                        None if name == "failureMessage" => message.as_deref(),
                        None => None,
                    };
                    samples.push(Sample::of(&field, &location)?);
                }
            }
            Event::Truncated => warnings.push(torn_tail(Location::of(source).line(text.lines().count() as u64))),
            Event::Broken(line) => {
                return Err(Error::Format {
                    location: Location::of(source).line(line),
                    problem: "a tag is not well-formed XML".to_owned(),
                    fix: "give the file as JMeter wrote it".to_owned(),
                });
            }
        }
    }
    if samples.is_empty() {
        return Err(rows::no_rows(source, &[], NO_SAMPLES));
    }
    Ok(session(source, samples, warnings))
}

/// A sample, and whether it is the sum of others.
struct Sample {
    record: RequestRecord,
    is_transaction: bool,
    has_verdict: bool,
}

fn session(source: &str, mut samples: Vec<Sample>, mut warnings: Vec<Warning>) -> Parsed {
    let unknown = samples.iter().filter(|sample| !sample.has_verdict).count();
    if unknown > 0 {
        let message =
            format!("{} without a value of success: whether it failed is not known", counted(unknown, "sample"));
        warnings.push(Warning { location: Location::of(source), message });
    }
    let transactions = samples.iter().filter(|sample| sample.is_transaction).count();
    if (1..samples.len()).contains(&transactions) {
        samples.retain(|sample| !sample.is_transaction);
        let message = format!("left out {}: their samples are in the file", counted(transactions, "transaction"));
        warnings.push(Warning { location: Location::of(source), message });
    }
    let records = samples.into_iter().map(|sample| sample.record).collect();
    Parsed::Session(gathered::session(Software { name: "JMeter".to_owned(), version: None }, records), warnings)
}

impl Sample {
    fn of(field: Fields<'_, '_>, location: &Location) -> Result<Self> {
        // What a Transaction Controller writes, in all versions.
        let message = field("responseMessage").unwrap_or_default();
        let is_transaction = message.starts_with("Number of samples in transaction");
        Ok(Self { record: record(field, location)?, is_transaction, has_verdict: field("success").is_some() })
    }
}

/// A field of a sample, by the name of its column.
type Fields<'c, 'f> = &'c dyn Fn(&str) -> Option<&'f str>;

fn record(field: Fields<'_, '_>, location: &Location) -> Result<RequestRecord> {
    let mut record = RequestRecord { started_at: started_at(field, location)?, ..RequestRecord::default() };
    let number = |name: &str| field(name).map(|text| rows::number(location, name, text)).transpose();
    let of_column = |kind: OutcomeColumn<'_>, name: &str| {
        kind.read(&field(name).map_or(Cell::Missing, Cell::parse)).unwrap_or(Outcome::Unknown)
    };
    let success = of_column(OutcomeColumn::Verdict, "success");
    // The test plan decides: an assertion can accept a status such as 404.
    if let Outcome::Failed(status, error, detail) = success {
        let failed = Outcome::Failed(status, error, detail).and(of_column(OutcomeColumn::Code, "responseCode"));
        if let Outcome::Failed(status, error, _) = failed.and(of_column(OutcomeColumn::Failure, "failureMessage")) {
            (record.status, record.error) = (status, Some(error));
        }
    }
    let seconds = |name: &str| Ok::<_, Error>(number(name)?.map(of_ms));
    let elapsed_s = seconds("elapsed")?;
    if record.succeeded() {
        record.e2e_s = elapsed_s;
        record.connect_s = seconds("Connect")?.filter(|&seconds| seconds > 0.0);
        let first_byte_s = seconds("Latency")?.filter(|&seconds| seconds > 0.0);
        record.attributes.extend(numbers([("first_byte_s", first_byte_s)]));
    } else {
        record.attributes.extend(numbers([("failed_after_s", elapsed_s)]));
    }
    record.attributes.extend(numbers([("bytes", number("bytes")?), ("threads", number("allThreads")?)]));
    record.attributes.extend(texts([("label", field("label"))]));
    record.attributes.extend(field("responseCode").map(|code| ("responseCode".to_owned(), scalar(code))));
    Ok(record)
}

/// A count of milliseconds since 1970, or a date in the form that the user configured.
fn started_at(field: Fields<'_, '_>, location: &Location) -> Result<Option<jiff::Timestamp>> {
    let Some(text) = field("timeStamp") else { return Ok(None) };
    match TimeRules::default().of_text(text) {
        Some(Moment::At(time) | Moment::Naive(time)) => Ok(time.get()),
        _ => Err(Error::Format {
            location: location.clone().field("timeStamp"),
            problem: format!("\"{}\" is not a time", crate::error::excerpt(text)),
            fix: "set jmeter.save.saveservice.timestamp_format=ms and record it again".to_owned(),
        }),
    }
}
