//! A language-model endpoint that knows its own times to the microsecond, to measure load generators against.
//!
//! It answers OpenAI chat completions over chunked server-sent events. Chunk `k` is due at `t0 + ttft + k * itl`, where
//! `t0` is the time when the request was fully read. Deadlines are absolute, so delays do not accumulate. Each chunk is
//! one write, timestamped when the write returns. `GET /truth` reports the chunks and their times, `POST /reset` clears
//! them.
//!
//! It has one thread: on a machine with few cores, a second one would take time from the client under test.

mod answer;
mod request;
mod truth;

use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::{Parser, ValueEnum};
use llmscope_benches::sockets::write_all;
use serde_json::json;
use tokio::net::{TcpSocket, TcpStream};

use crate::request::{Chat, Request};
use crate::truth::Truth;

/// Connections that may wait to be accepted: a thousand clients connect at once.
const BACKLOG: u32 = 4096;

/// A mock of an OpenAI-compatible endpoint that timestamps each chunk.
#[derive(Debug, Parser)]
struct Options {
    /// Port on 127.0.0.1; 0 uses any free one. The first line of stdout contains it.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Time to the first token, in milliseconds.
    #[arg(long, default_value_t = 100.0)]
    ttft_ms: f64,
    /// Time between tokens, in milliseconds. If both times are 0, it answers at full speed.
    #[arg(long, default_value_t = 10.0)]
    itl_ms: f64,
    /// Tokens of an answer [default: the request's maximum, else 16]
    #[arg(long)]
    tokens: Option<u32>,
    /// Tokens N in each chunk. Chunk k is due at TTFT + k * N * ITL.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    tokens_per_chunk: u32,
    /// Sends a chunk with only a role as soon as the request is read.
    #[arg(long)]
    role_chunk_first: bool,
    /// When to send a last chunk with the usage and no choices.
    #[arg(long, value_enum, default_value_t = Usage::Asked)]
    usage: Usage,
}

/// When a stream ends with the usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Usage {
    /// If the request sets `stream_options.include_usage`.
    Asked,
    Always,
    Never,
}

/// The pace of answers, shared by all connections.
#[derive(Debug)]
struct Pace {
    ttft: Duration,
    itl: Duration,
    tokens: Option<u32>,
    tokens_per_chunk: u32,
    role_chunk_first: bool,
    usage: Usage,
}

impl Pace {
    fn of(options: &Options) -> anyhow::Result<Self> {
        let duration = |ms: f64, name: &str| {
            Duration::try_from_secs_f64(ms / 1e3)
                .with_context(|| format!("invalid {name} {ms}: expected a time in milliseconds"))
        };
        Ok(Self {
            ttft: duration(options.ttft_ms, "--ttft-ms")?,
            itl: duration(options.itl_ms, "--itl-ms")?,
            tokens: options.tokens,
            tokens_per_chunk: options.tokens_per_chunk,
            role_chunk_first: options.role_chunk_first,
            usage: options.usage,
        })
    }

    /// The number of tokens that a request receives.
    fn tokens_for(&self, chat: &Chat) -> u32 {
        self.tokens.or(chat.max_completion_tokens).or(chat.max_tokens).unwrap_or(16).max(1)
    }

    fn with_usage(&self, chat: &Chat) -> bool {
        match self.usage {
            Usage::Asked => chat.stream_options.is_some_and(|options| options.include_usage),
            Usage::Always => true,
            Usage::Never => false,
        }
    }
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let pace = Arc::new(Pace::of(&options)?);
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(serve(options.port, pace))
}

/// Accepts connections forever.
async fn serve(port: u16, pace: Arc<Pace>) -> anyhow::Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(([127, 0, 0, 1], port).into()).with_context(|| format!("port {port}"))?;
    let listener = socket.listen(BACKLOG)?;
    let port = listener.local_addr()?.port();
    writeln!(io::stdout().lock(), "{}", json!({ "port": port, "url": format!("http://127.0.0.1:{port}/v1") }))?;

    let truth = Arc::new(Truth::default());
    let mut connection = 0;
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, or the client left before the accept. Other connections continue.
            tokio::time::sleep(Duration::from_millis(1)).await;
            continue;
        };
        connection += 1;
        let (pace, truth) = (Arc::clone(&pace), Arc::clone(&truth));
        tokio::spawn(async move {
            // A client that leaves is not an error of the mock. Its entry shows the missing end.
            let _ = converse(&stream, connection, &pace, &truth).await;
        });
    }
}

/// Answers one connection's requests until it closes.
async fn converse(stream: &TcpStream, connection: u64, pace: &Pace, truth: &Truth) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    while let Some(request) = request::next(stream, &mut buffer).await? {
        let read_at = Instant::now();
        match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/v1/chat/completions" | "/chat/completions") => {
                complete(stream, &request, read_at, connection, pace, truth).await?;
            }
            ("GET", "/truth") => write_all(stream, &answer::json("200 OK", &truth.report())).await?,
            ("POST", "/reset") => {
                truth.reset();
                write_all(stream, &answer::json("200 OK", &json!({}))).await?;
            }
            // Clients request this before they begin.
            ("GET", "/v1/models" | "/models") => write_all(stream, &answer::json("200 OK", &answer::models())).await?,
            ("GET", "/" | "/health" | "/v1/health") => write_all(stream, &answer::json("200 OK", &json!({}))).await?,
            _ => write_all(stream, &answer::error("404 Not Found", "no such path")).await?,
        }
        if request.closes {
            break;
        }
    }
    Ok(())
}

/// Answers a chat completion.
async fn complete(
    stream: &TcpStream,
    request: &Request,
    read_at: Instant,
    connection: u64,
    pace: &Pace,
    truth: &Truth,
) -> io::Result<()> {
    let chat: Chat = match serde_json::from_slice(&request.body) {
        Ok(chat) => chat,
        Err(error) => return write_all(stream, &answer::error("400 Bad Request", &error.to_string())).await,
    };
    if chat.stream {
        answer::stream(stream, &chat, read_at, connection, pace, truth).await
    } else {
        answer::whole(stream, &chat, read_at, pace).await
    }
}
