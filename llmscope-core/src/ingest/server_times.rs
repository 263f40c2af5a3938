//! What an inference server says of its own times. The names are those under which this project's own measurements keep
//! them beside the client's.

use super::attributes::{count, numbers};
use crate::session::AttributeValue;

/// Durations that a server measured, in seconds.
#[derive(Debug, Default)]
pub(super) struct ServerTimes {
    /// From the arrival of the request to its end.
    pub(super) total_s: Option<f64>,
    /// Until the model was ready.
    pub(super) load_s: Option<f64>,
    /// The processing of the prompt: no time to first token, which also has a queue and a network in it.
    pub(super) prefill_s: Option<f64>,
    /// From the first token to the last.
    pub(super) decode_s: Option<f64>,
    pub(super) output_tokens: Option<u64>,
}

impl ServerTimes {
    pub(super) fn attributes(&self) -> impl Iterator<Item = (String, AttributeValue)> {
        numbers([
            ("server_total_s", self.total_s),
            ("server_load_s", self.load_s),
            ("server_prefill_s", self.prefill_s),
            // One token has no duration after itself: servers write a placeholder.
            ("server_decode_s", self.decode_s.filter(|_| self.output_tokens.is_none_or(|tokens| tokens > 1))),
            ("server_time_per_output_token_s", self.per_output_token_s()),
        ])
    }

    /// OpenTelemetry's `gen_ai.server.time_per_output_token`: the time after the first token over the tokens after it.
    fn per_output_token_s(&self) -> Option<f64> {
        let tokens = self.output_tokens.filter(|&tokens| tokens > 1)?;
        Some(self.decode_s? / count(tokens - 1))
    }
}
