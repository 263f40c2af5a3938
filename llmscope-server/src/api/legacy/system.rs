//! `GET /api/system`: the machine on which the service runs.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;

use super::super::App;
use super::super::operation::Operation;

/// Utilization in percent and temperatures in degrees Celsius; null if a sensor cannot be read.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct System {
    cpu: f64,
    memory: f64,
    gpu_temp: Option<f64>,
    cpu_temp: Option<f64>,
    info: Info,
}

#[derive(Serialize, JsonSchema)]
struct Info {
    system: String,
    release: String,
    machine: String,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/system", "Describe the machine and its utilization", system)
            .was_open()
            .response::<System>(),
    ]
}

async fn system(State(app): State<App>) -> Json<System> {
    let (environment, reading) = (app.machine.environment(), app.machine.latest());
    let percent = |share: f64| (share * 1e4).round() / 100.0;
    let memory = reading.as_ref().and_then(|reading| reading.memory_used_bytes.zip(reading.memory_bytes));
    #[allow(clippy::cast_precision_loss, reason = "a share of a memory's size")]
    let memory = memory.map_or(0.0, |(used, all)| percent(used as f64 / all as f64));
    Json(System {
        cpu: reading.as_ref().and_then(|reading| reading.cpu_utilization).map_or(0.0, percent),
        memory,
        gpu_temp: reading.as_ref().and_then(|reading| reading.gpu_temperature_c()),
        cpu_temp: reading.as_ref().and_then(|reading| reading.cpu_temperature_c),
        info: Info {
            system: system_name().to_owned(),
            release: environment.kernel.unwrap_or_default(),
            machine: std::env::consts::ARCH.to_owned(),
        },
    })
}

/// The system's name as Python's `platform.system()` returns it.
const fn system_name() -> &'static str {
    if cfg!(target_os = "linux") {
        "Linux"
    } else if cfg!(target_os = "macos") {
        "Darwin"
    } else if cfg!(windows) {
        "Windows"
    } else {
        std::env::consts::OS
    }
}
