//! A server on real sockets, as an endpoint or a service, whose behavior a test can change while it runs.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// One request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Arrived {
    pub(crate) path: String,
    pub(crate) headers: String,
    pub(crate) body: Value,
}

/// Responds to a request.
type Respond = dyn Fn(&Arrived, &mut TcpStream) + Send + Sync;

/// A server on a port of the loopback interface that runs until the test ends.
pub(crate) struct Server {
    pub(crate) port: u16,
    arrived: Arc<Mutex<Vec<Arrived>>>,
}

impl Server {
    pub(crate) fn start(respond: impl Fn(&Arrived, &mut TcpStream) + Send + Sync + 'static) -> Self {
        Self::start_at(0, respond)
    }

    pub(crate) fn start_at(port: u16, respond: impl Fn(&Arrived, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let arrived = Arc::new(Mutex::new(Vec::new()));
        let (log, respond): (_, Arc<Respond>) = (arrived.clone(), Arc::new(respond));
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let (log, respond) = (log.clone(), respond.clone());
                thread::spawn(move || serve(socket, &log, &*respond));
            }
        });
        Self { port, arrived }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().unwrap().clone()
    }
}

fn serve(mut socket: TcpStream, log: &Mutex<Vec<Arrived>>, respond: &Respond) {
    let mut reader = BufReader::new(socket.try_clone().unwrap());
    loop {
        let (mut first, mut headers, mut length) = (String::new(), String::new(), 0);
        if reader.read_line(&mut first).unwrap_or(0) == 0 {
            return;
        }
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 || line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            headers.push_str(&line);
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
        let arrived = Arrived { path, headers, body: serde_json::from_slice(&body).unwrap_or_default() };
        log.lock().unwrap().push(arrived.clone());
        respond(&arrived, &mut socket);
    }
}

/// Writes a response with a content length.
pub(crate) fn reply(socket: &mut TcpStream, status: &str, content_type: &str, body: &str) {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n");
    let _ = socket.write_all((head + body).as_bytes());
}

/// Writes a chat completion of four tokens. The delay of the first token may change while the server runs.
pub(crate) fn chat(socket: &mut TcpStream, first_token_ms: &AtomicU64) {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    let mut send = |text: &str| socket.write_all(text.as_bytes());
    let chunk = |data: &str| format!("{:x}\r\ndata: {data}\n\n\r\n", data.len() + 8);
    let _ = send(head);
    thread::sleep(Duration::from_millis(first_token_ms.load(Ordering::SeqCst)));
    for _ in 0..4 {
        let _ = send(&chunk(r#"{"choices":[{"delta":{"content":"word "},"finish_reason":null}]}"#));
        thread::sleep(Duration::from_millis(1));
    }
    let _ = send(&chunk(r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#));
    let _ = send(&chunk(r#"{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":4}}"#));
    let _ = send(&(chunk("[DONE]") + "0\r\n\r\n"));
}

/// Sends a signal with the `kill` of the shell.
pub(crate) fn signal(child: &Child, name: &str) {
    let command = format!("kill -{name} {}", child.id());
    assert!(Command::new("/bin/sh").args(["-c", &command]).status().unwrap().success());
}
