//! OpenTelemetry's OTLP over HTTP, protobuf or JSON: spans become records; metrics and logs are refused with the way to
//! switch them off.

mod protobuf;
mod refused;
mod reported;
mod traces;

use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use llmscope_core::ingest::SpanMemory;
use prost::Message;
use serde::Serialize;

use super::api_error::ApiError;
use super::extract::media_type;
use super::operation::Operation;
use crate::store::{self, Store};
use reported::Reported;

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";
/// The largest export in bytes, after decompression.
const EXPORT_BYTES: usize = 16 << 20;

/// What the service keeps in memory about telemetry.
pub(crate) struct Telemetry {
    memory: Mutex<SpanMemory>,
    reported: Reported,
}

impl Telemetry {
    /// What the store knows about earlier exports.
    pub(crate) fn restored(store: &dyn Store) -> store::Result<Self> {
        let mut memory = SpanMemory::default();
        store.span_facts(&mut |kind, key, state, at| memory.recall(kind, key, state, at))?;
        Ok(Self { memory: Mutex::new(memory), reported: Reported::default() })
    }

    /// Forgets all earlier exports.
    pub(crate) fn clear(&self) {
        *self.memory() = SpanMemory::default();
    }

    fn memory(&self) -> MutexGuard<'_, SpanMemory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn operations() -> Vec<Operation> {
    let mut operations = vec![traces::operation()];
    operations.extend(refused::operations());
    operations
}

/// The encoding of an export, which is that of its response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Protobuf,
    Json,
}

impl Encoding {
    fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        match media_type(headers).unwrap_or_default().as_str() {
            PROTOBUF => Ok(Self::Protobuf),
            JSON => Ok(Self::Json),
            other => {
                Err(ApiError::Unsupported(format!("unsupported media type \"{other}\": expected {PROTOBUF} or {JSON}")))
            }
        }
    }

    fn response(self, message: &(impl Message + Serialize)) -> Response {
        match self {
            Self::Json => ([(CONTENT_TYPE, JSON)], serde_json::to_string(message).unwrap_or_default()).into_response(),
            Self::Protobuf => ([(CONTENT_TYPE, PROTOBUF)], message.encode_to_vec()).into_response(),
        }
    }
}
