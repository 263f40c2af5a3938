//! What raises an alarm: from options and files of frozen limits.

use anyhow::{Result, bail};
use llmscope_core::analysis::Baseline;
use llmscope_core::{Metric, TpotDefinition};
use llmscope_harness::monitor::{AlarmKind, JudgeSettings, RuleAlarms};

use super::args::MonitorArgs;
use crate::alarm::AlarmArg;
use crate::baseline;
use crate::output::{self, CAUTION};

pub(super) fn settings(args: &MonitorArgs) -> Result<JudgeSettings> {
    let defaults = JudgeSettings::default();
    let metrics = if args.metric.is_empty() { defaults.metrics } else { args.metric.clone() };
    let by_rules = option_of_rules(args);
    let (alarm, usual) = match (args.alarm, by_rules) {
        (None | Some(AlarmArg::Rules), Some(_)) | (Some(AlarmArg::Rules), None) => {
            (AlarmKind::Rules(rules(args, &metrics)?), 30)
        }
        (Some(_), Some(option)) => bail!("{option} is about rules: use --alarm rules, or leave {option} out"),
        (None | Some(AlarmArg::Shift), None) => (AlarmKind::Shift(args.false_alarms), defaults.learn),
        (Some(AlarmArg::None), None) => (AlarmKind::Nothing, defaults.learn),
    };
    Ok(JudgeSettings { metrics, alarm, learn: args.learn.unwrap_or(usual) })
}

/// The first option that is given and that only rules have.
fn option_of_rules(args: &MonitorArgs) -> Option<&'static str> {
    let options = [
        ("--rules", args.rules.is_some()),
        ("--baseline", args.baseline.is_some()),
        ("--save-baseline", args.save_baseline.is_some()),
        ("--transform", args.transform.is_some()),
        ("--recover-after", args.recover_after.is_some()),
        ("--failures", args.failures.is_some()),
    ];
    options.into_iter().find_map(|(name, is_given)| is_given.then_some(name))
}

fn rules(args: &MonitorArgs, metrics: &[Metric]) -> Result<RuleAlarms> {
    // Limits that a previous monitor estimated are used again: a restart must not move them.
    let kept = args.save_baseline.as_deref().filter(|path| path.exists());
    let baselines = args.baseline.as_deref().or(kept).map(baseline::read).transpose()?.unwrap_or_default();
    // The limits that remain are those that are written again.
    let (outdated, baselines): (Vec<_>, Vec<_>) = baselines.into_iter().partition(is_outdated);
    if let Some(outdated) = outdated.first().filter(|_| metrics.contains(&Metric::Tpot)) {
        let (metric, definition) = (Metric::Tpot, outdated.tpot_definition);
        let current = TpotDefinition::CURRENT;
        let text =
            format!("the frozen limits of {metric} have {definition}, its values {current}: they are learned again");
        output::say(CAUTION, "warning:", &text);
    }
    let usual = RuleAlarms::default();
    Ok(RuleAlarms {
        rules: args.rules.clone().unwrap_or(usual.rules),
        baselines,
        transform: args.transform.unwrap_or(usual.transform),
        recover_after: args.recover_after.unwrap_or(usual.recover_after),
        failures: args.failures.unwrap_or(usual.failures),
    })
}

/// True for limits of times per token that the monitor does not measure any more.
fn is_outdated(baseline: &Baseline) -> bool {
    baseline.metric == Metric::Tpot.name() && baseline.tpot_definition != TpotDefinition::CURRENT
}

/// The frozen limits from a file.
pub(super) fn baselines(settings: &JudgeSettings) -> Vec<Baseline> {
    match &settings.alarm {
        AlarmKind::Rules(alarms) => alarms.baselines.clone(),
        AlarmKind::Shift(_) | AlarmKind::Nothing => Vec::new(),
    }
}
