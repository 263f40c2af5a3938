//! `llmscope`.

use std::process::ExitCode;

fn main() -> ExitCode {
    llmscope_cli::run()
}
