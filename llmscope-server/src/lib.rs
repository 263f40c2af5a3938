//! Control charts of language-model latency as a service: an HTTP API, a store in one SQLite file, a live dashboard.
//!
//! One writer stores the arriving records in batches. A [`Watch`](llmscope_core::watch::Watch) for each series judges
//! them in the same transaction, and clients get the response when the transaction is durable. So a crash loses no
//! acknowledged record, and the state of the watches always matches the stored records.
//!
//! ```
//! use llmscope_server::{Service, Settings};
//!
//! let folder = tempfile::tempdir()?;
//! let settings = Settings {
//!     address: "127.0.0.1:0".parse()?,
//!     database: folder.path().join("llmscope.db"),
//!     ..Settings::default()
//! };
//! let service = Service::start(settings)?;
//! println!("http://{}", service.address());
//! service.stop();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod access;
mod alarms;
mod alerts;
mod api;
mod clock;
mod damage;
pub mod error;
pub mod identity;
pub mod incident;
mod listener;
mod live;
mod machine;
pub mod record;
mod recorder;
pub mod reset;
mod retention;
pub mod series;
mod service;
mod service_metrics;
pub mod session;
mod settings;
mod shutdown;
mod sidecar;
mod stalled;
pub mod store;
mod timestamp;
pub mod violation;
mod watches;
mod work_queue;

pub use access::{Caller, Keys, Scope};
pub use alerts::Alerting;
pub use clock::Clock;
pub use error::{Error, Result, StoreError};
pub use machine::{GpuReading, MachineReading};
pub use service::Service;
pub use settings::Settings;
pub use store::sqlite::{Durability, SqliteStore};
pub use watches::{AlarmKind, WatchSettings};
