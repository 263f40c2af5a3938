//! The endpoints of the previous LLMscope service, with its response formats and without its bugs.

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
mod time;

use super::operation::Operation;

/// The operations of the previous service.
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
