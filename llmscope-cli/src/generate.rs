//! `schema`, `completions` and `man`: texts that are generated from the program itself.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::builder::PossibleValue;
use clap::{Arg, Command, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};
use llmscope_core::gate::Gate;
use llmscope_core::{Report, Session};

use crate::args::{Cli, CompletionsArgs, ManArgs, SchemaArgs, SchemaKind};
use crate::bench::BenchReport;
use crate::output::Sink;

/// The name that the program had before. Both names are installed.
const OLD_NAME: &str = "llmscope-cli";

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

/// A completion script for both names of the program.
pub(crate) fn completions(args: &CompletionsArgs) -> Result<ExitCode> {
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, &name, &mut script);
    let mut script = String::from_utf8(script)?;
    match args.shell {
        Shell::Bash => script.push_str(&format!("complete -F _{name} -o bashdefault -o default {OLD_NAME}\n")),
        Shell::Fish => {
            script.extend(command.get_subcommands().filter_map(|command| fish_arguments(&name, command)));
            script.push_str(&format!("complete -c {OLD_NAME} -w {name}\n"));
        }
        Shell::Zsh => {
            script = script
                .replacen(&format!("#compdef {name}"), &format!("#compdef {name} {OLD_NAME}"), 1)
                .replace(&format!("compdef _{name} {name}"), &format!("compdef _{name} {name} {OLD_NAME}"));
        }
        _ => {}
    }
    print(script.as_bytes())
}

/// The values of the arguments of a command. `clap_complete` 4.6 writes those of options only.
fn fish_arguments(program: &str, command: &Command) -> Option<String> {
    let values: Vec<_> = command.get_positionals().flat_map(Arg::get_possible_values).collect();
    let names = values.iter().map(PossibleValue::get_name).collect::<Vec<_>>().join(" ");
    let condition = format!("__fish_{program}_using_subcommand {}", command.get_name());
    (!names.is_empty()).then(|| format!("complete -c {program} -n \"{condition}\" -f -a \"{names}\"\n"))
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
    print(&manual_page(command)?)
}

/// The page of a command. The text after its help becomes sections, whose lines stay as they are.
fn manual_page(command: Command) -> Result<Vec<u8>> {
    let sections = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let has_subcommands = command.get_subcommands().next().is_some();
    let has_version = command.get_version().is_some();
    let man = Man::new(command);
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if has_subcommands {
        man.render_subcommands_section(&mut page)?;
    }
    sections_of(&sections).to_writer(&mut page)?;
    if has_version {
        man.render_version_section(&mut page)?;
    }
    Ok(page)
}

fn sections_of(text: &str) -> Roff {
    let mut roff = Roff::default();
    let mut last = "";
    for paragraph in text.split("\n\n").filter(|paragraph| !paragraph.is_empty()) {
        let (title, body) = if let Some(examples) = paragraph.strip_prefix("Examples:\n") {
            ("EXAMPLES", examples)
        } else if paragraph.starts_with("Environment:") {
            ("ENVIRONMENT", paragraph)
        } else {
            ("NOTES", paragraph)
        };
        if title != last {
            roff.control("SH", [title]);
        } else {
            roff.control("PP", []);
        }
        last = title;
        roff.control("nf", []);
        for line in body.lines() {
            roff.text([roman(line)]);
        }
        roff.control("fi", []);
    }
    roff
}

fn print(text: &[u8]) -> Result<ExitCode> {
    Sink::stdout().write_all(text)?;
    Ok(ExitCode::SUCCESS)
}
