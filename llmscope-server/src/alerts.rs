//! Telling people of violations: a webhook in Slack's form, once for each violation.

use std::path::PathBuf;
use std::time::Duration;

use llmscope_core::quantity::with_unit;
use llmscope_core::{RuleSet, Side};
use llmscope_harness::{Courier, Secret};
use serde_json::json;

use crate::error::{Error, Result};
use crate::violation::Violation;

/// How long the last messages may take on their way when the service ends.
const FAREWELL: Duration = Duration::from_secs(3);

/// Where alerts go, and what they are about.
#[derive(Clone)]
pub struct Alerting {
    /// The address; a secret, because whoever knows it can write there.
    pub webhook: Secret,
    /// Rules whose violations are told: others are only kept.
    pub rules: RuleSet,
}

/// Brings alerts to their webhook.
pub(crate) struct Alerts {
    courier: Courier,
    rules: RuleSet,
    /// Keeps what could not be brought until the next start.
    spool: PathBuf,
}

impl Alerts {
    pub(crate) fn new(alerting: &Alerting, spool: PathBuf) -> Result<Self> {
        let courier = Courier::to_webhook(&alerting.webhook).map_err(Error::Webhook)?;
        courier.load(&spool).map_err(Error::Webhook)?;
        Ok(Self { courier, rules: alerting.rules.clone(), spool })
    }

    /// Tells of a violation that began.
    pub(crate) fn tell(&self, violation: &Violation) {
        if self.rules.codes().any(|code| *code == violation.rule) {
            self.courier.send(json!({"text": format!("🔴 {}", words(violation))}));
        }
    }

    /// Ends, and keeps what could not be brought.
    pub(crate) fn close(self) {
        if let Err(error) = self.courier.close(FAREWELL, Some(&self.spool)) {
            tracing::error!(%error, "alerts that were not brought could not be kept");
        }
    }
}

/// `openai · gpt-4o · e2e_s out of control, higher: 520 ms (nelson-1: 1 point beyond 3σ); expected 210 ms to 390 ms`.
fn words(violation: &Violation) -> String {
    let direction = match violation.side {
        Side::Above => "higher",
        Side::Below => "lower",
        Side::Both => "unsteady",
    };
    let quantity = |value: f64| with_unit(violation.series.unit, value);
    let (value, lower, upper) =
        (quantity(violation.value), quantity(violation.limits.lower), quantity(violation.limits.upper));
    let (series, rule, pattern) = (violation.series.words(), &violation.rule, &violation.words);
    format!("{series} out of control, {direction}: {value} ({rule}: {pattern}); expected {lower} to {upper}")
}
