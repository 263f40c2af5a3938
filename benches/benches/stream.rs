//! The cost of an event from bytes to the response's state, for each dialect: framing, then the vendor's reader. Streams
//! of N, 10N and 100N tokens use OpenAI's dialect. Parsing each event into a generic JSON value shows the minimum cost of a
//! simple client.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use llmscope_harness::{Framer, Framing, ResponseState, VendorKind};

const STREAMS: [(VendorKind, &[u8]); 5] = [
    (VendorKind::OpenAi, include_bytes!("../../llmscope-harness/tests/streams/llama-server/chat_completions.sse")),
    (VendorKind::OpenAiResponses, include_bytes!("../../llmscope-harness/tests/streams/llama-server/responses.sse")),
    (VendorKind::Anthropic, include_bytes!("../../llmscope-harness/tests/streams/llama-server/anthropic_messages.sse")),
    (VendorKind::Bedrock, include_bytes!("../../llmscope-harness/tests/streams/aimock/bedrock_converse_stream.bin")),
    (VendorKind::Ollama, include_bytes!("../../llmscope-harness/tests/streams/aimock/ollama_chat.ndjson")),
];

/// Reads a whole stream and counts its events.
fn read(vendor: VendorKind, stream: &[u8]) -> u64 {
    let (mut framer, mut reader) = (Framer::new(vendor.vendor().framing()), vendor.vendor().reader());
    let mut state = ResponseState::new(false);
    let mut events = 0;
    framer.push(stream);
    while let Some(event) = framer.next().expect("a recorded stream") {
        let _ = black_box(reader.read(event, &mut state));
        events += 1;
    }
    black_box(state);
    events
}

fn generic(stream: &[u8]) {
    let mut framer = Framer::new(Framing::ServerSentEvents);
    framer.push(stream);
    while let Some(event) = framer.next().expect("a generated stream") {
        let _ = black_box(serde_json::from_slice::<serde_json::Value>(event.data));
    }
}

fn chat_of(tokens: usize) -> Vec<u8> {
    let chunk = "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1795420484,\"model\":\"m\",\
                 \"choices\":[{\"index\":0,\"delta\":{\"content\":\" word\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n";
    (chunk.repeat(tokens) + "data: [DONE]\n\n").into_bytes()
}

fn dialects(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("message to answer");
    for (vendor, stream) in STREAMS {
        group.throughput(Throughput::Elements(read(vendor, stream)));
        group.bench_function(vendor.profile().name, |bencher| bencher.iter(|| read(vendor, stream)));
    }
    group.finish();
    let mut group = criterion.benchmark_group("chat completion");
    for tokens in [100, 1_000, 10_000] {
        let stream = chat_of(tokens);
        group.throughput(Throughput::Elements(tokens as u64));
        group.bench_with_input(BenchmarkId::new("ours", tokens), &stream, |bencher, stream| {
            bencher.iter(|| read(VendorKind::OpenAi, stream));
        });
        group.bench_with_input(BenchmarkId::new("generic JSON", tokens), &stream, |bencher, stream| {
            bencher.iter(|| generic(stream));
        });
    }
    group.finish();
}

criterion_group!(benches, dialects);
criterion_main!(benches);
