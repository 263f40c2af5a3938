//! Built-in prompts in tiers of different difficulty.

use std::fmt;
use std::str::FromStr;

use llmscope_core::error::{Error, Result};

use super::{Conversation, incidents};

/// A tier of prompts, from a one-word response to several pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Tier {
    /// One fact in a few words.
    SimpleRecall,
    /// A few steps of reasoning.
    ModerateReasoning,
    /// A problem with a long solution.
    ComplexReasoning,
    /// Long prose, for a high decoding load.
    HighLoadCreative,
    /// A question about a document of about 3,000 tokens.
    ExtendedContext,
}

impl Tier {
    /// Every tier, from light to heavy.
    pub const ALL: [Self; 5] = [
        Self::SimpleRecall,
        Self::ModerateReasoning,
        Self::ComplexReasoning,
        Self::HighLoadCreative,
        Self::ExtendedContext,
    ];

    /// Its name on the command line, and the label of its conversations.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SimpleRecall => "simple-recall",
            Self::ModerateReasoning => "moderate-reasoning",
            Self::ComplexReasoning => "complex-reasoning",
            Self::HighLoadCreative => "high-load-creative",
            Self::ExtendedContext => "extended-context",
        }
    }

    /// A short description.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::SimpleRecall => "one fact, in up to 32 tokens",
            Self::ModerateReasoning => "a few steps of reasoning, in up to 256 tokens",
            Self::ComplexReasoning => "a problem with a long solution, in up to 1024 tokens",
            Self::HighLoadCreative => "long prose, in up to 1024 tokens",
            Self::ExtendedContext => "a question about a log of about 3000 tokens, in up to 256 tokens",
        }
    }

    /// Maximum number of output tokens of its prompts.
    #[must_use]
    pub const fn output_tokens(self) -> u32 {
        match self {
            Self::SimpleRecall => 32,
            Self::ModerateReasoning | Self::ExtendedContext => 256,
            Self::ComplexReasoning | Self::HighLoadCreative => 1024,
        }
    }

    /// The prompts, one per line. The prompts of the extended context are questions about a generated log.
    const fn text(self) -> &'static str {
        match self {
            Self::SimpleRecall => include_str!("tiers/simple-recall.txt"),
            Self::ModerateReasoning => include_str!("tiers/moderate-reasoning.txt"),
            Self::ComplexReasoning => include_str!("tiers/complex-reasoning.txt"),
            Self::HighLoadCreative => include_str!("tiers/high-load-creative.txt"),
            Self::ExtendedContext => include_str!("tiers/extended-context.txt"),
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Tier {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|tier| tier.name() == name).ok_or_else(|| Error::Unknown {
            what: "tier",
            name: name.to_owned(),
            expected: Self::ALL.map(Self::name).join(", "),
        })
    }
}

/// The prompts of a tier.
pub(super) fn conversations(tier: Tier) -> impl Iterator<Item = Conversation> {
    (0..).zip(tier.text().lines()).map(move |(number, line)| {
        let prompt = match tier {
            Tier::ExtendedContext => incidents::with_question(number, line),
            _ => line.to_owned(),
        };
        Conversation {
            label: Some(tier.name().to_owned()),
            ..Conversation::of_one_turn(prompt, Some(tier.output_tokens()))
        }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::Workload;
    use super::*;

    #[test]
    fn all_tiers_have_prompts_of_their_own() {
        let all = Workload::tiers(&[]);
        assert!(all.name.starts_with("simple-recall, moderate-reasoning, "), "{}", all.name);
        for tier in Tier::ALL {
            let some = Workload::tiers(&[tier]);
            assert!(some.conversations.len() >= 8, "{tier}");
            assert!(some.conversations.iter().all(|one| one.label.as_deref() == Some(tier.name())));
            assert!(some.conversations.iter().all(|one| one.turns[0].output_tokens == Some(tier.output_tokens())));
            assert!(some.conversations.iter().all(|one| all.conversations.contains(one)));
            assert_eq!(tier.to_string().parse::<Tier>().unwrap(), tier);
        }
        let texts: BTreeSet<&str> = all.conversations.iter().map(|one| one.turns[0].text.as_str()).collect();
        assert_eq!(texts.len(), all.conversations.len());
        assert!(texts.iter().all(|text| text.trim() == *text && text.len() > 20));
    }

    #[test]
    fn an_unknown_name_is_reported_with_the_known_ones() {
        let message = "hard".parse::<Tier>().unwrap_err().to_string();
        assert!(message.starts_with("unknown tier \"hard\": expected simple-recall, moderate-"), "{message}");
    }
}
