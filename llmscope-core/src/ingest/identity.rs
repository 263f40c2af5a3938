//! The identity of a record: what makes a second record of the same request a repetition.
//!
//! Identities are compared within one build of the program: the standard library may hash differently in another one.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::session::{AttributeValue, RequestRecord};

/// The attributes that identify a record on their own, the strongest first.
const ATTRIBUTES: [&str; 4] = ["uid", "request_id", "requestId", "x_request_id"];

/// A number that only repetitions of a record share: of its trace and span, or of the id that a tool gave it. Records
/// without an id have no identity: equal records are different requests.
#[must_use]
pub fn of_record(record: &RequestRecord) -> Option<u64> {
    if record.attributes.is_empty() {
        return None;
    }
    let text = |name: &str| {
        let value = record.attributes.get(name).map(AttributeValue::label)?;
        Some(value).filter(|value| !value.trim().is_empty())
    };
    match text("trace_id").zip(text("span_id")) {
        Some((trace, span)) => Some(of_span(&trace, &span)),
        None => ATTRIBUTES.iter().find_map(|name| text(name)).map(|id| of_id(&id, record)),
    }
}

/// A number that only repetitions of a record with this id share.
#[must_use]
pub fn of_id(id: &str, record: &RequestRecord) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    if is_counter(id) {
        record.started_at.hash(&mut hasher);
        [record.ttft_s, record.e2e_s, record.tpot_s].map(|value| value.map(f64::to_bits)).hash(&mut hasher);
    }
    hasher.finish()
}

/// The same number for a span, whose record has it as attributes.
pub(super) fn of_span(trace: &str, span: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (trace, span).hash(&mut hasher);
    hasher.finish()
}

/// The same number for an id.
pub(super) fn of_text(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

/// True for an id that another run can have, too: its digits only count.
pub(super) fn is_counter(id: &str) -> bool {
    const SHORTEST_ID: usize = 12;
    id.len() < SHORTEST_ID && id.bytes().all(|byte| byte.is_ascii_digit())
}
