//! A session: reading, writing and reading again gives the same session.
#![no_main]

use llmscope_core::Session;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let Ok(read) = Session::read("log", text) else { return };
    let session = read.session;
    let document = session.to_json().expect("a session that was read can be written");
    assert_eq!(Session::read("log", &document).expect("a document").session, session);
    let lines = session.to_json_lines().expect("a session that was read can be written");
    assert_eq!(Session::read("log", &lines).expect("lines").session, session);
});
