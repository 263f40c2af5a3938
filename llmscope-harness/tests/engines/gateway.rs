//! The dialects of the vendors, as the gateway implements them. Its streams have a first chunk after 60 ms, then a
//! hundred chunks per second of six characters each. It requires a key.

use llmscope_core::session::{RequestRecord, Status};
use llmscope_harness::vendor::AwsSigner;
use llmscope_harness::{Secret, Target, TargetOptions, VendorKind};

use crate::server::{GATEWAY, KEY_VARIABLE, OPEN_GATEWAY};
use crate::{ask, check_response, number, options, plan, records, text};

const REQUESTS: u64 = 4;
/// Timers of the gateway tick in whole milliseconds.
const TTFT_S: f64 = 0.059;
const WORDS: &str = "one two three four five six seven eight nine ten";

fn target(vendor: VendorKind, path: &str) -> Target {
    let key_variable = Some(KEY_VARIABLE.to_owned());
    let options = options(&format!("{}{path}", GATEWAY.url), Some("some-model"));
    Target::new(vendor, TargetOptions { key_variable, ..options }).unwrap()
}

fn check(record: &RequestRecord) {
    check_response(record);
    let characters = WORDS.len() as f64;
    assert_eq!(number(record, "chunks"), Some((characters / 6.0).ceil()), "{record:?}");
    assert!(record.ttft_s.unwrap() >= TTFT_S, "{record:?}");
}

fn check_usage(record: &RequestRecord) {
    check(record);
    assert_eq!((record.input_tokens, record.output_tokens), (Some(7), Some(10)), "{record:?}");
    assert!(record.tpot_s.unwrap() > 0.0, "{record:?}");
}

fn records_of(target: Target) -> Vec<RequestRecord> {
    records(target, ask("[plain] count"), plan(2, REQUESTS))
}

#[test]
fn openai() {
    records_of(target(VendorKind::OpenAi, "")).iter().for_each(check_usage);
    records_of(target(VendorKind::OpenAi, "/v1")).iter().for_each(check_usage);
}

#[test]
fn openai_responses() {
    records_of(target(VendorKind::OpenAiResponses, "")).iter().for_each(check_usage);
}

#[test]
fn azure() {
    records_of(target(VendorKind::Azure, "")).iter().for_each(check_usage);
    let deployment = "/openai/deployments/some-model?api-version=2024-10-21";
    records_of(target(VendorKind::Azure, deployment)).iter().for_each(check_usage);
}

#[test]
fn anthropic() {
    records_of(target(VendorKind::Anthropic, "")).iter().for_each(check_usage);
}

#[test]
fn gemini() {
    records_of(target(VendorKind::Gemini, "")).iter().for_each(check_usage);
}

/// Comments in the stream are not chunks, and the cost is the one that the vendor reports.
#[test]
fn openrouter() {
    for record in records_of(target(VendorKind::OpenRouter, "/api/v1")) {
        check_usage(&record);
        assert_eq!(record.cost_usd, Some(0.0021), "{record:?}");
    }
}

/// The name of a model can contain characters that need escaping in a URL.
#[test]
fn bedrock() {
    let mut target = target(VendorKind::Bedrock, "");
    target.model = "us.anthropic.some-model-v1:0".to_owned();
    records_of(target).iter().for_each(check_usage);
}

/// The gateway does not verify signatures: this test shows that signing does not break a request.
#[test]
fn bedrock_with_a_signature() {
    let options = options(&OPEN_GATEWAY.url, Some("us.anthropic.some-model-v1:0"));
    let mut target = Target::new(VendorKind::Bedrock, options).unwrap();
    target.endpoint.key = None;
    target.endpoint.aws = Some(AwsSigner::new("AKIDEXAMPLE", Secret::new("a-secret"), None, "us-east-1"));
    records_of(target).iter().for_each(check_usage);
}

/// The gateway counts and measures nothing here: its zeros count as absent.
#[test]
fn ollama() {
    for vendor in [VendorKind::Ollama, VendorKind::OllamaGenerate] {
        for record in records_of(target(vendor, "")) {
            check(&record);
            assert_eq!((record.input_tokens, record.output_tokens, record.tpot_s), (None, None, None), "{record:?}");
            assert_eq!(number(&record, "server_total_s"), None, "{record:?}");
        }
    }
}

/// Every vendor has its own header for the key; the gateway rejects a wrong key.
#[test]
fn a_wrong_key_is_rejected() {
    for vendor in [VendorKind::OpenAi, VendorKind::Anthropic, VendorKind::Gemini, VendorKind::Ollama] {
        let mut target = target(vendor, "");
        target.endpoint.key = Some(Secret::new("a-wrong-key"));
        for record in records(target, ask("[plain] count"), plan(1, 1)) {
            assert_eq!(record.status, Status::Error, "{record:?}");
            let error = record.error.as_ref().unwrap();
            assert_eq!((error.kind.as_str(), error.code), ("unauthorized", Some(401)), "{record:?}");
            assert!((record.ttft_s, record.e2e_s) == (None, None), "{record:?}");
        }
    }
}

/// The gateway lists several models, so the user has to choose one.
#[test]
fn models_are_listed() {
    for vendor in [VendorKind::OpenAi, VendorKind::Ollama] {
        let models = target(vendor, "").models().unwrap();
        assert!(models.len() > 1, "{models:?}");
        let key_variable = Some(KEY_VARIABLE.to_owned());
        let unnamed = TargetOptions { key_variable, ..options(&GATEWAY.url, None) };
        let refusal = Target::new(vendor, unnamed).unwrap_err().to_string();
        assert!(refusal.contains(&models[0]) && refusal.contains("--model"), "{refusal}");
    }
}

#[test]
fn a_record_has_the_id_of_the_response() {
    for record in records_of(target(VendorKind::OpenAi, "")) {
        assert!(text(&record, "gen_ai.response.id").is_some_and(|id| !id.is_empty()), "{record:?}");
    }
}
