//! Long work: with the GIL released, and Ctrl-C heard.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// Steps of work that take some tens of milliseconds: less is not worth a thread.
const SHORT: usize = 10_000_000;
/// Steps for each value where values are sorted.
pub(crate) const SORTING: usize = 20;
/// Steps for each value where each is an observation with a place of its own.
pub(crate) const ANALYZING: usize = 100;
const PATIENCE: Duration = Duration::from_millis(50);

/// Does work of so many steps, one for each value where nothing else is said, while other Python threads run.
///
/// Long work goes to a thread of its own, so that this one can look for signals. After Ctrl-C the caller gets its
/// `KeyboardInterrupt` at once; the thread, which owns all that it reads, ends its work unheard.
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
                return Err(PyRuntimeError::new_err("the worker thread ended without an answer"));
            }
        }
    }
}
