//! The request for each vendor: address, headers, body, and that it does not expose the key.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request};
use llmscope_harness::vendor::{AwsSigner, ChatRequest, Endpoint, Message, Role};
use llmscope_harness::{Secret, VendorKind};
use serde_json::{Map, Value, json};

const KEY: &str = "sk-never-to-be-seen";

fn endpoint(url: &str) -> Endpoint {
    Endpoint { url: url.parse().unwrap(), key: Some(Secret::new(KEY)), aws: None, headers: HeaderMap::new() }
}

fn message(role: Role, text: &str) -> Message {
    Message { role, text: text.to_owned() }
}

/// A request to `model` with three messages, a system prompt and a token limit.
fn request(vendor: VendorKind, endpoint: &Endpoint, model: &str) -> Request<Bytes> {
    let conversation = [message(Role::User, "Hi"), message(Role::Assistant, "Hello"), message(Role::User, "Grüße")];
    let chat = ChatRequest {
        model,
        system: Some("Be brief."),
        conversation: &conversation,
        output_tokens: Some(64),
        extra: &Map::new(),
    };
    vendor.vendor().request(endpoint, &chat).unwrap()
}

fn body(request: &Request<Bytes>) -> Value {
    serde_json::from_slice(request.body()).unwrap()
}

fn target(vendor: VendorKind, url: &str, model: &str) -> String {
    request(vendor, &endpoint(url), model).uri().to_string()
}

#[test]
fn every_vendor_has_its_own_address() {
    use VendorKind::*;
    let cases = [
        (OpenAi, "https://api.openai.com/v1", "/v1/chat/completions"),
        (OpenAi, "http://localhost:8000", "/v1/chat/completions"),
        (OpenAi, "http://localhost:8000/", "/v1/chat/completions"),
        (OpenAi, "http://localhost:8000/v1/", "/v1/chat/completions"),
        (OpenAi, "http://localhost:8000/proxy/api?tenant=a%20b", "/proxy/api/chat/completions?tenant=a%20b"),
        (OpenAiResponses, "https://api.openai.com", "/v1/responses"),
        (OpenAiResponses, "https://api.openai.com/v1", "/v1/responses"),
        (OpenRouter, "https://openrouter.ai/api/v1", "/api/v1/chat/completions"),
        (Anthropic, "https://api.anthropic.com", "/v1/messages"),
        (Anthropic, "https://api.anthropic.com/v1", "/v1/messages"),
        (Anthropic, "https://api.anthropic.com/v1/", "/v1/messages"),
        (Gemini, "https://generativelanguage.googleapis.com", "/v1beta/models/m-1.5:streamGenerateContent?alt=sse"),
        (Gemini, "https://example.com/v1", "/v1/models/m-1.5:streamGenerateContent?alt=sse"),
        (GitHub, "https://models.github.ai/inference", "/inference/chat/completions"),
        (Ollama, "http://localhost:11434", "/api/chat"),
        (Ollama, "http://localhost:11434/", "/api/chat"),
        (OllamaGenerate, "http://localhost:11434", "/api/generate"),
        (Bedrock, "https://bedrock-runtime.us-east-1.amazonaws.com", "/model/m-1.5/converse-stream"),
        (Azure, "https://r.openai.azure.com", "/openai/v1/chat/completions"),
        (Azure, "https://r.openai.azure.com/openai/v1/", "/openai/v1/chat/completions"),
        (
            Azure,
            "https://r.openai.azure.com/openai/deployments/gpt-4o?api-version=2024-10-21",
            "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21",
        ),
        (Simulated, "http://simulated.invalid/v1", "/v1/chat/completions"),
    ];
    for vendor in VendorKind::ALL {
        assert!(cases.iter().any(|(covered, ..)| *covered == vendor), "{vendor:?}");
    }
    for (vendor, url, expected) in cases {
        assert_eq!(target(vendor, url, "m-1.5"), expected, "{vendor:?} at {url}");
        let request = request(vendor, &endpoint(url), "m-1.5");
        let host = url.split('/').nth(2).unwrap();
        assert_eq!((request.method().as_str(), &request.headers()["host"]), ("POST", &HeaderValue::from_static(host)));
        assert_eq!(request.headers()["content-type"], "application/json");
        assert!(request.headers()["user-agent"].to_str().unwrap().starts_with("llmscope/"));
    }
}

#[test]
fn names_of_models_stay_one_segment() {
    let base = "https://bedrock-runtime.eu-central-1.amazonaws.com";
    let arn = "arn:aws:bedrock:us-west-2:123456789012:inference-profile/us.amazon.nova-lite-v1:0";
    let segment = "arn%3Aaws%3Abedrock%3Aus-west-2%3A123456789012%3Ainference-profile%2Fus.amazon.nova-lite-v1%3A0";
    let cases = [
        ("anthropic.claude-3-5-sonnet-20240620-v1:0", "anthropic.claude-3-5-sonnet-20240620-v1%3A0"),
        (arn, segment),
        ("a b?c#d%e_f~g", "a%20b%3Fc%23d%25e_f~g"),
        ("ü", "%C3%BC"),
    ];
    for (model, segment) in cases {
        let expected = format!("/model/{segment}/converse-stream");
        assert_eq!(target(VendorKind::Bedrock, base, model), expected);
        assert_eq!(target(VendorKind::Bedrock, &format!("{base}/"), model), expected);
    }
    let gemini = target(VendorKind::Gemini, "https://example.com", "models/gemini-2.5-flash");
    assert_eq!(gemini, "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse");
}

/// The header that holds the key, and the prefix of its value.
fn key_header(vendor: VendorKind) -> Option<(&'static str, &'static str)> {
    match vendor {
        VendorKind::Azure => Some(("api-key", "")),
        VendorKind::Anthropic => Some(("x-api-key", "")),
        VendorKind::Gemini => Some(("x-goog-api-key", "")),
        VendorKind::Simulated => None,
        _ => Some(("authorization", "Bearer ")),
    }
}

#[test]
fn the_key_is_in_one_header_and_not_exposed() {
    for vendor in VendorKind::ALL {
        let endpoint = endpoint("https://example.com/v1");
        let request = request(vendor, &endpoint, "m");
        let holders = request.headers().iter().filter(|(_, value)| value.to_str().unwrap().contains(KEY));
        let holders: Vec<_> = holders.map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        match key_header(vendor) {
            Some((name, prefix)) => {
                assert_eq!(holders, [(name, format!("{prefix}{KEY}").as_str())], "{vendor:?}");
                assert!(request.headers()[name].is_sensitive(), "{vendor:?}");
            }
            None => assert!(holders.is_empty(), "{vendor:?}"),
        }
        let shown = format!("{endpoint:?} {request:?} {} {:?}", request.uri(), request.body());
        assert!(!shown.contains(KEY), "{vendor:?}: {shown}");
        assert!(format!("{endpoint:?}").contains("***"));
        let anonymous = Endpoint { key: None, ..endpoint };
        let request = self::request(vendor, &anonymous, "m");
        assert!(key_header(vendor).is_none_or(|(name, _)| !request.headers().contains_key(name)), "{vendor:?}");
    }
}

#[test]
fn signing_secrets_are_not_exposed() {
    let signer = AwsSigner::new("AKIDEXAMPLE", Secret::new(KEY), Some(Secret::new("token-unseen")), "us-east-1");
    let url = "https://bedrock-runtime.us-east-1.amazonaws.com".parse().unwrap();
    let endpoint = Endpoint { url, key: None, aws: Some(signer), headers: HeaderMap::new() };
    let signed = request(VendorKind::Bedrock, &endpoint, "m");
    let shown = format!("{endpoint:?} {signed:?}");
    assert!(!shown.contains(KEY) && !shown.contains("token-unseen") && !shown.contains("Signature="), "{shown}");
    for name in ["authorization", "x-amz-security-token"] {
        assert!(signed.headers()[name].is_sensitive(), "{name}");
    }
    assert_eq!(signed.headers()["x-amz-security-token"], "token-unseen");
    assert!(
        signed.headers()["authorization"].to_str().unwrap().starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    );
    // A Bedrock API key replaces the signature.
    let endpoint = Endpoint { key: Some(Secret::new(KEY)), ..endpoint };
    let request = request(VendorKind::Bedrock, &endpoint, "m");
    assert_eq!(request.headers()["authorization"], format!("Bearer {KEY}"));
    assert!(!request.headers().contains_key("x-amz-date"));
}

#[test]
fn keys_that_are_invalid_in_headers_are_refused_and_not_exposed() {
    for vendor in VendorKind::ALL.into_iter().filter(|vendor| key_header(*vendor).is_some()) {
        let endpoint = Endpoint { key: Some(Secret::new("two\nlines-of-key")), ..endpoint("https://example.com/v1") };
        let chat = ChatRequest { model: "m", system: None, conversation: &[], output_tokens: None, extra: &Map::new() };
        let error = vendor.vendor().request(&endpoint, &chat).unwrap_err().to_string();
        assert!(!error.contains("lines-of-key"), "{vendor:?}: {error}");
    }
}

#[test]
fn vendors_require_their_own_headers() {
    let headers = |vendor: VendorKind| request(vendor, &endpoint("https://example.com/v1"), "m").headers().clone();
    assert_eq!(headers(VendorKind::Anthropic)["anthropic-version"], "2023-06-01");
    assert_eq!(headers(VendorKind::GitHub)["x-github-api-version"], "2022-11-28");
    assert_eq!(headers(VendorKind::GitHub)["accept"], "application/vnd.github+json");
}

#[test]
fn headers_of_the_endpoint_are_sent() {
    for vendor in VendorKind::ALL {
        let mut endpoint = endpoint("https://example.com/v1");
        endpoint.headers.insert("x-tenant", HeaderValue::from_static("a"));
        endpoint.headers.insert("user-agent", HeaderValue::from_static("b"));
        let request = request(vendor, &endpoint, "m");
        assert_eq!(
            (&request.headers()["x-tenant"], &request.headers()["user-agent"]),
            (&"a".parse().unwrap(), &"b".parse().unwrap())
        );
        assert_eq!(request.headers().get_all("user-agent").iter().count(), 1, "{vendor:?}");
    }
}

/// The conversation in OpenAI's format, without the system prompt.
fn messages() -> Vec<Value> {
    vec![
        json!({"role": "user", "content": "Hi"}),
        json!({"role": "assistant", "content": "Hello"}),
        json!({"role": "user", "content": "Grüße"}),
    ]
}

fn with_system() -> Vec<Value> {
    std::iter::once(json!({"role": "system", "content": "Be brief."})).chain(messages()).collect()
}

#[test]
fn bodies_of_chat_completions() {
    use VendorKind::*;
    let body_at = |vendor, url: &str| body(&request(vendor, &endpoint(url), "m"));
    let chat = |bound: &str| json!({"model": "m", "messages": with_system(), "stream": true, "stream_options": {"include_usage": true}, bound: 64});
    let cases = [
        // Only OpenAI itself and the newer address of Azure use the newer name.
        (OpenAi, "https://api.openai.com/v1", "max_completion_tokens"),
        (OpenAi, "http://localhost:8000/v1", "max_tokens"),
        (Azure, "https://r.openai.azure.com", "max_completion_tokens"),
        (Azure, "https://r.openai.azure.com/openai/deployments/d?api-version=2024-10-21", "max_tokens"),
        (GitHub, "https://models.github.ai/inference", "max_tokens"),
        (Simulated, "http://simulated.invalid/v1", "max_tokens"),
    ];
    for (vendor, url, bound) in cases {
        assert_eq!(body_at(vendor, url), chat(bound), "{vendor:?} at {url}");
    }
    let mut expected = chat("max_tokens");
    expected["usage"] = json!({"include": true});
    assert_eq!(body_at(OpenRouter, "https://openrouter.ai/api/v1"), expected);
}

#[test]
fn bodies_of_the_other_dialects() {
    use VendorKind::*;
    let parts = |role: &str, text: &str| json!({"role": role, "parts": [{"text": text}]});
    let blocks = |role: &str, text: &str| json!({"role": role, "content": [{"text": text}]});
    let cases = [
        (
            OpenAiResponses,
            json!({"model": "m", "stream": true, "instructions": "Be brief.", "input": messages(), "max_output_tokens": 64}),
        ),
        (
            Anthropic,
            json!({"model": "m", "max_tokens": 64, "stream": true, "system": "Be brief.", "messages": messages()}),
        ),
        (
            Gemini,
            json!({
                "contents": [parts("user", "Hi"), parts("model", "Hello"), parts("user", "Grüße")],
                "systemInstruction": {"parts": [{"text": "Be brief."}]},
                "generationConfig": {"maxOutputTokens": 64},
            }),
        ),
        (
            Bedrock,
            json!({
                "messages": [blocks("user", "Hi"), blocks("assistant", "Hello"), blocks("user", "Grüße")],
                "system": [{"text": "Be brief."}],
                "inferenceConfig": {"maxTokens": 64},
            }),
        ),
        (Ollama, json!({"model": "m", "stream": true, "messages": with_system(), "options": {"num_predict": 64}})),
        (
            OllamaGenerate,
            json!({
                "model": "m",
                "stream": true,
                "prompt": "User: Hi\nAssistant: Hello\nUser: Grüße\nAssistant:",
                "system": "Be brief.",
                "options": {"num_predict": 64},
            }),
        ),
    ];
    for (vendor, expected) in cases {
        assert_eq!(body(&request(vendor, &endpoint("https://example.com/v1"), "m")), expected, "{vendor:?}");
    }
}

/// Without a token limit or a system prompt, the request has no such fields. Only Anthropic requires a limit.
#[test]
fn options_that_are_not_set_are_not_sent() {
    let conversation = [message(Role::User, "Hi")];
    for vendor in VendorKind::ALL {
        let chat = ChatRequest {
            model: "m",
            system: None,
            conversation: &conversation,
            output_tokens: None,
            extra: &Map::new(),
        };
        let body = body(&vendor.vendor().request(&endpoint("https://example.com/v1"), &chat).unwrap());
        let text = body.to_string();
        for absent in ["system", "instructions", "\"options\"", "onfig", "max_output", "max_completion"] {
            assert!(!text.contains(absent), "{vendor:?} sends {absent}: {text}");
        }
        assert_eq!(text.contains("max_tokens"), vendor == VendorKind::Anthropic, "{text}");
        assert!(vendor != VendorKind::OllamaGenerate || body["prompt"] == "Hi", "{text}");
    }
}

#[test]
fn extra_fields_are_added_and_override_those_of_the_dialect() {
    let extra = json!({"temperature": 0, "stream": "overridden"});
    let extra = extra.as_object().unwrap();
    let conversation = [message(Role::User, "Hi")];
    for vendor in VendorKind::ALL {
        let chat = ChatRequest { model: "m", system: None, conversation: &conversation, output_tokens: None, extra };
        let body = body(&vendor.vendor().request(&endpoint("https://example.com/v1"), &chat).unwrap());
        assert_eq!((&body["temperature"], &body["stream"]), (&json!(0), &json!("overridden")), "{vendor:?}");
    }
}

#[test]
fn lists_of_models() {
    use VendorKind::*;
    let cases = [
        (OpenAi, "http://localhost:8000", Some("/v1/models")),
        (OpenAiResponses, "https://api.openai.com/v1", Some("/v1/models")),
        (OpenRouter, "https://openrouter.ai/api/v1", Some("/api/v1/models")),
        (Anthropic, "https://api.anthropic.com", Some("/v1/models")),
        (Gemini, "https://generativelanguage.googleapis.com", Some("/v1beta/models")),
        (GitHub, "https://models.github.ai/inference", Some("/catalog/models")),
        (Ollama, "http://localhost:11434", Some("/api/tags")),
        (OllamaGenerate, "http://localhost:11434", Some("/api/tags")),
        (Azure, "https://r.openai.azure.com", None),
        (Bedrock, "https://bedrock-runtime.us-east-1.amazonaws.com", None),
        (Simulated, "http://simulated.invalid/v1", None),
    ];
    assert_eq!(cases.len(), VendorKind::ALL.len());
    for (vendor, url, expected) in cases {
        let request = vendor.vendor().models(&endpoint(url)).unwrap();
        assert_eq!(request.as_ref().map(|request| request.uri().to_string()).as_deref(), expected, "{vendor:?}");
        if let Some(request) = request {
            assert_eq!((request.method().as_str(), request.body().len()), ("GET", 0), "{vendor:?}");
            assert!(request.headers().contains_key(key_header(vendor).unwrap().0), "{vendor:?}");
            assert!(!format!("{request:?}").contains(KEY), "{vendor:?}");
        }
    }
}
