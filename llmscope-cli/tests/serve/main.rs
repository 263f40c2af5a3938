//! Tests of `serve` and `reset` with the real program: shutdown, crash, full disk.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

#[path = "../../../llmscope-server/tests/client/mod.rs"]
mod client;
mod commands;
mod crash;
mod disk;

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::Client;

const KEY: &str = "a-key-of-this-test";

/// A running service.
struct Serving {
    process: Child,
    address: SocketAddr,
    stderr: BufReader<ChildStderr>,
}

impl Serving {
    /// Starts a service on a store. It learns limits from few values.
    fn start(database: &Path) -> Self {
        Self::of(program(), database)
    }

    /// Starts a service with a command that runs the program.
    fn of(command: Command, database: &Path) -> Self {
        Self::with_key(command, database, KEY)
    }

    /// Starts a service with this key.
    fn with_key(mut command: Command, database: &Path, key: &str) -> Self {
        let mut process = command
            .args(["serve", "--address", "127.0.0.1:0", "--learn", "30", "--database"])
            .arg(database)
            .env("LLMSCOPE_API_KEY", key)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(process.stderr.take().unwrap());
        let mut output = String::new();
        let address = loop {
            let mut line = String::new();
            assert!(stderr.read_line(&mut line).unwrap() > 0, "the service ended: {output}");
            output.push_str(&line);
            if let Some(url) = line.trim().strip_prefix("listening: http://") {
                break url.parse().unwrap();
            }
        };
        Self { process, address, stderr }
    }

    fn client(&self) -> Client {
        Client::new(self.address, Some(KEY))
    }

    /// The rest of its standard error, until it ends.
    fn rest(&mut self) -> String {
        let mut rest = String::new();
        while self.stderr.read_line(&mut rest).unwrap() > 0 {}
        rest
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn program() -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_llmscope"));
    // The environment of the tests must not configure the service.
    for variable in ["LLMSCOPE_API_KEY", "LLMSCOPE_API_KEYS", "LLMSCOPE_ADDRESS", "DATABASE_PATH", "LLMSCOPE_LOG"] {
        program.env_remove(variable);
    }
    program
}

/// A result as a monitor posts it. It contains its start time, so that it does not depend on its arrival time.
fn entry(number: usize, latency_s: f64, succeeded: bool) -> Value {
    let started_at = jiff::Timestamp::from_second(1_790_000_000).unwrap()
        + jiff::SignedDuration::from_secs(i64::try_from(number).unwrap());
    json!({
        "provider": "openai", "model": "gpt-4o", "latency": latency_s, "success": succeeded, "tokens_in": number,
        "metadata": {"recorder": "llmscope", "started_at": started_at.to_string()},
    })
}

/// Waits until `holds` returns true.
fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
