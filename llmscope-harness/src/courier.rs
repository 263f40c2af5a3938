//! Brings records and notices to other services, and keeps them while those are down.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method};
use llmscope_core::files::write_atomically;
use llmscope_core::session::RequestRecord;
use serde_json::{Map, Value, json};
use url::Url;

use crate::error::{Error, Result};
use crate::failure::{Failure, FailureKind};
use crate::secret::Secret;
use crate::transport::{Connector, HttpTransport, Origin, call, request};

/// Letters that wait while the service is down; beyond this the oldest go.
const MOST_WAITING: usize = 10_000;
const LIMIT: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How deliveries stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Letters that were taken.
    pub delivered: u64,
    /// Letters that wait.
    pub waiting: usize,
    /// Letters that were thrown away because too many waited.
    pub dropped: u64,
    /// Letters that the service refused for what they are.
    pub refused: u64,
    /// Why the last attempt failed; `None` while all is well.
    pub trouble: Option<String>,
}

/// Posts JSON to one address, one letter after the other and in their order, on a thread of its own.
#[derive(Debug)]
pub struct Courier {
    mailbox: Arc<Mailbox>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Mailbox {
    state: Mutex<State>,
    news: Condvar,
}

#[derive(Debug, Default)]
struct State {
    letters: VecDeque<(u64, Value)>,
    written: u64,
    delivery: Delivery,
    /// Until when the last letters may be brought.
    closes_at: Option<Instant>,
}

impl Courier {
    /// A courier to the service at `base`, whose key stands in `LLMSCOPE_API_KEY`.
    ///
    /// # Errors
    /// [`Error::Url`], [`Error::Tls`], [`Error::Start`].
    pub fn to_service(base: &str) -> Result<Self> {
        let base = base.trim_end_matches('/');
        Self::to(&format!("{base}/api/log"), Secret::from_environment(&["LLMSCOPE_API_KEY"]))
    }

    /// A courier to an address.
    ///
    /// # Errors
    /// As [`Courier::to_service`].
    pub fn to(address: &str, key: Option<Secret>) -> Result<Self> {
        let refuse = |problem| Error::Url { url: "the address to post to".to_owned(), problem };
        let url = Url::parse(address).map_err(|_| refuse("expected one such as http://localhost:8081"))?;
        // Not the URL's own words: a webhook's address is a secret.
        let origin = Origin::of(&url).map_err(|_| refuse("expected http:// or https:// and a host"))?;
        let transport = HttpTransport::new(Connector::new(origin, LIMIT, None)?, true);
        let mailbox = Arc::new(Mailbox::default());
        let route = Route { url, key, transport };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Error::Start { message: error.to_string() })?;
        let letters = mailbox.clone();
        let thread = std::thread::Builder::new().name("courier".to_owned());
        let thread = thread.spawn(move || {
            letters.deliver_all(&route, &runtime);
            runtime.shutdown_background();
        });
        let thread = thread.map_err(|error| Error::Start { message: error.to_string() })?;
        Ok(Self { mailbox, thread: Some(thread) })
    }

    /// A courier to a webhook, whose address is a secret: whoever knows it can write there.
    ///
    /// # Errors
    /// As [`Courier::to_service`].
    pub fn to_webhook(address: &Secret) -> Result<Self> {
        Self::to(address.expose(), None)
    }

    /// Takes a letter. It never waits for the service.
    pub fn send(&self, letter: Value) {
        self.mailbox.put(letter);
    }

    /// How deliveries stand.
    #[must_use]
    pub fn delivery(&self) -> Delivery {
        self.mailbox.delivery()
    }

    /// Takes back the letters that an earlier courier could not deliver. Their file stays until [`Courier::close`]: what
    /// a crash leaves is delivered again, and not lost.
    ///
    /// # Errors
    /// [`Error::Core`] if the file cannot be read or holds something else.
    pub fn load(&self, spool: &Path) -> Result<usize> {
        if !spool.exists() {
            return Ok(0);
        }
        let text = std::fs::read_to_string(spool).map_err(|error| refused(spool, &error))?;
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        let letters = lines.map(serde_json::from_str).collect::<std::result::Result<Vec<Value>, _>>();
        let letters = letters.map_err(|error| {
            let location = llmscope_core::Location::of(&spool.display().to_string());
            llmscope_core::Error::Format {
                location,
                problem: error.to_string(),
                fix: "it is no file of undelivered records: move it away".to_owned(),
            }
        })?;
        let count = letters.len();
        letters.into_iter().for_each(|letter| self.send(letter));
        Ok(count)
    }

    /// Brings what waits, for no longer than `patience`; what is left then goes to the file `spool`, if one is named, and
    /// where nothing is left that file goes.
    ///
    /// # Errors
    /// [`Error::Core`] if that file cannot be written or removed.
    pub fn close(mut self, patience: Duration, spool: Option<&Path>) -> Result<Delivery> {
        self.mailbox.close(patience);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let state = self.mailbox.state.lock().unwrap_or_else(PoisonError::into_inner);
        match spool {
            Some(spool) if !state.letters.is_empty() => {
                let lines: String = state.letters.iter().map(|(_, letter)| format!("{letter}\n")).collect();
                write_atomically(spool, lines.as_bytes())?;
            }
            Some(spool) if spool.exists() => {
                std::fs::remove_file(spool).map_err(|error| refused(spool, &error))?;
            }
            _ => {}
        }
        Ok(Delivery { waiting: state.letters.len(), ..state.delivery.clone() })
    }
}

impl Drop for Courier {
    fn drop(&mut self) {
        self.mailbox.close(Duration::ZERO);
    }
}

/// The operating system's refusal of the spool.
fn refused(spool: &Path, error: &std::io::Error) -> Error {
    llmscope_core::Error::Io { path: spool.display().to_string(), message: error.to_string() }.into()
}

struct Route {
    url: Url,
    key: Option<Secret>,
    transport: HttpTransport,
}

impl Route {
    async fn bring(&self, letter: &Value) -> Result<(), Failure> {
        let mut request = request(Method::POST, &self.url, Bytes::from(letter.to_string()))
            .map_err(|error| Failure::new(FailureKind::BadRequest, error.to_string()))?;
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(key) = &self.key {
            let header = key.header("service", "Bearer ");
            let header = header.map_err(|error| Failure::new(FailureKind::Unauthorized, error.to_string()))?;
            request.headers_mut().insert(AUTHORIZATION, header);
        }
        let answered = call(&self.transport, request, LIMIT).await;
        answered.map(drop).map_err(|failure| {
            let message = match &self.key {
                Some(key) => key.struck_from(&failure.message),
                None => failure.message,
            };
            Failure { message, ..failure }
        })
    }
}

impl Mailbox {
    fn put(&self, letter: Value) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.letters.len() >= MOST_WAITING {
            state.letters.pop_front();
            state.delivery.dropped += 1;
        }
        let number = state.written;
        state.written += 1;
        state.letters.push_back((number, letter));
        self.news.notify_all();
    }

    fn close(&self, patience: Duration) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let closes_at = Instant::now() + patience;
        state.closes_at = Some(state.closes_at.map_or(closes_at, |earlier| earlier.min(closes_at)));
        self.news.notify_all();
    }

    fn delivery(&self) -> Delivery {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        Delivery { waiting: state.letters.len(), ..state.delivery.clone() }
    }

    fn deliver_all(&self, route: &Route, runtime: &tokio::runtime::Runtime) {
        let mut pause = FIRST_PAUSE;
        while let Some((number, letter)) = self.next() {
            let outcome = runtime.block_on(route.bring(&letter));
            pause = if outcome.is_err() { (pause * 2).min(LONGEST_PAUSE) } else { FIRST_PAUSE };
            if !self.note(number, &outcome) && !self.rest(pause) {
                return;
            }
        }
    }

    /// The oldest letter, once there is one; `None` when it is time to go.
    fn next(&self) -> Option<(u64, Value)> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let closes_at = state.closes_at;
            match (state.letters.front(), closes_at) {
                (_, Some(closes_at)) if Instant::now() >= closes_at => return None,
                (None, Some(_)) => return None,
                (Some(letter), _) => return Some(letter.clone()),
                (None, None) => state = self.news.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// Notes how a letter fared; false if it has to be brought again.
    fn note(&self, number: u64, outcome: &Result<(), Failure>) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = match outcome {
            Ok(()) => false,
            // What is wrong with the letter itself will not change by waiting.
            Err(failure) => matches!(failure.code, Some(400 | 413 | 422)),
        };
        state.delivery.trouble = outcome.as_ref().err().map(ToString::to_string);
        if outcome.is_err() && !refused {
            return false;
        }
        if refused {
            state.delivery.refused += 1;
        } else {
            state.delivery.delivered += 1;
        }
        // It may have been thrown away in the meantime.
        if state.letters.front().is_some_and(|(front, _)| *front == number) {
            state.letters.pop_front();
        }
        true
    }

    /// Waits before the next attempt; false when it is time to go.
    fn rest(&self, pause: Duration) -> bool {
        let until = Instant::now() + pause;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let now = Instant::now();
            match state.closes_at {
                Some(closes_at) if now >= closes_at => return false,
                // On the way out there is no time for long pauses.
                Some(_) if now + FIRST_PAUSE < until => {
                    drop(state);
                    std::thread::sleep(FIRST_PAUSE.min(until - now) / 2);
                    return true;
                }
                _ if now >= until => return true,
                _ => {
                    let waited = self.news.wait_timeout(state, until - now);
                    state = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
    }
}

/// A record as the service's `POST /api/log` takes it: latency in seconds; what else is known as metadata.
#[must_use]
pub fn log_entry(record: &RequestRecord, provider: &str, model: &str, endpoint: Option<&str>) -> Value {
    let mut metadata = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        value.into_iter().for_each(|value| drop(metadata.insert(name.to_owned(), value)));
    };
    put("started_at", record.started_at.map(|at| at.to_string().into()));
    put("ttft_s", record.ttft_s.map(Value::from));
    put("tpot_s", record.tpot_s.map(Value::from));
    put("error_type", record.error.as_ref().map(|error| error.kind.clone().into()));
    put("recorder", Some("llmscope".into()));
    let latency = record.e2e_s.or_else(|| record.attribute("failed_after_s")).unwrap_or(0.0);
    let mut entry = json!({"provider": provider, "model": model, "latency": latency, "success": record.succeeded(),
        "metadata": metadata});
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
