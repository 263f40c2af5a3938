//! A real engine that generates tokens.

use llmscope_core::session::RequestRecord;
use llmscope_harness::workload::{Sizes, Workload};
use llmscope_harness::{Plan, Target, VendorKind};

use crate::server::LLAMA_CPP;
use crate::{check_response, number, options, plan, records};

const REQUESTS: u64 = 8;
const TOKENS: u32 = 64;

/// Sends requests to llama.cpp in the dialect of a vendor, and checks what holds in each.
fn records_of(vendor: VendorKind, plan: Plan) -> Vec<RequestRecord> {
    let target = Target::new(vendor, options(&LLAMA_CPP.url, None)).unwrap();
    assert_eq!(target.model, "random-llama-2l", "the only model of the server is the default");
    let sizes = Sizes::fixed(16, TOKENS);
    let records = records(target, Workload::synthetic(sizes, 8, 7), plan);
    for record in &records {
        check_response(record);
        assert_eq!(record.output_tokens, Some(TOKENS.into()), "{record:?}");
        assert!(record.input_tokens.unwrap() >= 16, "{record:?}");
        let (ttft_s, e2e_s) = (record.ttft_s.unwrap(), record.e2e_s.unwrap());
        let tpot_s = record.tpot_s.unwrap();
        assert!(0.0 < tpot_s && tpot_s * f64::from(TOKENS - 1) <= e2e_s - ttft_s + 1e-9, "{record:?}");
    }
    records
}

/// The times that the engine reports are within the measured times.
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
    let records = records_of(VendorKind::OpenAi, plan(2, REQUESTS));
    check_server_times(&records);
    // Every token has its own event.
    assert!(records.iter().all(|record| number(record, "chunks") == Some(TOKENS.into())), "{records:?}");
}

#[test]
fn responses() {
    check_server_times(&records_of(VendorKind::OpenAiResponses, plan(2, REQUESTS)));
}

/// This dialect has no field for the engine's times.
#[test]
fn messages() {
    records_of(VendorKind::Anthropic, plan(2, REQUESTS));
}

/// More clients than slots: waiting for a slot is part of the time to first token.
#[test]
fn more_clients_than_slots() {
    check_server_times(&records_of(VendorKind::OpenAi, plan(12, 36)));
}

/// Without reuse, each request opens its own connection.
#[test]
fn new_connections() {
    let records = records_of(VendorKind::OpenAi, Plan { reuse_connections: false, ..plan(2, REQUESTS) });
    assert!(records.iter().all(|record| record.connect_s.is_some()), "{records:?}");
}

/// The response becomes part of the next prompt, so the prompt grows.
#[test]
fn conversations() {
    let target = Target::new(VendorKind::OpenAi, options(&LLAMA_CPP.url, None)).unwrap();
    let mut workload = Workload::synthetic(Sizes::fixed(16, TOKENS), 3, 11);
    let turns = std::mem::take(&mut workload.conversations).into_iter().flat_map(|one| one.turns).collect();
    workload.conversations.push(llmscope_harness::workload::Conversation { turns, ..Default::default() });
    let records = records(target, workload, plan(1, 3));
    records.iter().for_each(check_response);
    let prompts: Vec<_> = records.iter().map(|record| record.input_tokens.unwrap()).collect();
    assert!(prompts.windows(2).all(|pair| pair[1] >= pair[0] + u64::from(TOKENS)), "{prompts:?}");
}
