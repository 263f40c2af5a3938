//! One analysis per group of a frame, which may be lazy.

use std::collections::BTreeMap;

use llmscope_core::analysis::answer::family_of;
use llmscope_core::analysis::{Measure, Observation, Series};
use llmscope_core::ingest::Cell;
use llmscope_core::session::columns::{Field, SESSION_COLUMN};
use llmscope_core::{Analysis, Missing, Plan, analyze};
use polars::prelude::{Column, DataFrame, DataType, Expr, IntoColumn as _, LazyFrame, SortMultipleOptions, col};

use crate::error::{Error, Result, guarded};
use crate::sample::numbers;
use crate::table::table_of;

/// The column with the position of each row before grouping.
const ROW: &str = "\u{1}row";

/// The measure to analyze in a frame, and the grouping.
///
/// Rows are taken in their order, or in that of [`ByGroup::ordered_by`]. Null is a gap, which is an error by default.
/// In a frame from [`session_to_frame`](crate::session_to_frame), warm-up requests are left out and failed ones are
/// gaps, as for the session itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByGroup {
    measure: String,
    by: Vec<String>,
    order: Option<String>,
    companion: Option<String>,
}

impl ByGroup {
    /// Analyzes a numeric column, with all rows as one group.
    #[must_use]
    pub fn of(measure: &str) -> Self {
        Self { measure: measure.to_owned(), by: Vec::new(), order: None, companion: None }
    }

    /// Groups by each combination of the values of these columns.
    #[must_use]
    pub fn by<'n>(mut self, names: impl IntoIterator<Item = &'n str>) -> Self {
        self.by = names.into_iter().map(str::to_owned).collect();
        self
    }

    /// Sorts the rows by a column, such as `started_at`, before anything else.
    #[must_use]
    pub fn ordered_by(mut self, name: &str) -> Self {
        self.order = Some(name.to_owned());
        self
    }

    /// The column with subgroup labels or sample sizes, if the plan needs one.
    #[must_use]
    pub fn with_companion(mut self, name: &str) -> Self {
        self.companion = Some(name.to_owned());
        self
    }

    /// One analysis per group, in order of first appearance. The groups share the plan's alpha. From a file, only the needed
    /// columns are read.
    ///
    /// # Errors
    /// [`Error::Polars`] if a column is missing, [`Error::Unsupported`] if the measure is not a numeric column, and the
    /// errors of [`analyze`].
    pub fn analyze(&self, frame: LazyFrame, plan: &Plan) -> Result<Vec<Analysis>> {
        let series = self.series(frame)?;
        let plan = Plan { family: family_of(&series), ..plan.clone() };
        series.iter().map(|series| Ok(analyze(series, &plan)?)).collect()
    }

    /// The measurements of each group, in order of first appearance.
    ///
    /// # Errors
    /// As [`ByGroup::analyze`], but without an analysis.
    pub fn series(&self, frame: LazyFrame) -> Result<Vec<Series>> {
        let grouped = guarded("a frame", || self.plan(frame)?.collect())?;
        (0..grouped.height()).map(|group| self.one(&grouped, group)).collect()
    }

    /// The polars query: one row per group, with its values as lists.
    ///
    /// # Errors
    /// [`Error::Polars`] if the schema of the frame cannot be resolved.
    pub fn plan(&self, mut frame: LazyFrame) -> polars::error::PolarsResult<LazyFrame> {
        let schema = frame.collect_schema()?;
        let is_session = schema.contains(SESSION_COLUMN);
        let mut needed: Vec<&str> = self.by.iter().map(String::as_str).collect();
        let mut lists = vec![self.measure.as_str()];
        lists.extend(self.companion.as_deref());
        lists.extend(self.order.as_deref());
        if is_session {
            lists.extend([Field::Warmup.name(), Field::Status.name()]);
        }
        lists.retain(|name| !needed.contains(name));
        lists.sort_unstable();
        lists.dedup();
        needed.extend(&lists);
        let needed: Vec<Expr> = needed.into_iter().map(col).collect();
        let mut frame = frame.select(needed).with_row_index(ROW, None);
        if let Some(order) = &self.order {
            frame = frame.sort([order.as_str()], SortMultipleOptions::default().with_maintain_order(true));
        }
        let lists: Vec<Expr> = lists.into_iter().chain([ROW]).map(col).collect();
        Ok(if self.by.is_empty() {
            frame.select(lists.into_iter().map(|list| list.implode(true)).collect::<Vec<_>>())
        } else {
            frame.group_by_stable(self.by.iter().map(col).collect::<Vec<_>>()).agg(lists)
        })
    }

    fn one(&self, grouped: &DataFrame, group: usize) -> Result<Series> {
        let values = numbers(&self.items(grouped, group, &self.measure)?)?;
        let rows = numbers(&self.items(grouped, group, ROW)?)?;
        let flags = self.flags(grouped, group, values.len())?;
        let companion = match &self.companion {
            Some(name) => Some(cells(self.items(grouped, group, name)?)?),
            None => None,
        };
        let times = match &self.order {
            Some(name) => cells(self.items(grouped, group, name)?)?,
            None => vec![Cell::Missing; values.len()],
        };
        let mut observations = Vec::with_capacity(values.len());
        for (place, (value, row)) in values.into_iter().zip(rows).enumerate() {
            let (warmup, failed) = flags[place];
            if warmup {
                continue;
            }
            let at = match &times[place] {
                Cell::Text(text) => text.parse().ok(),
                _ => None,
            };
            observations.push(Observation {
                value: value.filter(|_| !failed),
                failed,
                at,
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the position of a row")]
                position: row.unwrap_or_default() as usize,
                companion: companion.as_ref().map(|cells| cells[place].clone()),
                ..Observation::default()
            });
        }
        let is_session = grouped.column(Field::Warmup.name()).is_ok();
        let measure = self.measure.parse().map_or_else(|_| Measure::Column(self.measure.clone()), Measure::Metric);
        let series = Series {
            group: self.key(grouped, group)?,
            measure,
            warmup: flags.iter().filter(|(warmup, _)| *warmup).count(),
            missing: if is_session { Missing::Break } else { Missing::Error },
            ..Series::of_numbers(&self.measure, Vec::new())
        };
        Ok(series.with_observations(observations))
    }

    /// The values of a group in a column.
    fn items(&self, grouped: &DataFrame, group: usize, name: &str) -> Result<Column> {
        let column = grouped.column(name)?;
        if self.by.iter().any(|by| by == name) {
            // The frame is grouped by this column: all rows of the group share one value.
            let rows = grouped.column(ROW)?.list()?.get_as_series(group).map_or(0, |rows| rows.len());
            return Ok(column.slice(i64::try_from(group).unwrap_or(i64::MAX), 1).new_from_index(0, rows));
        }
        let list = column.list()?.get_as_series(group);
        Ok(list.map_or_else(
            || Column::new_empty(name.into(), &DataType::Null),
            |list| list.with_name(name.into()).into_column(),
        ))
    }

    /// For each row, whether it is a warm-up and whether it failed.
    fn flags(&self, grouped: &DataFrame, group: usize, rows: usize) -> Result<Vec<(bool, bool)>> {
        if grouped.column(Field::Warmup.name()).is_err() {
            return Ok(vec![(false, false); rows]);
        }
        let warmup = cells(self.items(grouped, group, Field::Warmup.name())?)?;
        let status = cells(self.items(grouped, group, Field::Status.name())?)?;
        let is = |cell: &Cell, text: &str| matches!(cell, Cell::Text(found) if found == text);
        let failed = |status: &Cell| *status != Cell::Missing && !is(status, "ok");
        Ok(warmup.iter().zip(&status).map(|(warmup, status)| (is(warmup, "true"), failed(status))).collect())
    }

    /// The value that the rows of a group have in common; `None` for null.
    fn key(&self, grouped: &DataFrame, group: usize) -> Result<BTreeMap<String, String>> {
        let mut key = BTreeMap::new();
        for name in &self.by {
            let value = grouped.column(name)?.slice(i64::try_from(group).unwrap_or(i64::MAX), 1);
            if let Some(label) = cells(value)?.first().and_then(Cell::label) {
                key.insert(name.clone(), label);
            }
        }
        Ok(key)
    }
}

fn cells(column: Column) -> Result<Vec<Cell>> {
    let frame = guarded("a column", || DataFrame::new(column.len(), vec![column]))?;
    let table = table_of("frame", &frame)?;
    table.columns.into_iter().next().map(|column| column.cells).ok_or_else(|| Error::Unsupported {
        source_name: "frame".to_owned(),
        column: "group".to_owned(),
        found: "structs without fields".to_owned(),
    })
}
