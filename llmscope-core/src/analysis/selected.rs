//! Series selected from logs, which are in memory or read as a stream.

use std::sync::Arc;

use super::study::runs_of;
use super::{ColumnReport, Selection, Series, SeriesBuilder, SourceLog};
use crate::error::{Error, Result};
use crate::ingest::{Log, OpenedLog, Stream};

/// The result of a selection.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct SelectedSeries {
    /// One series for each group and measure.
    pub series: Vec<Series>,
    /// With grouping by session: for each metric of each provider and model, one series per session.
    pub runs: Vec<Vec<Series>>,
    /// The columns of the logs: what they mean, and what was done with them.
    pub columns: Vec<ColumnReport>,
    /// The logs that were read.
    pub logs: Vec<SourceLog>,
}

/// A log as input of a selection.
pub enum LogSource<'i, E> {
    /// A log in memory.
    Log(Arc<Log>),
    /// A log that is read as a stream.
    Stream {
        /// The log.
        stream: Box<Stream>,
        /// Opens the log again: separating its runs takes a second pass, and a stream is not kept in memory. A pipe can
        /// be read only once, so it has no runs.
        again: Option<Box<dyn FnOnce() -> Result<OpenedLog, E> + 'i>>,
    },
}

impl<'i, E> LogSource<'i, E> {
    /// An opened log, and how to open it again.
    pub fn new(opened: OpenedLog, again: impl FnOnce() -> Result<OpenedLog, E> + 'i) -> Self {
        match opened {
            OpenedLog::Log(log) => Self::Log(Arc::new(log)),
            OpenedLog::Stream(stream) => Self::Stream { stream, again: Some(Box::new(again)) },
        }
    }

    /// An opened log that cannot be opened again.
    #[must_use]
    pub fn once(opened: OpenedLog) -> Self {
        match opened {
            OpenedLog::Log(log) => Self::Log(Arc::new(log)),
            OpenedLog::Stream(stream) => Self::Stream { stream, again: None },
        }
    }
}

impl Selection {
    /// Selects series from logs, one log after the other.
    ///
    /// # Errors
    /// The errors of [`SeriesBuilder::add`], [`SeriesBuilder::add_stream`], [`SeriesBuilder::finish`], and of opening
    /// the logs.
    pub fn gather<'i, E: From<Error>>(
        self,
        inputs: impl IntoIterator<Item = Result<LogSource<'i, E>, E>>,
    ) -> Result<SelectedSeries, E> {
        let mut of_runs = self.of_runs().map(SeriesBuilder::new);
        let mut gathering = SeriesBuilder::new(self);
        for input in inputs {
            match input? {
                LogSource::Log(log) => {
                    gathering.add(&log)?;
                    of_runs.as_mut().map_or(Ok(()), |runs| runs.add(&log))?;
                }
                LogSource::Stream { stream, again } => {
                    gathering.add_stream(*stream)?;
                    of_runs = match (of_runs, again) {
                        (Some(runs), Some(again)) => Some(runs.with(again()?)?),
                        _ => None,
                    };
                }
            }
        }
        let logs = gathering.sources().to_vec();
        let runs = of_runs.map(SeriesBuilder::finish).transpose()?.map(runs_of).unwrap_or_default();
        let outline = gathering.outline();
        let series = gathering.finish()?;
        Ok(SelectedSeries { columns: outline.described(&series), series, runs, logs })
    }
}

impl SeriesBuilder {
    fn with(mut self, opened: OpenedLog) -> Result<Self> {
        match opened {
            OpenedLog::Log(log) => self.add(&log)?,
            OpenedLog::Stream(stream) => self.add_stream(*stream)?,
        }
        Ok(self)
    }
}
