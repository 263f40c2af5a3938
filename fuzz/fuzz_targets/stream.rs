//! A log of lines, read as a whole and as it comes: both give the same series.
#![no_main]

use std::io::Cursor;

use llmscope_core::analysis::{Gathering, Selection};
use llmscope_core::ingest::{self, Opened};

/// Logs that end within so many bytes are read as a whole anyway.
const LONG: usize = 257 << 10;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some(end) = bytes.iter().position(|&byte| byte == b'\n') else { return };
    let (first, rest) = bytes.split_at(end + 1);
    if rest.len() < 8 || !rest.ends_with(b"\n") {
        return;
    }
    let long = [first, &rest.repeat(LONG / rest.len() + 1)].concat();
    let whole = ingest::read("log", &long, None).and_then(|log| {
        let mut gathering = Gathering::new(Selection::default());
        gathering.add(&log)?;
        gathering.finish()
    });
    let streamed = ingest::open("log", Cursor::new(long), None).and_then(|opened| {
        let mut gathering = Gathering::new(Selection::default());
        match opened {
            Opened::Log(log) => gathering.add(&log)?,
            Opened::Stream(stream) => gathering.add_stream(*stream)?,
        }
        gathering.finish()
    });
    match (whole, streamed) {
        // As texts: gaps are no numbers, and equal to nothing.
        (Ok(whole), Ok(streamed)) => assert_eq!(format!("{whole:?}"), format!("{streamed:?}")),
        (Err(_), Err(_)) => {}
        (whole, streamed) => panic!("{:?} but {:?}", whole.map(|_| ()), streamed.map(|_| ())),
    }
});
