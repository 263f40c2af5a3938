//! What happens, to whoever listens. Nobody who is slow holds anything up: who falls behind is told so.

use std::sync::Arc;

use jiff::Timestamp;
use llmscope_core::RuleCode;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::broadcast;

use crate::machine::MachineReading;
use crate::series::{Measurement, Series};
use crate::violation::Violation;

/// Events that wait for a slow listener; beyond this it is told how many it missed.
const MOST_WAITING: usize = 1024;

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Records were kept.
    Records(Records),
    /// A series changed its state or verdict.
    Series(Box<Series>),
    /// A violation began, went on, ended, or somebody made something of it.
    Violation(Box<Violation>),
    /// The machine was read.
    Machine(Box<MachineReading>),
}

/// Records that were kept, by series.
#[derive(Debug, Clone, PartialEq, Default, Serialize, JsonSchema)]
pub struct Records {
    /// How many.
    pub count: u64,
    /// The series that they belong to.
    pub series: Vec<Pulse>,
}

/// What is new of a series.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Pulse {
    /// Its number.
    pub id: i64,
    /// Values so far.
    pub n: u64,
    /// The last value.
    pub last: Measurement,
    /// The rules that signalled at one of the new values.
    pub signals: Vec<RuleCode>,
}

impl Records {
    /// Puts later records to these.
    pub fn merge(&mut self, later: &Self) {
        self.count += later.count;
        for pulse in &later.series {
            match self.series.iter_mut().find(|known| known.id == pulse.id) {
                None => self.series.push(pulse.clone()),
                Some(known) => {
                    (known.n, known.last) = (pulse.n, pulse.last);
                    known.add(&pulse.signals);
                }
            }
        }
    }
}

impl Pulse {
    /// Adds rules that signalled, each once.
    pub(crate) fn add(&mut self, signals: &[RuleCode]) {
        for rule in signals {
            if !self.signals.contains(rule) {
                self.signals.push(rule.clone());
            }
        }
    }
}

/// Greets a listener.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Hello {
    /// The time of the service.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    /// Its version.
    pub version: &'static str,
}

/// Hands events to listeners.
#[derive(Debug, Clone)]
pub struct Live {
    sender: broadcast::Sender<Arc<Event>>,
}

impl Live {
    /// Nobody listens yet.
    #[must_use]
    pub fn new() -> Self {
        Self { sender: broadcast::channel(MOST_WAITING).0 }
    }

    /// Says that something happened.
    pub fn tell(&self, event: Event) {
        // Without a listener there is nobody to tell.
        let _ = self.sender.send(Arc::new(event));
    }

    /// Listens from now on.
    #[must_use]
    pub fn listen(&self) -> broadcast::Receiver<Arc<Event>> {
        self.sender.subscribe()
    }

    /// How many listen.
    #[must_use]
    pub fn listeners(&self) -> usize {
        self.sender.receiver_count()
    }
}

impl Default for Live {
    fn default() -> Self {
        Self::new()
    }
}
