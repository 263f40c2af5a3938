//! h2load: a load generator for HTTP. Its log (`--log-file`) has a line for each response, in order of the end, without
//! a header: the start in microseconds since 1970, the status, the duration in microseconds.
//!
//! Traps: requests without a response are not in the log.

use super::attributes::numbers;
use super::gathered;
use super::hey::without_response;
use super::http;
use super::rows::{no_rows, whole_lines};
use super::tool::{Format, Parsed, Reading};
use super::when::{Moment, of_number};
use crate::error::{Error, Location, Result, excerpt};
use crate::metric::Unit;
use crate::session::{RequestError, RequestRecord, Software, Status};

pub(super) const FORMAT: Format = Format {
    name: "h2load",
    title: "h2load responses (--log-file)",
    recognizes: |signature| {
        !signature.is_json() && signature.text.lines().next().is_some_and(|line| fields(line.trim_end()).is_some())
    },
    reading: Reading::Whole(read),
};

/// A start of 16 digits, a status, a duration.
fn fields(line: &str) -> Option<[&str; 3]> {
    const MICROSECOND_DIGITS: usize = 16;
    let fields: Vec<&str> = line.split('\t').collect();
    let [start, status, duration] = fields[..] else { return None };
    let is_number = |text: &str| text.strip_prefix('-').unwrap_or(text).bytes().all(|byte| byte.is_ascii_digit());
    let numbers = [start, status, duration].iter().all(|text| !text.is_empty() && is_number(text));
    (numbers && start.len() == MICROSECOND_DIGITS && status.len() <= 3).then_some([start, status, duration])
}

fn read(source: &str, text: &str) -> Result<Parsed> {
    let (text, mut warnings) = whole_lines(source, text);
    let mut records = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if !line.trim().is_empty() {
            records.push(record(line.trim_end(), || Location::of(source).line(number))?);
        }
    }
    if records.is_empty() {
        return Err(no_rows(source, &warnings, "give the log of a run that got at least one response"));
    }
    warnings.push(without_response(source, "h2load"));
    Ok(Parsed::Session(gathered::session(Software { name: "h2load".to_owned(), version: None }, records), warnings))
}

fn record(line: &str, location: impl Fn() -> Location) -> Result<RequestRecord> {
    let refuse = || Error::Format {
        location: location(),
        problem: format!("\"{}\" is not a start, a status and a duration", excerpt(line)),
        fix: "give the file as h2load wrote it".to_owned(),
    };
    let [start, status, duration] = fields(line).ok_or_else(refuse)?;
    let number = |text: &str| text.parse::<f64>().map_err(|_| refuse());
    let (start, code, duration) = (number(start)?, status.parse::<i64>().map_err(|_| refuse())?, number(duration)?);
    let error = match u16::try_from(code) {
        Ok(status) if status >= 100 => http::refusal(status),
        _ => Some(RequestError { kind: "no response".to_owned(), code: None, message: None }),
    };
    let succeeded = error.is_none();
    let Some(Moment::At(at)) = of_number(start) else { return Err(refuse()) };
    #[allow(clippy::cast_precision_loss, reason = "a status has three digits")]
    let status = code as f64;
    Ok(RequestRecord {
        started_at: at.get(),
        status: if succeeded { Status::Ok } else { Status::Error },
        error,
        e2e_s: Unit::Second.convert(duration, "us").filter(|_| succeeded),
        attributes: numbers([("status", Some(status))]).collect(),
        ..RequestRecord::default()
    })
}
