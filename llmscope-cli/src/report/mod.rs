//! An analysis as text: nothing here computes.

pub(crate) mod csv;
pub(crate) mod markdown;
pub(crate) mod table;

use llmscope_core::quantity::number;
use llmscope_core::{Analysis, Violation};

/// `nelson-1 ×3, nelson-5`: the rules that were broken and how often.
pub(crate) fn broken_rules(analysis: &Analysis) -> String {
    let mut rules: Vec<(&str, usize)> = Vec::new();
    for Violation { rule, .. } in &analysis.violations {
        match rules.iter_mut().find(|(code, _)| *code == rule.as_str()) {
            Some((_, count)) => *count += 1,
            None => rules.push((rule.as_str(), 1)),
        }
    }
    rules.sort_unstable();
    let one = |(code, count): (&str, usize)| if count == 1 { code.to_owned() } else { format!("{code} ×{count}") };
    rules.into_iter().map(one).collect::<Vec<_>>().join(", ")
}

/// `1.20 [1.00, 1.40]`.
pub(crate) fn index(value: f64, interval: Option<llmscope_core::capability::Interval>) -> String {
    let short = |value: f64| if value.abs() < 100.0 { format!("{value:.2}") } else { number(value) };
    match interval {
        Some(interval) => format!("{} [{}, {}]", short(value), short(interval.lower), short(interval.upper)),
        None => short(value),
    }
}
