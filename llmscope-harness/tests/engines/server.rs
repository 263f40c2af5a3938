//! External servers. Each runs as a process that ends when its stdin is closed, at the latest with this process.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// llama.cpp with a small random model.
pub(crate) static LLAMA_CPP: LazyLock<Server> =
    LazyLock::new(|| Server::start(Command::new(engines().join("python/bin/python")).arg(here("llama_server.py"))));

/// A gateway with the dialects of many vendors, which requires the value of [`KEY_VARIABLE`] as the key.
pub(crate) static GATEWAY: LazyLock<Server> =
    LazyLock::new(|| Server::start(gateway().env("AIMOCK_API_KEYS", std::env::var(KEY_VARIABLE).unwrap())));

/// The same gateway without a key. It verifies no signatures, and the other gateway rejects signed requests.
pub(crate) static OPEN_GATEWAY: LazyLock<Server> = LazyLock::new(|| Server::start(&mut gateway()));

/// A variable that cargo sets for every test; its value serves as the key.
pub(crate) const KEY_VARIABLE: &str = "CARGO_PKG_NAME";

const LONGEST_START: Duration = Duration::from_secs(60);

fn here(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/engines").join(file)
}

fn engines() -> PathBuf {
    let engines = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/engines");
    assert!(engines.join("installed").exists(), "the engines of these tests are not installed: run `make engines`");
    engines
}

fn gateway() -> Command {
    let engines = engines();
    let mut command = Command::new(engines.join("node"));
    command
        .args(["--import", "data:text/javascript,process.stdin.on('end', () => process.exit()).resume()"])
        .arg(engines.join("node_modules/@copilotkit/aimock/dist/cli.js"))
        .args(["--port", "0", "--log-level", "info", "--validate-on-load", "--fixtures"])
        .arg(here("gateway.json"));
    command
}

/// A server on its own port.
pub(crate) struct Server {
    pub(crate) url: String,
    _process: Process,
}

/// Killed when dropped. A static is never dropped; it ends when its stdin closes at the end of this process.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    /// Starts the server, and waits until it prints its address.
    fn start(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = Process(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")));
        let (sender, lines) = mpsc::channel();
        let stdout = BufReader::new(process.0.stdout.take().unwrap());
        // Both pipes are read to their end: a full pipe would block the server.
        thread::spawn(move || stdout.lines().map_while(Result::ok).for_each(|line| drop(sender.send(line))));
        let mut stderr = process.0.stderr.take().unwrap();
        let stderr_text = thread::spawn(move || {
            let mut text = Vec::new();
            let _ = stderr.read_to_end(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        });
        while let Ok(line) = lines.recv_timeout(LONGEST_START) {
            if let Some(at) = line.find("http://127.0.0.1:") {
                return Self { url: line[at..].trim().to_owned(), _process: process };
            }
        }
        drop(process);
        panic!("{command:?} did not start: {}", stderr_text.join().unwrap_or_default());
    }
}
