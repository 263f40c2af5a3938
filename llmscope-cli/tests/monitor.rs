//! Tests of the `monitor` command with real sockets: an endpoint that slows down and a service that is unavailable.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]
#![cfg(unix)]

mod endpoint;

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use endpoint::{Server, chat, reply, signal};
use serde_json::Value;

fn monitor(args: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("llmscope"));
    for name in ["OPENAI_API_KEY", "LLMSCOPE_API_BASE", "LLMSCOPE_WEBHOOK_URL", "MONITORING_INTERVAL", "USE_OLLAMA"] {
        command.env_remove(name);
    }
    // Not in the home folder of who runs the tests.
    command.env("XDG_STATE_HOME", std::env::temp_dir().join(format!("llmscope-tests-{}", std::process::id())));
    command.arg("monitor").args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The number of requests in the session.
fn recorded(path: &Path) -> usize {
    fs::read_to_string(path).map_or(0, |text| text.lines().filter(|line| line.contains(r#""kind":"request""#)).count())
}

fn wait_until(what: &str, done: impl Fn() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(60), "waited for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn terminate(mut child: Child) -> (Option<i32>, String, String) {
    signal(&child, "TERM");
    let code = child.wait().unwrap().code();
    let output = child.wait_with_output().unwrap();
    (code, String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

/// An endpoint whose first token comes after a delay that the test sets, plus up to 100 ms. Limits learned from this
/// variation raise no alarm when the machine is busy.
fn slow_endpoint() -> (Server, Arc<AtomicU64>) {
    let delay = Arc::new(AtomicU64::new(20));
    let (set, requests) = (delay.clone(), AtomicU64::new(0));
    let server = Server::start(move |_, socket| {
        let extra = requests.fetch_add(1, Ordering::SeqCst) * 37 % 100;
        chat(socket, &AtomicU64::new(set.load(Ordering::SeqCst) + extra));
    });
    (server, delay)
}

#[test]
fn a_slowdown_is_reported_once_and_its_end_once() {
    let folder = tempfile::tempdir().unwrap();
    let (endpoint, delay) = slow_endpoint();
    let hooks = Server::start(|_, socket| reply(socket, "200 OK", "text/plain", "ok"));
    let (session, hook_log) = (folder.path().join("watch.jsonl"), folder.path().join("hook.jsonl"));
    let command = format!("echo \"$LLMSCOPE_EVENT\" >> {0}; cat >> {0}", hook_log.display());
    let baseline = folder.path().join("base.json");
    let child = monitor(&["--vendor", "openai", "--url", &endpoint.url("/v1"), "--model", "m", "--interval", "100ms"])
        .args(["--rules", "1", "--learn", "20", "--metric", "ttft_s", "--recover-after", "4", "--json"])
        .args(["--on-violation", &command, "--save-baseline", baseline.to_str().unwrap()])
        .args(["-o", session.to_str().unwrap()])
        .env("LLMSCOPE_WEBHOOK_URL", hooks.url("/services/T000/B000/secret-path"))
        .spawn()
        .unwrap();
    wait_until("limits", || baseline.exists());
    delay.store(1500, Ordering::SeqCst);
    let before = recorded(&session);
    wait_until("slow responses", || recorded(&session) >= before + 4);
    delay.store(20, Ordering::SeqCst);
    wait_until("the recovery", || fs::read_to_string(&hook_log).is_ok_and(|text| text.contains("\nrecovery\n")));
    let (code, stdout, stderr) = terminate(child);

    let events: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let count = |kind: &str| events.iter().filter(|event| event["event"] == kind).count();
    assert_eq!((count("learned"), count("violation"), count("recovery")), (1, 1, 1), "{stderr}");
    assert_eq!(count("result"), recorded(&session));
    assert_eq!(code, Some(0), "no violation is open at the end: {stderr}");
    let violation = events.iter().find(|event| event["event"] == "violation").unwrap();
    assert_eq!((&violation["metric"], &violation["side"]), (&"ttft_s".into(), &"above".into()));

    let text = fs::read_to_string(&hook_log).unwrap();
    assert_eq!((text.matches("violation\n").count(), text.matches("recovery\n").count()), (1, 1), "{text}");
    let messages: Vec<String> = hooks.arrived().iter().map(|arrived| arrived.body["text"].to_string()).collect();
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert!(messages[0].contains("ttft_s out of control, higher") && messages[1].contains("back in control"));
    let session = fs::read_to_string(&session).unwrap();
    assert_eq!(session.matches(r#""kind":"event""#).count(), 3, "limits, violation, recovery");
    for text in [&stdout, &stderr, &session] {
        assert!(!text.contains("secret-path"), "the address of a webhook is a secret");
    }
    let limits = fs::read_to_string(&baseline).unwrap();
    assert!(limits.contains("llmscope.baseline/1"));

    let again = monitor(&["--vendor", "openai", "--url", &endpoint.url("/v1"), "--model", "m", "--interval", "100ms"])
        .args(["--rules", "1", "--learn", "10", "--metric", "ttft_s", "--json", "--count", "12"])
        .args(["--save-baseline", baseline.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(!String::from_utf8(again.stdout).unwrap().contains("learned"), "a restart does not move the limits");
    assert_eq!(fs::read_to_string(&baseline).unwrap(), limits);
}

#[test]
fn a_restart_continues_what_was_learned_and_the_open_incident() {
    let folder = tempfile::tempdir().unwrap();
    let (endpoint, delay) = slow_endpoint();
    let session = folder.path().join("watch.jsonl");
    let hook_log = folder.path().join("hook");
    let command = format!("echo \"$LLMSCOPE_EVENT\" >> {}", hook_log.display());
    let run = |delay_ms: u64, count: &str| {
        delay.store(delay_ms, Ordering::SeqCst);
        let url = endpoint.url("/v1");
        let run = monitor(&["--vendor", "openai", "--url", &url, "--model", "m", "--interval", "100ms", "--json"])
            .args(["--metric", "ttft_s", "--learn", "30", "--count", count, "--on-violation", &command])
            .args(["-o", session.to_str().unwrap()])
            .output()
            .unwrap();
        let stdout = String::from_utf8(run.stdout).unwrap();
        let events: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let events: Vec<Value> = events.into_iter().filter(|event| event["event"] != "result").collect();
        (run.status.code(), events, String::from_utf8(run.stderr).unwrap())
    };
    // On a busy machine, neighbouring values depend on each other, and more of them are needed.
    let (code, events, stderr) = run(20, "140");
    assert_eq!((code, events.last().map(|event| &event["event"])), (Some(0), Some(&"learned".into())), "{stderr}");

    let (code, events, stderr) = run(600, "20");
    assert!(stderr.contains("140 results of ") && stderr.contains("1 incident open"), "{stderr}");
    assert_eq!((code, events.len()), (Some(1), 1), "what was learned still applies: {stderr}");
    let opened = &events[0];
    assert_eq!((&opened["event"], &opened["part"]), (&"incident.opened".into(), &"level".into()));
    assert!(opened["ratio"].as_f64().is_some_and(|ratio| ratio > 2.0), "{opened}");

    let (code, events, stderr) = run(600, "3");
    assert_eq!((code, events.as_slice()), (Some(1), &[][..]), "no message twice: {stderr}");
    let (code, events, stderr) = run(20, "120");
    assert_eq!((code, events.len()), (Some(0), 1), "{stderr}");
    assert_eq!(events[0]["event"], "incident.ended");
    let sent: Vec<_> = fs::read_to_string(&hook_log).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(sent, ["incident.opened", "incident.ended"]);
}

#[test]
fn options_of_rules_imply_rules_and_contradict_shifts() {
    let ended = |args: &[&str]| {
        let base = ["--vendor", "simulated", "--simulate", "ttft=1ms", "--interval", "100ms", "--count", "12"];
        let run = monitor(&base).args(args).output().unwrap();
        (run.status.code(), String::from_utf8(run.stderr).unwrap())
    };
    let (code, stderr) = ended(&["--recover-after", "3", "--learn", "10"]);
    assert!(code == Some(0) && stderr.contains("limits frozen from 10 results"), "{stderr}");
    let (code, stderr) = ended(&["--alarm", "shift", "--rules", "1"]);
    assert!(code == Some(2) && stderr.contains("--rules is about rules: use --alarm rules"), "{stderr}");
    let (code, stderr) = ended(&["--alarm", "none"]);
    assert!(code == Some(0) && stderr.contains("in control"), "{stderr}");
    let (code, stderr) = ended(&["--learn", "5"]);
    assert!(code == Some(2) && stderr.contains("20 to 2048 values"), "{stderr}");
    let (code, stderr) = ended(&["--false-alarms", "often"]);
    assert!(code == Some(2) && stderr.contains("1/week"), "{stderr}");
}

#[test]
fn limits_of_a_former_definition_are_learned_again() {
    let folder = tempfile::tempdir().unwrap();
    let limits = folder.path().join("base.json");
    let session = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/sessions/undisturbed.json");
    let frozen = Command::new(assert_cmd::cargo::cargo_bin!("llmscope"))
        .args([
            "analyze",
            session,
            "--metric",
            "tpot_s",
            "--by",
            "scenario",
            "--save-baseline",
            limits.to_str().unwrap(),
        ])
        .output()
        .unwrap();
    assert!(limits.exists(), "{}", String::from_utf8_lossy(&frozen.stderr));
    let monitored = monitor(&["--vendor", "simulated", "--simulate", "ttft=1ms,tpot=100us", "--interval", "100ms"])
        .args(["--count", "12", "--learn", "10", "--metric", "tpot_s", "--save-baseline", limits.to_str().unwrap()])
        .output()
        .unwrap();
    let stderr = String::from_utf8(monitored.stderr).unwrap();
    let warning = "the frozen limits of tpot_s have definition 1, its values definition 2: they are learned again";
    assert!(stderr.contains(warning) && stderr.contains("tpot_s limits frozen from 10 results"), "{stderr}");
    // Only the new limits are kept.
    let kept: Value = serde_json::from_str(&fs::read_to_string(&limits).unwrap()).unwrap();
    let kept: Vec<_> = kept["baselines"].as_array().unwrap().iter().map(|one| &one["tpot_definition"]).collect();
    assert_eq!(kept, [&Value::from(2)]);
}

#[test]
fn a_temporarily_unavailable_service_receives_all_records() {
    let folder = tempfile::tempdir().unwrap();
    let (endpoint, _) = slow_endpoint();
    // A port without a listener.
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let session = folder.path().join("watch.jsonl");
    let child = monitor(&["--vendor", "openai", "--url", &endpoint.url("/v1"), "--model", "m", "--interval", "100ms"])
        .args(["--post", &format!("http://127.0.0.1:{port}"), "-o", session.to_str().unwrap()])
        .env("LLMSCOPE_API_KEY", "canary-of-the-service")
        .spawn()
        .unwrap();
    wait_until("results", || recorded(&session) >= 8);
    let service = Server::start_at(port, |_, socket| {
        reply(socket, "200 OK", "application/json", r#"{"status":"logged"}"#);
    });
    wait_until("the queued records", || service.arrived().len() >= 12);
    let (_, stdout, stderr) = terminate(child);
    let arrived = service.arrived();
    assert_eq!(arrived.len(), recorded(&session), "{stderr}");
    let entry = &arrived[0].body;
    assert_eq!(
        (arrived[0].path.as_str(), &entry["provider"], &entry["model"]),
        ("/api/log", &"openai-compatible".into(), &"m".into())
    );
    assert!(entry["latency"].as_f64().unwrap() > 0.02 && entry["success"] == true && entry["tokens_out"] == 4);
    let times: Vec<&str> =
        arrived.iter().map(|record| record.body["metadata"]["started_at"].as_str().unwrap()).collect();
    assert!(times.is_sorted(), "the order is preserved");
    assert!(arrived[0].headers.contains("Bearer canary-of-the-service"));
    assert!(stderr.contains("connection_refused") && stderr.contains("the service accepts records again"), "{stderr}");
    assert!(![stdout, stderr].concat().contains("canary-of-the-service"));
}

#[test]
fn records_that_could_not_be_posted_are_kept_for_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let (endpoint, _) = slow_endpoint();
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let (session, spool) = (folder.path().join("watch.jsonl"), folder.path().join("unsent.jsonl"));
    let watch = |count: &str| {
        let url = endpoint.url("/v1");
        monitor(&["--vendor", "openai", "--url", &url, "--model", "m", "--interval", "100ms", "--count", count, "-q"])
            .args(["--post", &format!("http://127.0.0.1:{port}"), "--spool", spool.to_str().unwrap()])
            .args(["-o", session.to_str().unwrap()])
            .output()
            .unwrap()
    };
    assert_eq!(watch("5").status.code(), Some(0));
    assert_eq!(fs::read_to_string(&spool).unwrap().lines().count(), 5);
    // A killed monitor leaves them in the spool, with its own.
    let killed_session = folder.path().join("killed.jsonl");
    let killed = monitor(&["--vendor", "openai", "--url", &endpoint.url("/v1"), "--model", "m", "--interval", "1min"])
        .args(["--post", &format!("http://127.0.0.1:{port}"), "--spool", spool.to_str().unwrap()])
        .args(["-o", killed_session.to_str().unwrap()])
        .spawn()
        .unwrap();
    wait_until("its first result", || recorded(&killed_session) >= 1);
    wait_until("its record", || fs::read_to_string(&spool).unwrap().lines().count() > 5);
    signal(&killed, "KILL");
    assert_eq!(killed.wait_with_output().unwrap().status.code(), None);
    assert_eq!(fs::read_to_string(&spool).unwrap().lines().count(), 5 + recorded(&killed_session));
    let service = Server::start_at(port, |_, socket| reply(socket, "200 OK", "application/json", "{}"));
    assert_eq!(watch("3").status.code(), Some(0));
    assert_eq!((service.arrived().len(), recorded(&session)), (9, 8), "the session was appended to");
    assert!(!spool.exists());
}

#[test]
fn unsent_records_are_kept_without_a_named_file() {
    let folder = tempfile::tempdir().unwrap();
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let watch = |home: &str| {
        monitor(&["--vendor", "simulated", "--simulate", "ttft=5ms,tpot=1ms", "--interval", "100ms", "--count", "4"])
            .args(["--post", &format!("http://127.0.0.1:{port}")])
            .env("XDG_STATE_HOME", home)
            .env_remove("HOME")
            .output()
            .unwrap()
    };
    let kept = watch(folder.path().to_str().unwrap());
    assert_eq!(kept.status.code(), Some(0), "{}", String::from_utf8_lossy(&kept.stderr));
    assert!(String::from_utf8_lossy(&kept.stderr).contains("4 records kept in "));
    // Without a folder for them, they are lost, and the exit status says so.
    let lost = watch("");
    let messages = String::from_utf8(lost.stderr).unwrap();
    assert_eq!(lost.status.code(), Some(2), "{messages}");
    assert!(messages.contains("use --spool FILE") && messages.contains("4 records did not reach"), "{messages}");
    let service = Server::start_at(port, |_, socket| reply(socket, "200 OK", "application/json", "{}"));
    assert_eq!(watch(folder.path().to_str().unwrap()).status.code(), Some(0));
    assert_eq!(service.arrived().len(), 8);
    let left = folder.path().join("llmscope").read_dir().unwrap().count();
    assert_eq!(left, 0, "a file without records is removed");
}

#[test]
fn consecutive_failures_are_a_violation_and_the_exit_status_reports_it_as_open() {
    let server = Server::start(|_, socket| reply(socket, "503 Service Unavailable", "text/plain", "loading"));
    let url = server.url("/v1");
    let output = monitor(&["--vendor", "openai", "--url", &url, "--model", "m", "--interval", "100ms", "--json"])
        .args(["--count", "6", "--failures", "3"])
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let failing: Vec<Value> = stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|event| event["event"] == "failing")
        .collect();
    assert_eq!(failing.len(), 1, "{stdout}");
    assert_eq!((&failing[0]["error"], failing[0]["failures"].as_u64()), (&"overloaded".into(), Some(3)));
    assert_eq!(output.status.code(), Some(1));
}

/// The text of an endpoint is cut and escaped before a command gets it, and a command gets no keys.
#[test]
fn a_command_gets_neither_keys_nor_control_characters() {
    let folder = tempfile::tempdir().unwrap();
    let seen = folder.path().join("seen");
    let text = format!("\u{1b}[2J{}", "x".repeat(200_000));
    let server = Server::start(move |_, socket| {
        let event = serde_json::json!({"error": {"message": text}});
        reply(socket, "200 OK", "text/event-stream", &format!("data: {event}\n\n"));
    });
    let command = format!("env > {0}.part; cat >> {0}.part; mv {0}.part {0}", seen.display());
    let ended = monitor(&["--vendor", "openai", "--url", &server.url("/v1"), "--model", "m", "--interval", "100ms"])
        .args(["--count", "4", "--failures", "2", "--key-env", "MY_KEY", "--on-violation", &command])
        .envs([("MY_KEY", "secret-1"), ("LLMSCOPE_API_KEY", "secret-2"), ("ANTHROPIC_API_KEY", "secret-3")])
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(1), "{}", String::from_utf8_lossy(&ended.stderr));
    wait_until("the command", || seen.exists());
    let seen = fs::read_to_string(&seen).unwrap();
    assert!(seen.contains("LLMSCOPE_EVENT=violation") && !seen.contains("secret-"), "{seen}");
    assert!(!seen.contains('\u{1b}') && seen.len() < 20_000, "{} bytes", seen.len());
}

#[test]
fn several_endpoints_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let (endpoint, _) = slow_endpoint();
    let config = folder.path().join("endpoints.toml");
    let text = format!(
        "interval = \"100ms\"\n[[endpoint]]\nname = \"real\"\nvendor = \"openai\"\nurl = \"{}\"\nmodel = \"m\"\n\
         [[endpoint]]\nname = \"toy\"\nvendor = \"simulated\"\nsimulate = \"ttft=5ms,tpot=1ms\"\n",
        endpoint.url("/v1")
    );
    fs::write(&config, &text).unwrap();
    let output = monitor(&["--config", config.to_str().unwrap(), "--count", "10", "--json"]).output().unwrap();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        *counts.entry(event["endpoint"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    assert!(counts["real"] >= 3 && counts["toy (SIMULATED)"] >= 3, "{counts:?}");

    fs::write(&config, text.replace("model =", "modle =")).unwrap();
    let refused = monitor(&["--config", config.to_str().unwrap()]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    let message = String::from_utf8(refused.stderr).unwrap();
    assert!(message.contains("endpoints.toml") && message.contains("modle"), "{message}");
}

#[test]
fn the_environment_of_the_previous_service_is_supported() {
    let output = monitor(&["--count", "2", "--json"])
        .env("USE_OLLAMA", "false")
        .env("MONITORING_INTERVAL", "0.1")
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(stdout.lines().count(), 2, "{}", String::from_utf8_lossy(&output.stderr));
    assert!(stdout.contains("SIMULATED endpoint"));
    // Another name that its tools use; an empty variable counts as unset.
    let other = monitor(&["--count", "2", "--json"])
        .env("USE_OLLAMA", "false")
        .envs([("MONITORING_INTERVAL", ""), ("MONITOR_INTERVAL", "0.1"), ("LLMSCOPE_API_BASE", "")])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&other.stdout).lines().count(), 2, "{}", String::from_utf8_lossy(&other.stderr));
    let nothing = monitor(&[]).output().unwrap();
    assert!(String::from_utf8(nothing.stderr).unwrap().contains("no endpoint to watch: use --vendor or --config"));
}

/// In a mount namespace with a file system of 16 KiB, which works without root if the system allows user namespaces.
#[test]
fn a_full_disk_does_not_end_the_monitor() {
    let folder = tempfile::tempdir().unwrap();
    let (disk, copy) = (folder.path().join("small"), folder.path().join("copy.jsonl"));
    fs::create_dir(&disk).unwrap();
    let session = disk.join("watch.jsonl");
    let program =
        monitor(&["--vendor", "simulated", "--simulate", "ttft=1ms,tpot=10us,shift=50:20", "--interval", "100ms"]);
    // The small disk has gone when the program has ended: a copy shows what was on it.
    let script = "mount -t tmpfs -o size=16k none \"$0\" || exit 99; copy=$1; shift; \"$@\"; code=$?; \
                  cp \"$0/watch.jsonl\" \"$copy\"; exit $code";
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", script])
        .args([&disk, &copy])
        .arg(program.get_program())
        .args(program.get_args())
        .args(["--count", "120", "--rules", "1", "--learn", "30", "--quiet", "-o"])
        .arg(&session)
        .arg("--save-baseline")
        .arg(disk.join("base.json"))
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("No space left") && stderr.contains("continues without keeping its records"), "{stderr}");
    assert_eq!(stderr.matches("session:").count(), 1, "{stderr}");
    assert!(stderr.contains("violation:") && stderr.contains("120 results"), "{stderr}");
    assert!(stderr.contains("could not be written into the session"), "{stderr}");
    let kept = fs::read_to_string(&copy).unwrap();
    assert!(kept.len() > 8_000 && kept.ends_with('\n'), "{} bytes", kept.len());
    assert!(kept.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
}
