//! A session of our own: what is read and written again reads the same.
#![no_main]

use llmscope_core::Session;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let Ok(read) = Session::read("log", text) else { return };
    let session = read.session;
    let document = session.to_json().expect("what was read can be written");
    assert_eq!(Session::read("log", &document).expect("a document").session, session);
    let lines = session.to_json_lines().expect("what was read can be written");
    assert_eq!(Session::read("log", &lines).expect("lines").session, session);
});
