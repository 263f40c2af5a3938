//! A request as a row: frequently queried fields are columns, the rest is JSON.

use llmscope_core::RequestRecord;
use llmscope_core::session::Status;
use rusqlite::Row;
use rusqlite::types::Type;
use serde::de::DeserializeOwned;

use crate::record::StoredRecord;
use crate::series::Source;
use crate::timestamp::{from_ns, to_ns};

/// The columns that [`stored`] reads, in this order.
pub(super) const COLUMNS: &str = "r.id, r.received_ns, r.at_ns, r.status, r.warmup, r.ttft_s, r.e2e_s, r.tpot_s, \
                                  r.input_tokens, r.output_tokens, r.cost_usd, r.rest, r.metadata, s.provider, s.model";

/// Their number.
pub(super) const COLUMN_COUNT: usize = 15;

/// The columns of a record that differ from its fields.
pub(super) struct RecordRow {
    pub(super) at_ns: Option<i64>,
    pub(super) status: i64,
    pub(super) input_tokens: Option<i64>,
    pub(super) output_tokens: Option<i64>,
    pub(super) rest: Option<String>,
}

impl RecordRow {
    /// The row of a request. With `keeps_names`, the rest keeps provider and model, for requests of a session that may
    /// give them once for all.
    pub(super) fn of(record: &RequestRecord, keeps_names: bool) -> rusqlite::Result<Self> {
        let tokens = |count: Option<u64>| count.map(|count| i64::try_from(count).unwrap_or(i64::MAX));
        let rest = RequestRecord {
            started_at: None,
            provider: record.provider.clone().filter(|_| keeps_names),
            model: record.model.clone().filter(|_| keeps_names),
            warmup: false,
            status: Status::Ok,
            ttft_s: None,
            e2e_s: None,
            tpot_s: None,
            input_tokens: None,
            output_tokens: None,
            cost_usd: None,
            ..record.clone()
        };
        let rest = if rest == RequestRecord::default() { None } else { Some(json(&rest)?) };
        Ok(Self {
            at_ns: record.started_at.map(to_ns),
            status: Status::ALL.iter().zip(0..).find(|(status, _)| **status == record.status).map_or(0, |(_, i)| i),
            input_tokens: tokens(record.input_tokens),
            output_tokens: tokens(record.output_tokens),
            rest,
        })
    }
}

/// Reads a request from its row.
pub(super) fn stored(row: &Row<'_>) -> rusqlite::Result<StoredRecord> {
    let rest: Option<String> = row.get(11)?;
    let rest: RequestRecord = rest.as_deref().map(|text| parsed(11, text)).transpose()?.unwrap_or_default();
    let status: usize = row.get(3)?;
    let tokens = |index: usize| -> rusqlite::Result<Option<u64>> {
        Ok(row.get::<_, Option<i64>>(index)?.and_then(|count| u64::try_from(count).ok()))
    };
    let (provider, model): (String, String) = (row.get(13)?, row.get(14)?);
    Ok(StoredRecord {
        id: row.get(0)?,
        received_at: from_ns(row.get(1)?),
        metadata: row.get(12)?,
        record: RequestRecord {
            started_at: row.get::<_, Option<i64>>(2)?.map(from_ns),
            provider: named(provider),
            model: named(model),
            status: Status::ALL.get(status).copied().unwrap_or(Status::Error),
            warmup: row.get(4)?,
            ttft_s: row.get(5)?,
            e2e_s: row.get(6)?,
            tpot_s: row.get(7)?,
            input_tokens: tokens(8)?,
            output_tokens: tokens(9)?,
            cost_usd: row.get(10)?,
            ..rest
        },
    })
}

/// Reads a request of a session from its row, with provider and model only if the request itself has them.
pub(super) fn of_session(row: &Row<'_>) -> rusqlite::Result<RequestRecord> {
    let rest: Option<String> = row.get(11)?;
    let own: RequestRecord = rest.as_deref().map(|text| parsed(11, text)).transpose()?.unwrap_or_default();
    Ok(RequestRecord { provider: own.provider, model: own.model, ..stored(row)?.record })
}

/// Reads a source from three columns: id, provider, model.
pub(super) fn source(row: &Row<'_>, column: usize) -> rusqlite::Result<Source> {
    Ok(Source { id: row.get(column)?, provider: row.get(column + 1)?, model: named(row.get(column + 2)?) })
}

/// A name; the store has an empty text for an unknown one.
fn named(name: String) -> Option<String> {
    Some(name).filter(|name| !name.is_empty())
}

/// Writes a value as JSON for a column.
pub(super) fn json(value: &impl serde::Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

/// Parses the name of a value, as its JSON has it.
pub(super) fn of_name<T: DeserializeOwned>(column: usize, name: &str) -> rusqlite::Result<T> {
    parsed(column, &format!("\"{name}\""))
}

/// Parses the JSON of a column.
pub(super) fn parsed<T: DeserializeOwned>(column: usize, text: &str) -> rusqlite::Result<T> {
    serde_json::from_str(text)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into()))
}
