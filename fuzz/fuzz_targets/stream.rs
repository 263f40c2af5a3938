//! A log of lines, read as a whole and as a stream: both give the same series.
#![no_main]

use std::io::Cursor;

use llmscope_core::Error;
use llmscope_core::analysis::{LogSource, Selection};
use llmscope_core::ingest;

/// The reader streams only logs longer than this, in bytes.
const LONG: usize = 257 << 10;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some(end) = bytes.iter().position(|&byte| byte == b'\n') else { return };
    let (first, rest) = bytes.split_at(end + 1);
    if rest.len() < 8 || !rest.ends_with(b"\n") {
        return;
    }
    let long = [first, &rest.repeat(LONG / rest.len() + 1)].concat();
    let whole = ingest::read("log", &long, None).and_then(|log| Selection::default().series([&log]));
    let opened = ingest::open("log", Cursor::new(long), None).map(LogSource::<Error>::once);
    let streamed = Selection::default().gather([opened]).map(|gathered| gathered.series);
    match (whole, streamed) {
        // Compared as text, because gaps are NaN and NaN does not equal itself.
        (Ok(whole), Ok(streamed)) => assert_eq!(format!("{whole:?}"), format!("{streamed:?}")),
        (Err(_), Err(_)) => {}
        (whole, streamed) => panic!("{:?} but {:?}", whole.map(|_| ()), streamed.map(|_| ())),
    }
});
