//! What a network may send: however its bytes are split, the messages are the same.
#![no_main]

use llmscope_harness::{Framer, Framing};

const FRAMINGS: [Framing; 3] = [Framing::ServerSentEvents, Framing::JsonLines, Framing::AwsEventStream];

/// The messages of a stream that comes in pieces, and whether it was broken.
fn messages<'b>(framing: Framing, pieces: impl Iterator<Item = &'b [u8]>) -> (Vec<(String, Vec<u8>, bool)>, bool) {
    let (mut framer, mut found) = (Framer::new(framing), Vec::new());
    let mut take = |framer: &mut Framer| loop {
        match framer.next() {
            Ok(Some(message)) => found.push((message.event.to_owned(), message.data.to_vec(), message.exception)),
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
    assert_eq!(messages(framing, pieces), messages(framing, std::iter::once(bytes)));
});
