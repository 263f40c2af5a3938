//! Servers that do not respond, or not completely.

use super::server::{Server, Step};
use super::{
    DONE, HEAD, LAST_CHUNK, ask, ask_briefly, assert_failed, assert_good, chunk, clients, events, good, ms, number,
    refusal, requests, run, send, stop_reason, target, word,
};
use llmscope_harness::Plan;

#[test]
fn accepted_without_a_response() {
    let words = assert_failed(&ask_briefly(vec![Step::Hang]), "timeout", None);
    assert!(words.contains("350ms"), "{words}");
}

#[test]
fn every_client_times_out_independently() {
    let server = Server::always(vec![Step::Hang]);
    let report = run(target(&server), clients(8, Plan { timeout: ms(300), ..requests(16) }));
    report.records.iter().for_each(|record| drop(assert_failed(record, "timeout", None)));
    assert!(report.records.iter().all(|record| number(record, "failed_after_s").unwrap() >= 0.3));
    assert_eq!(server.connections(), 16, "a connection with a cancelled request is not reused");
}

#[test]
fn a_head_that_is_never_complete() {
    let record = ask_briefly(vec![Step::Drip(HEAD.as_bytes().to_vec(), ms(20)), Step::Hang]);
    assert_failed(&record, "timeout", None);
    assert_eq!(number(&record, "head_s"), None);
}

#[test]
fn a_slow_head() {
    let server = Server::always([vec![Step::Pause(ms(200))], good()].concat());
    let record = run(target(&server), requests(1)).only();
    assert_good(&record);
    assert!(record.ttft_s.unwrap() >= 0.2);
}

#[test]
fn silence_in_the_middle() {
    let record = ask_briefly(vec![send(HEAD), send(chunk(word("one "))), Step::Hang]);
    assert_failed(&record, "timeout", None);
    assert_eq!(number(&record, "chunks"), Some(1.0));
    assert!(number(&record, "head_s").is_some());
}

#[test]
fn a_stream_that_never_ends() {
    let drip = chunk(word("again ")).repeat(1000);
    let record = ask_briefly(vec![send(HEAD), Step::Drip(drip, ms(1)), Step::Hang]);
    assert_failed(&record, "timeout", None);
}

#[test]
fn comments_are_not_content() {
    let sign = chunk(": still working\n\n");
    let lively = |_| [send(&sign), Step::Pause(ms(20))];
    let record = ask_briefly([vec![send(HEAD)], (0..200).flat_map(lively).collect()].concat());
    assert_failed(&record, "timeout", None);
    assert_eq!(number(&record, "chunks"), Some(0.0));
}

#[test]
fn complete_response_in_a_stream_without_end() {
    let record = ask(vec![send(HEAD), send(chunk(events())), Step::Hang]);
    assert_good(&record);
    // The wait for the end of the stream is not part of any latency.
    assert!(record.e2e_s.unwrap() < 0.9, "{record:?}");
}

#[test]
fn complete_response_followed_by_endless_comments() {
    let sign = chunk(": still here\n\n");
    let lively = |_| [send(&sign), Step::Pause(ms(50))];
    let record = ask([vec![send(HEAD), send(chunk(events()))], (0..1000).flat_map(lively).collect()].concat());
    assert_good(&record);
}

#[test]
fn ended_without_done_and_never_closed() {
    // Not every server sends [DONE]. Without it, only the end of the stream shows that the response is complete.
    let all = [word("one "), stop_reason()].concat();
    let ended = ask(vec![send(HEAD), send(chunk(&all)), send(LAST_CHUNK)]);
    assert_eq!((ended.error, ended.output_tokens), (None, None));
    assert_failed(&ask_briefly(vec![send(HEAD), send(chunk(&all)), Step::Hang]), "timeout", None);
    assert!(!all.contains(DONE));
}

#[test]
fn an_error_response_with_an_endless_body_keeps_its_kind() {
    let head = "HTTP/1.1 429 Whatever\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    let words = assert_failed(&ask(vec![send(head), send(chunk("slow down")), Step::Hang]), "rate_limited", Some(429));
    assert_eq!(words, "slow down");
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ntransfer-encoding: chunked\r\n\r\n";
    assert_failed(&ask(vec![send(head), send(chunk("hello")), Step::Hang]), "wrong_content_type", None);
}

#[test]
fn an_error_response_without_end_keeps_its_kind_at_a_timeout() {
    let head = "HTTP/1.1 503 Whatever\r\ncontent-length: 100\r\n\r\n";
    assert_failed(&ask_briefly(vec![send(head), send("busy"), Step::Hang]), "overloaded", Some(503));
    assert_failed(&ask_briefly(refusal(503, "", "busy")), "overloaded", Some(503));
}

#[test]
fn complete_response_within_the_time_limit() {
    let record = ask_briefly(vec![send(HEAD), send(chunk(events())), Step::Hang]);
    assert_good(&record);
}

#[test]
fn data_after_a_complete_response_is_not_read_to_its_end() {
    let flood = chunk("data: more\n\n".repeat(5000));
    let record = ask(vec![send(HEAD), send(chunk(events())), Step::Flood(flood)]);
    assert_good(&record);
}
