//! Measures language-model endpoints and describes the machine that the measurement runs on.
//!
//! A [`Target`] is an endpoint and a model. A [`Workload`](workload::Workload) is the list of prompts to send. A
//! [`Plan`] sets the load, the number of requests and the duration. A [`Bench`] executes the plan on its own thread and
//! reports a [`RequestRecord`](llmscope_core::session::RequestRecord) when each request ends. The records form a
//! session.
//!
//! Every frame of a response is timestamped when the socket becomes readable, before it is read or parsed. Durations
//! are differences of a monotonic clock.
//!
//! ```
//! use llmscope_harness::workload::{Tier, Workload};
//! use llmscope_harness::{Bench, Plan, Target, TargetOptions, Update, VendorKind};
//!
//! // `VendorKind::Simulated` needs no endpoint. `VendorKind::OpenAi` with a `url` measures a real one.
//! let target = Target::new(VendorKind::Simulated, TargetOptions::default())?;
//! let plan = Plan { requests: Some(20), ..Plan::default() };
//! let bench = Bench::new(target, Workload::tiers(&[Tier::SimpleRecall]), plan, "ttft=2ms,tpot=100us".parse()?)?;
//! let handle = bench.start()?;
//! let mut ttft_s = Vec::new();
//! for update in handle.updates() {
//!     if let Update::Request(record) = update {
//!         ttft_s.extend(record.ttft_s);
//!     }
//! }
//! handle.join()?;
//! assert_eq!(ttft_s.len(), 20);
//! # Ok::<(), llmscope_harness::Error>(())
//! ```
//!
//! This crate does not compute statistics (`llmscope-core` does), print, or write reports.

mod bench;
mod durations;
mod error;
mod failure;
mod fetch_json;
mod find_load;
mod framing;
mod health;
pub mod monitor;
mod plan;
pub mod probe;
mod refusal;
mod request;
mod response_state;
mod run;
mod schedule;
mod secret;
mod spool;
mod summary;
mod target;
mod throttle;
mod token_times;
pub mod transport;
mod uploader;
pub mod vendor;
pub mod workload;

pub use bench::{Bench, BenchHandle, Next};
pub use error::{Error, Result};
pub use failure::{Failure, FailureKind};
pub use fetch_json::fetch_json;
pub use find_load::{FindLoad, FoundLoad, LoadVerdict, TestedLoad};
pub use framing::{Framer, Framing, StreamEvent};
pub use plan::{Arrival, Load, Plan};
pub use probe::Probe;
pub use response_state::ResponseState;
pub use run::{LoadStage, Update};
pub use secret::Secret;
pub use summary::{Distribution, Objectives, Summary, Tally};
pub use target::{Prices, Target, TargetOptions};
pub use uploader::{Delivery, Uploader, log_entry};
pub use vendor::VendorKind;
