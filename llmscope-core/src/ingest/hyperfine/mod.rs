//! hyperfine: run times of commands (`--export-json`, `--export-csv`, `--export-markdown`).
//!
//! Traps: only JSON has the times of the single runs. A command may occur several times, with different parameters. The
//! Markdown table is rounded. A single run has a standard deviation of 0 in CSV.

mod csv;
mod json;
mod markdown;

use std::collections::BTreeMap;

use super::tool::{Format, Reading};

pub(super) const JSON: Format = Format {
    name: "hyperfine",
    title: "hyperfine runs (JSON)",
    recognizes: |signature| {
        signature.has_all(&["results[].command", "results[].mean", "results[].user", "results[].system"])
    },
    reading: Reading::Whole(json::read),
};

pub(super) const CSV: Format = Format {
    name: "hyperfine-csv",
    title: "hyperfine commands (CSV)",
    recognizes: |signature| {
        signature.has_columns(&["command", "mean", "stddev", "median", "user", "system", "min", "max"])
    },
    reading: Reading::Whole(csv::read),
};

pub(super) const MARKDOWN: Format = Format {
    name: "hyperfine-markdown",
    title: "hyperfine commands (Markdown)",
    recognizes: |signature| !signature.is_json() && signature.text.lines().next().is_some_and(markdown::is_header),
    reading: Reading::Whole(markdown::read),
};

/// The names of runs: the commands. A command that occurs several times is followed by its parameters, or by a number
/// if it has none.
fn run_names(commands: &[(&str, BTreeMap<String, String>)]) -> Vec<String> {
    let times = |name: &str, names: &[String]| names.iter().filter(|other| *other == name).count();
    let plain: Vec<String> = commands.iter().map(|(command, _)| (*command).to_owned()).collect();
    let name = |(command, parameters): &(&str, BTreeMap<String, String>)| {
        let parameters: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if times(command, &plain) < 2 || parameters.is_empty() {
            (*command).to_owned()
        } else {
            format!("{command} ({})", parameters.join(", "))
        }
    };
    let named: Vec<String> = commands.iter().map(name).collect();
    let numbered = |(index, name): (usize, &String)| match times(name, &named) {
        1 => name.clone(),
        _ => format!("{name} #{}", times(name, &named[..=index])),
    };
    named.iter().enumerate().map(numbered).collect()
}

/// The prefix of a parameter's column, in the tool's files and here.
const PARAMETER: &str = "parameter_";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_commands_get_distinct_names() {
        let with = |n: &str| BTreeMap::from([("n".to_owned(), n.to_owned())]);
        let commands =
            [("a", with("1")), ("b", with("1")), ("a", with("2")), ("c", BTreeMap::new()), ("c", BTreeMap::new())];
        assert_eq!(run_names(&commands), ["a (n=1)", "b", "a (n=2)", "c #1", "c #2"]);
    }
}
