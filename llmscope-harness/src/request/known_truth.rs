//! Streams with known times: what the record of a response must be, for each dialect and each way to count tokens.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::collections::VecDeque;
use std::sync::Mutex;

use http::{HeaderName, HeaderValue, Request, StatusCode};
use serde_json::{Value, json};

use super::*;
use crate::target::TargetOptions;
use crate::transport::{Frame, Head};
use crate::vendor::VendorKind;

/// The time of an event after the head, in milliseconds, and its data.
type Event = (f64, String);

/// Responds with events at stated times, without waiting for them.
struct Script {
    headers: HeaderMap,
    events: Mutex<Vec<Event>>,
}

struct ScriptedExchange {
    head: Head,
    frames: VecDeque<Frame>,
    last_arrival: Instant,
}

impl Transport for Script {
    type Exchange = ScriptedExchange;

    async fn send(&self, _: Request<bytes::Bytes>) -> Result<ScriptedExchange, Failure> {
        let at = Instant::now();
        let events = std::mem::take(&mut *self.events.lock().unwrap());
        let frame = |(ms, text): Event| Frame { at: at + Duration::from_secs_f64(ms * 1e-3), bytes: text.into() };
        let head = Head { status: StatusCode::OK, headers: self.headers.clone(), at };
        Ok(ScriptedExchange { head, frames: events.into_iter().map(frame).collect(), last_arrival: at })
    }
}

impl Exchange for ScriptedExchange {
    fn head(&self) -> &Head {
        &self.head
    }

    fn connection_timings(&self) -> ConnectionTimings {
        ConnectionTimings::default()
    }

    async fn next(&mut self) -> Option<Result<Frame, Failure>> {
        let frame = self.frames.pop_front()?;
        self.last_arrival = frame.at;
        Some(Ok(frame))
    }

    fn last_arrival(&self) -> Instant {
        self.last_arrival
    }
}

/// The record of a response to one request.
fn record(vendor: VendorKind, headers: &[(&str, &str)], events: Vec<Event>) -> RequestRecord {
    let options = TargetOptions {
        url: Some("http://127.0.0.1:1/v1".to_owned()),
        model: Some("m".to_owned()),
        ..TargetOptions::default()
    };
    let target = Target::new(vendor, options).unwrap();
    let extra = serde_json::Map::new();
    let chat = ChatRequest { model: "m", system: None, conversation: &[], output_tokens: None, extra: &extra };
    let headers = headers
        .iter()
        .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap()))
        .collect();
    let script = Script { headers, events: Mutex::new(events) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let outcome = runtime.block_on(measure(&script, &target, &chat, Duration::from_secs(60), WallClock::now(), false));
    assert_eq!(outcome.failure, None);
    outcome.record
}

/// What a stub streams.
#[derive(Debug, Clone, Copy)]
struct Stub {
    /// Tokens of the answer, the end token included.
    tokens: usize,
    /// The last token is the end of the response, which has no text.
    end_token: bool,
    reasoning: Reasoning,
    usage: Usage,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Reasoning {
    None,
    /// 100 tokens that are counted, and not streamed.
    Hidden,
    /// 4 tokens, each in a chunk.
    Shown,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Usage {
    AtTheEnd,
    Cumulative,
    Absent,
}

const GAP_MS: f64 = 20.0;
const FIRST_MS: f64 = 300.0;

/// One way to write the parts of a response.
struct Dialect {
    vendor: VendorKind,
    /// The events that contain no token at the start.
    start: fn() -> Vec<Value>,
    text: fn(&str) -> Value,
    reasoning: fn(&str) -> Value,
    /// The event that ends the content.
    finish: fn(bool) -> Value,
    /// Adds the counts: tokens, reasoning tokens.
    count: fn(&mut Value, usize, Option<usize>),
    /// The events after the content, to which the counts are added if `count_last`.
    end: fn() -> Vec<Value>,
    count_last: bool,
    /// True if it can report how many tokens were reasoning.
    counts_reasoning: bool,
    cumulative: bool,
}

fn dialects() -> Vec<Dialect> {
    vec![
        Dialect {
            vendor: VendorKind::OpenAi,
            start: || vec![json!({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]})],
            text: |text| json!({"choices": [{"index": 0, "delta": {"content": text}}]}),
            reasoning: |text| json!({"choices": [{"index": 0, "delta": {"reasoning_content": text}}]}),
            finish: |natural| {
                let reason = if natural { "stop" } else { "length" };
                json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
            },
            count: |event, tokens, reasoning| {
                event["usage"] = json!({"prompt_tokens": 9, "completion_tokens": tokens});
                if let Some(reasoning) = reasoning {
                    event["usage"]["completion_tokens_details"] = json!({"reasoning_tokens": reasoning});
                }
            },
            end: || vec![json!({"choices": []})],
            count_last: true,
            counts_reasoning: true,
            cumulative: true,
        },
        Dialect {
            vendor: VendorKind::OpenAiResponses,
            start: || vec![json!({"type": "response.created"})],
            text: |text| json!({"type": "response.output_text.delta", "delta": text}),
            reasoning: |text| json!({"type": "response.reasoning_text.delta", "delta": text}),
            finish: |natural| match natural {
                true => json!({"type": "response.completed", "response": {"status": "completed"}}),
                false => json!({"type": "response.incomplete", "response": {"status": "incomplete",
                    "incomplete_details": {"reason": "max_output_tokens"}}}),
            },
            count: |event, tokens, reasoning| {
                event["response"]["usage"] = json!({"input_tokens": 9, "output_tokens": tokens});
                if let Some(reasoning) = reasoning {
                    event["response"]["usage"]["output_tokens_details"] = json!({"reasoning_tokens": reasoning});
                }
            },
            end: Vec::new,
            count_last: false,
            counts_reasoning: true,
            cumulative: false,
        },
        Dialect {
            vendor: VendorKind::Anthropic,
            start: || vec![json!({"type": "message_start", "message": {"usage": {"input_tokens": 9}}})],
            text: |text| json!({"type": "content_block_delta", "delta": {"type": "text_delta", "text": text}}),
            reasoning: |text| json!({"type": "content_block_delta", "delta": {"type": "thinking_delta", "thinking": text}}),
            finish: |natural| {
                let reason = if natural { "end_turn" } else { "max_tokens" };
                json!({"type": "message_delta", "delta": {"stop_reason": reason}})
            },
            count: |event, tokens, _| event["usage"] = json!({"output_tokens": tokens}),
            end: || vec![json!({"type": "message_stop"})],
            count_last: false,
            counts_reasoning: false,
            cumulative: false,
        },
        Dialect {
            vendor: VendorKind::Gemini,
            start: Vec::new,
            text: |text| json!({"candidates": [{"content": {"parts": [{"text": text}]}}]}),
            reasoning: |text| json!({"candidates": [{"content": {"parts": [{"text": text, "thought": true}]}}]}),
            finish: |natural| {
                let reason = if natural { "STOP" } else { "MAX_TOKENS" };
                json!({"candidates": [{"finishReason": reason}]})
            },
            count: |event, tokens, reasoning| {
                event["usageMetadata"] = json!({"promptTokenCount": 9,
                    "candidatesTokenCount": tokens - reasoning.unwrap_or(0)});
                if let Some(reasoning) = reasoning {
                    event["usageMetadata"]["thoughtsTokenCount"] = reasoning.into();
                }
            },
            end: Vec::new,
            count_last: false,
            counts_reasoning: true,
            cumulative: true,
        },
        Dialect {
            vendor: VendorKind::Ollama,
            start: Vec::new,
            text: |text| json!({"message": {"role": "assistant", "content": text}, "done": false}),
            reasoning: |text| json!({"message": {"role": "assistant", "content": "", "thinking": text}, "done": false}),
            finish: |natural| {
                let reason = if natural { "stop" } else { "length" };
                json!({"message": {"role": "assistant", "content": ""}, "done": true, "done_reason": reason})
            },
            count: |event, tokens, _| event["eval_count"] = tokens.into(),
            end: Vec::new,
            count_last: false,
            counts_reasoning: false,
            cumulative: false,
        },
    ]
}

/// The events of a response with one token a chunk.
fn stream(dialect: &Dialect, stub: Stub) -> Vec<Event> {
    let hidden = if stub.reasoning == Reasoning::Hidden { 100 } else { 0 };
    let shown = if stub.reasoning == Reasoning::Shown { 4 } else { 0 };
    let total = stub.tokens + hidden + shown;
    let reasoning = (dialect.counts_reasoning && hidden + shown > 0).then_some(hidden + shown);
    let mut events: Vec<(f64, Value)> = (dialect.start)().into_iter().map(|event| (1.0, event)).collect();
    let texts = stub.tokens - usize::from(stub.end_token);
    if dialect.vendor == VendorKind::Anthropic && hidden > 0 {
        events.push((2.0, json!({"type": "content_block_start", "content_block": {"type": "thinking"}})));
    }
    for token in 0..shown + texts {
        let mut event = if token < shown { (dialect.reasoning)("a") } else { (dialect.text)("b") };
        if stub.usage == Usage::Cumulative {
            let so_far = reasoning.map(|_| hidden + shown.min(token + 1));
            (dialect.count)(&mut event, hidden + token + 1, so_far);
        }
        #[allow(clippy::cast_precision_loss, reason = "a small count")]
        events.push((FIRST_MS + GAP_MS * token as f64, event));
    }
    let last_ms = events.last().unwrap().0;
    let mut finish = (dialect.finish)(stub.end_token);
    let finish_ms = if stub.end_token { last_ms + GAP_MS } else { last_ms + 0.1 };
    if stub.usage == Usage::Cumulative || (stub.usage == Usage::AtTheEnd && !dialect.count_last) {
        (dialect.count)(&mut finish, total, reasoning);
    }
    events.push((finish_ms, finish));
    for mut event in (dialect.end)() {
        if stub.usage != Usage::Absent && dialect.count_last {
            (dialect.count)(&mut event, total, reasoning);
        }
        events.push((finish_ms + 5.0, event));
    }
    let lines = dialect.vendor == VendorKind::Ollama;
    let text = |event: Value| if lines { format!("{event}\n") } else { format!("data: {event}\n\n") };
    events.into_iter().map(|(ms, event)| (ms, text(event))).collect()
}

#[test]
fn every_dialect_and_count() {
    let mut known = 0;
    for dialect in dialects() {
        for tokens in [1, 2, 3, 5, 9, 33, 300] {
            for end_token in [true, false] {
                for reasoning in [Reasoning::None, Reasoning::Hidden, Reasoning::Shown] {
                    for usage in [Usage::AtTheEnd, Usage::Cumulative, Usage::Absent] {
                        let stub = Stub { tokens, end_token, reasoning, usage };
                        let has_text = tokens > usize::from(end_token);
                        // Nothing in Ollama's dialect reports hidden tokens.
                        if dialect.vendor == VendorKind::Ollama && reasoning == Reasoning::Hidden {
                            continue;
                        }
                        if has_text && (usage != Usage::Cumulative || dialect.cumulative) {
                            known += usize::from(check(&dialect, stub));
                        }
                    }
                }
            }
        }
    }
    assert!(known > 200, "only {known} times per token were known");
}

/// Checks one response. True if its time per token is known.
#[track_caller]
fn check(dialect: &Dialect, stub: Stub) -> bool {
    let record = record(dialect.vendor, &[], stream(dialect, stub));
    let context = format!("{:?} {stub:?} {record:?}", dialect.vendor);
    let close_to_ms = |value: Option<f64>, ms: f64| value.is_some_and(|value| (value * 1e3 - ms).abs() < 0.3);
    // From the issue to the head, the clock is real: compare with the first byte, or with the head.
    let ttft_s = record.ttft_s.map(|ttft_s| ttft_s - record.attribute("head_s").unwrap());
    assert!(close_to_ms(ttft_s, FIRST_MS), "{context}");
    assert!(record.icl_s.iter().all(|&gap| close_to_ms(Some(gap), GAP_MS)), "{context}");
    let absent = match record.attributes.get("tpot_absent") {
        Some(AttributeValue::Text(reason)) => Some(reason.as_str()),
        _ => None,
    };
    if let Some(tpot_s) = record.tpot_s {
        assert!(close_to_ms(Some(tpot_s), GAP_MS), "{context}");
        assert_eq!((record.attribute("tpot_definition"), absent), (Some(2.0), None), "{context}");
        return true;
    }
    let streamed = stub.tokens + if stub.reasoning == Reasoning::Shown { 4 } else { 0 };
    let expected = match stub {
        Stub { usage: Usage::Absent, .. } => Some("no_token_counts"),
        _ if dialect.vendor == VendorKind::Anthropic && stub.reasoning == Reasoning::Hidden => Some("hidden_reasoning"),
        // The reasoning of Gemini is a summary of hidden tokens, so that the text of one token has no next one.
        _ if streamed == 1 || stub.tokens == 1 => None,
        _ => panic!("{context}"),
    };
    assert_eq!(absent, expected, "{context}");
    false
}

/// A stream as it was received: lines with the milliseconds since the request, the head, an empty line, the body.
fn received(stream: &str) -> (Vec<(String, String)>, Vec<Event>) {
    let lines = stream.lines().map(|line| {
        let (ms, text) = line.trim_start().split_once(' ').unwrap_or((line.trim(), ""));
        (ms.parse::<f64>().unwrap(), text)
    });
    let lines: Vec<_> = lines.collect();
    let head = lines.iter().position(|(_, text)| text.is_empty()).unwrap();
    let fields = lines[1..head].iter().map(|(_, text)| text.split_once(": ").unwrap());
    let origin_ms = lines[head].0 - 100.0;
    let events = lines[head + 1..].iter().map(|(ms, text)| (ms - origin_ms, format!("{text}\n"))).collect();
    (fields.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect(), events)
}

fn replay(stream: &str) -> RequestRecord {
    let (headers, events) = received(stream);
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .filter(|(name, _)| *name != "transfer-encoding")
        .collect();
    record(VendorKind::OpenAi, &headers, events)
}

macro_rules! engine {
    ($name:literal) => {
        include_str!(concat!("../../tests/streams/engines/", $name, ".txt"))
    };
}

/// 12 tokens: 8 with text, 3 halves of characters, and the end.
#[test]
fn vllm_counts_its_end() {
    let record = replay(engine!("vllm-0.32.0-end-token-is-empty"));
    assert!((record.tpot_s.unwrap() * 1e3 - (180.1 - 140.0) / 11.0).abs() < 1e-6, "{record:?}");
    assert_eq!((record.icl_s.len(), record.output_tokens), (7, Some(12)));
}

#[test]
fn transformers_ends_without_done() {
    let record = replay(engine!("transformers-serve-5.24.0-no-done"));
    assert!((record.tpot_s.unwrap() * 1e3 - (70984.3 - 70941.6) / 3.0).abs() < 1e-6, "{record:?}");
    assert!(!record.attributes.contains_key("unfinished"));
}

/// Its first byte arrived with the whole text, so that no time between tokens is known.
#[test]
fn a_gateway_that_buffers_is_named() {
    let record = replay(engine!("litellm-1.108.7-headers-and-usage"));
    assert_eq!((record.tpot_s, record.output_tokens), (None, Some(3)));
    assert_eq!(record.attributes["tpot_absent"], AttributeValue::Text("one_read".to_owned()));
    assert!((record.attribute("gateway_overhead_s").unwrap() - 0.529_624).abs() < 1e-9);
    assert!((record.attribute("gateway_response_s").unwrap() - 0.546_401_977_539_062_5).abs() < 1e-12);
}

#[test]
fn the_end_without_reason_and_usage_is_unfinished() {
    let text = r#"{"choices":[{"delta":{"content":"a"}}]}"#;
    let events = vec![(1.0, format!("data: {text}\n\n")), (2.0, "data: [DONE]\n\n".to_owned())];
    let record = record(VendorKind::OpenAi, &[], events);
    assert_eq!(record.attributes["unfinished"], AttributeValue::Bool(true));
}

#[test]
fn reasoning_details_are_output() {
    let detail = r#"{"choices":[{"delta":{"reasoning_details":[{"type":"reasoning.text","text":"a"}]}}]}"#;
    let text = r#"{"choices":[{"delta":{"content":"b"}}]}"#;
    let usage = r#"{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":6}}"#;
    let events = [detail, detail, detail, text, text, text, usage, "[DONE]"].into_iter().zip(0..);
    let events = events.map(|(data, k)| (40.0 + 20.0 * f64::from(k), format!("data: {data}\n\n"))).collect();
    let record = record(VendorKind::OpenAi, &[], events);
    assert!((record.tpot_s.unwrap() - 0.02).abs() < 1e-9, "{record:?}");
    assert!((record.ttft_s.unwrap() - record.attribute("head_s").unwrap() - 0.04).abs() < 1e-4, "{record:?}");
}
