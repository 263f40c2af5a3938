//! Posts records and messages to other services, and queues them while a service is down.

use std::collections::VecDeque;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method};
use llmscope_core::TpotDefinition;
use llmscope_core::session::RequestRecord;
use serde_json::{Map, Value, json};
use url::Url;

use crate::error::{Error, Result};
use crate::failure::{Failure, FailureKind};
use crate::secret::Secret;
use crate::spool::Spool;
use crate::transport::{Connector, HttpTransport, Origin, call, request};

/// Maximum number of queued records; beyond it the oldest are dropped.
const MAX_QUEUED: usize = 10_000;
const POST_TIMEOUT: Duration = Duration::from_secs(10);
const MIN_PAUSE: Duration = Duration::from_millis(500);
const MAX_PAUSE: Duration = Duration::from_secs(30);

/// The state of an uploader's deliveries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Number of records that the service accepted.
    pub delivered: u64,
    /// Number of records in the queue.
    pub waiting: usize,
    /// Number of records dropped because the queue was full.
    pub dropped: u64,
    /// Number of records that the service rejected as invalid.
    pub refused: u64,
    /// Why a record could not be written to the file of undelivered records.
    pub spool_error: Option<String>,
    /// Why the last attempt failed; `None` if it succeeded.
    pub last_error: Option<String>,
}

/// Posts JSON records to one address, one after the other and in order, on its own thread.
#[derive(Debug)]
pub struct Uploader {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    records: VecDeque<(u64, Value)>,
    next_number: u64,
    delivery: Delivery,
    /// The records in a file, if they are kept in one.
    spool: Option<Spool>,
    /// When the uploader stops, with or without queued records.
    closes_at: Option<Instant>,
}

impl State {
    fn push(&mut self, record: Value) {
        self.records.push_back((self.next_number, record));
        self.next_number += 1;
    }

    /// Removes the oldest record, from the file of undelivered records, too.
    fn remove_oldest(&mut self) {
        self.records.pop_front();
        let left = self.records.iter().map(|(_, record)| record);
        let kept = self.spool.as_mut().map(|spool| spool.finish_oldest(left));
        self.note_spool(kept);
    }

    /// A full disk must not stop deliveries: the records stay in memory.
    fn note_spool(&mut self, kept: Option<std::io::Result<()>>) {
        if let Some(kept) = kept {
            self.delivery.spool_error = kept.err().map(|error| error.to_string());
        }
    }
}

impl Uploader {
    /// An uploader to the llmscope service at `base`. The key is read from `LLMSCOPE_API_KEY`.
    ///
    /// # Errors
    /// [`Error::Url`], [`Error::Tls`], [`Error::Start`].
    pub fn to_service(base: &str) -> Result<Self> {
        let base = base.trim_end_matches('/');
        Self::to(&format!("{base}/api/log"), Secret::from_environment(&["LLMSCOPE_API_KEY"]))
    }

    /// An uploader to an address.
    ///
    /// # Errors
    /// As [`Uploader::to_service`].
    pub fn to(address: &str, key: Option<Secret>) -> Result<Self> {
        let refuse = |problem| Error::Url { url: "the address to post to".to_owned(), problem };
        let url = Url::parse(address).map_err(|_| refuse("expected an address such as http://localhost:8081"))?;
        // The message of the URL parser is not shown: the address of a webhook is a secret.
        let origin = Origin::of(&url).map_err(|_| refuse("expected http:// or https:// and a host"))?;
        let transport = HttpTransport::new(Connector::new(origin, POST_TIMEOUT, None)?, true);
        let queue = Arc::new(Queue::default());
        let destination = Destination { url, key, transport };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Error::Start { message: error.to_string() })?;
        let worker = queue.clone();
        let thread = std::thread::Builder::new().name("uploader".to_owned());
        let thread = thread.spawn(move || {
            worker.run(&destination, &runtime);
            runtime.shutdown_background();
        });
        let thread = thread.map_err(|error| Error::Start { message: error.to_string() })?;
        Ok(Self { queue, thread: Some(thread) })
    }

    /// An uploader to a webhook. Its address is a secret, as it permits to post.
    ///
    /// # Errors
    /// As [`Uploader::to_service`].
    pub fn to_webhook(address: &Secret) -> Result<Self> {
        Self::to(address.expose(), None)
    }

    /// Queues a record. It never waits for the service.
    pub fn send(&self, record: Value) {
        self.queue.push(record);
    }

    /// The state of an uploader's deliveries.
    #[must_use]
    pub fn delivery(&self) -> Delivery {
        self.queue.delivery()
    }

    /// Keeps undelivered records in a file, so that they survive the end of the process, however it ends. The records that
    /// a previous process left there are sent first; their number is returned. `None` if another process has the file.
    ///
    /// # Errors
    /// [`Error::Core`] if the file cannot be read or locked, or is not a file of undelivered records.
    pub fn keep_in(&self, path: &Path) -> Result<Option<usize>> {
        let Some((spool, records)) = Spool::open(path)? else { return Ok(None) };
        let count = records.len();
        self.queue.adopt(spool, records);
        Ok(Some(count))
    }

    /// Delivers the queued records, for at most `patience`. The records that are left stay in the file of
    /// [`Uploader::keep_in`]; if none is left, that file is removed.
    ///
    /// # Errors
    /// [`Error::Core`] if the file cannot be removed.
    pub fn close(mut self, patience: Duration) -> Result<Delivery> {
        self.queue.close(patience);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let mut state = self.queue.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = state.records.len();
        if let Some(spool) = state.spool.take() {
            let path = spool.path().to_owned();
            spool.close(waiting).map_err(|error| io_error(&path, &error))?;
        }
        Ok(Delivery { waiting, ..state.delivery.clone() })
    }
}

impl Drop for Uploader {
    fn drop(&mut self) {
        self.queue.close(Duration::ZERO);
    }
}

/// The error for a spool file that cannot be removed.
fn io_error(spool: &Path, error: &std::io::Error) -> Error {
    llmscope_core::Error::Io { path: spool.display().to_string(), message: error.to_string() }.into()
}

struct Destination {
    url: Url,
    key: Option<Secret>,
    transport: HttpTransport,
}

impl Destination {
    async fn post(&self, record: &Value) -> Result<(), Failure> {
        let mut request = request(Method::POST, &self.url, Bytes::from(record.to_string()))
            .map_err(|error| Failure::new(FailureKind::BadRequest, error.to_string()))?;
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(key) = &self.key {
            let header = key.header("service", "Bearer ");
            let header = header.map_err(|error| Failure::new(FailureKind::Unauthorized, error.to_string()))?;
            request.headers_mut().insert(AUTHORIZATION, header);
        }
        let sent = call(&self.transport, request, POST_TIMEOUT).await;
        sent.map(drop).map_err(|failure| {
            let message = match &self.key {
                Some(key) => key.redact(&failure.message),
                None => failure.message,
            };
            Failure { message, ..failure }
        })
    }
}

impl Queue {
    fn push(&self, record: Value) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.records.len() >= MAX_QUEUED {
            state.remove_oldest();
            state.delivery.dropped += 1;
        }
        let kept = state.spool.as_mut().map(|spool| spool.append(&record));
        state.note_spool(kept);
        state.push(record);
        self.changed.notify_all();
    }

    /// Queues the records of a file, which are in it already, and keeps further ones there.
    fn adopt(&self, spool: Spool, records: Vec<Value>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.spool = Some(spool);
        records.into_iter().for_each(|record| state.push(record));
        self.changed.notify_all();
    }

    fn close(&self, patience: Duration) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let closes_at = Instant::now() + patience;
        state.closes_at = Some(state.closes_at.map_or(closes_at, |earlier| earlier.min(closes_at)));
        self.changed.notify_all();
    }

    fn delivery(&self) -> Delivery {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        Delivery { waiting: state.records.len(), ..state.delivery.clone() }
    }

    fn run(&self, destination: &Destination, runtime: &tokio::runtime::Runtime) {
        let mut pause = MIN_PAUSE;
        while let Some((number, record)) = self.next() {
            let outcome = runtime.block_on(destination.post(&record));
            pause = if outcome.is_err() { (pause * 2).min(MAX_PAUSE) } else { MIN_PAUSE };
            if !self.finish(number, &outcome) && !self.pause(pause) {
                return;
            }
        }
    }

    /// Waits for the oldest record; `None` when it is time to stop.
    fn next(&self) -> Option<(u64, Value)> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let closes_at = state.closes_at;
            match (state.records.front(), closes_at) {
                (_, Some(closes_at)) if Instant::now() >= closes_at => return None,
                (None, Some(_)) => return None,
                (Some(record), _) => return Some(record.clone()),
                (None, None) => state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// Records the outcome of a post; false if the record must be posted again.
    fn finish(&self, number: u64, outcome: &Result<(), Failure>) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = match outcome {
            Ok(()) => false,
            // An invalid record stays invalid, so a retry is useless.
            Err(failure) => matches!(failure.code, Some(400 | 413 | 422)),
        };
        state.delivery.last_error = outcome.as_ref().err().map(ToString::to_string);
        if outcome.is_err() && !refused {
            return false;
        }
        if refused {
            state.delivery.refused += 1;
        } else {
            state.delivery.delivered += 1;
        }
        // The record may have been dropped from the queue in the meantime.
        if state.records.front().is_some_and(|(front, _)| *front == number) {
            state.remove_oldest();
        }
        true
    }

    /// Waits before the next attempt; false when it is time to stop.
    fn pause(&self, pause: Duration) -> bool {
        let until = Instant::now() + pause;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let now = Instant::now();
            match state.closes_at {
                Some(closes_at) if now >= closes_at => return false,
                // While closing, long pauses are shortened.
                Some(_) if now + MIN_PAUSE < until => {
                    drop(state);
                    std::thread::sleep(MIN_PAUSE.min(until - now) / 2);
                    return true;
                }
                _ if now >= until => return true,
                _ => {
                    let waited = self.changed.wait_timeout(state, until - now);
                    state = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
    }
}

/// A text that no other record has: 128 random bits.
fn new_uid() -> String {
    // The standard library seeds it with random bits of the operating system, and never twice alike.
    let random = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", random(), random())
}

/// A record in the format of the service's `POST /api/log`: latency in seconds, other values as metadata. It gets a new
/// `uid`, so that the service stores it once, even if it is sent again after a lost response.
#[must_use]
pub fn log_entry(record: &RequestRecord, provider: &str, model: &str, endpoint: Option<&str>) -> Value {
    let mut metadata = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        value.into_iter().for_each(|value| drop(metadata.insert(name.to_owned(), value)));
    };
    put("started_at", record.started_at.map(|at| at.to_string().into()));
    put("ttft_s", record.ttft_s.map(Value::from));
    put("tpot_s", record.tpot_s.map(Value::from));
    let definition = record.attributes.get(TpotDefinition::ATTRIBUTE).map(|value| json!(value));
    put(TpotDefinition::ATTRIBUTE, definition.filter(|_| record.tpot_s.is_some()));
    put("error_type", record.error.as_ref().map(|error| error.kind.clone().into()));
    put("recorder", Some("llmscope".into()));
    let latency = record.e2e_s.or_else(|| record.attribute("failed_after_s")).unwrap_or(0.0);
    let mut entry = json!({"provider": provider, "model": model, "latency": latency, "success": record.succeeded(),
        "metadata": metadata, "uid": new_uid()});
    let optional = [
        ("tokens_in", record.input_tokens.map(Value::from)),
        ("tokens_out", record.output_tokens.map(Value::from)),
        ("cost", record.cost_usd.map(Value::from)),
        ("error_message", record.error.as_ref().and_then(|error| error.message.clone()).map(Value::from)),
        ("endpoint", endpoint.map(Value::from)),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            entry[name] = value;
        }
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_record_has_an_id_of_its_own() {
        let entry = || log_entry(&RequestRecord::default(), "p", "m", None)["uid"].to_string();
        let ids: std::collections::HashSet<String> = (0..1000).map(|_| entry()).collect();
        assert_eq!(ids.len(), 1000);
        assert!(ids.iter().all(|id| id.len() == 34), "32 digits in quotation marks");
    }
}
