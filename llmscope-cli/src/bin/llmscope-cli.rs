//! `llmscope-cli`: the same program under the name that it had before.

use std::process::ExitCode;

fn main() -> ExitCode {
    llmscope_cli::run()
}
