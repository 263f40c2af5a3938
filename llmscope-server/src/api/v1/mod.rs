//! `/api/v1`: the API of its own.

mod analysis;
mod baselines;
mod chart;
mod events;
mod gate;
mod records;
mod selecting;
mod series;
mod service;
mod sessions;
mod violations;

pub(super) use records::{LARGEST, admissible, is_measured};

use super::operation::Operation;

/// Its operations.
pub(super) fn operations() -> Vec<Operation> {
    [
        series::operations(),
        baselines::operations(),
        records::operations(),
        analysis::operations(),
        chart::operations(),
        violations::operations(),
        sessions::operations(),
        gate::operations(),
        events::operations(),
        service::operations(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
