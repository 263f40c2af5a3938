//! What a table says about the outcome of each row: columns such as `status`, `success`, `error` and `responseCode`.

use std::str::FromStr;

use super::{Cell, failure, http};
use crate::error::{Error, Result, excerpt};
use crate::session::{RequestError, Status};

/// What a caller states about the outcome of rows.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum StatusRule {
    /// The columns whose names say so: `status`, `success`, `error`, `responseCode` and the like.
    #[default]
    Names,
    /// No column.
    None,
    /// One column, and the values of rows that succeeded.
    Stated {
        /// Its name.
        column: String,
        /// The values, or ranges of numbers.
        succeeded: Vec<Accepted>,
    },
}

/// A value of a row that succeeded.
#[derive(Debug, Clone, PartialEq)]
pub enum Accepted {
    /// A text, in any case.
    Word(String),
    /// A range of numbers, including its ends.
    Numbers(f64, f64),
}

const EXPECTED: &str = "COLUMN=VALUES, such as code=ok,200..299, or none";

impl FromStr for StatusRule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refuse = || Error::Parameter { name: "status", value: text.to_owned(), expected: EXPECTED };
        if text == "none" {
            return Ok(Self::None);
        }
        let (column, values) = text.rsplit_once('=').ok_or_else(refuse)?;
        let accepted = |value: &str| {
            let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
            if value.trim().is_empty() {
                return None;
            }
            match (value.split_once(".."), number(value)) {
                (Some((from, to)), _) => {
                    number(from).zip(number(to)).filter(|(from, to)| from <= to).map(|(a, b)| Accepted::Numbers(a, b))
                }
                (None, Some(number)) => Some(Accepted::Numbers(number, number)),
                (None, None) => Some(Accepted::Word(value.trim().to_lowercase())),
            }
        };
        let succeeded = values.split(',').map(accepted).collect::<Option<Vec<_>>>().ok_or_else(refuse)?;
        if column.is_empty() {
            return Err(refuse());
        }
        Ok(Self::Stated { column: column.to_owned(), succeeded })
    }
}

/// How a column tells the outcome.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum OutcomeColumn<'p> {
    /// A word, a flag or an HTTP status: `status`, `outcome`.
    Verdict,
    /// A flag, true for success: `success`, `ok`.
    Success,
    /// A flag, true for failure, or the text of an error, but no number of failures: `failed`, `timed_out`.
    Flag,
    /// A flag, true for failure; the text of an error; or its code, 0 for none: `error`.
    Failure,
    /// The kind of an error: `error_type`.
    Kind,
    /// The status of a response: `responseCode`, `http_status`.
    Code,
    /// The status of a gRPC call, as a number or a name: `grpc_status`.
    Grpc,
    /// The exit status of a program, 0 for success: `exit_code`.
    Exit,
    /// A code of which 0 means success, as its values show: a status of gRPC, or an exit status.
    Return,
    /// Why the answer ended, which can be an error: `finish_reason`.
    Finish,
    /// Values that the caller stated.
    Stated(&'p [Accepted]),
}

/// The outcome of a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    /// The column does not say.
    Unknown,
    Succeeded,
    Failed(Status, RequestError, Detail),
}

/// How much the kind of a failure says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Detail {
    /// That it failed.
    Word,
    /// The class of an exception, from its text.
    Message,
    /// A code.
    Code,
    /// The kind, as the log states it.
    Kind,
}

impl OutcomeColumn<'_> {
    /// How the column of this name tells the outcome; `None` if the name does not say that it does.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        let key = key(name);
        let is_code = ["statuscode", "responsecode", "httpstatus", "httpcode"].iter().any(|end| key.ends_with(end));
        Some(match key.as_str() {
            "success" | "succeeded" | "successful" | "issuccess" | "issuccessful" | "ok" | "isok" | "passed"
            | "iscompleted" | "successflag" => Self::Success,
            "status" | "outcome" | "requeststatus" | "respstatus" | "resultstatus" | "callstatus" | "finalstatus"
            | "scstatus" => Self::Verdict,
            "finishreason" | "stopreason" | "finishreasons" => Self::Finish,
            "failed" | "isfailed" | "failure" | "iserror" | "haserror" | "timedout" | "istimeout" | "iscancelled"
            | "iscanceled" | "isaborted" => Self::Flag,
            "error" | "err" | "exception" | "exc" | "errormessage" | "errormsg" | "errorcode" | "errortext"
            | "errordetail" | "errorreason" | "exceptionmessage" | "failuremessage" | "failurereason" => Self::Failure,
            "errortype" | "errorname" | "errorclass" | "exceptiontype" | "exceptionclass" => Self::Kind,
            "exitcode" | "exitstatus" | "returncode" | "retcode" | "curlexit" | "curlexitcode" => Self::Exit,
            _ if key.contains("grpc") && (key.ends_with("status") || key.ends_with("code")) => Self::Grpc,
            "responsestatus" | "statuscodes" => Self::Code,
            _ if is_code => Self::Code,
            _ => return None,
        })
    }

    /// True if the column describes errors, and is empty in a row without one.
    pub(super) const fn is_of_errors(self) -> bool {
        matches!(self, Self::Failure | Self::Kind)
    }

    /// Names that occur only in rows that failed, so that the first rows of a log do not show them.
    pub(super) const OF_FAILED_ROWS: [&'static str; 14] = [
        "status",
        "success",
        "ok",
        "error",
        "error.type",
        "error.message",
        "error.code",
        "error_type",
        "error_message",
        "error_code",
        "exception",
        "status_code",
        "statusCode",
        "failed",
    ];

    /// The outcome in a cell. `Err` with what is accepted, if the cell says something else.
    pub(super) fn read(self, cell: &Cell) -> Result<Outcome, &'static str> {
        if let Self::Stated(accepted) = self {
            return Ok(stated(accepted, cell));
        }
        match cell {
            Cell::Missing => Ok(Outcome::Unknown),
            Cell::Number(number) => self.of_number(*number),
            Cell::Text(text) => self.of_text(text.trim()),
        }
    }

    fn of_number(self, number: f64) -> Result<Outcome, &'static str> {
        let code = of_code(number);
        match (self, code) {
            (Self::Grpc | Self::Exit | Self::Return | Self::Finish, _) if number == 0.0 => Ok(Outcome::Succeeded),
            (Self::Grpc, _) => grpc_name(number).map(of_grpc).ok_or("a status of gRPC, 0 to 16 or its name"),
            (Self::Exit, _) if number.fract() == 0.0 && number.abs() < 65_536.0 => {
                Ok(failed(&format!("exit status {number}"), None))
            }
            (Self::Exit, _) => Err("an exit status"),
            (Self::Return, _) if is_http(number) => Err(OF_RETURNS),
            (Self::Return, _) if number.fract() == 0.0 && number.abs() < 65_536.0 => {
                #[allow(clippy::cast_possible_truncation, reason = "the range is checked")]
                let code = number as i64;
                Ok(failed(&code.to_string(), Some(code)))
            }
            (Self::Return, _) => Err(OF_RETURNS),
            (Self::Finish, _) => Ok(Outcome::Unknown),
            (Self::Failure | Self::Flag | Self::Kind, _) if number == 0.0 => Ok(Outcome::Succeeded),
            (Self::Failure | Self::Flag | Self::Kind, _) if number == 1.0 => Ok(failed("failed", None)),
            (Self::Flag, _) => Err("0 or 1, or true or false, but no count"),
            (Self::Failure | Self::Kind, Some(code)) => Ok(failed(&code.to_string(), Some(code))),
            (Self::Failure | Self::Kind, None) => Err("0, 1 or the code of an error"),
            (Self::Success, _) if number == 0.0 => Ok(failed("failed", None)),
            // No response.
            (Self::Verdict | Self::Code, _) if number == 0.0 => Ok(failed("no response", None)),
            (Self::Verdict | Self::Success, _) if number == 1.0 => Ok(Outcome::Succeeded),
            (_, Some(code)) => Ok(of_http(code).unwrap_or_else(|| failed(&code.to_string(), Some(code)))),
            (_, None) => Err("a word such as ok or error, true or false, or an HTTP status"),
        }
    }

    fn of_text(self, text: &str) -> Result<Outcome, &'static str> {
        if let Ok(number) = text.parse::<f64>() {
            return self.of_number(number);
        }
        let word = text.to_lowercase().replace(['_', '-'], " ").trim().to_owned();
        if word.is_empty() && self == Self::Code {
            // Access logs write `-` for a server that was not asked.
            return Ok(Outcome::Unknown);
        }
        let (yes, no) = (TRUE.contains(&word.as_str()), FALSE.contains(&word.as_str()));
        match self {
            Self::Failure | Self::Flag | Self::Kind if no || NO_ERROR.contains(&word.as_str()) => {
                Ok(Outcome::Succeeded)
            }
            Self::Finish if FAILED.iter().any(|failed| word.contains(failed)) => Ok(of_word(&word, text)),
            Self::Finish => Ok(if word.is_empty() { Outcome::Unknown } else { Outcome::Succeeded }),
            Self::Kind => Ok(Outcome::Failed(status_of(&word), error_of(text), Detail::Kind)),
            Self::Failure | Self::Flag if yes => Ok(failed("failed", None)),
            Self::Failure | Self::Flag => Ok(of_message(text)),
            Self::Grpc if word == "ok" => Ok(Outcome::Succeeded),
            Self::Grpc => match GRPC.iter().find(|name| key(name) == key(text)) {
                Some(name) => Ok(of_grpc(name)),
                None => Err("a status of gRPC, 0 to 16 or its name"),
            },
            _ if yes || SUCCEEDED.contains(&word.as_str()) => Ok(Outcome::Succeeded),
            _ if no => Ok(failed("failed", None)),
            _ if word == "ko" || word == "nok" => Ok(of_word(&word, text)),
            _ if let Some(outcome) = of_status_line(&word) => Ok(outcome),
            Self::Code => Ok(of_message(text)),
            _ if FAILED.iter().any(|failed| word.contains(failed)) => Ok(of_word(&word, text)),
            _ => Err("a word such as ok, success, error, failed or timeout, true or false, or an HTTP status"),
        }
    }
}

/// What a column of codes holds.
const OF_RETURNS: &str = "codes of which 0 means success, as in the first rows, but no HTTP status";

pub(super) const TRUE: [&str; 4] = ["true", "yes", "y", "t"];
pub(super) const FALSE: [&str; 4] = ["false", "no", "n", "f"];
/// The text of no error.
const NO_ERROR: [&str; 11] = ["", "none", "null", "nil", "n/a", "undefined", "no error", "ok", "success", "[]", "{}"];
/// The statuses of gRPC, in the order of their numbers.
const GRPC: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

fn grpc_name(number: f64) -> Option<&'static str> {
    GRPC.iter().enumerate().find(|&(code, _)| code as f64 == number).map(|(_, name)| *name)
}

fn of_grpc(name: &str) -> Outcome {
    Outcome::Failed(status_of(&name.to_lowercase()), error_of(name), Detail::Code)
}

pub(super) const SUCCEEDED: [&str; 13] = [
    "ok",
    "okay",
    "success",
    "successful",
    "succeeded",
    "complete",
    "completed",
    "done",
    "finished",
    "pass",
    "passed",
    "status code ok",
    "status ok",
];
/// Parts of words of failures.
const FAILED: [&str; 24] = [
    "err",
    "fail",
    "timeout",
    "timed out",
    "cancel",
    "abort",
    "refused",
    "rejected",
    "exception",
    "denied",
    "exceed",
    "unavailable",
    "exhaust",
    "crash",
    "kill",
    "unhealthy",
    "panic",
    "dropped",
    "incomplete",
    "interrupt",
    "rate limit",
    "ratelimit",
    "unsuccessful",
    "overload",
];

fn stated(accepted: &[Accepted], cell: &Cell) -> Outcome {
    let text = cell.label().unwrap_or_default();
    let word = text.trim().to_lowercase();
    let number = word.parse::<f64>().ok();
    let is_accepted = |accepted: &Accepted| match accepted {
        Accepted::Word(expected) => *expected == word,
        Accepted::Numbers(from, to) => number.is_some_and(|number| (*from..=*to).contains(&number)),
    };
    if accepted.iter().any(is_accepted) {
        return Outcome::Succeeded;
    }
    match number.and_then(of_code) {
        Some(code) => failed(&code.to_string(), Some(code)),
        None if word.is_empty() => failed("no status", None),
        None => of_word(&word.replace(['_', '-'], " "), &text),
    }
}

/// The statuses that servers usually send.
const HTTP_STATUSES: [u16; 60] = [
    200, 201, 202, 203, 204, 206, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410,
    411, 412, 413, 414, 415, 416, 417, 418, 421, 422, 423, 424, 425, 426, 428, 429, 431, 444, 451, 498, 499, 500, 501,
    502, 503, 504, 505, 507, 508, 511, 520, 521, 522, 523, 524, 529, 530,
];

/// True for a status that servers usually send.
pub(super) fn is_http(number: f64) -> bool {
    HTTP_STATUSES.iter().any(|status| f64::from(*status) == number)
}

/// A number without a fraction that a code can have.
fn of_code(number: f64) -> Option<i64> {
    #[allow(clippy::cast_possible_truncation, reason = "the range is checked")]
    let code = (number.fract() == 0.0 && (2.0..100_000.0).contains(&number.abs())).then_some(number as i64);
    code
}

/// The outcome of an HTTP status; `None` for a number that is not one.
fn of_http(code: i64) -> Option<Outcome> {
    let status = u16::try_from(code).ok().filter(|status| (100..600).contains(status))?;
    let failed = |error| Outcome::Failed(Status::Error, error, Detail::Code);
    Some(http::refusal(status).map_or(Outcome::Succeeded, failed))
}

/// `200 ok`, `http 503`, `503 service unavailable`.
pub(super) fn of_status_line(word: &str) -> Option<Outcome> {
    let code = word.trim_start_matches("http").trim_start_matches("/1.1").trim_start_matches("/2").trim_start();
    let code = code.split(' ').next()?;
    if let (3, Some(class @ '1'..='5'), Some("xx")) = (code.len(), code.chars().next(), code.get(1..)) {
        return Some(if class < '4' { Outcome::Succeeded } else { failed(code, None) });
    }
    of_http(code.parse().ok()?)
}

/// The outcome that one word describes.
fn of_word(word: &str, written: &str) -> Outcome {
    let status = status_of(word);
    let kind = if status == Status::Error { excerpt(written.trim()) } else { status.name().to_owned() };
    Outcome::Failed(status, error_of(&kind), Detail::Word)
}

/// The outcome that the text of an error describes.
fn of_message(text: &str) -> Outcome {
    let (status, error) = failure::of_text(text);
    let status = if status == Status::Error { status_of(&text.to_lowercase()) } else { status };
    Outcome::Failed(status, error, Detail::Message)
}

fn status_of(words: &str) -> Status {
    if ["timeout", "timed out", "timedout", "deadline"].iter().any(|part| words.contains(part)) {
        Status::Timeout
    } else if words.contains("cancel") {
        Status::Cancelled
    } else {
        Status::Error
    }
}

fn failed(kind: &str, code: Option<i64>) -> Outcome {
    let detail = if code.is_some() { Detail::Code } else { Detail::Word };
    Outcome::Failed(Status::Error, RequestError { code, ..error_of(kind) }, detail)
}

fn error_of(kind: &str) -> RequestError {
    RequestError { kind: kind.to_owned(), code: None, message: None }
}

impl Outcome {
    /// The outcome of a row of which two columns tell: a failure counts, and the kind that says most.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Failed(status, error, detail), Self::Failed(other_status, other, other_detail)) => {
                let status = if status == Status::Error { other_status } else { status };
                let kind = if other_detail > detail { other.kind } else { error.kind };
                let (code, message) = (error.code.or(other.code), error.message.or(other.message));
                Self::Failed(status, RequestError { kind, code, message }, detail.max(other_detail))
            }
            (failed @ Self::Failed(..), _) | (_, failed @ Self::Failed(..)) => failed,
            (Self::Unknown, other) => other,
            (known, _) => known,
        }
    }
}

/// A name without case and punctuation: `responseCode`, `response_code` and `Response Code` are one.
pub(super) fn key(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn label(column: &str, cell: &str) -> String {
        match OutcomeColumn::of_name(column).unwrap().read(&Cell::parse(cell)) {
            Ok(Outcome::Unknown) => "unknown".to_owned(),
            Ok(Outcome::Succeeded) => "ok".to_owned(),
            Ok(Outcome::Failed(status, error, _)) => format!("{}: {}", status.name(), error.kind),
            Err(expected) => format!("refused: {}", &expected[..6]),
        }
    }

    #[test]
    fn cells_tell_the_outcome_of_their_row() {
        for (column, cell, expected) in [
            ("status", "ok", "ok"),
            ("status", "OK", "ok"),
            ("status", "200", "ok"),
            ("status", "200 OK", "ok"),
            ("status", "503", "error: 503"),
            ("status", "503 Service Unavailable", "error: 503"),
            ("status", "5xx", "error: 5xx"),
            ("status", "0", "error: no response"),
            ("status", "error", "error: error"),
            ("status", "timed_out", "timeout: timeout"),
            ("status", "RESOURCE_EXHAUSTED", "error: RESOURCE_EXHAUSTED"),
            ("status", "", "unknown"),
            ("status", "premium", "refused: a word"),
            ("status", "7.5", "refused: a word"),
            ("Success", "TRUE", "ok"),
            ("success", "false", "error: failed"),
            ("success", "0", "error: failed"),
            ("success", "1", "ok"),
            ("error", "", "unknown"),
            ("error", "false", "ok"),
            ("error", "0", "ok"),
            ("error", "True", "error: failed"),
            ("error", "ReadTimeout('')", "timeout: ReadTimeout"),
            ("error", "429", "error: 429"),
            ("error", "0.25", "refused: 0, 1 o"),
            ("failed", "1", "error: failed"),
            ("responseCode", "Non HTTP response code: java.net.SocketException", "error: Non HTTP response code"),
            ("response code", "301", "ok"),
            ("elb_status_code", "504", "error: 504"),
            ("http.response.status_code", "200", "ok"),
            ("target_status_code", "-", "unknown"),
            ("error", "-", "ok"),
            ("error", "nil", "ok"),
            ("exception.type", "ReadTimeout", "timeout: ReadTimeout"),
            ("grpc_status", "0", "ok"),
            ("grpc_status", "4", "timeout: DEADLINE_EXCEEDED"),
            ("rpc.grpc.status_code", "8", "error: RESOURCE_EXHAUSTED"),
            ("grpc.code", "Unavailable", "error: UNAVAILABLE"),
            ("grpc_code", "DeadlineExceeded", "timeout: DEADLINE_EXCEEDED"),
            ("grpc_status", "200", "refused: a stat"),
            ("finish_reason", "stop", "ok"),
            ("finish_reason", "tool_calls", "ok"),
            ("finish_reason", "", "unknown"),
            ("finish_reason", "error", "error: error"),
            ("stop_reason", "abort", "error: abort"),
            ("exit_code", "0", "ok"),
            ("exit_code", "137", "error: exit status 137"),
            ("curl_exit", "28", "error: exit status 28"),
            ("exit_code", "0.25", "refused: an exi"),
        ] {
            let found = label(column, cell);
            assert!(found.starts_with(&expected[..expected.len().min(found.len())]), "{column} {cell}: {found}");
        }
        assert!(OutcomeColumn::of_name("latency").is_none());
    }

    #[test]
    fn the_caller_states_which_values_succeeded() {
        let rule: StatusRule = "code=OK,200..299,7".parse().unwrap();
        let StatusRule::Stated { column, succeeded } = &rule else { panic!("{rule:?}") };
        assert_eq!(column, "code");
        let ok = |cell: Cell| OutcomeColumn::Stated(succeeded).read(&cell).unwrap() == Outcome::Succeeded;
        assert!(ok(Cell::Number(204.0)) && ok(Cell::Number(7.0)) && ok(Cell::Text("ok".to_owned())));
        assert!(!ok(Cell::Number(300.0)) && !ok(Cell::Missing) && !ok(Cell::Text("fine".to_owned())));
        assert_eq!("none".parse::<StatusRule>().unwrap(), StatusRule::None);
        for text in ["", "code", "code=", "=ok", "code=5..2", "code=a..b"] {
            assert!(text.parse::<StatusRule>().is_err(), "{text}");
        }
    }
}
