//! Chats as a list of messages: OpenAI's `role` and `content`, or ShareGPT's `from` and `value`.

use llmscope_core::error::{Location, Result, excerpt};
use serde_json::Value;

use super::fields::{first, text, within};
use super::source::refuse;

/// The relevant part of a chat. Messages of the assistant and of tools are dropped.
#[derive(Debug, Default)]
pub(super) struct Chat {
    /// System prompts, in order.
    pub(super) system: Vec<String>,
    /// Messages of the user, in order.
    pub(super) turns: Vec<String>,
}

/// Reads the messages. Empty messages are skipped.
pub(super) fn read(messages: &Value, location: &Location) -> Result<Chat> {
    let Value::Array(messages) = messages else {
        return refuse(
            location.clone(),
            format!("expected a list of messages, found {}", excerpt(&messages.to_string())),
            "give [{\"role\": \"user\", \"content\": \"…\"}]",
        );
    };
    let mut chat = Chat::default();
    for (index, message) in messages.iter().enumerate() {
        let location = within(location, &format!("[{index}]"));
        let texts = match role(message, &location)?.as_str() {
            "user" | "human" => &mut chat.turns,
            "system" | "developer" => &mut chat.system,
            _ => continue,
        };
        let text = content(message, &location)?;
        if !text.trim().is_empty() {
            texts.push(text);
        }
    }
    Ok(chat)
}

fn role(message: &Value, location: &Location) -> Result<String> {
    match message.as_object().and_then(|message| first(message, &["role", "from"])) {
        Some((_, Value::String(name))) => Ok(name.to_ascii_lowercase()),
        _ => refuse(
            location.clone(),
            format!("expected a message with its role, found {}", excerpt(&message.to_string())),
            "add \"role\" (user, assistant, system) or \"from\" (human, gpt, system)",
        ),
    }
}

fn content(message: &Value, location: &Location) -> Result<String> {
    match message.as_object().and_then(|message| first(message, &["content", "value"])) {
        Some((field, value)) => text(value, &within(location, field)),
        None => refuse(
            location.clone(),
            "the message has no text",
            "put the text into \"content\" (next to \"role\") or \"value\" (next to \"from\")",
        ),
    }
}
