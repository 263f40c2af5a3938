//! Telling somebody: a webhook, a command.

use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Result;
use llmscope_harness::monitor::Notice;
use llmscope_harness::{Courier, Secret};
use serde_json::json;

use super::MonitorArgs;
use crate::output::{self, CAUTION};

/// Commands that may run at once; one that hangs must not fill the machine.
const MOST_COMMANDS: usize = 8;

/// Who is told of violations and recoveries.
pub(super) struct Hooks {
    webhook: Option<Courier>,
    command: Option<String>,
    running: Vec<Child>,
}

impl Hooks {
    pub(super) fn new(args: &MonitorArgs) -> Result<Self> {
        let address = std::env::var(&args.webhook_env).ok().filter(|address| !address.is_empty());
        let webhook = address.map(|address| Courier::to(address.trim(), None::<Secret>)).transpose()?;
        Ok(Self { webhook, command: args.on_violation.clone(), running: Vec::new() })
    }

    pub(super) fn tell(&mut self, notice: &Notice) {
        let words = format!("{} {notice}", if notice.is_violation() { "🔴" } else { "🟢" });
        if let Some(webhook) = &self.webhook {
            webhook.send(json!({"text": words}));
        }
        if let Some(command) = self.command.clone() {
            self.run(&command, notice);
        }
    }

    fn run(&mut self, command: &str, notice: &Notice) {
        self.running.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
        if self.running.len() >= MOST_COMMANDS {
            return output::say(CAUTION, "note:", "earlier commands are still running: this one was not started");
        }
        let started = Command::new("/bin/sh")
            .args(["-c", command])
            .env("LLMSCOPE_EVENT", if notice.is_violation() { "violation" } else { "recovery" })
            .env("LLMSCOPE_MESSAGE", notice.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn();
        match started {
            Err(error) => output::say(CAUTION, "note:", &format!("the command could not be run: {error}")),
            Ok(mut child) => {
                if let (Some(mut stdin), Ok(json)) = (child.stdin.take(), serde_json::to_string(notice)) {
                    // A few hundred bytes: they fit into the pipe whether the command reads them or not.
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
            output::say(CAUTION, "note:", &format!("{} messages did not reach the webhook", delivery.waiting));
        }
        for mut child in self.running {
            let _ = child.try_wait();
        }
    }
}
