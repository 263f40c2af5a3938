//! Bytes from a network: the events are the same, however the bytes are split.
#![no_main]

use llmscope_harness::{Framer, Framing};

const FRAMINGS: [Framing; 3] = [Framing::ServerSentEvents, Framing::JsonLines, Framing::AwsEventStream];

/// The events of a stream that arrives in pieces, and whether the stream is invalid.
fn events<'b>(framing: Framing, pieces: impl Iterator<Item = &'b [u8]>) -> (Vec<(String, Vec<u8>, bool)>, bool) {
    let (mut framer, mut found) = (Framer::new(framing), Vec::new());
    let mut take = |framer: &mut Framer| loop {
        match framer.next() {
            Ok(Some(event)) => found.push((event.name.to_owned(), event.data.to_vec(), event.exception)),
            Ok(None) => return true,
            Err(_) => return false,
        }
    };
    for piece in pieces {
        framer.push(piece);
        if !take(&mut framer) {
            return (found, true);
        }
    }
    framer.finish();
    let broken = !take(&mut framer);
    (found, broken)
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let [which, size, bytes @ ..] = bytes else { return };
    let framing = FRAMINGS[usize::from(*which) % FRAMINGS.len()];
    let pieces = bytes.chunks(usize::from(*size).max(1));
    assert_eq!(events(framing, pieces), events(framing, std::iter::once(bytes)));
});
