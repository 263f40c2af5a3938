//! What clients of the earlier LLMscope service ask for, answered in its shapes, without its faults.

mod cost;
mod data;
mod export;
mod health;
mod latencies;
mod lenient;
mod log;
mod spc;
mod stats;
mod system;

use super::operation::Operation;

/// The service's calls.
pub(super) fn operations() -> Vec<Operation> {
    [
        health::operations(),
        log::operations(),
        data::operations(),
        stats::operations(),
        spc::operations(),
        system::operations(),
        cost::operations(),
        export::operations(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
