//! `/api/v1`: the current API.

mod analysis;
mod annotation;
mod baselines;
mod chart;
mod events;
mod filter;
mod gate;
mod incidents;
mod records;
pub(super) mod series;
mod service;
mod session_ids;
mod sessions;
mod submitted_record;
mod violations;

pub(super) use records::{LARGEST, admissible, is_measured};

use super::operation::Operation;

/// The operations of the current API.
pub(super) fn operations() -> Vec<Operation> {
    [
        series::operations(),
        baselines::operations(),
        records::operations(),
        analysis::operations(),
        chart::operations(),
        violations::operations(),
        incidents::operations(),
        sessions::operations(),
        gate::operations(),
        events::operations(),
        service::operations(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
