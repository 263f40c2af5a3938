//! Notifications: a webhook and a command.

use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Result;
use llmscope_core::quantity::counted;
use llmscope_harness::monitor::MonitorEvent;
use llmscope_harness::{Secret, Uploader};
use serde_json::json;

use super::MonitorArgs;
use crate::output::{self, CAUTION};

/// Concurrent commands: hung commands must not use up processes.
const MOST_COMMANDS: usize = 8;

/// Receivers of violations and recoveries.
pub(super) struct Hooks {
    webhook: Option<Uploader>,
    command: Option<String>,
    running: Vec<Child>,
}

impl Hooks {
    pub(super) fn new(args: &MonitorArgs) -> Result<Self> {
        let address = std::env::var(&args.webhook_env).ok().filter(|address| !address.is_empty());
        let webhook = address.map(|address| Uploader::to(address.trim(), None::<Secret>)).transpose()?;
        Ok(Self { webhook, command: args.on_violation.clone(), running: Vec::new() })
    }

    pub(super) fn send(&mut self, event: &MonitorEvent) {
        let text = format!("{} {event}", if event.is_violation() { "🔴" } else { "🟢" });
        if let Some(webhook) = &self.webhook {
            webhook.send(json!({"text": text}));
        }
        if let Some(command) = self.command.clone() {
            self.run(&command, event);
        }
    }

    fn run(&mut self, command: &str, event: &MonitorEvent) {
        self.running.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
        if self.running.len() >= MOST_COMMANDS {
            return output::say(CAUTION, "note:", "8 commands are still running: this one was not started");
        }
        let started = Command::new("/bin/sh")
            .args(["-c", command])
            .env("LLMSCOPE_EVENT", if event.is_violation() { "violation" } else { "recovery" })
            .env("LLMSCOPE_MESSAGE", event.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn();
        match started {
            Err(error) => output::say(CAUTION, "note:", &format!("cannot run the command: {error}")),
            Ok(mut child) => {
                if let (Some(mut stdin), Ok(json)) = (child.stdin.take(), serde_json::to_string(event)) {
                    // A few hundred bytes fit into the pipe whether the command reads them or not.
                    let _ = writeln!(stdin, "{json}");
                }
                self.running.push(child);
            }
        }
    }

    pub(super) fn close(self, patience: Duration) {
        if let Some(Ok(delivery)) = self.webhook.map(|webhook| webhook.close(patience, None))
            && delivery.waiting > 0
        {
            output::say(
                CAUTION,
                "note:",
                &format!("{} did not reach the webhook", counted(delivery.waiting, "message")),
            );
        }
        for mut child in self.running {
            let _ = child.try_wait();
        }
    }
}
