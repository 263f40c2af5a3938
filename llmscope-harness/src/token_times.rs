//! Time per output token: which arrivals are the first and the last token, and how many tokens are between them.
//!
//! `tpot_s` = (t_end − t_first)/(n − n_first), where n counts the tokens that were streamed. Streams differ in what
//! they show of a token:
//! - A natural end is a token, too. vLLM, llama.cpp and mlx_lm count it, and send it as a chunk without text.
//! - Half of a character is a token whose chunk has no text.
//! - Reasoning can be counted and not be streamed, or be streamed as a summary.
//! - A chunk can hold several tokens.
//!
//! The server's counts decide between these cases. If they cannot, the time per token is absent, with a reason.

use tokio::time::Instant;

use crate::response_state::ResponseState;
use crate::vendor::ContentKind;

/// A whole response of at least this many tokens in one read was not streamed.
const STREAMED_TOKENS: u64 = 8;

/// The chunks of one kind.
#[derive(Debug, Clone, Copy, Default)]
struct Chunks {
    count: u64,
    span: Option<(Instant, Instant)>,
}

impl Chunks {
    fn push(&mut self, at: Instant) {
        self.count += 1;
        self.span = Some((self.span.map_or(at, |(first, _)| first), at));
    }

    fn with(self, other: Self) -> Self {
        let span = match (self.span, other.span) {
            (Some((first, last)), Some((other_first, other_last))) => {
                Some((first.min(other_first), last.max(other_last)))
            }
            (one, other) => one.or(other),
        };
        Self { count: self.count + other.count, span }
    }
}

/// The end of the content, as its event reports it.
#[derive(Debug, Clone, Copy)]
struct Finish {
    at: Instant,
    /// The event has a place for text.
    has_place: bool,
}

/// What the events of a response show about its tokens.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TokenTimes {
    /// Chunks with content that the server generated token by token.
    filled: Chunks,
    /// Chunks with a place for text, and no text.
    silent: Chunks,
    /// Chunks with a summary of hidden reasoning.
    summaries: Chunks,
    /// The finishing event, if it has no content.
    finish: Option<Finish>,
    /// The running count at the first filled chunk.
    first_tokens: Option<u64>,
    /// The highest running count of a chunk, and when it was reached.
    reached: Option<(u64, Instant)>,
}

/// One event, in the view of its tokens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TokenEvent {
    /// When it arrived.
    pub(crate) at: Instant,
    /// Its content.
    pub(crate) kind: Option<ContentKind>,
    /// True if it has a place for text without text, which may be a token.
    pub(crate) silent: bool,
    /// True if it reports why the content ended.
    pub(crate) finishes: bool,
    /// The tokens up to and including this event, where the server counts along.
    pub(crate) tokens_so_far: Option<u64>,
}

/// The tokens after the first chunk: `tokens` of them arrive between `first` and `last`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TokenSpan {
    pub(crate) first: Instant,
    pub(crate) last: Instant,
    pub(crate) tokens: u64,
}

/// Why the time per token is unknown. Its name is the attribute `tpot_absent` of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TpotAbsent {
    /// The response has at most one token after the first chunk, or none: there is no time between tokens.
    Undefined,
    /// The server reported no tokens.
    NoTokenCounts,
    /// The count includes reasoning that was not streamed, and its part is unknown.
    HiddenReasoning,
    /// The whole response arrived in one read.
    OneRead,
}

impl TpotAbsent {
    /// The name in records; `None` where no time per token exists.
    pub(crate) const fn name(self) -> Option<&'static str> {
        match self {
            Self::Undefined => None,
            Self::NoTokenCounts => Some("no_token_counts"),
            Self::HiddenReasoning => Some("hidden_reasoning"),
            Self::OneRead => Some("one_read"),
        }
    }
}

impl TokenTimes {
    /// Adds the next event of the stream.
    pub(crate) fn push(&mut self, event: TokenEvent) {
        match event.kind {
            Some(ContentKind::ReasoningSummary) => self.summaries.push(event.at),
            Some(_) => {
                if self.filled.count == 0 {
                    self.first_tokens = event.tokens_so_far.filter(|&tokens| tokens > 0);
                }
                self.filled.push(event.at);
            }
            None if event.finishes => self.finish = Some(Finish { at: event.at, has_place: event.silent }),
            None if event.silent => self.silent.push(event.at),
            // An event without content, such as the usage of the whole response, contains no token.
            None => return,
        }
        if let Some(tokens) = event.tokens_so_far
            && self.reached.is_none_or(|(reached, _)| tokens > reached)
        {
            self.reached = Some((tokens, event.at));
        }
    }

    /// The arrival of the first token, which can be earlier than the first text.
    pub(crate) fn first_token_at(&self, state: &ResponseState) -> Option<Instant> {
        let first_content = self.filled.with(self.summaries).span.map(|(first, _)| first);
        let one_each = self.streamed_tokens(state).ok().and_then(|tokens| self.one_token_each(tokens, state));
        first_content.into_iter().chain(one_each.map(|span| span.first)).min()
    }

    /// The tokens after the first chunk.
    pub(crate) fn span(&self, state: &ResponseState) -> Result<TokenSpan, TpotAbsent> {
        let tokens = self.streamed_tokens(state)?;
        let (first, last) = self.filled.span.ok_or(TpotAbsent::Undefined)?;
        if first == last && (self.filled.count > 1 || tokens >= STREAMED_TOKENS) {
            return Err(TpotAbsent::OneRead);
        }
        let span = self
            .counted_along(state)
            .or_else(|| self.one_token_each(tokens, state))
            .unwrap_or_else(|| self.by_content(tokens, state, (first, last)));
        if span.tokens == 0 || span.last <= span.first { Err(TpotAbsent::Undefined) } else { Ok(span) }
    }

    /// The output tokens without those of reasoning that was not streamed.
    fn streamed_tokens(&self, state: &ResponseState) -> Result<u64, TpotAbsent> {
        let tokens = state.output_tokens.filter(|&tokens| tokens > 0).ok_or(TpotAbsent::NoTokenCounts)?;
        match state.reasoning_tokens {
            Some(_) if state.streamed_reasoning => Ok(tokens),
            Some(hidden) => Ok(tokens.saturating_sub(hidden)),
            // If each chunk is one token, the reasoning itself was streamed, and not a summary.
            None if self.summaries.count > 0 || state.uncounted_reasoning => {
                let shown = self.filled.count + self.summaries.count;
                let each = tokens == shown || (self.finish.is_some() && tokens == shown + 1);
                if each { Ok(tokens - self.summaries.count) } else { Err(TpotAbsent::HiddenReasoning) }
            }
            None => Ok(tokens),
        }
    }

    /// By the running count of the server: exact, whatever a chunk holds.
    fn counted_along(&self, state: &ResponseState) -> Option<TokenSpan> {
        let (first, _) = self.filled.span?;
        let total = state.output_tokens?;
        let (_, last) = self.reached.filter(|&(reached, _)| reached == total)?;
        Some(TokenSpan { first, last, tokens: total.saturating_sub(self.first_tokens?) })
    }

    /// By the number of chunks, if it is the number of tokens. The candidates are tried in the order of their
    /// plausibility: a natural end is usually a token, and the end by a limit is not.
    fn one_token_each(&self, tokens: u64, state: &ResponseState) -> Option<TokenSpan> {
        let end = self.finish.filter(|finish| finish.has_place || state.ended_naturally()).map(|finish| {
            let mut end = Chunks::default();
            end.push(finish.at);
            end
        });
        let (text, with_silent) = (self.filled, self.filled.with(self.silent));
        let with_end = |chunks: Chunks| end.map(|end| chunks.with(end));
        let candidates = if state.ended_naturally() {
            [with_end(with_silent), with_end(text), Some(text), Some(with_silent)]
        } else {
            [Some(text), Some(with_silent), with_end(with_silent), with_end(text)]
        };
        let chunks = candidates.into_iter().flatten().find(|chunks| chunks.count == tokens)?;
        let (first, last) = chunks.span?;
        Some(TokenSpan { first, last, tokens: tokens - 1 })
    }

    /// By the content, if a chunk can hold several tokens. The first chunk counts as one token.
    fn by_content(&self, tokens: u64, state: &ResponseState, (first, last): (Instant, Instant)) -> TokenSpan {
        let end = self.finish.filter(|_| state.counts_end_token && state.ended_naturally());
        let tokens = tokens.saturating_sub(self.first_tokens.unwrap_or(1));
        TokenSpan { first, last: end.map_or(last, |finish| finish.at), tokens }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::vendor::ContentKind::{Reasoning, ReasoningSummary, Text};

    const MS: Duration = Duration::from_millis(1);

    /// Builds streams in which an event arrives every 20 ms.
    struct Stream {
        times: TokenTimes,
        origin: Instant,
        at: Instant,
    }

    impl Stream {
        fn new() -> Self {
            let origin = Instant::now();
            Self { times: TokenTimes::default(), origin, at: origin }
        }

        fn push(mut self, kind: Option<ContentKind>, silent: bool, finishes: bool, tokens_so_far: Option<u64>) -> Self {
            self.times.push(TokenEvent { at: self.at, kind, silent, finishes, tokens_so_far });
            self.at += 20 * MS;
            self
        }

        fn content(self, kind: ContentKind, count: usize) -> Self {
            (0..count).fold(self, |stream, _| stream.push(Some(kind), false, false, None))
        }

        fn silent(self) -> Self {
            self.push(None, true, false, None)
        }

        fn finish(self) -> Self {
            self.push(None, false, true, None)
        }

        /// The time per token in milliseconds, to the microsecond.
        fn tpot_ms(&self, state: &ResponseState) -> Result<f64, TpotAbsent> {
            #[allow(clippy::cast_precision_loss, reason = "small counts")]
            let tpot_ms = |span: TokenSpan| (span.last - span.first).as_secs_f64() * 1e3 / span.tokens as f64;
            self.times.span(state).map(|span| (tpot_ms(span) * 1e3).round() / 1e3)
        }

        fn ttft_ms(&self, state: &ResponseState) -> u128 {
            self.times.first_token_at(state).map_or(u128::MAX, |at| (at - self.origin).as_millis())
        }
    }

    fn state(output_tokens: u64, finish_reason: &str) -> ResponseState {
        ResponseState {
            output_tokens: Some(output_tokens),
            finish_reason: Some(finish_reason.to_owned()),
            ..ResponseState::default()
        }
    }

    #[test]
    fn the_end_token_has_no_text() {
        for tokens in [2, 3, 5, 9, 33, 300] {
            let stream = Stream::new().content(Text, tokens - 1).finish();
            assert_eq!(stream.tpot_ms(&state(tokens as u64, "stop")), Ok(20.0), "{tokens}");
        }
    }

    #[test]
    fn an_end_that_is_not_a_token_does_not_count() {
        for (tokens, reason) in [(2, "length"), (3, "stop"), (300, "max_tokens")] {
            let stream = Stream::new().content(Text, tokens).finish();
            assert_eq!(stream.tpot_ms(&state(tokens as u64, reason)), Ok(20.0), "{tokens}");
        }
    }

    #[test]
    fn half_characters_are_tokens_without_text() {
        let stream = Stream::new().silent().content(Text, 3).silent().content(Text, 2).finish();
        let ended = state(8, "stop");
        assert_eq!((stream.tpot_ms(&ended), stream.ttft_ms(&ended)), (Ok(20.0), 0));
        // A first chunk without text that is not a token.
        let ended = state(6, "stop");
        assert_eq!((stream.tpot_ms(&ended), stream.ttft_ms(&ended)), (Ok(24.0), 20));
    }

    #[test]
    fn hidden_reasoning_is_not_streamed() {
        let stream = Stream::new().content(Text, 6);
        let hidden = ResponseState { reasoning_tokens: Some(100), ..state(106, "stop") };
        assert_eq!(stream.tpot_ms(&hidden), Ok(20.0));
        let stream = Stream::new().content(Reasoning, 100).content(Text, 6);
        let shown = ResponseState { streamed_reasoning: true, ..hidden };
        assert_eq!(stream.tpot_ms(&shown), Ok(20.0));
    }

    #[test]
    fn a_summary_of_the_reasoning_has_other_tokens() {
        let stream = Stream::new().content(ReasoningSummary, 10).content(Text, 6).finish();
        let counted = ResponseState { reasoning_tokens: Some(100), ..state(106, "stop") };
        assert_eq!((stream.tpot_ms(&counted), stream.ttft_ms(&counted)), (Ok(20.0), 0));
        assert_eq!(stream.tpot_ms(&state(106, "stop")), Err(TpotAbsent::HiddenReasoning));
        // Each of its chunks is one token: the server streams its reasoning itself.
        assert_eq!(stream.tpot_ms(&state(17, "stop")), Ok(20.0));
    }

    #[test]
    fn running_counts_are_exact_for_chunks_of_several_tokens() {
        let mut stream = Stream::new();
        for (at, kind) in [(3, Some(Text)), (5, Some(Text)), (9, Some(Text))] {
            stream = stream.push(kind, false, false, Some(at));
        }
        stream = stream.push(None, true, true, Some(10)).push(None, false, false, Some(10));
        // 7 tokens in 60 ms.
        assert_eq!(stream.tpot_ms(&state(10, "stop")), Ok(8.571));
    }

    #[test]
    fn chunks_of_several_tokens_end_where_the_server_counts_its_end() {
        let stream = Stream::new().content(Text, 3).finish();
        let state = state(11, "stop");
        assert_eq!(stream.tpot_ms(&state), Ok(4.0));
        assert_eq!(stream.tpot_ms(&ResponseState { counts_end_token: true, ..state }), Ok(6.0));
    }

    #[test]
    fn what_cannot_be_known_is_absent() {
        let stream = Stream::new().content(Text, 3).finish();
        assert_eq!(stream.tpot_ms(&ResponseState::default()), Err(TpotAbsent::NoTokenCounts));
        let one = Stream::new().content(Text, 1).finish();
        assert_eq!(one.tpot_ms(&state(1, "stop")), Err(TpotAbsent::Undefined));
        assert_eq!(one.tpot_ms(&state(30, "length")), Err(TpotAbsent::OneRead));
        assert_eq!(Stream::new().finish().tpot_ms(&state(3, "stop")), Err(TpotAbsent::Undefined));
    }
}
