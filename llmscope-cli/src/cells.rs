//! What the cells of a table mean: the options that every command that reads logs shares.

use anyhow::{Context as _, Result, anyhow};
use clap::Args;
use jiff::tz::{Offset, TimeZone};
use llmscope_core::ingest::{Mapping, ReadOptions, StatusRule, TimeForm, TimeRules, Tool};

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct CellArgs {
    /// Which rows succeeded, by the values of a column: code=ok,200..299; or none
    #[arg(long, value_name = "COLUMN=VALUES", help_heading = "Cells of tables")]
    pub(crate) status: Option<String>,
    /// Read only rows with this value (repeatable): metric_name=http_req_duration
    #[arg(long = "where", value_name = "COLUMN=VALUE", help_heading = "Cells of tables")]
    pub(crate) conditions: Vec<String>,
    /// Form of the times, such as '%d/%m/%Y %H:%M:%S'; none if no column is a time
    #[arg(long, value_name = "FORM", help_heading = "Cells of tables")]
    pub(crate) time_format: Option<String>,
    /// Time zone of times without an offset: Europe/Berlin, +02:00 [default: UTC]
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true, help_heading = "Cells of tables")]
    pub(crate) timezone: Option<String>,
    /// Decimal separator: a comma, or a point if commas separate thousands
    #[arg(long, value_name = "SEPARATOR", help_heading = "Cells of tables")]
    pub(crate) decimal: Option<String>,
}

impl CellArgs {
    /// The options of the readers. Columns that the mappings name are those of the file.
    pub(crate) fn options(&self, tool: Option<Tool>, mappings: &[Mapping]) -> Result<ReadOptions> {
        let status = self.status.as_deref().map(|text| text.parse().context("--status")).transpose()?;
        let filters = self.conditions.iter().map(|text| text.parse().context("--where"));
        let mut options = ReadOptions {
            tool,
            decimal: self
                .decimal
                .as_deref()
                .map(|text| text.parse().context("--decimal"))
                .transpose()?
                .unwrap_or_default(),
            status: status.unwrap_or_default(),
            times: TimeRules {
                form: match self.time_format.as_deref() {
                    None => TimeForm::Usual,
                    Some("none") => TimeForm::None,
                    Some(form) => TimeForm::Stated(form.to_owned()),
                },
                zone: self.timezone.as_deref().map(zone).transpose()?,
            },
            filters: filters.collect::<Result<_>>()?,
            columns: Vec::new(),
        };
        let named = mappings.iter().map(|mapping| mapping.from.clone());
        let filtered = options.filters.iter().map(|filter| filter.column.clone());
        let stated = match &options.status {
            StatusRule::Stated { column, .. } => Some(column.clone()),
            _ => None,
        };
        options.columns = named.chain(filtered).chain(stated).collect();
        Ok(options)
    }
}

/// A time zone by its offset or its name.
fn zone(text: &str) -> Result<TimeZone> {
    if matches!(text, "UTC" | "Z" | "utc") {
        return Ok(TimeZone::UTC);
    }
    if let Some(offset) = offset(text) {
        return Ok(TimeZone::fixed(offset));
    }
    TimeZone::get(text).map_err(|_| {
        anyhow!("--timezone {text}: expected UTC, an offset such as +02:00, or a name such as Europe/Berlin")
    })
}

/// `+02:00`, `-0530`, `+2`.
fn offset(text: &str) -> Option<Offset> {
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let digits: String = text.chars().skip(1).filter(|&c| c != ':').collect();
    let (hours, minutes) = if digits.len() > 2 { digits.split_at_checked(digits.len() - 2)? } else { (&*digits, "0") };
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

/// The mappings of `--map`.
pub(crate) fn mappings(texts: &[String]) -> Result<Vec<Mapping>> {
    texts.iter().map(|text| Ok(text.parse()?)).collect()
}
