//! The chunks that the mock sent, with their times, to compare a client's results with.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde::Serialize;
use serde_json::{Value, json};

/// The times of one streamed answer, taken after each write returned.
#[derive(Debug, Serialize)]
pub(crate) struct Entry {
    /// The number of the connection, counted from 1.
    connection: u64,
    /// From the last reset until the request was fully read.
    start_s: f64,
    /// From the request to the first chunk with content.
    ttft_s: Option<f64>,
    /// From the first to the last chunk with content, divided by the tokens after the first chunk.
    tpot_s: Option<f64>,
    /// Mean time between chunks with content.
    gap_s: Option<f64>,
    max_gap_s: Option<f64>,
    /// From the request to the last chunk with content.
    last_token_s: Option<f64>,
    /// From the request to the end of the answer; absent if the client left before.
    e2e_s: Option<f64>,
    tokens: u32,
    /// Chunks with content.
    chunks: u32,
    /// The longest delay of a chunk after its deadline: how late the mock itself was.
    max_late_s: f64,
}

/// The answers since the last reset, in the order of their ends.
#[derive(Debug)]
pub(crate) struct Truth(Mutex<(Instant, Vec<Entry>)>);

impl Default for Truth {
    fn default() -> Self {
        Self(Mutex::new((Instant::now(), Vec::new())))
    }
}

impl Truth {
    pub(crate) fn reset(&self) {
        *self.lock() = (Instant::now(), Vec::new());
    }

    pub(crate) fn report(&self) -> Value {
        let state = self.lock();
        json!({ "requests": state.1 })
    }

    fn lock(&self) -> MutexGuard<'_, (Instant, Vec<Entry>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Collects the timestamps of one answer. It reports them on drop, so that an answer that the client did not read to its
/// end has an entry too.
#[derive(Debug)]
pub(crate) struct Stamps<'a> {
    truth: &'a Truth,
    connection: u64,
    read_at: Instant,
    first: Option<Instant>,
    last: Option<Instant>,
    end: Option<Instant>,
    max_gap_s: f64,
    max_late_s: f64,
    tokens: u32,
    tokens_of_first: u32,
    chunks: u32,
}

impl<'a> Stamps<'a> {
    pub(crate) fn new(truth: &'a Truth, connection: u64, read_at: Instant) -> Self {
        Self {
            truth,
            connection,
            read_at,
            first: None,
            last: None,
            end: None,
            max_gap_s: 0.0,
            max_late_s: 0.0,
            tokens: 0,
            tokens_of_first: 0,
            chunks: 0,
        }
    }

    /// Records that a chunk with content was just written.
    pub(crate) fn chunk(&mut self, tokens: u32, due: Instant) {
        let now = Instant::now();
        match self.last {
            Some(last) => self.max_gap_s = self.max_gap_s.max((now - last).as_secs_f64()),
            None => {
                self.first = Some(now);
                self.tokens_of_first = tokens;
            }
        }
        self.last = Some(now);
        self.tokens += tokens;
        self.chunks += 1;
        self.max_late_s = self.max_late_s.max(now.saturating_duration_since(due).as_secs_f64());
    }

    /// Records that the end of the answer was just written.
    pub(crate) fn end(&mut self) {
        self.end = Some(Instant::now());
    }
}

impl Drop for Stamps<'_> {
    fn drop(&mut self) {
        let since_read = |at: Option<Instant>| at.map(|at| (at - self.read_at).as_secs_f64());
        let span = self.first.zip(self.last).map(|(first, last)| (last - first).as_secs_f64());
        let per = |count: u32| span.filter(|_| count > 0).map(|span| span / f64::from(count));
        let mut state = self.truth.lock();
        let entry = Entry {
            connection: self.connection,
            start_s: self.read_at.saturating_duration_since(state.0).as_secs_f64(),
            ttft_s: since_read(self.first),
            tpot_s: per(self.tokens - self.tokens_of_first),
            gap_s: per(self.chunks.saturating_sub(1)),
            max_gap_s: (self.chunks > 1).then_some(self.max_gap_s),
            last_token_s: since_read(self.last),
            e2e_s: since_read(self.end),
            tokens: self.tokens,
            chunks: self.chunks,
            max_late_s: self.max_late_s,
        };
        state.1.push(entry);
    }
}
