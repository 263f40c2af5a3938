//! Analyses equal those of the core for the same requests, downsampled or drawn on request.

use std::fs;

use llmscope_core::analysis::answer::family_of;
use llmscope_core::analysis::{Analysis, Baseline, Origin, Report, Selection, Stages};
use llmscope_core::{Measure, Metric, Plan, analyze, ingest};
use serde_json::{Value, json};

use super::client::values::{Numbers, records, steady, unsteady};
use super::{LEARN, Running, keep, keep_latencies, learned};

/// Requests with every metric, some of which are missing at random.
fn requests(n: usize) -> Vec<Value> {
    let latencies_s: Vec<Option<f64>> =
        [steady(3, LEARN), unsteady(4, n - LEARN)].concat().into_iter().map(Some).collect();
    let mut numbers = Numbers::of(5);
    let mut all = records("openai", "gpt-4o", &latencies_s);
    for (request, latency_s) in all.iter_mut().zip(latencies_s) {
        let latency_s = latency_s.unwrap();
        let others = [
            ("ttft_s", latency_s / 3.0),
            ("tpot_s", latency_s / 70.0),
            ("ttft_from_write_s", latency_s / 4.0),
            ("connect_s", latency_s / 100.0),
            ("sched_delay_s", latency_s / 1000.0 - 1e-4),
            ("cost_usd", latency_s / 7.0),
        ];
        for (field, value) in others.into_iter().filter(|_| numbers.below(10) > 0) {
            request[field] = json!(value);
        }
        request["output_tokens"] = json!(50 + numbers.below(9));
        if numbers.below(10) > 0 {
            request["input_tokens"] = json!(500 + numbers.below(90));
            request["attributes"] = json!({"cached_tokens": numbers.below(500)});
        }
        match numbers.below(25) {
            0 => request["status"] = json!("timeout"),
            2 => {
                request["status"] = json!("error");
                request["error"] = json!({"type": "http_status", "code": 503, "message": "over\nloaded"});
            }
            1 => request["warmup"] = json!(true),
            _ => {}
        }
    }
    all
}

/// The plan of a query that names no rules.
fn of_last_stage() -> Plan {
    Plan { origin: Origin::LastStage, ..Plan::default() }
}

/// The analyses of the core for the requests that the service exports.
fn expected(running: &Running, metrics: &[Metric], plan: &Plan) -> Vec<Value> {
    let file = running.client.get("/api/v1/records?format=jsonl").body;
    let log = ingest::read("live", &file, None).unwrap();
    let by = Some(vec!["provider".to_owned(), "model".to_owned()]);
    let measures = metrics.iter().map(|metric| Measure::Metric(*metric)).collect();
    let series = Selection { measures, by, ..Selection::default() }.series([&log]).unwrap();
    let plan = Plan { family: family_of(&series), ..plan.clone() };
    series.iter().map(|series| serde_json::to_value(analyze(series, &plan).unwrap()).unwrap()).collect()
}

fn report(running: &Running, query: &str) -> Value {
    running.client.get(format!("/api/v1/analysis?{query}")).ok()
}

#[test]
fn every_metric_is_analyzed_as_the_core_does() {
    let running = Running::start();
    keep(&running.client, &requests(90));
    for metric in Metric::ALL {
        let plan = Plan { points: true, ..of_last_stage() };
        let report = report(&running, &format!("metric={}&points=true&limits=data", metric.name()));
        assert_eq!(report["schema"], "llmscope.report/2");
        assert_eq!(report["analyses"], json!(expected(&running, &[metric], &plan)), "{metric}");
    }
}

#[test]
fn several_metrics_give_several_analyses() {
    let running = Running::start();
    keep(&running.client, &requests(60));
    let report = report(&running, "metric=ttft_s,e2e_s&limits=data");
    assert_eq!(report["analyses"], json!(expected(&running, &[Metric::Ttft, Metric::E2e], &of_last_stage())));
    assert_eq!(report["analyses"].as_array().unwrap().len(), 2);
    let directions: Vec<_> = report["columns"].as_array().unwrap().iter().map(|column| &column["direction"]).collect();
    assert_eq!(directions, ["lower_is_better", "lower_is_better"]);
    // One limit does not apply to a time to first token and to an end-to-end latency.
    let (place, _) = running.client.get("/api/v1/analysis?metric=ttft_s,e2e_s&usl=800ms").field_error();
    assert_eq!(place, [json!("query"), json!("usl")]);
}

#[test]
fn a_stage_starts_where_the_level_changes() {
    let running = learned();
    let slower: Vec<f64> = steady(6, 60).iter().map(|x| 1.5 * x).collect();
    keep_latencies(&running.client, &slower);
    let plan = Plan { stages: Stages::Auto, points: true, ..Plan::default() };
    // Also for a series with frozen limits.
    let found = report(&running, "stages=auto&points=true");
    assert_eq!(found["analyses"], json!(expected(&running, &[Metric::E2e], &plan)));
    let stages = &found["analyses"][0]["stages"];
    assert_eq!((stages.as_array().unwrap().len(), &stages[1]["first"]), (2, &json!(LEARN)));
    let given = report(&running, &format!("stages={LEARN}"));
    assert_eq!(given["analyses"][0]["limits"], found["analyses"][0]["limits"]);
    for refused in ["stages=often", "stages=auto&phase1=20", "stages=auto&limits=frozen"] {
        let answer = running.client.get(format!("/api/v1/analysis?{refused}"));
        assert_eq!(answer.status, 422, "{refused}: {}", answer.text());
        assert!(answer.text().contains("stages"), "{refused}: {}", answer.text());
    }
}

#[test]
fn frozen_limits_are_those_of_the_series() {
    let running = learned();
    keep_latencies(&running.client, &unsteady(6, 80));
    let baselines = Baseline::read("b", &running.client.get("/api/v1/baselines").text()).unwrap();
    let plan = Plan { origin: Origin::Baseline(baselines), ..Plan::default() };
    let frozen = json!(expected(&running, &[Metric::E2e], &plan));
    assert_eq!(report(&running, "limits=frozen")["analyses"], frozen);
    assert_eq!(report(&running, "")["analyses"], frozen, "the default if there are any");
    assert_ne!(report(&running, "limits=data")["analyses"], frozen);
}

#[test]
fn the_query_sets_the_plan() {
    let running = Running::start();
    keep(&running.client, &requests(80));
    let plan = |change: fn(&mut Plan)| {
        let mut plan = of_last_stage();
        change(&mut plan);
        plan
    };
    let plans: [(&str, Plan); 6] = [
        ("rules=1,2,5", plan(|plan| (plan.rules, plan.origin) = ("1,2,5".parse().unwrap(), Origin::Data))),
        ("phase1=30", plan(|plan| plan.origin = Origin::FirstPoints(0..30))),
        ("chart=ewma", plan(|plan| plan.chart = Some("ewma".parse().unwrap()))),
        ("chart=cusum&points=1", plan(|plan| (plan.chart, plan.points) = (Some("cusum".parse().unwrap()), true))),
        ("subgroup=4", plan(|plan| plan.subgroups = Some(llmscope_core::analysis::Grouping::Every(4)))),
        (
            "usl=400ms&lsl=0.1&target=0.3s&confidence=0.9",
            plan(|plan| {
                plan.specification =
                    Some(llmscope_core::SpecificationLimits::new(Some(0.1), Some(0.4), Some(0.3)).unwrap());
                plan.confidence = 0.9;
            }),
        ),
    ];
    for (query, plan) in plans {
        assert_eq!(
            report(&running, &format!("{query}&limits=data"))["analyses"],
            json!(expected(&running, &[Metric::E2e], &plan)),
            "{query}"
        );
    }
}

#[test]
fn answers_are_ranked_and_share_alpha() {
    let running = Running::start();
    keep(&running.client, &records("a", "m", &steady(3, 60).into_iter().map(Some).collect::<Vec<_>>()));
    let slower: Vec<f64> = steady(6, 60).iter().map(|x| 1.5 * x).collect();
    keep(
        &running.client,
        &records("b", "m", &[steady(5, 60), slower].concat().into_iter().map(Some).collect::<Vec<_>>()),
    );
    let found = report(&running, "limits=data&alpha=0.04");
    assert_eq!((&found["alpha"], &found["comparisons"]), (&json!(0.04), &json!(2)));
    let [first, second] = found["answers"].as_array().unwrap().clone().try_into().unwrap();
    assert_eq!(
        (&first["analysis"], &first["verdict"], &first["direction"]),
        (&json!(1), &json!("changed"), &json!("worse"))
    );
    assert_eq!((&second["analysis"], &second["verdict"]), (&json!(0), &json!("stable")));
    assert_eq!(first["text"], found["analyses"][1]["answer"]["text"]);
    let Value::Object(mut fields) = found else { panic!("not an object") };
    let headline = fields.remove("headline").unwrap();
    let report: Report = serde_json::from_value(Value::Object(fields)).unwrap();
    assert_eq!(headline, json!(report.headline()));
}

#[test]
fn rules_decide_about_limits_from_elsewhere() {
    let running = learned();
    keep_latencies(&running.client, &steady(6, 80));
    for (query, decided_by) in [
        ("", "rules"),
        ("limits=frozen", "rules"),
        ("limits=data", "changes"),
        ("phase1=30", "rules"),
        ("stages=auto", "changes"),
        ("by=none", "changes"),
        ("verdict=changes", "changes"),
        ("limits=data&verdict=rules", "rules"),
    ] {
        assert_eq!(report(&running, query)["decided_by"], decided_by, "{query}");
    }
}

#[test]
fn a_single_slow_request_is_a_change_on_request() {
    let running = Running::start();
    keep_latencies(&running.client, &[steady(3, 100), vec![30.0], steady(5, 100)].concat());
    let verdict = |query: &str| {
        let found = report(&running, query);
        assert_eq!(found["analyses"][0]["answer"]["slow_requests"]["count"], 1, "{query}");
        found["analyses"][0]["verdict"].clone()
    };
    assert_eq!((verdict("limits=data"), verdict("limits=data&spikes=true")), (json!("stable"), json!("changed")));
}

#[test]
fn the_answers_about_a_session_are_those_about_its_file() {
    let running = Running::start();
    for name in ["second-load", "paused"] {
        let path = format!("{}/../examples/sessions/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let file = fs::read(path).unwrap();
        let upload = format!("/api/v1/sessions?name={name}");
        let session = running.client.post_bytes(&upload, "application/json", &file).ok();
        let log = ingest::read(name, &file, None).unwrap();
        let metrics = [Metric::Ttft, Metric::E2e];
        let measures = metrics.map(Measure::Metric).to_vec();
        let by = Some(vec!["provider".to_owned(), "model".to_owned()]);
        let series = Selection { measures, by, ..Selection::default() }.series([&log]).unwrap();
        let plan = Plan { family: family_of(&series), ..Plan::default() };
        let answers: Vec<Value> = series.iter().map(|series| json!(analyze(series, &plan).unwrap().answer)).collect();
        let query = format!("session={}&metric=ttft_s,e2e_s", session["id"]);
        let found = report(&running, &query);
        let of_service: Vec<Value> =
            found["analyses"].as_array().unwrap().iter().map(|one| one["answer"].clone()).collect();
        assert_eq!(of_service, answers, "{name}");
        if name == "second-load" {
            assert_eq!(of_service[0]["events"].as_array().map(Vec::len), Some(1), "{}", of_service[0]);
        }
    }
}

/// A night of 60 requests, one a second.
fn night(day: usize, slowdown: f64) -> String {
    let line = |(second, latency_s): (usize, f64)| {
        let at = format!("2026-11-{day:02}T02:00:{second:02}Z");
        json!({"started_at": at, "provider": "p", "model": "m", "e2e_s": latency_s * slowdown}).to_string() + "\n"
    };
    steady(day as u64, 60).into_iter().enumerate().map(line).collect()
}

#[test]
fn several_sessions_are_judged_as_runs() {
    const NIGHTS: usize = 14;
    const SLOWER_FROM: usize = 10;
    let running = Running::start();
    let logs: Vec<String> = (1..=NIGHTS).map(|day| night(day, if day < SLOWER_FROM { 1.0 } else { 1.15 })).collect();
    let upload = |(index, log): (usize, &String)| {
        let path = format!("/api/v1/sessions?name=night-{}", index + 1);
        running.client.post_bytes(&path, "application/x-ndjson", log.as_bytes()).ok()["id"].to_string()
    };
    let mut ids: Vec<String> = logs.iter().enumerate().map(upload).collect();
    // The order of the query does not matter, and a session counts once.
    ids.reverse();
    ids.push(ids[0].clone());
    let found = report(&running, &format!("session={}&metric=e2e_s", ids.join(",")));
    let answer = &found["analyses"][0]["answer"];

    let read = |(index, log): (usize, &String)| ingest::read(&format!("night-{}", index + 1), log.as_bytes(), None);
    let logs: Vec<_> = logs.iter().enumerate().map(|log| read(log).unwrap()).collect();
    let by = Some(vec!["provider".to_owned(), "model".to_owned()]);
    let measures = vec![Measure::Metric(Metric::E2e)];
    let series = Selection { measures, by, ..Selection::default() }.series(&logs).unwrap();
    let plan = Plan { family: family_of(&series), ..Plan::default() };
    assert_eq!(*answer, json!(analyze(&series[0], &plan).unwrap().answer));

    assert_eq!(found["analyses"][0]["verdict"], "changed", "{answer}");
    assert_eq!(answer["since"]["run"]["index"], SLOWER_FROM - 1, "{answer}");
    let runs = found["runs"].as_array().unwrap();
    assert_eq!((runs.len(), &runs[0]["analysis"]), (1, &json!(0)));
    assert_eq!(runs[0]["chart"]["points"].as_array().unwrap().len(), NIGHTS);
    assert_eq!(runs[0]["chart"]["verdict"], "changed");
    assert!(report(&running, &format!("session={}&metric=e2e_s", ids[0])).get("runs").is_none(), "one session");
}

#[test]
fn sessions_are_named_by_their_ids() {
    let running = Running::start();
    let refusal = |ids: &str| running.client.get(format!("/api/v1/analysis?session={ids}")).text();
    assert!(refusal("first").contains("such as 3 or 3,4,7"));
    assert!(refusal("1,").contains("such as 3"), "an empty id");
    assert!(refusal(&vec!["1"; 1001].join(",")).contains("at most 1000"));
}

#[test]
fn requests_are_grouped_by_provider_and_model() {
    let running = Running::start();
    for (provider, model) in [("a", "m"), ("a", "n"), ("b", "m")] {
        keep(&running.client, &records(provider, model, &[Some(0.3), Some(0.31), Some(0.29)]));
    }
    let groups = |by: &str| -> Vec<(Value, Value)> {
        let report = report(&running, &format!("limits=data{by}"));
        report["analyses"].as_array().unwrap().iter().map(|one| (one["group"].clone(), one["n"].clone())).collect()
    };
    assert_eq!(groups("").len(), 3);
    assert_eq!(groups("&by=provider"), [(json!({"provider": "a"}), json!(6)), (json!({"provider": "b"}), json!(3))]);
    assert_eq!(groups("&by=none"), [(json!({}), json!(9))]);
    assert_eq!(groups("&provider=b"), [(json!({"provider": "b", "model": "m"}), json!(3))]);
}

#[test]
fn a_series_is_analyzed_by_its_id() {
    let running = Running::start();
    for (provider, model) in [("a", "m"), ("b", "m")] {
        let latencies_s = [0.3, 0.31, 0.29].map(Some);
        keep(&running.client, &records(provider, model, &latencies_s));
    }
    for one in super::series(&running.client) {
        let report = report(&running, &format!("series={}", one["id"]));
        let [analysis] = report["analyses"].as_array().unwrap().clone().try_into().unwrap();
        assert_eq!((&analysis["group"]["provider"], &analysis["metric"]), (&one["provider"], &one["metric"]));
    }
    running.client.get("/api/v1/analysis?series=99").refusal(404);
}

#[test]
fn downsampled_points_keep_violations() {
    let running = Running::start();
    let latencies_s = [steady(7, 1500), vec![0.9], steady(8, 700), unsteady(9, 60), steady(10, 700)].concat();
    keep_latencies(&running.client, &latencies_s);
    let mut whole: Analysis = serde_json::from_value(report(&running, "points=true")["analyses"][0].clone()).unwrap();
    let mut downsampled: Analysis =
        serde_json::from_value(report(&running, "points=true&max_points=100")["analyses"][0].clone()).unwrap();
    let (all, some) = (whole.points.clone().unwrap(), downsampled.points.clone().unwrap());
    assert_eq!((all.len(), some.len() < 600), (latencies_s.len(), true), "{}", some.len());
    assert!(some.iter().all(|point| *point == all[point.i]), "a point that stays is unchanged");
    assert!(!whole.patterns.violations.is_empty());
    for found in &whole.patterns.violations {
        for marked in [found.first, found.first_signal, found.last] {
            assert!(some.iter().any(|point| point.i == marked), "{found}");
        }
    }
    // Statistics are those of all points.
    (downsampled.points, whole.points) = (None, None);
    assert_eq!(downsampled, whole);
}

#[test]
fn a_histogram_counts_the_same_values() {
    let running = learned();
    keep_latencies(&running.client, &unsteady(11, 100));
    let histogram = running.client.get("/api/v1/histogram?usl=400ms&lsl=0.2").ok();
    let of = |field: &str| -> Vec<f64> {
        histogram[field].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
    };
    let (edges, counts) = (of("edges"), of("counts"));
    assert_eq!(
        (edges.len(), &histogram["n"], &histogram["unit"]),
        (counts.len() + 1, &json!(LEARN + 100), &json!("s"))
    );
    assert!(edges.is_sorted_by(|a, b| a < b), "{edges:?}");
    let values = [steady(1, LEARN), unsteady(11, 100)].concat();
    for (bin, pair) in edges.windows(2).enumerate() {
        let is_last = bin + 1 == counts.len();
        let inside = values.iter().filter(|x| pair[0] <= **x && (**x < pair[1] || is_last && **x == pair[1])).count();
        assert_eq!(counts[bin], f64::from(u32::try_from(inside).unwrap()), "bin {bin}");
    }
    assert_eq!(
        (&histogram["specification"]["lower"], &histogram["specification"]["upper"]),
        (&json!(0.2), &json!(0.4))
    );
    assert_eq!(running.client.get("/api/v1/histogram").ok().get("specification"), None);
}

#[test]
fn charts_are_images() {
    let running = learned();
    keep_latencies(&running.client, &unsteady(12, 50));
    let svg = running.client.get("/api/v1/chart.svg");
    assert_eq!((svg.status, svg.header("content-type")), (200, Some("image/svg+xml")));
    assert!(svg.text().contains("<svg") && svg.text().trim_end().ends_with("</svg>"));
    assert!(!svg.text().contains("<script"));
    let png = running.client.get("/api/v1/chart.png?metric=e2e_s");
    assert_eq!(
        (png.status, png.header("content-type"), &png.body[..8]),
        (200, Some("image/png"), &b"\x89PNG\r\n\x1a\n"[..])
    );
}

#[test]
fn objectives_are_certified() {
    let running = Running::start();
    keep_latencies(&running.client, &steady(3, 300));
    let found = report(&running, "limits=data&slo=errors=10%25,e2e.p95=1ms,e2e=100s");
    let (analysis, answer) = (&found["analyses"][0], &found["analyses"][0]["answer"]);
    let status = |index: usize| (&answer["objectives"][index]["objective"], &answer["objectives"][index]["status"]);
    assert_eq!(status(0), (&json!("errors=10%"), &json!("met")));
    assert_eq!(status(1), (&json!("e2e.p95=1ms"), &json!("missed")));
    // The objective of a request is a specification limit.
    assert_eq!((&answer["goodput"][0]["share"], &analysis["specification"]["upper"]), (&json!(1.0), &json!(100.0)));
}

#[test]
fn an_empty_selection_has_no_chart() {
    let running = Running::start();
    assert_eq!(report(&running, "")["analyses"], json!([]));
    assert_eq!(report(&running, "slo=ttft.p99=1s")["analyses"], json!([]));
    for path in ["histogram", "chart.svg", "chart.png"] {
        running.client.get(format!("/api/v1/{path}")).refusal(404);
    }
    for path in ["analysis", "histogram", "chart.svg"] {
        assert_eq!(running.client.get(format!("/api/v1/{path}?session=7")).refusal(404), "there is no session 7");
    }
}

#[test]
fn an_error_names_the_field() {
    let running = learned();
    for (query, field) in [
        ("metric=speed", "metric"),
        ("by=region", "by"),
        ("limits=mine", "limits"),
        ("lsl=fast", "lsl"),
        ("usl=0.1&lsl=0.2", "usl"),
        ("confidence=1", "confidence"),
        ("confidence=NaN", "confidence"),
        ("alpha=0.5", "alpha"),
        ("alpha=NaN", "alpha"),
        ("verdict=maybe", "verdict"),
        ("spikes=some", "spikes"),
        ("slo=e2e=1", "slo"),
        ("slo=tpot.p99=1s", "slo"),
        ("max_points=9", "max_points"),
        ("subgroup=1", "subgroup"),
        ("hours=1&from=2026-01-01T00:00:00Z", "hours"),
        ("colour=red", "colour"),
    ] {
        for path in ["analysis", "chart.svg"] {
            let (loc, _) = running.client.get(format!("/api/v1/{path}?{query}")).field_error();
            assert_eq!(loc, [json!("query"), json!(field)], "{path}?{query}");
        }
    }
    for query in ["chart=pie", "rules=nelson-99", "phase1=none", "phase1=900", "subgroup=10000", "chart=p"] {
        let status = running.client.get(format!("/api/v1/analysis?{query}")).status;
        assert!([200, 422].contains(&status), "{query}: {status}");
    }
}
