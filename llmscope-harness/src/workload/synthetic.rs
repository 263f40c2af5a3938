//! Generates prompts of a given size.

use std::sync::LazyLock;

use super::fields::MOST_TOKENS;
use super::random::{Purpose, Random};
use super::{Conversation, Workload};

/// Short words that are one token in common vocabularies.
static WORDS: LazyLock<Vec<&str>> = LazyLock::new(|| include_str!("words.txt").split_whitespace().collect());

/// Instructions that lead to a long response.
static INSTRUCTIONS: LazyLock<Vec<&str>> = LazyLock::new(|| include_str!("instructions.txt").lines().collect());

/// Number of words at the start of a prompt that make it unique.
const LEAD: usize = 3;

/// The sizes of prompts and responses: normally distributed, at least 1 and at most 10 million.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sizes {
    /// Mean length of the prompts, in tokens.
    pub input_tokens: u32,
    /// Its standard deviation; 0 for a constant size.
    pub input_tokens_stdev: u32,
    /// Mean of the maximum number of output tokens.
    pub output_tokens: u32,
    /// Its standard deviation; 0 for a constant size.
    pub output_tokens_stdev: u32,
}

impl Sizes {
    /// A constant size for all prompts and all responses.
    #[must_use]
    pub const fn fixed(input_tokens: u32, output_tokens: u32) -> Self {
        Self { input_tokens, input_tokens_stdev: 0, output_tokens, output_tokens_stdev: 0 }
    }
}

/// Conversations of one turn each.
pub(super) fn workload(size: Sizes, count: usize, seed: u64) -> Workload {
    let writer = Writer::new(seed);
    let conversation = |number| {
        let mut random = Random::new(seed, Purpose::Sizes, number);
        let input_tokens = spread(size.input_tokens, size.input_tokens_stdev, &mut random);
        let output_tokens = spread(size.output_tokens, size.output_tokens_stdev, &mut random);
        Conversation::of_one_turn(writer.prompt(number, input_tokens), Some(output_tokens))
    };
    Workload {
        name: format!("synthetic {}/{}", size.input_tokens, size.output_tokens),
        conversations: (0..count as u64).map(conversation).collect(),
        ..Workload::default()
    }
}

/// A normally distributed number of tokens, clamped to the valid range.
#[allow(clippy::cast_sign_loss, reason = "at least 1")]
fn spread(mean: u32, stdev: u32, random: &mut Random) -> u32 {
    (f64::from(mean) + f64::from(stdev) * random.normal()).round().clamp(1.0, f64::from(MOST_TOKENS)) as u32
}

/// Generates prompts that share no prefix, except where requested.
pub(super) struct Writer {
    seed: u64,
    /// The index of the first prompt's lead among all leads.
    start: u64,
}

impl Writer {
    /// A writer with a seed.
    pub(super) fn new(seed: u64) -> Self {
        let start = Random::new(seed, Purpose::Lead, 0).below(leads() as usize) as u64;
        Self { seed, start }
    }

    /// The prompt with this number, of about `tokens` tokens.
    pub(super) fn prompt(&self, number: u64, tokens: u32) -> String {
        let mut text = Text::of(tokens);
        let mut random = Random::new(self.seed, Purpose::Words, number);
        self.lead(number).into_iter().for_each(|word| text.push(word));
        text.instruct(random.pick(&INSTRUCTIONS));
        text.fill(&mut random, usize::MAX);
        text.words
    }

    /// A prompt that starts with blocks, which it can share with other prompts: equal blocks have equal words.
    pub(super) fn prompt_of_blocks(&self, number: u64, tokens: u32, blocks: &[u64], block_tokens: usize) -> String {
        let mut text = Text::of(tokens);
        for &block in blocks {
            text.fill(&mut Random::new(self.seed, Purpose::Block, block), block_tokens);
        }
        text.fill(&mut Random::new(self.seed, Purpose::Words, number), usize::MAX);
        text.words
    }

    /// The first words of a prompt. The step is prime and does not divide the number of leads. A lead therefore repeats
    /// only after millions of prompts, and the first word only after as many prompts as there are words.
    fn lead(&self, number: u64) -> [&'static str; LEAD] {
        const STEP: u64 = 7919;
        let radix = WORDS.len() as u64;
        let mut place = (self.start + number % leads() * STEP) % leads();
        [(); LEAD].map(|()| {
            let word = WORDS[(place % radix) as usize];
            place /= radix;
            word
        })
    }
}

fn leads() -> u64 {
    (WORDS.len() as u64).pow(LEAD as u32)
}

/// A text that grows up to a number of tokens.
struct Text {
    words: String,
    left: usize,
}

impl Text {
    fn of(tokens: u32) -> Self {
        /// Bytes of a word with a space: 5.3 on average, so that the string need not grow.
        const LETTERS: usize = 6;
        let left = tokens.max(1) as usize;
        Self { words: String::with_capacity(left * LETTERS), left }
    }

    fn push(&mut self, word: &str) {
        if self.left == 0 {
            return;
        }
        if !self.words.is_empty() {
            self.words.push(' ');
        }
        self.words.push_str(word);
        self.left -= 1;
    }

    /// Adds an instruction if all of it fits: one token for each word and punctuation mark, and for the preceding
    /// colon.
    fn instruct(&mut self, instruction: &str) {
        let marks = instruction.chars().filter(char::is_ascii_punctuation).count();
        let tokens = instruction.split_whitespace().count() + marks + 1;
        if tokens <= self.left {
            self.words.push_str(": ");
            self.words.push_str(instruction);
            self.left -= tokens;
        }
    }

    /// Adds at most `most` random words.
    fn fill(&mut self, random: &mut Random, most: usize) {
        for _ in 0..most.min(self.left) {
            self.push(random.pick(&WORDS));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_short_common_and_different() {
        assert!((280..=320).contains(&WORDS.len()), "{}", WORDS.len());
        assert_eq!(WORDS.iter().collect::<BTreeSet<_>>().len(), WORDS.len());
        assert!(WORDS.iter().all(|word| word.len() <= 7 && word.bytes().all(|byte| byte.is_ascii_lowercase())));
        assert!(INSTRUCTIONS.len() > 4 && INSTRUCTIONS.iter().all(|line| line.ends_with(':')));
    }

    #[test]
    fn prompts_differ_from_the_first_words_on() {
        let workload = workload(Sizes::fixed(40, 8), 20_000, 5);
        let lead = |one: &Conversation| one.turns[0].text.split(':').next().unwrap().to_owned();
        let leads: Vec<String> = workload.conversations.iter().map(lead).collect();
        assert_eq!(leads.iter().collect::<BTreeSet<_>>().len(), leads.len());
        let firsts: BTreeSet<&str> = leads[..WORDS.len()].iter().map(|lead| lead.split(' ').next().unwrap()).collect();
        assert_eq!(firsts.len(), WORDS.len());
    }

    #[test]
    fn sizes_spread_around_their_means() {
        let size = Sizes { input_tokens: 500, input_tokens_stdev: 50, output_tokens: 2, output_tokens_stdev: 4 };
        let turns: Vec<_> = workload(size, 4000, 1).conversations.into_iter().flat_map(|one| one.turns).collect();
        let inputs: Vec<f64> = turns.iter().map(|turn| tokens(&turn.text) as f64).collect();
        let mean = inputs.iter().sum::<f64>() / 4000.0;
        let stdev = (inputs.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 4000.0).sqrt();
        assert!((mean - 500.0).abs() < 4.0 && (stdev - 50.0).abs() < 3.0, "{mean} {stdev}");
        let outputs: Vec<u32> = turns.iter().filter_map(|turn| turn.output_tokens).collect();
        assert!(outputs.contains(&1) && outputs.iter().any(|&count| count > 5) && !outputs.contains(&0));
    }

    /// Number of words and punctuation marks.
    fn tokens(text: &str) -> usize {
        text.split_whitespace().count() + text.chars().filter(char::is_ascii_punctuation).count()
    }

    proptest! {
        #[test]
        fn a_prompt_has_as_many_words_and_marks_as_tokens(count in 1_u32..3000, number: u64, seed: u64) {
            prop_assert_eq!(tokens(&Writer::new(seed).prompt(number, count)), count as usize);
        }

        #[test]
        fn the_same_seed_gives_the_same_workload_and_another_does_not(seed: u64, count in 1_usize..20) {
            let size = Sizes { input_tokens: 60, input_tokens_stdev: 9, output_tokens: 60, output_tokens_stdev: 9 };
            prop_assert_eq!(workload(size, count, seed), workload(size, count, seed));
            let longer = workload(size, 20, seed).conversations;
            prop_assert_eq!(&workload(size, count, seed).conversations, &longer[..count]);
            prop_assert_ne!(workload(size, count, seed), workload(size, count, seed ^ 1));
        }
    }
}
