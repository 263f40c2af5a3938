//! The vendors themselves, where the environment has a key, and a local Ollama server if one is running: two requests
//! of sixteen tokens each. Without a key these tests pass and report that they did not reach the vendor.
//!
//! Not tested: Azure, whose deployments are specific to a customer, and GitHub, whose key is present in most CI
//! environments.

use std::io::Write as _;

use llmscope_core::session::Status;
use llmscope_harness::{Target, TargetOptions, VendorKind};

use crate::{ask, plan, records};

const TOKENS: u32 = 16;

fn not_reached(vendor: VendorKind, why: &str) {
    // Written directly to stderr, because the test runner captures the output of macros.
    let _ = writeln!(std::io::stderr(), "{}: not reached: {why}", vendor.profile().name);
}

/// Sends requests to a vendor if the environment has one of its keys.
fn try_vendor(vendor: VendorKind, model: &str) {
    let profile = vendor.profile();
    if !profile.key_variables.iter().any(|name| std::env::var_os(name).is_some_and(|key| !key.is_empty())) {
        return not_reached(vendor, "no key");
    }
    let options = TargetOptions { model: Some(model.to_owned()), ..TargetOptions::default() };
    check(Target::new(vendor, options).unwrap());
}

fn check(target: Target) {
    let mut plan = plan(1, 2);
    plan.output_tokens = Some(TOKENS);
    for record in records(target, ask("Count from one to twenty and spell out each number."), plan) {
        assert_eq!(record.status, Status::Ok, "{record:?}");
        assert!(record.ttft_s.unwrap() <= record.e2e_s.unwrap(), "{record:?}");
        assert!(record.output_tokens.is_some_and(|tokens| tokens > 0), "{record:?}");
    }
}

#[test]
fn openai() {
    try_vendor(VendorKind::OpenAi, "gpt-4.1-nano");
}

#[test]
fn openai_responses() {
    try_vendor(VendorKind::OpenAiResponses, "gpt-4.1-nano");
}

#[test]
fn anthropic() {
    try_vendor(VendorKind::Anthropic, "claude-haiku-4-5");
}

#[test]
fn gemini() {
    try_vendor(VendorKind::Gemini, "gemini-2.5-flash-lite");
}

#[test]
fn bedrock() {
    try_vendor(VendorKind::Bedrock, "amazon.nova-micro-v1:0");
}

#[test]
fn openrouter() {
    try_vendor(VendorKind::OpenRouter, "meta-llama/llama-3.2-1b-instruct");
}

#[test]
fn ollama() {
    let probe = TargetOptions { model: Some("any".to_owned()), ..TargetOptions::default() };
    let models = Target::new(VendorKind::Ollama, probe).and_then(|target| target.models());
    let Some(model) = models.ok().and_then(|models| models.into_iter().next()) else {
        return not_reached(VendorKind::Ollama, "no server with a model");
    };
    for vendor in [VendorKind::Ollama, VendorKind::OllamaGenerate] {
        let options = TargetOptions { model: Some(model.clone()), ..TargetOptions::default() };
        check(Target::new(vendor, options).unwrap());
    }
}
