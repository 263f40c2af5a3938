//! What goes wrong between a client and an endpoint, on real sockets.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

mod connecting;
mod connections;
mod cuts;
mod load;
mod refusals;
mod retries;
mod server;
mod silence;
mod streams;

use std::time::{Duration, Instant};

use llmscope_core::session::{AttributeValue, ClientHealth, RequestRecord, RunEvent, Status};
use llmscope_harness::vendor::Simulation;
use llmscope_harness::workload::{Conversation, Turn, Workload};
use llmscope_harness::{Bench, Load, Next, Plan, Running, Target, TargetOptions, Update, VendorKind};
use serde_json::{Value, json};
use server::{Script, Server, Step};

/// Above what a busy machine adds to a short test.
const PATIENCE: Duration = Duration::from_secs(8);

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// The head of a stream in chunks.
const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
/// The head of a stream that ends with its connection.
const HEAD_UNTIL_CLOSE: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
const LAST_CHUNK: &str = "0\r\n\r\n";

fn send(bytes: impl AsRef<[u8]>) -> Step {
    Step::Send(bytes.as_ref().to_vec())
}

/// A chunk of HTTP's.
fn chunk(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

fn event(data: &Value) -> String {
    format!("data: {data}\n\n")
}

fn word(word: &str) -> String {
    event(&json!({"choices": [{"index": 0, "delta": {"content": word}}]}))
}

fn stop_reason() -> String {
    event(&json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}))
}

fn usage(tokens: u64) -> String {
    event(&json!({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": tokens}}))
}

const DONE: &str = "data: [DONE]\n\n";

/// The events of an answer of three words and ten tokens.
fn events() -> String {
    [word("one "), word("two "), word("three"), stop_reason(), usage(10), DONE.to_owned()].concat()
}

/// A proper answer of three words.
fn good() -> Script {
    vec![send([HEAD.as_bytes(), &chunk(events()), LAST_CHUNK.as_bytes()].concat())]
}

/// A refusal with a body, after which the connection is kept.
fn refusal(status: u16, headers: &str, body: &str) -> Script {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} Whatever\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n"
    );
    vec![send(head + body)]
}

/// What a run reported.
struct Report {
    records: Vec<RequestRecord>,
    events: Vec<RunEvent>,
    health: ClientHealth,
    took: Duration,
}

impl Report {
    /// Everything until the end, which comes.
    fn of(running: Running) -> Self {
        let begun = Instant::now();
        let (mut records, mut events, mut health) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            assert!(begun.elapsed() < Duration::from_secs(60), "the run hangs: {records:?}");
            match running.next(ms(100)) {
                Next::Update(Update::Request(record)) => records.push(*record),
                Next::Update(Update::Event(event)) => events.push(event),
                Next::Update(Update::Health(verdict)) => health.push(verdict),
                Next::Update(_) | Next::Idle => {}
                Next::Finished => break,
            }
        }
        running.join().unwrap();
        let [health] = health.try_into().unwrap();
        Self { records, events, health, took: begun.elapsed() }
    }

    fn only(self) -> RequestRecord {
        let [record] = self.records.try_into().unwrap();
        record
    }
}

fn target_at(url: &str) -> Target {
    let options = TargetOptions { url: Some(url.to_owned()), model: Some("m".to_owned()), ..TargetOptions::default() };
    Target::new(VendorKind::OpenAi, options).unwrap()
}

fn target(server: &Server) -> Target {
    target_at(&format!("http://127.0.0.1:{}/v1", server.port))
}

fn workload(turns: &[&str]) -> Workload {
    let turns = turns.iter().map(|text| Turn { text: (*text).to_owned(), output_tokens: None }).collect();
    let conversations = vec![Conversation { turns, ..Conversation::default() }];
    Workload { name: "test".to_owned(), conversations, ..Workload::default() }
}

fn start(target: Target, workload: Workload, plan: Plan) -> Running {
    Bench::new(target, workload, plan, Simulation::default()).unwrap().start().unwrap()
}

/// So many requests of one client; failures are found out by the server's doing, not by the clock.
fn requests(requests: u64) -> Plan {
    Plan { requests: Some(requests), timeout: Duration::from_secs(20), ..Plan::default() }
}

/// Every request opens a connection of its own.
fn unkept(plan: Plan) -> Plan {
    Plan { reuse_connections: false, ..plan }
}

fn clients(clients: usize, mut plan: Plan) -> Plan {
    plan.load = Load::Closed { concurrency: vec![clients] };
    plan
}

/// Carries the plan out. Every request is recorded exactly once, and nothing takes longer than it may.
fn run(target: Target, plan: Plan) -> Report {
    let (asked, longest) = (plan.requests.unwrap(), plan.timeout * (plan.retries + 1));
    let report = Report::of(start(target, workload(&["Hello?"]), plan));
    assert_eq!(report.records.len() as u64, asked);
    assert!(report.took < longest * u32::try_from(asked).unwrap() + PATIENCE, "{:?}", report.took);
    assert_eq!(report.events, []);
    report.records.iter().for_each(check);
    report
}

/// What holds for every record.
fn check(record: &RequestRecord) {
    let succeeded = record.status == Status::Ok;
    assert_eq!(record.error.is_none(), succeeded, "{record:?}");
    assert_eq!(record.e2e_s.is_some(), succeeded, "{record:?}");
    assert!(succeeded || (record.ttft_s.is_none() && record.tpot_s.is_none() && record.icl_s.is_empty()));
    assert_eq!(number(record, "failed_after_s").is_none(), succeeded, "{record:?}");
    assert!(record.started_at.is_some());
    let message = record.error.iter().filter_map(|error| error.message.as_ref()).next();
    assert!(message.is_none_or(|message| message.chars().count() < 600 && !message.trim().is_empty()), "{message:?}");
}

/// Asks a server that plays this script, once.
fn ask(script: Script) -> RequestRecord {
    run(target(&Server::always(script)), requests(1)).only()
}

/// Asks a server that plays this script, once, and waits for little longer than a third of a second.
fn ask_briefly(script: Script) -> RequestRecord {
    run(target(&Server::always(script)), Plan { timeout: ms(350), ..requests(1) }).only()
}

fn number(record: &RequestRecord, name: &str) -> Option<f64> {
    match record.attributes.get(name)? {
        AttributeValue::Number(number) => Some(*number),
        other => panic!("{name} is {other:?}"),
    }
}

/// The words of a failure of this kind.
#[track_caller]
fn assert_failed(record: &RequestRecord, kind: &str, code: Option<i64>) -> String {
    let status = if kind == "timeout" { Status::Timeout } else { Status::Error };
    let error = record.error.clone().unwrap_or_else(|| panic!("no failure: {record:?}"));
    assert_eq!((error.kind.as_str(), error.code, record.status), (kind, code, status), "{error:?}");
    error.message.unwrap_or_default()
}

/// Checks an answer of three words.
#[track_caller]
fn assert_good(record: &RequestRecord) {
    assert_eq!((record.status, &record.error), (Status::Ok, &None));
    assert_eq!(number(record, "chunks"), Some(3.0));
    assert_eq!((record.input_tokens, record.output_tokens), (Some(3), Some(10)));
    assert_eq!(record.icl_s.len(), 2);
    assert!(record.ttft_s.unwrap() <= record.e2e_s.unwrap());
}
