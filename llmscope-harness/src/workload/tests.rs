//! Tests of reading files by path.

use std::io::Write as _;

use super::*;

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::with_suffix(".csv").unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

#[test]
fn a_workload_has_the_name_of_its_file_and_ignores_its_extension() {
    let file = file("{\"prompt\": \"Why?\"}\n");
    let workload = Workload::read(file.path()).unwrap();
    assert_eq!(Some(workload.name.as_str()), file.path().file_name().unwrap().to_str());
    assert_eq!(workload.conversations.len(), 1);
}

#[test]
fn a_message_names_the_file_as_it_was_given() {
    let file = file("{\"prompt\": \"Why?\"}\n{\"prompt\"\n");
    let message = Workload::read(file.path()).unwrap_err().to_string();
    assert!(message.starts_with(&format!("{}:3: ", file.path().display())), "{message}");
}

#[test]
fn a_trace_is_the_same_with_the_same_seed() {
    let file = file("{\"at_s\": 0.5, \"input_tokens\": 64, \"output_tokens\": 8}\n");
    let read = |seed| Workload::read_trace(file.path(), seed).unwrap();
    assert_eq!(read(1), read(1));
    assert_ne!(read(1), read(2));
}

/// A change here changes the prompts of existing seeds, and needs an entry in the changelog.
#[test]
fn seeds_keep_their_words_and_their_order() {
    let text = &Workload::synthetic(Sizes::fixed(6, 1), 1, 42).conversations[0].turns[0].text;
    let order: Vec<usize> = (0..8).map(|number| Order::new(8, 42).at(number)).collect();
    assert_eq!((text.as_str(), order), ("from guy many art law without", vec![5, 7, 0, 1, 6, 3, 4, 2]));
}
