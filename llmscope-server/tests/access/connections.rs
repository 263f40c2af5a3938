//! Connections: no input on one of them affects the others.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use super::Running;
use super::client::{Connection, PATIENCE};

#[test]
fn invalid_http_does_not_crash_the_service() {
    let running = Running::start();
    let long = [b"GET /".as_slice(), &vec![b'a'; 2_000_000]].concat();
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"hello\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"POST /api/log HTTP/1.1\r\nhost: localhost\r\ncontent-length: -5\r\n\r\n",
        b"POST /api/log HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n",
        b"POST /api/log HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"",
        &long,
    ] {
        let mut socket = TcpStream::connect(running.client.address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let _ = socket.write_all(bytes);
        let _ = socket.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer);
        let first = String::from_utf8_lossy(&answer);
        let status = first.split(' ').nth(1).and_then(|status| status.parse::<u16>().ok());
        assert!(status.is_none_or(|status| (400..600).contains(&status)), "{first}");
    }
    running.client.get("/api/v1/series").ok();
}

/// A proxy in front of the service could decide by the other host.
#[test]
fn a_request_names_one_host() {
    let running = Running::start();
    let address = running.client.address;
    let status = |head: String| {
        let mut connection = Connection::to(address);
        connection.send(&(head + "connection: close\r\n\r\n"), b"");
        connection.answer("GET").status
    };
    let own = format!("host: {address}\r\n");
    assert_eq!(status(format!("GET /health HTTP/1.1\r\n{own}")), 200);
    assert_eq!(status(format!("GET http://{address}/health HTTP/1.1\r\n{own}")), 200);
    assert_eq!(status("GET /health HTTP/1.0\r\n".to_owned()), 200);
    assert_eq!(status("GET /health HTTP/1.1\r\n".to_owned()), 400);
    assert_eq!(status(format!("GET /health HTTP/1.1\r\n{own}host: other.example\r\n")), 400);
    assert_eq!(status(format!("GET http://other.example/health HTTP/1.1\r\n{own}")), 400);
}

#[test]
fn an_unread_body_ends_the_connection() {
    let running = Running::start();
    let answer = running.client.post_bytes("/api/log", "text/csv", b"a,b");
    assert_eq!((answer.status, answer.header("connection")), (415, Some("close")));
}

#[test]
fn one_connection_serves_many_requests() {
    let running = Running::start();
    let mut connection = Connection::to(running.client.address);
    for path in ["/health", "/api/v1/series", "/nothing", "/api/v1/records?limit=0", "/api/v1/openapi.json", "/health"]
        .repeat(5)
    {
        connection.send(&running.client.head("GET", path, &[], 0), b"");
        assert!(connection.answer("GET").status < 500, "{path}");
    }
    // Pipelined requests get their responses in order.
    let head = |path| running.client.head("GET", path, &[], 0);
    connection.send(&(head("/nothing") + &head("/health")), b"");
    assert_eq!((connection.answer("GET").status, connection.answer("GET").status), (404, 200));
}

#[test]
fn connections_above_the_limit_wait() {
    let running = Running::with(|settings| settings.connections = 2);
    let ask = |connection: &mut Connection| connection.send(&running.client.head("GET", "/health", &[], 0), b"");
    let mut first: Vec<Connection> = (0..2).map(|_| Connection::to(running.client.address)).collect();
    for connection in &mut first {
        ask(connection);
        connection.answer("GET").ok();
    }
    let mut waiting = Connection::to(running.client.address);
    ask(&mut waiting);
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(waiting.answer("GET").status));
    assert!(
        receiver.recv_timeout(Duration::from_millis(300)).is_err(),
        "the service answered a connection above the limit"
    );
    first.pop();
    assert_eq!(receiver.recv_timeout(PATIENCE), Ok(200));
}

#[test]
fn a_hundred_readers_are_served_while_others_write() {
    let running = Running::start();
    let readers: Vec<Connection> = (0..100).map(|_| super::client::events::open(&running.client)).collect();
    for _ in 0..20 {
        running.client.post("/api/log", &serde_json::json!({"provider": "p", "latency": 0.3})).ok();
    }
    assert_eq!(readers.len(), 100);
    assert_eq!(running.client.get("/health").ok()["total_requests"], 20);
}
