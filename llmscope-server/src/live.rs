//! Publishes live events to listeners. A slow listener delays no other: it gets the number of events that it missed.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use llmscope_core::RuleCode;
use serde::Serialize;
use tokio::sync::{broadcast, mpsc};
use tokio::time::{Instant, sleep_until};

use crate::incident::{Incident, IncidentTurn};
use crate::machine::MachineReading;
use crate::series::{Measurement, Series};
use crate::shutdown::Shutdown;
use crate::violation::Violation;

/// The most events that wait for a slow listener before it misses some.
const QUEUE_LENGTH: usize = 1024;
/// The shortest interval between messages to listeners.
const BROADCAST_INTERVAL: Duration = Duration::from_millis(100);
/// The time that a message takes for each listener: together they get at most 400 messages a second, so that many of
/// them do not slow down the writers.
const PER_LISTENER: Duration = Duration::from_micros(2500);
/// The most listeners.
pub(crate) const MOST_LISTENERS: usize = 1000;

/// An event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    /// Records were stored.
    Records(Records),
    /// A series changed its state or verdict.
    Series(Box<Series>),
    /// A violation began, continued, ended or was annotated.
    Violation(Box<Violation>),
    /// An incident opened, became worse or ended.
    Incident(IncidentTurn, Box<Incident>),
    /// A reading of the machine.
    Machine(Box<MachineReading>),
}

/// Stored records, by series.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub(crate) struct Records {
    /// The number of records.
    pub(crate) count: u64,
    /// The series of the records.
    pub(crate) series: Vec<SeriesUpdate>,
}

/// New values of a series.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct SeriesUpdate {
    /// The id of the series.
    pub(crate) id: i64,
    /// The number of values so far.
    pub(crate) n: u64,
    /// The last value.
    pub(crate) last: Measurement,
    /// The rules that signaled at one of the new values.
    pub(crate) signals: Vec<RuleCode>,
}

impl Records {
    /// Adds later records.
    pub(crate) fn merge(&mut self, later: &Self) {
        self.count += later.count;
        for update in &later.series {
            match self.series.iter_mut().find(|known| known.id == update.id) {
                None => self.series.push(update.clone()),
                Some(known) => {
                    (known.n, known.last) = (update.n, update.last);
                    known.add(&update.signals);
                }
            }
        }
    }
}

impl SeriesUpdate {
    /// Adds rules that signaled, each once.
    pub(crate) fn add(&mut self, signals: &[RuleCode]) {
        for rule in signals {
            if !self.signals.contains(rule) {
                self.signals.push(rule.clone());
            }
        }
    }
}

/// The first message to a listener.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Hello {
    /// The time of the service.
    pub(crate) at: Timestamp,
    /// The version of the service.
    pub(crate) version: &'static str,
}

/// The message of an event as it is sent.
#[must_use]
pub(crate) fn message(name: &str, data: &impl Serialize) -> Option<Bytes> {
    // JSON has no line breaks, which would end the data.
    Some(format!("event: {name}\ndata: {}\n\n", serde_json::to_string(data).ok()?).into())
}

/// Publishes events to listeners.
#[derive(Debug, Clone)]
pub(crate) struct Live {
    events: mpsc::UnboundedSender<Event>,
    /// The messages, each serialized once for all listeners.
    messages: broadcast::Sender<Bytes>,
}

impl Live {
    /// Creates a publisher without listeners, and the queue of events to pass to [`broadcast_events`].
    #[must_use]
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<Event>) {
        let (events, received) = mpsc::unbounded_channel();
        (Self { events, messages: broadcast::channel(QUEUE_LENGTH).0 }, received)
    }

    /// Queues an event. It never blocks.
    pub(crate) fn publish(&self, event: Event) {
        // During the shutdown the receiver may be gone.
        let _ = self.events.send(event);
    }

    /// Subscribes to events from now on; `None` if there are [`MOST_LISTENERS`].
    #[must_use]
    pub(crate) fn subscribe(&self) -> Option<broadcast::Receiver<Bytes>> {
        (self.listeners() < MOST_LISTENERS).then(|| self.messages.subscribe())
    }

    /// The number of listeners.
    #[must_use]
    pub(crate) fn listeners(&self) -> usize {
        self.messages.receiver_count()
    }

    fn send(&self, name: &'static str, data: &impl Serialize) {
        if let Some(message) = message(name, data) {
            // Sending fails if there are no listeners.
            let _ = self.messages.send(message);
        }
    }
}

/// Events since the last broadcast. A continuation replaces the previous event; a beginning or an end is kept.
#[derive(Default)]
struct Pending {
    records: Records,
    series: Vec<Series>,
    violations: Vec<Violation>,
    incidents: Vec<(IncidentTurn, Incident)>,
    machine: Option<MachineReading>,
    /// The position of the last event of each violation, and of each series.
    last_violation: HashMap<i64, usize>,
    last_series: HashMap<i64, usize>,
}

impl Pending {
    fn add(&mut self, event: Event) {
        match event {
            Event::Records(records) => self.records.merge(&records),
            Event::Series(series) => {
                let (id, state) = (series.name.id, (series.verdict, series.state));
                let is_continuation = |known: &Series| (known.verdict, known.state) == state;
                put(&mut self.series, &mut self.last_series, id, *series, is_continuation);
            }
            Event::Violation(violation) => {
                let (id, state) = (violation.id, (violation.open, violation.status));
                let is_continuation = |known: &Violation| (known.open, known.status) == state;
                put(&mut self.violations, &mut self.last_violation, id, *violation, is_continuation);
            }
            Event::Incident(turn, incident) => self.incidents.push((turn, *incident)),
            Event::Machine(reading) => self.machine = Some(*reading),
        }
    }

    fn send(self, live: &Live) {
        let Self { records, series, violations, incidents, machine, .. } = self;
        (records.count > 0).then(|| live.send("records", &records));
        violations.iter().for_each(|violation| live.send("violation", violation));
        series.iter().for_each(|series| live.send("series", series));
        incidents.iter().for_each(|(turn, incident)| live.send(turn.name(), incident));
        machine.iter().for_each(|reading| live.send("machine", reading));
    }
}

/// Adds an event, or replaces the last event of the same id if the new one is its continuation.
fn put<T>(all: &mut Vec<T>, last: &mut HashMap<i64, usize>, id: i64, event: T, is_continuation: impl Fn(&T) -> bool) {
    match last.get(&id).and_then(|&place| all.get_mut(place)) {
        Some(known) if is_continuation(known) => *known = event,
        _ => {
            last.insert(id, all.len());
            all.push(event);
        }
    }
}

/// Sends events to the listeners until the service shuts down: the first at once, later ones together after a
/// pause, which is longer for many listeners.
pub(crate) async fn broadcast_events(live: Live, mut events: mpsc::UnboundedReceiver<Event>, mut shutdown: Shutdown) {
    let mut next_broadcast = Instant::now();
    loop {
        let mut pending = Pending::default();
        tokio::select! {
            () = shutdown.wait() => return,
            event = events.recv() => match event {
                None => return,
                Some(event) => pending.add(event),
            },
        }
        tokio::select! {
            () = shutdown.wait() => return,
            () = sleep_until(next_broadcast) => {}
        }
        while let Ok(event) = events.try_recv() {
            pending.add(event);
        }
        pending.send(&live);
        next_broadcast = Instant::now() + pause(live.listeners());
    }
}

/// The pause between two messages to this many listeners.
fn pause(listeners: usize) -> Duration {
    BROADCAST_INTERVAL.max(PER_LISTENER * u32::try_from(listeners).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_listeners_get_messages_less_often() {
        assert_eq!((pause(0), pause(40)), (BROADCAST_INTERVAL, BROADCAST_INTERVAL));
        assert_eq!((pause(400), pause(MOST_LISTENERS)), (Duration::from_secs(1), Duration::from_millis(2500)));
    }

    #[test]
    fn the_number_of_listeners_is_bounded() {
        let (live, _events) = Live::new();
        let mut listeners: Vec<_> = (0..MOST_LISTENERS).map(|_| live.subscribe()).collect();
        assert!(listeners.iter().all(Option::is_some) && live.subscribe().is_none());
        listeners.pop();
        assert!(live.subscribe().is_some());
    }
}
