//! Writes answers: a paced stream, a whole answer, and JSON.

use std::io;
use std::time::{Duration, Instant};

use llmscope_benches::sockets::write_all;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::sleep_until;

use crate::Pace;
use crate::request::Chat;
use crate::truth::{Stamps, Truth};

/// A token. It is one word, so that a client's tokenizer can count the tokens.
const TOKEN: &str = " the";

const STREAM_HEAD: &str = "HTTP/1.1 200 OK\r\n\
    content-type: text/event-stream\r\n\
    cache-control: no-cache\r\n\
    transfer-encoding: chunked\r\n\r\n";

/// The end of a chunked body.
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// Streams an answer, each chunk at its deadline and in one write. The head goes with the first chunk.
pub(crate) async fn stream(
    socket: &TcpStream,
    chat: &Chat,
    read_at: Instant,
    connection: u64,
    pace: &Pace,
    truth: &Truth,
) -> io::Result<()> {
    let tokens = pace.tokens_for(chat);
    let mut stamps = Stamps::new(truth, connection, read_at);
    let mut head = STREAM_HEAD.as_bytes();
    if pace.role_chunk_first {
        let role = event(&chunk(chat, &json!({ "role": "assistant", "content": "" }), None));
        write_all(socket, &[head, &role].concat()).await?;
        head = &[];
    }

    // All chunks between the first and the last are identical, so that a busy mock spends its time on writes.
    let content = |tokens: u32, finish: Option<&str>| {
        event(&chunk(chat, &json!({ "content": TOKEN.repeat(tokens as usize) }), finish))
    };
    let alike = content(pace.tokens_per_chunk, None);
    let chunks = tokens.div_ceil(pace.tokens_per_chunk);
    for k in 0..chunks {
        let carried = pace.tokens_per_chunk.min(tokens - k * pace.tokens_per_chunk);
        let due = read_at + due(pace, k * pace.tokens_per_chunk);
        wait_until(due).await;
        if k + 1 == chunks {
            write_all(socket, &[head, &content(carried, Some("length"))].concat()).await?;
        } else if k == 0 {
            write_all(socket, &[head, &alike].concat()).await?;
        } else {
            write_all(socket, &alike).await?;
        }
        stamps.chunk(carried, due);
        head = &[];
    }

    let mut end = Vec::new();
    if pace.with_usage(chat) {
        end.extend(event(
            &json!({ "id": "mock", "object": "chat.completion.chunk", "created": 0, "model": chat.model,
            "choices": [], "usage": usage(chat, tokens) })
            .to_string(),
        ));
    }
    end.extend(event("[DONE]"));
    end.extend(LAST_CHUNK);
    write_all(socket, &end).await?;
    stamps.end();
    Ok(())
}

/// Sends an answer without streaming, when its last token is due.
pub(crate) async fn whole(socket: &TcpStream, chat: &Chat, read_at: Instant, pace: &Pace) -> io::Result<()> {
    let tokens = pace.tokens_for(chat);
    wait_until(read_at + due(pace, tokens - 1)).await;
    let message = json!({ "role": "assistant", "content": TOKEN.repeat(tokens as usize) });
    let body = json!({ "id": "mock", "object": "chat.completion", "created": 0, "model": chat.model,
        "choices": [{ "index": 0, "message": message, "finish_reason": "length" }], "usage": usage(chat, tokens) });
    write_all(socket, &json("200 OK", &body)).await
}

/// The time from the request to the token with this index, counted from 0.
fn due(pace: &Pace, token: u32) -> Duration {
    pace.ttft + pace.itl * token
}

/// Waits until an absolute time. Returns at once if that time has passed.
async fn wait_until(due: Instant) {
    if Instant::now() < due {
        sleep_until(due.into()).await;
    }
}

fn chunk(chat: &Chat, delta: &Value, finish: Option<&str>) -> String {
    json!({ "id": "mock", "object": "chat.completion.chunk", "created": 0, "model": chat.model,
        "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }] })
    .to_string()
}

/// A server-sent event as one chunk of the body.
fn event(data: &str) -> Vec<u8> {
    let event = format!("data: {data}\n\n");
    format!("{:x}\r\n{event}\r\n", event.len()).into_bytes()
}

fn usage(chat: &Chat, tokens: u32) -> Value {
    let prompt = chat.prompt_tokens();
    json!({ "prompt_tokens": prompt, "completion_tokens": tokens, "total_tokens": prompt + tokens as usize })
}

/// The list of models. The mock accepts any model name; the list contains this one.
pub(crate) fn models() -> Value {
    json!({ "object": "list", "data": [{ "id": "m", "object": "model", "created": 0, "owned_by": "mock" }] })
}

/// An error in OpenAI's format.
pub(crate) fn error(status: &str, message: &str) -> Vec<u8> {
    json(status, &json!({ "error": { "message": message, "type": "invalid_request_error", "code": null } }))
}

/// An answer in JSON.
pub(crate) fn json(status: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
        .into_bytes()
}
