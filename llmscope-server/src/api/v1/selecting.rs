//! Which records: what every call that takes records understands.

use jiff::{SignedDuration, Timestamp};

use super::super::problem::Problem;
use crate::store::Filter;

/// The words of a query that select records.
pub(super) struct Words {
    pub(super) provider: Option<String>,
    pub(super) model: Option<String>,
    pub(super) session: Option<i64>,
    pub(super) from: Option<Timestamp>,
    pub(super) to: Option<Timestamp>,
    pub(super) hours: Option<u32>,
    pub(super) limit: Option<usize>,
}

impl Words {
    /// The filter that they mean.
    pub(super) fn filter(self) -> Result<Filter, Problem> {
        let from = match (self.hours, self.from) {
            (Some(_), Some(_)) => return Err(Problem::query("hours", "say hours or from, not both")),
            (Some(hours), None) => Some(Timestamp::now() - SignedDuration::from_hours(hours.into())),
            (None, from) => from,
        };
        if from.zip(self.to).is_some_and(|(from, to)| from >= to) {
            return Err(Problem::query("to", "must be after from"));
        }
        let Self { provider, model, session, to, limit, .. } = self;
        Ok(Filter { provider, model, session, from, to, limit, source: None })
    }
}

/// Reads the fields of a query that select records.
macro_rules! words_of {
    ($asked:expr, $limit:expr) => {
        $crate::api::v1::selecting::Words {
            provider: $asked.provider.clone(),
            model: $asked.model.clone(),
            session: $asked.session,
            from: $asked.from,
            to: $asked.to,
            hours: $asked.hours.map(|hours| hours.0),
            limit: $limit,
        }
    };
}
pub(super) use words_of;
