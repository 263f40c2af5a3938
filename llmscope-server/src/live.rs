//! What happens, to whoever listens. Nobody who is slow holds anything up: who falls behind is told so.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use llmscope_core::RuleCode;
use serde::Serialize;
use tokio::sync::{broadcast, mpsc};
use tokio::time::{Instant, sleep_until};

use crate::ending::Ending;
use crate::machine::MachineReading;
use crate::series::{Measurement, Series};
use crate::violation::Violation;

/// Events that wait for a slow listener; beyond this it is told how many it missed.
const MOST_WAITING: usize = 1024;
/// Listeners are told at most so often.
const PULSE: Duration = Duration::from_millis(100);

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
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
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub(crate) struct Records {
    /// How many.
    pub(crate) count: u64,
    /// The series that they belong to.
    pub(crate) series: Vec<Pulse>,
}

/// What is new of a series.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Pulse {
    /// Its number.
    pub(crate) id: i64,
    /// Values so far.
    pub(crate) n: u64,
    /// The last value.
    pub(crate) last: Measurement,
    /// The rules that signalled at one of the new values.
    pub(crate) signals: Vec<RuleCode>,
}

impl Records {
    /// Puts later records to these.
    pub(crate) fn merge(&mut self, later: &Self) {
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
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Hello {
    /// The time of the service.
    pub(crate) at: Timestamp,
    /// Its version.
    pub(crate) version: &'static str,
}

/// An event as it is sent, written once for all listeners.
#[derive(Debug)]
pub(crate) struct Frame {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its data, as JSON.
    pub(crate) data: String,
}

/// Hands events to listeners.
#[derive(Debug, Clone)]
pub(crate) struct Live {
    events: mpsc::UnboundedSender<Event>,
    frames: broadcast::Sender<Arc<Frame>>,
}

impl Live {
    /// Nobody listens yet. What is returned beside it must be [carried](carry) to the listeners.
    #[must_use]
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<Event>) {
        let (events, received) = mpsc::unbounded_channel();
        (Self { events, frames: broadcast::channel(MOST_WAITING).0 }, received)
    }

    /// Says that something happened. It never waits.
    pub(crate) fn tell(&self, event: Event) {
        // At the end of the service there is nobody to tell.
        let _ = self.events.send(event);
    }

    /// Listens from now on.
    #[must_use]
    pub(crate) fn listen(&self) -> broadcast::Receiver<Arc<Frame>> {
        self.frames.subscribe()
    }

    /// How many listen.
    #[must_use]
    pub(crate) fn listeners(&self) -> usize {
        self.frames.receiver_count()
    }

    fn send(&self, name: &'static str, data: &impl Serialize) {
        if let Ok(data) = serde_json::to_string(data) {
            // Without a listener there is nobody to tell.
            let _ = self.frames.send(Arc::new(Frame { name, data }));
        }
    }
}

/// What happened since the last pulse. Of what only went on, how it stands now; what began or ended is told.
#[derive(Default)]
struct Pending {
    records: Records,
    series: Vec<Series>,
    violations: Vec<Violation>,
    machine: Option<MachineReading>,
    /// Where the last word on a violation, or on a series, stands.
    last_violation: HashMap<i64, usize>,
    last_series: HashMap<i64, usize>,
}

impl Pending {
    fn take(&mut self, event: Event) {
        match event {
            Event::Records(records) => self.records.merge(&records),
            Event::Series(series) => {
                let (id, stands) = (series.name.id, (series.verdict, series.state));
                let went_on = |known: &Series| (known.verdict, known.state) == stands;
                put(&mut self.series, &mut self.last_series, id, *series, went_on);
            }
            Event::Violation(violation) => {
                let (id, stands) = (violation.id, (violation.open, violation.status));
                let went_on = |known: &Violation| (known.open, known.status) == stands;
                put(&mut self.violations, &mut self.last_violation, id, *violation, went_on);
            }
            Event::Machine(reading) => self.machine = Some(*reading),
        }
    }

    fn send(self, live: &Live) {
        let Self { records, series, violations, machine, .. } = self;
        (records.count > 0).then(|| live.send("records", &records));
        violations.iter().for_each(|violation| live.send("violation", violation));
        series.iter().for_each(|series| live.send("series", series));
        machine.iter().for_each(|reading| live.send("machine", reading));
    }
}

/// Adds a word on something, in place of the last one if it only went on since.
fn put<T>(all: &mut Vec<T>, last: &mut HashMap<i64, usize>, id: i64, word: T, went_on: impl Fn(&T) -> bool) {
    match last.get(&id).and_then(|&place| all.get_mut(place)) {
        Some(known) if went_on(known) => *known = word,
        _ => {
            last.insert(id, all.len());
            all.push(word);
        }
    }
}

/// Carries events to the listeners until the service ends: the first at once, what follows it together after a [`PULSE`].
pub(crate) async fn carry(live: Live, mut events: mpsc::UnboundedReceiver<Event>, mut ending: Ending) {
    let mut next_pulse = Instant::now();
    loop {
        let mut pending = Pending::default();
        tokio::select! {
            () = ending.wait() => return,
            event = events.recv() => match event {
                None => return,
                Some(event) => pending.take(event),
            },
        }
        tokio::select! {
            () = ending.wait() => return,
            () = sleep_until(next_pulse) => {}
        }
        while let Ok(event) = events.try_recv() {
            pending.take(event);
        }
        pending.send(&live);
        next_pulse = Instant::now() + PULSE;
    }
}
