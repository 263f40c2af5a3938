//! Responses that end early.

use super::server::{Script, Server, Step};
use super::{
    DONE, HEAD, HEAD_UNTIL_CLOSE, LAST_CHUNK, ask, assert_failed, assert_good, chunk, events, number, requests, run,
    send, target, word,
};

/// Sends the head and a word, then the steps in `then`.
fn after_a_word(then: Script) -> Script {
    [vec![send(HEAD), send(chunk(word("one ")))], then].concat()
}

#[test]
fn closed_without_the_last_chunk() {
    let record = ask(after_a_word(vec![Step::Close]));
    assert_failed(&record, "cut", None);
    assert_eq!(number(&record, "chunks"), Some(1.0));
}

#[test]
fn half_closed_without_the_last_chunk() {
    assert_failed(&ask(after_a_word(vec![Step::HalfClose, Step::Hang])), "cut", None);
}

#[test]
fn cut_within_a_chunk() {
    assert_failed(&ask(after_a_word(vec![send("400\r\ndata: {\"cho"), Step::Close])), "cut", None);
}

#[test]
fn reset() {
    let record = ask(after_a_word(vec![Step::Pause(super::ms(50)), Step::Reset]));
    assert_failed(&record, "cut", None);
    assert_eq!(number(&record, "chunks"), Some(1.0));
}

#[test]
fn shorter_than_its_content_length() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 100000\r\n\r\n";
    assert_failed(&ask(vec![send(head), send(word("one ")), Step::Close]), "cut", None);
}

#[test]
fn the_stream_ends_before_the_response_is_complete() {
    let words = assert_failed(&ask(after_a_word(vec![send(LAST_CHUNK)])), "cut", None);
    assert!(words.contains("before the response was complete"), "{words}");
    let until_close = vec![send(HEAD_UNTIL_CLOSE), send(word("one ")), Step::Close];
    assert_failed(&ask(until_close), "cut", None);
}

#[test]
fn the_stream_ends_within_an_event() {
    for part in ["data: {\"choices\": [{\"del", "data: ", "dat", "data: {\"choices\": []}\n"] {
        let words = assert_failed(&ask(after_a_word(vec![send(chunk(part)), send(LAST_CHUNK)])), "cut", None);
        assert!(words.contains("within an event") || part.ends_with('\n'), "{part:?}: {words}");
    }
}

#[test]
fn the_last_blank_line_is_missing() {
    let almost = events();
    let record = ask(vec![send(HEAD), send(chunk(almost.trim_end())), send(LAST_CHUNK)]);
    assert_good(&record);
}

#[test]
fn errors_after_a_complete_response_are_ignored() {
    for end in [Step::Close, Step::Reset, Step::HalfClose] {
        assert_good(&ask(vec![send(HEAD), send(chunk(events())), Step::Pause(super::ms(50)), end, Step::Hang]));
    }
    let all = events();
    assert!(all.ends_with(DONE));
    assert_good(&ask(vec![send(HEAD), send(chunk(all)), send("no chunk at all\r\n"), Step::Close]));
}

#[test]
fn closed_before_the_response() {
    for end in [Step::Close, Step::Reset] {
        assert_failed(&ask(vec![end]), "connection", None);
    }
}

#[test]
fn closed_within_the_head() {
    assert_failed(&ask(vec![send("HTTP/1.1 200 OK\r\ncontent-ty"), Step::Close]), "connection", None);
}

#[test]
fn a_cut_does_not_affect_the_next_request() {
    let server = Server::new(|number| if number == 0 { after_a_word(vec![Step::Close]) } else { super::good() });
    let records = run(target(&server), requests(3)).records;
    assert_failed(&records[0], "cut", None);
    records[1..].iter().for_each(assert_good);
    assert_eq!(server.connections(), 2);
}
