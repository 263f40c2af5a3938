//! `llmscope-cli`: statistical process control for LLM latency, from the command line.

mod analyze;
mod args;
mod bench;
mod columnar;
mod convert;
mod gate;
mod generate;
mod logs;
mod monitor;
mod output;
mod probe;
mod report;
mod reset;
mod serve;
mod target;

use std::process::ExitCode;

use clap::Parser as _;
use mimalloc::MiMalloc;

use crate::args::{Cli, Command};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// How a run ended: 0 in control, 1 signals found, 2 error.
fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Analyze(args) => analyze::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Convert(args) => convert::run(&args),
        Command::Monitor(args) => monitor::run(&args),
        Command::Report(args) => analyze::report(&args),
        Command::Gate(args) => gate::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Reset(args) => reset::run(&args),
        Command::Probe(args) => probe::run(&args),
        Command::Schema(args) => generate::schema(&args),
        Command::Completions(args) => generate::completions(&args),
        Command::Man(args) => generate::man(&args),
    };
    match outcome {
        Ok(code) => code,
        // Whoever reads our output has seen enough: `llmscope-cli … | head` is no error.
        Err(error) if output::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::say_error(&error);
            ExitCode::from(2)
        }
    }
}
