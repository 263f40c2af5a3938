//! A minimal client of a stream, as the lower bound for a load generator. It is a closed loop over raw sockets that takes
//! a timestamp after each read and searches the bytes for `data:`. It works only with the mock endpoint.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context as _, ensure};
use clap::Parser;
use llmscope_benches::sockets::{read_some, write_all};
use serde_json::{Value, json};
use tokio::net::TcpStream;

/// A closed loop of streamed chat completions against the mock endpoint.
#[derive(Debug, Parser)]
struct Options {
    /// Port of the mock on 127.0.0.1.
    #[arg(long)]
    port: u16,
    #[arg(long, default_value_t = 96)]
    requests: u64,
    #[arg(long, default_value_t = 16)]
    concurrency: u64,
    /// Words in the prompt.
    #[arg(long, default_value_t = 64)]
    prompt_tokens: usize,
    #[arg(long, default_value_t = 64)]
    output_tokens: u32,
}

/// The times of one answer, in seconds.
#[derive(Debug)]
struct Times {
    ttft: f64,
    /// Mean gap between chunks, if there is more than one.
    itl: Option<f64>,
    e2e: f64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let prompt = vec!["the"; options.prompt_tokens].join(" ");
    let body = json!({ "model": "m", "messages": [{ "role": "user", "content": prompt }], "stream": true,
        "stream_options": { "include_usage": true }, "max_tokens": options.output_tokens })
    .to_string();
    let length = body.len();
    let request: Arc<[u8]> = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
    .into();

    let (left, began) = (Arc::new(AtomicU64::new(options.requests)), Instant::now());
    let streams: Vec<_> = (0..options.concurrency.min(options.requests))
        .map(|_| tokio::spawn(run(options.port, Arc::clone(&request), Arc::clone(&left))))
        .collect();
    let mut times = Vec::new();
    for stream in streams {
        times.extend(stream.await??);
    }
    let result = summary(&times, began.elapsed().as_secs_f64())?;
    writeln!(io::stdout().lock(), "{result}")?;
    Ok(())
}

/// Uses one connection until no requests are left.
async fn run(port: u16, request: Arc<[u8]>, left: Arc<AtomicU64>) -> anyhow::Result<Vec<Times>> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.context("the mock does not listen on this port")?;
    stream.set_nodelay(true)?;
    let (mut times, mut buffer) = (Vec::new(), Vec::new());
    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
        times.push(exchange(&stream, &request, &mut buffer).await?);
    }
    Ok(times)
}

/// Sends a request and reads its answer.
async fn exchange(stream: &TcpStream, request: &[u8], buffer: &mut Vec<u8>) -> anyhow::Result<Times> {
    let sent = Instant::now();
    write_all(stream, request).await?;
    let (mut first, mut last, mut chunks) = (None, sent, 0_u32);
    loop {
        ensure!(read_some(stream, buffer).await? > 0, "the mock closed the connection");
        let now = Instant::now();
        let Some(complete) = buffer.iter().rposition(|&byte| byte == b'\n') else { continue };
        for line in buffer[..complete].split(|&byte| byte == b'\n') {
            if line.starts_with(b"data:") && has_content(line) {
                (first, last) = (first.or(Some(now)), now);
                chunks += 1;
            }
        }
        let done = buffer.ends_with(b"\r\n0\r\n\r\n");
        buffer.drain(..=complete);
        if done {
            break;
        }
    }
    let first = first.context("the answer has no content")?;
    Ok(Times {
        ttft: (first - sent).as_secs_f64(),
        itl: (chunks > 1).then(|| (last - first).as_secs_f64() / f64::from(chunks - 1)),
        e2e: sent.elapsed().as_secs_f64(),
    })
}

/// Whether a line contains non-empty text, in the mock's format.
fn has_content(line: &[u8]) -> bool {
    const KEY: &[u8] = b"\"content\":\"";
    line.windows(KEY.len()).position(|window| window == KEY).is_some_and(|at| line.get(at + KEY.len()) != Some(&b'"'))
}

#[allow(clippy::cast_precision_loss, reason = "counts of requests are far below 2^53")]
fn summary(times: &[Times], wall_s: f64) -> anyhow::Result<Value> {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let mut ttft: Vec<f64> = times.iter().map(|times| times.ttft).collect();
    ttft.sort_by(f64::total_cmp);
    let itl: Vec<f64> = times.iter().filter_map(|times| times.itl).collect();
    let e2e: Vec<f64> = times.iter().map(|times| times.e2e).collect();
    Ok(json!({
        "requests": times.len(),
        "ttft_mean_s": mean(&ttft),
        "ttft_p99_s": quantile(&ttft, 0.99),
        "itl_mean_s": if itl.is_empty() { None } else { Some(mean(&itl)) },
        "e2e_mean_s": mean(&e2e),
        "requests_per_s": times.len() as f64 / wall_s,
        "cpu_s": cpu_seconds()?,
    }))
}

/// A quantile of sorted values with linear interpolation, as in NumPy and most load generators.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank")]
fn quantile(sorted: &[f64], level: f64) -> Option<f64> {
    let rank = level * (sorted.len().checked_sub(1)?) as f64;
    let (below, above) = (sorted[rank.floor() as usize], sorted[rank.ceil() as usize]);
    Some(below + (above - below) * rank.fract())
}

/// Processor time of this process, in the system's ticks of 10 ms.
fn cpu_seconds() -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").context("the system has no /proc/self/stat")?;
    // The name in parentheses may contain spaces. After it, utime and stime are fields 12 and 13.
    let (_, fields) = stat.rsplit_once(')').context("unknown format of /proc/self/stat")?;
    let ticks: Vec<f64> = fields.split_whitespace().skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() / 100.0)
}
