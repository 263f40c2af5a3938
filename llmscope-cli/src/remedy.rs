//! What to do about an error of the core, which names no options.

use llmscope_core::Error;

const GAPS: &str = "use --missing break or --missing drop";

/// The remedy in terms of the command line, if there is one.
pub(crate) fn remedy(error: &Error) -> Option<String> {
    match error {
        Error::Missing { .. } | Error::NonFinite { .. } => Some(GAPS.to_owned()),
        Error::Format { fix, .. } if fix.contains("how gaps are handled") => Some(GAPS.to_owned()),
        Error::Format { fix, .. } if fix.contains("as a baseline") => Some("use --save-baseline".to_owned()),
        Error::Unknown { what: "column to judge", .. } => Some("name the column with --column".to_owned()),
        Error::Unknown { what: "candidate group", .. } => Some("group by another column with --by".to_owned()),
        Error::Parameter { name, .. } => option_of(name).map(|option| format!("the option is {option}")),
        _ => None,
    }
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
        _ => return None,
    })
}
