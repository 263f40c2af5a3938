//! Alerts: one webhook message in Slack's format for each violation.

use std::path::Path;
use std::time::Duration;

use llmscope_core::quantity::with_unit;
use llmscope_core::text::slack_text;
use llmscope_core::{RuleSet, Side};
use llmscope_harness::{Delivery, Secret, Uploader};
use serde_json::json;

use crate::error::{Error, Result};
use crate::incident::{Incident, IncidentTurn, Kind};
use crate::violation::{Violation, ViolationStatus};

/// How long the delivery of the last messages may take when the service shuts down.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

/// Where alerts are sent, and about what. Incidents are always sent.
#[derive(Clone)]
pub struct Alerting {
    /// The address. It is a secret because everyone who knows it can post there.
    pub webhook: Secret,
    /// Rules whose violations are sent, too. Violations of other rules are only stored.
    pub rules: RuleSet,
    /// Whether changes for the better are sent.
    pub both_sides: bool,
    /// Whether the silence of an endpoint is sent.
    pub no_data: bool,
}

/// Sends alerts to the webhook.
pub(crate) struct Alerts {
    uploader: Uploader,
    rules: RuleSet,
    both_sides: bool,
    no_data: bool,
}

impl Alerts {
    /// Undelivered alerts are kept in the file `spool`, and sent after the next start.
    pub(crate) fn new(alerting: &Alerting, spool: &Path) -> Result<Self> {
        let uploader = Uploader::to_webhook(&alerting.webhook).map_err(Error::Webhook)?;
        // The store is locked, so no other process has this file.
        uploader.keep_in(spool).map_err(Error::Webhook)?;
        let Alerting { rules, both_sides, no_data, .. } = alerting.clone();
        Ok(Self { uploader, rules, both_sides, no_data })
    }

    /// Sends an alert for a new violation.
    pub(crate) fn notify(&self, violation: &Violation) {
        if self.rules.codes().any(|code| *code == violation.rule) {
            self.uploader.send(json!({"text": format!("🔴 {}", slack_text(&message(violation)))}));
        }
    }

    /// True if a change of an incident is worth a message.
    pub(crate) fn is_sent(&self, turn: IncidentTurn, incident: &Incident) -> bool {
        let is_wanted = match incident.kind() {
            Kind::Worse => true,
            Kind::Better => self.both_sides,
            Kind::NoData => self.no_data,
        };
        is_wanted && turn != IncidentTurn::Changed && incident.status != ViolationStatus::Resolved
    }

    /// Sends an alert for a change of an incident, if it is worth a message.
    pub(crate) fn report(&self, turn: IncidentTurn, incident: &Incident) {
        if !self.is_sent(turn, incident) {
            return;
        }
        let sign = if turn == IncidentTurn::Ended || incident.kind() == Kind::Better { "🟢" } else { "🔴" };
        let text = format!("{}: {}", incident.endpoint(), incident.text);
        self.uploader.send(json!({"text": format!("{sign} {}", slack_text(&text))}));
    }

    /// The state of the deliveries.
    pub(crate) fn delivery(&self) -> Delivery {
        self.uploader.delivery()
    }

    /// Stops sending. Undelivered alerts stay in their file.
    pub(crate) fn close(self) {
        if let Err(error) = self.uploader.close(CLOSE_TIMEOUT) {
            tracing::error!(%error, "cannot save undelivered alerts");
        }
    }
}

/// `openai · gpt-4o · e2e_s out of control, higher: 520 ms (nelson-1: 1 point beyond 3σ); expected 210 ms to 390 ms`.
fn message(violation: &Violation) -> String {
    let direction = match violation.side {
        Side::Above => "higher",
        Side::Below => "lower",
        Side::Both => "unsteady",
    };
    let quantity = |value: f64| with_unit(violation.series.unit, value);
    let (value, lower, upper) =
        (quantity(violation.value), quantity(violation.limits.lower), quantity(violation.limits.upper));
    let (series, rule, pattern) = (violation.series.label(), &violation.rule, &violation.words);
    format!("{series} out of control, {direction}: {value} ({rule}: {pattern}); expected {lower} to {upper}")
}
