//! A service on its own port, and a client that sends exactly the given requests.

#![allow(dead_code, reason = "each test crate uses a part of it")]

pub(crate) mod events;
pub(crate) mod shape;
pub(crate) mod values;

use std::fmt::Display;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use llmscope_server::{AlarmKind, Durability, Keys, Service, Settings, WatchSettings};
use serde_json::Value;
use tempfile::TempDir;

/// A key with the scope admin.
pub(crate) const KEY: &str = "the-key-of-the-tests";
/// Longer than any operation takes in these tests, even on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Settings by which violations of rules are alarms and give the verdict.
pub(crate) fn by_rules() -> WatchSettings {
    WatchSettings { alarm: AlarmKind::Rules, ..WatchSettings::default() }
}

/// Settings for a service on a free port with [`KEY`].
pub(crate) fn settings(database: &Path) -> Settings {
    Settings {
        address: "127.0.0.1:0".parse().unwrap(),
        database: database.to_owned(),
        watch: by_rules(),
        // No test here simulates a loss of power.
        durability: Durability::Normal,
        // The tests count records by `/health`, also while many of them share the machine.
        probe_deadline: Duration::from_secs(60),
        keys: Keys::new(Some(KEY), None).unwrap(),
        ..Settings::default()
    }
}

/// A service in a temporary folder.
pub(crate) struct Running {
    pub(crate) client: Client,
    service: Option<Service>,
    folder: TempDir,
}

impl Running {
    pub(crate) fn start() -> Self {
        Self::with(|_| {})
    }

    /// A service that learns limits from `learn` values.
    pub(crate) fn learning(learn: usize) -> Self {
        Self::with(|settings| settings.watch = WatchSettings { learn, ..by_rules() })
    }

    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = settings(&folder.path().join("llmscope.db"));
        change(&mut settings);
        let service = Service::start(settings).unwrap();
        Self { client: Client::new(service.address(), Some(KEY)), service: Some(service), folder }
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("llmscope.db")
    }

    /// Stops the service and starts another one on the same file.
    pub(crate) fn restart(&mut self, change: impl FnOnce(&mut Settings)) {
        self.stop();
        let mut settings = settings(&self.database());
        change(&mut settings);
        let service = Service::start(settings).unwrap();
        self.client = Client::new(service.address(), Some(KEY));
        self.service = Some(service);
    }

    /// Stops the service if it runs.
    pub(crate) fn stop(&mut self) {
        if let Some(service) = self.service.take() {
            service.stop();
        }
    }
}

/// Sends requests to a service, each on its own connection.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    key: Option<String>,
}

impl Client {
    pub(crate) fn new(address: SocketAddr, key: Option<&str>) -> Self {
        Self { address, key: key.map(str::to_owned) }
    }

    pub(crate) fn with_key(&self, key: &str) -> Self {
        Self::new(self.address, Some(key))
    }

    pub(crate) fn without_key(&self) -> Self {
        Self::new(self.address, None)
    }

    pub(crate) fn get(&self, path: impl Display) -> Answer {
        self.send("GET", path, &[], b"")
    }

    pub(crate) fn delete(&self, path: impl Display) -> Answer {
        self.send("DELETE", path, &[], b"")
    }

    pub(crate) fn post(&self, path: impl Display, body: &Value) -> Answer {
        self.send("POST", path, &[("content-type", "application/json")], body.to_string().as_bytes())
    }

    /// Posts without a body.
    pub(crate) fn poke(&self, path: impl Display) -> Answer {
        self.send("POST", path, &[], b"")
    }

    pub(crate) fn post_bytes(&self, path: impl Display, kind: &str, body: &[u8]) -> Answer {
        self.send("POST", path, &[("content-type", kind)], body)
    }

    pub(crate) fn put_text(&self, path: impl Display, body: &str) -> Answer {
        self.send("PUT", path, &[("content-type", "application/json")], body.as_bytes())
    }

    pub(crate) fn send(&self, method: &str, path: impl Display, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut connection = Connection::to(self.address);
        connection.send(&self.head(method, path, headers, body.len()), body);
        connection.answer(method)
    }

    /// The head of a request: `headers` replace the default headers.
    pub(crate) fn head(&self, method: &str, path: impl Display, headers: &[(&str, &str)], length: usize) -> String {
        let is_given = |name: &str| headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
        let mut head = format!("{method} {path} HTTP/1.1\r\n");
        if !is_given("host") {
            head += &format!("host: {}\r\n", self.address);
        }
        if let Some(key) = self.key.as_ref().filter(|_| !is_given("authorization")) {
            head += &format!("authorization: Bearer {key}\r\n");
        }
        if length > 0 && !is_given("content-length") && !is_given("transfer-encoding") {
            head += &format!("content-length: {length}\r\n");
        }
        headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
        head + "\r\n"
    }
}

/// A persistent connection.
pub(crate) struct Connection {
    socket: TcpStream,
    reader: BufReader<TcpStream>,
}

impl Connection {
    pub(crate) fn to(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_write_timeout(Some(PATIENCE)).unwrap();
        socket.set_nodelay(true).unwrap();
        Self { reader: BufReader::new(socket.try_clone().unwrap()), socket }
    }

    /// Sends a request. It ignores errors, because the service may close the connection before the end of a body.
    pub(crate) fn send(&mut self, head: &str, body: &[u8]) {
        let _ = self.socket.write_all(&[head.as_bytes(), body].concat());
    }

    /// Reads a response to its end; the connection can be used again.
    pub(crate) fn answer(&mut self, method: &str) -> Answer {
        self.try_answer(method).expect("a response")
    }

    /// Like [`Self::answer`], but `None` if the service has closed the connection.
    pub(crate) fn try_answer(&mut self, method: &str) -> Option<Answer> {
        let mut answer = self.answer_head()?;
        let length = answer.header("content-length").map(|text| text.parse::<usize>().unwrap());
        let has_body = method != "HEAD" && ![204, 304].contains(&answer.status);
        answer.body = match length {
            _ if !has_body => Vec::new(),
            Some(length) => self.bytes(length),
            None if answer.header("transfer-encoding") == Some("chunked") => self.chunks(),
            None => panic!("a response without a length: {answer:?}"),
        };
        Some(answer)
    }

    /// Reads the status and the headers.
    pub(crate) fn answer_head(&mut self) -> Option<Answer> {
        let first = self.line()?;
        let status = first.split(' ').nth(1).unwrap().parse().unwrap();
        let mut headers = Vec::new();
        while let Some(line) = self.line().filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':').unwrap();
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        Some(Answer { status, headers, body: Vec::new() })
    }

    /// Reads the next chunk of a body; `None` after the last one, or if the service has closed the connection.
    pub(crate) fn chunk(&mut self) -> Option<Vec<u8>> {
        let size = usize::from_str_radix(self.line()?.trim(), 16).unwrap();
        let chunk = self.bytes(size);
        self.line();
        (size > 0).then_some(chunk)
    }

    fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        while let Some(chunk) = self.chunk() {
            body.extend(chunk);
        }
        body
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.reader.read_exact(&mut bytes).unwrap();
        bytes
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.reader.read_line(&mut line).unwrap_or(0);
        (read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
    }
}

/// A response.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The JSON document of a response.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"), "{}", self.text());
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The JSON document of a response with the status 200 or 201.
    #[track_caller]
    pub(crate) fn ok(&self) -> Value {
        assert!([200, 201].contains(&self.status), "{}: {}", self.status, self.text());
        self.json()
    }

    /// The message of an error with this status.
    #[track_caller]
    pub(crate) fn refusal(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.text());
        let body = self.json();
        shape::assert_shape(&body, &serde_json::json!({"detail": "text"}));
        body["detail"].as_str().unwrap().to_owned()
    }

    /// The location and kind of the first error in a response with the status 422.
    #[track_caller]
    pub(crate) fn field_error(&self) -> (Vec<Value>, String) {
        assert_eq!(self.status, 422, "{}", self.text());
        let body = self.json();
        shape::assert_shape(&body, &serde_json::json!({"detail": [{"loc": ["any"], "msg": "text", "type": "text"}]}));
        let error = &body["detail"][0];
        assert!(!error["msg"].as_str().unwrap().is_empty());
        (error["loc"].as_array().unwrap().clone(), error["type"].as_str().unwrap().to_owned())
    }
}

/// Polls until `look` returns a value.
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
