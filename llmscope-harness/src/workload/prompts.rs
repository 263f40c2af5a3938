//! Files of prompts, recognized by content.

use llmscope_core::error::{Location, Result, excerpt};
use serde_json::{Map, Value};

use super::fields::{first, label, text, tokens, within};
use super::messages::{self, Chat};
use super::source::{Source, refuse};
use super::table::Table;
use super::tally::Tally;
use super::{Conversation, Turn, Workload, json};

/// Where a prompt's text may stand.
const PROMPT: [&str; 4] = ["prompt", "text", "input", "question"];
const OUTPUT_TOKENS: [&str; 4] = ["output_tokens", "max_tokens", "max_completion_tokens", "output_length"];
const LABEL: [&str; 3] = ["label", "category", "tier"];
const SYSTEM: [&str; 1] = ["system"];

const EXPECTED: &str = "give a prompt a line, such as {\"prompt\": \"…\"}, a CSV with a column prompt, or plain text";

/// Reads a file of prompts.
pub(super) fn read(source: &Source) -> Result<Workload> {
    let mut gathered = Gathered::default();
    match Form::of(source)? {
        Form::Json => json::each(source, |value, location| {
            gathered.add(conversation(value, location)?, location);
            Ok(())
        })?,
        Form::Table(table) => read_table(table, &mut gathered)?,
        Form::Lines => read_lines(source, &mut gathered),
    }
    gathered.into_workload(source)
}

enum Form<'s> {
    Json,
    Table(Table<'s>),
    Lines,
}

impl<'s> Form<'s> {
    fn of(source: &'s Source) -> Result<Self> {
        let head = source.text.trim_start();
        if head.is_empty() {
            return refuse(source.location(), "the file is empty", EXPECTED);
        }
        if head.starts_with(['{', '[']) || is_json_string(head.lines().next().unwrap_or_default()) {
            return Ok(Self::Json);
        }
        // What is no table at all is plain text, whose quotes and commas mean nothing.
        let Ok(table) = Table::open(source) else { return Ok(Self::Lines) };
        if PROMPT.iter().any(|name| table.column(name).is_some()) {
            return Ok(Self::Table(table));
        }
        if table.names.len() > 1 && table.names.iter().all(|name| is_identifier(name)) {
            return refuse(
                source.location().line(1),
                format!("no column of prompts among {}", excerpt(&table.names.join(", "))),
                "name one of them prompt, text, input or question; a trace, with times, is replayed as a trace",
            );
        }
        Ok(Self::Lines)
    }
}

/// A quoted line, unless it is the quoted header of a table.
fn is_json_string(line: &str) -> bool {
    serde_json::from_str::<String>(line.trim()).is_ok_and(|text| !PROMPT.contains(&text.to_lowercase().as_str()))
}

/// Whether a table's header would have this: prose has spaces after its commas.
fn is_identifier(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|char| char.is_ascii_alphanumeric() || "_-.".contains(char))
}

/// Each row becomes the object that JSON Lines would have.
fn read_table(table: Table<'_>, gathered: &mut Gathered) -> Result<()> {
    let prompt = PROMPT.into_iter().find_map(|name| Some((name, table.column(name)?)));
    let others = OUTPUT_TOKENS.into_iter().chain(LABEL).chain(SYSTEM);
    let others: Vec<_> = others.filter_map(|name| Some((name, table.column(name)?))).collect();
    table.each(|record, location| {
        let filled = others.iter().filter(|&&(_, place)| record.get(place).is_some_and(|cell| !cell.trim().is_empty()));
        let object: Map<String, Value> = prompt
            .iter()
            .chain(filled)
            .map(|&(name, place)| (name.to_owned(), Value::from(record.get(place).unwrap_or_default())))
            .collect();
        gathered.add(conversation(&Value::Object(object), location)?, location);
        Ok(())
    })
}

/// Empty lines separate nothing and are not counted.
fn read_lines(source: &Source, gathered: &mut Gathered) {
    let lines = source.text.lines().map(str::trim).filter(|line| !line.is_empty());
    gathered.conversations = lines.map(|line| Conversation::of_one_turn(line.to_owned(), None)).collect();
    gathered.notices.push(format!("{}: read as plain text, one prompt a line", source.given));
}

/// What was read so far.
#[derive(Default)]
struct Gathered {
    conversations: Vec<Conversation>,
    without_words: Tally,
    notices: Vec<String>,
}

impl Gathered {
    fn add(&mut self, conversation: Option<Conversation>, location: &Location) {
        match conversation {
            Some(conversation) => self.conversations.push(conversation),
            None => self.without_words.add(location),
        }
    }

    fn into_workload(mut self, source: &Source) -> Result<Workload> {
        if self.conversations.is_empty() {
            let problem = match self.without_words.count() {
                0 => "there is no prompt".to_owned(),
                count => format!("none of {count} entries has any word of the user"),
            };
            return refuse(source.location(), problem, EXPECTED);
        }
        self.notices.extend(self.without_words.notice("skipped, as the user says nothing"));
        Ok(Workload {
            name: source.name.clone(),
            conversations: self.conversations,
            arrivals_s: None,
            notices: self.notices,
        })
    }
}

/// The conversation that a JSON value holds, or none if the user says nothing.
pub(super) fn conversation(value: &Value, location: &Location) -> Result<Option<Conversation>> {
    let none = Map::new();
    let (chat, object) = match value {
        Value::String(text) => (Chat { turns: vec![text.clone()], ..Chat::default() }, &none),
        Value::Object(object) => (chat(object, location)?, object),
        other => {
            return refuse(
                location.clone(),
                format!("expected a prompt, found {}", excerpt(&other.to_string())),
                EXPECTED,
            );
        }
    };
    let output_tokens = field(object, &OUTPUT_TOKENS, location, tokens)?;
    let system: Vec<String> = field(object, &SYSTEM, location, text)?.into_iter().chain(chat.system).collect();
    let said = chat.turns.into_iter().filter(|text| !text.trim().is_empty());
    let turns: Vec<Turn> = said.map(|text| Turn { text, output_tokens }).collect();
    Ok((!turns.is_empty()).then_some(Conversation {
        system: (!system.is_empty()).then(|| system.join("\n\n")),
        turns,
        label: field(object, &LABEL, location, label)?,
    }))
}

fn chat(object: &Map<String, Value>, location: &Location) -> Result<Chat> {
    if let Some((name, list)) = list_of_messages(object) {
        return messages::read(list, &within(location, name));
    }
    if let Some((name, turns)) = first(object, &["turns"]) {
        return said_in_turn(turns, &within(location, name));
    }
    // Alpaca's sets keep the task apart from what it is about.
    let task = field(object, &["instruction"], location, text)?;
    let about = field(object, &PROMPT, location, text)?;
    if task.is_none() && about.is_none() {
        return refuse(
            location.clone(),
            format!("no prompt among {}", excerpt(&object.keys().cloned().collect::<Vec<_>>().join(", "))),
            "name it prompt, text, input, question, messages or turns; a trace, with times, is replayed as a trace",
        );
    }
    let words: Vec<String> = task.into_iter().chain(about).filter(|text| !text.trim().is_empty()).collect();
    Ok(Chat { turns: vec![words.join("\n\n")], ..Chat::default() })
}

/// The messages of a chat, which some sets keep under the name of a prompt.
fn list_of_messages(object: &Map<String, Value>) -> Option<(&'static str, &Value)> {
    let has_role = |list: &Value| list.get(0).is_some_and(|message| message.get("role").is_some());
    first(object, &["messages", "conversations", "conversation"])
        .or_else(|| first(object, &PROMPT).filter(|(_, list)| has_role(list)))
}

/// The turns of a conversation as texts alone, as MT-bench has them.
fn said_in_turn(turns: &Value, location: &Location) -> Result<Chat> {
    let Value::Array(turns) = turns else {
        return refuse(
            location.clone(),
            format!("expected a list of texts, found {}", excerpt(&turns.to_string())),
            "give [\"first turn\", \"second turn\"]",
        );
    };
    let turn = |(index, turn)| text(turn, &within(location, &format!("[{index}]")));
    Ok(Chat { turns: turns.iter().enumerate().map(turn).collect::<Result<_>>()?, ..Chat::default() })
}

/// The first of these fields, if there is one, read at its place.
fn field<T>(
    object: &Map<String, Value>,
    names: &[&'static str],
    location: &Location,
    read: impl Fn(&Value, &Location) -> Result<T>,
) -> Result<Option<T>> {
    first(object, names).map(|(name, value)| read(value, &within(location, name))).transpose()
}

#[cfg(test)]
mod tests;
