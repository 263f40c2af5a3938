//! Reads logs in which each line is independent, as a whole or in blocks.

use super::non_finite;
use crate::error::{Location, Result};
use crate::session::{ClientHealth, RequestRecord, RunEvent, Warning, check_record, is_torn, torn_tail};

/// What a log contains in addition to its requests.
#[derive(Debug, Default)]
pub struct StreamSummary {
    /// Warnings about the file.
    pub warnings: Vec<Warning>,
    /// Events during the recording.
    pub events: Vec<RunEvent>,
    /// The health of the measuring client, as reported at the end.
    pub client_health: Option<ClientHealth>,
}

/// Reads requests from numbered lines. A truncated last line is skipped with a warning if requests precede it, in these
/// lines or in previous ones (`others_before`).
pub(super) fn requests<'t>(
    source: &str,
    lines: impl Iterator<Item = (u64, &'t str)>,
    others_before: bool,
    read: impl Fn(&str, &dyn Fn() -> Location, &mut Vec<RequestRecord>, &mut StreamSummary) -> Result<()>,
) -> Result<(Vec<RequestRecord>, StreamSummary)> {
    let (mut found, mut summary, mut non_finite_numbers) = (Vec::new(), StreamSummary::default(), 0);
    for (number, line) in lines {
        if line.trim().is_empty() {
            continue;
        }
        let place = || Location::of(source).line(number);
        let known = found.len();
        let mut outcome = read(line.trim_end(), &place, &mut found, &mut summary);
        if outcome.is_err()
            && let Some((finite, count)) = non_finite::removed(line.trim_end())
        {
            found.truncate(known);
            outcome = read(&finite, &place, &mut found, &mut summary);
            non_finite_numbers += if outcome.is_ok() { count } else { 0 };
        }
        match outcome {
            Ok(()) => found[known..].iter().try_for_each(|record| check_record(record, place))?,
            Err(_) if is_torn(line) && (others_before || known > 0) => summary.warnings.push(torn_tail(place())),
            Err(error) => return Err(error),
        }
    }
    if non_finite_numbers > 0 {
        summary.warnings.push(non_finite::warning(source, non_finite_numbers));
    }
    Ok((found, summary))
}
