//! The report for terminals: for each series the verdict, the chart, limits, violations and capability.

mod answers;
mod change_mark;
pub(crate) mod columns;
mod study;

use std::io::Write;

use anstyle::Style;
use anyhow::Result;
use comfy_table::{ContentArrangement, Table, presets};
use jiff::Timestamp;
use llmscope_core::analysis::{DecidedBy, Drawing, MOST_VIOLATIONS};
use llmscope_core::plot::{Mark, terminal};
use llmscope_core::quantity::{counted, number_to, scale_of};
use llmscope_core::{Analysis, Report, Verdict};

use self::change_mark::change_mark;
use crate::output::{BAD, BOLD, CAUTION, DIM, GOOD};

const CHART_ROWS: usize = 9;

/// The answers first; chart, limits and patterns of a single series, or of each one with `detail`. If the rules decide,
/// their patterns are the report.
pub(crate) fn write(out: &mut impl Write, report: &Report, detail: bool, width: usize) -> Result<()> {
    if report.decided_by == DecidedBy::Rules {
        return patterns(out, report, width);
    }
    answers::write(out, report, width)?;
    writeln!(out)?;
    if detail || report.analyses.len() == 1 {
        return sections(out, report, width);
    }
    wrapped(out, width, DIM, "", "--detail shows chart, limits and patterns of each series")
}

/// All series with the verdicts of the rules.
fn patterns(out: &mut impl Write, report: &Report, width: usize) -> Result<()> {
    sections(out, report, width)?;
    if report.analyses.len() > 1 {
        summary(out, report, width)?;
    }
    Ok(())
}

fn sections(out: &mut impl Write, report: &Report, width: usize) -> Result<()> {
    for analysis in &report.analyses {
        Section { out: &mut *out, analysis, decided_by: report.decided_by, width }.write()?;
        writeln!(out)?;
    }
    for one in &report.studies {
        study::write(out, one, width)?;
        writeln!(out)?;
    }
    Ok(())
}

/// All verdicts of the rules in one table at the end.
fn summary(out: &mut impl Write, report: &Report, width: usize) -> Result<()> {
    let mut table = bare_table(width);
    for analysis in &report.analyses {
        table.add_row(vec![
            analysis.group_title(),
            analysis.metric.clone(),
            analysis.patterns.verdict.label().to_owned(),
            analysis.broken_rules(),
        ]);
    }
    for study in &report.studies {
        table.add_row(vec![
            [counted(study.runs.len(), "run"), study.group_title()].join(" · "),
            study.metric.clone(),
            study.verdict.label().to_owned(),
            study.runs_out().join(", "),
        ]);
    }
    writeln!(out, "{BOLD}Summary{BOLD:#}")?;
    for line in table.lines() {
        let style = if line.contains("out of control") { BAD } else { Style::new() };
        writeln!(out, "{style}{}{style:#}", line.trim_end())?;
    }
    Ok(())
}

/// A table without borders. Cells wrap at words to fit the width.
pub(crate) fn bare_table(width: usize) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    table
}

/// One analysis.
struct Section<'a, W> {
    out: &'a mut W,
    analysis: &'a Analysis,
    decided_by: DecidedBy,
    width: usize,
}

impl<W: Write> Section<'_, W> {
    fn write(&mut self) -> Result<()> {
        self.heading()?;
        if let Some(drawing) = &self.analysis.drawing {
            self.chart(drawing)?;
        }
        self.facts()?;
        self.violations()?;
        for warning in &self.analysis.warnings {
            self.wrapped(CAUTION, "  ! ", warning)?;
        }
        Ok(())
    }

    fn heading(&mut self) -> Result<()> {
        let analysis = self.analysis;
        let verdict = analysis.patterns.verdict.label().to_uppercase();
        let verdict = if self.decided_by == DecidedBy::Rules { verdict } else { format!("PATTERNS {verdict}") };
        let titles = [analysis.metric_title(), analysis.group_title()];
        heading(self.out, verdict_style(analysis.patterns.verdict), &verdict, &titles, self.width)?;
        self.wrapped(DIM, "  ", &analysis.scope().join(" · "))
    }

    /// The chart, with the values of its three lines on the left.
    fn chart(&mut self, drawing: &Drawing) -> Result<()> {
        let limits = &drawing.chart.limits;
        let last = drawing.chart.points.len().saturating_sub(1);
        let lines = [&limits.upper, &limits.center, &limits.lower];
        let (factor, symbol) = self.scale(limits.upper.at(last));
        let labels = lines.map(|line| {
            format!("{} {symbol}", number_to(line.at(last) * factor, self.analysis.resolution() * factor))
                .trim_end()
                .to_owned()
        });
        let is_utf8 = is_utf8(&locale());
        let character = if is_utf8 { Mark::character } else { Mark::ascii };
        let margin = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0).max(8);
        let (cells, rows) = terminal(drawing, self.width.saturating_sub(margin + 4), CHART_ROWS);
        for (row, cells) in cells.iter().enumerate() {
            // If several lines are on one row, the center line's label is shown.
            let label = [1, 0, 2].into_iter().find(|&line| rows[line] == row).map_or("", |line| &labels[line]);
            write!(self.out, "  {DIM}{label:>margin$}{DIM:#} ")?;
            for run in cells.chunk_by(PartialEq::eq) {
                let style = mark_style(run[0]);
                let text: String = run.iter().map(|&mark| character(mark)).collect();
                write!(self.out, "{style}{text}{style:#}")?;
            }
            writeln!(self.out)?;
        }
        let columns = cells.first().map_or(0, Vec::len);
        let change = change_mark(self.analysis, columns, is_utf8).filter(|_| self.decided_by == DecidedBy::Changes);
        if let Some((text, is_worse)) = change {
            let style = if is_worse { BAD } else { GOOD };
            writeln!(self.out, "  {:margin$} {style}{text}{style:#}", "")?;
        }
        Ok(())
    }

    fn facts(&mut self) -> Result<()> {
        facts(self.out, self.width, self.analysis.facts())
    }

    fn violations(&mut self) -> Result<()> {
        let violations = &self.analysis.patterns.violations;
        let Some(drawing) = self.analysis.drawing.as_ref().filter(|_| !violations.is_empty()) else { return Ok(()) };
        // A narrow terminal only gets the columns that locate the violation.
        let wide = self.width >= 80;
        let select = |cells: [String; 6]| -> Vec<String> {
            let narrow = [0, 2, 3];
            cells.into_iter().enumerate().filter(|(i, _)| wide || narrow.contains(i)).map(|(_, cell)| cell).collect()
        };
        let mut table = bare_table(self.width);
        let header = [" rule", "pattern", "points", "signals", "side", "first signal at"].map(str::to_owned);
        table.set_header(select(header));
        for violation in violations.iter().take(MOST_VIOLATIONS) {
            let rule = drawing.rules.rules().iter().find(|rule| *rule.code() == violation.rule);
            let at = drawing.time(violation.first_signal);
            let value = drawing.chart.value_of(violation);
            table.add_row(select([
                format!(" {}", violation.rule),
                rule.map(|rule| drawing.chart.kind.describe(rule)).unwrap_or_default(),
                violation.range(),
                violation.signals().len().to_string(),
                violation.side.name().to_owned(),
                at.map_or_else(
                    || self.analysis.quantity(value),
                    |at| format!("{}  {}", clock(drawing, at), self.analysis.quantity(value)),
                ),
            ]));
        }
        writeln!(self.out)?;
        for (index, line) in table.lines().enumerate() {
            let style = if index == 0 { DIM } else { Style::new() };
            writeln!(self.out, "{style}{}{style:#}", line.trim_end())?;
        }
        if violations.len() > MOST_VIOLATIONS {
            let rest = violations.len() - MOST_VIOLATIONS;
            self.wrapped(DIM, "  ", &format!("… and {rest} more; --format json lists all"))?;
        }
        Ok(())
    }

    fn scale(&self, value: f64) -> (f64, &'static str) {
        scale_of(self.analysis.plotted_unit(), value)
    }

    fn wrapped(&mut self, style: Style, prefix: &str, text: &str) -> Result<()> {
        wrapped(self.out, self.width, style, prefix, text)
    }
}

/// Verdict, metric and group, on one line if they fit.
fn heading(out: &mut impl Write, style: Style, verdict: &str, titles: &[String; 2], width: usize) -> Result<()> {
    let [title, group] = titles;
    let fits = verdict.len() + title.chars().count() + group.chars().count() + 4 <= width;
    let gap = if fits { "  " } else { "\n  " };
    writeln!(out, "{style}{verdict}{style:#}{gap}{BOLD}{title}{BOLD:#}{gap}{group}")?;
    Ok(())
}

fn verdict_style(verdict: Verdict) -> Style {
    match verdict {
        Verdict::InControl => GOOD,
        Verdict::OutOfControl => BAD,
        Verdict::NotEnoughData => CAUTION,
    }
}

/// Facts in two columns: name and text.
fn facts(out: &mut impl Write, width: usize, facts: Vec<(&'static str, String)>) -> Result<()> {
    let mut table = bare_table(width);
    for (name, text) in facts {
        table.add_row(vec![format!(" {name}"), text]);
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// Wraps a text at words to fit the width. Further lines are indented by the width of `prefix`.
pub(crate) fn wrapped(out: &mut impl Write, width: usize, style: Style, prefix: &str, text: &str) -> Result<()> {
    let mut line = prefix.to_owned();
    let indent = " ".repeat(prefix.chars().count());
    let room = width.saturating_sub(indent.len()).max(1);
    for word in text.split(' ').flat_map(|word| pieces(word, room)) {
        if line.chars().count() + 1 + word.chars().count() > width && line.trim() != prefix.trim() {
            writeln!(out, "{style}{line}{style:#}")?;
            line.clone_from(&indent);
        } else if line != *prefix && line != indent {
            line.push(' ');
        }
        line.push_str(&word);
    }
    writeln!(out, "{style}{line}{style:#}")?;
    Ok(())
}

/// Splits a word into parts that fit a line, because a path may be wider than the terminal.
fn pieces(word: &str, room: usize) -> Vec<String> {
    let letters: Vec<char> = word.chars().collect();
    letters.chunks(room).map(|piece| piece.iter().collect()).collect()
}

/// The locale of the terminal; empty if none is set.
fn locale() -> String {
    let set = |name: &&str| std::env::var(name).ok().filter(|locale| !locale.is_empty());
    ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(set).unwrap_or_default()
}

/// False if a locale names another character set. Most systems without a locale, such as containers, use UTF-8.
fn is_utf8(locale: &str) -> bool {
    let charset = locale.split_once('.').map(|(_, rest)| rest.split('@').next().unwrap_or_default());
    charset.is_none_or(|charset| charset.replace('-', "").eq_ignore_ascii_case("utf8"))
}

fn mark_style(mark: Mark) -> Style {
    match mark {
        Mark::Signal | Mark::Above | Mark::Below => BAD,
        Mark::Point => Style::new(),
        Mark::Center => GOOD,
        Mark::Limit | Mark::Blank => DIM,
    }
}

/// The time of day, with the date if the data span several days.
fn clock(drawing: &Drawing, at: Timestamp) -> String {
    let day = |at: Timestamp| at.strftime("%F").to_string();
    let one_day = drawing.time_span().is_some_and(|(first, last)| day(first) == day(last));
    at.strftime(if one_day { "%T" } else { "%F %T" }).to_string()
}

#[cfg(test)]
mod tests {
    use super::is_utf8;

    #[test]
    fn only_another_character_set_is_not_utf8() {
        assert!(["", "C", "C.UTF-8", "en_US.utf8", "de_DE.UTF-8@euro"].into_iter().all(is_utf8));
        assert!(!["de_DE.ISO-8859-1", "ja_JP.eucJP"].into_iter().any(is_utf8));
    }
}
