//! Chats as a list of messages: OpenAI's `role` and `content`, ShareGPT's `from` and `value`.

use llmscope_core::error::{Location, Result, excerpt};
use serde_json::Value;

use super::fields::{first, text, within};
use super::source::refuse;

/// What a list of messages holds for us. What the endpoint's side said, its tools too, is dropped.
#[derive(Debug, Default)]
pub(super) struct Chat {
    /// Instructions, in their order.
    pub(super) system: Vec<String>,
    /// What the user says, in order.
    pub(super) turns: Vec<String>,
}

/// Reads the messages. Empty ones are left out.
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
        let said_to = match speaker(message, &location)?.as_str() {
            "user" | "human" => &mut chat.turns,
            "system" | "developer" => &mut chat.system,
            _ => continue,
        };
        let words = words(message, &location)?;
        if !words.trim().is_empty() {
            said_to.push(words);
        }
    }
    Ok(chat)
}

fn speaker(message: &Value, location: &Location) -> Result<String> {
    match message.as_object().and_then(|message| first(message, &["role", "from"])) {
        Some((_, Value::String(name))) => Ok(name.to_ascii_lowercase()),
        _ => refuse(
            location.clone(),
            format!("expected a message with its role, found {}", excerpt(&message.to_string())),
            "say who speaks: \"role\" (user, assistant, system), or \"from\" (human, gpt, system)",
        ),
    }
}

fn words(message: &Value, location: &Location) -> Result<String> {
    match message.as_object().and_then(|message| first(message, &["content", "value"])) {
        Some((field, value)) => text(value, &within(location, field)),
        None => refuse(
            location.clone(),
            "the user says nothing",
            "put the words into \"content\" (beside \"role\"), or \"value\" (beside \"from\")",
        ),
    }
}
