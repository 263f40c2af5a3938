//! Reads files of prompts; the format is detected from the content.

use llmscope_core::error::{Location, Result, excerpt};
use llmscope_core::quantity::counted;
use serde_json::{Map, Value};

use super::fields::{first, label, text, tokens, within};
use super::messages::{self, Chat};
use super::source::{Source, refuse};
use super::table::Table;
use super::tally::Tally;
use super::{Conversation, Turn, Workload, json};

/// Fields for the text of a prompt.
const PROMPT: [&str; 4] = ["prompt", "text", "input", "question"];
const OUTPUT_TOKENS: [&str; 4] = ["output_tokens", "max_tokens", "max_completion_tokens", "output_length"];
const LABEL: [&str; 3] = ["label", "category", "tier"];
const SYSTEM: [&str; 1] = ["system"];

const EXPECTED: &str =
    "give one prompt per line, such as {\"prompt\": \"…\"}, a CSV file with a column prompt, or plain text";

/// Reads a file of prompts.
pub(super) fn read(source: &Source) -> Result<Workload> {
    let mut prompts = Prompts::default();
    match Format::of(source)? {
        Format::Json => json::each(source, |value, location| {
            prompts.add(conversation(value, location)?, location);
            Ok(())
        })?,
        Format::Table(table) => read_table(table, &mut prompts)?,
        Format::Lines => read_lines(source, &mut prompts),
    }
    prompts.into_workload(source)
}

enum Format<'s> {
    Json,
    Table(Table<'s>),
    Lines,
}

impl<'s> Format<'s> {
    fn of(source: &'s Source) -> Result<Self> {
        let head = source.text.trim_start();
        if head.is_empty() {
            return refuse(source.location(), "the file is empty", EXPECTED);
        }
        if head.starts_with(['{', '[']) || is_json_string(head.lines().next().unwrap_or_default()) {
            return Ok(Self::Json);
        }
        // A text that is not a table is plain text, where quotes and commas have no meaning.
        let Ok(table) = Table::open(source) else { return Ok(Self::Lines) };
        if PROMPT.iter().any(|name| table.column(name).is_some()) {
            return Ok(Self::Table(table));
        }
        if table.names.len() > 1 && table.names.iter().all(|name| is_identifier(name)) {
            return refuse(
                source.location().line(1),
                format!("no prompt column among {}", excerpt(&table.names.join(", "))),
                "rename a column to prompt, text, input or question; to replay a trace with times, read it as a trace",
            );
        }
        Ok(Self::Lines)
    }
}

/// True for a JSON string, except for the quoted header of a table.
fn is_json_string(line: &str) -> bool {
    serde_json::from_str::<String>(line.trim()).is_ok_and(|text| !PROMPT.contains(&text.to_lowercase().as_str()))
}

/// True if a name looks like a column name. Prose has spaces after commas.
fn is_identifier(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|char| char.is_ascii_alphanumeric() || "_-.".contains(char))
}

/// Converts each row to the object that JSON Lines would have.
fn read_table(table: Table<'_>, prompts: &mut Prompts) -> Result<()> {
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
        prompts.add(conversation(&Value::Object(object), location)?, location);
        Ok(())
    })
}

/// Reads one prompt per line; empty lines are ignored.
fn read_lines(source: &Source, prompts: &mut Prompts) {
    let lines = source.text.lines().map(str::trim).filter(|line| !line.is_empty());
    prompts.conversations = lines.map(|line| Conversation::of_one_turn(line.to_owned(), None)).collect();
    prompts.warnings.push(format!("{}: read as plain text with one prompt per line", source.given));
}

/// The prompts that were read so far.
#[derive(Default)]
struct Prompts {
    conversations: Vec<Conversation>,
    empty: Tally,
    warnings: Vec<String>,
}

impl Prompts {
    fn add(&mut self, conversation: Option<Conversation>, location: &Location) {
        match conversation {
            Some(conversation) => self.conversations.push(conversation),
            None => self.empty.add(location),
        }
    }

    fn into_workload(mut self, source: &Source) -> Result<Workload> {
        if self.conversations.is_empty() {
            let problem = match self.empty.count() {
                0 => "there is no prompt".to_owned(),
                count => format!("none of {} has any text of the user", counted(count, "entry")),
            };
            return refuse(source.location(), problem, EXPECTED);
        }
        self.warnings.extend(self.empty.warning("it has no text of the user"));
        Ok(Workload {
            name: source.name.clone(),
            conversations: self.conversations,
            arrivals_s: None,
            warnings: self.warnings,
        })
    }
}

/// The conversation in a JSON value; `None` if it has no text of the user.
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
    let texts = chat.turns.into_iter().filter(|text| !text.trim().is_empty());
    let turns: Vec<Turn> = texts.map(|text| Turn { text, output_tokens }).collect();
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
        return read_turns(turns, &within(location, name));
    }
    // Alpaca data sets separate the instruction from its input.
    let task = field(object, &["instruction"], location, text)?;
    let input = field(object, &PROMPT, location, text)?;
    if task.is_none() && input.is_none() {
        return refuse(
            location.clone(),
            format!("no prompt field among {}", excerpt(&object.keys().cloned().collect::<Vec<_>>().join(", "))),
            "rename a field to prompt, text, input, question, messages or turns; to replay a trace with times, read it as a trace",
        );
    }
    let parts: Vec<String> = task.into_iter().chain(input).filter(|text| !text.trim().is_empty()).collect();
    Ok(Chat { turns: vec![parts.join("\n\n")], ..Chat::default() })
}

/// The messages of a chat. Some data sets store them in a prompt field.
fn list_of_messages(object: &Map<String, Value>) -> Option<(&'static str, &Value)> {
    let has_role = |list: &Value| list.get(0).is_some_and(|message| message.get("role").is_some());
    first(object, &["messages", "conversations", "conversation"])
        .or_else(|| first(object, &PROMPT).filter(|(_, list)| has_role(list)))
}

/// The turns of a conversation as a list of texts, as in MT-bench.
fn read_turns(turns: &Value, location: &Location) -> Result<Chat> {
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

/// Reads the first of these fields that is present.
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
