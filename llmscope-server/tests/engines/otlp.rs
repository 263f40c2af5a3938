//! OpenTelemetry's SDK exports to the service as to a collector: protobuf, compressed with gzip.

use std::path::Path;

use super::program;
use crate::client::{KEY, Running};

const COUNT: usize = 60;
/// The first slow request.
const SLOW_FROM: usize = 50;
/// The request that fails.
const FAILED: usize = 40;

#[test]
fn spans_of_a_real_sdk_become_records_and_appear_on_the_chart() {
    let service = Running::learning(30);
    let client = &service.client;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/engines/export_spans.py");
    let exported = program("python")
        .arg(script)
        .arg(format!("http://{}/v1/traces", client.address))
        .args([COUNT, SLOW_FROM, FAILED].map(|number| number.to_string()))
        .env("OTEL_EXPORTER_OTLP_HEADERS", format!("authorization=Bearer {KEY}"))
        .output()
        .unwrap();
    let message = String::from_utf8_lossy(&exported.stderr);
    assert!(exported.status.success() && message.is_empty(), "{message}");

    let series = client.get("/api/v1/series").json();
    let series = series["series"].as_array().unwrap();
    // The surrounding spans are not requests to a model and are ignored.
    assert_eq!(series.len(), 1, "{series:?}");
    assert_eq!((&series[0]["provider"], &series[0]["model"]), (&"openai".into(), &"gpt-4o".into()));
    assert_eq!(series[0]["n"], COUNT - 1, "the failed request has no latency");
    assert_eq!(series[0]["verdict"], "out_of_control");

    let report = client.get("/api/v1/analysis?metric=e2e_s&points=true&limits=frozen").json();
    let analysis = &report["analyses"][0];
    assert_eq!(analysis["excluded"]["failed"], 1);
    let signals: Vec<usize> = analysis["points"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|point| point["rules"].as_array().unwrap().contains(&"nelson-1".into()))
        .map(|point| usize::try_from(point["i"].as_u64().unwrap()).unwrap())
        .collect();
    // Without the failed request, the positions of the slow ones shift by one.
    assert_eq!(signals, (SLOW_FROM - 1..COUNT - 1).collect::<Vec<_>>());

    let failed = client.get("/api/v1/records?limit=100").json();
    let failed = failed["records"].as_array().unwrap().iter().find(|record| record["status"] == "timeout").cloned();
    assert_eq!(failed.unwrap()["error"]["type"], "timeout");
}
