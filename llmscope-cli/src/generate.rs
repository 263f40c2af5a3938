//! `schema`, `completions` and `man`: texts made from the program itself.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::CommandFactory as _;
use llmscope_core::gate::Gate;
use llmscope_core::{Report, Session};

use crate::args::{Cli, CompletionsArgs, ManArgs, SchemaArgs, SchemaKind};
use crate::bench::BenchReport;
use crate::output::Sink;

pub(crate) fn schema(args: &SchemaArgs) -> Result<ExitCode> {
    let schema = match args.of {
        SchemaKind::Session => Session::json_schema(),
        SchemaKind::SessionLine => Session::json_lines_schema(),
        SchemaKind::Report => Report::json_schema(),
        SchemaKind::Gate => Gate::json_schema(),
        SchemaKind::Bench => schemars::schema_for!(BenchReport).to_value(),
    };
    print(format!("{schema:#}\n").as_bytes())
}

pub(crate) fn completions(args: &CompletionsArgs) -> Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "llmscope-cli", &mut script);
    print(&script)
}

pub(crate) fn man(args: &ManArgs) -> Result<ExitCode> {
    let mut program = Cli::command();
    program.build();
    let command = match &args.command {
        None => program,
        Some(name) => {
            let known = || program.get_subcommands().map(|c| c.get_name()).collect::<Vec<_>>().join(", ");
            let unknown = || anyhow!("unknown command \"{name}\": expected one of {}", known());
            program.find_subcommand(name).cloned().ok_or_else(unknown)?
        }
    };
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    print(&page)
}

fn print(text: &[u8]) -> Result<ExitCode> {
    Sink::stdout().write_all(text)?;
    Ok(ExitCode::SUCCESS)
}
