//! A webhook on its own port.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::Value;

/// Stores the messages that it receives.
pub(crate) struct Hook {
    pub(crate) address: SocketAddr,
    brought: Arc<Mutex<Vec<Value>>>,
}

impl Hook {
    pub(crate) fn start() -> Self {
        Self::at("127.0.0.1:0".parse().unwrap())
    }

    pub(crate) fn at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let hook = Self { address: listener.local_addr().unwrap(), brought: Arc::default() };
        let brought = hook.brought.clone();
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let brought = brought.clone();
                std::thread::spawn(move || serve(&socket, &brought));
            }
        });
        hook
    }

    /// The text of every message so far.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.brought.lock().unwrap().iter().map(|message| message["text"].as_str().unwrap().to_owned()).collect()
    }
}

/// The URL of a webhook at this address, with a secret in its path as usual.
pub(crate) fn url(address: SocketAddr) -> String {
    format!("http://{address}/services/T000/B000/the-secret-path")
}

fn serve(socket: &TcpStream, brought: &Mutex<Vec<Value>>) {
    let mut reader = BufReader::new(socket);
    loop {
        let (mut line, mut length) = (String::new(), 0);
        while reader.read_line(&mut line).unwrap_or(0) > 2 {
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            line.clear();
        }
        let mut body = vec![0; length];
        if length == 0 || reader.read_exact(&mut body).is_err() {
            return;
        }
        brought.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
        let mut socket = socket;
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    }
}
