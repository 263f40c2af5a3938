//! Any bytes: recognize the log, read it and judge it.
#![no_main]

use llmscope_core::ingest;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(log) = ingest::read("log", bytes, None) {
        llmscope_fuzz::judge(&log);
    }
});
