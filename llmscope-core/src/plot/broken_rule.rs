//! The violated rules of a chart, for lanes and legends.

use crate::analysis::Drawing;
use crate::rules::Rule;

/// One color per rule, distinguishable for color-blind readers (Okabe & Ito 2008, darkened), repeated beyond eight.
const RULE_COLORS: [&str; 8] = ["#d1242f", "#0072b2", "#e08e00", "#7b3fb5", "#009e73", "#c2508f", "#8a5a00", "#2b8fb8"];

/// A violated rule: its index in the rule set, and its text.
pub(super) struct BrokenRule {
    pub(super) rule: usize,
    pub(super) text: String,
}

/// The violated rules of a chart, in the order of the rule set.
pub(super) fn broken_rules(drawing: &Drawing) -> Vec<BrokenRule> {
    let rules = drawing.rules.rules().iter().enumerate();
    rules.filter_map(|(rule, known)| Some(BrokenRule { rule, text: places(drawing, known)? })).collect()
}

/// The violations of a rule as text; `None` without violations.
fn places(drawing: &Drawing, rule: &Rule) -> Option<String> {
    const SHOWN: usize = 6;
    let violations: Vec<_> = drawing.judgement.violations.iter().filter(|v| v.rule == *rule.code()).collect();
    let mut places: Vec<String> = violations.iter().take(SHOWN).map(|violation| violation.range()).collect();
    if violations.len() > SHOWN {
        places.push(format!("… {} in all", violations.len()));
    }
    let text = || format!("{}: {}, at {}", rule.code(), drawing.chart.kind.describe(rule), places.join(", "));
    (!violations.is_empty()).then(text)
}

/// The color of a rule, by its index in the rule set.
pub(super) fn rule_color(rule: usize) -> &'static str {
    RULE_COLORS[rule % RULE_COLORS.len()]
}
