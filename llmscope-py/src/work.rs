//! Long computations: they release the GIL and respond to Ctrl-C.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// The number of steps that takes some tens of milliseconds: less work is not worth a thread.
const SHORT: usize = 10_000_000;
/// Steps per value if values are sorted.
pub(crate) const SORTING: usize = 20;
/// Steps per value if each value becomes an observation with its own position.
pub(crate) const ANALYZING: usize = 100;
const PATIENCE: Duration = Duration::from_millis(50);

/// Does `steps` steps of work (by default one per value) while other Python threads run.
///
/// Long work runs on its own thread, so that the calling thread can check for signals. After Ctrl-C the caller
/// immediately gets a `KeyboardInterrupt`; the worker owns all its data, finishes, and its result is dropped.
pub(crate) fn run<T: Send + 'static>(
    py: Python<'_>,
    steps: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> PyResult<T> {
    if steps < SHORT {
        return Ok(py.detach(work));
    }
    let (sender, mut receiver) = sync_channel(1);
    thread::Builder::new().name("llmscope".to_owned()).spawn(move || {
        // The receiver is gone after Ctrl-C.
        let _ = sender.send(catch_unwind(AssertUnwindSafe(work)));
    })?;
    loop {
        let answer;
        (receiver, answer) = py.detach(move || {
            let answer = receiver.recv_timeout(PATIENCE);
            (receiver, answer)
        });
        match answer {
            Ok(Ok(result)) => return Ok(result),
            Ok(Err(panic)) => resume_unwind(panic),
            Err(RecvTimeoutError::Timeout) => py.check_signals()?,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(PyRuntimeError::new_err("the worker thread ended without a result"));
            }
        }
    }
}
