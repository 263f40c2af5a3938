//! Workloads: conversations from files, synthetic ones of a given size, or built-in ones.
//!
//! # Files of prompts
//! [`Workload::read`] detects the format from the content of a file, never from its name:
//! - JSON Lines or a JSON array with one prompt per item. An item is a string, or an object with the text in `prompt`,
//!   `text`, `input` or `question`, the `messages` of a chat, the `turns` of a conversation, or ShareGPT's
//!   `conversations`. Optional fields are `output_tokens` (or `max_tokens`, `output_length`), `label` (or `category`,
//!   `tier`) and `system`.
//! - Comma-, semicolon- or tab-separated values whose header has a column with one of these names.
//! - Any other text, with one prompt per line.
//!
//! Assistant messages in a file are dropped, because the responses in a run come from the endpoint.
//!
//! # Traces
//! [`Workload::read_trace`] reads the time and the size of each request, from the JSON Lines of llmscope, from Mooncake
//! traces, or from the tables of Azure and BurstGPT.
//!
//! # Reproducibility
//! All random choices derive from a seed: the same seed gives the same words in the same order on every machine.

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

/// The prompts of a run: conversations and, for a trace, their times.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Workload {
    /// Its name: `tiers`, `synthetic 512/128`, or the name of the file.
    pub name: String,
    /// The conversations; not empty if they are from a file.
    pub conversations: Vec<Conversation>,
    /// For a trace, when each conversation starts: seconds from the start, ascending.
    pub arrivals_s: Option<Vec<f64>>,
    /// Warnings about the content of the file and how it was handled.
    pub warnings: Vec<String>,
}

/// A conversation: the messages of the user, turn by turn. The responses in between come from the endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Conversation {
    /// The system prompt.
    pub system: Option<String>,
    /// The messages of the user; each turn is one request.
    pub turns: Vec<Turn>,
    /// A label to group by: a tier, or a label from the file.
    pub label: Option<String>,
}

/// One message of the user.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Turn {
    /// Its text.
    pub text: String,
    /// Maximum number of output tokens, where it differs from the run's.
    pub output_tokens: Option<u32>,
}

impl Workload {
    /// Default number of different prompts of a synthetic workload, large enough to avoid hits in a prefix cache.
    pub const SYNTHETIC_PROMPTS: usize = 1000;
    /// Default number of output tokens for synthetic prompts: about a hundred words.
    pub const SYNTHETIC_OUTPUT_TOKENS: u32 = 128;

    /// The same workload with this maximum number of output tokens for every turn.
    #[must_use]
    pub fn with_output_tokens(mut self, tokens: u32) -> Self {
        let turns = self.conversations.iter_mut().flat_map(|conversation| &mut conversation.turns);
        turns.for_each(|turn| turn.output_tokens = Some(tokens));
        self
    }

    /// Reads a file of prompts; see the [module](self) for the formats. A conversation without any text of the user is
    /// skipped, and [`Self::warnings`] contains the number of skipped ones.
    ///
    /// # Errors
    /// [`Error::Format`](llmscope_core::Error::Format) with file, line and field, the value and a remedy;
    /// [`Error::Io`](llmscope_core::Error::Io). A file larger than 1 GiB is refused, because it is held in memory.
    pub fn read(path: &Path) -> Result<Self> {
        prompts::read(&Source::open(path)?)
    }

    /// Reads a trace and generates prompts of its sizes. The sizes are [approximate](Self::synthetic).
    ///
    /// | Trace | Format | Time | Size |
    /// |---|---|---|---|
    /// | llmscope | JSON Lines | `at_s` in s | `input_tokens`, or what [`Self::read`] takes; `output_tokens` |
    /// | Mooncake | JSON Lines | `timestamp` in ms | `input_length`, `output_length`, `hash_ids` |
    /// | Azure | CSV | `TIMESTAMP` | `ContextTokens`, `GeneratedTokens` |
    /// | BurstGPT | CSV | `Timestamp` in s | `Request tokens`, `Response tokens` |
    ///
    /// The times of llmscope's own format count from the start of the run. The times of the other three count from the
    /// first request, so that a part of a trace starts at once. Requests with 0 input or output tokens, which are
    /// failures, are skipped.
    ///
    /// Mooncake's `hash_ids` are ids of blocks of 512 tokens. Equal blocks get equal words, so a prefix cache behaves
    /// as for the original prompts. Prompts of the other traces share no prefix.
    ///
    /// # Errors
    /// Those of [`Self::read`], and an error for a time that is negative or not finite. A trace whose prompts have more
    /// than 250 million tokens in total (above 1 GiB) is refused.
    pub fn read_trace(path: &Path, seed: u64) -> Result<Self> {
        trace::read(&Source::open(path)?, seed)
    }

    /// Prompts of a given size: an instruction that leads to a long response, and random words.
    ///
    /// The size is approximate: each word is about one token in common vocabularies, and the chat template of the
    /// endpoint adds tokens. The exact count is the usage that the endpoint reports. Prompts differ from their first
    /// words, so a prefix cache has no hits unless it has seen the same seed before.
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

    /// The built-in prompts of these tiers, in order; of all tiers if the list is empty.
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
