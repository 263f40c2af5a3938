//! Generates a log of incidents in a data center: a long document with questions that it answers.

use super::random::{Purpose, Random};

/// Number of entries in a log: about 3,000 tokens, at about 36 each.
const ENTRIES: usize = 85;
/// The seed is constant, as the documents are part of the program.
const SEED: u64 = 0x11A5;

const PLACES: [&str; 12] = [
    "the north hall",
    "the south hall",
    "the pump room",
    "the loading dock",
    "rack seven",
    "rack twelve",
    "the roof",
    "the control room",
    "the workshop",
    "the east corridor",
    "the battery room",
    "the archive",
];
const PEOPLE: [&str; 10] = ["Amara", "Bruno", "Chen", "Dalia", "Emil", "Farah", "Goran", "Hana", "Ivo", "Jelena"];
const CAUSES: [&str; 14] = [
    "a worn belt",
    "a loose cable",
    "a blocked filter",
    "a power dip",
    "a full disk",
    "a broken seal",
    "a stuck valve",
    "an expired certificate",
    "condensed water",
    "a tripped fuse",
    "a wrong setting after the last change",
    "a dead battery",
    "an overloaded switch",
    "a mouse in the wiring",
];
const SIGNS: [&str; 12] = [
    "a high temperature",
    "a loud hum",
    "no answer from a sensor",
    "slow transfers",
    "a smell of dust",
    "a flickering lamp",
    "water on the floor",
    "an alarm without a reading",
    "a stopped fan",
    "errors on two links",
    "a door that did not lock",
    "a drop in pressure",
];
const MEASURES: [&str; 12] = [
    "replaced the part",
    "cleaned it and started it again",
    "moved the load to the spare unit",
    "tightened the connection",
    "restored the earlier setting",
    "called the supplier and waited for a spare",
    "dried the place and sealed it",
    "reset the breaker",
    "freed some space",
    "renewed it and tested twice",
    "put in a temporary bypass",
    "closed the line and opened the second one",
];

/// A log, followed by a question about one of its entries, whose number replaces `{id}`.
pub(super) fn with_question(number: u64, question: &str) -> String {
    let mut random = Random::new(SEED, Purpose::Incidents, number);
    let week = 1 + random.below(52);
    // Not near an edge, because questions refer to neighboring entries.
    let asked = ENTRIES / 4 + random.below(ENTRIES / 2);
    let (mut id, mut minute, mut asked_id) = (1000 + random.below(8000), 0, 0);
    let mut text = format!("Log of week {week}, as the watch wrote it down.\n\n");
    for entry in 0..ENTRIES {
        id += 1 + random.below(9);
        minute += 10 + random.below(150);
        if entry == asked {
            asked_id = id;
        }
        text.push_str(&line(id, minute, &mut random));
    }
    text.push_str("\nThe log ends here. Answer from it alone. ");
    text.push_str(&question.replace("{id}", &asked_id.to_string()));
    text
}

fn line(id: usize, minute: usize, random: &mut Random) -> String {
    let (day, hour, minute) = (1 + minute / 1440, minute / 60 % 24, minute % 60);
    let (place, sign, cause) = (random.pick(&PLACES), random.pick(&SIGNS), random.pick(&CAUSES));
    let (person, measure, took) = (random.pick(&PEOPLE), random.pick(&MEASURES), 5 + random.below(90));
    let reported = format!("{id}, day {day}, {hour:02}:{minute:02}: {sign} at {place}, caused by {cause}");
    format!("{reported}. {person} {measure}; {took} minutes.\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entry_of_the_question_is_in_the_log_once() {
        for number in 0..8 {
            let text = with_question(number, "Who took care of {id}?");
            let id = text.rsplit_once("care of ").unwrap().1.trim_end_matches('?').to_owned();
            let entries: Vec<&str> = text.lines().filter(|line| line.starts_with(&format!("{id}, day"))).collect();
            assert_eq!(entries.len(), 1, "{number}");
        }
    }

    #[test]
    fn a_log_has_about_3000_tokens() {
        for number in 0..8 {
            let text = with_question(number, "");
            // Words, numbers and punctuation are at most one token each in common vocabularies.
            let numbers = text.split(|char: char| !char.is_ascii_digit()).filter(|run| !run.is_empty()).count();
            let words = text.split(|char: char| !char.is_ascii_alphabetic()).filter(|run| !run.is_empty()).count();
            let marks = text.chars().filter(char::is_ascii_punctuation).count();
            let tokens = words + numbers + marks + text.lines().count();
            assert!((2700..3600).contains(&tokens), "{number}: {tokens}");
        }
    }
}
