//! What is selected from logs, whether they are kept or read as they come.

use std::sync::Arc;

use super::study::runs_of;
use super::{Gathering, Selection, Series, SourceLog};
use crate::error::{Error, Result};
use crate::ingest::{Log, Opened, Stream};

/// What was selected from logs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Gathered {
    /// The series of every group and measure.
    pub series: Vec<Series>,
    /// Where sessions are told apart: for each metric of each thing that was measured, a series for each session.
    pub runs: Vec<Vec<Series>>,
    /// The logs.
    pub logs: Vec<SourceLog>,
}

/// A log to select from.
pub enum Input<'i, E> {
    /// One that is kept.
    Log(Arc<Log>),
    /// One that is read as it comes.
    Stream {
        /// The log.
        stream: Box<Stream>,
        /// How to open it again: it is not kept, and telling its runs apart takes another reading. A pipe has but one,
        /// and then there are no runs.
        again: Option<Box<dyn FnOnce() -> Result<Opened, E> + 'i>>,
    },
}

impl<'i, E> Input<'i, E> {
    /// A log that was opened, and how to do it again.
    pub fn new(opened: Opened, again: impl FnOnce() -> Result<Opened, E> + 'i) -> Self {
        match opened {
            Opened::Log(log) => Self::Log(Arc::new(log)),
            Opened::Stream(stream) => Self::Stream { stream, again: Some(Box::new(again)) },
        }
    }

    /// The same, if it cannot be opened again.
    #[must_use]
    pub fn once(opened: Opened) -> Self {
        match opened {
            Opened::Log(log) => Self::Log(Arc::new(log)),
            Opened::Stream(stream) => Self::Stream { stream, again: None },
        }
    }
}

impl Selection {
    /// Selects from logs, one after the other.
    ///
    /// # Errors
    /// Those of [`Gathering::add`], [`Gathering::add_stream`] and [`Gathering::finish`], and of opening the logs.
    pub fn gather<'i, E: From<Error>>(
        self,
        inputs: impl IntoIterator<Item = Result<Input<'i, E>, E>>,
    ) -> Result<Gathered, E> {
        let mut of_runs = self.of_runs().map(Gathering::new);
        let mut gathering = Gathering::new(self);
        for input in inputs {
            match input? {
                Input::Log(log) => {
                    gathering.add(&log)?;
                    of_runs.as_mut().map_or(Ok(()), |runs| runs.add(&log))?;
                }
                Input::Stream { stream, again } => {
                    gathering.add_stream(*stream)?;
                    of_runs = match (of_runs, again) {
                        (Some(runs), Some(again)) => Some(runs.with(again()?)?),
                        _ => None,
                    };
                }
            }
        }
        let logs = gathering.sources().to_vec();
        let runs = of_runs.map(Gathering::finish).transpose()?.map(runs_of).unwrap_or_default();
        Ok(Gathered { series: gathering.finish()?, runs, logs })
    }
}

impl Gathering {
    fn with(mut self, opened: Opened) -> Result<Self> {
        match opened {
            Opened::Log(log) => self.add(&log)?,
            Opened::Stream(stream) => self.add_stream(*stream)?,
        }
        Ok(self)
    }
}
