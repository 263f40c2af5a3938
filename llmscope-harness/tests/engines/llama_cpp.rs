//! A real engine, which really generates tokens.

use llmscope_core::session::RequestRecord;
use llmscope_harness::workload::{Sizes, Workload};
use llmscope_harness::{Plan, Target, VendorKind};

use crate::server::LLAMA_CPP;
use crate::{check_answer, number, options, plan, records};

const REQUESTS: u64 = 8;
const TOKENS: u32 = 64;

/// Asks llama.cpp in a vendor's dialect, and checks what holds in each.
fn answers(vendor: VendorKind, plan: Plan) -> Vec<RequestRecord> {
    let target = Target::new(vendor, options(&LLAMA_CPP.url, None)).unwrap();
    assert_eq!(target.model, "random-llama-2l", "it serves only one model, which need not be named");
    let sizes = Sizes::fixed(16, TOKENS);
    let records = records(target, Workload::synthetic(sizes, 8, 7), plan);
    for record in &records {
        check_answer(record);
        assert_eq!(record.output_tokens, Some(TOKENS.into()), "{record:?}");
        assert!(record.input_tokens.unwrap() >= 16, "{record:?}");
        let (ttft_s, e2e_s) = (record.ttft_s.unwrap(), record.e2e_s.unwrap());
        let tpot_s = record.tpot_s.unwrap();
        assert!(0.0 < tpot_s && tpot_s * f64::from(TOKENS - 1) <= e2e_s - ttft_s + 1e-9, "{record:?}");
    }
    records
}

/// What the engine says of itself fits into what was seen from outside.
fn check_server_times(records: &[RequestRecord]) {
    for record in records {
        let (prefill_s, decode_s) = (number(record, "server_prefill_s"), number(record, "server_decode_s"));
        let (prefill_s, decode_s) = (prefill_s.unwrap(), decode_s.unwrap());
        assert!(0.0 < prefill_s && prefill_s <= record.ttft_s.unwrap(), "{record:?}");
        assert!(0.0 < decode_s && prefill_s + decode_s <= record.e2e_s.unwrap(), "{record:?}");
    }
}

#[test]
fn chat_completions() {
    let records = answers(VendorKind::OpenAi, plan(2, REQUESTS));
    check_server_times(&records);
    // Every token has a message of its own.
    assert!(records.iter().all(|record| number(record, "chunks") == Some(TOKENS.into())), "{records:?}");
}

#[test]
fn responses() {
    check_server_times(&answers(VendorKind::OpenAiResponses, plan(2, REQUESTS)));
}

/// This dialect has no place for the engine's times.
#[test]
fn messages() {
    answers(VendorKind::Anthropic, plan(2, REQUESTS));
}

/// More clients than slots: whoever waits for a slot waits for the first token.
#[test]
fn more_clients_than_slots() {
    check_server_times(&answers(VendorKind::OpenAi, plan(12, 36)));
}

/// With new connections, each is opened before its request is issued.
#[test]
fn new_connections() {
    let records = answers(VendorKind::OpenAi, Plan { reuse_connections: false, ..plan(2, REQUESTS) });
    assert!(records.iter().all(|record| record.connect_s.is_some()), "{records:?}");
}

/// The words of an answer belong to the next question: the prompt grows.
#[test]
fn conversations() {
    let target = Target::new(VendorKind::OpenAi, options(&LLAMA_CPP.url, None)).unwrap();
    let mut workload = Workload::synthetic(Sizes::fixed(16, TOKENS), 3, 11);
    let turns = std::mem::take(&mut workload.conversations).into_iter().flat_map(|one| one.turns).collect();
    workload.conversations.push(llmscope_harness::workload::Conversation { turns, ..Default::default() });
    let records = records(target, workload, plan(1, 3));
    records.iter().for_each(check_answer);
    let prompts: Vec<_> = records.iter().map(|record| record.input_tokens.unwrap()).collect();
    assert!(prompts.windows(2).all(|pair| pair[1] >= pair[0] + u64::from(TOKENS)), "{prompts:?}");
}
