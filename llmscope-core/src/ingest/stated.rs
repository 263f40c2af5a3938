//! A table with the meaning that its caller states: other names and units, outcomes, times, conditions.

use super::fields::unknown_outcome;
use super::outcome::{Outcome, OutcomeColumn};
use super::projection::Projection;
use super::roles::{KnownNames, Roles, TimeColumn};
use super::signature::Signature;
use super::when::Moment;
use super::{Cell, Column, Content, Log, Mapping, ReadOptions, StatusRule, Table, TimeForm, Tool};
use crate::error::{Location, Result};

/// The columns of a table that tell when and how a row ended.
pub(super) struct RoleColumns<'t> {
    times: Vec<(&'t Column, TimeColumn)>,
    outcomes: Vec<(&'t Column, OutcomeColumn<'t>)>,
    projection: &'t Projection,
}

impl<'t> RoleColumns<'t> {
    fn of(source: &str, table: &'t Table, projection: &'t Projection) -> Result<Self> {
        let names: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
        let by_value = projection.outcomes_by_value(source, table)?;
        let mut roles = Roles::with_outcomes(projection, KnownNames { names: &names, complete: true }, &by_value);
        for (name, guess) in by_value {
            match roles.outcomes.iter_mut().find(|(known, _)| *known == name) {
                Some((_, kind)) => *kind = guess.column(),
                None => roles.outcomes.push((name, guess.column())),
            }
        }
        let times = roles.times.iter().filter_map(|(name, kind)| Some((table.column(name)?, *kind)));
        let outcomes = roles.outcomes.into_iter().filter_map(|(name, kind)| Some((table.column(&name)?, kind)));
        Ok(Self { times: times.collect(), outcomes: outcomes.collect(), projection })
    }

    /// True if a column tells the outcome of a row.
    pub(super) const fn tell_outcomes(&self) -> bool {
        !self.outcomes.is_empty()
    }

    pub(super) fn outcome(&self, row: usize, location: &Location) -> Result<Outcome> {
        let mut outcome = Outcome::Unknown;
        for (column, kind) in &self.outcomes {
            let cell = &column.cells[row];
            let of_column = kind.read(cell);
            let of_column =
                of_column.map_err(|expected| unknown_outcome(cell, location.clone().field(&column.name), expected))?;
            outcome = outcome.and(of_column);
        }
        Ok(outcome)
    }

    /// The moment in the first column that has one.
    pub(super) fn moment(&self, row: usize) -> Option<Moment> {
        let rules = &self.projection.reading.times;
        let (moment, kind) = self.times.iter().find_map(|(column, kind)| {
            let moment = match (&column.cells[row], kind) {
                (Cell::Missing, _) => return None,
                (cell, TimeColumn::Guess(name)) => Some(rules.of_guess(cell, *name)?),
                (Cell::Number(number), _) => rules.of_number(*number),
                (Cell::Text(text), _) => rules.of_text(text),
            };
            Some((moment, *kind))
        })?;
        moment.filter(|moment| kind == TimeColumn::Start || !matches!(moment, Moment::Elapsed(_)))
    }
}

/// What a table means if its caller states nothing.
static USUAL: std::sync::LazyLock<Projection> = std::sync::LazyLock::new(Projection::default);

impl Table {
    pub(super) fn roles(&self, source: &str) -> Result<RoleColumns<'_>> {
        RoleColumns::of(source, self, &USUAL)
    }

    /// The table with the meaning that the caller states, so that reading it again needs no statement.
    ///
    /// # Errors
    /// [`Error::Unknown`](crate::Error::Unknown) for a column that the table lacks;
    /// [`Error::Format`](crate::Error::Format) for a cell that does not tell the outcome of its row.
    pub fn stated(&self, source: &str, mappings: &[Mapping], options: &ReadOptions) -> Result<Self> {
        let mut table = self.clone();
        for filter in &options.filters {
            let column = table.column(&filter.column).ok_or_else(|| table.unknown_column(&filter.column))?;
            let kept: Vec<bool> = column.cells.iter().map(|cell| filter.accepts(cell)).collect();
            table.keep(&kept);
        }
        let mut table = table.mapped(mappings)?;
        let projection = Projection { reading: options.clone(), mappings: mappings.to_vec(), ..Projection::default() };
        if options.times != super::TimeRules::default() {
            table.state_times(&projection);
        }
        let states_outcome = mappings.iter().any(|mapping| mapping.to == "status");
        if options.status != StatusRule::Names || states_outcome {
            table.state_outcomes(source, &projection)?;
        }
        // What was read as a table stays one: without these columns, no tool wrote it.
        if table.has_header_of_a_tool() {
            let filters = options.filters.iter().map(|filter| &filter.column);
            let used: Vec<&String> = filters.chain(mappings.iter().map(|mapping| &mapping.from)).collect();
            table.set_aside(|name| used.iter().any(|used| *used == name));
        }
        Ok(table)
    }

    fn has_header_of_a_tool(&self) -> bool {
        let named = |column: &Column| Column { name: column.name.clone(), cells: Vec::new() };
        let header = Self { columns: self.columns.iter().map(named).collect(), ..Self::default() }.to_csv("header");
        header.is_ok_and(|header| Tool::of(&Signature::of(&header)) != Tool::CSV)
    }

    fn keep(&mut self, kept: &[bool]) {
        let mut flags = kept.iter();
        self.lines.retain(|_| flags.next().copied().unwrap_or(true));
        for column in &mut self.columns {
            let mut flags = kept.iter();
            column.cells.retain(|_| flags.next().copied().unwrap_or(true));
        }
    }

    /// Writes the times in the form that every reader knows.
    fn state_times(&mut self, projection: &Projection) {
        let names: Vec<String> = self.columns.iter().map(|column| column.name.clone()).collect();
        if projection.reading.times.form == TimeForm::None {
            let usual = Roles::of(&USUAL, KnownNames { names: &names, complete: true });
            let is_time = |(name, kind): &&(String, TimeColumn)| match kind {
                TimeColumn::Guess(time) => self.column(name).is_some_and(|column| {
                    column.cells.iter().any(|cell| USUAL.reading.times.of_guess(cell, *time).is_some())
                }),
                TimeColumn::Start | TimeColumn::Instant => true,
            };
            let times: Vec<String> = usual.times.iter().filter(is_time).map(|(name, _)| name.clone()).collect();
            self.set_aside(|name| times.iter().any(|time| time == name));
            return;
        }
        let roles = Roles::of(projection, KnownNames { names: &names, complete: true });
        for column in self.columns.iter_mut().filter(|column| roles.times.iter().any(|(time, _)| *time == column.name))
        {
            for cell in &mut column.cells {
                let rules = &projection.reading.times;
                let moment = match &*cell {
                    Cell::Missing => None,
                    Cell::Number(number) => rules.of_number(*number),
                    Cell::Text(text) => rules.of_text(text),
                };
                if let Some(Moment::At(time) | Moment::Naive(time)) = moment
                    && let Some(at) = time.get()
                {
                    *cell = Cell::Text(at.to_string());
                }
            }
        }
    }

    /// Writes the outcomes in the columns that every reader knows, and gives other names to those that say otherwise.
    fn state_outcomes(&mut self, source: &str, projection: &Projection) -> Result<()> {
        let mut columns = ["status", "error_type", "error_code", "error_message"]
            .map(|name| Column { name: name.to_owned(), cells: vec![Cell::Missing; self.rows()] });
        if projection.reading.status != StatusRule::None {
            let roles = RoleColumns::of(source, self, projection)?;
            for row in 0..self.rows() {
                let location = Location::of(source).line(self.lines[row]);
                let [status, kind, code, message] = &mut columns;
                match roles.outcome(row, &location)? {
                    Outcome::Unknown => {}
                    Outcome::Succeeded => status.cells[row] = Cell::Text("ok".to_owned()),
                    Outcome::Failed(ended, error, _) => {
                        status.cells[row] = Cell::Text(ended.name().to_owned());
                        kind.cells[row] = Cell::Text(error.kind);
                        #[allow(clippy::cast_precision_loss, reason = "a code has few digits")]
                        let number = error.code.map_or(Cell::Missing, |code| Cell::Number(code as f64));
                        code.cells[row] = number;
                        message.cells[row] = error.message.map_or(Cell::Missing, Cell::Text);
                    }
                }
            }
        }
        self.set_aside(|name| OutcomeColumn::of_name(name).is_some());
        let is_used = |column: &Column| column.cells.iter().any(|cell| *cell != Cell::Missing);
        self.columns.extend(columns.into_iter().filter(is_used));
        Ok(())
    }

    fn set_aside(&mut self, is_meant: impl Fn(&str) -> bool) {
        for column in self.columns.iter_mut().filter(|column| is_meant(&column.name)) {
            column.name = format!("raw_{}", column.name);
        }
    }
}

impl Log {
    /// The log with the meaning that its caller states. Only a table takes one.
    ///
    /// # Errors
    /// As [`Table::stated`]; [`Error::Format`](crate::Error::Format) for a statement about the columns of a session.
    pub fn stated(self, mappings: &[Mapping], options: &ReadOptions) -> Result<Self> {
        let content = match &self.content {
            Content::Table(table) => Content::Table(table.stated(&self.source, mappings, options)?),
            Content::Session(_) if !mappings.is_empty() || matches!(options.status, StatusRule::Stated { .. }) => {
                return Err(super::takes_no_statement(&self.source, self.tool));
            }
            Content::Session(session) => Content::Session(session.clone()),
        };
        Ok(Self { content, ..self })
    }
}
