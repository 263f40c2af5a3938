//! Authentication, authorization and rate limits.

mod guard;
mod keys;
mod rate;

pub(crate) use guard::{Peer, caller, guard, screen};
pub use keys::{Caller, Keys, Scope};
pub(crate) use rate::Rates;
