//! What is asked: conversations from files, of a given size, or built in.
//!
//! # Files of prompts
//! [`Workload::read`] recognizes a file by its content, never by its name:
//! - JSON Lines, or a JSON array, with one prompt each: a string, an object with the text in `prompt`, `text`, `input`
//!   or `question`, the `messages` of a chat, the `turns` of a conversation, or ShareGPT's `conversations`. Beside it
//!   may stand `output_tokens` (or `max_tokens`, `output_length`), `label` (or `category`, `tier`) and `system`.
//! - Comma-, semicolon- or tab-separated values, whose header has a column with one of those names.
//! - Anything else is text with one prompt a line.
//!
//! What the other side said is dropped: the answers of a run are the endpoint's own.
//!
//! # Traces
//! [`Workload::read_trace`] reads when each request came, and how large it was: our own JSON Lines, Mooncake's, and the
//! tables of Azure and BurstGPT. See there.
//!
//! # The same again
//! All that is drawn comes from a seed: the same seed gives the same words and the same order, on every machine.

mod fields;
mod incidents;
mod json;
mod messages;
mod order;
mod prompts;
mod random;
mod source;
mod synthetic;
mod table;
mod tally;
mod tiers;
mod trace;

use std::path::Path;

use llmscope_core::error::Result;

pub use order::Order;
pub use synthetic::Sizes;
pub use tiers::Tier;

use source::Source;

/// What a run asks: conversations, and when it replays a trace, their times.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Workload {
    /// What it goes by: `tiers`, `synthetic 512/128`, or the name of the file.
    pub name: String,
    /// What is asked; never empty when it came from a file.
    pub conversations: Vec<Conversation>,
    /// For a trace, when each conversation begins: seconds after the start, ascending.
    pub arrivals_s: Option<Vec<f64>>,
    /// What was odd about the file, and what was done about it.
    pub notices: Vec<String>,
}

/// One conversation: what the user says, turn by turn. The answers between are the endpoint's own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Conversation {
    /// Instructions that come before everything.
    pub system: Option<String>,
    /// What the user says; one turn makes one request.
    pub turns: Vec<Turn>,
    /// What kind of conversation it is, to group by: a tier, or the file's own label.
    pub label: Option<String>,
}

/// One thing that the user says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Turn {
    /// The words.
    pub text: String,
    /// The longest answer to ask for, in tokens, where it is not the run's.
    pub output_tokens: Option<u32>,
}

impl Workload {
    /// Different prompts of a synthetic workload unless told: enough that a prefix cache knows none of them.
    pub const SYNTHETIC_PROMPTS: usize = 1000;
    /// Tokens of the answers to synthetic prompts unless told: about a hundred words.
    pub const SYNTHETIC_OUTPUT_TOKENS: u32 = 128;

    /// The same, with answers of at most so many tokens whatever it said itself.
    #[must_use]
    pub fn with_output_tokens(mut self, tokens: u32) -> Self {
        let turns = self.conversations.iter_mut().flat_map(|conversation| &mut conversation.turns);
        turns.for_each(|turn| turn.output_tokens = Some(tokens));
        self
    }

    /// Reads a file of prompts; see the [module](self) for the forms. A conversation without any word of the user is
    /// skipped, and [`Self::notices`] say how many were.
    ///
    /// # Errors
    /// [`Error::Format`](llmscope_core::Error::Format) with file, line and field, what was found and what to do;
    /// [`Error::Io`](llmscope_core::Error::Io). A file above 1 GiB is refused: all of it is held in memory.
    pub fn read(path: &Path) -> Result<Self> {
        prompts::read(&Source::open(path)?)
    }

    /// Reads a trace, and writes prompts of the sizes that it tells. The sizes are [approximate](Self::synthetic).
    ///
    /// | Trace | Form | When | How large |
    /// |---|---|---|---|
    /// | our own | JSON Lines | `at_s` in s | `input_tokens`, or what [`Self::read`] takes; `output_tokens` |
    /// | Mooncake | JSON Lines | `timestamp` in ms | `input_length`, `output_length`, `hash_ids` |
    /// | Azure | CSV | `TIMESTAMP` | `ContextTokens`, `GeneratedTokens` |
    /// | BurstGPT | CSV | `Timestamp` in s | `Request tokens`, `Response tokens` |
    ///
    /// The times of our own are counted from the start of the run, those of the other three from the first request, so
    /// that a part of a trace starts at once. Requests without tokens on a side, as failures have them, are skipped.
    ///
    /// Mooncake's `hash_ids` name blocks of 512 tokens: equal blocks get equal words, so a prefix cache answers as it
    /// would have. Prompts of the other traces share nothing.
    ///
    /// # Errors
    /// As [`Self::read`] does, and for a time that is negative or not finite. A trace whose prompts would have more
    /// than 250 million tokens together (above 1 GiB) is refused.
    pub fn read_trace(path: &Path, seed: u64) -> Result<Self> {
        trace::read(&Source::open(path)?, seed)
    }

    /// Prompts of a given size: an instruction that is answered at length, then random words.
    ///
    /// The size is approximate: each word is about one token in the usual vocabularies, and the endpoint's chat
    /// template adds its own. The usage that the endpoint reports is the true count. Prompts differ from their first
    /// words on, so no prefix cache answers them, unless it has seen the same seed before.
    ///
    /// ```
    /// use llmscope_harness::workload::{Sizes, Workload};
    ///
    /// let workload = Workload::synthetic(Sizes::fixed(512, 128), 1000, 42);
    /// assert_eq!(workload.name, "synthetic 512/128");
    /// assert_eq!(workload.conversations[0].turns[0].output_tokens, Some(128));
    /// ```
    #[must_use]
    pub fn synthetic(size: Sizes, count: usize, seed: u64) -> Self {
        synthetic::workload(size, count, seed)
    }

    /// The built-in prompts of these tiers, in their order; of all tiers if none is named.
    #[must_use]
    pub fn tiers(which: &[Tier]) -> Self {
        let which = if which.is_empty() { &Tier::ALL } else { which };
        Self {
            name: which.iter().map(|tier| tier.name()).collect::<Vec<_>>().join(", "),
            conversations: which.iter().flat_map(|&tier| tiers::conversations(tier)).collect(),
            ..Self::default()
        }
    }
}

impl Conversation {
    /// A conversation of one turn.
    fn of_one_turn(text: String, output_tokens: Option<u32>) -> Self {
        Self { turns: vec![Turn { text, output_tokens }], ..Self::default() }
    }
}

#[cfg(test)]
mod tests;
