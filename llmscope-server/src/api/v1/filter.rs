//! The part of a query that selects records.

use jiff::{SignedDuration, Timestamp};

use super::super::api_error::ApiError;
use crate::store::Filter;

/// The fields of a query that select records.
pub(super) struct RecordQuery {
    pub(super) provider: Option<String>,
    pub(super) model: Option<String>,
    pub(super) session: Option<i64>,
    pub(super) from: Option<Timestamp>,
    pub(super) to: Option<Timestamp>,
    pub(super) hours: Option<u32>,
    pub(super) limit: usize,
}

impl RecordQuery {
    /// Checks the fields and converts them to a filter.
    pub(super) fn filter(self) -> Result<Filter, ApiError> {
        let from = match (self.hours, self.from) {
            (Some(_), Some(_)) => {
                return Err(ApiError::query("hours", "the query has both hours and from: expected only one of them"));
            }
            (Some(hours), None) => Some(Timestamp::now() - SignedDuration::from_hours(hours.into())),
            (None, from) => from,
        };
        if from.zip(self.to).is_some_and(|(from, to)| from >= to) {
            return Err(ApiError::query("to", "invalid time range: expected `to` after `from`"));
        }
        let Self { provider, model, session, to, limit, .. } = self;
        Ok(Filter { provider, model, session, from, to, limit: Some(limit), ..Filter::default() })
    }
}
