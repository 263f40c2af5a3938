//! The times that an inference server reports. Their names are the ones under which llmscope's own measurements store
//! them next to the client's times.

use super::attributes::{count, numbers};
use crate::session::AttributeValue;

/// Durations that a server measured, in seconds.
#[derive(Debug, Default)]
pub(super) struct ServerTimes {
    /// From the arrival of the request to its end.
    pub(super) total_s: Option<f64>,
    /// The time until the model was loaded.
    pub(super) load_s: Option<f64>,
    /// The time to process the prompt. It is not the time to first token, which also includes queueing and the network.
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
            // A single token has no duration after it: servers write a placeholder.
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
