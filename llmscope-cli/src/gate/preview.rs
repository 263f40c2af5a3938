//! `gate --plan`: how many requests and runs would decide.

use std::process::ExitCode;

use anyhow::{Result, bail};
use comfy_table::CellAlignment;
use llmscope_core::analysis::Series;
use llmscope_core::gate::{GatePlan, GatePreview, PreviewTable, preview};

use super::args::{GateArgs, GateFormat};
use crate::output::{BOLD, DIM, Sink};
use crate::report::table::{bare_table, wrapped};

pub(super) fn run(args: &GateArgs, baseline: &[Series], plan: &GatePlan) -> Result<ExitCode> {
    let preview = preview(baseline, plan)?;
    let mut sink = Sink::to(args.output.as_deref())?;
    match args.format {
        _ if args.json => sink.write_json(&preview)?,
        GateFormat::Json => sink.write_json(&preview)?,
        GateFormat::Table => write(&mut sink, &preview)?,
        GateFormat::Markdown | GateFormat::Junit => bail!("--plan is written as a table or as JSON"),
    }
    sink.finish()?;
    Ok(ExitCode::SUCCESS)
}

fn write(sink: &mut Sink, preview: &GatePreview) -> Result<()> {
    use std::io::Write as _;
    let width = sink.width();
    writeln!(sink, "{BOLD}Runs per side that decide{BOLD:#}")?;
    for table in &preview.tables {
        let group = table.group.values().cloned().collect::<Vec<_>>().join(" · ");
        writeln!(sink, "\n{BOLD}{}{BOLD:#}  {group}", table.metric)?;
        if let Some(runs) = table.runs {
            let origin = if runs.assumed { "assumed" } else { "measured" };
            writeln!(sink, "{DIM}  runs differ by {:.1} % ({origin} standard deviation){DIM:#}", runs.sd * 100.0)?;
        }
        write!(sink, "{}", rows(table, width))?;
    }
    writeln!(sink)?;
    let percent = |share: f64| format!("{:.4}", share * 100.0).trim_end_matches('0').trim_end_matches('.').to_owned();
    let text = format!(
        "With these numbers, an unchanged candidate passes, and one that is slower by twice the allowed {} % fails, each \
         four times out of five (alpha {} %, {} comparisons). \"–\" means more than 200 runs, or too few requests in the \
         baseline to tell. One passing statistic of a metric is enough for a pass.",
        percent(preview.max_shift),
        percent(preview.alpha),
        preview.family
    );
    wrapped(sink, width, DIM, "", &text)
}

fn rows(preview: &PreviewTable, width: usize) -> String {
    let mut table = bare_table(width);
    let statistics = preview.statistics.iter().map(ToString::to_string);
    table.set_header(std::iter::once("requests per run".to_owned()).chain(statistics));
    for row in &preview.rows {
        let runs = row.runs.iter().map(|runs| runs.map_or_else(|| "–".to_owned(), |runs| runs.to_string()));
        table.add_row(std::iter::once(format!(" {}", row.requests_per_run)).chain(runs));
    }
    for column in table.column_iter_mut() {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}
