//! Reads records and totals.

use std::collections::BTreeMap;

use jiff::Timestamp;
use llmscope_core::ingest::TokenColumns;
use llmscope_core::{Metric, TpotDefinition};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Row, params_from_iter};

use super::super::{Filter, Measurements, ProviderTotals};
use super::condition::Condition;
use super::{failure, row};
use crate::record::StoredRecord;
use crate::series::Source;
use crate::timestamp::{from_ns, to_ns};

pub(super) fn count(reader: &Connection) -> rusqlite::Result<u64> {
    // SQLite counts the smaller of the two indices of live records.
    reader.query_row("SELECT count(*) FROM records WHERE session IS NULL", [], |row| row.get(0))
}

pub(super) fn records(
    reader: &Connection,
    filter: &Filter,
    before: Option<i64>,
) -> rusqlite::Result<Vec<StoredRecord>> {
    let Some(mut condition) = condition(reader, filter)? else { return Ok(Vec::new()) };
    condition.and_some("r.id < ?", before);
    let (columns, conditions, limit) = (row::COLUMNS, condition.sql(), sql_limit(filter.limit));
    let sql = format!(
        "SELECT {columns} FROM records r JOIN sources s ON s.id = r.source{conditions} ORDER BY r.id DESC{limit}"
    );
    let mut statement = reader.prepare_cached(&sql)?;
    statement.query_map(params_from_iter(condition.parameters), row::stored)?.collect()
}

pub(super) fn measurements(
    reader: &Connection,
    filter: &Filter,
    metric: Metric,
) -> rusqlite::Result<Vec<Measurements>> {
    let sources: BTreeMap<i64, Source> = sources(reader)?.into_iter().map(|source| (source.id, source)).collect();
    let Some(condition) = condition(reader, filter)? else { return Ok(Vec::new()) };
    let value = if filter.failures_have_latencies { LATENCY.to_owned() } else { expression(metric) };
    let (conditions, limit) = (condition.sql(), sql_limit(filter.limit));
    let [input, cached, output] = token_counts(metric);
    let definition = definition(metric);
    // Records of a session stay in the order of its log, because their times may be missing.
    let order = if filter.session.is_some() { "r.id DESC" } else { "r.at_ns DESC, r.id DESC" };
    let sql = format!(
        "SELECT r.source, r.at_ns, r.status, r.warmup, {value}, {input}, {cached}, {output}, {}, {definition} \
         FROM records r{conditions} ORDER BY {order}{limit}",
        failure::EXPRESSION
    );
    let mut statement = reader.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(condition.parameters))?;
    let mut found: BTreeMap<i64, Measurements> = BTreeMap::new();
    let mut selected = 0;
    while let Some(row) = rows.next()? {
        selected += 1;
        let id: i64 = row.get(0)?;
        let Some(source) = sources.get(&id) else { continue };
        let all = found.entry(id).or_insert_with(|| Measurements {
            source: source.clone(),
            at_ns: Vec::new(),
            values: Vec::new(),
            failed: Vec::new(),
            failures: Vec::new(),
            tokens: Vec::new(),
            definitions: Vec::new(),
            positions: Vec::new(),
            warmup: 0,
        });
        if row.get(3)? {
            all.warmup += 1;
            continue;
        }
        all.at_ns.push(row.get(1)?);
        let status = row.get(2)?;
        all.failed.push(status != 0);
        all.failures.push(failure::kind(status, row.get_ref(8)?.as_str_or_null()?)?);
        all.tokens.push([token_count(row, 5)?, token_count(row, 6)?, token_count(row, 7)?]);
        all.definitions.push(TpotDefinition::stated(row.get(9)?));
        all.positions.push(selected);
        // A rate over a time near 0 may be infinite; it counts as missing.
        all.values.push(row.get::<_, Option<f64>>(4)?.filter(|value| value.is_finite()));
    }
    let mut found: Vec<Measurements> = found.into_values().collect();
    for all in &mut found {
        all.at_ns.reverse();
        all.values.reverse();
        all.failed.reverse();
        all.failures.reverse();
        all.tokens.reverse();
        all.definitions.reverse();
        // The rows came in reverse order.
        all.positions = all.positions.iter().rev().map(|from_end| selected - from_end).collect();
    }
    Ok(found)
}

pub(super) fn cost_usd(reader: &Connection, filter: &Filter) -> rusqlite::Result<f64> {
    let Some(condition) = condition(reader, filter)? else { return Ok(0.0) };
    let (conditions, limit) = (condition.sql(), sql_limit(filter.limit));
    let newest = format!("SELECT r.cost_usd FROM records r{conditions} ORDER BY r.at_ns DESC, r.id DESC{limit}");
    let mut statement = reader.prepare_cached(&format!("SELECT total(cost_usd) FROM ({newest})"))?;
    statement.query_row(params_from_iter(condition.parameters), |row| row.get(0))
}

/// The SQL expression of the latency that the calls of the previous service report: for a failed request, the time until
/// its failure.
const LATENCY: &str = "CASE WHEN r.status = 0 THEN r.e2e_s \
                       ELSE coalesce(r.e2e_s, json_extract(r.rest, '$.attributes.failed_after_s')) END";

/// The SQL expression of a metric, as [`llmscope_core::RequestRecord::metric`] defines it.
fn expression(metric: Metric) -> String {
    let rest = |field: &str| format!("json_extract(r.rest, '$.{field}')");
    let of_success = match metric {
        Metric::ErrorRate => return "r.status <> 0".to_owned(),
        Metric::Ttft => "r.ttft_s".to_owned(),
        Metric::E2e => "r.e2e_s".to_owned(),
        Metric::Tpot => "r.tpot_s".to_owned(),
        Metric::Cost => "r.cost_usd".to_owned(),
        Metric::OutputTokensPerS => "CASE WHEN r.e2e_s > 0 THEN r.output_tokens / r.e2e_s END".to_owned(),
        Metric::SchedE2e => format!("r.e2e_s + {}", rest(Metric::SchedDelay.name())),
        other => rest(other.name()),
    };
    format!("CASE WHEN r.status = 0 THEN {of_success} END")
}

/// The SQL expressions of the token counts on which a metric depends: in, cached, out. To find the cached ones, SQLite
/// parses the rest of each record, so they are read only for the metric that depends on them.
fn token_counts(metric: Metric) -> [String; 3] {
    let (input, output, unread) = ("r.input_tokens", "r.output_tokens", "NULL");
    let cached = format!("json_extract(r.rest, '$.attributes.{}')", TokenColumns::NAMES[1]);
    match metric {
        Metric::Ttft => [input.to_owned(), cached, output.to_owned()],
        Metric::E2e => [input, unread, output].map(str::to_owned),
        _ => [unread; 3].map(str::to_owned),
    }
}

/// The SQL expression of the definition of a metric, if it has several. An attribute may also be a text.
fn definition(metric: Metric) -> String {
    if metric != Metric::Tpot {
        return "NULL".to_owned();
    }
    let stated = format!("json_extract(r.rest, '$.attributes.{}')", TpotDefinition::ATTRIBUTE);
    format!("CASE WHEN typeof({stated}) IN ('integer', 'real') THEN {stated} END")
}

/// A count of tokens. An attribute may also be a text, which is not a count.
fn token_count(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<f64>> {
    #[allow(clippy::cast_precision_loss, reason = "a count of tokens is far below 2^53")]
    let count = match row.get_ref(column)? {
        ValueRef::Integer(count) => Some(count as f64),
        ValueRef::Real(count) => Some(count),
        ValueRef::Null | ValueRef::Text(_) | ValueRef::Blob(_) => None,
    };
    Ok(count.filter(|count| count.is_finite() && *count >= 0.0))
}

/// The condition of a filter; `None` if no source has its provider and model.
fn condition(reader: &Connection, filter: &Filter) -> rusqlite::Result<Option<Condition>> {
    let mut condition = Condition::default();
    match filter.session {
        Some(session) => condition.and("r.session = ?", [Value::Integer(session)]),
        None => condition.and("r.session IS NULL", []),
    }
    if filter.provider.is_some() || filter.model.is_some() {
        let agrees =
            |expected: &Option<String>, found: Option<&str>| expected.as_deref().is_none_or(|w| found == Some(w));
        let matching: Vec<Value> = sources(reader)?
            .iter()
            .filter(|source| agrees(&filter.provider, Some(&source.provider)))
            .filter(|source| agrees(&filter.model, source.model.as_deref()))
            .map(|source| Value::Integer(source.id))
            .collect();
        match &matching[..] {
            [] => return Ok(None),
            [one] => condition.and("r.source = ?", [one.clone()]),
            _ => condition.and_one_of("r.source", matching),
        }
    }
    condition.and_some("r.source = ?", filter.source);
    condition.and_some("r.at_ns >= ?", filter.from.map(to_ns));
    condition.and_some("r.at_ns < ?", filter.to.map(to_ns));
    Ok(Some(condition))
}

fn sources(reader: &Connection) -> rusqlite::Result<Vec<Source>> {
    let mut statement = reader.prepare_cached("SELECT id, provider, model FROM sources ORDER BY id")?;
    statement.query_map([], |row| row::source(row, 0))?.collect()
}

fn sql_limit(limit: Option<usize>) -> String {
    limit.map(|limit| format!(" LIMIT {limit}")).unwrap_or_default()
}

/// The totals of a source over a time range: requests, seconds and number of successful ones, US dollars.
///
/// One statement for each source and range: a single statement with groups would sort every row in memory.
fn of_source(
    reader: &Connection,
    source: &Source,
    [from_ns, to_ns]: [i64; 2],
    which: &str,
) -> rusqlite::Result<ProviderTotals> {
    let sql = format!(
        "SELECT count(*), total({LATENCY}), count({LATENCY}), total(r.cost_usd) FROM records r \
         WHERE r.session IS NULL AND r.source = ? AND r.at_ns >= ? AND r.at_ns < ? AND {which}"
    );
    reader.prepare_cached(&sql)?.query_row([source.id, from_ns, to_ns], |row| {
        Ok(ProviderTotals {
            provider: source.provider.clone(),
            requests: row.get(0)?,
            latency_s: row.get(1)?,
            timed: row.get(2)?,
            cost_usd: row.get(3)?,
        })
    })
}

/// The totals of each provider over a time range, of the records that meet an SQL condition.
fn of_providers(reader: &Connection, range: [i64; 2], which: &str) -> rusqlite::Result<Vec<ProviderTotals>> {
    let mut all: BTreeMap<String, ProviderTotals> = BTreeMap::new();
    for source in sources(reader)? {
        let totals = of_source(reader, &source, range, which)?;
        if totals.requests > 0 {
            all.entry(source.provider).or_default().add(totals);
        }
    }
    Ok(all.into_values().collect())
}

pub(super) fn totals(reader: &Connection, since: Timestamp) -> rusqlite::Result<Vec<ProviderTotals>> {
    of_providers(reader, [to_ns(since), i64::MAX], "true")
}

pub(super) fn daily_totals(reader: &Connection, since: Timestamp) -> rusqlite::Result<Vec<(String, ProviderTotals)>> {
    const DAY_NS: i64 = 86_400_000_000_000;
    let newest = "SELECT max(at_ns) FROM records WHERE session IS NULL";
    let Some(newest) = reader.query_row(newest, [], |row| row.get::<_, Option<i64>>(0))? else { return Ok(Vec::new()) };
    let mut days = Vec::new();
    let mut from = to_ns(since);
    while from <= newest {
        // Up to the next midnight (UTC), which is a multiple of a day.
        let to = (from.div_euclid(DAY_NS) + 1) * DAY_NS;
        let date = from_ns(from).strftime("%F").to_string();
        let with_cost = of_providers(reader, [from, to], "r.cost_usd IS NOT NULL")?;
        days.extend(with_cost.into_iter().map(|totals| (date.clone(), totals)));
        from = to;
    }
    Ok(days)
}
