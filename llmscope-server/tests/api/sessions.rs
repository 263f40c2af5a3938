//! Sessions: uploaded from the logs of many tools, downloaded unchanged, separate from live records.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use llmscope_core::analysis::{Origin, Selection};
use llmscope_core::gate::{GatePlan, gate};
use llmscope_core::ingest::{self, Content, Log, Tool};
use llmscope_core::{Metric, Plan, Session, analyze};
use serde_json::{Value, json};

use super::client::shape::{assert_shape, texts};
use super::{Client, Running, fixture, keep_latencies};

fn upload(client: &Client, bytes: &[u8], name: &str) -> Value {
    client.post_bytes(format!("/api/v1/sessions?name={name}"), "application/octet-stream", bytes).ok()
}

/// The session in a response.
#[track_caller]
fn session_at(client: &Client, id: &Value, format: &str) -> Session {
    let answer = client.get(format!("/api/v1/sessions/{id}?format={format}"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    Session::read("answer", &answer.text()).unwrap().session
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() { all.extend(files_below(&entry)) } else { all.push(entry) }
    }
    all.sort();
    all
}

#[test]
fn a_log_of_any_tool_comes_back_as_its_session() {
    let running = Running::start();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let (mut kept, mut refused) = (0, 0);
    for path in
        [files_below(&root.join("llmscope-core/tests/logs")), files_below(&root.join("examples/sessions"))].concat()
    {
        let (bytes, place) = (std::fs::read(&path).unwrap(), path.display());
        let answer = running.client.post_bytes("/api/v1/sessions?name=log", "application/octet-stream", &bytes);
        let read = ingest::read("log", &bytes, None);
        let Some((expected, log)) = read.ok().and_then(|log| Some((requests_of(&log.content)?, log))) else {
            answer.field_error();
            refused += 1;
            continue;
        };
        let summary = answer.ok();
        assert_eq!(
            (&summary["tool"], &summary["records"]),
            (&json!(log.tool.name()), &json!(expected.records.len())),
            "{place}"
        );
        let failed = expected.records.iter().filter(|record| !record.succeeded()).count();
        assert_eq!(
            (&summary["failed"], summary["notices"].as_array().map_or(0, Vec::len)),
            (&json!(failed), log.warnings.len()),
            "{place}"
        );
        assert_eq!(session_at(&running.client, &summary["id"], "json"), expected, "{place}");
        assert_eq!(session_at(&running.client, &summary["id"], "jsonl"), expected, "{place}");
        kept += 1;
    }
    assert!(kept >= 12 && refused >= 3, "{kept} stored, {refused} refused");
}

/// The requests of a log: a session, or a table with a column of a metric or with failures.
fn requests_of(content: &Content) -> Option<Session> {
    let table = match content {
        Content::Session(session) => return Some(Session::clone(session)),
        Content::Table(table) => table,
    };
    let session = (!table.of_runs).then(|| table.to_session("log").ok()).flatten()?;
    let says_something = session.records.iter().any(|record| {
        !record.succeeded() || [Metric::Ttft, Metric::E2e, Metric::Tpot].iter().any(|it| record.metric(*it).is_some())
    });
    says_something.then_some(session)
}

#[test]
fn a_table_with_a_metric_is_a_session() {
    let running = Running::start();
    let bytes = b"time,model,ttft_s,region\n2026-11-30T10:00:00Z,small,0.31,eu\n2026-11-30T10:00:01Z,small,0.29,us\n";
    let summary = running.client.post_bytes("/api/v1/sessions?name=table", "text/csv", bytes).ok();
    assert_eq!((&summary["models"], &summary["records"]), (&json!(["small"]), &json!(2)));
    let session = session_at(&running.client, &summary["id"], "json");
    assert_eq!(session.records[0].ttft_s, Some(0.31));
    assert_eq!(session.records[1].attributes["region"].label(), "us");
}

#[test]
fn a_session_comes_back_as_csv_too() {
    let running = Running::start();
    let bytes = fixture("examples/sessions/undisturbed.json");
    let id = upload(&running.client, &bytes, "run")["id"].clone();
    let expected = Session::read("x", std::str::from_utf8(&bytes).unwrap()).unwrap().session;
    assert_eq!(session_at(&running.client, &id, "csv").records, session_of_csv(&expected).records);
    if !cfg!(feature = "parquet") {
        running.client.get(format!("/api/v1/sessions/{id}?format=parquet")).refusal(406);
    }
}

/// The part of a session that CSV preserves.
fn session_of_csv(session: &Session) -> Session {
    Session::read("x.csv", &session.to_csv().unwrap()).unwrap().session
}

#[test]
fn sessions_are_listed_newest_first() {
    let running = Running::start();
    assert_eq!(running.client.get("/api/v1/sessions").ok(), json!({"sessions": []}));
    let bytes = fixture("examples/sessions/undisturbed.json");
    let uploaded = ["one", "two", "three"].map(|name| upload(&running.client, &bytes, name));
    let list = running.client.get("/api/v1/sessions").ok()["sessions"].clone();
    assert_eq!(texts(&list, "name"), ["three", "two", "one"]);
    for (summary, listed) in uploaded.iter().rev().zip(list.as_array().unwrap()) {
        assert_eq!(summary["id"], listed["id"]);
    }
    assert_shape(
        &list[0],
        &json!({
            "id": "integer", "name": "text", "tool": "text", "uploaded_at": "time", "started_at": "time",
            "records": "integer", "failed": "integer", "providers": ["text"], "models": ["text"], "metrics": ["text"],
        }),
    );
}

#[test]
fn a_deleted_session_is_gone_with_its_requests() {
    let running = Running::start();
    let bytes = fixture("examples/sessions/paused.json");
    let ids = ["one", "two"].map(|name| upload(&running.client, &bytes, name));
    let path = format!("/api/v1/sessions/{}", ids[0]["id"]);
    assert_eq!(running.client.delete(&path).ok(), json!({"deleted": ids[0]["records"]}));
    let message = running.client.get(&path).refusal(404);
    assert_eq!(running.client.delete(&path).refusal(404), message);
    assert_eq!(texts(&running.client.get("/api/v1/sessions").ok()["sessions"], "name"), ["two"]);
    assert_eq!(
        session_at(&running.client, &ids[1]["id"], "json").records.len(),
        ids[1]["records"].as_u64().unwrap() as usize
    );
}

#[test]
fn sessions_and_live_records_are_separate() {
    let running = Running::with(|settings| settings.retention_days = 1);
    let old = Timestamp::now() - SignedDuration::from_hours(999);
    let session =
        json!({"schema": "llmscope.session/1", "provider": "p", "records": [{"started_at": old, "e2e_s": 0.3}]});
    let id = running.client.post("/api/v1/sessions", &session).ok()["id"].clone();
    assert_eq!(running.client.get("/health").ok()["total_requests"], 0);
    assert_eq!(running.client.get("/api/v1/series").ok()["series"], json!([]));
    assert_eq!(running.client.get("/api/v1/records").ok()["records"], json!([]));
    keep_latencies(&running.client, &[0.3]);
    assert_eq!(
        running.client.get(format!("/api/v1/records?session={id}")).ok()["records"].as_array().unwrap().len(),
        1
    );
    // Neither a cleanup nor the deletion of live data affects it.
    running.client.poke("/api/v1/cleanup").ok();
    running.client.delete("/api/data").ok();
    assert_eq!(session_at(&running.client, &id, "json").records.len(), 1);
}

#[test]
fn a_session_is_analyzed_as_the_core_does() {
    let running = Running::start();
    let bytes = fixture("examples/sessions/paused.json");
    let id = upload(&running.client, &bytes, "run")["id"].clone();
    let log = ingest::read("run", &bytes, None).unwrap();
    let by = Some(vec!["provider".to_owned(), "model".to_owned()]);
    for metric in ["ttft_s", "e2e_s"] {
        let measures = vec![llmscope_core::Measure::Metric(metric.parse().unwrap())];
        let series = Selection { measures, by: by.clone(), ..Selection::default() }.series([&log]).unwrap();
        let plan = Plan { points: true, origin: Origin::LastStage, ..Plan::default() };
        let expected: Vec<Value> =
            series.iter().map(|one| serde_json::to_value(analyze(one, &plan).unwrap()).unwrap()).collect();
        let report = running.client.get(format!("/api/v1/analysis?session={id}&metric={metric}&points=true")).ok();
        let found = report["analyses"].as_array().unwrap();
        assert_eq!((found.len(), found.is_empty()), (expected.len(), false));
        for (found, expected) in found.iter().zip(&expected) {
            for field in ["group", "n", "excluded", "limits", "violations", "verdict", "points", "quantiles"] {
                assert_eq!(found[field], expected[field], "{metric} {field}");
            }
        }
    }
}

#[test]
fn a_session_is_judged_in_time_order_or_in_log_order() {
    let running = Running::start();
    let order = |record: fn(u32) -> Value| -> Vec<u64> {
        let session = json!({"schema": "llmscope.session/1", "records": (0..12).map(record).collect::<Vec<_>>()});
        let id = running.client.post("/api/v1/sessions", &session).ok()["id"].clone();
        let report = running.client.get(format!("/api/v1/analysis?session={id}&by=none&points=true")).ok();
        let points = report["analyses"][0]["points"].as_array().unwrap().clone();
        // The latency encodes the position in the file. Sorted latencies would have no order in time.
        let place = |point: &Value| (point["x"].as_f64().unwrap().to_string(), point["source_index"].as_u64().unwrap());
        points
            .iter()
            .map(place)
            .inspect(|(x, place)| assert_eq!(*x, (place * 5 % 12).to_string()))
            .map(|(_, place)| place)
            .collect()
    };
    let untimed = order(|i| json!({"provider": if i % 3 == 0 { "a" } else { "b" }, "e2e_s": i * 5 % 12}));
    assert_eq!(untimed, (0..12).collect::<Vec<_>>());
    let backwards = order(
        |i| json!({"provider": "a", "e2e_s": i * 5 % 12, "started_at": format!("2026-03-01T12:00:{:02}Z", 30 - i)}),
    );
    assert_eq!(backwards, (0..12).rev().collect::<Vec<_>>());
    let warm = order(|i| json!({"e2e_s": i * 5 % 12, "warmup": i < 2}));
    assert_eq!(warm, (2..12).collect::<Vec<_>>());
}

#[test]
fn names_have_a_limit_and_a_default() {
    let running = Running::start();
    let bytes = fixture("examples/sessions/undisturbed.json");
    let unnamed = running.client.post_bytes("/api/v1/sessions", "application/json", &bytes).ok();
    assert!(!unnamed["name"].as_str().unwrap().is_empty());
    let longest = "x".repeat(200);
    assert_eq!(upload(&running.client, &bytes, &longest)["name"], longest.as_str());
    let path = format!("/api/v1/sessions?name={longest}x");
    assert_eq!(
        running.client.post_bytes(path, "application/json", &bytes).field_error().0,
        [json!("query"), json!("name")]
    );
    assert_eq!(upload(&running.client, &bytes, "%3Cb%3E%20%22%2F..")["name"], "<b> \"/..");
}

#[test]
fn a_log_without_a_session_is_refused_with_a_remedy() {
    let running = Running::start();
    for (bytes, way) in [
        (&b""[..], ""),
        (b"\xff\xfe\x00 no text", ""),
        (b"model,latency\nsmall,0.31\nsmall,0.29\n", "--map"),
        (br#"{"schema": "llmscope.session/1", "records": [{"e2e_s": -1}]}"#, "e2e_s"),
    ] {
        let answer = running.client.post_bytes("/api/v1/sessions", "application/octet-stream", bytes);
        answer.field_error();
        assert!(answer.text().contains(way), "{}", answer.text());
    }
    for magic in [&b"PAR1\x00\x00"[..], b"ARROW1\x00\x00"] {
        running.client.post_bytes("/api/v1/sessions", "application/octet-stream", magic).refusal(415);
    }
    assert_eq!(running.client.get("/api/v1/sessions").ok()["sessions"], json!([]));
}

#[test]
fn a_gate_equals_that_of_the_core() {
    let running = Running::start();
    let files = ["undisturbed", "second-load"].map(|name| fixture(&format!("examples/sessions/{name}.json")));
    let [one, two] = files.each_ref().map(|bytes| upload(&running.client, bytes, "run")["id"].as_i64().unwrap());
    let series = |bytes: &[u8], id: i64| {
        let session = Session::read("x", std::str::from_utf8(bytes).unwrap()).unwrap().session;
        let content = Content::Session(Arc::new(session));
        let log = Log { source: format!("session {id}"), tool: Tool::LLMSCOPE, content, warnings: Vec::new() };
        Selection::default().series([&log]).unwrap()
    };
    let expected = gate(&series(&files[0], one), &series(&files[1], two), &GatePlan::default()).unwrap();
    let mut found = running.client.get(format!("/api/v1/gate?baseline={one}&candidate={two}")).ok();
    assert_shape(&found.as_object_mut().unwrap().remove("generated_at").unwrap(), &json!("time"));
    let mut expected = serde_json::to_value(expected).unwrap();
    expected.as_object_mut().unwrap().remove("generated_at");
    assert_eq!(found, expected);
    assert_eq!(found["schema"], "llmscope.gate/2");
    assert_ne!(found["pairs"], json!([]));
}

#[test]
fn a_gate_accepts_a_plan_and_names_invalid_fields() {
    let running = Running::start();
    let bytes = fixture("examples/sessions/undisturbed.json");
    let id = upload(&running.client, &bytes, "run")["id"].clone();
    let ask = |query: &str| running.client.get(format!("/api/v1/gate?baseline={id}&candidate={id}&{query}"));
    let plan = ask("metric=tpot_s&alpha=0.01&max_shift=5%25&slo=e2e=2s").ok();
    assert_eq!(plan["alpha"], 0.01);
    let metrics = texts(&plan["pairs"], "metric");
    assert!(metrics.contains(&"tpot_s") && !metrics.contains(&"ttft_s"), "{metrics:?}");
    for (query, field) in
        [("alpha=x", "alpha"), ("max_shift=far", "max_shift"), ("slo=fast", "slo"), ("extra=1", "extra")]
    {
        assert_eq!(ask(query).field_error().0, [json!("query"), json!(field)], "{query}");
    }
    for query in ["metric=speed", "alpha=2"] {
        ask(query).field_error();
    }
    let (loc, kind) = running.client.get("/api/v1/gate?baseline=1").field_error();
    assert_eq!((loc, kind.as_str()), (vec![json!("query"), json!("candidate")], "missing"));
    running.client.get(format!("/api/v1/gate?baseline={id}&candidate=77")).refusal(404);
}
