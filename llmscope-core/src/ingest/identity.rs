//! The identity of a record: what makes a second record of the same request a repetition.
//!
//! Identities are compared within one build of the program: the standard library may hash differently in another one.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::time::Time;
use crate::session::{AttributeValue, RequestRecord};

/// Names that identify a record on their own, the strongest first, without case and punctuation.
pub(super) const NAMES: [&str; 5] = ["uid", "requestid", "xrequestid", "responseid", PLAIN];
/// The name of an id of anything: of a request, or of the prompt that several requests have.
pub(super) const PLAIN: &str = "id";
const TRACE: &str = "traceid";
const SPAN: &str = "spanid";

/// A number that only repetitions of a record share: of its trace and span, or of the id that a tool gave it. Records
/// without an id have no identity: equal records are different requests.
#[must_use]
pub fn of_record(record: &RequestRecord) -> Option<u64> {
    of_attributes(record, |hasher| hash_values(record, hasher))
}

/// The same, where `values` adds the time and the measurements that make a weak id, such as that of a prompt, one of a
/// record.
pub(super) fn of_attributes(record: &RequestRecord, values: impl Fn(&mut DefaultHasher)) -> Option<u64> {
    let (mut trace, mut span, mut ids) = (None, None, [None; NAMES.len()]);
    // Each of the names ends in "id".
    for (name, value) in record.attributes.iter().filter(|(name, _)| name.ends_with(['d', 'D'])) {
        let slot = if is_named(name, TRACE) {
            &mut trace
        } else if is_named(name, SPAN) {
            &mut span
        } else if let Some(rank) = NAMES.iter().position(|id| is_named(name, id)) {
            &mut ids[rank]
        } else {
            continue;
        };
        *slot = Some(value);
    }
    let text =
        |value: Option<&AttributeValue>| value.map(AttributeValue::label).filter(|value| !value.trim().is_empty());
    if let Some((trace, span)) = text(trace).zip(text(span)) {
        return Some(of_span(&trace, &span));
    }
    let [.., plain] = ids;
    let named = ids[..NAMES.len() - 1].iter().find_map(|id| text(*id));
    let is_of_row = |id: &String| is_of_row(id, record.started_at.into());
    let plain = || text(plain).filter(is_of_row).map(|id| hashed(&id, true, &values));
    named.map(|id| hashed(&id, is_counter(&id), &values)).or_else(plain)
}

fn hashed(id: &str, is_weak: bool, values: impl Fn(&mut DefaultHasher)) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    if is_weak {
        values(&mut hasher);
    }
    hasher.finish()
}

fn hash_values(record: &RequestRecord, hasher: &mut DefaultHasher) {
    record.started_at.hash(hasher);
    [record.ttft_s, record.e2e_s, record.tpot_s].map(|value| value.map(f64::to_bits)).hash(hasher);
}

/// True if a name is this key, apart from case and punctuation.
fn is_named(name: &str, key: &str) -> bool {
    name.len() >= key.len() && name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).eq(key.chars())
}

/// A number that only repetitions of a record with this id share.
#[must_use]
pub fn of_id(id: &str, record: &RequestRecord) -> u64 {
    hashed(id, is_counter(id), |hasher| hash_values(record, hasher))
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

/// True for a plain id that can identify a row with this time. Without a time, rows of equal latencies can have the same
/// prompt, unless the id looks random: that of a response, or a UUID.
pub(super) fn is_of_row(id: &str, time: Time) -> bool {
    time != Time::NONE || is_distinctive(id)
}

/// True for an id that looks random.
fn is_distinctive(id: &str) -> bool {
    const SHORTEST: usize = 20;
    let digits = id.bytes().filter(u8::is_ascii_digit).count();
    let letters = id.bytes().filter(u8::is_ascii_alphabetic).count();
    id.len() >= SHORTEST && digits >= 4 && letters >= 4
}

/// True for an id that another run can have, too: its digits only count.
pub(super) fn is_counter(id: &str) -> bool {
    const SHORTEST_ID: usize = 12;
    id.len() < SHORTEST_ID && id.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(attributes: &[(&str, &str)], e2e_s: f64) -> RequestRecord {
        let attributes =
            attributes.iter().map(|(name, value)| ((*name).to_owned(), AttributeValue::Text((*value).to_owned())));
        RequestRecord { e2e_s: Some(e2e_s), attributes: attributes.collect(), ..RequestRecord::default() }
    }

    #[test]
    fn names_identify_in_any_case_and_punctuation() {
        for name in ["request_id", "requestId", "Request ID", "X-Request-ID", "UID", "response.id", "responseId"] {
            let of = |id: &str, e2e_s: f64| of_record(&record(&[(name, id)], e2e_s));
            assert_eq!(of("chatcmpl-8Qz1", 0.5), of("chatcmpl-8Qz1", 0.6), "{name}");
            assert_ne!(of("chatcmpl-8Qz1", 0.5), of("chatcmpl-8Qz2", 0.5), "{name}");
            // Another run counts the same numbers.
            assert_ne!(of("17", 0.5), of("17", 0.6), "{name}");
        }
        for name in ["prompt_id", "idx", "grid", "paid", "user_id"] {
            assert_eq!(of_record(&record(&[(name, "chatcmpl-8Qz1")], 0.5)), None, "{name}");
        }
    }

    #[test]
    fn the_id_of_a_prompt_is_not_that_of_a_request() {
        const RANDOM: &str = "chatcmpl-9f0c2d1e7ab64d3f";
        let of = |id: &str, e2e_s: f64| of_record(&record(&[("id", id)], e2e_s));
        assert_eq!(of("p1", 0.5), None);
        assert_ne!(of(RANDOM, 0.5), of(RANDOM, 0.6));
        assert_eq!(of(RANDOM, 0.5), of(RANDOM, 0.5));
        assert!(of(RANDOM, 0.5).is_some());
        let dated = |e2e_s| {
            let at = "2026-01-05T10:00:00Z".parse().ok();
            of_record(&RequestRecord { started_at: at, ..record(&[("id", "p1")], e2e_s) })
        };
        assert!(dated(0.5).is_some() && dated(0.5) == dated(0.5) && dated(0.5) != dated(0.6));
    }
}
