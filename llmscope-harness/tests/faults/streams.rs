//! Responses with unusual content.

use llmscope_core::session::{RequestRecord, Status};

use super::server::{Server, Step};
use super::{
    HEAD, HEAD_UNTIL_CLOSE, LAST_CHUNK, ask, ask_briefly, assert_failed, assert_good, chunk, event, events, ms, number,
    requests, run, send, stop_reason, target, unkept, usage, word,
};

/// The record of a response with these events.
fn record_of(events: impl AsRef<[u8]>) -> RequestRecord {
    ask(vec![send(HEAD), send(chunk(events)), send(LAST_CHUNK)])
}

#[test]
fn invalid_utf_8() {
    let bad =
        [word("one ").as_bytes(), b"data: {\"choices\": [{\"delta\": {\"content\": \"\xff\xfe\"}}]}\n\n"].concat();
    assert_failed(&record_of(bad), "malformed", None);
}

#[test]
fn events_that_are_not_json() {
    let words =
        assert_failed(&record_of(format!("{}data: <html>{}\n\n", word("one "), "x".repeat(9999))), "malformed", None);
    assert!(words.contains("<html>"), "{words}");
}

#[test]
fn an_event_without_end() {
    let line = vec![b'x'; 1 << 16];
    // Neither chunked nor of a known length, so only the client can end it.
    let server = Server::always(vec![send(HEAD_UNTIL_CLOSE), send("data: "), Step::Flood(line.clone())]);
    assert_failed(&run(target(&server), requests(1)).only(), "too_large", None);
    assert!(server.flooded() < 64 << 20, "{}", server.flooded());

    let lines = [b"data: ".as_slice(), &line, b"\n"].concat();
    let server = Server::always(vec![send(HEAD_UNTIL_CLOSE), Step::Flood(lines)]);
    assert_failed(&run(target(&server), requests(1)).only(), "too_large", None);
    assert!(server.flooded() < 64 << 20, "{}", server.flooded());
}

#[test]
fn a_giant_chunk() {
    let giant = [word(&"x".repeat(17 << 20)), events()].concat();
    assert_failed(&record_of(giant), "too_large", None);
}

#[test]
fn a_large_response() {
    let record = record_of([word(&"x".repeat(5 << 20)), stop_reason(), usage(9), super::DONE.to_owned()].concat());
    assert_eq!((record.status, record.output_tokens), (Status::Ok, Some(9)));
    assert_eq!(number(&record, "chunks"), Some(1.0));
}

#[test]
fn split_at_every_byte() {
    let all =
        [word("ä€😀 "), word("\u{feff}"), word("three"), stop_reason(), usage(10), super::DONE.to_owned()].concat();
    let chunks: Vec<u8> = all.bytes().flat_map(|byte| chunk([byte])).collect();
    let whole = [HEAD.as_bytes(), &chunks, LAST_CHUNK.as_bytes()].concat();
    assert_good(&ask(vec![send(&whole)]));
    assert_good(&ask(vec![Step::Drip([HEAD.as_bytes(), &chunk(&all), LAST_CHUNK.as_bytes()].concat(), ms(1))]));
    // A line end can arrive in two parts as well.
    let crlf = format!("\u{feff}{}", all.replace('\n', "\r\n"));
    assert_good(&ask(vec![Step::Drip([HEAD.as_bytes(), &chunk(crlf), LAST_CHUNK.as_bytes()].concat(), ms(1))]));
}

#[test]
fn wrong_content_types() {
    let page = "HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: 12\r\n\r\n<h1>Hi!</h1>";
    let words = assert_failed(&ask(vec![send(page)]), "wrong_content_type", None);
    assert!(words.contains("text/html") && words.contains("<h1>Hi!</h1>"), "{words}");
    let json = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 15\r\n\r\n{\"choices\": []}";
    assert_failed(&ask(vec![send(json)]), "wrong_content_type", None);
}

#[test]
fn a_compressed_stream_names_its_encoding() {
    let head = HEAD.replace("\r\n\r\n", "\r\ncontent-encoding: gzip\r\n\r\n");
    let words =
        assert_failed(&ask(vec![send(head), send(chunk([0x1f, 0x8b])), send(LAST_CHUNK)]), "wrong_content_type", None);
    assert!(words.contains("\"gzip\""), "{words}");
}

#[test]
fn accepted_content_types() {
    let types =
        ["Text/Event-Stream;charset=utf-8", "text/event-stream ; x=y"].map(|name| format!("content-type: {name}\r\n"));
    for header in types.iter().map(String::as_str).chain([""]) {
        let head = format!("HTTP/1.1 200 OK\r\n{header}transfer-encoding: chunked\r\n\r\n");
        assert_good(&ask(vec![send(head), send(chunk(events())), send(LAST_CHUNK)]));
    }
}

#[test]
fn empty_responses() {
    assert_failed(&ask(vec![send(HEAD), send(LAST_CHUNK)]), "empty", None);
    let none = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 0\r\n\r\n";
    assert_failed(&ask(vec![send(none)]), "empty", None);
    assert_failed(&ask(vec![send("HTTP/1.1 204 No Content\r\n\r\n")]), "empty", None);
}

#[test]
fn a_response_without_content_has_no_first_token() {
    let record = record_of([stop_reason(), usage(0), super::DONE.to_owned()].concat());
    assert_eq!((record.status, record.ttft_s, record.tpot_s), (Status::Ok, None, None));
    assert_eq!((record.output_tokens, number(&record, "chunks")), (Some(0), Some(0.0)));
    assert!(record.e2e_s.is_some());
}

#[test]
fn no_usage() {
    let record = record_of([word("one "), word("two"), stop_reason(), super::DONE.to_owned()].concat());
    assert_eq!((record.status, record.input_tokens, record.output_tokens), (Status::Ok, None, None));
    assert_eq!((record.tpot_s, record.cost_usd, record.tokens_estimated), (None, None, false));
    assert!(record.ttft_s.is_some() && record.icl_s.len() == 1);
}

#[test]
fn a_role_is_not_a_token() {
    let role = event(&serde_json::json!({"choices": [{"delta": {"role": "assistant", "content": ""}}]}));
    let nothing = event(&serde_json::json!({"choices": [{"delta": {"role": "assistant", "content": null}}]}));
    let server = Server::always(vec![
        send(HEAD),
        send(chunk(role)),
        send(chunk(nothing)),
        Step::Pause(ms(100)),
        send(chunk(events())),
        send(LAST_CHUNK),
    ]);
    let record = run(target(&server), requests(1)).only();
    assert_good(&record);
    let ttft_s = record.ttft_s.unwrap();
    assert!(ttft_s >= 0.1 && ttft_s >= number(&record, "ttfb_s").unwrap() + 0.09, "{record:?}");
}

#[test]
fn times_are_those_of_the_wire() {
    let server = Server::always(vec![
        send(HEAD),
        send(chunk(word("one "))),
        Step::Pause(ms(100)),
        send(chunk(word("two "))),
        Step::Pause(ms(100)),
        send(chunk([word("three"), stop_reason(), usage(10), super::DONE.to_owned()].concat())),
        Step::Pause(ms(100)),
        send(LAST_CHUNK),
    ]);
    let record = run(target(&server), unkept(requests(1))).only();
    assert_good(&record);
    let (ttft_s, e2e_s, tpot_s) = (record.ttft_s.unwrap(), record.e2e_s.unwrap(), record.tpot_s.unwrap());
    // A late read makes one gap too long and the next too short; only their sum is certain.
    let gaps_s: f64 = record.icl_s.iter().sum();
    assert!(gaps_s > 0.15 && e2e_s >= 0.3 && e2e_s >= ttft_s + gaps_s, "{record:?}");
    assert!((tpot_s - gaps_s / 9.0).abs() < 1e-9);
    assert!(record.ttft_from_write_s.unwrap() <= ttft_s - record.connect_s.unwrap());
}

#[test]
fn garbage_after_a_complete_response() {
    for garbage in ["data: {]\n\n", "garbage\n\n", "data: \u{0}\u{1}\n\n", "data: unfinished"] {
        let record = record_of(events() + garbage);
        assert_good(&record);
    }
    let late = ask(vec![
        send(HEAD),
        send(chunk(events())),
        Step::Pause(ms(50)),
        send(chunk("data: {]\n\n")),
        send(LAST_CHUNK),
    ]);
    assert_good(&late);
    let error = event(&serde_json::json!({"error": {"message": "too late"}}));
    assert_good(&record_of(events() + &error));
}

#[test]
fn http_1_0() {
    let head = "HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
    let server = Server::always(vec![send(head), send(events()), Step::Close]);
    run(target(&server), requests(2)).records.iter().for_each(assert_good);
    assert_eq!(server.connections(), 2);
}

#[test]
fn gibberish() {
    for gibberish in ["SSH-2.0-OpenSSH_9.6\r\n", "\0\0\0\x12\x04\0\0\0\0\0\0\r\n\r\n", "HTTP/9.9 whatever\r\n\r\n"] {
        assert_failed(&ask(vec![send(gibberish), Step::Close]), "malformed", None);
    }
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    assert_failed(&ask(vec![send(head), send("no number\r\n"), Step::Hang]), "malformed", None);
}

#[test]
fn a_head_without_end() {
    let bomb = format!("HTTP/1.1 200 OK\r\n{}", "x-padding: 0123456789abcdef\r\n".repeat(40_000));
    assert_failed(&ask(vec![send(bomb), Step::Hang]), "malformed", None);
    let long = format!("HTTP/1.1 200 OK\r\nx-padding: {}", "x".repeat(1 << 20));
    assert_failed(&ask(vec![send(long), Step::Hang]), "malformed", None);
}

#[test]
fn interim_responses_are_skipped() {
    let early = "HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n";
    let server = Server::always([vec![send(early)], super::good()].concat());
    assert_good(&run(target(&server), requests(1)).only());
    assert_failed(&ask_briefly(vec![send(early), Step::Hang]), "timeout", None);
}
