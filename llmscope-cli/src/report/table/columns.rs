//! What each column of the input means, for `--explain`.

use std::io::Write;

use anyhow::Result;
use llmscope_core::analysis::ColumnReport;
use llmscope_core::column::{Preference, Role, Source};
use llmscope_core::metric::Unit;

use super::bare_table;
use crate::output::{BOLD, DIM};

pub(crate) fn write(out: &mut impl Write, columns: &[ColumnReport], width: usize) -> Result<()> {
    let mut table = bare_table(width);
    table.set_header(["column", "meaning", "unit", "direction", "used as", "used", "not used"]);
    for column in columns {
        let role = if column.role == Role::Unknown { String::new() } else { column.role.to_string() };
        table.add_row(vec![
            column.title(),
            role,
            with_source(unit_text(column.unit, column.role), column.unit_from),
            with_source(direction_text(column.direction), column.direction_from),
            column.used_as.label().to_owned(),
            column.used.map(|count| count.to_string()).unwrap_or_default(),
            column.not_used.map(|count| count.to_string()).unwrap_or_default(),
        ]);
    }
    writeln!(out, "{BOLD}Columns{BOLD:#}")?;
    writeln!(out, "{table}")?;
    writeln!(out, "{DIM}In brackets: the source. What comes from a name is a guess.{DIM:#}\n")?;
    Ok(())
}

fn unit_text(unit: Unit, role: Role) -> String {
    match unit {
        Unit::One if !matches!(role, Role::Rate | Role::Count | Role::Share | Role::Score) => String::new(),
        unit => unit.to_string(),
    }
}

fn direction_text(direction: Preference) -> String {
    if direction == Preference::Unknown { String::new() } else { direction.to_string() }
}

fn with_source(text: String, source: Source) -> String {
    if text.is_empty() || source == Source::Unknown { text } else { format!("{text} ({source})") }
}
