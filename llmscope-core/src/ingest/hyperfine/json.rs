//! `--export-json`: the time of each run.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{PARAMETER, run_names};
use crate::error::{Error, Location, Result};
use crate::ingest::attributes::{count, numbers, texts};
use crate::ingest::empty::no_requests;
use crate::ingest::tool::Parsed;
use crate::quantity::counted;
use crate::session::{RequestError, RequestRecord, Session, SessionHeader, Software, Status};

#[derive(Deserialize)]
struct Report {
    results: Vec<Command>,
}

#[derive(Deserialize)]
struct Command {
    command: String,
    #[serde(default)]
    times: Vec<f64>,
    /// Since 1.12; null if a signal terminated the run.
    exit_codes: Option<Vec<Option<i32>>>,
    /// For each run, since 1.20.
    memory_usage_byte: Option<Vec<u64>>,
    #[serde(default)]
    parameters: BTreeMap<String, String>,
}

pub(super) fn read(source: &str, text: &str) -> Result<Parsed> {
    let Report { results } =
        serde_json::from_str(text).map_err(|error| Error::of_json(Location::of(source), &error))?;
    let commands: Vec<_> = results.iter().map(|result| (result.command.as_str(), result.parameters.clone())).collect();
    let mut records = Vec::new();
    for (index, (command, run)) in results.iter().zip(run_names(&commands)).enumerate() {
        command.check(|field| Location::of(source).field(&format!("results[{index}].{field}")))?;
        records.extend((0..command.times.len()).map(|place| command.record(&run, place)));
    }
    if records.is_empty() {
        return Err(no_requests(source, "give a file with the times of at least one run"));
    }
    let header = SessionHeader {
        recorder: Some(Software { name: "hyperfine".to_owned(), version: None }),
        ..SessionHeader::default()
    };
    Ok(Parsed::Session(Session { header, records, ..Session::default() }, Vec::new()))
}

impl Command {
    /// Rejects arrays that do not describe the same runs.
    fn check(&self, location: impl Fn(&str) -> Location) -> Result<()> {
        let lengths = [
            ("exit_codes", self.exit_codes.as_ref().map(Vec::len)),
            ("memory_usage_byte", self.memory_usage_byte.as_ref().map(Vec::len)),
        ];
        let times = self.times.len();
        match lengths.into_iter().find(|(_, length)| length.is_some_and(|length| length != times)) {
            None => Ok(()),
            Some((field, length)) => Err(Error::Format {
                location: location(field),
                problem: format!("found {} for {}", counted(length.unwrap_or(0), "entry"), counted(times, "time")),
                fix: "give the file as hyperfine wrote it".to_owned(),
            }),
        }
    }

    fn record(&self, run: &str, place: usize) -> RequestRecord {
        let code = self.exit_codes.as_ref().map_or(Some(0), |codes| codes[place]);
        let error = match code {
            Some(0) => None,
            Some(code) => Some((format!("exit {code}"), Some(code.into()))),
            None => Some(("signal".to_owned(), None)),
        };
        let parameters = self.parameters.iter().map(|(name, value)| (format!("{PARAMETER}{name}"), value));
        let parameters: Vec<_> = parameters.collect();
        let memory = self.memory_usage_byte.as_ref().map(|bytes| count(bytes[place]));
        let mut attributes: BTreeMap<_, _> = numbers([("memory_usage_bytes", memory)]).collect();
        attributes.extend(texts(parameters.iter().map(|(name, value)| (name.as_str(), Some(value.as_str())))));
        attributes.extend(texts([("run", Some(run))]));
        RequestRecord {
            status: if error.is_some() { Status::Error } else { Status::Ok },
            // A failed run has a duration, but not that of the work that was to be measured.
            e2e_s: error.is_none().then(|| self.times[place]),
            error: error.map(|(kind, code)| RequestError { kind, code, message: None }),
            attributes,
            ..RequestRecord::default()
        }
    }
}
