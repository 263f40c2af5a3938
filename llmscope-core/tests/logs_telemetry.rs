//! Logs of OpenTelemetry, LiteLLM and the llmscope service: recognition, the mapping of every field, and known traps.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use llmscope_core::ingest::{self, Cell, Content, Log, SpanExport, SpanMemory, Spans, Table, Tool};
use llmscope_core::session::{AttributeValue, Status};
use llmscope_core::{RequestRecord, Session};
use proptest::prelude::*;

const SPANS: &str = include_str!("logs/otel/spans.jsonl");
const DEPRECATED: &str = include_str!("logs/otel/spans_deprecated.jsonl");
const AGENT: &str = include_str!("logs/otel/agent.json");
const CONSOLE: &str = include_str!("logs/otel/console.txt");
const DELTA: &str = include_str!("logs/otel/metrics_delta.jsonl");
const CUMULATIVE: &str = include_str!("logs/otel/metrics_cumulative.jsonl");
const PAYLOADS: &str = include_str!("logs/litellm/payloads.jsonl");
const SPEND_LOGS: &str = include_str!("logs/litellm/spend_logs.json");
const EXPORT: &str = include_str!("logs/service/export.json");

const ALL: [(&str, &str); 9] = [
    ("otel", SPANS),
    ("otel", DEPRECATED),
    ("otel", AGENT),
    ("otel-console", CONSOLE),
    ("otel-metrics", DELTA),
    ("otel-metrics", CUMULATIVE),
    ("litellm", PAYLOADS),
    ("litellm-spend", SPEND_LOGS),
    ("llmscope-export", EXPORT),
];

fn read(text: &str) -> Log {
    ingest::read("log", text.as_bytes(), None).unwrap()
}

fn session(text: &str) -> Session {
    match read(text).content {
        Content::Session(session) => (*session).clone(),
        Content::Table(_) => panic!("a table"),
    }
}

fn table(text: &str) -> Table {
    match read(text).content {
        Content::Table(table) => table,
        Content::Session(_) => panic!("a session"),
    }
}

fn error(text: &str) -> String {
    ingest::read("log", text.as_bytes(), None).unwrap_err().to_string()
}

fn warnings(text: &str) -> Vec<String> {
    read(text).warnings.into_iter().map(|warning| warning.message).collect()
}

fn column(table: &Table, name: &str) -> Vec<Option<f64>> {
    let cells = table.column(name).map_or(&[][..], |column| &column.cells);
    cells.iter().map(|cell| if let Cell::Number(number) = cell { Some(*number) } else { None }).collect()
}

fn label(record: &RequestRecord, name: &str) -> Option<String> {
    record.attributes.get(name).map(AttributeValue::label)
}

fn started_at(record: &RequestRecord) -> String {
    record.started_at.unwrap().to_string()
}

#[test]
fn each_log_is_recognized_by_its_content() {
    for (name, text) in ALL {
        assert_eq!(read(text).tool.name(), name);
        assert!(Tool::ALL.iter().any(|tool| tool.name() == name));
    }
    let array = |text: &str| format!("[{}]", text.lines().collect::<Vec<_>>().join(","));
    for text in [SPANS, PAYLOADS] {
        assert_eq!(read(&array(text)).content, read(text).content, "an array of the same");
    }
    assert_eq!(table(&array(DELTA)).columns, table(DELTA).columns);
}

#[test]
fn a_span_becomes_a_request() {
    let session = session(SPANS);
    let recorder = session.header.recorder.unwrap();
    assert_eq!(recorder.name, "opentelemetry.instrumentation.genai.openai");
    assert_eq!(recorder.version.as_deref(), Some("1.3b0"));
    assert_eq!(
        (session.header.provider.as_deref(), session.header.model.as_deref()),
        (Some("openai"), Some("gpt-4o-mini"))
    );
    assert_eq!(session.header.labels["service.name"], "chat-demo");
    let [plain, streamed, ..] = &session.records[..] else { panic!("two requests") };
    assert_eq!(started_at(plain), "2026-11-24T02:33:56.309755628Z");
    assert_eq!((plain.e2e_s, plain.input_tokens, plain.output_tokens), (Some(0.220913345), Some(12), Some(8)));
    assert_eq!(plain.attribute("cached_tokens"), Some(4.0));
    assert_eq!(label(plain, "gen_ai.response.model").as_deref(), Some("gpt-4o-mini-2024-07-18"));
    assert_eq!(label(plain, "gen_ai.response.finish_reasons").as_deref(), Some("stop"));
    assert_eq!(label(plain, "server.address").as_deref(), Some("127.0.0.1"));
    assert_eq!(streamed.e2e_s, Some(0.212310326));
    assert_eq!(label(streamed, "gen_ai.request.stream").as_deref(), Some("true"));
    assert!(!streamed.tokens_estimated);
}

#[test]
fn the_first_chunk_is_not_the_first_token() {
    let streamed = &session(SPANS).records[1];
    // The endpoint sends the role immediately and the first token after 0.1 s: the instrumentation measured 0.068 s.
    assert_eq!(streamed.attribute("time_to_first_chunk_s"), Some(0.06792553999912343));
    assert_eq!((streamed.ttft_s, streamed.tpot_s), (None, None));
}

#[test]
fn a_failed_span_has_no_latency() {
    let records = session(SPANS).records;
    let [.., refused, late] = &records[..] else { panic!("two failures") };
    assert_eq!((refused.status, refused.e2e_s), (Status::Error, None));
    let error = refused.error.clone().unwrap();
    assert_eq!((error.kind.as_str(), error.code), ("openai.RateLimitError", None));
    assert_eq!(error.message.as_deref(), Some("Error code: 429 - Rate limit reached"));
    assert_eq!(refused.attribute("failed_after_s"), Some(0.011521503));
    assert_eq!((late.status, late.e2e_s), (Status::Timeout, None));
}

#[test]
fn spans_of_other_things_are_counted_and_left_out() {
    assert_eq!(session(SPANS).records.len(), 4);
    assert_eq!(warnings(SPANS), ["1 span that is not of generative AI was left out"]);
    let metrics_first = format!("{DELTA}{SPANS}");
    let forced = ingest::read("log", metrics_first.as_bytes(), Some("otel".parse().unwrap())).unwrap();
    assert_eq!(forced.warnings[0].message, "3 exports of metrics or logs were left out");
    let both = format!("{SPANS}{DELTA}");
    assert_eq!(warnings(&both)[0], "3 exports of metrics or logs were left out");
}

#[test]
fn deprecated_names_are_understood() {
    let session = session(DEPRECATED);
    assert_eq!(session.header.provider.as_deref(), Some("openai"), "gen_ai.system");
    assert_eq!(session.records[0].output_tokens, Some(8));
    let older = DEPRECATED.replace("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens");
    assert_eq!(read(&older).content, read(DEPRECATED).content);
}

#[test]
fn a_request_with_several_spans_counts_once() {
    let session = session(AGENT);
    let told: Vec<(Option<f64>, Status)> = session.records.iter().map(|record| (record.e2e_s, record.status)).collect();
    // The client library's 0.58 s, not the 0.6 s of the enclosing framework span.
    assert_eq!(told, [(Some(0.58), Status::Ok), (None, Status::Error), (None, Status::Ok)]);
    assert_eq!(session.records[0].attribute("reasoning_tokens"), Some(10.0));
    assert_eq!(
        warnings(AGENT),
        [
            "2 spans of agents and tools were left out",
            "1 span around another of the same request was left out",
            "1 duration of a span that ends before it begins (its clock was set back) was left out"
        ]
    );
}

#[test]
fn the_servers_duration_is_not_the_clients_latency() {
    let times = [
        ("server_request_duration_s", 0.56),
        ("server_time_to_first_token_s", 0.125),
        ("server_e2e_s", 0.5625),
        ("server_queue_s", 0.0125),
        ("server_prefill_s", 0.1),
        ("server_decode_s", 0.4375),
    ];
    let of_client = &session(AGENT).records[0];
    let alone = AGENT.replace("\"parentSpanId\": \"00000000000000c1\"", "\"parentSpanId\": \"00000000000000c9\"");
    let of_server = &session(&alone).records[1];
    assert_eq!((of_server.e2e_s, of_server.ttft_s, of_server.output_tokens), (None, None, Some(30)));
    for (name, expected) in times {
        assert_eq!(of_client.attribute(name), Some(expected), "{name}");
        assert_eq!(of_server.attribute(name), Some(expected), "{name}");
    }
    assert_eq!(of_client.ttft_s, None);
}

#[test]
fn an_http_status_is_the_code_of_an_error() {
    let error = session(AGENT).records[1].error.clone().unwrap();
    assert_eq!(
        (error.kind.as_str(), error.code, error.message.as_deref()),
        ("500", Some(500), Some("Internal Server Error"))
    );
}

#[test]
fn printed_spans_agree_with_otlp() {
    let (printed, exported) = (session(CONSOLE), session(SPANS));
    assert_eq!(printed.records.len(), 2);
    for (printed, exported) in printed.records.iter().zip(&exported.records) {
        assert_eq!(printed.attributes, exported.attributes);
        assert_eq!((printed.input_tokens, printed.output_tokens), (exported.input_tokens, exported.output_tokens));
        // Python prints microseconds.
        assert!((printed.e2e_s.unwrap() - exported.e2e_s.unwrap()).abs() <= 1e-6);
    }
    assert_eq!(printed.header.labels, exported.header.labels);
}

#[test]
fn a_row_of_metrics_is_an_export_interval() {
    let table = table(DELTA);
    assert!(table.of_runs);
    assert_eq!(table.lines, [1, 2, 3]);
    assert_eq!(
        column(&table, "e2e_s.mean"),
        [0.43266261700046016 / 2.0, 0.38992322600097395 / 2.0, 0.5888361929992243 / 3.0].map(Some)
    );
    assert_eq!(column(&table, "e2e_s.min"), [0.2121456320001016, 0.1933430839999346, 0.1837488029996166].map(Some));
    assert_eq!(column(&table, "e2e_s.max")[1], Some(0.19658014200103935));
    assert_eq!(column(&table, "e2e_s.count"), [2.0, 2.0, 3.0].map(Some));
    assert_eq!(column(&table, "time_to_first_chunk_s.mean")[2], Some(0.10995383499903255 / 2.0));
    assert_eq!(column(&table, "time_per_output_chunk_s.count"), [Some(10.0), None, None]);
    assert_eq!(column(&table, "input_tokens.mean"), [Some(12.0), None, None]);
    assert_eq!(column(&table, "output_tokens.mean"), [Some(8.0), None, None]);
    assert_eq!(column(&table, "duration_s")[1], Some(1.001062696));
    let text = |name: &str| table.column(name).unwrap().cells[1].label().unwrap();
    assert_eq!(text("started_at"), "2026-11-24T02:33:56.97132309Z");
    assert_eq!((text("provider"), text("model")), ("openai".to_owned(), "gpt-4o-mini".to_owned()));
    assert_eq!((text("gen_ai.operation.name"), text("service.name")), ("chat".to_owned(), "chat-demo".to_owned()));
    assert!(!table.columns.iter().any(|column| column.name.contains(".p")), "no quantiles from buckets that double");
}

#[test]
fn failed_requests_are_counted_and_not_averaged() {
    let table = table(DELTA);
    assert_eq!(column(&table, "requests"), [3.0, 3.0, 3.0].map(Some));
    assert_eq!(column(&table, "failed"), [1.0, 1.0, 0.0].map(Some));
    let nothing_else = DELTA.replace("gen_ai.response.model", "error.type");
    let failed = self::table(&nothing_else);
    assert_eq!(column(&failed, "requests"), column(&failed, "failed"), "an interval with failures only");
    assert_eq!(column(&failed, "e2e_s.mean"), []);
}

#[test]
fn sums_since_the_beginning_are_differenced() {
    let (delta, cumulative) = (table(DELTA), table(CUMULATIVE));
    for name in ["e2e_s.mean", "time_to_first_chunk_s.mean", "e2e_s.count", "requests", "failed"] {
        let (delta, cumulative) = (column(&delta, name), column(&cumulative, name));
        assert_eq!(delta.len(), cumulative.len(), "{name}");
        for (delta, cumulative) in delta.iter().zip(&cumulative).take(2) {
            assert!((delta.unwrap() - cumulative.unwrap()).abs() < 1e-12, "{name}: {delta:?} {cumulative:?}");
        }
    }
    // The last exports of the two readers cover different requests.
    assert_eq!(column(&cumulative, "e2e_s.mean")[2], Some((1.4114220360006584 - 0.8225858430014341) / 3.0));
    // Cumulative extremes do not determine those of a later interval.
    assert_eq!(column(&cumulative, "e2e_s.max"), [Some(0.22051698500035855), None, None]);
}

#[test]
fn a_sum_of_a_time_before_the_first_export_is_left_out() {
    let started_an_hour_before = CUMULATIVE.replace("1795487636530430559", "1795484036530430559");
    let table = table(&started_an_hour_before);
    assert_eq!(column(&table, "e2e_s.mean")[0], None);
    assert_eq!(column(&table, "e2e_s.count")[1..], [Some(2.0), Some(3.0)]);
    assert_eq!(warnings(&started_an_hour_before), ["1 point that sums up a time before the first export was left out"]);
}

#[test]
fn the_short_last_interval_of_a_process_does_not_measure_the_first() {
    let export = |after_s: i64, count: u32| {
        format!(
            r#"{{"resourceMetrics": [{{"scopeMetrics": [{{"metrics": [{{"name": "gen_ai.client.operation.duration",
            "unit": "s", "histogram": {{"aggregationTemporality": 2, "dataPoints": [{{
            "startTimeUnixNano": "1795903000000000000", "timeUnixNano": "{}000000000", "count": "{count}",
            "sum": {}, "bucketCounts": ["{count}"], "explicitBounds": []}}]}}}}]}}]}}]}}"#,
            1_795_903_000 + after_s,
            0.32 * f64::from(count),
        )
        .replace('\n', "")
            + "\n"
    };
    let table = table(&(export(60, 200) + &export(75, 250)));
    assert_eq!(column(&table, "requests"), [200.0, 50.0].map(Some));
    assert_eq!(column(&table, "duration_s"), [60.0, 15.0].map(Some));
}

#[test]
fn a_restarted_process_is_counted_from_its_start() {
    let lines: Vec<&str> = CUMULATIVE.lines().collect();
    let again = lines[0].replace("179548763", "179548764");
    let table = table(&format!("{CUMULATIVE}{again}\n"));
    assert_eq!(column(&table, "e2e_s.count"), [2.0, 2.0, 3.0, 2.0].map(Some));
    assert_eq!(column(&table, "e2e_s.mean")[3], Some(0.43266261700046016 / 2.0));
}

#[test]
fn metrics_whose_meaning_is_unclear_are_refused() {
    let message = error(&DELTA.replace("\"unit\":\"s\"", "\"unit\":\"By\""));
    assert!(
        message.starts_with("log:1: gen_ai.client.operation.duration: the unit \"By\" is not a unit of time"),
        "{message}"
    );
    let message = error(&DELTA.replace("\"aggregationTemporality\":1", "\"aggregationTemporality\":0"));
    assert!(message.contains("neither delta (1) nor cumulative (2)"), "{message}");
    let in_ms = table(&DELTA.replace("\"unit\":\"s\"", "\"unit\":\"ms\""));
    assert_eq!(column(&in_ms, "e2e_s.min")[1], Some(0.1933430839999346 / 1e3));
    let other = DELTA.replace("\"name\":\"gen_ai.client.token.usage\"", "\"name\":\"http.client.request.duration\"");
    assert_eq!(warnings(&other), ["1 other metric was left out"]);
    let message = error(&DELTA.replace("gen_ai.client.", "http."));
    assert!(message.contains("no measurement of a request to a model"), "{message}");
}

#[test]
fn a_litellm_payload_becomes_a_request() {
    let session = session(PAYLOADS);
    assert_eq!(session.header.recorder.unwrap().name, "LiteLLM");
    assert_eq!((session.header.provider.as_deref(), session.header.model), (Some("openai"), None));
    let streamed = &session.records[1];
    assert_eq!(streamed.model.as_deref(), Some("gpt-4o-mini"));
    assert_eq!(started_at(streamed), "2026-11-24T02:34:49.023293Z");
    assert_eq!((streamed.ttft_s, streamed.e2e_s), (None, Some(0.297935)));
    assert_eq!((streamed.input_tokens, streamed.output_tokens, streamed.cost_usd), (Some(12), Some(8), Some(6.3e-6)));
    assert_eq!(streamed.attribute("litellm_overhead_s"), Some(3.805 / 1e3));
    for (name, expected) in [
        ("model_group", "small"),
        ("api_base", "http://127.0.0.1:18099/v1"),
        ("request_tags", "demo"),
        ("call_type", "acompletion"),
        ("cache_hit", "false"),
    ] {
        assert_eq!(label(streamed, name).as_deref(), Some(expected), "{name}");
    }
}

#[test]
fn a_time_to_the_first_chunk_is_of_streamed_requests_only() {
    // The others have the time of their end there.
    let first = |log| -> Vec<Option<f64>> {
        session(log).records.iter().map(|record| record.attribute("time_to_first_chunk_s")).collect()
    };
    assert_eq!(first(PAYLOADS), [None, Some(0.113652), Some(0.108748), None, None, None, None]);
    assert_eq!(first(SPEND_LOGS), [None, Some(0.113652), None, None, None, None]);
}

#[test]
fn an_answer_from_the_cache_is_marked_and_cost_nothing() {
    for text in [PAYLOADS, SPEND_LOGS] {
        let session = session(text);
        let cached: Vec<_> =
            session.records.iter().filter(|record| label(record, "cache_hit").as_deref() == Some("true")).collect();
        let [cached] = cached[..] else { panic!("one response from the cache") };
        assert_eq!((cached.e2e_s, cached.cost_usd), (Some(0.000638), Some(0.0)));
    }
}

#[test]
fn a_model_without_a_price_has_no_cost() {
    for text in [PAYLOADS, SPEND_LOGS] {
        let session = session(text);
        let own = session.records.iter().find(|record| record.model.as_deref() == Some("my-own-model")).unwrap();
        assert_eq!((own.status, own.cost_usd, own.output_tokens), (Status::Ok, None, Some(8)));
    }
}

#[test]
fn a_failure_that_litellm_logged_has_no_latency() {
    let records = session(PAYLOADS).records;
    let [refused, late] = [&records[4], &records[5]];
    let error = refused.error.clone().unwrap();
    assert_eq!((refused.status, error.kind.as_str(), error.code), (Status::Error, "RateLimitError", Some(429)));
    assert_eq!(
        error.message.as_deref(),
        Some("litellm.RateLimitError: RateLimitError: OpenAIException - Rate limit reached")
    );
    assert_eq!((refused.e2e_s, refused.input_tokens, refused.cost_usd), (None, None, None));
    assert_eq!(refused.attribute("failed_after_s"), Some(0.117921));
    assert_eq!((late.status, late.error.as_ref().unwrap().code), (Status::Timeout, Some(408)));
    // The proxy's log of a failure has no duration.
    let records = session(SPEND_LOGS).records;
    let outcomes: Vec<_> = records.iter().map(|record| (record.status, record.attribute("failed_after_s"))).collect();
    assert_eq!(outcomes[3..5], [(Status::Error, None), (Status::Timeout, None)]);
    assert_eq!((records[3].provider.clone(), records[3].model.as_deref()), (None, Some("small")));
}

#[test]
fn spend_logs_are_sorted_by_time_and_may_be_pages() {
    let session = session(SPEND_LOGS);
    assert!(session.records.is_sorted_by_key(|record| record.started_at), "the newest row comes first in the file");
    assert_eq!(session.header.started_at, session.records[0].started_at);
    let page = format!("{{\"data\": {SPEND_LOGS}, \"total\": 6, \"page\": 1}}");
    assert_eq!(read(&page).tool.name(), "litellm-spend");
    assert_eq!(read(&page).content, read(SPEND_LOGS).content);
    let of_database = SPEND_LOGS.replace("+00:00", "");
    assert_eq!(read(&of_database).content, read(SPEND_LOGS).content, "a database writes UTC without an offset");
    let empty = ingest::read("log", b"{\"data\": []}", Some("litellm-spend".parse().unwrap()));
    assert!(empty.unwrap_err().to_string().contains("no requests"));
}

#[test]
fn an_export_becomes_a_session_in_order_of_time() {
    let session = session(EXPORT);
    assert_eq!(session.header.recorder.unwrap().name, "LLMscope service");
    let e2e: Vec<Option<f64>> = session.records.iter().map(|record| record.e2e_s).collect();
    assert_eq!(e2e, [Some(2.5), Some(1.25), None, Some(0.75), None], "in seconds, the oldest first");
    let [first, second, refused, ours, late] = &session.records[..] else { panic!("five requests") };
    assert_eq!((first.provider.as_deref(), first.model.as_deref()), (Some("ollama"), Some("gemma3:4b")));
    assert_eq!((first.input_tokens, first.output_tokens, first.cost_usd), (Some(12), Some(80), Some(0.0)));
    assert_eq!((label(second, "run").as_deref(), second.attribute("load")), (Some("nightly"), Some(0.5)));
    assert_eq!(label(second, "gpu").as_deref(), Some("true"));
    assert_eq!((refused.status, refused.attribute("failed_after_s")), (Status::Error, Some(1.5)));
    assert_eq!(refused.error.as_ref().unwrap().message.as_deref(), Some("connection refused"));
    assert_eq!((ours.ttft_s, ours.tpot_s, ours.cost_usd), (Some(0.25), Some(0.0078125), Some(0.0000447)));
    assert_eq!(label(ours, "endpoint").as_deref(), Some("/v1/chat/completions"));
    assert_eq!((late.status, late.error.as_ref().unwrap().kind.as_str()), (Status::Timeout, "timeout"));
}

#[test]
fn a_row_from_our_monitor_has_its_time_of_issue() {
    let records = session(EXPORT).records;
    assert_eq!(started_at(&records[3]), "2026-01-05T10:00:05.625Z", "not the time of logging");
    assert_eq!(started_at(&records[1]), "2026-01-05T10:00:04.25Z");
    assert_eq!(warnings(EXPORT), ["2 times without an offset: read as UTC"]);
    assert_eq!(records[2].ttft_s, None, "metadata of other clients have no meaning here");
    assert_eq!(records[2].attribute("ttft_s"), Some(7.0));
}

#[test]
fn truncated_files_cause_a_warning() {
    for (name, text) in ALL {
        for share in [30, 60, 90, 99] {
            let mut end = text.len() * share / 100;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            match ingest::read("log", &text.as_bytes()[..end], Some(name.parse().unwrap())) {
                Ok(log) => {
                    assert!(
                        log.warnings.iter().any(|warning| warning.message.contains("incomplete")),
                        "{name} {share}"
                    );
                }
                Err(error) => assert!(error.to_string().starts_with("log"), "{error}"),
            }
        }
    }
}

#[test]
fn wrong_types_name_their_line() {
    for (text, from, to, expected) in [
        (SPANS, "\"startTimeUnixNano\":\"", "\"startTimeUnixNano\":\"x", "log:1: invalid value: string \"x17954"),
        (DELTA, "\"count\":\"3\"", "\"count\":[]", "log:3: invalid type: sequence"),
        (DELTA, "\"sum\":0.3899", "\"sum\":{},\"x\":0.3899", "log:2: invalid type: {}, expected a number"),
        (CONSOLE, "\"start_time\": \"2026", "\"start_time\": \"yesterday 2026", "log:"),
        (PAYLOADS, "\"startTime\":1795487692.92345", "\"startTime\":\"soon\"", "log:6: invalid type: string \"soon\""),
        (SPEND_LOGS, "\"spend\": 6.3e-06", "\"spend\": true", "log:6: invalid type: boolean"),
        (EXPORT, "\"latency\": 1.5", "\"latency\": \"1.5\"", "log:4: invalid type: string"),
    ] {
        assert!(text.contains(from), "{from}");
        let message = error(&text.replace(from, to));
        assert!(message.starts_with(expected), "{message} does not begin with {expected}");
    }
}

#[test]
fn errors_of_empty_logs_name_what_is_missing() {
    for (tool, text, expected) in [
        ("otel", "{\"resourceSpans\":[]}", "found 0 spans, but no request to a model"),
        ("otel-console", "[]", "found 0 spans, but no request to a model"),
        ("otel-metrics", "{\"resourceMetrics\":[]}", "no measurement of a request to a model"),
        ("litellm", "[]", "no requests"),
        ("llmscope-export", "{\"export_time\":\"\",\"record_count\":0,\"data\":[]}", "no requests"),
    ] {
        let message = ingest::read("log", text.as_bytes(), Some(tool.parse().unwrap())).unwrap_err().to_string();
        assert!(message.contains(expected), "{tool}: {message}");
    }
}

proptest! {
    #[test]
    fn no_change_of_a_log_makes_its_reader_panic(
        which in 0..ALL.len(), places in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let (name, text) = ALL[which];
        let mut bytes = text.as_bytes().to_vec();
        for (place, byte) in places {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let _ = ingest::read("log", &bytes, None);
        let _ = ingest::read("log", &bytes, Some(name.parse().unwrap()));
    }
}

fn tracer(name: &str) -> Vec<RequestRecord> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/logs/otel").join(name);
    let text = std::fs::read_to_string(path).unwrap();
    match read(&text).content {
        Content::Session(session) => {
            // What all requests share is in the header.
            let model = session.header.model.clone();
            let own = |record: &RequestRecord| RequestRecord {
                model: record.model.clone().or(model.clone()),
                ..record.clone()
            };
            session.records.iter().map(own).collect()
        }
        Content::Table(table) => panic!("{table:?}"),
    }
}

#[test]
fn one_call_is_one_record_whatever_the_tracer_nests() {
    let logfire = tracer("logfire_stream.jsonl");
    assert_eq!(logfire.len(), 1);
    assert_eq!(
        (logfire[0].e2e_s, logfire[0].input_tokens, logfire[0].output_tokens),
        (Some(0.396), Some(17), Some(20))
    );
    let nested = tracer("http_between.json");
    assert_eq!((nested.len(), nested[0].e2e_s), (1, Some(0.4)));
    assert_eq!(nested[0].attribute("server_e2e_s"), Some(0.31));
    let chain = tracer("langchain_task.json");
    assert_eq!((chain.len(), chain[0].e2e_s), (1, Some(0.324551109)));
}

#[test]
fn events_and_names_of_other_tracers_are_read() {
    let ai_sdk = tracer("ai_sdk_timeout.json");
    assert_eq!(ai_sdk[0].attribute("time_to_first_chunk_s"), Some(0.127));
    assert_eq!(ai_sdk[1].status, Status::Timeout);
    assert_eq!(ai_sdk[1].error.as_ref().unwrap().kind, "TimeoutError");
    let phoenix = tracer("openinference_stream.json");
    let first = &phoenix[0];
    assert_eq!(
        (first.model.as_deref(), first.input_tokens, first.output_tokens),
        (Some("mock-ok"), Some(17), Some(20))
    );
    assert!((first.attribute("time_to_first_chunk_s").unwrap() - 0.125).abs() < 1e-9);
    assert_eq!((first.e2e_s, first.attribute("cached_tokens")), (Some(0.41), Some(4.0)));
    assert_eq!((phoenix[1].status, phoenix[1].model.as_deref()), (Status::Error, Some("mock-429")));
    let mlflow = tracer("mlflow_failed.json");
    let error = mlflow[1].error.as_ref().unwrap();
    assert_eq!((mlflow[1].model.as_deref(), error.kind.as_str()), (Some("mock-429"), "RateLimitError"));
    assert_eq!(error.message.as_deref(), Some("Error code: 429 - Rate limit reached"));
    let vllm = tracer("vllm_server.json");
    assert_eq!((vllm.len(), vllm[0].attribute("server_e2e_s")), (1, Some(0.31)));
}

#[test]
fn spans_of_langfuse_and_mlflow_are_read() {
    for (name, cached, reasoning) in [("langfuse_made.json", 4.0, Some(5.0)), ("mlflow_made.json", 4.0, None)] {
        let records = tracer(name);
        // The agent and the tool are steps, although the agent has totals.
        assert_eq!(records.len(), 2, "{name}");
        let first = &records[0];
        assert_eq!((first.model.as_deref(), first.e2e_s), (Some("mock-ok"), Some(0.4)), "{name}");
        assert_eq!((first.input_tokens, first.output_tokens), (Some(17), Some(20)), "{name}");
        assert_eq!(first.attribute("cached_tokens"), Some(cached), "{name}");
        assert_eq!(first.attribute("reasoning_tokens"), reasoning, "{name}");
        assert_eq!(first.attribute("time_to_first_chunk_s"), Some(0.125), "{name}");
    }
    let failed = &tracer("langfuse_made.json")[1];
    assert_eq!((failed.status, failed.model.as_deref(), failed.e2e_s), (Status::Error, Some("mock-429"), None));
    assert_eq!(failed.error.as_ref().unwrap().message.as_deref(), Some("Rate limit reached"));
    let pairs = &tracer("mlflow_made.json")[1];
    assert_eq!((pairs.model.as_deref(), pairs.input_tokens, pairs.output_tokens), (Some("mock-ok"), Some(9), Some(3)));
    assert_eq!(pairs.e2e_s, Some(0.1));
}

/// A span of a trace, with these attributes as texts.
fn span(id: u64, parent: u64, milliseconds: std::ops::Range<u64>, attributes: &[(&str, &str)]) -> serde_json::Value {
    let ns = |milliseconds: u64| (1_795_903_000_000 + milliseconds).to_string() + "000000";
    let attributes: Vec<_> = attributes
        .iter()
        .map(|(key, value)| serde_json::json!({"key": key, "value": {"stringValue": value}}))
        .collect();
    serde_json::json!({"traceId": "1", "spanId": id.to_string(), "parentSpanId": parent.to_string(), "name": "span",
        "startTimeUnixNano": ns(milliseconds.start), "endTimeUnixNano": ns(milliseconds.end), "attributes": attributes})
}

fn export(spans: &[serde_json::Value]) -> String {
    serde_json::json!({"resourceSpans": [{"scopeSpans": [{"scope": {"name": "test"}, "spans": spans}]}]}).to_string()
}

const CHAT: &[(&str, &str)] = &[("gen_ai.operation.name", "chat"), ("gen_ai.request.model", "m")];
const HTTP: &[(&str, &str)] = &[("http.request.method", "POST")];
const AGENT_STEP: &[(&str, &str)] = &[("gen_ai.operation.name", "invoke_agent")];

/// The durations of the records of each export, in milliseconds.
fn exported(memory: &mut SpanMemory, exports: &[String]) -> Vec<Vec<u64>> {
    let mut read = |text: &String| {
        let export = memory.take(Spans::parse("export", text).unwrap(), jiff::Timestamp::UNIX_EPOCH);
        let records = export.session.records.iter();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "milliseconds of a test")]
        records.map(|record| (record.e2e_s.unwrap_or(0.0) * 1e3).round() as u64).collect()
    };
    exports.iter().map(&mut read).collect()
}

#[test]
fn a_call_that_is_split_over_exports_counts_once() {
    let [outer, inner] = [span(1, 9, 0..400, CHAT), span(2, 1, 50..380, CHAT)];
    let http = span(3, 1, 40..390, HTTP);
    let below_http = span(4, 3, 50..380, CHAT);
    let step = span(5, 0, 0..900, AGENT_STEP);
    let one = |span: &serde_json::Value| export(std::slice::from_ref(span));
    for (what, exports, expected) in [
        ("inner first", vec![one(&inner), one(&outer)], vec![vec![330], vec![]]),
        ("outer first", vec![one(&outer), one(&inner)], vec![vec![400], vec![]]),
        ("together", vec![export(&[outer.clone(), inner.clone()])], vec![vec![330]]),
        ("again", vec![one(&inner), one(&inner), one(&outer), one(&outer)], vec![vec![330], vec![], vec![], vec![]]),
        ("through HTTP", vec![one(&http), one(&below_http), one(&outer)], vec![vec![], vec![330], vec![]]),
        ("through HTTP, outer first", vec![one(&outer), one(&http), one(&below_http)], vec![vec![400], vec![], vec![]]),
        (
            "two calls of one agent",
            vec![one(&span(6, 5, 0..100, CHAT)), one(&step), one(&span(7, 5, 200..350, CHAT))],
            vec![vec![100], vec![], vec![150]],
        ),
        (
            "three levels",
            vec![one(&span(8, 2, 60..370, CHAT)), one(&inner), one(&outer)],
            vec![vec![310], vec![], vec![]],
        ),
    ] {
        assert_eq!(exported(&mut SpanMemory::default(), &exports), expected, "{what}");
    }
}

/// A memory that knows what the stored facts of these exports say.
fn restored(exports: &[SpanExport]) -> SpanMemory {
    let mut memory = SpanMemory::default();
    for fact in exports.iter().flat_map(|export| &export.facts) {
        memory.recall(fact.kind, fact.key, &fact.state, jiff::Timestamp::UNIX_EPOCH);
    }
    memory
}

#[test]
fn a_memory_is_restored_from_the_facts_of_its_exports() {
    let with_id = [CHAT, &[("gen_ai.response.id", "chatcmpl-1")]].concat();
    let [outer, inner] = [span(1, 9, 0..400, CHAT), span(2, 1, 50..380, CHAT)];
    let (http, below) = (span(3, 1, 40..390, HTTP), span(4, 3, 50..380, CHAT));
    let one = |span: &serde_json::Value| export(std::slice::from_ref(span));
    for (what, exports) in [
        ("inner first", vec![one(&inner), one(&outer), one(&inner)]),
        ("outer first", vec![one(&outer), one(&inner), one(&outer)]),
        ("through HTTP", vec![export(&[http, below.clone()]), one(&outer), one(&below)]),
        ("one response", vec![one(&span(6, 0, 50..380, &with_id)), one(&span(7, 0, 0..400, &with_id))]),
    ] {
        let mut taken: Vec<SpanExport> = Vec::new();
        for text in &exports {
            let spans = Spans::parse("export", text).unwrap();
            taken.push(restored(&taken).take(spans, jiff::Timestamp::UNIX_EPOCH));
        }
        let counted: Vec<usize> = taken.iter().map(|export| export.session.records.len()).collect();
        assert_eq!((counted[0], counted.iter().sum::<usize>()), (1, 1), "{what}: {counted:?}");
    }
    let others = export(&[span(8, 0, 0..10, HTTP)]);
    let others = SpanMemory::default().take(Spans::parse("export", &others).unwrap(), jiff::Timestamp::UNIX_EPOCH);
    assert_eq!(others.facts, [], "not worth a transaction");
}

#[test]
fn two_spans_with_the_same_response_are_one_call() {
    let with_id = |id: u64, milliseconds: std::ops::Range<u64>| {
        let attributes = [CHAT, &[("gen_ai.response.id", "chatcmpl-1")]].concat();
        span(id, 0, milliseconds, &attributes)
    };
    let (short, long, later) = (with_id(1, 50..380), with_id(2, 0..400), with_id(3, 500..700));
    let one = |span: &serde_json::Value| export(std::slice::from_ref(span));
    let mut memory = SpanMemory::default();
    // A server for tests gives all responses one id, but not at the same time.
    let exports = [one(&short), one(&long), one(&later)];
    assert_eq!(exported(&mut memory, &exports), [vec![330], vec![], vec![200]]);
    assert_eq!(session(&export(&[long, short, later])).records.len(), 2);
}

#[test]
fn an_export_that_was_not_stored_is_read_again() {
    let mut memory = SpanMemory::default();
    let text = export(&[span(2, 1, 50..380, CHAT), span(3, 9, 0..400, HTTP)]);
    let at = jiff::Timestamp::UNIX_EPOCH;
    let take = |memory: &mut SpanMemory, text: &str, at| memory.take(Spans::parse("export", text).unwrap(), at);
    let first = take(&mut memory, &text, at);
    memory.forget(&first);
    let second = take(&mut memory, &text, at);
    assert_eq!((second.session.records.len(), second.repeated), (1, 0));
    assert_eq!(take(&mut memory, &text, at).repeated, 2);
    let later = at + jiff::SignedDuration::from_hours(23);
    assert_eq!(take(&mut memory, &text, later).session.records.len(), 0, "the memory is of a day");
    let later = at + jiff::SignedDuration::from_hours(25);
    assert_eq!(take(&mut memory, &text, later).session.records.len(), 1, "the memory is of one day only");
    let unknown = span(7, 0, 0..10, &[("llm.request.kind", "chat")]);
    assert_eq!(take(&mut memory, &export(&[unknown]), later).unknown, 1);
}

#[test]
fn a_servers_span_waits_for_the_clients() {
    let text = std::fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/logs/otel/http_between.json"),
    );
    let mut all: serde_json::Value = serde_json::from_str(&text.unwrap()).unwrap();
    let spans = all["resourceSpans"][0]["scopeSpans"][0]["spans"].take();
    let mut memory = SpanMemory::default();
    let mut take = |order: &[usize]| {
        let text = export(&order.iter().map(|&at| spans[at].clone()).collect::<Vec<_>>());
        memory.take(Spans::parse("export", &text).unwrap(), jiff::Timestamp::UNIX_EPOCH)
    };
    // The server's span, then the span of HTTP with the client's.
    let server = take(&[2]);
    assert_eq!((server.session.records.len(), server.servers), (0, 0));
    let client = take(&[1, 0]);
    assert_eq!(client.session.records[0].e2e_s, Some(0.4));
    assert_eq!(client.session.records[0].attribute("server_e2e_s"), Some(0.31));
    let alone = std::fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/logs/otel/vllm_server.json"),
    );
    let alone = memory.take(Spans::parse("export", &alone.unwrap()).unwrap(), jiff::Timestamp::UNIX_EPOCH);
    assert_eq!((alone.session.records.len(), alone.servers), (0, 1), "no client called it");
}

#[test]
fn printed_events_give_the_type_of_a_failure() {
    let text = r#"{"name": "chat m", "context": {"trace_id": "0x1", "span_id": "0x2"}, "kind": "SpanKind.CLIENT",
        "parent_id": null, "start_time": "2026-11-24T02:33:56Z", "end_time": "2026-11-24T02:33:57Z",
        "status": {"status_code": "ERROR"}, "attributes": {"gen_ai.operation.name": "chat"},
        "events": [{"name": "exception", "timestamp": "2026-11-24T02:33:57Z",
            "attributes": {"exception.type": "ReadTimeout", "exception.message": "too late"}}]}"#;
    let record = &session(text).records[0];
    let error = record.error.as_ref().unwrap();
    assert_eq!((record.status, error.kind.as_str()), (Status::Timeout, "ReadTimeout"));
    assert_eq!(error.message.as_deref(), Some("too late"));
}
