//! LiteLLM: standard logging payloads from its callbacks (JSON), and the spend logs of its proxy (JSON, CSV). Checked
//! against litellm 1.80.0.
//!
//! Traps: both contain the time of the first chunk (`completionStartTime`), which carries only a role in recent versions:
//! it is not the time of the first token. For requests that were not streamed it equals the end. A cost of 0 may mean that
//! the price is unknown. The spend log of a failed request has the time of logging as its start and its end.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::rows::{self, Row};
use super::signature::Signature;
use super::timestamp::of_text_or_utc;
use super::tool::{Format, Parsed, Reading};
use super::{documents, gathered};
use crate::error::{Error, Location, Result};
use crate::session::{AttributeValue, RequestError, RequestRecord, Software, Status, Warning};

pub(super) const PAYLOADS: Format = Format {
    name: "litellm",
    title: "LiteLLM standard logging payloads",
    recognizes: |signature| {
        has_under(signature, &["", "[]."], &["call_type", "response_cost", "startTime", "completionStartTime"])
    },
    reading: Reading::Whole(|source, text| {
        let (payloads, warnings) = documents::read::<Payload>(source, text)?;
        session(source, payloads.into_iter().map(|payload| payload.value.call()), warnings)
    }),
};

pub(super) const SPEND_LOGS: Format = Format {
    name: "litellm-spend",
    title: "LiteLLM spend logs",
    recognizes: |signature| {
        has_under(signature, &["", "[].", "data[]."], &["request_id", "call_type", "spend", "startTime", "endTime"])
    },
    reading: Reading::Whole(|source, text| {
        let (pages, warnings) = documents::read::<Spend>(source, text)?;
        let rows = pages.into_iter().map(|page| page.value).flat_map(Spend::rows);
        session(source, rows.map(Spend::call), warnings)
    }),
};

pub(super) const SPEND_CSV: Format = Format {
    name: "litellm-spend-csv",
    title: "LiteLLM spend logs (CSV of the table LiteLLM_SpendLogs)",
    recognizes: |signature| signature.has_columns(&["request_id", "call_type", "spend", "startTime", "endTime"]),
    reading: Reading::Whole(|source, text| {
        let mut calls = Vec::new();
        let warnings = rows::read(source, text, NO_REQUESTS, |row| {
            calls.push(Spend::of_row(row)?.call());
            Ok(())
        })?;
        session(source, calls.into_iter(), warnings)
    }),
};

const NO_REQUESTS: &str = "export a time range that contains requests";

fn has_under(signature: &Signature<'_>, prefixes: &[&str], names: &[&str]) -> bool {
    prefixes.iter().any(|prefix| names.iter().all(|name| signature.has(&format!("{prefix}{name}"))))
}

/// LiteLLM's `StandardLoggingPayload`. Times are seconds since 1970.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    #[serde(rename = "call_type")]
    call_type: Option<String>,
    stream: Option<bool>,
    status: Option<String>,
    #[serde(rename = "custom_llm_provider")]
    provider: Option<String>,
    model: Option<String>,
    #[serde(rename = "model_group")]
    model_group: Option<String>,
    #[serde(rename = "api_base")]
    api_base: Option<String>,
    #[serde(rename = "prompt_tokens")]
    prompt_tokens: Option<u64>,
    #[serde(rename = "completion_tokens")]
    completion_tokens: Option<u64>,
    start_time: Option<f64>,
    end_time: Option<f64>,
    completion_start_time: Option<f64>,
    #[serde(rename = "response_cost")]
    response_cost: Option<f64>,
    #[serde(rename = "model_map_information")]
    prices: Option<Prices>,
    #[serde(rename = "cache_hit")]
    cache_hit: Option<bool>,
    #[serde(rename = "request_tags")]
    request_tags: Option<Value>,
    #[serde(rename = "error_information")]
    error: Option<ErrorInformation>,
    #[serde(rename = "hidden_params")]
    hidden: Option<Hidden>,
}

#[derive(Deserialize, Default)]
struct ErrorInformation {
    error_code: Option<String>,
    error_class: Option<String>,
    error_message: Option<String>,
}

#[derive(Deserialize)]
struct Hidden {
    litellm_overhead_time_ms: Option<f64>,
}

/// LiteLLM's price information for a model.
#[derive(Deserialize)]
struct Prices {
    model_map_value: Option<Value>,
}

/// A row of the spend logs, or a page of rows. Times are text.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spend {
    #[serde(default)]
    data: Vec<Spend>,
    #[serde(rename = "request_id")]
    request_id: Option<String>,
    #[serde(rename = "call_type")]
    call_type: Option<String>,
    status: Option<String>,
    #[serde(rename = "custom_llm_provider")]
    provider: Option<String>,
    model: Option<String>,
    #[serde(rename = "model_group")]
    model_group: Option<String>,
    #[serde(rename = "api_base")]
    api_base: Option<String>,
    #[serde(rename = "prompt_tokens")]
    prompt_tokens: Option<u64>,
    #[serde(rename = "completion_tokens")]
    completion_tokens: Option<u64>,
    start_time: Option<String>,
    end_time: Option<String>,
    completion_start_time: Option<String>,
    spend: Option<f64>,
    #[serde(rename = "cache_hit")]
    cache_hit: Option<Value>,
    #[serde(rename = "request_tags")]
    request_tags: Option<Value>,
    metadata: Option<Value>,
}

/// The part of a row's metadata that the reader uses.
#[derive(Deserialize, Default)]
struct Metadata {
    status: Option<String>,
    error_information: Option<ErrorInformation>,
    model_map_information: Option<Prices>,
}

/// A request from either kind of log. Times are microseconds since 1970.
struct Call {
    kind: Option<String>,
    failed: bool,
    provider: Option<String>,
    model: Option<String>,
    begin_us: Option<i64>,
    first_us: Option<i64>,
    end_us: Option<i64>,
    tokens: [Option<u64>; 2],
    cost: Option<f64>,
    has_prices: bool,
    cache_hit: Option<bool>,
    overhead_ms: Option<f64>,
    error: ErrorInformation,
    texts: [(&'static str, Option<String>); 4],
}

impl Payload {
    fn call(self) -> Call {
        let end_us = self.end_time.and_then(of_epoch_s);
        Call {
            failed: self.status.as_deref() == Some("failure"),
            begin_us: self.start_time.and_then(of_epoch_s),
            // `stream` is absent for requests that were not streamed.
            first_us: self.completion_start_time.and_then(of_epoch_s).filter(|_| self.stream == Some(true)),
            end_us,
            provider: self.provider,
            model: self.model,
            tokens: [self.prompt_tokens, self.completion_tokens],
            cost: self.response_cost,
            has_prices: has_prices(self.prices.as_ref()),
            cache_hit: self.cache_hit,
            overhead_ms: self.hidden.and_then(|hidden| hidden.litellm_overhead_time_ms),
            error: self.error.unwrap_or_default(),
            texts: [
                ("model_group", self.model_group),
                ("api_base", self.api_base),
                ("request_tags", tags(self.request_tags)),
                // The attempts of a call have the same id.
                ("request_id", None),
            ],
            kind: self.call_type,
        }
    }
}

impl Spend {
    /// A row of the table in a database, in which lists and objects are text.
    fn of_row(row: &Row<'_>) -> Result<Self> {
        let text = |name: &str| row.text(name).map(str::to_owned);
        let json = |name: &str| row.text(name).map(Value::from);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates; counts are small")]
        let count =
            |name: &str| row.number(name).map(|count| count.filter(|&count| count >= 0.0).map(|count| count as u64));
        Ok(Self {
            data: Vec::new(),
            request_id: text("request_id"),
            call_type: text("call_type"),
            status: text("status"),
            provider: text("custom_llm_provider"),
            model: text("model"),
            model_group: text("model_group"),
            api_base: text("api_base"),
            prompt_tokens: count("prompt_tokens")?,
            completion_tokens: count("completion_tokens")?,
            start_time: text("startTime"),
            end_time: text("endTime"),
            completion_start_time: text("completionStartTime"),
            spend: row.number("spend")?,
            cache_hit: json("cache_hit"),
            request_tags: json("request_tags"),
            metadata: json("metadata"),
        })
    }

    fn rows(self) -> Vec<Self> {
        let is_page = self.request_id.is_none();
        if is_page { self.data } else { vec![self] }
    }

    fn call(self) -> Call {
        // The database holds text; some responses of the proxy hold an object.
        let metadata: Metadata = match self.metadata {
            Some(Value::String(text)) => serde_json::from_str(&text).unwrap_or_default(),
            Some(value) => serde_json::from_value(value).unwrap_or_default(),
            None => Metadata::default(),
        };
        let failed = [&self.status, &metadata.status].into_iter().flatten().any(|status| status == "failure");
        // For a failed request, the proxy writes the time of logging as its start and as its end.
        let end_us = self.end_time.as_deref().and_then(of_text).filter(|_| !failed);
        let first_us = self.completion_start_time.as_deref().and_then(of_text);
        Call {
            failed,
            begin_us: self.start_time.as_deref().and_then(of_text),
            // The rows do not record whether a request was streamed. If it was not, both times are equal.
            first_us: first_us.filter(|first_us| Some(*first_us) != end_us),
            end_us,
            provider: self.provider,
            model: self.model,
            tokens: [self.prompt_tokens, self.completion_tokens],
            cost: self.spend,
            has_prices: has_prices(metadata.model_map_information.as_ref()),
            cache_hit: match self.cache_hit {
                Some(Value::Bool(hit)) => Some(hit),
                Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Some(true),
                Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => Some(false),
                _ => None,
            },
            overhead_ms: None,
            error: metadata.error_information.unwrap_or_default(),
            texts: [
                ("model_group", self.model_group),
                ("api_base", self.api_base),
                ("request_tags", tags(self.request_tags)),
                // Python's absent value as text.
                ("request_id", self.request_id.filter(|id| id != "None")),
            ],
            kind: self.call_type,
        }
    }
}

fn session(source: &str, calls: impl Iterator<Item = Call>, warnings: Vec<Warning>) -> Result<Parsed> {
    let records: Vec<RequestRecord> = calls.map(Call::record).collect();
    if records.is_empty() {
        return Err(Error::Format {
            location: Location::of(source),
            problem: "no requests".to_owned(),
            fix: NO_REQUESTS.to_owned(),
        });
    }
    Ok(Parsed::Session(gathered::session(Software { name: "LiteLLM".to_owned(), version: None }, records), warnings))
}

impl Call {
    fn record(self) -> RequestRecord {
        let since_begin = |us: Option<i64>| seconds_between(self.begin_us?, us?);
        let (first_s, lasted_s) = (since_begin(self.first_us), since_begin(self.end_us));
        let mut attributes = BTreeMap::new();
        let mut number = |name: &str, value: Option<f64>| {
            attributes.extend(value.map(|value| (name.to_owned(), AttributeValue::Number(value))));
        };
        number("time_to_first_chunk_s", first_s.filter(|_| !self.failed));
        number("litellm_overhead_s", self.overhead_ms.map(super::runs::of_ms));
        number("failed_after_s", lasted_s.filter(|_| self.failed));
        attributes.extend(self.cache_hit.map(|hit| ("cache_hit".to_owned(), AttributeValue::Bool(hit))));
        for (name, text) in self.texts.into_iter().chain([("call_type", self.kind)]) {
            attributes.extend(present(text).map(|text| (name.to_owned(), AttributeValue::Text(text))));
        }
        let [input_tokens, output_tokens] = if self.failed { [None, None] } else { self.tokens };
        RequestRecord {
            started_at: self.begin_us.and_then(|us| Timestamp::from_microsecond(us).ok()),
            provider: present(self.provider),
            model: present(self.model),
            status: if self.failed { outcome(&self.error) } else { Status::Ok },
            error: self.failed.then(|| error(self.error)),
            e2e_s: lasted_s.filter(|_| !self.failed),
            input_tokens,
            output_tokens,
            // LiteLLM writes 0 if it has no price.
            cost_usd: self
                .cost
                .filter(|cost| *cost > 0.0 || (*cost == 0.0 && (self.has_prices || self.cache_hit == Some(true))))
                .filter(|_| !self.failed),
            attributes,
            ..RequestRecord::default()
        }
    }
}

fn outcome(error: &ErrorInformation) -> Status {
    match error.error_class.as_deref() {
        Some("Timeout" | "APITimeoutError") => Status::Timeout,
        _ => Status::Error,
    }
}

fn error(error: ErrorInformation) -> RequestError {
    RequestError {
        kind: present(error.error_class).unwrap_or_else(|| "_OTHER".to_owned()),
        code: error.error_code.and_then(|code| code.parse().ok()),
        message: present(error.error_message),
    }
}

fn present(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// A list, or a list as text.
fn tags(value: Option<Value>) -> Option<String> {
    let list = match value? {
        Value::String(text) => serde_json::from_str(&text).ok()?,
        other => other,
    };
    let tags: Vec<&str> = list.as_array()?.iter().filter_map(Value::as_str).collect();
    present(Some(tags.join(",")))
}

fn has_prices(prices: Option<&Prices>) -> bool {
    prices.is_some_and(|prices| prices.model_map_value.is_some())
}

/// Seconds as whole microseconds: a double resolves a quarter of a microsecond at present-day times.
fn of_epoch_s(seconds: f64) -> Option<i64> {
    let us = (seconds * 1e6).round();
    #[allow(clippy::cast_possible_truncation, reason = "within the range of an i64 by the condition")]
    (us.abs() < 1e18).then_some(us as i64)
}

fn of_text(text: &str) -> Option<i64> {
    of_text_or_utc(text).map(Timestamp::as_microsecond)
}

fn seconds_between(begin_us: i64, end_us: i64) -> Option<f64> {
    let us = end_us.checked_sub(begin_us).filter(|us| *us >= 0)?;
    #[allow(clippy::cast_precision_loss, reason = "a request lasts less than the 285 years of 2^53 microseconds")]
    Some(us as f64 / 1e6)
}
