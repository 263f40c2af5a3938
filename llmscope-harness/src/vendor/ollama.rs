//! Ollama: one JSON object a line; the last one carries counts and the server's own times in nanoseconds.

use bytes::Bytes;
use http::Request;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::openai::authorized;
use super::{Ask, Endpoint, Piece, Profile, Reader, Role, Vendor, at, get, messages, parse, post};
use crate::answer::{Answer, reported};
use crate::error::Result;
use crate::failure::Failure;
use crate::framing::{Framing, Message};

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

    fn request(&self, endpoint: &Endpoint, ask: &Ask<'_>) -> Result<Request<Bytes>> {
        let mut body = Map::new();
        body.insert("model".to_owned(), ask.model.into());
        body.insert("stream".to_owned(), true.into());
        if self.generate {
            body.insert("prompt".to_owned(), as_prompt(ask).into());
            ask.system.into_iter().for_each(|system| {
                body.insert("system".to_owned(), system.into());
            });
        } else {
            body.insert("messages".to_owned(), messages(ask).into());
        }
        if let Some(tokens) = ask.output_tokens {
            body.insert("options".to_owned(), json!({"num_predict": tokens}));
        }
        let vendor = self.profile().name;
        let url = at(&endpoint.url, &["api", if self.generate { "generate" } else { "chat" }])?;
        authorized(vendor, endpoint, post(vendor, endpoint, &url, body, ask.extra)?)
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

/// A conversation as one text.
fn as_prompt(ask: &Ask<'_>) -> String {
    if let [only] = ask.conversation {
        return only.text.clone();
    }
    let line = |(role, text): (&str, &str)| format!("{role}: {text}\n");
    let said = ask
        .conversation
        .iter()
        .map(|utterance| (if utterance.role == Role::User { "User" } else { "Assistant" }, utterance.text.as_str()));
    said.map(line).collect::<String>() + "Assistant:"
}

struct LineReader;

#[derive(Deserialize)]
struct Line {
    message: Option<Spoken>,
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
struct Spoken {
    content: Option<String>,
    thinking: Option<String>,
    tool_calls: Option<Value>,
}

impl Reader for LineReader {
    fn read(&mut self, message: Message<'_>, answer: &mut Answer) -> Result<Option<Piece>, Failure> {
        let mut line: Line = parse(message)?;
        // With status 200, in the middle of a stream.
        if let Some(words) = line.error {
            return Err(reported("", &words));
        }
        answer.model = answer.model.take().or(line.model.take());
        if line.done {
            note_end(&line, answer);
        }
        let (content, thinking, tools) = match line.message {
            Some(spoken) => (spoken.content, spoken.thinking, spoken.tool_calls.is_some()),
            None => (line.response, line.thinking, false),
        };
        let some = |words: &Option<String>| words.as_ref().is_some_and(|words| !words.is_empty());
        if some(&content) {
            content.into_iter().for_each(|words| answer.say(&words));
            Ok(Some(Piece::Text))
        } else if some(&thinking) {
            Ok(Some(Piece::Reasoning))
        } else {
            Ok(tools.then_some(Piece::Tool))
        }
    }
}

fn note_end(line: &Line, answer: &mut Answer) {
    (answer.ended, answer.closed) = (true, true);
    answer.finish_reason.clone_from(&line.done_reason);
    answer.input_tokens = line.prompt_eval_count;
    answer.output_tokens = line.eval_count;
    let times = [
        ("server_total_s", line.total_duration),
        ("server_load_s", line.load_duration),
        ("server_prefill_s", line.prompt_eval_duration),
        ("server_decode_s", line.eval_duration),
    ];
    for (name, nanoseconds) in times {
        #[allow(clippy::cast_precision_loss, reason = "2^53 nanoseconds are a hundred days")]
        // The server leaves zeros out; one that sends them has measured nothing.
        if let Some(nanoseconds) = nanoseconds.filter(|&nanoseconds| nanoseconds > 0) {
            answer.server_time(name, nanoseconds as f64 * 1e-9);
        }
    }
}
