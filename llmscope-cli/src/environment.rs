//! The environment variables that set options: empty ones count as unset, and some have further names.

use std::ffi::OsStr;

use clap::{Arg, Command};

/// Names that other tools, and the previous service, use for the same setting.
const FURTHER_NAMES: [(&str, &[&str]); 2] =
    [("MONITORING_INTERVAL", &["MONITOR_INTERVAL"]), ("LLMSCOPE_API_BASE", &["LLMSCOPE_API_URL", "LLMSCOPE_BASE"])];

/// The name of a variable that does not exist: an option has a variable for good, but it can be another one.
const NEVER_SET: &str = "LLMSCOPE_UNSET";

/// The command whose options take their values from variables that are set and not empty. Docker Compose, for example,
/// passes variables that are not set as empty ones.
pub(crate) fn applied(command: Command) -> Command {
    command.mut_args(from_set_variable).mut_subcommands(applied)
}

fn from_set_variable(option: Arg) -> Arg {
    let Some(usual) = option.get_env().and_then(OsStr::to_str) else { return option };
    let value = |name: &str| std::env::var_os(name);
    if value(usual).is_some_and(|value| !value.is_empty()) {
        return option;
    }
    let further = FURTHER_NAMES.iter().find(|(name, _)| usual == *name).map_or(&[][..], |(_, names)| names);
    match further.iter().find(|name| value(name).is_some_and(|value| !value.is_empty())) {
        Some(name) => option.env(*name),
        None if value(usual).is_some() => option.env(NEVER_SET),
        None => option,
    }
}
