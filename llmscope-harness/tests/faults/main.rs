//! Failures between a client and an endpoint, on real sockets.

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
use llmscope_harness::{Bench, BenchHandle, Load, Next, Plan, Target, TargetOptions, Update, VendorKind};
use serde_json::{Value, json};
use server::{Script, Server, Step};

/// More than a busy machine adds to a short test.
const PATIENCE: Duration = Duration::from_secs(8);

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// The head of a chunked stream.
const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
/// The head of a stream that ends when the connection closes.
const HEAD_UNTIL_CLOSE: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
const LAST_CHUNK: &str = "0\r\n\r\n";

fn send(bytes: impl AsRef<[u8]>) -> Step {
    Step::Send(bytes.as_ref().to_vec())
}

/// A chunk of the chunked transfer encoding.
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

/// The events of a response of three words and ten tokens.
fn events() -> String {
    [word("one "), word("two "), word("three"), stop_reason(), usage(10), DONE.to_owned()].concat()
}

/// A valid response of three words.
fn good() -> Script {
    vec![send([HEAD.as_bytes(), &chunk(events()), LAST_CHUNK.as_bytes()].concat())]
}

/// An error response with a body, after which the connection stays open.
fn refusal(status: u16, headers: &str, body: &str) -> Script {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} Whatever\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n"
    );
    vec![send(head + body)]
}

/// The updates of a run.
struct Report {
    records: Vec<RequestRecord>,
    events: Vec<RunEvent>,
    health: ClientHealth,
    took: Duration,
}

impl Report {
    /// Receives all updates until the run ends.
    fn of(handle: BenchHandle) -> Self {
        let started = Instant::now();
        let (mut records, mut events, mut health) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            assert!(started.elapsed() < Duration::from_secs(60), "the run hangs: {records:?}");
            match handle.next(ms(100)) {
                Next::Update(Update::Request(record)) => records.push(*record),
                Next::Update(Update::Event(event)) => events.push(event),
                Next::Update(Update::Health(verdict)) => health.push(verdict),
                Next::Update(_) | Next::Idle => {}
                Next::Finished => break,
            }
        }
        handle.join().unwrap();
        let [health] = health.try_into().unwrap();
        Self { records, events, health, took: started.elapsed() }
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

fn start(target: Target, workload: Workload, plan: Plan) -> BenchHandle {
    Bench::new(target, workload, plan, Simulation::default()).unwrap().start().unwrap()
}

/// A plan of one client that sends `requests` requests. Failures are caused by the server, not by this long timeout.
fn requests(requests: u64) -> Plan {
    Plan { requests: Some(requests), timeout: Duration::from_secs(20), ..Plan::default() }
}

/// Opens a new connection for every request.
fn unkept(plan: Plan) -> Plan {
    Plan { reuse_connections: false, ..plan }
}

fn clients(clients: usize, mut plan: Plan) -> Plan {
    plan.load = Load::Closed { concurrency: vec![clients] };
    plan
}

/// Executes the plan. Every request is recorded exactly once, and the run does not exceed its time limit.
fn run(target: Target, plan: Plan) -> Report {
    let (requests, longest) = (plan.requests.unwrap(), plan.timeout * (plan.retries + 1));
    let report = Report::of(start(target, workload(&["Hello?"]), plan));
    assert_eq!(report.records.len() as u64, requests);
    assert!(report.took < longest * u32::try_from(requests).unwrap() + PATIENCE, "{:?}", report.took);
    assert_eq!(report.events, []);
    report.records.iter().for_each(check);
    report
}

/// Checks the invariants of every record.
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

/// Sends one request to a server with this script.
fn ask(script: Script) -> RequestRecord {
    run(target(&Server::always(script)), requests(1)).only()
}

/// Sends one request to a server with this script, with a timeout of 350 ms.
fn ask_briefly(script: Script) -> RequestRecord {
    run(target(&Server::always(script)), Plan { timeout: ms(350), ..requests(1) }).only()
}

fn number(record: &RequestRecord, name: &str) -> Option<f64> {
    match record.attributes.get(name)? {
        AttributeValue::Number(number) => Some(*number),
        other => panic!("{name} is {other:?}"),
    }
}

/// Checks the kind of a failure and returns its message.
#[track_caller]
fn assert_failed(record: &RequestRecord, kind: &str, code: Option<i64>) -> String {
    let status = if kind == "timeout" { Status::Timeout } else { Status::Error };
    let error = record.error.clone().unwrap_or_else(|| panic!("no failure: {record:?}"));
    assert_eq!((error.kind.as_str(), error.code, record.status), (kind, code, status), "{error:?}");
    error.message.unwrap_or_default()
}

/// Checks a response of three words.
#[track_caller]
fn assert_good(record: &RequestRecord) {
    assert_eq!((record.status, &record.error), (Status::Ok, &None));
    assert_eq!(number(record, "chunks"), Some(3.0));
    assert_eq!((record.input_tokens, record.output_tokens), (Some(3), Some(10)));
    assert_eq!(record.icl_s.len(), 2);
    assert!(record.ttft_s.unwrap() <= record.e2e_s.unwrap());
}
