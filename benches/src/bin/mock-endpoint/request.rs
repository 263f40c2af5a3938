//! Reads HTTP/1.1 requests from a socket: the subset that clients of chat completions use.

use std::io::{self, ErrorKind};

use llmscope_benches::sockets::{read_some, write_all};
use serde::Deserialize;
use serde_json::Value;
use tokio::net::TcpStream;

/// More headers than any benchmark client sends.
const MAX_HEADERS: usize = 64;

/// A fully read request.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Without the query.
    pub(crate) path: String,
    pub(crate) body: Vec<u8>,
    /// The client wants the connection closed after the answer.
    pub(crate) closes: bool,
}

/// The fields of a chat completion's body that the mock uses.
#[derive(Debug, Deserialize)]
pub(crate) struct Chat {
    #[serde(default)]
    pub(crate) model: String,
    #[serde(default)]
    messages: Vec<Message>,
    #[serde(default)]
    pub(crate) stream: bool,
    pub(crate) stream_options: Option<StreamOptions>,
    pub(crate) max_tokens: Option<u32>,
    pub(crate) max_completion_tokens: Option<u32>,
}

#[derive(Debug, Deserialize)]
struct Message {
    /// A string, or a list of parts.
    #[serde(default)]
    content: Value,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct StreamOptions {
    #[serde(default)]
    pub(crate) include_usage: bool,
}

impl Chat {
    /// The number of words in the messages. Without a tokenizer, a word is a token.
    pub(crate) fn prompt_tokens(&self) -> usize {
        self.messages.iter().map(|message| words(&message.content)).sum()
    }
}

fn words(content: &Value) -> usize {
    match content {
        Value::String(text) => text.split_whitespace().count(),
        Value::Array(parts) => parts.iter().map(|part| words(&part["text"])).sum(),
        _ => 0,
    }
}

/// The head of a request.
struct Head {
    request: Request,
    head_length: usize,
    body_length: usize,
    expects_continue: bool,
}

/// The next request of a connection, or `None` if it has closed. Bytes after the request stay in `buffer`.
pub(crate) async fn next(stream: &TcpStream, buffer: &mut Vec<u8>) -> io::Result<Option<Request>> {
    let head = loop {
        if let Some(head) = head(buffer)? {
            break head;
        }
        if read_some(stream, buffer).await? == 0 {
            return Ok(None);
        }
    };
    let length = head.head_length + head.body_length;
    if head.expects_continue && buffer.len() < length {
        write_all(stream, b"HTTP/1.1 100 Continue\r\n\r\n").await?;
    }
    while buffer.len() < length {
        if read_some(stream, buffer).await? == 0 {
            return Ok(None);
        }
    }
    let mut request = head.request;
    request.body = buffer[head.head_length..length].to_vec();
    buffer.drain(..length);
    Ok(Some(request))
}

/// The head at the start of `buffer`, if it is complete.
fn head(buffer: &[u8]) -> io::Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let status = parsed.parse(buffer).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
    let httparse::Status::Complete(head_length) = status else {
        return Ok(None);
    };
    let path = parsed.path.unwrap_or_default();
    let mut head = Head {
        request: Request {
            method: parsed.method.unwrap_or_default().to_owned(),
            path: path.split_once('?').map_or(path, |(path, _)| path).to_owned(),
            body: Vec::new(),
            closes: false,
        },
        head_length,
        body_length: 0,
        expects_continue: false,
    };
    for header in parsed.headers.iter() {
        let value = std::str::from_utf8(header.value).unwrap_or_default().trim();
        match header.name.to_ascii_lowercase().as_str() {
            "content-length" => {
                head.body_length = value.parse().map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
            }
            "connection" => head.request.closes = value.eq_ignore_ascii_case("close"),
            "expect" => head.expects_continue = value.eq_ignore_ascii_case("100-continue"),
            "transfer-encoding" => {
                return Err(io::Error::new(ErrorKind::Unsupported, "chunked request bodies are not supported"));
            }
            _ => {}
        }
    }
    Ok(Some(head))
}
