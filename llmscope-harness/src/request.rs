//! Measures one request from its issue to the end of its response, and builds its record.

use std::collections::BTreeMap;
use std::time::Duration;

use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use llmscope_core::TpotDefinition;
use llmscope_core::session::{AttributeValue, RequestRecord};
use llmscope_core::text::cut_to;
use tokio::time::{Instant, timeout, timeout_at};

use crate::failure::{Failure, FailureKind};
use crate::framing::{Framer, StreamEvent};
use crate::refusal::{check_content_type, error_message, read_error_body, retry_after};
use crate::response_state::ResponseState;
use crate::target::Target;
use crate::token_times::{TokenEvent, TokenTimes, TpotAbsent};
use crate::transport::{ConnectionTimings, Exchange, Transport};
use crate::vendor::{ChatRequest, ContentKind, Reader};

/// The longest message of a failure that is kept, in bytes. Messages are passed to commands and chats.
const LONGEST_MESSAGE: usize = 2 << 10;
/// How long to wait for the end of a stream after its last event, or for the body of an error response.
pub(crate) const GRACE: Duration = Duration::from_secs(1);

/// One instant on both clocks: durations come from the monotonic clock, dates from this pair.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WallClock {
    wall: Timestamp,
    instant: Instant,
}

impl WallClock {
    /// Reads both clocks.
    #[must_use]
    pub(crate) fn now() -> Self {
        Self { wall: Timestamp::now(), instant: Instant::now() }
    }

    /// The date of an instant. Adjustments of the system clock after [`WallClock::now`] have no effect.
    #[must_use]
    pub(crate) fn at(&self, instant: Instant) -> Timestamp {
        let offset = SignedDuration::try_from(instant.saturating_duration_since(self.instant)).unwrap_or_default();
        self.wall.checked_add(offset).unwrap_or(self.wall)
    }
}

/// The outcome of one request.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The record for the session.
    pub(crate) record: RequestRecord,
    /// Why it failed, if it failed.
    pub(crate) failure: Option<Failure>,
    /// The text of the response, if the caller requested it with `keep_text`.
    pub(crate) text: Option<String>,
    /// When it was issued.
    pub(crate) issued_at: Instant,
}

/// Sends a request once, and waits at most `limit` for the complete response.
pub(crate) async fn measure<T: Transport>(
    transport: &T,
    target: &Target,
    chat: &ChatRequest<'_>,
    limit: Duration,
    clock: WallClock,
    keep_text: bool,
) -> Outcome {
    let request = target.request(chat);
    let mut timeline = Timeline::new(Instant::now(), keep_text);
    let issued_at = timeline.issued_at;
    let result = match request {
        Err(error) => Err(Failure::new(FailureKind::BadRequest, error.to_string())),
        Ok(request) => {
            let completed = timeout_at(issued_at + limit, timeline.receive(transport, target, request)).await;
            completed.unwrap_or_else(|_| timeline.on_timeout(limit))
        }
    };
    let failure = result.err().map(|failure| {
        // A key is removed before the text is cut, so that no part of it remains.
        let message = cut_to(&target.redact(&failure.message), LONGEST_MESSAGE).into_owned();
        Failure { message, ..failure }
    });
    let mut record = match &failure {
        None => timeline.record(target),
        Some(failure) => timeline.failed(failure),
    };
    record.started_at = Some(clock.at(issued_at));
    Outcome { record, failure, text: timeline.state.text.take(), issued_at }
}

/// The timestamps of one request, and the state of its response.
struct Timeline {
    issued_at: Instant,
    timings: ConnectionTimings,
    head_at: Option<Instant>,
    first_byte_at: Option<Instant>,
    /// One arrival for each event with content.
    arrivals: Vec<Instant>,
    /// Arrival of the first content that is not reasoning, if reasoning preceded it.
    first_text_at: Option<Instant>,
    reasoned: bool,
    tokens: TokenTimes,
    ended_at: Option<Instant>,
    /// The failure that the status of the response reported.
    refused: Option<Failure>,
    state: ResponseState,
}

impl Timeline {
    fn new(issued_at: Instant, keep_text: bool) -> Self {
        Self {
            issued_at,
            timings: ConnectionTimings::default(),
            head_at: None,
            first_byte_at: None,
            arrivals: Vec::new(),
            first_text_at: None,
            reasoned: false,
            tokens: TokenTimes::default(),
            ended_at: None,
            refused: None,
            state: ResponseState::new(keep_text),
        }
    }

    async fn receive<T: Transport>(
        &mut self,
        transport: &T,
        target: &Target,
        request: http::Request<bytes::Bytes>,
    ) -> Result<(), Failure> {
        let mut exchange = transport.send(request).await?;
        self.timings = exchange.connection_timings();
        self.head_at = Some(exchange.head().at);
        read_headers(&exchange.head().headers, &mut self.state);
        let status = exchange.head().status.as_u16();
        if let Some(kind) = FailureKind::of_status(status) {
            let retry_after = retry_after(&exchange.head().headers);
            let refused = Failure { kind, code: Some(status), message: String::new(), retry_after };
            self.refused = Some(refused.clone());
            return Err(Failure { message: error_message(&read_error_body(&mut exchange).await), ..refused });
        }
        let vendor = target.vendor.vendor();
        check_content_type(&mut exchange, vendor.framing()).await?;
        let mut framer = Framer::new(vendor.framing());
        let mut reader = vendor.reader();
        while let Some(frame) = exchange.next().await {
            let frame = frame?;
            self.first_byte_at.get_or_insert(frame.at);
            framer.push(&frame.bytes);
            while let Some(event) = framer.next()? {
                self.read_event(&mut *reader, event, frame.at)?;
                if self.state.closed {
                    self.ended_at = Some(frame.at);
                    self.drain(&mut exchange).await;
                    return self.check_end(false);
                }
            }
        }
        self.ended_at = Some(exchange.last_arrival());
        let was_within_event = framer.is_within_event();
        framer.finish();
        let cut = |failure: Failure| if was_within_event { cut_within_event() } else { failure };
        while let Some(event) = framer.next().map_err(cut)? {
            self.read_event(&mut *reader, event, exchange.last_arrival()).map_err(cut)?;
        }
        self.check_end(was_within_event)
    }

    /// Reads to the end of a stream after its last event, for at most [`GRACE`]. Data and errors in this time do not
    /// affect the response.
    async fn drain<E: Exchange>(&mut self, exchange: &mut E) {
        let ended = timeout(GRACE, async {
            while let Some(frame) = exchange.next().await {
                frame?;
            }
            Ok::<(), Failure>(())
        });
        if let Ok(Ok(())) = ended.await {
            self.ended_at = Some(exchange.last_arrival());
        }
    }

    /// The result when the time limit expires. It is a success if only the end of the stream is missing.
    fn on_timeout(&mut self, limit: Duration) -> Result<(), Failure> {
        if self.state.closed {
            return self.check_end(false);
        }
        let late = || Failure::new(FailureKind::Timeout, format!("no complete response within {limit:?}"));
        Err(self.refused.take().unwrap_or_else(late))
    }

    /// Reads and records one event.
    fn read_event(&mut self, reader: &mut dyn Reader, event: StreamEvent<'_>, at: Instant) -> Result<(), Failure> {
        let unfinished = self.state.finish_reason.is_none();
        let kind = reader.read(event, &mut self.state)?;
        self.tokens.push(TokenEvent {
            at,
            kind,
            silent: std::mem::take(&mut self.state.silent),
            finishes: unfinished && self.state.finish_reason.is_some(),
            tokens_so_far: self.state.tokens_so_far.take(),
        });
        let Some(kind) = kind else { return Ok(()) };
        self.state.streamed_reasoning |= kind == ContentKind::Reasoning;
        if matches!(kind, ContentKind::Reasoning | ContentKind::ReasoningSummary) {
            self.reasoned = true;
        } else if self.reasoned {
            self.first_text_at.get_or_insert(at);
        }
        self.arrivals.push(at);
        Ok(())
    }

    fn check_end(&self, within_event: bool) -> Result<(), Failure> {
        if self.state.ended {
            Ok(())
        } else if within_event {
            Err(cut_within_event())
        } else if self.first_byte_at.is_none() {
            Err(Failure::new(FailureKind::Empty, "the response is empty"))
        } else {
            Err(Failure::new(FailureKind::Cut, "the stream ended before the response was complete"))
        }
    }

    fn since_issue(&self, moment: Option<Instant>) -> Option<f64> {
        moment.map(|moment| seconds(self.issued_at, moment))
    }

    /// The record of a complete response.
    fn record(&self, target: &Target) -> RequestRecord {
        let first = self.tokens.first_token_at(&self.state);
        // A count of 0 tokens for a response with content means that the server did not count.
        let output_tokens = self.state.output_tokens.filter(|&tokens| tokens > 0 || first.is_none());
        let input_tokens = self.state.input_tokens.filter(|&tokens| tokens > 0);
        let cost = self.state.cost_usd.or_else(|| target.prices.cost_usd(input_tokens, output_tokens));
        RequestRecord {
            ttft_s: self.since_issue(first),
            e2e_s: self.since_issue(self.ended_at),
            tpot_s: self.tpot_s(),
            icl_s: self.arrivals.windows(2).map(|pair| seconds(pair[0], pair[1])).collect(),
            ttft_from_write_s: self.timings.written_at.zip(first).map(|(written, first)| seconds(written, first)),
            connect_s: self.timings.connect_s(),
            input_tokens,
            output_tokens,
            cost_usd: cost.filter(|cost| cost.is_finite() && *cost >= 0.0),
            attributes: self.attributes(target),
            ..RequestRecord::default()
        }
    }

    /// The time per output token after the first chunk ([`TokenTimes`] has the definition).
    fn tpot_s(&self) -> Option<f64> {
        let span = self.tokens.span(&self.state).ok()?;
        #[allow(clippy::cast_precision_loss, reason = "token counts are far below 2^53")]
        Some(seconds(span.first, span.last) / span.tokens as f64)
    }

    /// The record of a failed request. It has no latency, but keeps the timestamps that were reached.
    fn failed(&self, failure: &Failure) -> RequestRecord {
        let mut attributes = BTreeMap::new();
        put(&mut attributes, "failed_after_s", Some(self.issued_at.elapsed().as_secs_f64()));
        put(&mut attributes, "head_s", self.since_issue(self.head_at));
        put(&mut attributes, "chunks", Some(count(self.arrivals.len())));
        RequestRecord {
            status: failure.status(),
            error: Some(failure.to_error()),
            connect_s: self.timings.connect_s(),
            attributes,
            ..RequestRecord::default()
        }
    }

    fn attributes(&self, target: &Target) -> BTreeMap<String, AttributeValue> {
        let state = &self.state;
        let mut attributes = BTreeMap::new();
        put(&mut attributes, "dns_s", self.timings.dns_s);
        put(&mut attributes, "tcp_s", self.timings.tcp_s);
        put(&mut attributes, "tls_s", self.timings.tls_s);
        put(&mut attributes, "head_s", self.since_issue(self.head_at));
        put(&mut attributes, "ttfb_s", self.since_issue(self.first_byte_at));
        put(&mut attributes, "ttfo_s", self.since_issue(self.first_text_at));
        put(&mut attributes, "chunks", Some(count(self.arrivals.len())));
        #[allow(clippy::cast_precision_loss, reason = "token counts are far below 2^53")]
        for (name, tokens) in [("reasoning_tokens", state.reasoning_tokens), ("cached_tokens", state.cached_tokens)] {
            put(&mut attributes, name, tokens.map(|tokens| tokens as f64));
        }
        for (name, seconds) in &state.server {
            put(&mut attributes, name, Some(*seconds));
        }
        match self.tokens.span(state).map_err(TpotAbsent::name) {
            Ok(_) => put(&mut attributes, TpotDefinition::ATTRIBUTE, Some(f64::from(TpotDefinition::CURRENT.number()))),
            Err(Some(reason)) if !self.arrivals.is_empty() => {
                attributes.insert("tpot_absent".to_owned(), AttributeValue::Text(reason.to_owned()));
            }
            Err(_) => {}
        }
        if state.finish_reason.is_none() && state.output_tokens.is_none() {
            attributes.insert("unfinished".to_owned(), AttributeValue::Bool(true));
        }
        let other_model = state.model.as_ref().filter(|model| **model != target.model);
        for (name, text) in [
            ("gen_ai.response.finish_reasons", state.finish_reason.as_ref()),
            ("gen_ai.response.id", state.id.as_ref()),
            ("gen_ai.response.model", other_model),
        ] {
            if let Some(text) = text {
                attributes.insert(name.to_owned(), AttributeValue::Text(text.clone()));
            }
        }
        attributes
    }
}

fn put(attributes: &mut BTreeMap<String, AttributeValue>, name: &str, number: Option<f64>) {
    if let Some(number) = number {
        attributes.insert(name.to_owned(), AttributeValue::Number(number));
    }
}

fn seconds(from: Instant, to: Instant) -> f64 {
    to.saturating_duration_since(from).as_secs_f64()
}

#[allow(clippy::cast_precision_loss, reason = "chunks of one response are far fewer than 2^53")]
fn count(chunks: usize) -> f64 {
    chunks as f64
}

fn cut_within_event() -> Failure {
    Failure::new(FailureKind::Cut, "the stream ended within an event")
}

/// Reads the server times and request ids that vendors send in response headers.
fn read_headers(headers: &HeaderMap, state: &mut ResponseState) {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let times = [
        ("openai-processing-ms", "server_processing_s"),
        ("x-envoy-upstream-service-time", "server_processing_s"),
        ("x-litellm-overhead-duration-ms", "gateway_overhead_s"),
        ("x-litellm-response-duration-ms", "gateway_response_s"),
    ];
    for (name, time) in times {
        if let Some(ms) = text(name).and_then(|ms| ms.parse::<f64>().ok()) {
            state.server_time(time, ms * 1e-3);
        }
    }
    let names = ["x-request-id", "request-id", "apim-request-id", "x-amzn-requestid", "x-goog-request-id"];
    state.id = names.into_iter().find_map(text).map(str::to_owned);
}

#[cfg(test)]
mod known_truth;
