//! The fields of a request as columns: their names, their types, and how to get and set their values.

use jiff::Timestamp;

use crate::error::{Error, Result, excerpt};
use crate::session::{RequestError, RequestRecord, Status};

/// A field of a request that has a column of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Field {
    /// When the request was issued.
    StartedAt,
    /// The provider that served it.
    Provider,
    /// The requested model.
    Model,
    /// Whether it only warmed the endpoint up.
    Warmup,
    /// How it ended.
    Status,
    /// The kind of failure.
    ErrorType,
    /// The failure's code.
    ErrorCode,
    /// The kind of failure.
    ErrorMessage,
    /// Time to first token.
    Ttft,
    /// The message of the failure.
    E2e,
    /// Time per output token.
    Tpot,
    /// Gaps between chunks.
    Icl,
    /// Time to first token, from the last byte written.
    TtftFromWrite,
    /// Time to a usable connection.
    Connect,
    /// Issue − scheduled time.
    SchedDelay,
    /// Tokens of the prompt.
    InputTokens,
    /// Tokens generated.
    OutputTokens,
    /// Whether the token counts are an estimate.
    TokensEstimated,
    /// Cost in US dollars.
    Cost,
}

/// The type of a column's cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldKind {
    /// A timestamp.
    Time,
    /// Text.
    Text,
    /// A boolean.
    Flag,
    /// A number.
    Number,
    /// A non-negative integer.
    Count,
    /// An integer.
    Integer,
    /// A list of numbers.
    Numbers,
}

/// A value of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldValue {
    /// A timestamp.
    Time(Timestamp),
    /// Text, or a value of any other type as text.
    Text(String),
    /// A boolean.
    Flag(bool),
    /// A number.
    Number(f64),
    /// A non-negative integer.
    Count(u64),
    /// An integer.
    Integer(i64),
    /// A list of numbers.
    Numbers(Vec<f64>),
}

impl Field {
    /// Every field, in the order of the columns.
    pub const ALL: [Self; 19] = [
        Self::StartedAt,
        Self::Provider,
        Self::Model,
        Self::Warmup,
        Self::Status,
        Self::ErrorType,
        Self::ErrorCode,
        Self::ErrorMessage,
        Self::Ttft,
        Self::E2e,
        Self::Tpot,
        Self::Icl,
        Self::TtftFromWrite,
        Self::Connect,
        Self::SchedDelay,
        Self::InputTokens,
        Self::OutputTokens,
        Self::TokensEstimated,
        Self::Cost,
    ];

    /// The name of its column.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::StartedAt => "started_at",
            Self::Provider => "provider",
            Self::Model => "model",
            Self::Warmup => "warmup",
            Self::Status => "status",
            Self::ErrorType => "error_type",
            Self::ErrorCode => "error_code",
            Self::ErrorMessage => "error_message",
            Self::Ttft => "ttft_s",
            Self::E2e => "e2e_s",
            Self::Tpot => "tpot_s",
            Self::Icl => "icl_s",
            Self::TtftFromWrite => "ttft_from_write_s",
            Self::Connect => "connect_s",
            Self::SchedDelay => "sched_delay_s",
            Self::InputTokens => "input_tokens",
            Self::OutputTokens => "output_tokens",
            Self::TokensEstimated => "tokens_estimated",
            Self::Cost => "cost_usd",
        }
    }

    /// The field whose column has this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    /// The type of its cells.
    #[must_use]
    pub const fn kind(self) -> FieldKind {
        match self {
            Self::StartedAt => FieldKind::Time,
            Self::Provider | Self::Model | Self::Status | Self::ErrorType | Self::ErrorMessage => FieldKind::Text,
            Self::Warmup | Self::TokensEstimated => FieldKind::Flag,
            Self::ErrorCode => FieldKind::Integer,
            Self::InputTokens | Self::OutputTokens => FieldKind::Count,
            Self::Icl => FieldKind::Numbers,
            Self::Ttft
            | Self::E2e
            | Self::Tpot
            | Self::TtftFromWrite
            | Self::Connect
            | Self::SchedDelay
            | Self::Cost => FieldKind::Number,
        }
    }

    /// The field's value in a request; `None` if it was not recorded.
    #[must_use]
    pub fn of(self, record: &RequestRecord) -> Option<FieldValue> {
        let text = |text: &Option<String>| text.clone().map(FieldValue::Text);
        let error = record.error.as_ref();
        match self {
            Self::StartedAt => record.started_at.map(FieldValue::Time),
            Self::Provider => text(&record.provider),
            Self::Model => text(&record.model),
            Self::Warmup => Some(FieldValue::Flag(record.warmup)),
            Self::Status => Some(FieldValue::Text(record.status.name().to_owned())),
            Self::ErrorType => error.map(|error| FieldValue::Text(error.kind.clone())),
            Self::ErrorCode => error.and_then(|error| error.code).map(FieldValue::Integer),
            Self::ErrorMessage => error.and_then(|error| text(&error.message)),
            Self::Ttft => record.ttft_s.map(FieldValue::Number),
            Self::E2e => record.e2e_s.map(FieldValue::Number),
            Self::Tpot => record.tpot_s.map(FieldValue::Number),
            Self::Icl => (!record.icl_s.is_empty()).then(|| FieldValue::Numbers(record.icl_s.clone())),
            Self::TtftFromWrite => record.ttft_from_write_s.map(FieldValue::Number),
            Self::Connect => record.connect_s.map(FieldValue::Number),
            Self::SchedDelay => record.sched_delay_s.map(FieldValue::Number),
            Self::InputTokens => record.input_tokens.map(FieldValue::Count),
            Self::OutputTokens => record.output_tokens.map(FieldValue::Count),
            Self::TokensEstimated => Some(FieldValue::Flag(record.tokens_estimated)),
            Self::Cost => record.cost_usd.map(FieldValue::Number),
        }
    }

    /// Sets the field of a request. A value of another type is converted if it has the same meaning: 32.0 for a count,
    /// the text `0.25` for a number.
    ///
    /// # Errors
    /// [`Error::Parameter`] if the field cannot hold the value.
    pub fn set(self, record: &mut RequestRecord, value: &FieldValue) -> Result<()> {
        let refused =
            || Error::Parameter { name: self.name(), value: excerpt(&value.to_string()), expected: self.expected() };
        match self {
            Self::StartedAt => record.started_at = Some(value.time().ok_or_else(refused)?),
            Self::Provider => record.provider = Some(value.to_string()),
            Self::Model => record.model = Some(value.to_string()),
            Self::Warmup => record.warmup = value.flag().ok_or_else(refused)?,
            Self::Status => record.status = Status::from_name(&value.to_string()).ok_or_else(refused)?,
            Self::ErrorType => error_of(record).kind = value.to_string(),
            Self::ErrorCode => error_of(record).code = Some(value.integer().ok_or_else(refused)?),
            Self::ErrorMessage => error_of(record).message = Some(value.to_string()),
            Self::Ttft => record.ttft_s = Some(value.number().ok_or_else(refused)?),
            Self::E2e => record.e2e_s = Some(value.number().ok_or_else(refused)?),
            Self::Tpot => record.tpot_s = Some(value.number().ok_or_else(refused)?),
            Self::Icl => record.icl_s = value.numbers().ok_or_else(refused)?,
            Self::TtftFromWrite => record.ttft_from_write_s = Some(value.number().ok_or_else(refused)?),
            Self::Connect => record.connect_s = Some(value.number().ok_or_else(refused)?),
            Self::SchedDelay => record.sched_delay_s = Some(value.number().ok_or_else(refused)?),
            Self::InputTokens => record.input_tokens = Some(value.count().ok_or_else(refused)?),
            Self::OutputTokens => record.output_tokens = Some(value.count().ok_or_else(refused)?),
            Self::TokensEstimated => record.tokens_estimated = value.flag().ok_or_else(refused)?,
            Self::Cost => record.cost_usd = Some(value.number().ok_or_else(refused)?),
        }
        Ok(())
    }

    const fn expected(self) -> &'static str {
        match self.kind() {
            FieldKind::Text if matches!(self, Self::Status) => "ok, error, timeout or cancelled",
            FieldKind::Time => "a time with its offset, such as 2026-11-23T11:32:13.512Z",
            FieldKind::Text => "a text",
            FieldKind::Flag => "true or false",
            FieldKind::Number => "a finite number",
            FieldKind::Count => "a whole number of at least 0",
            FieldKind::Integer => "a whole number",
            FieldKind::Numbers => "a list of finite numbers, such as [0.02,0.03]",
        }
    }
}

/// The failure of a request; its kind is unknown until set (OpenTelemetry: `_OTHER`).
fn error_of(record: &mut RequestRecord) -> &mut RequestError {
    record.error.get_or_insert_with(|| RequestError { kind: "_OTHER".to_owned(), ..RequestError::default() })
}

/// Beyond this, not every integer has an exact `f64`.
const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;

impl FieldValue {
    /// The timestamp, if the value is one.
    #[must_use]
    pub fn time(&self) -> Option<Timestamp> {
        match self {
            Self::Time(time) => Some(*time),
            Self::Text(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// The boolean, if the value is one, or the number 0 or 1.
    #[must_use]
    pub fn flag(&self) -> Option<bool> {
        match self {
            Self::Flag(flag) => Some(*flag),
            Self::Text(text) if flag_of(text.trim()).is_some() => flag_of(text.trim()),
            _ => match self.integer() {
                Some(0) => Some(false),
                Some(1) => Some(true),
                _ => None,
            },
        }
    }

    /// The finite number, if the value is one.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a measurement has fewer digits")]
    pub fn number(&self) -> Option<f64> {
        let number = match self {
            Self::Number(number) => *number,
            Self::Count(count) => *count as f64,
            Self::Integer(integer) => *integer as f64,
            Self::Text(text) => text.trim().parse().ok()?,
            _ => return None,
        };
        number.is_finite().then_some(number)
    }

    /// The non-negative integer, if the value is one.
    #[must_use]
    pub fn count(&self) -> Option<u64> {
        match self {
            Self::Count(count) => Some(*count),
            Self::Text(text) => text.trim().parse().ok().or_else(|| u64::try_from(self.whole()?).ok()),
            _ => u64::try_from(self.integer()?).ok(),
        }
    }

    /// The integer, if the value is one.
    #[must_use]
    pub fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(integer) => Some(*integer),
            Self::Count(count) => i64::try_from(*count).ok(),
            Self::Text(text) => text.trim().parse().ok().or_else(|| self.whole()),
            _ => self.whole(),
        }
    }

    /// A number without a fraction, as programs write an integer in a column with gaps: `32.0`.
    fn whole(&self) -> Option<i64> {
        let number = self.number()?;
        (number.fract() == 0.0 && number.abs() <= LARGEST_EXACT).then_some(number as i64)
    }

    /// The list of finite numbers, if the value is one.
    #[must_use]
    pub fn numbers(&self) -> Option<Vec<f64>> {
        let numbers = match self {
            Self::Numbers(numbers) => numbers.clone(),
            Self::Text(text) => serde_json::from_str(text).ok()?,
            _ => return None,
        };
        numbers.iter().all(|number| number.is_finite()).then_some(numbers)
    }
}

/// `true` and `false` in any case, as different programs write them.
pub(super) fn flag_of(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// As written in a cell: a number has the fewest digits that restore it.
impl std::fmt::Display for FieldValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Time(time) => time.fmt(f),
            Self::Text(text) => f.write_str(text),
            Self::Flag(flag) => flag.fmt(f),
            Self::Number(number) => f.write_str(&number_text(*number)),
            Self::Count(count) => count.fmt(f),
            Self::Integer(integer) => integer.fmt(f),
            Self::Numbers(numbers) => {
                f.write_str("[")?;
                for (index, number) in numbers.iter().enumerate() {
                    write!(f, "{}{}", if index == 0 { "" } else { "," }, number_text(*number))?;
                }
                f.write_str("]")
            }
        }
    }
}

/// The shortest text that parses as the same number; integers have no fraction.
#[must_use]
pub(crate) fn number_text(number: f64) -> String {
    let plain = number == 0.0 || (1e-5..1e16).contains(&number.abs()) || !number.is_finite();
    if plain { number.to_string() } else { format!("{number:e}") }
}
