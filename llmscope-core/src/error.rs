//! The one error type of this crate.

use std::path::Path;

use crate::metric::Unit;

/// What was asked for cannot be computed, with the values that stand in the way.
///
/// Too few data and constant data are *verdicts* of an [`Analysis`](crate::Analysis), not errors there; the functions
/// below it report too few data as [`Error::NotEnoughData`].
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A NaN or an infinity stands where a measurement was expected.
    #[error(
        "value {index} is {value}: measurements must be finite; exclude it, or say how gaps are handled (break or drop)"
    )]
    NonFinite {
        /// 0-based position of the first such value.
        index: usize,
        /// The value itself.
        value: f64,
    },
    /// A value is missing and nobody said what a gap means.
    #[error("value {index} is missing: say how gaps are handled (break or drop)")]
    Missing {
        /// 0-based position of the first missing value.
        index: usize,
    },
    /// A finite value whose fourth power, which the moments need, would overflow.
    #[error("value {index} is {value:e}: magnitudes above {max:e} overflow in the moments; use a larger unit")]
    TooLarge {
        /// 0-based position of the first such value.
        index: usize,
        /// The value itself.
        value: f64,
        /// The largest magnitude that is accepted.
        max: f64,
    },
    /// A value that is not positive has no logarithm and no power.
    #[error(
        "value {index} is {value}: only positive values can be transformed; exclude it, or judge without a transformation"
    )]
    NotPositive {
        /// 0-based position of the first such value.
        index: usize,
        /// The value itself.
        value: f64,
    },
    /// A computation needs more observations than there are.
    #[error("{what} needs at least {need}, got {have}")]
    NotEnoughData {
        /// What was to be computed, with the unit that is counted.
        what: &'static str,
        /// How many there are.
        have: usize,
        /// How many it takes.
        need: usize,
    },
    /// A parameter lies outside its domain.
    #[error("{name} is {value}: it must be {expected}")]
    Parameter {
        /// The parameter's name.
        name: &'static str,
        /// The offending value, as text.
        value: String,
        /// Its domain, in words.
        expected: &'static str,
    },
    /// Two arrays that describe the same points differ in length.
    #[error("{left_name} has {left} entries but {right_name} has {right}: they must describe the same points")]
    LengthMismatch {
        /// What the first array is.
        left_name: &'static str,
        /// Its length.
        left: usize,
        /// What the second array is.
        right_name: &'static str,
        /// Its length.
        right: usize,
    },
    /// A count is negative, fractional, or larger than its sample.
    #[error("count {index} is {count} in a sample of {size}: {expected}")]
    Count {
        /// 0-based position.
        index: usize,
        /// The count.
        count: f64,
        /// The sample size or area of opportunity.
        size: f64,
        /// What would be accepted.
        expected: &'static str,
    },
    /// No specification limit was given, or the lower one is not below the upper one.
    #[error("specification limits {} (lower) and {} (upper): {reason}", or_none(*lower), or_none(*upper))]
    Specification {
        /// The lower specification limit.
        lower: Option<f64>,
        /// The upper specification limit.
        upper: Option<f64>,
        /// What is wrong.
        reason: &'static str,
    },
    /// A name that is not known, with the known ones.
    #[error("unknown {what}{}: expected {expected}", quoted(name))]
    Unknown {
        /// The kind of name.
        what: &'static str,
        /// What was given; empty if nothing was.
        name: String,
        /// The known names.
        expected: String,
    },
    /// A quantity in a unit that the metric is not measured in.
    #[error("\"{text}\" is not a quantity in {unit}: {hint}")]
    Quantity {
        /// What was given.
        text: String,
        /// The metric's unit.
        unit: Unit,
        /// What would be accepted.
        hint: &'static str,
    },
    /// A file, or a line of it, cannot be read as what it claims to be.
    #[error("{location}: {problem}; {fix}")]
    Format {
        /// File, line and field, as far as they are known: `run.jsonl:17: ttft_s`.
        location: Location,
        /// What was found.
        problem: String,
        /// What to do about it.
        fix: String,
    },
    /// The operating system refused to read or write.
    #[error("{path}: {message}")]
    Io {
        /// The file.
        path: String,
        /// The operating system's words.
        message: String,
    },
    /// A picture could not be rendered.
    #[error("cannot render the chart: {message}")]
    Render {
        /// The rasterizer's words.
        message: String,
    },
}

impl Error {
    /// The operating system's refusal of a file.
    pub(crate) fn io(path: &Path, error: &std::io::Error) -> Self {
        Self::Io { path: path.display().to_string(), message: error.to_string() }
    }

    /// Broken JSON at its place. The parser counts lines within what it was given, which begins at the location's line.
    #[must_use]
    pub fn of_json(location: Location, error: &serde_json::Error) -> Self {
        let line = location.line.unwrap_or(0).max(1) + (error.line().max(1) as u64 - 1);
        let message = error.to_string();
        let what = message.rsplit_once(" at line ").map_or(message.as_str(), |(what, _)| what);
        let problem = format!("{what} (column {})", error.column());
        let fix = match error.classify() {
            serde_json::error::Category::Eof => "the file is cut short: copy it again or record it again",
            serde_json::error::Category::Data => "correct the field, or leave it out if it was not recorded",
            _ => "correct the JSON at that place",
        };
        Self::Format { location: location.line(line), problem, fix: fix.to_owned() }
    }

    /// A parameter outside its domain, as what a cell of a file holds.
    #[must_use]
    pub fn in_cell(self, location: Location) -> Self {
        match self {
            Self::Parameter { value, expected, .. } => Self::Format {
                location,
                problem: format!("\"{value}\" is not {expected}"),
                fix: "correct the cell, or leave it empty".to_owned(),
            },
            other => other,
        }
    }

    /// A broken line of delimited values.
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

    /// A line of delimited values with another number of fields than its header.
    pub(crate) fn of_unequal_lengths(source: &str, line: u64, named: usize, found: usize) -> Self {
        Self::Format {
            location: Location::of(source).line(line),
            problem: format!("{found} fields where the header names {named}"),
            fix: "correct the line, or quote its delimiters".to_owned(),
        }
    }
}

/// A name in quotation marks, after a space; nothing for no name.
fn quoted(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!(" \"{name}\"") }
}

/// A number, or that there is none.
fn or_none(value: Option<f64>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| value.to_string())
}

/// The start of a text, to quote it in a message.
#[must_use]
pub fn excerpt(text: &str) -> String {
    const LONGEST: usize = 40;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The one of `all` that goes by `name`.
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

/// Where in a file something stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Location {
    /// The file's name as it was given, or `-` for standard input.
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

    /// The same file, at a 1-based line.
    #[must_use]
    pub fn line(mut self, line: u64) -> Self {
        self.line = Some(line);
        self
    }

    /// The same place, at a field or column.
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
