//! Builds sessions from requests that each carry their own time, provider and model.

use crate::session::{RequestRecord, Session, SessionHeader, Software};

/// The session of these requests. They are sorted by time of issue if every request has one. Values that all requests
/// share move to the header.
pub(super) fn session(recorder: Software, mut records: Vec<RequestRecord>) -> Session {
    if records.iter().all(|record| record.started_at.is_some()) {
        records.sort_by_key(|record| record.started_at);
    }
    let header = SessionHeader {
        started_at: records.iter().filter_map(|record| record.started_at).min(),
        provider: shared(&mut records, |record| &mut record.provider),
        model: shared(&mut records, |record| &mut record.model),
        recorder: Some(recorder),
        ..SessionHeader::default()
    };
    Session { header, records, ..Session::default() }
}

/// Removes a field from the requests if all of them have the same value, and returns that value.
fn shared(records: &mut [RequestRecord], field: fn(&mut RequestRecord) -> &mut Option<String>) -> Option<String> {
    let first = records.first_mut().and_then(|record| field(record).clone())?;
    if !records.iter_mut().all(|record| field(record).as_ref() == Some(&first)) {
        return None;
    }
    records.iter_mut().for_each(|record| *field(record) = None);
    Some(first)
}
