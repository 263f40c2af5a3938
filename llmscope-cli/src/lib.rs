//! The program `llmscope`: statistical process control for LLM performance, from the command line.
//!
//! Two binaries call [`run`]: `llmscope`, and `llmscope-cli`, the name that the program had before. The library is not a
//! public interface: use `llmscope-core` and `llmscope-harness` from Rust.

mod alarm;
mod analyze;
mod args;
mod baseline;
mod bench;
mod cells;
mod columnar;
mod convert;
mod environment;
mod gate;
mod generate;
mod logs;
mod meaning;
mod monitor;
mod output;
mod picture;
mod post;
mod probe;
mod remedy;
mod report;
mod reset;
mod serve;
mod sqlite;
mod target;
mod values;

use std::process::ExitCode;

use anyhow::Result;
use clap::{CommandFactory as _, FromArgMatches as _};
use mimalloc::MiMalloc;

use crate::args::{Cli, Command};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Runs the command that the arguments of the process name. Exit status: 0 in control, 1 signals found, 2 error.
#[must_use]
pub fn run() -> ExitCode {
    let outcome = match arguments() {
        Ok(arguments) => run_command(arguments.command),
        Err(error) => match values::requested_list(&error) {
            Some(list) => output::write_data(list.as_bytes()).map(|()| ExitCode::SUCCESS),
            None => error.exit(),
        },
    };
    match outcome {
        Ok(code) => code,
        // The reader of our output has closed it: `llmscope … | head` does not fail.
        Err(error) if output::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::say_error(&error);
            ExitCode::from(2)
        }
    }
}

/// The arguments of the process, completed by its environment.
fn arguments() -> Result<Cli, clap::Error> {
    let mut command = environment::applied(Cli::command());
    let matches = command.try_get_matches_from_mut(std::env::args_os())?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

fn run_command(command: Command) -> Result<ExitCode> {
    match command {
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
    }
}
