//! Schemathesis generates valid and invalid requests from the OpenAPI document: none may crash the service, and the
//! document must describe every response.

use super::program;
use crate::client::{KEY, Running};

const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";

#[test]
fn no_request_crashes_it_and_every_response_is_described() {
    let (service, folder) = (Running::learning(30), tempfile::tempdir().unwrap());
    let client = &service.client;
    // Some data: a series that is out of control.
    for i in 0..60 {
        let latency = if i < 50 { 0.3 + 0.01 * f64::from(i % 3) } else { 0.9 };
        let entry = serde_json::json!({"provider": "openai", "model": "gpt-4o", "latency": latency});
        assert_eq!(client.post("/api/log", &entry).status, 200);
    }
    let run = program("schemathesis")
        .arg("run")
        .arg(format!("http://{}/api/v1/openapi.json", client.address))
        .args(["--header", &format!("Authorization: Bearer {KEY}"), "--checks", CHECKS])
        // Event streams never end, and removing all data would leave nothing to request.
        .args(["--exclude-path", "/api/v1/events", "--exclude-operation-id", "delete_api_data"])
        .args(["--phases", "coverage,fuzzing,stateful", "--max-examples", "10", "--workers", "1", "--seed", "1"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{output}\n{}", String::from_utf8_lossy(&run.stderr));
    let tested =
        output.lines().find_map(|line| line.trim().strip_prefix("Tested: ")).unwrap_or_else(|| panic!("{output}"));
    let operations = client.get("/api/v1/openapi.json").json()["paths"]
        .as_object()
        .unwrap()
        .values()
        .map(|path| path.as_object().unwrap().len())
        .sum::<usize>();
    // Two operations are excluded, and Schemathesis reads the document itself without testing it.
    assert_eq!(tested.parse::<usize>().unwrap(), operations - 3, "every other operation is tested: {output}");
    assert_eq!(client.get("/ready").status, 200);
}
