//! Describes this machine.

use llmscope_harness::Probe;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::document;

/// Describes this machine: its hardware and software, and its current state.
///
/// Values that cannot be read are absent: never ``None``, never 0.
///
/// Returns:
///     ``{"environment": …, "sample": …}``. The environment contains the operating system, kernel, container,
///     processors, memory in bytes and GPUs. The sample contains the share of busy processors (0 to 1), the load,
///     memory in use in bytes, temperatures in degrees Celsius, and for each GPU its utilization, memory, power in
///     watts and energy in joules.
///
/// Example:
///     >>> import llmscope as ls
///     >>> machine = ls.probe()
///     >>> machine["environment"]["memory_bytes"] > 0
///     True
#[pyfunction]
pub(crate) fn probe(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let (environment, sample) = py.detach(|| {
        let mut probe = Probe::new();
        let environment = probe.environment();
        // The share of busy processors needs an interval.
        std::thread::sleep(llmscope_harness::probe::SHORTEST_INTERVAL);
        (environment, probe.sample())
    });
    let machine = PyDict::new(py);
    machine.set_item("environment", document::to_dict(py, &environment)?)?;
    machine.set_item("sample", document::to_dict(py, &sample)?)?;
    Ok(machine)
}
