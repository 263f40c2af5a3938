//! Logs of requests as the tools write them, made from the same requests in each format.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// A request, in terms that every tool knows.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Request {
    pub(crate) number: usize,
    pub(crate) took_s: f64,
    pub(crate) failed: bool,
}

impl Request {
    fn at(self) -> Timestamp {
        let start = Timestamp::from_second(1_767_607_200).unwrap();
        start + SignedDuration::from_secs(10 * i64::try_from(self.number).unwrap())
    }

    fn ended(self) -> Timestamp {
        self.at() + SignedDuration::from_secs_f64(self.took_s)
    }

    fn epoch_s(self) -> f64 {
        self.at().as_second() as f64
    }

    fn ms(self) -> f64 {
        (self.took_s * 1e6).round() / 1e3
    }

    fn status(self) -> u16 {
        if self.failed { 503 } else { 200 }
    }

    fn word(self) -> &'static str {
        if self.failed { "error" } else { "ok" }
    }

    fn id(self) -> String {
        format!("request-{:012}", self.number)
    }
}

/// A format of a log.
pub(crate) struct Format {
    pub(crate) name: &'static str,
    pub(crate) write: fn(&[Request]) -> String,
    /// Requests have times, by which rows in any order are put in order.
    pub(crate) has_times: bool,
    /// An id shows that a request was recorded twice.
    pub(crate) has_ids: bool,
    /// The log tells which requests failed.
    pub(crate) has_failures: bool,
}

const ALL: Format = Format { name: "", write: |_| String::new(), has_times: true, has_ids: true, has_failures: true };

pub(crate) const FORMATS: &[Format] = &[
    Format { name: "session.jsonl", write: session_lines, ..ALL },
    Format { name: "session.json", write: session_document, ..ALL },
    Format { name: "table.csv", write: table, ..ALL },
    Format { name: "table.jsonl", write: table_lines, ..ALL },
    Format { name: "array.json", write: table_array, ..ALL },
    Format { name: "page.json", write: table_page, ..ALL },
    Format { name: "plain.csv", write: plain, has_times: false, has_ids: false, has_failures: false },
    Format { name: "success.csv", write: success, has_ids: false, ..ALL },
    Format { name: "llmperf.json", write: llmperf, has_times: false, has_ids: false, ..ALL },
    Format { name: "jmeter.jtl", write: jmeter, has_ids: false, ..ALL },
    Format { name: "samples.xml", write: jmeter_xml, has_ids: false, ..ALL },
    Format { name: "langfuse.json", write: langfuse, ..ALL },
    Format { name: "mlflow.jsonl", write: mlflow, ..ALL },
    Format { name: "hey.csv", write: hey, has_ids: false, ..ALL },
    Format { name: "h2load.log", write: h2load, has_ids: false, ..ALL },
    Format { name: "oha.csv", write: oha, has_ids: false, ..ALL },
    Format { name: "otel.jsonl", write: otel, ..ALL },
    Format { name: "otel-console.txt", write: otel_console, ..ALL },
    Format { name: "litellm.jsonl", write: litellm, has_ids: false, ..ALL },
    Format { name: "litellm-spend.json", write: litellm_spend, ..ALL },
    Format { name: "litellm-spend.csv", write: litellm_spend_csv, ..ALL },
    Format { name: "service.json", write: service, has_ids: false, ..ALL },
    Format { name: "k6.csv", write: k6_csv, has_ids: false, ..ALL },
    Format { name: "k6.jsonl", write: k6_points, has_ids: false, ..ALL },
    Format { name: "sglang.jsonl", write: sglang, has_times: false, has_ids: false, ..ALL },
    Format { name: "vllm.json", write: vllm, has_ids: false, ..ALL },
    Format { name: "inference-perf.json", write: inference_perf, has_ids: false, ..ALL },
    Format { name: "genai-bench.json", write: genai_bench, has_times: false, has_ids: false, ..ALL },
    Format { name: "genai-perf.json", write: genai_perf, has_ids: false, ..ALL },
    Format { name: "aiperf.jsonl", write: aiperf, ..ALL },
    Format { name: "guidellm.json", write: guidellm, ..ALL },
    Format { name: "bench-my-llm.json", write: bench_my_llm, has_times: false, has_ids: false, has_failures: false },
    Format { name: "hyperfine.json", write: hyperfine, has_times: false, has_ids: false, ..ALL },
    Format { name: "pytest.json", write: pytest, has_times: false, has_ids: false, has_failures: false },
    Format { name: "criterion.json", write: criterion, has_times: false, has_ids: false, has_failures: false },
];

fn lines(requests: &[Request], line: impl Fn(Request) -> Value) -> String {
    requests.iter().map(|&request| format!("{}\n", line(request))).collect()
}

fn array(requests: &[Request], item: impl Fn(Request) -> Value) -> Value {
    requests.iter().map(|&request| item(request)).collect()
}

fn rows(header: &str, requests: &[Request], row: impl Fn(Request) -> String) -> String {
    let rows = requests.iter().map(|&request| row(request) + "\n");
    let header = if header.is_empty() { String::new() } else { format!("{header}\n") };
    header + &rows.collect::<String>()
}

/// A record of a session. A failed request has no latency.
fn record(request: Request) -> Value {
    let mut record = json!({"started_at": request.at().to_string(), "status": request.word(),
        "attributes": {"request_id": request.id()}});
    if request.failed {
        record["error"] = json!({"type": "503", "code": 503});
    } else {
        record["e2e_s"] = json!(request.took_s);
    }
    record
}

fn session_lines(requests: &[Request]) -> String {
    let line = |request: Request| {
        let mut line = json!({"kind": "request"});
        line.as_object_mut().unwrap().append(record(request).as_object_mut().unwrap());
        line
    };
    format!("{}\n{}", json!({"kind": "session", "schema": "llmscope.session/1"}), lines(requests, line))
}

fn session_document(requests: &[Request]) -> String {
    json!({"schema": "llmscope.session/1", "records": array(requests, record)}).to_string()
}

fn table(requests: &[Request]) -> String {
    rows("started_at,request_id,e2e_s,status", requests, |request| {
        format!("{},{},{},{}", request.at(), request.id(), request.took_s, request.word())
    })
}

fn row_object(request: Request) -> Value {
    json!({"started_at": request.at().to_string(), "request_id": request.id(), "e2e_s": request.took_s,
        "status": request.word()})
}

fn table_lines(requests: &[Request]) -> String {
    lines(requests, row_object)
}

fn table_array(requests: &[Request]) -> String {
    array(requests, row_object).to_string()
}

fn table_page(requests: &[Request]) -> String {
    json!({"meta": {"page": 1}, "data": array(requests, row_object)}).to_string()
}

fn plain(requests: &[Request]) -> String {
    rows("model,e2e_s", requests, |request| format!("m,{}", request.took_s))
}

fn success(requests: &[Request]) -> String {
    rows("time;success;latency_ms", requests, |request| {
        format!("{};{};{}", request.at().as_second(), !request.failed, request.ms())
    })
}

fn llmperf(requests: &[Request]) -> String {
    array(requests, |request| match request.failed {
        true => json!({"error_code": 503, "error_msg": "busy", "ttft_s": null, "end_to_end_latency_s": null,
            "inter_token_latency_s": null, "number_output_tokens": 0, "number_input_tokens": 9}),
        false => json!({"error_code": null, "error_msg": "", "ttft_s": request.took_s / 10.0,
            "end_to_end_latency_s": request.took_s, "inter_token_latency_s": request.took_s / 50.0,
            "number_output_tokens": 40, "number_input_tokens": 9}),
    })
    .to_string()
}

fn jmeter(requests: &[Request]) -> String {
    const HEADER: &str = "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,bytes,\
                          grpThreads,allThreads,Latency";
    rows(HEADER, requests, |request| {
        let (at, took) = (request.at().as_millisecond(), request.ms().round());
        format!("{at},{took},GET r,{},X,tg 1-1,text,{},89,4,4,{took}", request.status(), !request.failed)
    })
}

fn jmeter_xml(requests: &[Request]) -> String {
    let sample = |request: &Request| {
        let (at, took, status) = (request.at().as_millisecond(), request.ms().round(), request.status());
        let success = !request.failed;
        format!(
            "<httpSample t=\"{took}\" lt=\"{took}\" ts=\"{at}\" s=\"{success}\" lb=\"GET r\" rc=\"{status}\" rm=\"X\"/>\n"
        )
    };
    let samples: String = requests.iter().map(sample).collect();
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testResults version=\"1.2\">\n{samples}</testResults>\n")
}

fn langfuse(requests: &[Request]) -> String {
    let observation = |request: Request| {
        json!({"id": request.id(), "traceId": "t", "type": "GENERATION", "startTime": request.at().to_string(),
            "endTime": request.ended().to_string(), "completionStartTime": null, "model": "m",
            "level": if request.failed { "ERROR" } else { "DEFAULT" }, "statusMessage": null,
            "parentObservationId": null, "usageDetails": {"input": 9, "output": 40}})
    };
    json!({"data": array(requests, observation), "meta": {"page": 1}}).to_string()
}

fn mlflow(requests: &[Request]) -> String {
    lines(requests, |request| {
        let code = if request.failed { "STATUS_CODE_ERROR" } else { "STATUS_CODE_OK" };
        let span = json!({"trace_id": request.id(), "span_id": "s", "parent_span_id": null, "name": "chat",
            "start_time_unix_nano": i64::try_from(request.at().as_nanosecond()).unwrap(),
            "end_time_unix_nano": i64::try_from(request.ended().as_nanosecond()).unwrap(),
            "events": [], "status": {"code": code, "message": ""},
            "attributes": {"mlflow.spanType": "\"CHAT_MODEL\"", "mlflow.llm.model": "\"m\""}});
        json!({"info": {"trace_id": request.id()}, "data": {"spans": [span]}})
    })
}

fn litellm_spend_csv(requests: &[Request]) -> String {
    const HEADER: &str = "request_id,call_type,spend,prompt_tokens,completion_tokens,startTime,endTime,model,status";
    rows(HEADER, requests, |request| {
        let status = if request.failed { "failure" } else { "success" };
        format!("{},acompletion,0,12,8,{},{},m,{status}", request.id(), request.at(), request.ended())
    })
}

fn hey(requests: &[Request]) -> String {
    const HEADER: &str = "response-time,DNS+dialup,DNS,Request-write,Response-delay,Response-read,status-code,offset";
    rows(HEADER, requests, |request| {
        let (took, offset) = (request.took_s, 10 * request.number);
        format!("{took:.4},0.0005,0.0000,0.0002,{took:.4},0.0001,{},{offset}.0001", request.status())
    })
}

fn h2load(requests: &[Request]) -> String {
    rows("", requests, |request| {
        format!("{}\t{}\t{:.0}", request.at().as_microsecond(), request.status(), request.took_s * 1e6)
    })
}

fn oha(requests: &[Request]) -> String {
    const HEADER: &str = "request-start,DNS,DNS+dialup,Response-delay,request-duration,bytes,status";
    rows(HEADER, requests, |request| {
        format!("{}.01,0,0,{},{},236,{}", 10 * request.number, request.took_s / 2.0, request.took_s, request.status())
    })
}

fn span_ids(request: Request) -> (String, String) {
    (format!("{:032x}", request.number + 1), format!("{:016x}", request.number + 1))
}

fn otel(requests: &[Request]) -> String {
    lines(requests, |request| {
        let (trace, span) = span_ids(request);
        let mut attributes = vec![
            json!({"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}}),
            json!({"key": "gen_ai.provider.name", "value": {"stringValue": "openai"}}),
            json!({"key": "gen_ai.request.model", "value": {"stringValue": "m"}}),
        ];
        if request.failed {
            attributes.push(json!({"key": "error.type", "value": {"stringValue": "503"}}));
        }
        json!({"resourceSpans": [{"resource": {"attributes": []}, "scopeSpans": [{"scope": {"name": "test"}, "spans": [{
            "traceId": trace, "spanId": span, "name": "chat m", "kind": 3,
            "startTimeUnixNano": request.at().as_nanosecond().to_string(),
            "endTimeUnixNano": request.ended().as_nanosecond().to_string(),
            "attributes": attributes, "status": {"code": if request.failed { 2 } else { 0 }}}]}]}]})
    })
}

fn otel_console(requests: &[Request]) -> String {
    let span = |&request: &Request| {
        let (trace, span) = span_ids(request);
        let span = json!({"name": "chat m", "context": {"trace_id": format!("0x{trace}"), "span_id": format!("0x{span}")},
            "kind": "SpanKind.CLIENT", "parent_id": null, "start_time": request.at().to_string(),
            "end_time": request.ended().to_string(),
            "status": {"status_code": if request.failed { "ERROR" } else { "UNSET" }},
            "attributes": {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}, "events": []});
        format!("{span:#}\n")
    };
    requests.iter().map(span).collect()
}

fn litellm(requests: &[Request]) -> String {
    lines(requests, |request| {
        json!({"id": request.id(), "trace_id": request.id(), "call_type": "acompletion", "stream": false,
            "status": if request.failed { "failure" } else { "success" }, "custom_llm_provider": "openai",
            "startTime": request.epoch_s(), "endTime": request.epoch_s() + request.took_s,
            "completionStartTime": request.epoch_s() + request.took_s, "response_time": request.took_s, "model": "m",
            "response_cost": 0.0,
            "total_tokens": 20, "prompt_tokens": 12, "completion_tokens": 8, "api_base": "http://127.0.0.1/v1",
            "error_information": {"error_code": if request.failed { "503" } else { "" }, "error_class": ""}})
    })
}

fn litellm_spend(requests: &[Request]) -> String {
    array(requests, |request| {
        json!({"request_id": request.id(), "call_type": "acompletion", "startTime": request.at().to_string(),
            "endTime": request.ended().to_string(), "completionStartTime": request.ended().to_string(), "model": "m",
            "metadata": "{}", "spend": 0.0, "total_tokens": 20, "prompt_tokens": 12, "completion_tokens": 8,
            "model_group": "m", "custom_llm_provider": "openai",
            "status": if request.failed { "failure" } else { "success" }})
    })
    .to_string()
}

fn service(requests: &[Request]) -> String {
    let rows = array(requests, |request| {
        json!({"id": request.number + 1, "timestamp": request.ended().to_string(), "provider": "openai", "model": "m",
            "latency": if request.failed { 0.0 } else { request.took_s }, "tokens_in": null, "tokens_out": null,
            "cost": null, "success": u8::from(!request.failed),
            "error_message": if request.failed { json!("busy") } else { Value::Null }, "endpoint": null,
            "metadata": {"started_at": request.at().to_string()}})
    });
    json!({"export_time": "2026-01-06T10:01:00Z", "record_count": requests.len(), "data": rows}).to_string()
}

fn k6_csv(requests: &[Request]) -> String {
    rows("metric_name,timestamp,metric_value,status,extra_tags", requests, |request| {
        let (at, status) = (request.ended().as_second(), request.status());
        format!(
            "http_reqs,{at},1.000000,{status},\nhttp_req_duration,{at},{:.6},{status},\nhttp_req_failed,{at},{}.000000,\
             {status},",
            request.ms(),
            u8::from(request.failed)
        )
    })
}

fn k6_points(requests: &[Request]) -> String {
    let point = |request: Request, metric: &str, value: f64| {
        let point = json!({"metric": metric, "type": "Point", "data": {"time": request.ended().to_string(), "value": value,
            "tags": {"name": "chat", "status": request.status().to_string(),
                "expected_response": (!request.failed).to_string()}}});
        format!("{point}\n")
    };
    let points = |&request: &Request| {
        point(request, "http_reqs", 1.0)
            + &point(request, "http_req_duration", request.ms())
            + &point(request, "http_req_failed", if request.failed { 1.0 } else { 0.0 })
    };
    requests.iter().map(points).collect()
}

/// The arrays of a run of vLLM's or SGLang's benchmark.
fn arrays(requests: &[Request]) -> [Value; 4] {
    let ok = |request: &Request, value: Value, failed: Value| if request.failed { failed } else { value };
    [
        requests.iter().map(|one| ok(one, json!(one.took_s / 2.0), json!(0.0))).collect(),
        requests.iter().map(|one| ok(one, json!([one.took_s / 2.0]), json!([]))).collect(),
        requests.iter().map(|one| ok(one, json!(2), json!(0))).collect(),
        requests.iter().map(|one| ok(one, json!(""), json!("Service Unavailable"))).collect(),
    ]
}

fn sglang(requests: &[Request]) -> String {
    let [ttfts, itls, lens, errors] = arrays(requests);
    let run = json!({"backend": "sglang-oai-chat", "dataset_name": "random-ids", "request_rate": 20.0, "duration": 60.0,
        "completed": requests.len(), "total_output_tokens_retokenized": 576, "request_throughput": 15.0,
        "input_lens": vec![30; requests.len()], "output_lens": lens, "ttfts": ttfts, "itls": itls, "errors": errors});
    format!("{run}\n")
}

fn vllm(requests: &[Request]) -> String {
    let [ttfts, itls, lens, errors] = arrays(requests);
    let starts: Vec<f64> = requests.iter().map(|request| 5000.0 + 10.0 * request.number as f64).collect();
    json!({"date": "20260105-100000", "endpoint_type": "openai-chat", "backend": "openai-chat", "model_id": "m",
        "tokenizer_id": "m", "num_prompts": requests.len(), "request_rate": "inf", "burstiness": 1.0,
        "max_concurrency": 1, "duration": 600.0, "completed": requests.len(), "total_input_tokens": 10,
        "total_output_tokens": 10, "request_throughput": 1.0, "output_throughput": 1.0, "total_token_throughput": 2.0,
        "input_lens": vec![30; requests.len()], "output_lens": lens, "ttfts": ttfts, "itls": itls,
        "start_times": starts, "generated_texts": vec![""; requests.len()], "errors": errors})
    .to_string()
}

fn inference_perf(requests: &[Request]) -> String {
    array(requests, |request| {
        let start = 1000.0 + 10.0 * request.number as f64;
        let (first, end) = (start + request.took_s / 2.0, start + request.took_s);
        let error = json!({"error_type": "HTTP Error 503", "error_msg": "busy"});
        json!({"start_time": start, "end_time": end, "request": "{}", "response": "",
            "info": {"input_tokens": 9, "request_metrics": {}, "response_metrics": {"output_tokens": 2,
                "chunk_times": [first, end], "output_token_times": [first, end]}},
            "error": if request.failed { error } else { Value::Null }})
    })
    .to_string()
}

fn genai_bench(requests: &[Request]) -> String {
    let requests = array(requests, |request| match request.failed {
        true => json!({"error_code": 503, "error_message": "busy", "num_input_tokens": 9}),
        false => json!({"error_code": null, "error_message": null, "ttft": request.took_s / 2.0,
            "tpot": request.took_s / 2.0, "e2e_latency": request.took_s, "num_input_tokens": 9, "num_output_tokens": 2}),
    });
    json!({"aggregated_metrics": {"scenario": "D(30,16)", "num_concurrency": 4},
        "individual_request_metrics": requests, "_time_unit": "s"})
    .to_string()
}

fn genai_perf(requests: &[Request]) -> String {
    let requests = array(requests, |request| {
        let chunk = json!({"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": " tok"},
            "finish_reason": null}]});
        let output = if request.failed { String::new() } else { format!("data: {chunk}\n\n") };
        let at = i64::try_from(request.at().as_nanosecond()).unwrap();
        let middle = at + (request.took_s * 5e8) as i64;
        let end = at + (request.took_s * 1e9) as i64;
        json!({"timestamp": at, "request_inputs": {"payload": "{\"model\":\"m\"}"},
            "response_timestamps": [middle, end], "response_outputs": [{"response": output}, {"response": output}]})
    });
    json!({"experiments": [{"experiment": {"mode": "concurrency", "value": 2}, "requests": requests}]}).to_string()
}

fn aiperf(requests: &[Request]) -> String {
    lines(requests, |request| {
        let start = i64::try_from(request.at().as_nanosecond()).unwrap();
        let mut line = json!({"metadata": {"x_request_id": request.id(), "request_start_ns": start,
            "request_end_ns": start + (request.took_s * 1e9) as i64, "benchmark_phase": "profiling",
            "phase_kind": "profiling", "was_cancelled": false}, "metrics": {}, "error": null});
        if request.failed {
            line["error"] = json!({"code": 503, "type": "ServiceUnavailable", "message": "busy"});
        } else {
            line["metrics"] = json!({"request_latency": {"value": request.ms(), "unit": "ms"},
                "time_to_first_token": {"value": request.ms() / 2.0, "unit": "ms"}});
        }
        line
    })
}

fn guidellm(requests: &[Request]) -> String {
    let item = |request: Request| {
        let start = request.epoch_s();
        json!({"type_": "generative_request_stats", "request_id": request.id(),
            "info": {"request_id": request.id(), "status": if request.failed { "errored" } else { "completed" },
                "timings": {"request_start": start}, "error": if request.failed { json!("503 busy") } else { Value::Null }},
            "request_start_time": start, "request_end_time": start + request.took_s,
            "request_latency": if request.failed { Value::Null } else { json!(request.took_s) },
            "prompt_tokens": 29, "output_tokens": 64})
    };
    let (failed, ok): (Vec<Request>, Vec<Request>) = requests.iter().partition(|request| request.failed);
    let config = json!({"strategy": {"type_": "concurrent", "streams": 4},
        "backend": {"kind": "openai_http", "target": "http://127.0.0.1:9000", "model": "m"}});
    json!({"metadata": {"version": 2, "guidellm_version": "0.8.1"}, "config": {"metadata": {"labels": {}}},
        "benchmarks": [{"type_": "generative_benchmark", "config": config, "metrics": {},
            "requests": {"successful": array(&ok, item), "errored": array(&failed, item), "incomplete": []}}]})
    .to_string()
}

fn bench_my_llm(requests: &[Request]) -> String {
    let results = array(requests, |request| {
        json!({"model": "m", "category": "factual", "response_text": " tok", "ttft_ms": request.ms() / 10.0,
            "total_latency_ms": request.ms(), "tokens_generated": 83, "prompt_tokens": 15, "completion_tokens": 83})
    });
    json!({"model": "m", "suite": "factual", "base_url": "http://127.0.0.1:9001/v1",
        "timestamp": "2026-01-05T10:00:00+00:00", "results": results})
    .to_string()
}

fn hyperfine(requests: &[Request]) -> String {
    let times: Vec<f64> = requests.iter().map(|request| request.took_s).collect();
    let codes: Vec<u8> = requests.iter().map(|request| u8::from(request.failed)).collect();
    json!({"results": [{"command": "run", "mean": 0.3, "stddev": 0.1, "median": 0.3, "user": 0.1, "system": 0.1,
        "min": 0.1, "max": 1.0, "times": times, "exit_codes": codes}]})
    .to_string()
}

fn pytest(requests: &[Request]) -> String {
    let data: Vec<f64> = requests.iter().map(|request| request.took_s).collect();
    json!({"machine_info": {}, "commit_info": {"id": "1"}, "benchmarks": [{"group": null, "name": "test_a",
        "fullname": "test_b.py::test_a", "params": null, "options": {"warmup": false},
        "stats": {"min": 0.1, "max": 1.0, "mean": 0.3, "rounds": data.len(), "median": 0.3, "data": data}}],
        "datetime": "2026-01-05T10:00:00+00:00", "version": "5.2.0"})
    .to_string()
}

fn criterion(requests: &[Request]) -> String {
    let times: Vec<f64> = requests.iter().map(|request| request.took_s * 1e9).collect();
    json!({"sampling_mode": "Flat", "iters": vec![1.0; times.len()], "times": times}).to_string()
}
