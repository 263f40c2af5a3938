//! Any bytes, read as the log of a tool. The first byte selects the tool.
#![no_main]

use llmscope_core::ingest::{self, Tool};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((&first, bytes)) = bytes.split_first() else { return };
    let tool = Tool::ALL[usize::from(first) % Tool::ALL.len()];
    if let Ok(log) = ingest::read("log", bytes, Some(tool)) {
        assert_eq!(log.tool, tool);
        llmscope_fuzz::judge(&log);
    }
});
