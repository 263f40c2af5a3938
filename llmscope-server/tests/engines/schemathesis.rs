//! Schemathesis makes requests up from the OpenAPI document, right ones and wrong ones: none may break the service, and
//! every answer must be one that the document describes.

use super::program;
use crate::client::{KEY, Running};

const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";

#[test]
fn no_request_breaks_it_and_every_answer_is_described() {
    let (service, folder) = (Running::learning(30), tempfile::tempdir().unwrap());
    let client = &service.client;
    // Something to find: a series that is out of control.
    for i in 0..60 {
        let latency = if i < 50 { 0.3 + 0.01 * f64::from(i % 3) } else { 0.9 };
        let entry = serde_json::json!({"provider": "openai", "model": "gpt-4o", "latency": latency});
        assert_eq!(client.post("/api/log", &entry).status, 200);
    }
    let run = program("schemathesis")
        .arg("run")
        .arg(format!("http://{}/api/v1/openapi.json", client.address))
        .args(["--header", &format!("Authorization: Bearer {KEY}"), "--checks", CHECKS])
        // Events have no end, and what removes everything would leave nothing to ask for.
        .args(["--exclude-path", "/api/v1/events", "--exclude-operation-id", "delete_api_data"])
        .args(["--phases", "coverage,fuzzing,stateful", "--max-examples", "10", "--workers", "1", "--seed", "1"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{words}\n{}", String::from_utf8_lossy(&run.stderr));
    let tested =
        words.lines().find_map(|line| line.trim().strip_prefix("Tested: ")).unwrap_or_else(|| panic!("{words}"));
    let operations = client.get("/api/v1/openapi.json").json()["paths"]
        .as_object()
        .unwrap()
        .values()
        .map(|path| path.as_object().unwrap().len())
        .sum::<usize>();
    // Two were excluded, and the document itself was read and not tried.
    assert_eq!(tested.parse::<usize>().unwrap(), operations - 3, "every other operation is tried: {words}");
    assert_eq!(client.get("/ready").status, 200);
}
