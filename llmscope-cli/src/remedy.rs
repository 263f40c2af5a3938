//! What to do about an error of the core, which names no options.

use llmscope_core::session::Warning;
use llmscope_core::{Error, Unit};

const GAPS: &str = "use --missing break or --missing drop";

/// The remedy in terms of the command line, if there is one.
pub(crate) fn remedy(error: &Error) -> Option<String> {
    match error {
        Error::Missing { .. } | Error::NonFinite { .. } => Some(GAPS.to_owned()),
        Error::Format { fix, .. } if fix.contains("how gaps are handled") => Some(GAPS.to_owned()),
        Error::Format { fix, .. } if fix.contains("as a baseline") => Some("use --save-baseline".to_owned()),
        Error::Format { fix, .. } => of_fix(fix).map(str::to_owned),
        Error::Unknown { what: "group column", .. } => Some("the option is --by".to_owned()),
        Error::Unknown { what: "column to judge", .. } => Some("name the column with --column".to_owned()),
        Error::Unknown { what: "measure of the candidate", .. } => {
            Some("name a column of both with --column".to_owned())
        }
        Error::Unknown { what: "candidate group", .. } => Some("group by another column with --by".to_owned()),
        Error::Unknown { what: "column whose meaning is stated", .. } => {
            Some("name a column of the log with --unit, --higher-is-better or --lower-is-better".to_owned())
        }
        Error::Unknown { what: "unit", .. } => Some("the option is --unit NAME=UNIT".to_owned()),
        Error::Quantity { text, unit: Unit::One, .. } if Unit::Second.parse(text).is_ok() => {
            Some("state the unit of the column with --unit NAME=ms".to_owned())
        }
        Error::Parameter { name: "limits of several metrics", .. } => {
            Some("choose one with --metric or --column, or limit each metric with --slo ttft=800ms,e2e=5s".to_owned())
        }
        Error::Parameter { name: "subgroups", .. } => {
            Some("use --chart xbar-r, or leave out --subgroup and --subgroup-by".to_owned())
        }
        Error::Parameter { name, .. } => option_of(name).map(|option| format!("the option is {option}")),
        _ => None,
    }
}

/// The remedy of a fix that names what to state.
fn of_fix(fix: &str) -> Option<&'static str> {
    [
        ("which values succeeded", "use --status COLUMN=ok,200..299, or --status none"),
        ("decimal separator", "use --decimal , or --decimal ."),
        ("form of the times", "use --time-format '%d/%m/%Y %H:%M:%S', or --time-format none"),
        ("as a table", "use --from csv"),
        ("a format of the list", "use --from help for the list"),
    ]
    .into_iter()
    .find(|(part, _)| fix.contains(part))
    .map(|(_, remedy)| remedy)
}

/// What to do about a warning of the core; empty if nothing.
pub(crate) fn remedy_of_warning(warning: &Warning) -> &'static str {
    [
        ("have no offset", "; use --timezone for another zone"),
        ("read as the time of each row", "; use --map timestamp=COLUMN to state it, or --time-format none"),
        ("holds times", "; use --map timestamp=COLUMN"),
        ("read as the outcome", "; use --status COLUMN=ok,200..299 with its values of success, or --status none"),
        ("looks like the outcome", "; use --status COLUMN=ok,200..299 with its values of success, or --status none"),
    ]
    .into_iter()
    .find(|(part, _)| warning.message.contains(part))
    .map_or("", |(_, remedy)| remedy)
}

/// The option that sets a parameter of the core.
fn option_of(parameter: &str) -> Option<&'static str> {
    Some(match parameter {
        "lambda" => "--ewma-lambda",
        "limit width" => "--ewma-width",
        "allowance k" => "--cusum-k",
        "decision interval h" => "--cusum-h",
        "head start" => "--cusum-headstart",
        "span" => "--span",
        "subgroup size" => "--subgroup",
        "phase I points" => "--phase1",
        "stages" => "--stages",
        "center" => "--given-center",
        "sigma" => "--given-sigma",
        "rule length" => "--rule-length",
        "rule multiple" => "--rule-sigma",
        "largest shift" => "--max-shift",
        "largest increase of a share" => "--max-share-increase",
        "alpha" => "--alpha",
        "unit of a column" => "--unit NAME=UNIT",
        "direction of a column" => "--higher-is-better or --lower-is-better",
        _ => return None,
    })
}
