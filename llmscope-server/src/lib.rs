//! Control charts of language-model latency as a service: an HTTP API, a store in one SQLite file, a live dashboard.
//!
//! What arrives is kept in batches by one writer, judged in the same transaction by a
//! [`Watch`](llmscope_core::watch::Watch) for each series, and answered when it is durable. So a crash loses nothing that
//! was acknowledged, and what judges is never behind what was kept.
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
mod alerts;
mod api;
mod beside;
mod ending;
pub mod error;
mod listener;
mod live;
mod machine;
mod moment;
pub mod record;
mod recorder;
pub mod reset;
mod retention;
pub mod series;
mod service;
pub mod session;
mod settings;
pub mod store;
pub mod violation;
mod watches;

pub use access::{Caller, Keys, Scope};
pub use alerts::Alerting;
pub use error::{Error, Result, StoreError};
pub use machine::{GpuReading, MachineReading};
pub use service::Service;
pub use settings::Settings;
pub use store::sqlite::{Durability, SqliteStore};
pub use watches::Judging;
