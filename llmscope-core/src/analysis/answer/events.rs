//! Events of the session at the time of a change.

use jiff::Timestamp;

use crate::ingest::on_one_line;
use crate::session::RunEvent;

/// The most events that an answer names.
const MOST: usize = 3;
/// An event is cut after this many characters.
const LENGTH: usize = 120;

/// The events between two times, each as text on one line; the nearest one to `change` first.
pub(super) fn between(events: &[RunEvent], from: Timestamp, to: Timestamp, change: Timestamp) -> Vec<String> {
    let mut near: Vec<&RunEvent> = events.iter().filter(|event| (from..=to).contains(&event.at)).collect();
    near.sort_by_key(|event| (event.at.as_nanosecond() - change.as_nanosecond()).abs());
    let cut = |event: &RunEvent| on_one_line(&event.message.chars().take(LENGTH).collect::<String>());
    near.into_iter().take(MOST).map(cut).collect()
}
