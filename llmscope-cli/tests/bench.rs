//! Tests of the `bench` command: sessions on disk, an interrupted run, secret keys.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]
#![cfg(unix)]

mod endpoint;

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use endpoint::{Server, chat, reply, signal};
use serde_json::Value;

const FAST: &str = "ttft=4ms,tpot=1ms,tokens=6,spread=0.05";

fn program() -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("llmscope"));
    for name in ["NO_COLOR", "COLUMNS", "CLICOLOR_FORCE", "OPENAI_API_KEY", "OPENAI_BASE_URL"] {
        command.env_remove(name);
    }
    command
}

fn run(args: &[&str]) -> Output {
    program().args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn lines(path: &Path) -> Vec<Value> {
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn of_kind<'l>(lines: &'l [Value], kind: &str) -> Vec<&'l Value> {
    lines.iter().filter(|line| line["kind"] == kind).collect()
}

#[test]
fn from_a_simulated_endpoint_to_a_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("demo.jsonl");
    let file = path.to_str().unwrap();
    let output = run(&["bench", "--vendor", "simulated", "-n", "40", "--warmup", "3", "--simulate", FAST, "-o", file]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let summary = text(&output.stdout);
    assert!(summary.starts_with("SIMULATED endpoint\n40 requests"), "{summary}");
    assert!(summary.contains("ttft (ms)") && summary.contains("client   "), "{summary}");
    assert!(text(&output.stderr).contains("analyze it: llmscope analyze"));

    let lines = lines(&path);
    assert_eq!((of_kind(&lines, "session").len(), of_kind(&lines, "request").len()), (1, 43));
    assert_eq!(lines.last().unwrap()["kind"], "client_health", "the last line is the client health");
    assert_eq!(lines[0]["simulated"], true);
    assert!(lines[0]["environment"]["cpu"]["logical_cores"].as_u64() > Some(0));

    let report = run(&["analyze", file, "--json", "--metric", "ttft_s"]);
    let report: Value = serde_json::from_slice(&report.stdout).unwrap();
    let analysis = &report["analyses"][0];
    assert_eq!((analysis["n"].as_u64(), analysis["excluded"]["warmup"].as_u64()), (Some(40), Some(3)));
    assert!(analysis["warnings"][0].as_str().unwrap().contains("SIMULATED"));
}

#[test]
fn a_document_a_pipe_and_an_appended_session() {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("run.json");
    let common = ["bench", "--vendor", "simulated", "-n", "12", "--simulate", FAST, "-o"];
    let with = |more: &[&str]| run(&[&common, more].concat());
    assert_eq!(with(&[json.to_str().unwrap(), "--label", "build=7"]).status.code(), Some(0));
    let document: Value = serde_json::from_str(&fs::read_to_string(&json).unwrap()).unwrap();
    assert_eq!(document["records"].as_array().unwrap().len(), 12);
    assert_eq!(document["labels"]["build"], "7");
    assert!(!folder.path().join("run.json.partial").exists());

    let again = with(&[json.to_str().unwrap()]);
    assert_eq!(again.status.code(), Some(2));
    assert!(text(&again.stderr).contains("run.json exists"));

    let lines_path = folder.path().join("run.jsonl");
    let grow = [lines_path.to_str().unwrap(), "--append"];
    assert_eq!((with(&grow).status.code(), with(&grow).status.code()), (Some(0), Some(0)));
    assert_eq!(of_kind(&lines(&lines_path), "request").len(), 24);

    let piped = with(&["-"]);
    assert_eq!(text(&piped.stdout).lines().filter(|line| line.contains(r#""kind":"request""#)).count(), 12);
    assert!(text(&piped.stderr).contains("12 requests"), "the summary goes to standard error");
}

#[test]
fn ctrl_c_keeps_the_records_measured_so_far() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    let mut child = program()
        .args(["bench", "--vendor", "simulated", "-n", "100000", "--simulate", FAST, "-c", "4", "-o"])
        .arg(&path)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_until(|| fs::read_to_string(&path).is_ok_and(|text| text.lines().count() > 20));
    signal(&child, "INT");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let lines = lines(&path);
    assert!(of_kind(&lines, "request").len() >= 20);
    assert!(of_kind(&lines, "event")[0]["message"].as_str().unwrap().starts_with("stopped by the user"));
    assert_eq!(of_kind(&lines, "client_health").len(), 1);
}

#[test]
fn a_sweep_has_a_group_per_step_and_objectives_give_goodput() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sweep.jsonl");
    let file = path.to_str().unwrap();
    let slo = ["--slo", "ttft=1s,tpot=1s", "--json"];
    let sweep = ["bench", "--vendor", "simulated", "-n", "12", "--sweep", "1,3", "--simulate", FAST, "-o", file];
    let output = run(&[&sweep[..], &slo].concat());
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["schema"], "llmscope.bench/1");
    assert_eq!((document["simulated"].as_bool(), document["summary"]["good_share"].as_f64()), (Some(true), Some(1.0)));
    assert_eq!(document["summary"]["requests"], 24);
    let report = run(&["analyze", file, "--json", "--metric", "ttft_s", "--by", "concurrency"]);
    let report: Value = serde_json::from_slice(&report.stdout).unwrap();
    assert_eq!(report["analyses"].as_array().unwrap().len(), 2);
}

/// The last step is twenty times as slow, so that it serves less.
#[test]
fn several_loads_have_a_picture_with_the_knee() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (session, picture) = (path("steps.jsonl"), path("steps.svg"));
    let slower = format!("{FAST},shift=80:20");
    let load = ["bench", "--vendor", "simulated", "-n", "40", "-c", "1,2,3", "--simulate", &slower];
    let output = run(&[&load[..], &["--json", "-o", &session, "--plot", &picture]].concat());
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["knee"], "2 clients", "{document}");
    let drawn = std::fs::read_to_string(&picture).unwrap();
    assert!(
        ["knee: 2 clients", "1 client", "time to first token", "(simulated)"].iter().all(|it| drawn.contains(it)),
        "{drawn}"
    );
    let refusal = |more: &[&str]| text(&run(&[&["bench", "--vendor", "simulated", "-n", "1"], more].concat()).stderr);
    assert!(refusal(&["--plot", &picture]).contains("--concurrency 1,2,4,8"));
    assert!(refusal(&["-c", "1,2", "--plot", "steps.txt"]).contains(".svg or .png"));
}

/// The second step is five times as slow: the load rose, the endpoint did not change.
#[test]
fn steps_have_rows_and_are_judged_within() {
    let folder = tempfile::tempdir().unwrap();
    for (load, names) in [("--concurrency=2,4", ["2 clients", "4 clients"]), ("--rate=100,150", ["100/s", "150/s"])] {
        let path = folder.path().join(format!("{}.jsonl", &load[2..6]));
        let file = path.to_str().unwrap();
        let slower = format!("{FAST},shift=40:5");
        let bench = ["bench", "--vendor", "simulated", "-n", "40", load, "--simulate", &slower, "--slo", "ttft=10ms"];
        let output = run(&[&bench[..], &["--json", "-o", file]].concat());
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        let steps = document["steps"].as_array().unwrap();
        let names_of = |key: &str| steps.iter().map(|step| step[key].clone()).collect::<Vec<_>>();
        assert_eq!(names_of("load_step"), names);
        let rates = if load.starts_with("--rate") { [100.0.into(), 150.0.into()] } else { [Value::Null, Value::Null] };
        assert_eq!(names_of("offered_per_s"), rates);
        for (step, good_share) in steps.iter().zip([1.0, 0.0]) {
            assert_eq!(
                (step["summary"]["requests"].as_u64(), step["summary"]["good_share"].as_f64()),
                (Some(40), Some(good_share))
            );
            assert!(step["summary"]["metrics"]["icl_s"]["p99"].as_f64() > Some(0.0));
            assert!(step["client_health"]["timer_lag_p99_s"].as_f64().is_some());
        }
        let [slow, fast] = [1, 0].map(|step| steps[step]["summary"]["metrics"]["ttft_s"]["p50"].as_f64().unwrap());
        assert!(slow > 3.0 * fast, "{slow} {fast}");

        let judged = run(&["analyze", file, "--json"]);
        let report: Value = serde_json::from_slice(&judged.stdout).unwrap();
        let judged_steps: std::collections::BTreeSet<_> =
            report["analyses"].as_array().unwrap().iter().map(|one| one["group"]["load_step"].to_string()).collect();
        assert_eq!(judged_steps.len(), 2);
        let verdicts: Vec<_> =
            report["analyses"].as_array().unwrap().iter().map(|one| one["verdict"].clone()).collect();
        assert!(verdicts.iter().all(|verdict| verdict == "stable"), "{verdicts:?}");
        assert_eq!(run(&["analyze", file, "--by", "provider"]).status.code(), Some(1), "the load is the change");
    }
    let output = run(&["bench", "--vendor", "simulated", "-n", "25", "-c", "1,2", "--simulate", FAST, "-o", "-"]);
    let summary = text(&output.stderr);
    let rows: Vec<_> =
        summary.lines().map(str::trim_start).skip_while(|line| !line.starts_with("load ")).take(3).collect();
    assert!(rows[0].contains("served/s") && rows[0].contains("ttft (ms)") && !rows[0].contains("offered"), "{summary}");
    assert!(rows[1].starts_with("1 client ") && rows[2].starts_with("2 clients "), "{summary}");
    assert!(rows[1].contains(" / "), "{summary}");
}

/// A search runs on the wall clock: while other tests take the processor, a step can stay undecided. It then says so, and is
/// repeated. One search runs at a time.
fn searched(search: impl Fn() -> Output) -> Output {
    static ONE: Mutex<()> = Mutex::new(());
    let _alone = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut output = search();
    for _ in 0..4 {
        if output.status.code() != Some(1) || !text(&output.stderr).contains("undecided") {
            break;
        }
        output = search();
    }
    output
}

#[test]
fn the_highest_load_of_an_objective_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let find = |name: &str, more: &[&str]| {
        let path = folder.path().join(name);
        let endpoint = ["--vendor", "simulated", "--simulate", "ttft=4ms,tpot=0ms,tokens=1,spread=0,servers=2"];
        let out = ["-o", path.to_str().unwrap()];
        run(&[&["bench", "--find-load"][..], &endpoint, &out, more].concat())
    };
    let output = searched(|| {
        fs::remove_file(folder.path().join("run.jsonl")).ok();
        find("run.jsonl", &["--slo", "ttft.p90=100ms", "--rate", "200", "-n", "800"])
    });
    let (summary, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(
        stderr.contains("find-load: steps of 800 requests from 200.0/s, to within 5 %: at most about 22 s"),
        "{stderr}"
    );
    assert!(summary.contains("highest load that keeps ttft.p90=100ms: "), "{summary}");
    assert!(summary.contains("wrong with a probability of at most 5.000 %, if arrivals are independent"), "{summary}");
    let lines = lines(&folder.path().join("run.jsonl"));
    let events: Vec<_> = of_kind(&lines, "event").iter().map(|event| event["message"].to_string()).collect();
    assert!(events.iter().any(|message| message.contains("/s: keeps them")), "{events:?}");

    let output = find("none.jsonl", &["--slo", "ttft.p90=1ms", "--rate", "200", "-n", "120", "--json"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &document["found_load"]["highest_per_s"]), (Some(1), &Value::Null));
    assert_eq!(document["found_load"]["tested"][0]["verdict"], "misses");
    assert!(text(&output.stderr).contains("the first load, 200.0/s, misses one; start with a lower --rate"));

    for (more, problem) in [
        (&["--slo", "ttft=1ms"][..], "expected objectives of a run, such as ttft.p99=500ms"),
        (&["--slo", "ttft.p99=1s", "-n", "50"], "requests in each step to decide these objectives"),
        (&["--slo", "ttft.p99=1s", "--rate", "1,2"], "expected one rate, the first one"),
    ] {
        let output = find("refused.jsonl", more);
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains(problem), "{}", text(&output.stderr));
    }
}

#[test]
fn the_commands_of_the_documentation_answer_their_questions() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/bench.md")).unwrap();
    let section = page.split("## What do you want to know?").nth(1).unwrap();
    let commands = section.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    let commands: Vec<&str> = commands.lines().filter_map(|line| line.strip_prefix("llmscope ")).collect();
    let answers = ["ttft (ms)", "highest load that keeps ttft.p90=100ms: ", "300 requests", "300 requests", "", "met"];
    assert_eq!(commands.len(), answers.len(), "{commands:?}");
    let folder = tempfile::tempdir().unwrap();
    for (command, answer) in commands.iter().zip(answers) {
        let run = || program().current_dir(folder.path()).args(command.split(' ')).output().unwrap();
        let output = if command.contains("--find-load") {
            searched(|| {
                fs::remove_file(folder.path().join("load.jsonl")).ok();
                run()
            })
        } else {
            run()
        };
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{command}: {stdout}{stderr}");
        assert!(stdout.contains(answer) && !stdout.is_empty(), "{command}: {stdout}{stderr}");
    }
}

#[test]
fn invalid_options_fail_before_the_first_request() {
    let cases: [(&[&str], &str); 8] = [
        (&["--vendor", "unknown"], "[possible values: openai, openai-responses, azure, "),
        (&["--vendor", "azure", "--model", "m"], "missing --url: azure has a different address for every customer"),
        (&["--vendor", "openai", "--model", "m"], "openai needs a key: set OPENAI_API_KEY in the environment"),
        (
            &["--vendor", "simulated", "--rate", "0"],
            "invalid --rate 0: expected a rate above 0, up to 100000 requests per second",
        ),
        (&["--vendor", "simulated", "-n", "0"], "invalid --requests 0: expected at least 1"),
        (&["--vendor", "simulated", "--simulate", "ttft=fast"], "ttft=fast"),
        (
            &["--vendor", "openai", "--url", "http://u:p@localhost/v1", "--model", "m"],
            "expected a URL without user and password",
        ),
        (&["--vendor", "simulated", "--prompts", "no-such-file.jsonl"], "no-such-file.jsonl"),
    ];
    for (args, message) in cases {
        let output = run(&[&["bench"], args].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(text(&output.stderr).contains(message), "{args:?}: {}", text(&output.stderr));
        assert!(!text(&output.stderr).contains("u:p@"));
    }
}

#[test]
fn it_is_an_error_if_every_request_fails() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|_, socket| reply(socket, "500 Internal Server Error", "text/plain", "out of memory"));
    let path = folder.path().join("run.jsonl");
    let url = server.url("/v1");
    let args = ["bench", "--vendor", "openai", "--url", &url, "--model", "m", "-n", "3", "-o", path.to_str().unwrap()];
    let output = run(&args);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("no request succeeded: server_error ×3"), "{}", text(&output.stderr));
    assert_eq!(of_kind(&lines(&path), "request").len(), 3);
}

/// Runs a simulated benchmark with this share of failures.
fn with_failures(share: &str, options: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("failures.jsonl");
    let simulation = format!("{FAST},failures={share}");
    let common = ["bench", "--vendor", "simulated", "--simulate", &simulation, "-o", path.to_str().unwrap()];
    run(&[&common, options].concat())
}

#[test]
fn many_failures_are_exit_status_1() {
    let output = with_failures("70%", &["-n", "60", "--seed", "3"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("requests, more than --max-error-rate allows"), "{}", text(&output.stderr));
    // One message of each kind, as the server worded it.
    assert!(text(&output.stdout).contains("server_error: simulated failure"), "{}", text(&output.stdout));
    assert_eq!(with_failures("70%", &["-n", "60", "--max-error-rate", "100%"]).status.code(), Some(0));
    let output = with_failures("10%", &["--max-error-rate", "150%"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("expected 0% to 100%"), "{}", text(&output.stderr));
}

#[test]
fn a_run_stops_after_failures_in_a_row() {
    let summary = |options: &[&str]| -> Value {
        let output = with_failures("100%", &[&["--json", "-n", "500"], options].concat());
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    assert_eq!(summary(&[])["summary"]["failed"], 20);
    assert_eq!(summary(&["--stop-after-failures", "7"])["summary"]["failed"], 7);
    assert_eq!(summary(&["--stop-after-failures", "0"])["summary"]["failed"], 500);
}

#[test]
fn records_are_also_posted() {
    let folder = tempfile::tempdir().unwrap();
    let service = Server::start(|_, socket| reply(socket, "200 OK", "application/json", r#"{"status":"logged"}"#));
    let path = folder.path().join("run.jsonl");
    let url = service.url("");
    let args = [
        "bench",
        "--vendor",
        "simulated",
        "-n",
        "7",
        "--warmup",
        "2",
        "--output-tokens",
        "5",
        "--simulate",
        FAST,
        "--post",
        &url,
        "-o",
    ];
    let output = run(&[&args[..], &[path.to_str().unwrap()]].concat());
    assert!(text(&output.stderr).contains("post: 7 records sent, 0 not sent, 0 refused"), "{}", text(&output.stderr));
    let arrived = service.arrived();
    assert_eq!(arrived.len(), 7);
    assert_eq!((arrived[0].path.as_str(), &arrived[0].body["provider"]), ("/api/log", &"simulated".into()));
    assert_eq!(arrived[0].body["tokens_out"], 5, "the option takes precedence over the prompts");
}

#[test]
fn a_key_that_goes_to_another_machine_without_encryption_is_warned_about() {
    let service = Server::start(|_, socket| reply(socket, "200 OK", "application/json", r#"{"status":"logged"}"#));
    let local = service.url("");
    // Not a loopback address, and yet this machine.
    let other = local.replace("127.0.0.1", "0.0.0.0");
    assert_ne!(local, other);
    let folder = tempfile::tempdir().unwrap();
    for (url, key, is_warned) in
        [(&local, "canary-of-the-service", false), (&other, "", false), (&other, "canary-of-the-service", true)]
    {
        let _ = fs::remove_file(folder.path().join("run.jsonl"));
        let output = program()
            .args(["bench", "--vendor", "simulated", "-n", "1", "--simulate", FAST, "--post", url, "-o", "run.jsonl"])
            .env("LLMSCOPE_API_KEY", key)
            .current_dir(folder.path())
            .output()
            .unwrap();
        let stderr = text(&output.stderr);
        assert_eq!(stderr.contains("goes to 0.0.0.0 unencrypted"), is_warned, "{stderr}");
        assert!(stderr.contains("1 record sent") && !stderr.contains("canary"), "{stderr}");
    }
}

#[test]
fn https_connections_use_the_proxy_of_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    // The proxy opens the tunnel for clients that send the password, but does not speak TLS behind it.
    let proxy = Server::start(|arrived, socket| {
        let known = arrived.headers.to_ascii_lowercase().contains("proxy-authorization: basic dtpwyxnzd29yza==");
        let status = if known { "200 Connection established" } else { "407 Proxy Authentication Required" };
        let _ = std::io::Write::write_all(socket, format!("HTTP/1.1 {status}\r\n\r\nno tls").as_bytes());
    });
    let bench = |name: &str, proxy: &str, no_proxy: &str| {
        let path = folder.path().join(name);
        let url = "https://llm.example.invalid/v1";
        let output = program()
            .args(["bench", "--vendor", "openai", "--url", url, "--model", "m", "-n", "1", "-o"])
            .arg(&path)
            .env("HTTPS_PROXY", proxy)
            .env("NO_PROXY", no_proxy)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(!text(&output.stderr).contains("password"), "{}", text(&output.stderr));
        fs::read_to_string(path).unwrap_or_else(|_| text(&output.stderr))
    };
    let address = format!("127.0.0.1:{}", proxy.port);
    let tunneled = bench("a.jsonl", &format!("http://u:password@{address}"), "");
    assert!(tunneled.contains(r#""type":"tls""#), "{tunneled}");
    assert!(proxy.arrived().iter().all(|arrived| arrived.path == "llm.example.invalid:443"));
    let refused = bench("b.jsonl", &format!("http://{address}"), "");
    assert!(refused.contains(&format!("proxy {address}: tunnel error: proxy authorization required")), "{refused}");
    let count = proxy.arrived().len();
    let direct = bench("c.jsonl", &format!("http://{address}"), "example.invalid");
    assert!(direct.contains(r#""type":"dns""#), "{direct}");
    assert_eq!(proxy.arrived().len(), count);
    assert!(bench("d.jsonl", "socks5://u:password@127.0.0.1:1", "").contains("HTTPS_PROXY: expected http://HOST:PORT"));
}

/// The key goes only to the endpoint. It does not appear in the session, the terminal or the list of processes.
#[test]
fn a_key_is_never_shown() {
    const KEY: &str = "sk-canary-7f3a91c0d2";
    const HEADER: &str = "canary-header-51b8";
    let folder = tempfile::tempdir().unwrap();
    let delay = AtomicU64::new(100);
    let server = Server::start(move |arrived, socket| {
        // Some servers repeat the key in their error message.
        if arrived.body["messages"][0]["content"].as_str().unwrap_or_default().len() % 2 == 0 {
            let body = format!(r#"{{"error":{{"message":"Incorrect API key provided: {KEY} ({HEADER})"}}}}"#);
            reply(socket, "401 Unauthorized", "application/json", &body);
        } else {
            chat(socket, &delay);
        }
    });
    let prompts = folder.path().join("prompts.txt");
    fs::write(&prompts, "odd\neven\n").unwrap();
    let path = folder.path().join("run.jsonl");
    let mut child = program()
        .args(["bench", "--vendor", "openai", "--url", &server.url("/v1"), "--model", "m", "-n", "8"])
        .args(["--header-env", "X-Extra=EXTRA", "--prompts", prompts.to_str().unwrap(), "-o", path.to_str().unwrap()])
        .env("OPENAI_API_KEY", KEY)
        .env("EXTRA", HEADER)
        .env("RUST_BACKTRACE", "full")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_until(|| !server.arrived().is_empty());
    // The command line as shown by `ps`.
    let mut seen = vec![fs::read_to_string(format!("/proc/{}/cmdline", child.id())).unwrap()];
    assert!(seen[0].contains("X-Extra=EXTRA"), "{}", seen[0]);
    let output = {
        child.wait().unwrap();
        child.wait_with_output().unwrap()
    };
    seen.extend([text(&output.stdout), text(&output.stderr), fs::read_to_string(&path).unwrap()]);
    seen.push(text(&run(&["analyze", path.to_str().unwrap(), "--json", "--metric", "error_rate"]).stdout));

    assert!(server.arrived().iter().all(|arrived| arrived.headers.contains(KEY) && arrived.headers.contains(HEADER)));
    let session = fs::read_to_string(&path).unwrap();
    assert!(session.contains("Incorrect API key provided: *** (***)"), "{session}");
    assert!(session.contains(r#""status":"ok""#), "{session}");
    assert_eq!(seen.len(), 5);
    for text in seen {
        assert!(!text.contains(KEY) && !text.contains(HEADER), "{text}");
    }
}

fn wait_until(done: impl Fn() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(30), "timed out");
        std::thread::sleep(Duration::from_millis(10));
    }
}
