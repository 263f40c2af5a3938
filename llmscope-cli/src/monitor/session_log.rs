//! The session of a monitor, which survives a full disk: the monitor judges, posts and reports in the middle of an
//! incident, and tries to write again.

use llmscope_core::Result;
use llmscope_core::quantity::counted;
use llmscope_core::session::SessionWriter;

use crate::output::{self, CAUTION, GOOD};

/// Writes a session, and counts the lines that could not be written.
pub(super) struct SessionLog {
    writer: SessionWriter,
    missing: u64,
    is_failing: bool,
}

impl SessionLog {
    pub(super) fn new(writer: SessionWriter) -> Self {
        Self { writer, missing: 0, is_failing: false }
    }

    /// Writes a line. Says once that lines are missing, and once that they are written again.
    pub(super) fn write(&mut self, write: impl FnOnce(&mut SessionWriter) -> Result<()>) {
        match (write(&mut self.writer), self.is_failing) {
            (Err(error), is_failing) => {
                self.missing += 1;
                self.is_failing = true;
                if !is_failing {
                    let advice = "the monitor continues without keeping its records; make room";
                    output::say(CAUTION, "session:", &format!("{error}; {advice}"));
                }
            }
            (Ok(()), true) => {
                self.is_failing = false;
                let missing = counted(self.missing, "line");
                output::say(GOOD, "session:", &format!("records are kept again; {missing} are missing so far"));
            }
            (Ok(()), false) => {}
        }
    }

    /// Waits until the lines are on disk, and returns the number of missing ones.
    pub(super) fn close(self) -> Result<u64> {
        self.writer.sync()?;
        Ok(self.missing)
    }
}
