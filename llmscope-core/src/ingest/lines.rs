//! Logs whose lines stand for themselves, as a whole or in blocks.

use crate::error::{Location, Result};
use crate::session::{ClientHealth, Notice, RequestRecord, RunEvent, check_record, is_torn, torn_tail};

/// What a log said beside its requests.
#[derive(Debug, Default)]
pub struct Ending {
    /// What was odd about it.
    pub notices: Vec<Notice>,
    /// What else happened while it was recorded.
    pub events: Vec<RunEvent>,
    /// What the measuring side said about itself at the end.
    pub client_health: Option<ClientHealth>,
}

/// The requests that numbered lines tell of. A last line that was cut is skipped if requests stand before it, in these
/// lines or in earlier ones.
pub(super) fn requests<'t>(
    source: &str,
    lines: impl Iterator<Item = (u64, &'t str)>,
    others_before: bool,
    read: impl Fn(&str, &dyn Fn() -> Location, &mut Vec<RequestRecord>, &mut Ending) -> Result<()>,
) -> Result<(Vec<RequestRecord>, Ending)> {
    let (mut found, mut ending) = (Vec::new(), Ending::default());
    for (number, line) in lines {
        if line.trim().is_empty() {
            continue;
        }
        let place = || Location::of(source).line(number);
        let known = found.len();
        match read(line.trim_end(), &place, &mut found, &mut ending) {
            Ok(()) => found[known..].iter().try_for_each(|record| check_record(record, place))?,
            Err(_) if is_torn(line) && (others_before || known > 0) => ending.notices.push(torn_tail(place())),
            Err(error) => return Err(error),
        }
    }
    Ok((found, ending))
}
