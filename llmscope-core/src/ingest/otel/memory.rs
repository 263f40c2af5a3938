//! Spans that arrive in several exports: what is remembered of them, so that each call of a model counts once.

use std::collections::{BTreeSet, HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::calls::{Ancestors, Calls, Earlier, SpanKey};
use super::spans::{self, Exported, ServerTimes, Span, server_times};
use crate::error::Result;
use crate::ingest::identity;
use crate::session::Session;

/// How long spans of generative AI and responses are remembered: a collector that was down sends again for hours.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24);
/// How long other spans, and spans of servers that wait, are remembered. A trace ends within minutes.
const TRACE: SignedDuration = SignedDuration::from_mins(10);
/// The most spans of each kind, and the most responses, that are remembered. A span takes about 100 bytes.
const MOST: usize = 100_000;
/// The most spans of servers that wait for the client's span.
const MOST_WAITING: usize = 1000;

/// The spans of an export, before it is known which of them are calls that are not yet counted. Of spans that are not of
/// generative AI, only their parents are kept.
#[derive(Default)]
pub struct Spans(Exported);

impl Spans {
    /// Reads an export as OTLP JSON.
    ///
    /// # Errors
    /// [`Error::Format`](crate::Error::Format) for a text that is not OTLP JSON.
    pub fn parse(source: &str, text: &str) -> Result<Self> {
        let mut exported = spans::exported(source, text)?;
        exported.compact();
        Ok(Self(exported))
    }

    /// Adds the spans of another export as OTLP JSON.
    ///
    /// # Errors
    /// As [`Spans::parse`].
    pub fn add(&mut self, source: &str, text: &str) -> Result<()> {
        self.0.append(Self::parse(source, text)?.0);
        Ok(())
    }

    /// The number of spans of generative AI.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.0.spans.len()
    }
}

/// Remembers the spans of generative AI of the last day, and the other spans of the last ten minutes, at most 100,000 of
/// each.
///
/// ```
/// use jiff::Timestamp;
/// use llmscope_core::ingest::{SpanMemory, Spans};
///
/// let export = r#"{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "1", "spanId": "2", "name": "chat",
///     "startTimeUnixNano": "1795903000000000000", "endTimeUnixNano": "1795903000400000000",
///     "attributes": [{"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}}]}]}]}]}"#;
/// let mut memory = SpanMemory::default();
/// let first = memory.take(Spans::parse("first", export)?, Timestamp::UNIX_EPOCH);
/// assert_eq!(first.session.records[0].e2e_s, Some(0.4));
/// let again = memory.take(Spans::parse("again", export)?, Timestamp::UNIX_EPOCH);
/// assert_eq!((again.session.records.len(), again.repeated), (0, 1));
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[derive(Debug)]
pub struct SpanMemory {
    /// Spans of generative AI.
    spans: Recent<KnownSpan>,
    /// The parents of other spans.
    others: Recent<SpanKey>,
    responses: Recent<Option<(i128, i128)>>,
    /// Spans of servers whose client's span has not arrived.
    servers: Recent<Waiting>,
}

/// The calls of models in an export of spans, without those of earlier exports.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SpanExport {
    /// The requests, each with what its server measured, as far as the server's span has arrived.
    pub session: Session,
    /// Spans that are in an earlier export, too.
    pub repeated: usize,
    /// Spans of servers that no client called: they have no parent.
    pub servers: usize,
    /// Spans of a tracer of models in a convention that the reader does not know.
    pub unknown: usize,
    /// What the memory learned from the export, to be stored together with its requests: [`SpanMemory::recall`] restores
    /// the memory from it. Empty for an export without spans of generative AI.
    pub facts: Vec<SpanFact>,
    keys: Vec<SpanKey>,
    others: Vec<SpanKey>,
    responses: Vec<u64>,
}

/// What a memory knows of a span or a response. A later fact with the same kind and key replaces it.
#[derive(Debug, Clone, PartialEq)]
pub struct SpanFact {
    /// The kind of the fact.
    pub kind: &'static str,
    /// The number of the span or response.
    pub key: u64,
    /// What is known, as JSON.
    pub state: String,
}

/// The kinds of facts.
const SPAN: &str = "span";
const OTHER: &str = "other";
const RESPONSE: &str = "response";
const SERVER: &str = "server";

impl SpanFact {
    fn of(kind: &'static str, key: u64, state: &impl Serialize) -> Option<Self> {
        Some(Self { kind, key, state: serde_json::to_string(state).ok()? })
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct KnownSpan {
    is_seen: bool,
    is_counted: bool,
    has_inner: bool,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Waiting {
    parent: SpanKey,
    times: ServerTimes,
}

impl Default for SpanMemory {
    fn default() -> Self {
        Self {
            spans: Recent::new(MOST, REMEMBERED),
            others: Recent::new(MOST, TRACE),
            responses: Recent::new(MOST, REMEMBERED),
            servers: Recent::new(MOST_WAITING, TRACE),
        }
    }
}

impl SpanMemory {
    /// The calls in an export that arrived at a time. The memory remembers its spans.
    pub fn take(&mut self, spans: Spans, at: Timestamp) -> SpanExport {
        self.spans.expire(at);
        self.others.expire(at);
        self.responses.expire(at);
        self.servers.expire(at);
        let Exported { spans, links, recorder, .. } = spans.0;
        let mut calls = Calls::among(spans, links, &*self);
        let mut export = SpanExport { repeated: calls.repeated, unknown: calls.unknown.len(), ..SpanExport::default() };
        self.let_servers_wait(&mut calls, &mut export, at);
        let served = self.add_waiting_servers(&mut calls);
        self.remember(&calls, &mut export, at);
        export.facts = self.facts(&calls, &export, served);
        export.session = spans::session_of(recorder, &calls);
        export
    }

    /// Forgets an export whose requests could not be stored, so that they count when it is sent again.
    pub fn forget(&mut self, export: &SpanExport) {
        for key in &export.keys {
            if let Some(known) = self.spans.get_mut(*key) {
                *known = KnownSpan { has_inner: known.has_inner, ..KnownSpan::default() };
            }
        }
        export.others.iter().for_each(|key| self.others.forget(*key));
        for key in &export.responses {
            if let Some(known) = self.responses.get_mut(*key) {
                *known = None;
            }
        }
    }

    /// A server's span ends before the client's, which can be in a later export. Without a parent, there is no client.
    fn let_servers_wait(&mut self, calls: &mut Calls, export: &mut SpanExport, at: Timestamp) {
        let (servers, requests): (Vec<Span>, Vec<Span>) =
            std::mem::take(&mut calls.requests).into_iter().partition(|span| span.of_server);
        calls.requests = requests;
        for span in servers {
            calls.servers.push(span.key());
            if span.parent.is_empty() {
                export.servers += 1;
            } else {
                *self.servers.entry(span.key(), at) = Waiting { parent: span.parent_key(), times: server_times(&span) };
            }
        }
    }

    /// Gives the requests what their servers measured, if the servers' spans were in earlier exports, and returns these.
    fn add_waiting_servers(&mut self, calls: &mut Calls) -> Vec<SpanKey> {
        let clients: BTreeSet<SpanKey> = calls.requests.iter().map(Span::key).collect();
        if clients.is_empty() || self.servers.values.is_empty() {
            return Vec::new();
        }
        let ancestors = Ancestors::of(&calls.others, &*self);
        let client_of =
            |waiting: &Waiting| Some(ancestors.nearest_to(waiting.parent)).filter(|key| clients.contains(key));
        let found: Vec<(SpanKey, SpanKey)> =
            self.servers.values.iter().filter_map(|(&key, waiting)| Some((key, client_of(waiting)?))).collect();
        for (server, client) in &found {
            if let Some(waiting) = self.servers.get_mut(*server) {
                calls.served.entry(*client).or_default().append(&mut waiting.times);
            }
        }
        found.into_iter().map(|(server, _)| server).collect()
    }

    fn remember(&mut self, calls: &Calls, export: &mut SpanExport, at: Timestamp) {
        for &(key, parent) in &calls.others {
            export.others.push(key);
            *self.others.entry(key, at) = parent;
        }
        for &key in calls.steps.iter().chain(&calls.unknown).chain(&calls.covered).chain(&calls.servers) {
            self.see(key, export, at);
        }
        for span in calls.requests.iter().filter(|span| !span.id.is_empty()) {
            self.see(span.key(), export, at).is_counted = true;
        }
        for &key in &calls.within {
            self.spans.entry(key, at).has_inner = true;
        }
        for span in &calls.requests {
            if let Some((key, interval)) = response_of(span) {
                export.responses.push(key);
                *self.responses.entry(key, at) = Some(interval);
            }
        }
    }

    fn see(&mut self, key: SpanKey, export: &mut SpanExport, at: Timestamp) -> &mut KnownSpan {
        export.keys.push(key);
        let known = self.spans.entry(key, at);
        known.is_seen = true;
        known
    }
}

impl SpanMemory {
    /// What this export changed in the memory. Exports of other spans only are not worth a transaction: without them, a
    /// memory that is restored misses no more than a chain of spans between a call and the one around it.
    fn facts(&self, calls: &Calls, export: &SpanExport, served: Vec<SpanKey>) -> Vec<SpanFact> {
        if export.keys.is_empty() {
            return Vec::new();
        }
        let spans: BTreeSet<SpanKey> = export.keys.iter().chain(&calls.within).copied().collect();
        let servers: BTreeSet<SpanKey> = calls.servers.iter().copied().chain(served).collect();
        fn of<V: Serialize + Default>(kind: &'static str, known: &Recent<V>, key: u64) -> Option<SpanFact> {
            SpanFact::of(kind, key, known.get(key)?)
        }
        let mut facts: Vec<SpanFact> = spans.into_iter().filter_map(|key| of(SPAN, &self.spans, key)).collect();
        facts.extend(export.others.iter().filter_map(|&key| of(OTHER, &self.others, key)));
        facts.extend(export.responses.iter().filter_map(|&key| of(RESPONSE, &self.responses, key)));
        facts.extend(servers.into_iter().filter_map(|key| of(SERVER, &self.servers, key)));
        facts
    }

    /// Restores a fact of an export that arrived at a time; older facts first. Facts that cannot be read are skipped.
    pub fn recall(&mut self, kind: &str, key: u64, state: &str, at: Timestamp) {
        fn put<V: Default + serde::de::DeserializeOwned>(known: &mut Recent<V>, key: u64, state: &str, at: Timestamp) {
            if let Ok(state) = serde_json::from_str(state) {
                *known.entry(key, at) = state;
            }
        }
        match kind {
            SPAN => put(&mut self.spans, key, state, at),
            OTHER => put(&mut self.others, key, state, at),
            RESPONSE => put(&mut self.responses, key, state, at),
            SERVER => put(&mut self.servers, key, state, at),
            _ => {}
        }
    }
}

fn response_of(span: &Span) -> Option<(u64, (i128, i128))> {
    Some((identity::of_text(&span.response_id()?), span.interval()?))
}

impl Earlier for SpanMemory {
    fn has_span(&self, span: SpanKey) -> bool {
        self.spans.get(span).is_some_and(|known| known.is_seen) || self.others.get(span).is_some()
    }

    fn parent_of_other(&self, span: SpanKey) -> Option<SpanKey> {
        self.others.get(span).copied()
    }

    fn is_counted(&self, span: SpanKey) -> bool {
        self.spans.get(span).is_some_and(|known| known.is_counted)
    }

    fn has_inner(&self, span: SpanKey) -> bool {
        self.spans.get(span).is_some_and(|known| known.has_inner)
    }

    fn response(&self, id: &str) -> Option<(i128, i128)> {
        *self.responses.get(identity::of_text(id))?
    }
}

/// Values by a number, the latest ones only.
#[derive(Debug)]
struct Recent<V> {
    values: HashMap<u64, V>,
    order: VecDeque<(Timestamp, u64)>,
    most: usize,
    lifetime: SignedDuration,
}

impl<V: Default> Recent<V> {
    fn new(most: usize, lifetime: SignedDuration) -> Self {
        Self { values: HashMap::new(), order: VecDeque::new(), most, lifetime }
    }

    fn get(&self, key: u64) -> Option<&V> {
        self.values.get(&key)
    }

    fn get_mut(&mut self, key: u64) -> Option<&mut V> {
        self.values.get_mut(&key)
    }

    /// The value of a key, a new one if there is none. Then, the oldest one makes room for it.
    fn entry(&mut self, key: u64, at: Timestamp) -> &mut V {
        if !self.values.contains_key(&key) {
            if self.order.len() >= self.most {
                self.drop_oldest();
            }
            self.order.push_back((at, key));
        }
        self.values.entry(key).or_default()
    }

    fn expire(&mut self, now: Timestamp) {
        while self.order.front().is_some_and(|(at, _)| now.duration_since(*at) > self.lifetime) {
            self.drop_oldest();
        }
    }

    fn forget(&mut self, key: u64) {
        if self.values.remove(&key).is_some() {
            self.order.retain(|(_, known)| *known != key);
        }
    }

    fn drop_oldest(&mut self) {
        if let Some((_, key)) = self.order.pop_front() {
            self.values.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_bounded_in_number_and_in_time() {
        let mut recent = Recent::<usize>::new(MOST, TRACE);
        let at = |seconds| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds);
        for key in 0..MOST as u64 + 5 {
            *recent.entry(key, at(0)) = 1;
        }
        assert_eq!((recent.values.len(), recent.order.len()), (MOST, MOST));
        assert_eq!((recent.get(4), recent.get(5)), (None, Some(&1)));
        *recent.entry(0, at(60)) = 2;
        recent.expire(at(600));
        assert_eq!(recent.get(0), Some(&2));
        recent.expire(at(601));
        assert_eq!((recent.values.len(), recent.order.len(), recent.get(0)), (1, 1, Some(&2)));
        recent.expire(at(661));
        assert!(recent.values.is_empty() && recent.order.is_empty());
    }
}
