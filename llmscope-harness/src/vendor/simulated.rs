//! A simulated vendor with random response times, for demonstrations and tests.
//!
//! It uses the dialect of OpenAI's chat completions, so that only the socket is simulated. Sessions recorded with it
//! have `"simulated": true` and its name as their provider.

use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use llmscope_core::Unit;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use super::openai::{self, ChatReader};
use super::{ChatRequest, Endpoint, Profile, Reader, Vendor, at, post};
use crate::error::{Error, Result};
use crate::failure::Failure;
use crate::transport::{ConnectionTimings, Exchange, Frame, Head, Transport};

const PROFILE: Profile = Profile {
    name: "simulated",
    provider: "simulated",
    url: Some("http://simulated.invalid/v1"),
    key_variables: &[],
    needs_key: false,
    budget: None,
};

#[derive(Debug)]
pub(super) struct Simulated;

impl Vendor for Simulated {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn request(&self, endpoint: &Endpoint, chat: &ChatRequest<'_>) -> Result<Request<Bytes>> {
        let url = at(&endpoint.url, &["chat", "completions"])?;
        post(PROFILE.name, endpoint, &url, openai::body(chat, false), chat.extra)
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(ChatReader::default())
    }
}

/// The behavior of the simulated endpoint. Times follow lognormal distributions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Simulation {
    /// Median time to first token, in seconds.
    pub ttft_s: f64,
    /// Median time per output token, in seconds.
    pub tpot_s: f64,
    /// Dispersion of both: standard deviation of their logarithms.
    pub spread: f64,
    /// Number of output tokens, if the request sets no limit.
    pub output_tokens: u32,
    /// Share of requests that fail with status 500.
    pub failures: f64,
    /// Share of requests that fail with status 429 and `retry-after: 0`.
    pub rate_limited: f64,
    /// The number of requests after which all times are multiplied, and the factor.
    pub shift: Option<(u64, f64)>,
    /// Number of requests that are served at a time; others wait in a queue. 0 serves all at once.
    pub servers: u32,
    /// Seed of the random numbers.
    pub seed: u64,
}

impl Default for Simulation {
    fn default() -> Self {
        Self {
            ttft_s: 0.05,
            tpot_s: 0.002,
            spread: 0.1,
            output_tokens: 32,
            failures: 0.0,
            rate_limited: 0.0,
            shift: None,
            servers: 0,
            seed: 0,
        }
    }
}

impl FromStr for Simulation {
    type Err = Error;

    /// Parses `ttft=250ms,tpot=10ms,spread=0.1,tokens=64,failures=1%,rate-limited=2%,shift=100:1.5,servers=4`. Settings that are
    /// not given keep their defaults.
    fn from_str(text: &str) -> Result<Self> {
        let mut simulation = Self::default();
        for part in text.split(',').filter(|part| !part.trim().is_empty()) {
            let refuse = || Error::Setting {
                name: "simulation",
                value: part.to_owned(),
                expected: "expected ttft=250ms, tpot=10ms, spread=0.1, tokens=64, failures=1%, rate-limited=2%, \
                           shift=AFTER:FACTOR or servers=4"
                    .to_owned(),
            };
            let (name, value) = part.split_once('=').ok_or_else(refuse)?;
            let positive = |value: &str| value.parse().ok().filter(|x: &f64| x.is_finite() && *x >= 0.0);
            let seconds = || Unit::Second.parse(value).ok().filter(|s| (0.0..=3600.0).contains(s)).ok_or_else(refuse);
            let share = || {
                let percent = value.strip_suffix('%').and_then(positive).map(|percent| percent / 100.0);
                percent.or_else(|| positive(value)).filter(|share| *share <= 1.0).ok_or_else(refuse)
            };
            match name.trim() {
                "ttft" => simulation.ttft_s = seconds()?,
                "tpot" => simulation.tpot_s = seconds()?,
                "spread" => simulation.spread = positive(value).filter(|s| *s <= 5.0).ok_or_else(refuse)?,
                "tokens" => simulation.output_tokens = value.parse().map_err(|_| refuse())?,
                "failures" => simulation.failures = share()?,
                "rate-limited" => simulation.rate_limited = share()?,
                "servers" => simulation.servers = value.parse().map_err(|_| refuse())?,
                "shift" => {
                    let (after, factor) = value.split_once(':').ok_or_else(refuse)?;
                    let after = after.parse().map_err(|_| refuse())?;
                    let factor = positive(factor).filter(|factor| *factor <= 1000.0).ok_or_else(refuse)?;
                    simulation.shift = Some((after, factor));
                }
                _ => return Err(refuse()),
            }
        }
        Ok(simulation)
    }
}

/// A transport without a socket.
#[derive(Debug)]
pub struct SimulatedTransport {
    simulation: Simulation,
    requests: AtomicU64,
    /// When each server is free, if their number is limited.
    free_at: Mutex<Vec<Instant>>,
}

impl SimulatedTransport {
    /// A simulated endpoint that has not received a request.
    #[must_use]
    pub fn new(simulation: Simulation) -> Self {
        Self { simulation, requests: AtomicU64::new(0), free_at: Mutex::default() }
    }
}

impl SimulatedTransport {
    /// The exchange of a request, which begins when a server is free, in the order of the requests.
    fn queued(&self, number: u64, body: &[u8]) -> SimulatedExchange {
        let now = Instant::now();
        if self.simulation.servers == 0 {
            return SimulatedExchange::new(&self.simulation, number, body, (now, now));
        }
        let mut free_at = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
        free_at.resize(self.simulation.servers as usize, now);
        let first = free_at.iter().enumerate().min_by_key(|(_, at)| **at).map_or(0, |(first, _)| first);
        let begin = free_at[first].max(now);
        let exchange = SimulatedExchange::new(&self.simulation, number, body, (now, begin));
        free_at[first] = exchange.frames.first().map_or(begin, |last| last.at);
        exchange
    }
}

impl Transport for SimulatedTransport {
    type Exchange = SimulatedExchange;

    async fn send(&self, request: Request<Bytes>) -> Result<SimulatedExchange, Failure> {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let exchange = self.queued(number, request.body());
        sleep_until(exchange.head.at).await;
        Ok(exchange)
    }
}

/// A response that is generated in advance and delivered at its due times.
#[derive(Debug)]
pub struct SimulatedExchange {
    head: Head,
    written_at: Instant,
    /// In reverse order: the last frame comes first.
    frames: Vec<Frame>,
    last_arrival: Instant,
}

impl SimulatedExchange {
    /// The response to a request that is written at the first time, and served from the second one on.
    fn new(simulation: &Simulation, number: u64, body: &[u8], (written_at, begin): (Instant, Instant)) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(simulation.seed ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let status = status(simulation, random.random());
        let factor = match simulation.shift {
            Some((after, factor)) if number >= after => factor,
            _ => 1.0,
        };
        let mut around = |median_s: f64| {
            let seconds = median_s * factor * (simulation.spread * normal(&mut random)).exp();
            Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
        };
        let (ttft, tpot) = (around(simulation.ttft_s), around(simulation.tpot_s));
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("text/event-stream"));
        headers.insert("server", HeaderValue::from_static("llmscope-simulated"));
        let mut frames = match status {
            StatusCode::OK => response_frames(simulation, body, begin + ttft, tpot),
            _ => {
                headers.insert("retry-after", HeaderValue::from_static("0"));
                let body = json!({"error": {"message": "simulated failure", "type": "simulated"}}).to_string();
                vec![Frame { at: begin + ttft / 10, bytes: Bytes::from(body) }]
            }
        };
        frames.reverse();
        let head = Head { status, headers, at: begin + ttft / 10 };
        Self { head, written_at, frames, last_arrival: written_at }
    }
}

fn status(simulation: &Simulation, draw: f64) -> StatusCode {
    if draw < simulation.failures {
        StatusCode::INTERNAL_SERVER_ERROR
    } else if draw < simulation.failures + simulation.rate_limited {
        StatusCode::TOO_MANY_REQUESTS
    } else {
        StatusCode::OK
    }
}

fn response_frames(simulation: &Simulation, body: &[u8], first: Instant, tpot: Duration) -> Vec<Frame> {
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    let bound = request["max_tokens"].as_u64().and_then(|tokens| u32::try_from(tokens).ok());
    let tokens = bound.unwrap_or(simulation.output_tokens).clamp(1, 100_000);
    let words = request["messages"].as_array().into_iter().flatten();
    let words = words.filter_map(|message| message["content"].as_str()).map(|text| text.split_whitespace().count());
    let usage = json!({"prompt_tokens": words.sum::<usize>(), "completion_tokens": tokens});
    let event = |chunk: &Value| format!("data: {chunk}\n\n");
    let mut frames = Vec::new();
    for token in 0..tokens {
        let finish = if token + 1 == tokens { json!("stop") } else { Value::Null };
        let chunk = json!({"id": "simulated", "model": request["model"], "choices":
            [{"index": 0, "delta": {"content": "word "}, "finish_reason": finish}]});
        frames.push(Frame { at: first + tpot * token, bytes: Bytes::from(event(&chunk)) });
    }
    let end = event(&json!({"choices": [], "usage": usage})) + "data: [DONE]\n\n";
    frames.push(Frame { at: first + tpot * (tokens - 1), bytes: Bytes::from(end) });
    frames
}

/// A standard normal number (Box and Muller 1958).
fn normal(random: &mut impl rand::Rng) -> f64 {
    let (u, v): (f64, f64) = (random.random(), random.random());
    (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

impl Exchange for SimulatedExchange {
    fn head(&self) -> &Head {
        &self.head
    }

    fn connection_timings(&self) -> ConnectionTimings {
        ConnectionTimings { written_at: Some(self.written_at), ..ConnectionTimings::default() }
    }

    async fn next(&mut self) -> Option<Result<Frame, Failure>> {
        let frame = self.frames.pop()?;
        sleep_until(frame.at).await;
        self.last_arrival = frame.at;
        Some(Ok(frame))
    }

    fn last_arrival(&self) -> Instant {
        self.last_arrival
    }
}
