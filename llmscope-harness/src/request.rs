//! One request from its issue to the end of its answer, and the record of it.

use std::collections::BTreeMap;
use std::time::Duration;

use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use llmscope_core::session::{AttributeValue, RequestRecord};
use tokio::time::{Instant, timeout, timeout_at};

use crate::answer::Answer;
use crate::failure::{Failure, FailureKind};
use crate::framing::Framer;
use crate::refusal::{check_content_type, retry_after, some_of_the_body, words_of};
use crate::target::Target;
use crate::transport::{Exchange, Journey, Transport};
use crate::vendor::{Ask, Piece};

/// A server that has said all, or refused, and does not end its stream is not waited for longer than this.
pub(crate) const GRACE: Duration = Duration::from_secs(1);

/// One moment on both clocks: durations come from the monotonic one, dates from this.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WallClock {
    wall: Timestamp,
    instant: Instant,
}

impl WallClock {
    /// Now.
    #[must_use]
    pub(crate) fn now() -> Self {
        Self { wall: Timestamp::now(), instant: Instant::now() }
    }

    /// The date of a moment; steps of the system's clock since [`WallClock::now`] do not show.
    #[must_use]
    pub(crate) fn at(&self, instant: Instant) -> Timestamp {
        let offset = SignedDuration::try_from(instant.saturating_duration_since(self.instant)).unwrap_or_default();
        self.wall.checked_add(offset).unwrap_or(self.wall)
    }
}

/// What became of one request.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// What the session keeps.
    pub(crate) record: RequestRecord,
    /// Why it failed, if it did.
    pub(crate) failure: Option<Failure>,
    /// The words of the answer, if they were asked for.
    pub(crate) text: Option<String>,
    /// When it was issued.
    pub(crate) issued_at: Instant,
}

/// Asks once, and waits no longer than `limit` for the whole answer.
pub(crate) async fn measure<T: Transport>(
    transport: &T,
    target: &Target,
    ask: &Ask<'_>,
    limit: Duration,
    clock: WallClock,
    keep_text: bool,
) -> Outcome {
    let request = target.request(ask);
    let mut timeline = Timeline::new(Instant::now(), keep_text);
    let issued_at = timeline.issued_at;
    let result = match request {
        Err(error) => Err(Failure::new(FailureKind::BadRequest, error.to_string())),
        Ok(request) => {
            let answered = timeout_at(issued_at + limit, timeline.follow(transport, target, request)).await;
            answered.unwrap_or_else(|_| timeline.out_of_time(limit))
        }
    };
    let failure = result.err().map(|failure| {
        let message = target.without_secrets(&failure.message);
        Failure { message, ..failure }
    });
    let mut record = match &failure {
        None => timeline.record(target),
        Some(failure) => timeline.failed(failure),
    };
    record.started_at = Some(clock.at(issued_at));
    Outcome { record, failure, text: timeline.answer.text.take(), issued_at }
}

/// The moments of one request, and what its answer said.
struct Timeline {
    issued_at: Instant,
    journey: Journey,
    head_at: Option<Instant>,
    first_byte_at: Option<Instant>,
    /// One for each message with content.
    arrivals: Vec<Instant>,
    /// Arrival of the first content that is no reasoning, if reasoning came before it.
    first_text_at: Option<Instant>,
    reasoned: bool,
    first_tokens: Option<u64>,
    ended_at: Option<Instant>,
    /// What the head of the answer already said to be a failure.
    refused: Option<Failure>,
    answer: Answer,
}

impl Timeline {
    fn new(issued_at: Instant, keep_text: bool) -> Self {
        Self {
            issued_at,
            journey: Journey::default(),
            head_at: None,
            first_byte_at: None,
            arrivals: Vec::new(),
            first_text_at: None,
            reasoned: false,
            first_tokens: None,
            ended_at: None,
            refused: None,
            answer: Answer::new(keep_text),
        }
    }

    async fn follow<T: Transport>(
        &mut self,
        transport: &T,
        target: &Target,
        request: http::Request<bytes::Bytes>,
    ) -> Result<(), Failure> {
        let mut exchange = transport.send(request).await?;
        self.journey = exchange.journey();
        self.head_at = Some(exchange.head().at);
        note_headers(&exchange.head().headers, &mut self.answer);
        let status = exchange.head().status.as_u16();
        if let Some(kind) = FailureKind::of_status(status) {
            let retry_after = retry_after(&exchange.head().headers);
            let refused = Failure { kind, code: Some(status), message: String::new(), retry_after };
            self.refused = Some(refused.clone());
            return Err(Failure { message: words_of(&some_of_the_body(&mut exchange).await), ..refused });
        }
        let vendor = target.vendor.vendor();
        check_content_type(&mut exchange, vendor.framing()).await?;
        let mut framer = Framer::new(vendor.framing());
        let mut reader = vendor.reader();
        while let Some(frame) = exchange.next().await {
            let frame = frame?;
            self.first_byte_at.get_or_insert(frame.at);
            framer.push(&frame.bytes);
            while let Some(message) = framer.next()? {
                let piece = reader.read(message, &mut self.answer)?;
                self.note(piece, frame.at);
                if self.answer.closed {
                    self.ended_at = Some(frame.at);
                    self.see_out(&mut exchange).await;
                    return self.check_end(false);
                }
            }
        }
        self.ended_at = Some(exchange.last_arrival());
        let was_within_message = framer.is_within_message();
        framer.finish();
        let cut = |failure: Failure| if was_within_message { cut_within_message() } else { failure };
        while let Some(message) = framer.next().map_err(cut)? {
            let piece = reader.read(message, &mut self.answer).map_err(cut)?;
            self.note(piece, exchange.last_arrival());
        }
        self.check_end(was_within_message)
    }

    /// Waits for the end of a stream that has said all, but only for a little while. Whatever is said there, or goes
    /// wrong, is no part of the answer.
    async fn see_out<E: Exchange>(&mut self, exchange: &mut E) {
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

    /// What is known when the time is up: perhaps all but the end of the stream.
    fn out_of_time(&mut self, limit: Duration) -> Result<(), Failure> {
        if self.answer.closed {
            return self.check_end(false);
        }
        let late = || Failure::new(FailureKind::Timeout, format!("no complete answer within {limit:?}"));
        Err(self.refused.take().unwrap_or_else(late))
    }

    fn note(&mut self, piece: Option<Piece>, at: Instant) {
        let tokens_so_far = self.answer.tokens_so_far.take();
        let Some(piece) = piece else { return };
        if self.arrivals.is_empty() {
            self.first_tokens = tokens_so_far.filter(|&tokens| tokens > 0);
        }
        if piece == Piece::Reasoning {
            self.reasoned = true;
        } else if self.reasoned {
            self.first_text_at.get_or_insert(at);
        }
        self.arrivals.push(at);
    }

    fn check_end(&self, within_message: bool) -> Result<(), Failure> {
        if self.answer.ended {
            Ok(())
        } else if within_message {
            Err(cut_within_message())
        } else if self.first_byte_at.is_none() {
            Err(Failure::new(FailureKind::Empty, "the answer has no content at all"))
        } else {
            Err(Failure::new(FailureKind::Cut, "the stream ended before the answer did"))
        }
    }

    fn since_issue(&self, moment: Option<Instant>) -> Option<f64> {
        moment.map(|moment| seconds(self.issued_at, moment))
    }

    /// The record of a complete answer.
    fn record(&self, target: &Target) -> RequestRecord {
        let (first, last) = (self.arrivals.first().copied(), self.arrivals.last().copied());
        // A server that counts no tokens in an answer with content has not counted.
        let output_tokens = self.answer.output_tokens.filter(|&tokens| tokens > 0 || first.is_none());
        let input_tokens = self.answer.input_tokens.filter(|&tokens| tokens > 0);
        let cost = self.answer.cost_usd.or_else(|| target.prices.cost_usd(input_tokens, output_tokens));
        RequestRecord {
            ttft_s: self.since_issue(first),
            e2e_s: self.since_issue(self.ended_at),
            tpot_s: self.tpot_s(first, last, output_tokens),
            icl_s: self.arrivals.windows(2).map(|pair| seconds(pair[0], pair[1])).collect(),
            ttft_from_write_s: self.journey.written_at.zip(first).map(|(written, first)| seconds(written, first)),
            connect_s: self.journey.connect_s(),
            input_tokens,
            output_tokens,
            cost_usd: cost.filter(|cost| cost.is_finite() && *cost >= 0.0),
            attributes: self.attributes(target),
            ..RequestRecord::default()
        }
    }

    /// (t_last − t_first)/(n − tokens in the first chunk); 1 in the first chunk unless the server counts along.
    fn tpot_s(&self, first: Option<Instant>, last: Option<Instant>, output_tokens: Option<u64>) -> Option<f64> {
        let later_tokens = output_tokens?.checked_sub(self.first_tokens.unwrap_or(1)).filter(|&tokens| tokens > 0)?;
        let (first, last) = first.zip(last)?;
        #[allow(clippy::cast_precision_loss, reason = "token counts are far below 2^53")]
        (last > first).then(|| seconds(first, last) / later_tokens as f64)
    }

    /// The record of a request that failed: it has no latency, but what is known of its way.
    fn failed(&self, failure: &Failure) -> RequestRecord {
        let mut attributes = BTreeMap::new();
        put(&mut attributes, "failed_after_s", Some(self.issued_at.elapsed().as_secs_f64()));
        put(&mut attributes, "head_s", self.since_issue(self.head_at));
        put(&mut attributes, "chunks", Some(count(self.arrivals.len())));
        RequestRecord {
            status: failure.status(),
            error: Some(failure.to_error()),
            connect_s: self.journey.connect_s(),
            attributes,
            ..RequestRecord::default()
        }
    }

    fn attributes(&self, target: &Target) -> BTreeMap<String, AttributeValue> {
        let answer = &self.answer;
        let mut attributes = BTreeMap::new();
        put(&mut attributes, "dns_s", self.journey.dns_s);
        put(&mut attributes, "tcp_s", self.journey.tcp_s);
        put(&mut attributes, "tls_s", self.journey.tls_s);
        put(&mut attributes, "head_s", self.since_issue(self.head_at));
        put(&mut attributes, "ttfb_s", self.since_issue(self.first_byte_at));
        put(&mut attributes, "ttfo_s", self.since_issue(self.first_text_at));
        put(&mut attributes, "chunks", Some(count(self.arrivals.len())));
        #[allow(clippy::cast_precision_loss, reason = "token counts are far below 2^53")]
        for (name, tokens) in [("reasoning_tokens", answer.reasoning_tokens), ("cached_tokens", answer.cached_tokens)] {
            put(&mut attributes, name, tokens.map(|tokens| tokens as f64));
        }
        for (name, seconds) in &answer.server {
            put(&mut attributes, name, Some(*seconds));
        }
        let other_model = answer.model.as_ref().filter(|model| **model != target.model);
        for (name, text) in [
            ("gen_ai.response.finish_reasons", answer.finish_reason.as_ref()),
            ("gen_ai.response.id", answer.id.as_ref()),
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

#[allow(clippy::cast_precision_loss, reason = "chunks of one answer are far fewer than 2^53")]
fn count(chunks: usize) -> f64 {
    chunks as f64
}

fn cut_within_message() -> Failure {
    Failure::new(FailureKind::Cut, "the stream ended within a message")
}

/// What vendors say about themselves in the head of an answer.
fn note_headers(headers: &HeaderMap, answer: &mut Answer) {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    for name in ["openai-processing-ms", "x-envoy-upstream-service-time"] {
        if let Some(ms) = text(name).and_then(|ms| ms.parse::<f64>().ok()) {
            answer.server_time("server_processing_s", ms * 1e-3);
        }
    }
    let names = ["x-request-id", "request-id", "apim-request-id", "x-amzn-requestid", "x-goog-request-id"];
    answer.id = names.into_iter().find_map(text).map(str::to_owned);
}
