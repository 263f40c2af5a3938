//! `--out csv`: one row per point of each metric, with the time in whole seconds and the tags as columns.

use std::collections::BTreeMap;

use super::points::{Data, Line, session};
use crate::error::Result;
use crate::ingest::rows;
use crate::ingest::tool::Parsed;
use crate::ingest::when::{Moment, TimeRules};

/// Columns that are not tags.
const OWN: [&str; 5] = ["metric_name", "timestamp", "metric_value", "extra_tags", "metadata"];

pub(super) fn read(source: &str, text: &str) -> Result<Parsed> {
    let mut lines = Vec::new();
    let warnings = rows::read(source, text, "give the points of a script that makes HTTP requests", |row| {
        let mut tags: BTreeMap<String, String> = row
            .fields()
            .filter(|(name, value)| !OWN.contains(name) && !value.is_empty())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let extra = row.text("extra_tags").into_iter().flat_map(|tags| tags.split('&'));
        tags.extend(
            extra.filter_map(|tag| tag.split_once('=')).map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        let time = row.text("timestamp").and_then(|text| match TimeRules::default().of_text(text) {
            Some(Moment::At(time)) => time.get(),
            _ => None,
        });
        let data =
            Data { time: time.map(|time| time.to_string()), value: row.number("metric_value")?, tags: Some(tags) };
        let metric = row.text("metric_name").unwrap_or_default().to_owned();
        lines.push((Line { metric, kind: "Point".to_owned(), data }, row.location.clone()));
        Ok(())
    })?;
    session(source, lines, warnings)
}
