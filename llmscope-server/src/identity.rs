//! What makes a record or a call a repetition of one that was accepted before.

use std::ops::RangeInclusive;

use llmscope_core::ingest::SpanFact;

use crate::record::Arrival;

/// What identifies a record. Records without an identity are never repetitions, even if they are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// The number of its `uid`.
    Uid(u64),
    /// The number of its trace and span.
    Span(u64),
}

/// What identifies a call: its `Idempotency-Key`, together with the operation and the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallIdentity {
    /// The number of the key.
    pub key: u64,
    /// The number of the body: a client that sends another body with the same key made a mistake.
    pub digest: u64,
}

/// What is known of a call that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedCall {
    /// The number of its body.
    pub digest: u64,
    /// The ids of what it stored.
    pub ids: RangeInclusive<i64>,
}

/// What a call wants to be stored in one transaction.
#[derive(Debug, Default)]
pub(crate) struct Submission {
    pub(crate) arrivals: Vec<Arrival>,
    /// The identity of the call, if it has one.
    pub(crate) call: Option<CallIdentity>,
    /// What was learned of OpenTelemetry's spans.
    pub(crate) facts: Vec<SpanFact>,
}

/// What became of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Receipt {
    pub(crate) stored: usize,
    /// Records that had been accepted before.
    pub(crate) repeated: usize,
    /// The smallest and the largest id of its records, also of those accepted before; `None` without records.
    pub(crate) ids: Option<RangeInclusive<i64>>,
}

/// A call with an `Idempotency-Key` of another call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyReused;
