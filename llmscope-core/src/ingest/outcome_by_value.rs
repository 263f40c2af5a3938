//! Outcomes by the values of a column: columns whose name does not say that they tell the outcome, and codes whose name
//! does not say which value is success.

use super::outcome::{FALSE, Outcome, OutcomeColumn, SUCCEEDED, TRUE, is_http, key, of_status_line};
use super::{Cell, Column};

/// How a column tells the outcome of each row, as its values show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutcomeGuess {
    /// A code of which 0 means success: a status of gRPC, or an exit status.
    ReturnCode,
    /// A status of HTTP.
    HttpStatus,
    /// A flag, true for failure.
    FailureFlag,
    /// A flag, true for success.
    SuccessFlag,
    /// The text of an error, empty in rows without one.
    Errors,
    /// A word.
    Words,
}

impl OutcomeGuess {
    /// What succeeded.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::ReturnCode => "0 is success",
            Self::HttpStatus => "a status of HTTP",
            Self::FailureFlag => "true or 1 is a failure",
            Self::SuccessFlag => "true or 1 is success",
            Self::Errors => "texts of errors",
            Self::Words => "words of success and of failure",
        }
    }

    pub(super) const fn column(self) -> OutcomeColumn<'static> {
        match self {
            Self::ReturnCode => OutcomeColumn::Return,
            Self::HttpStatus => OutcomeColumn::Code,
            Self::FailureFlag => OutcomeColumn::Flag,
            Self::SuccessFlag => OutcomeColumn::Success,
            Self::Errors => OutcomeColumn::Failure,
            Self::Words => OutcomeColumn::Verdict,
        }
    }
}

/// What the values of a column of outcomes leave open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unclear(pub(super) &'static str);

/// Names of codes that are 0 for success, if their values are not those of HTTP.
const CODES: [&str; 6] = ["code", "rc", "ret", "errno", "exit", "resultcode"];
/// Names of flags and codes that are 0 or false on rows that succeeded.
const FLAGS: [&str; 10] =
    ["fail", "fails", "errors", "timeout", "cancelled", "canceled", "aborted", "dropped", "rejected", "refused"];
/// Ends of the names of such flags: `request_failed`, `error_flag`.
const ENDS_OF_FLAGS: [&str; 9] =
    ["failed", "failure", "failureflag", "errorflag", "errored", "timedout", "interrupted", "crashed", "killed"];

/// Those among them that can be counts.
const COUNTS: [&str; 5] = ["fails", "errors", "dropped", "rejected", "refused"];

/// Names of flags that are 1 or true on rows that succeeded.
const SUCCESS_FLAGS: [&str; 12] = [
    "valid",
    "isvalid",
    "completed",
    "completedok",
    "iscomplete",
    "complete",
    "pass",
    "finished",
    "isfinished",
    "responded",
    "answered",
    "healthy",
];
/// Ends of the names of such flags: `request_success`, `was_successful`, `success_flag`.
const ENDS_OF_SUCCESS_FLAGS: [&str; 7] =
    ["success", "successful", "succeeded", "passed", "successflag", "successindicator", "successind"];
/// Names of verdicts: words, or flags that are true on rows that succeeded.
const VERDICTS: [&str; 8] =
    ["result", "verdict", "testresult", "checkresult", "disposition", "assertion", "check", "grade"];

/// The values of a column, by what they can mean.
#[derive(Debug, Default)]
struct Values {
    zeros: usize,
    ones: usize,
    http: usize,
    refusals: usize,
    others: usize,
    booleans: usize,
    texts: usize,
}

impl Values {
    fn of(cells: &[Cell]) -> Self {
        let mut values = Self::default();
        for cell in cells {
            let number = match cell {
                Cell::Missing => continue,
                Cell::Number(number) => Some(*number),
                Cell::Text(text) => text.trim().parse().ok(),
            };
            let count = match number {
                Some(0.0) => &mut values.zeros,
                Some(1.0) => &mut values.ones,
                Some(number) if is_http(number) => {
                    values.refusals += usize::from(number >= 400.0);
                    &mut values.http
                }
                Some(number) if number.fract() == 0.0 && number.abs() < 65_536.0 => &mut values.others,
                None if cell.label().is_some_and(|text| is_boolean(&text)) => &mut values.booleans,
                Some(_) | None => &mut values.texts,
            };
            *count += 1;
        }
        values
    }
}

fn is_boolean(text: &str) -> bool {
    let word = text.trim().to_lowercase();
    TRUE.contains(&word.as_str()) || FALSE.contains(&word.as_str())
}

/// How the values of a column tell the outcome, if its name leaves that open: a code whose name does not say which value
/// is success, or a column whose name does not say that it is an outcome.
pub(super) fn guess(column: &Column, named: Option<OutcomeColumn<'_>>) -> Result<Option<OutcomeGuess>, Unclear> {
    let key = key(&column.name);
    if named.is_none() && !may_tell_outcome(&key) {
        return Ok(None);
    }
    let values = Values::of(&column.cells);
    if values.texts > 0 {
        let is_number = |cell: &Cell| cell.label().is_some_and(|text| text.trim().parse::<f64>().is_ok());
        if named.is_none() && names_errors(&key) && !column.cells.iter().any(is_number) {
            return Ok(Some(OutcomeGuess::Errors));
        }
        let is_words = named.is_none() && (names_outcome(&key) || is_verdict(&key)) && are_words(&column.cells);
        return Ok(is_words.then_some(OutcomeGuess::Words));
    }
    match named {
        Some(OutcomeColumn::Verdict | OutcomeColumn::Code) => of_status(&key, named, &values),
        Some(_) => Ok(None),
        None if CODES.contains(&key.as_str()) => Ok(of_code(&values)),
        None if names_outcome(&key) && values.ones + values.others + values.booleans == 0 => {
            Ok((values.refusals > 0).then_some(OutcomeGuess::HttpStatus))
        }
        None if is_failure_flag(&key) || is_verdict(&key) => {
            // `errors` with 0 and 1 can be counts, and a `result` of 0 and 1 can be an exit status.
            let (guess, may_be_numbers) = if is_failure_flag(&key) {
                (OutcomeGuess::FailureFlag, !COUNTS.contains(&key.as_str()))
            } else {
                (OutcomeGuess::SuccessFlag, is_success_flag(&key))
            };
            let is_of_numbers = values.zeros > 0 && values.ones > 0 && may_be_numbers;
            let is_flag = values.http + values.others == 0 && (is_of_numbers || values.booleans > 0);
            Ok(is_flag.then_some(guess))
        }
        None => Ok(None),
    }
}

/// True for a name that suggests the end of a request: `Response`, `statusText`, `call_state`, `http`.
fn names_outcome(key: &str) -> bool {
    ["status", "state", "code", "response", "http"].iter().any(|part| key.contains(part))
}

fn is_failure_flag(key: &str) -> bool {
    FLAGS.contains(&key) || ENDS_OF_FLAGS.iter().any(|end| key.ends_with(end))
}

fn is_success_flag(key: &str) -> bool {
    SUCCESS_FLAGS.contains(&key) || ENDS_OF_SUCCESS_FLAGS.iter().any(|end| key.ends_with(end))
}

/// True for a name of a verdict: `result`, `valid`.
fn is_verdict(key: &str) -> bool {
    VERDICTS.contains(&key) || is_success_flag(key)
}

/// True for a name of the text of an error, empty in rows without one: `errors`, `fail_reason`, `err_msg`,
/// `result.error`.
fn names_errors(key: &str) -> bool {
    const ENDS: [&str; 11] =
        ["msg", "message", "messages", "reason", "text", "detail", "details", "description", "info", "kind", "string"];
    let is_of =
        |part: &str| ["error", "err", "exception", "exc", "failure", "fail"].iter().any(|end| part.ends_with(end));
    matches!(key, "errors" | "exceptions" | "failures")
        || (key.ends_with("error") || key.ends_with("exception"))
        || ENDS.iter().any(|end| key.strip_suffix(end).is_some_and(is_of))
}

/// True if each text says how a request ended, and some succeeded and some failed.
fn are_words(cells: &[Cell]) -> bool {
    let (mut any_success, mut any_failure) = (false, false);
    for cell in cells {
        match OutcomeColumn::Verdict.read(cell) {
            Ok(Outcome::Succeeded) => any_success = true,
            Ok(Outcome::Failed(..)) => any_failure = true,
            Ok(Outcome::Unknown) => {}
            Err(_) => return false,
        }
    }
    any_success && any_failure
}

/// True for the key of a name under which values can tell the outcome of a row.
pub(super) fn may_tell_outcome(key: &str) -> bool {
    CODES.contains(&key) || is_failure_flag(key) || is_verdict(key) || names_errors(key) || names_outcome(key)
}

/// A status without HTTP statuses: 0 can mean success, or that there was no response.
fn of_status(key: &str, named: Option<OutcomeColumn<'_>>, values: &Values) -> Result<Option<OutcomeGuess>, Unclear> {
    let is_of_http = ["http", "response", "resp", "scstatus"].iter().any(|part| key.contains(part));
    if is_of_http || values.http > 0 || values.booleans > 0 || values.zeros == 0 {
        return Ok(None);
    }
    match (values.ones, values.others) {
        (0, 0) => Err(Unclear("only 0, which can mean success or no response")),
        (_, 0) if named == Some(OutcomeColumn::Verdict) => {
            Err(Unclear("only 0 and 1, which do not say which of them is success"))
        }
        _ => Ok(Some(OutcomeGuess::ReturnCode)),
    }
}

fn of_code(values: &Values) -> Option<OutcomeGuess> {
    match values {
        Values { booleans: 1.., .. } => None,
        Values { refusals: 1.., ones: 0, others: 0, .. } => Some(OutcomeGuess::HttpStatus),
        // 200 on every row can be a count.
        Values { http: 1.., zeros: 1.., ones: 0, others: 0, .. } => Some(OutcomeGuess::HttpStatus),
        Values { http: 0, zeros: 1.., .. } if values.ones + values.others > 0 => Some(OutcomeGuess::ReturnCode),
        _ => None,
    }
}

/// True if the values of a column are those of outcomes although its name does not say so: words such as `ok` and `error`,
/// HTTP statuses, or texts of errors.
pub(super) fn looks_like_outcome(name: &str, cells: &[Cell]) -> bool {
    /// Names under which a flag can be the outcome. Most flags are settings.
    const OF_FLAGS: [&str; 14] = [
        "result",
        "state",
        "verdict",
        "valid",
        "isvalid",
        "response",
        "finished",
        "completedok",
        "pass",
        "completed",
        "accepted",
        "healthy",
        "alive",
        "isalive",
    ];
    /// Names of flags and codes that are 0 or false on rows that succeeded.
    const OF_FAILURES: [&str; 16] = [
        "code",
        "rc",
        "ret",
        "errno",
        "exit",
        "resultcode",
        "fail",
        "fails",
        "errors",
        "timeout",
        "cancelled",
        "canceled",
        "aborted",
        "dropped",
        "rejected",
        "refused",
    ];
    const OF_ERRORS: [&str; 3] = ["problem", "reason", "fault"];
    let (key, mut present) = (key(name), cells.iter().filter(|cell| **cell != Cell::Missing).peekable());
    if present.peek().is_none() {
        return false;
    }
    let is_no = |cell: &&Cell| match cell {
        Cell::Number(number) => *number == 0.0,
        Cell::Text(text) => FALSE.contains(&text.trim().to_lowercase().as_str()),
        Cell::Missing => true,
    };
    let is_code = |cell: &&Cell| match cell {
        Cell::Number(number) => number.fract() == 0.0 && (-255.0..=255.0).contains(number),
        Cell::Text(text) => TRUE.contains(&text.trim().to_lowercase().as_str()),
        Cell::Missing => true,
    };
    let is_failure = OF_FAILURES.contains(&key.as_str()) || key.ends_with("exhausted") || is_number_of_errors(&key);
    let (no, others) = cells.iter().partition::<Vec<_>, _>(is_no);
    if is_failure && no.iter().any(|cell| **cell != Cell::Missing) && !others.is_empty() && others.iter().all(is_code) {
        return true;
    }
    if has_words_of_failure(cells) {
        return true;
    }
    let is_flag = OF_FLAGS.contains(&key.as_str());
    let names_error =
        OF_ERRORS.contains(&key.as_str()) || ["error", "fail", "exception"].iter().any(|part| key.contains(part));
    let names_status = ["status", "code", "http"].iter().any(|part| key.contains(part));
    let (mut has_failure, mut has_word) = (false, false);
    let is_one = |cell: &Cell| match cell {
        Cell::Number(number) if *number == 0.0 || *number == 1.0 => {
            has_word = true;
            is_flag
        }
        Cell::Number(number) => {
            has_failure |= *number >= 400.0;
            is_http(*number)
        }
        Cell::Text(text) => {
            has_word = true;
            let word = text.trim().to_lowercase().replace(['_', '-'], " ");
            let is_boolean = TRUE.contains(&word.as_str()) || FALSE.contains(&word.as_str());
            names_error || (is_boolean && is_flag) || is_outcome_word(&word)
        }
        Cell::Missing => true,
    };
    // A count can be 200 on every row.
    present.all(is_one) && (has_failure || has_word || names_status)
}

/// True for the name of a number of errors of a request: `error_count`, `num_failures`.
fn is_number_of_errors(key: &str) -> bool {
    let of_errors = |part: &str| ["error", "errors", "failure", "failures", "exceptions", "timeouts"].contains(&part);
    key.strip_suffix("count").is_some_and(of_errors)
        || ["num", "n", "numberof"].iter().any(|start| key.strip_prefix(start).is_some_and(of_errors))
}

/// True for a column of a few short texts, of which one says that something failed: `request_failed`, `ERROR`,
/// `Internal Server Error`, `cancelled`.
fn has_words_of_failure(cells: &[Cell]) -> bool {
    const MOST: usize = 16;
    const LONGEST: usize = 48;
    const BEGINNINGS: [&str; 16] = [
        "error",
        "fail",
        "timeout",
        "cancel",
        "abort",
        "refus",
        "reject",
        "exception",
        "crash",
        "kill",
        "unavailable",
        "overload",
        "exhaust",
        "traceback",
        "panic",
        "fatal",
    ];
    let mut texts: Vec<&str> = Vec::new();
    for cell in cells {
        match cell {
            Cell::Missing => {}
            Cell::Number(_) => return false,
            Cell::Text(text) if text.len() > LONGEST => return false,
            Cell::Text(text) if texts.contains(&text.as_str()) => {}
            Cell::Text(_) if texts.len() == MOST => return false,
            Cell::Text(text) => texts.push(text),
        }
    }
    const PHRASES: [&str; 5] = ["bad gateway", "server error", "too many requests", "timed out", "gateway timeout"];
    let says_failure = |text: &&str| {
        let word = text.to_lowercase();
        if PHRASES.iter().any(|phrase| word.contains(phrase)) {
            return true;
        }
        word.split(|c: char| !c.is_alphanumeric()).any(|word| BEGINNINGS.iter().any(|part| word.starts_with(part)))
    };
    let any_empty = cells.contains(&Cell::Missing);
    (texts.len() > 1 || any_empty) && texts.iter().any(says_failure)
}

/// True for a word that says only how a request ended.
fn is_outcome_word(word: &str) -> bool {
    const WORDS: [&str; 16] = [
        "error",
        "errored",
        "fail",
        "failed",
        "failure",
        "timeout",
        "timed out",
        "cancelled",
        "canceled",
        "aborted",
        "refused",
        "rejected",
        "denied",
        "exception",
        "ko",
        "nok",
    ];
    SUCCEEDED.contains(&word) || WORDS.contains(&word) || of_status_line(word).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, cells: &[&str]) -> Column {
        Column { name: name.to_owned(), cells: cells.iter().map(|cell| Cell::parse(cell)).collect() }
    }

    #[test]
    fn values_show_what_a_code_means() {
        use OutcomeGuess::{Errors, FailureFlag, HttpStatus, ReturnCode, SuccessFlag, Words};
        for (name, cells, expected) in [
            ("status", &["0", "14", "0"][..], Ok(Some(ReturnCode))),
            ("status", &["0", "137", "255"], Ok(Some(ReturnCode))),
            ("status", &["200", "0"], Ok(None)),
            ("status", &["ok", "0"], Ok(None)),
            ("status", &["1", "1"], Ok(None)),
            ("status", &["", ""], Ok(None)),
            ("status_code", &["0", "1"], Ok(Some(ReturnCode))),
            ("status_code", &["0", "4"], Ok(Some(ReturnCode))),
            ("http_status", &["0", "0"], Ok(None)),
            ("responseCode", &["0", "4"], Ok(None)),
            ("success", &["0", "1"], Ok(None)),
            ("exit_code", &["0", "1"], Ok(None)),
            ("code", &["200", "0"], Ok(Some(HttpStatus))),
            ("code", &["200", "503"], Ok(Some(HttpStatus))),
            ("code", &["200", "200"], Ok(None)),
            ("code", &["0", "1"], Ok(Some(ReturnCode))),
            ("code", &["0", "0"], Ok(None)),
            ("code", &["A1", "0"], Ok(None)),
            ("rc", &["0", "-1"], Ok(Some(ReturnCode))),
            ("timeout", &["false", "true"], Ok(Some(FailureFlag))),
            ("timeout", &["30", "30"], Ok(None)),
            ("cancelled", &["0", "1"], Ok(Some(FailureFlag))),
            ("dropped", &["0", "1"], Ok(None)),
            ("dropped", &["no", "yes"], Ok(Some(FailureFlag))),
            ("errors", &["0", "0"], Ok(None)),
            ("tokens", &["0", "14"], Ok(None)),
            ("Response", &["200", "503"], Ok(Some(HttpStatus))),
            ("max_tokens", &["200", "500"], Ok(None)),
            ("response_bytes", &["200", "137"], Ok(None)),
            ("statusText", &["OK", "Bad Gateway", "Gateway Timeout"], Ok(None)),
            ("statusText", &["OK", "Gateway Timeout"], Ok(Some(Words))),
            ("state", &["COMPLETED", "FAILED", ""], Ok(Some(Words))),
            ("state", &["COMPLETED", "COMPLETED"], Ok(None)),
            ("us_state", &["TX", "CA"], Ok(None)),
            ("result", &["pass", "fail"], Ok(Some(Words))),
            ("result", &["pass", "pass"], Ok(None)),
            ("result", &["OK", "KO"], Ok(Some(Words))),
            ("result", &["true", "false"], Ok(Some(SuccessFlag))),
            ("result", &["1", "0"], Ok(None)),
            ("result", &["0.25", "0.5"], Ok(None)),
            ("errors", &["[]", "['reset']"], Ok(Some(Errors))),
            ("errors", &["0", "2"], Ok(None)),
            ("fail_reason", &["", "oom"], Ok(Some(Errors))),
            ("result.error", &["", "oom"], Ok(Some(Errors))),
            ("relative_error", &["0.1", "0.2"], Ok(None)),
            ("errata", &["", "oom"], Ok(None)),
            ("request_success", &["1", "0"], Ok(Some(SuccessFlag))),
            ("error_flag", &["0", "1"], Ok(Some(FailureFlag))),
            ("code", &["200", "529"], Ok(Some(HttpStatus))),
            ("verdict", &["PASS", "FAILED", ""], Ok(Some(Words))),
            ("valid", &["true", "false"], Ok(Some(SuccessFlag))),
            ("valid", &["1", "0"], Ok(Some(SuccessFlag))),
            ("valid", &["1", "1"], Ok(None)),
            ("completed", &["yes", "no"], Ok(Some(SuccessFlag))),
            ("completed", &["120", "118"], Ok(None)),
            ("completed", &["1", "0", "2"], Ok(None)),
        ] {
            let found = guess(&column(name, cells), OutcomeColumn::of_name(name));
            assert_eq!(found, expected, "{name}: {cells:?}");
        }
        for (cells, problem) in [(&["0", "1"][..], "only 0 and 1"), (&["0", "0"], "only 0,")] {
            let found = guess(&column("status", cells), OutcomeColumn::of_name("status"));
            assert!(matches!(found, Err(Unclear(text)) if text.starts_with(problem)), "{cells:?}: {found:?}");
        }
    }

    #[test]
    fn a_column_with_another_name_can_look_like_an_outcome() {
        for (name, cells, expected) in [
            ("result", &["ok", "error"][..], true),
            ("ending", &["ok", "", "ok"], true),
            ("result", &["true", "false"], true),
            ("cached", &["true", "false"], false),
            ("result", &["1", "0"], true),
            ("n", &["200", "503"], true),
            ("rc_code", &["200", "200"], true),
            ("max_tokens", &["200", "200"], false),
            ("tokens", &["200", "137"], false),
            ("tier", &["premium", "ok"], false),
            ("failure_reason", &["", "connection reset"], true),
            ("finish_reason", &["stop", "length"], false),
            ("result", &["", ""], false),
            ("result", &["0.25", "0.5"], false),
            ("code", &["0", "1"], true),
            ("code", &["0", "0"], false),
            ("error_count", &["0", "2"], true),
            ("num_errors", &["0", "1"], true),
            ("error_count", &["0", "0"], false),
            ("rc", &["0", "-1"], true),
            ("timeout", &["false", "true"], true),
            ("timeout", &["30", "30"], false),
            ("rejected", &["0", "1"], true),
            ("errors", &["0", "0"], false),
            ("pass", &["true", "false"], true),
            ("completed", &["1", "0"], true),
            ("retries_exhausted", &["false", "true"], true),
            ("finish_reason", &["stop", "error"], true),
            ("level", &["INFO", "ERROR"], true),
            ("event", &["request_completed", "request_failed"], true),
            ("status_text", &["OK", "Bad Gateway"], true),
            ("model", &["terra", "terraform"], false),
        ] {
            let parsed: Vec<Cell> = cells.iter().map(|cell| Cell::parse(cell)).collect();
            assert_eq!(looks_like_outcome(name, &parsed), expected, "{name}: {cells:?}");
        }
    }
}
