//! The error type of this crate.

use std::path::Path;

use crate::metric::{TpotDefinition, Unit};
use crate::quantity::counted;

/// Why a request cannot be computed, with the offending values.
///
/// For an [`Analysis`](crate::Analysis), too few data and constant data are *verdicts*, not errors. The functions that
/// an analysis calls report too few data as [`Error::NotEnoughData`].
///
/// ```
/// use llmscope_core::{Error, Metric};
///
/// let error = "ttft".parse::<Metric>().unwrap_err();
/// assert!(matches!(error, Error::Unknown { what: "metric", .. }));
/// assert!(error.to_string().contains("did you mean \"ttft_s\"?"));
/// ```
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A measurement is NaN or infinite.
    #[error(
        "value {index} is {value}: expected a finite number; exclude the value, or choose how gaps are handled (break or drop)"
    )]
    NonFinite {
        /// 0-based position of the first such value.
        index: usize,
        /// The value itself.
        value: f64,
    },
    /// A value is missing, and gaps are errors.
    #[error("value {index} is missing: choose how gaps are handled (break or drop)")]
    Missing {
        /// 0-based position of the first missing value.
        index: usize,
    },
    /// The moments need the fourth power of each value, and that of a finite value would overflow.
    #[error("value {index} is {value:e}: expected a magnitude of at most {max:e}; use a larger unit")]
    TooLarge {
        /// 0-based position of the first such value.
        index: usize,
        /// The value itself.
        value: f64,
        /// The largest magnitude that is accepted.
        max: f64,
    },
    /// A value that is not positive cannot be transformed: it has no logarithm and no power.
    #[error(
        "value {index} is {value}: expected a positive number; exclude the value, or judge without a transformation"
    )]
    NotPositive {
        /// 0-based position of the first such value.
        index: usize,
        /// The value itself.
        value: f64,
    },
    /// A computation needs more observations than there are.
    #[error("{}", shortage(what, *have, *need))]
    NotEnoughData {
        /// What could not be computed, with the counted unit in parentheses: `a standard deviation (values)`.
        what: &'static str,
        /// The number of observations.
        have: usize,
        /// The number of observations that the computation needs.
        need: usize,
    },
    /// A parameter lies outside its domain.
    #[error("{}: expected {expected}", refusal(name, value))]
    Parameter {
        /// The parameter's name, without an article.
        name: &'static str,
        /// The offending value as text; empty if the parameter is missing.
        value: String,
        /// A description of the accepted values.
        expected: &'static str,
    },
    /// Two arrays that describe the same points differ in length.
    #[error("{} in {left_name} but {right} in {right_name}: expected equal lengths", counted(*left, "entry"))]
    LengthMismatch {
        /// The name of the first array, with its article.
        left_name: &'static str,
        /// Its length.
        left: usize,
        /// The name of the second array, with its article.
        right_name: &'static str,
        /// Its length.
        right: usize,
    },
    /// A count is negative, fractional, or larger than its sample.
    #[error("count {index} is {count} in a sample of {size}: expected {expected}")]
    Count {
        /// 0-based position.
        index: usize,
        /// The count.
        count: f64,
        /// The sample size or area of opportunity.
        size: f64,
        /// A description of the accepted counts and sizes.
        expected: &'static str,
    },
    /// No specification limit was given, or the lower one is not below the upper one.
    #[error("invalid specification limits (lower {}, upper {}): expected {reason}", or_none(*lower), or_none(*upper))]
    Specification {
        /// The lower specification limit.
        lower: Option<f64>,
        /// The upper specification limit.
        upper: Option<f64>,
        /// A description of the accepted limits.
        reason: &'static str,
    },
    /// A name is not known, or none was given. The message lists the known names and suggests a similar one.
    #[error("{}: expected {expected}{}", stranger(what, name), suggestion(name, expected))]
    Unknown {
        /// The kind of name.
        what: &'static str,
        /// The given name; empty if none was given.
        name: String,
        /// The known names, separated by commas.
        expected: String,
    },
    /// The two sides of a comparison have different definitions of a metric.
    #[error(
        "{metric} has {baseline} in the baseline and {candidate} in the candidate; measure both with the same version, or \
         compare other metrics"
    )]
    Definitions {
        /// The metric and its group.
        metric: String,
        /// The definition of the baseline.
        baseline: TpotDefinition,
        /// The definition of the candidate.
        candidate: TpotDefinition,
    },
    /// A text is not a number, or its unit does not convert to the metric's unit.
    #[error("invalid quantity \"{text}\": expected {hint}")]
    Quantity {
        /// The given text.
        text: String,
        /// The metric's unit.
        unit: Unit,
        /// A description of the accepted quantities.
        hint: &'static str,
    },
    /// A file, or a line of it, does not match its format.
    #[error("{location}: {problem}; {fix}")]
    Format {
        /// The file, with the line and the field if they are known: `run.jsonl:17: ttft_s`.
        location: Location,
        /// The problem.
        problem: String,
        /// How to fix it.
        fix: String,
    },
    /// The operating system refused to read or write.
    #[error("{path}: {message}")]
    Io {
        /// The file.
        path: String,
        /// The operating system's message.
        message: String,
    },
    /// A picture could not be rendered.
    #[error("cannot render the chart: {message}")]
    Render {
        /// The renderer's message.
        message: String,
    },
}

impl Error {
    /// An error of the operating system, with the file's path.
    pub(crate) fn io(path: &Path, error: &std::io::Error) -> Self {
        Self::Io { path: path.display().to_string(), message: error.to_string() }
    }

    /// Invalid JSON, with its location. The parser counts lines from the start of its input, which is at the location's
    /// line.
    #[must_use]
    pub fn of_json(location: Location, error: &serde_json::Error) -> Self {
        let line = location.line.unwrap_or(0).max(1) + (error.line().max(1) as u64 - 1);
        let message = error.to_string();
        let what = message.rsplit_once(" at line ").map_or(message.as_str(), |(what, _)| what);
        // serde names Rust's types.
        let what = what.replace("expected f64", "expected a number").replace("expected struct", "expected an object:");
        let problem = format!("{what} (column {})", error.column());
        let fix = match error.classify() {
            serde_json::error::Category::Eof => "the file is truncated: copy it again or record it again",
            serde_json::error::Category::Data => "correct the field, or omit it if it was not recorded",
            _ => "correct the JSON at this position",
        };
        Self::Format { location: location.line(line), problem, fix: fix.to_owned() }
    }

    /// Turns [`Error::Parameter`] into an [`Error::Format`] for a cell of a file.
    #[must_use]
    pub fn in_cell(self, location: Location) -> Self {
        match self {
            Self::Parameter { value, expected, .. } => Self::Format {
                location,
                problem: format!("invalid value \"{value}\": expected {expected}"),
                fix: "correct the cell, or leave it empty".to_owned(),
            },
            other => other,
        }
    }

    /// An invalid line of delimited values.
    #[must_use]
    pub fn of_csv(source: &str, error: &csv::Error) -> Self {
        let line = error.position().map_or(1, csv::Position::line);
        if let csv::ErrorKind::UnequalLengths { expected_len, len, .. } = error.kind() {
            let count = |len: &u64| usize::try_from(*len).unwrap_or(usize::MAX);
            return Self::of_unequal_lengths(source, line, count(expected_len), count(len));
        }
        let (problem, fix) = (error.to_string(), "correct the line".to_owned());
        Self::Format { location: Location::of(source).line(line), problem, fix }
    }

    /// A line of delimited values whose number of fields differs from the header's.
    pub(crate) fn of_unequal_lengths(source: &str, line: u64, named: usize, found: usize) -> Self {
        Self::Format {
            location: Location::of(source).line(line),
            problem: format!("found {}, expected {named} as in the header", counted(found, "field")),
            fix: "correct the line, or quote its delimiters".to_owned(),
        }
    }
}

/// `a standard deviation needs at least 2 values, got 1`, of `a standard deviation (values)`.
fn shortage(what: &str, have: usize, need: usize) -> String {
    match what.strip_suffix(')').and_then(|what| what.split_once(" (")) {
        Some((what, units)) => {
            let unit = units.strip_suffix('s').unwrap_or(units);
            format!("{what} needs at least {}, got {have}", counted(need, unit))
        }
        None => format!("{what} needs at least {need}, got {have}"),
    }
}

/// `invalid lambda 1.5`; `missing lambda` without a value.
fn refusal(name: &str, value: &str) -> String {
    if value.is_empty() { format!("missing {name}") } else { format!("invalid {name} {value}") }
}

/// `unknown metric "ttft"`; `missing metric` without a name.
fn stranger(what: &str, name: &str) -> String {
    if name.is_empty() { format!("missing {what}") } else { format!("unknown {what} \"{name}\"") }
}

/// `; did you mean "ttft_s"?` if a name of the list `expected` is similar to `name`.
fn suggestion(name: &str, expected: &str) -> String {
    let known = expected.split([',', ';']).flat_map(|part| part.split(" or ")).map(str::trim);
    similar(name, known).map_or_else(String::new, |known| format!("; did you mean \"{known}\"?"))
}

/// The one of `known` that `name` most probably means: one that `name` begins, or one within an edit for every three
/// characters.
fn similar<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    const SHORTEST: usize = 3;
    let lower = name.to_lowercase();
    let length = lower.chars().count();
    if length < SHORTEST {
        return None;
    }
    let distance = |known: &str| {
        let known = known.to_lowercase();
        let stem =
            known.strip_prefix(&lower).is_some_and(|rest| rest.is_empty() || rest.starts_with(['_', '-', ' ', '.']));
        let edits = if stem { 0 } else { strsim::osa_distance(&lower, &known) };
        (edits * SHORTEST <= length).then_some((edits, known.len()))
    };
    known
        .filter_map(|known| Some((distance(known)?, known)))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// A number, or `none`.
fn or_none(value: Option<f64>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| value.to_string())
}

/// The start of a text, to quote it in a message.
///
/// ```
/// use llmscope_core::error::excerpt;
///
/// assert_eq!(excerpt("short"), "short");
/// assert_eq!(excerpt(&"x".repeat(100)).chars().count(), 41);
/// ```
#[must_use]
pub fn excerpt(text: &str) -> String {
    const LONGEST: usize = 40;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The one of `all` with this name.
pub(crate) fn by_name<T: Copy>(
    what: &'static str,
    name: &str,
    all: &[T],
    name_of: impl Fn(T) -> &'static str,
) -> Result<T> {
    all.iter().copied().find(|&item| name_of(item) == name).ok_or_else(|| Error::Unknown {
        what,
        name: name.to_owned(),
        expected: all.iter().map(|&item| name_of(item)).collect::<Vec<_>>().join(", "),
    })
}

/// A position in a file.
///
/// ```
/// use llmscope_core::Location;
///
/// let location = Location::of("run.jsonl").line(7).field("ttft_s");
/// assert_eq!(location.to_string(), "run.jsonl:7: ttft_s");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Location {
    /// The file's name as given, or `-` for standard input.
    pub source: String,
    /// 1-based line.
    pub line: Option<u64>,
    /// The field or column.
    pub field: Option<String>,
}

impl Location {
    /// The whole file.
    #[must_use]
    pub fn of(source: &str) -> Self {
        Self { source: source.to_owned(), ..Self::default() }
    }

    /// This location, at a 1-based line.
    #[must_use]
    pub fn line(mut self, line: u64) -> Self {
        self.line = Some(line);
        self
    }

    /// This location, at a field or column.
    #[must_use]
    pub fn field(mut self, field: &str) -> Self {
        self.field = Some(field.to_owned());
        self
    }
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.source)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        match &self.field {
            Some(field) => write!(f, ": {field}"),
            None => Ok(()),
        }
    }
}

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown(name: &str, expected: &str) -> String {
        Error::Unknown { what: "metric", name: name.to_owned(), expected: expected.to_owned() }.to_string()
    }

    #[test]
    fn a_similar_name_is_suggested() {
        let metrics = "ttft_s, ttft_from_write_s, e2e_s, output_tokens_per_s";
        for (name, meant) in [
            ("ttft", "ttft_s"),
            ("TTFT_S", "ttft_s"),
            ("tfft_s", "ttft_s"),
            ("e2e", "e2e_s"),
            ("output_token_per_s", "output_tokens_per_s"),
        ] {
            let message = format!("unknown metric \"{name}\": expected {metrics}; did you mean \"{meant}\"?");
            assert_eq!(unknown(name, metrics), message);
        }
        for name in ["latency", "t", "", "s_e2e_total"] {
            assert!(!unknown(name, metrics).contains("did you mean"), "{name}");
        }
        assert!(unknown("dorp", "error, break or drop").ends_with("; did you mean \"drop\"?"));
    }

    #[test]
    fn messages_are_grammatical() {
        let short = |need| Error::NotEnoughData { what: "a center line (values)", have: 0, need }.to_string();
        assert_eq!(short(1), "a center line needs at least 1 value, got 0");
        assert_eq!(short(2), "a center line needs at least 2 values, got 0");
        let parameter = |value: &str| {
            Error::Parameter { name: "lambda", value: value.to_owned(), expected: "a number" }.to_string()
        };
        assert_eq!(parameter("x"), "invalid lambda x: expected a number");
        assert_eq!(parameter(""), "missing lambda: expected a number");
        assert_eq!(unknown("", "a, b"), "missing metric: expected a, b");
        let lengths = Error::LengthMismatch { left_name: "the labels", left: 1, right_name: "the sample", right: 3 };
        assert_eq!(lengths.to_string(), "1 entry in the labels but 3 in the sample: expected equal lengths");
    }
}
