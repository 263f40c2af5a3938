//! Ollama: one JSON object per line. The last one has counts and the server's own times in nanoseconds.

use bytes::Bytes;
use http::Request;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::openai::authorized;
use super::{
    ChatRequest, ContentKind, Endpoint, Profile, Reader, Role, Vendor, at, get, is_filled, messages, parse, post,
};
use crate::error::Result;
use crate::failure::Failure;
use crate::framing::{Framing, StreamEvent};
use crate::response_state::{ResponseState, reported_failure};

const CHAT: Profile = Profile {
    name: "ollama",
    provider: "ollama",
    url: Some("http://localhost:11434"),
    key_variables: &["OLLAMA_API_KEY"],
    needs_key: false,
    budget: None,
};

const GENERATE: Profile = Profile { name: "ollama-generate", ..CHAT };

#[derive(Debug)]
pub(super) struct Ollama {
    /// True for `/api/generate`, which takes one prompt instead of a conversation.
    pub(super) generate: bool,
}

impl Vendor for Ollama {
    fn profile(&self) -> &'static Profile {
        if self.generate { &GENERATE } else { &CHAT }
    }

    fn request(&self, endpoint: &Endpoint, chat: &ChatRequest<'_>) -> Result<Request<Bytes>> {
        let mut body = Map::new();
        body.insert("model".to_owned(), chat.model.into());
        body.insert("stream".to_owned(), true.into());
        if self.generate {
            body.insert("prompt".to_owned(), as_prompt(chat).into());
            chat.system.into_iter().for_each(|system| {
                body.insert("system".to_owned(), system.into());
            });
        } else {
            body.insert("messages".to_owned(), messages(chat).into());
        }
        if let Some(tokens) = chat.output_tokens {
            body.insert("options".to_owned(), json!({"num_predict": tokens}));
        }
        let vendor = self.profile().name;
        let url = at(&endpoint.url, &["api", if self.generate { "generate" } else { "chat" }])?;
        authorized(vendor, endpoint, post(vendor, endpoint, &url, body, chat.extra)?)
    }

    fn framing(&self) -> Framing {
        Framing::JsonLines
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(LineReader)
    }

    fn models(&self, endpoint: &Endpoint) -> Result<Option<Request<Bytes>>> {
        let vendor = self.profile().name;
        authorized(vendor, endpoint, get(vendor, endpoint, &at(&endpoint.url, &["api", "tags"])?)?).map(Some)
    }
}

/// A conversation as one prompt.
fn as_prompt(chat: &ChatRequest<'_>) -> String {
    if let [only] = chat.conversation {
        return only.text.clone();
    }
    let line = |(role, text): (&str, &str)| format!("{role}: {text}\n");
    let lines = chat
        .conversation
        .iter()
        .map(|message| (if message.role == Role::User { "User" } else { "Assistant" }, message.text.as_str()));
    lines.map(line).collect::<String>() + "Assistant:"
}

struct LineReader;

#[derive(Deserialize)]
struct Line {
    message: Option<ChatMessage>,
    response: Option<String>,
    thinking: Option<String>,
    #[serde(default)]
    done: bool,
    done_reason: Option<String>,
    model: Option<String>,
    error: Option<String>,
    prompt_eval_count: Option<u64>,
    eval_count: Option<u64>,
    total_duration: Option<u64>,
    load_duration: Option<u64>,
    prompt_eval_duration: Option<u64>,
    eval_duration: Option<u64>,
}

#[derive(Deserialize)]
struct ChatMessage {
    content: Option<String>,
    thinking: Option<String>,
    tool_calls: Option<Value>,
}

impl Reader for LineReader {
    fn read(&mut self, event: StreamEvent<'_>, state: &mut ResponseState) -> Result<Option<ContentKind>, Failure> {
        let mut line: Line = parse(event)?;
        // An error in the middle of a stream, after status 200.
        if let Some(text) = line.error {
            return Err(reported_failure("", &text));
        }
        state.model = state.model.take().or(line.model.take());
        if line.done {
            note_end(&line, state);
        }
        let (content, thinking, tools) = match line.message {
            Some(message) => (message.content, message.thinking, message.tool_calls.is_some()),
            None => (line.response, line.thinking, false),
        };
        if is_filled(&content) {
            content.into_iter().for_each(|text| state.push_text(&text));
            Ok(Some(ContentKind::Text))
        } else if is_filled(&thinking) {
            Ok(Some(ContentKind::Reasoning))
        } else {
            state.silent = content.is_some() && !tools;
            Ok(tools.then_some(ContentKind::Tool))
        }
    }
}

fn note_end(line: &Line, state: &mut ResponseState) {
    (state.ended, state.closed) = (true, true);
    state.finish_reason.clone_from(&line.done_reason);
    state.input_tokens = line.prompt_eval_count;
    state.output_tokens = line.eval_count;
    let times = [
        ("server_total_s", line.total_duration),
        ("server_load_s", line.load_duration),
        ("server_prefill_s", line.prompt_eval_duration),
        ("server_decode_s", line.eval_duration),
    ];
    for (name, nanoseconds) in times {
        #[allow(clippy::cast_precision_loss, reason = "2^53 nanoseconds are a hundred days")]
        // The server omits zeros, so a zero means that nothing was measured.
        if let Some(nanoseconds) = nanoseconds.filter(|&nanoseconds| nanoseconds > 0) {
            state.server_time(name, nanoseconds as f64 * 1e-9);
        }
    }
}
