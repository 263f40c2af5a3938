//! Notifications: a webhook and a command.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Result;
use llmscope_core::quantity::counted;
use llmscope_core::text::{slack_text, visible};
use llmscope_harness::monitor::{MonitorEvent, MonitoredEndpoint};
use llmscope_harness::{Secret, Uploader};
use serde_json::json;

use super::MonitorArgs;
use crate::output::{self, CAUTION};

/// Concurrent commands: hung commands must not use up processes.
const MOST_COMMANDS: usize = 8;
/// A command that runs longer is ended.
const LONGEST_COMMAND: Duration = Duration::from_secs(60);

/// Receivers of incidents, violations and their ends.
pub(super) struct Hooks {
    webhook: Option<Uploader>,
    command: Option<String>,
    /// The variables that hold keys, which a command does not need.
    secrets: BTreeSet<String>,
    running: Vec<Running>,
}

/// A command that was started.
struct Running {
    child: Child,
    started_at: Instant,
}

impl Running {
    /// False once the command ended. A command that takes too long is ended.
    fn is_alive(&mut self) -> bool {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return false;
        }
        if self.started_at.elapsed() > LONGEST_COMMAND {
            output::say(CAUTION, "note:", "a command was still running after 60 s and was ended");
            let _ = self.child.kill();
            let _ = self.child.wait();
            return false;
        }
        true
    }
}

impl Hooks {
    pub(super) fn new(args: &MonitorArgs, endpoints: &[MonitoredEndpoint]) -> Result<Self> {
        let address = std::env::var(&args.webhook_env).ok().filter(|address| !address.is_empty());
        let webhook = address.map(|address| Uploader::to(address.trim(), None::<Secret>)).transpose()?;
        let of_endpoints = endpoints.iter().flat_map(|endpoint| endpoint.target.secret_variables());
        let own = ["LLMSCOPE_API_KEY", "LLMSCOPE_API_KEYS", &args.webhook_env];
        let secrets = of_endpoints.chain(own).map(str::to_owned).collect();
        Ok(Self { webhook, command: args.on_violation.clone(), secrets, running: Vec::new() })
    }

    pub(super) fn send(&mut self, event: &MonitorEvent) {
        if let Some(webhook) = &self.webhook {
            let sign = if event.is_violation() { "🔴" } else { "🟢" };
            webhook.send(json!({"text": format!("{sign} {}", slack_text(&event.to_string()))}));
        }
        if let Some(command) = self.command.clone() {
            self.run(&command, event);
        }
    }

    fn run(&mut self, command: &str, event: &MonitorEvent) {
        self.running.retain_mut(Running::is_alive);
        if self.running.len() >= MOST_COMMANDS {
            return output::say(CAUTION, "note:", "8 commands are still running: this one was not started");
        }
        let mut shell = Command::new("/bin/sh");
        for variable in &self.secrets {
            shell.env_remove(variable);
        }
        let started = shell
            .args(["-c", command])
            .env("LLMSCOPE_EVENT", event.name())
            .env("LLMSCOPE_MESSAGE", visible(&event.to_string()).as_ref())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn();
        match started {
            Err(error) => output::say(CAUTION, "note:", &format!("cannot run the command: {error}")),
            Ok(mut child) => {
                if let (Some(mut stdin), Ok(json)) = (child.stdin.take(), serde_json::to_string(event)) {
                    // An event of a few kilobytes fits into the pipe whether the command reads it or not: the harness
                    // cuts what endpoints write.
                    let _ = writeln!(stdin, "{json}");
                }
                self.running.push(Running { child, started_at: Instant::now() });
            }
        }
    }

    pub(super) fn close(self, patience: Duration) {
        if let Some(Ok(delivery)) = self.webhook.map(|webhook| webhook.close(patience))
            && delivery.waiting > 0
        {
            output::say(
                CAUTION,
                "note:",
                &format!("{} did not reach the webhook", counted(delivery.waiting, "message")),
            );
        }
        for mut running in self.running {
            let _ = running.child.try_wait();
        }
    }
}
