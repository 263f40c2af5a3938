//! Signatures of AWS requests compared with known ones.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::Request;
use llmscope_harness::Secret;
use llmscope_harness::vendor::AwsSigner;
use url::Url;

/// The example key of AWS's documentation.
const KEY_ID: &str = "AKIDEXAMPLE";
const KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// 2015-08-30T12:36:00Z and 2026-01-02T03:04:05Z.
const SUITE_TIME: u64 = 1_440_938_160;
const BEDROCK_TIME: u64 = 1_767_323_045;

/// A request, the parameters of its signature, and the signature.
struct Known<'a> {
    method: &'static str,
    url: &'a str,
    body: &'static str,
    token: Option<&'static str>,
    region: &'static str,
    service: &'static str,
    time: u64,
    date: &'static str,
    signature: &'static str,
}

#[track_caller]
fn check(name: &str, known: &Known<'_>) {
    let url: Url = known.url.parse().unwrap();
    let mut request = Request::builder()
        .method(known.method)
        .uri(&url[url::Position::BeforePath..url::Position::AfterQuery])
        .header("host", url.host_str().unwrap())
        // Headers that are not signed may change on the way.
        .header("user-agent", "any")
        .body(Bytes::from_static(known.body.as_bytes()))
        .unwrap();
    let signer = AwsSigner::new(KEY_ID, Secret::new(KEY), known.token.map(Secret::new), known.region);
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(known.time);
    signer.sign(&mut request, &url, known.service, time).unwrap();
    let day = &known.date[..8];
    let token = if known.token.is_some() { ";x-amz-security-token" } else { "" };
    let expected = format!(
        "AWS4-HMAC-SHA256 Credential={KEY_ID}/{day}/{}/{}/aws4_request, SignedHeaders=host;x-amz-date{token}, Signature={}",
        known.region, known.service, known.signature
    );
    assert_eq!(request.headers()["authorization"], expected, "{name}");
    assert_eq!(request.headers()["x-amz-date"], known.date, "{name}");
    let sent = request.headers().get("x-amz-security-token").map(|value| value.to_str().unwrap());
    assert_eq!(sent, known.token, "{name}");
}

/// A token of the test suite.
const LONG_TOKEN: &str = concat!(
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mS",
    "EI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo",
    "0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==",
);

/// AWS's signing test suite as contained in the crate `aws-sigv4` 1.6.4 (from github.com/awslabs/aws-c-auth, v0.9.0,
/// `tests/aws-signing-test-suite/v4`, Apache-2.0). It includes every case that signs only the host, the date and a
/// token, with a path that needs no second escaping. Date 2015-08-30T12:36:00Z, region us-east-1, service `service`.
#[test]
fn the_cases_of_the_signing_test_suite() {
    const UNRESERVED: &str = concat!(
        "/?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=",
        "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    );
    let cases = [
        ("get-vanilla", "GET", "/", None, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("get-vanilla-query", "GET", "/", None, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        (
            "get-vanilla-empty-query-key",
            "GET",
            "/?Param1=value1",
            None,
            "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
        ),
        (
            "get-vanilla-query-order-encoded",
            "GET",
            "/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
            None,
            "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac",
        ),
        (
            "get-vanilla-query-order-key-case",
            "GET",
            "/?Param2=value2&Param1=value1",
            None,
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "get-vanilla-query-unreserved",
            "GET",
            UNRESERVED,
            None,
            "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
        ),
        (
            "get-vanilla-utf8-query",
            "GET",
            "/?ሴ=bar",
            None,
            "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
        ),
        (
            "get-unreserved",
            "GET",
            "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
            None,
            "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
        ),
        (
            "get-relative-normalized",
            "GET",
            "/example/..",
            None,
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "get-relative-relative-normalized",
            "GET",
            "/example1/example2/../..",
            None,
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "get-slash-dot-slash-normalized",
            "GET",
            "/./",
            None,
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        ("get-slash-normalized", "GET", "//", None, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        (
            "get-slash-pointless-dot-normalized",
            "GET",
            "/./example",
            None,
            "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5",
        ),
        (
            "get-slashes-normalized",
            "GET",
            "//example//",
            None,
            "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
        ),
        (
            "get-vanilla-with-session-token",
            "GET",
            "/",
            Some("6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"),
            "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
        ),
        ("post-vanilla", "POST", "/", None, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        ("post-header-key-case", "POST", "/", None, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            "post-vanilla-query",
            "POST",
            "/?Param1=value1",
            None,
            "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
        ),
        (
            "post-vanilla-empty-query-value",
            "POST",
            "/?Param1=value1",
            None,
            "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
        ),
        (
            "post-sts-header-before",
            "POST",
            "/",
            Some(LONG_TOKEN),
            "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
        ),
    ];
    for (name, method, target, token, signature) in cases {
        let url = format!("https://example.amazonaws.com{target}");
        let known = Known {
            method,
            url: &url,
            body: "",
            token,
            region: "us-east-1",
            service: "service",
            time: SUITE_TIME,
            date: "20150830T123600Z",
            signature,
        };
        check(name, &known);
    }
}

/// The older case `double-url-encode` of the suite: escaped characters of a path are escaped again for the signature.
#[test]
fn escaped_paths_are_escaped_twice() {
    let known = Known {
        method: "POST",
        url: "https://lambda.us-east-2.amazonaws.com/2015-03-31/functions/\
              arn%3Aaws%3Alambda%3Aus-west-2%3A892717189312%3Afunction%3Amy-rusty-fun/invocations",
        body: "",
        token: None,
        region: "us-east-2",
        service: "lambda",
        time: 1_620_747_645,
        date: "20210511T154045Z",
        signature: "4b93abbcc68be32bd64c18e2c71150660ab4c29bbd6c32a383a7517a88fc1804",
    };
    check("double-url-encode", &known);
}

/// Generated with botocore 1.44.5 (PyPI) and the clock fixed at 2026-01-02T03:04:05Z:
///
/// ```python
/// request = AWSRequest("POST", url, data=body, headers={"Host": "bedrock-runtime.us-west-2.amazonaws.com"})
/// SigV4Auth(Credentials(key_id, key, token), "bedrock", "us-west-2").add_auth(request)
/// ```
///
/// The address is the one that the client of botocore uses for `converse_stream`.
#[test]
fn botocore_signs_converse_stream_the_same() {
    const CLAUDE: &str = concat!(
        "https://bedrock-runtime.us-west-2.amazonaws.com/model/",
        "anthropic.claude-3-5-sonnet-20240620-v1%3A0/converse-stream",
    );
    const PROFILE: &str = concat!(
        "https://bedrock-runtime.us-west-2.amazonaws.com/model/arn%3Aaws%3Abedrock%3Aus-west-2%3A123456789012%3A",
        "inference-profile%2Fus.amazon.nova-lite-v1%3A0/converse-stream",
    );
    const TOKEN: Option<&str> = Some("TOKEN/of+a=session");
    let cases = [
        (CLAUDE, None, "a24a8bf078068a3a9b83498770df5842899cbecd5518c324d2af7f6e48281084"),
        (CLAUDE, TOKEN, "e87c7e3d898ec05948e76189db11cd97669906b3861c6a390958ec75ee581828"),
        (PROFILE, None, "47bfe4446cf9275a72e6425837631329049f4ef0a2041e9e73c4ac98aaf42c2f"),
        (PROFILE, TOKEN, "a77b612fa50db1796e944ace4857b074b209e85db4c05a52a4ca6e65681f5282"),
    ];
    for (url, token, signature) in cases {
        let known = Known {
            method: "POST",
            url,
            body: r#"{"messages":[{"role":"user","content":[{"text":"Grüße"}]}],"inferenceConfig":{"maxTokens":16}}"#,
            token,
            region: "us-west-2",
            service: "bedrock",
            time: BEDROCK_TIME,
            date: "20260102T030405Z",
            signature,
        };
        check(url, &known);
    }
}
