//! Measures language-model endpoints and describes the machine that does it.
//!
//! A [`Target`] is an endpoint and a model, a [`Workload`](workload::Workload) what to ask, a [`Plan`] how much, how
//! fast and for how long. A [`Bench`] carries that out on a thread of its own and reports a
//! [`RequestRecord`](llmscope_core::session::RequestRecord) for every request as it ends: what becomes a session.
//!
//! Every frame of an answer is stamped when the news of its arrival is heard, before it is read and before anybody looks
//! into it. Times are differences of a monotonic clock.
//!
//! ```
//! use llmscope_harness::workload::{Tier, Workload};
//! use llmscope_harness::{Bench, Plan, Target, TargetOptions, Update, VendorKind};
//!
//! // No endpoint at all; `VendorKind::OpenAi` with a `url` asks a real one.
//! let target = Target::new(VendorKind::Simulated, TargetOptions::default())?;
//! let plan = Plan { requests: Some(20), ..Plan::default() };
//! let bench = Bench::new(target, Workload::tiers(&[Tier::SimpleRecall]), plan, "ttft=2ms,tpot=100us".parse()?)?;
//! let running = bench.start()?;
//! let mut ttft_s = Vec::new();
//! for update in running.updates() {
//!     if let Update::Request(record) = update {
//!         ttft_s.extend(record.ttft_s);
//!     }
//! }
//! running.join()?;
//! assert_eq!(ttft_s.len(), 20);
//! # Ok::<(), llmscope_harness::Error>(())
//! ```
//!
//! What this crate does not do: statistics (that is `llmscope-core`), printing, files.

mod answer;
mod bench;
mod courier;
mod durations;
mod error;
mod failure;
mod framing;
mod health;
mod inquiry;
pub mod monitor;
mod plan;
pub mod probe;
mod refusal;
mod request;
mod run;
mod schedule;
mod secret;
mod summary;
mod target;
mod throttle;
pub mod transport;
pub mod vendor;
pub mod workload;

pub use answer::Answer;
pub use bench::{Bench, Next, Running};
pub use courier::{Courier, Delivery, log_entry};
pub use error::{Error, Result};
pub use failure::{Failure, FailureKind};
pub use framing::{Framer, Framing, Message};
pub use inquiry::inquire;
pub use plan::{Arrival, Load, Plan};
pub use probe::Probe;
pub use run::{Stage, Update};
pub use secret::Secret;
pub use summary::{Distribution, Objectives, Summary, Tally};
pub use target::{Prices, Target, TargetOptions};
pub use vendor::VendorKind;
