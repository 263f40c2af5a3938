//! The words of a column's name: `latencyMs`, `Total Time (s)`, `p95_latency_ms`, `Tokens/sec`, `queue.wait_us.mean`.

use super::vocabulary::DURATION;
use crate::metric::Unit;

/// A name taken apart.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Name {
    /// The words in lower case, without statistics. A slash between words is the word `per`.
    pub(super) words: Vec<String>,
    /// The statistics in the name: `p95`, `mean`, `count`.
    pub(super) statistics: Vec<String>,
    /// The unit in brackets at the end, if it is one.
    pub(super) bracketed: Option<Unit>,
    /// True if the name ends in a percent sign.
    pub(super) is_percent: bool,
}

impl Name {
    pub(super) fn of(name: &str) -> Self {
        let (name, bracketed) = without_brackets(name.trim());
        let name = name.trim();
        let is_percent = name.ends_with('%');
        let mut found = Self { bracketed, is_percent, ..Self::default() };
        for word in words(name) {
            // `tokens_per_min` is a rate per minute, `latency_min` a minimum.
            let is_period = found.last() == Some("per");
            let list = if is_statistic(&word) && !is_period { &mut found.statistics } else { &mut found.words };
            list.push(word);
        }
        found
    }

    /// True if one of these words is in the name. A list of words is a text with spaces.
    pub(super) fn has(&self, list: &str) -> bool {
        self.words.iter().any(|word| is_in(list, word))
    }

    /// True if these words follow one another.
    pub(super) fn has_phrase(&self, phrase: &[&str]) -> bool {
        self.words.windows(phrase.len()).any(|window| window.iter().eq(phrase))
    }

    pub(super) fn last(&self) -> Option<&str> {
        self.words.last().map(String::as_str)
    }

    pub(super) fn is_summarized_by(&self, list: &str) -> bool {
        self.statistics.iter().any(|statistic| is_in(list, statistic))
    }
}

/// True if a word is in a list.
pub(super) fn is_in(list: &str, word: &str) -> bool {
    list.split(' ').any(|listed| listed == word)
}

/// The name without a unit in brackets at its end, and that unit. Other brackets stay.
fn without_brackets(name: &str) -> (&str, Option<Unit>) {
    let pairs = [('(', ')'), ('[', ']')];
    let inside = pairs.iter().find_map(|&(open, close)| {
        let text = name.strip_suffix(close)?;
        let at = text.rfind(open)?;
        Some((&name[..at], text[at + 1..].parse::<Unit>().ok()?))
    });
    inside.map_or((name, None), |(rest, unit)| (rest, Some(unit)))
}

/// A statistic that does not change the unit of its values, or their number.
fn is_statistic(word: &str) -> bool {
    is_statistic_of_values(word) || matches!(word, "variance" | "count" | "n")
}

/// A statistic with the unit of its values.
pub(super) fn is_statistic_of_values(word: &str) -> bool {
    const NAMES: [&str; 17] = [
        "mean",
        "avg",
        "average",
        "median",
        "min",
        "max",
        "minimum",
        "maximum",
        "std",
        "stdev",
        "stddev",
        "sd",
        "mad",
        "iqr",
        "percentile",
        "quantile",
        "mode",
    ];
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let ordinal = word.strip_suffix("th").is_some_and(number);
    NAMES.contains(&word) || number(word) || ordinal || word.strip_prefix(['p', 'q']).is_some_and(number)
}

/// The words in lower case. They end at separators and where capital letters begin.
fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in name.split('/').enumerate() {
        if index > 0 {
            words.push("per".to_owned());
        }
        for piece in part.split(|c: char| !c.is_alphanumeric() && c != '$') {
            camel_words(piece, &mut words);
        }
    }
    words
}

/// Adds the words of `latencyMs`, `TTFTms`, `E2ELatency` or `HTTPStatus`.
fn camel_words(piece: &str, words: &mut Vec<String>) {
    const END_TO_END: &str = "E2E";
    if let Some(at) = piece.find(END_TO_END) {
        camel_words(&piece[..at], words);
        words.push(END_TO_END.to_lowercase());
        return camel_words(&piece[at + END_TO_END.len()..], words);
    }
    let letters: Vec<(usize, char)> = piece.char_indices().collect();
    let mut start = 0;
    for (at, pair) in letters.windows(2).enumerate() {
        let [(place, one), (next_place, next)] = [pair[0], pair[1]];
        let begins = if !one.is_uppercase() && next.is_uppercase() {
            Some(next_place)
        } else if one.is_uppercase() && next.is_lowercase() && at > 0 && letters[at - 1].1.is_uppercase() {
            // After capitals, a unit begins with its small letter, as in `TTFTms`; any other word with its capital, as the
            // unit does in `TTFTMs`.
            let rest = &piece[next_place..];
            let is_unit = |text: &str| Unit::of_time(text).is_some();
            let begins_small = (is_unit(rest) || is_statistic(rest)) && !is_unit(&piece[place..].to_lowercase());
            Some(if begins_small { next_place } else { place })
        } else {
            None
        };
        if let Some(begins) = begins.filter(|&begins| begins > start) {
            add_word(&piece[start..begins], words);
            start = begins;
        }
    }
    if start < piece.len() {
        add_word(&piece[start..], words);
    }
}

/// Adds a word in lower case; a duration or a statistic that is written together with a unit becomes two: `latencyms`,
/// `p95ms`.
fn add_word(word: &str, words: &mut Vec<String>) {
    const UNITS: [&str; 9] = ["ms", "us", "µs", "ns", "sec", "secs", "seconds", "msec", "usec"];
    let word = word.to_lowercase();
    let parts = UNITS.iter().find_map(|unit| {
        let before = word.strip_suffix(unit)?;
        // `500ms` is a limit, `minus` no minimum.
        let is_statistic = is_statistic_of_values(before) && before.starts_with(char::is_alphabetic);
        let is_word = matches!(word.as_str(), "minus" | "modems");
        (is_in(DURATION, before) || (is_statistic && !is_word)).then_some((before, *unit))
    });
    // `milli_seconds` is one unit.
    let is_part = |last: &String| matches!(last.as_str(), "milli" | "micro" | "nano");
    if matches!(word.as_str(), "sec" | "secs" | "second" | "seconds") && words.last().is_some_and(is_part) {
        return words.last_mut().into_iter().for_each(|last| last.push_str("seconds"));
    }
    match parts {
        Some((before, unit)) => words.extend([before.to_owned(), unit.to_owned()]),
        None => words.push(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fall_into_words() {
        for (name, words, statistics) in [
            ("latency_ms", "latency ms", ""),
            ("latencyMs", "latency ms", ""),
            ("TTFTms", "ttft ms", ""),
            ("TTFTMs", "ttft ms", ""),
            ("TTFTs", "ttft s", ""),
            ("E2ELatencyMs", "e2e latency ms", ""),
            ("meanE2EMs", "e2e ms", "mean"),
            ("latencyMsP99", "latency ms", "p99"),
            ("latencyms", "latency ms", ""),
            ("duration_nano_seconds", "duration nanoseconds", ""),
            ("tookMilliSeconds", "took milliseconds", ""),
            ("nano_latency_seconds", "nano latency seconds", ""),
            ("p95ms", "ms", "p95"),
            ("items", "items", ""),
            ("minus_500ms", "minus 500ms", ""),
            ("HTTPStatus", "http status", ""),
            ("p95_latency_ms", "latency ms", "p95"),
            ("latency.p99.9", "latency", "p99 9"),
            ("Tokens/sec", "tokens per sec", ""),
            ("e2eLatency", "e2e latency", ""),
            ("window_response_s.p95", "window response s", "p95"),
            ("status", "status", ""),
            ("tokens_per_min", "tokens per min", ""),
            ("µs", "µs", ""),
            ("", "", ""),
        ] {
            let found = Name::of(name);
            assert_eq!((found.words.join(" "), found.statistics.join(" ")), (words.to_owned(), statistics.to_owned()));
        }
    }

    #[test]
    fn a_unit_in_brackets_at_the_end_is_read() {
        for (name, words, unit) in [
            ("Total Time (s)", "total time", Some(Unit::Second)),
            ("Latency [ms]", "latency", Some(Unit::Millisecond)),
            ("Throughput (tok/s)", "throughput", Some(Unit::PerSecond)),
            ("Time (mean)", "time", None),
            ("Latency (server)", "latency server", None),
        ] {
            let found = Name::of(name);
            assert_eq!((found.words.join(" ").as_str(), found.bracketed), (words, unit), "{name}");
        }
    }
}
