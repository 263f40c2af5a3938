//! The CSV report: one line per analysis and one per study of several runs.

use std::io::Write;

use anyhow::Result;
use llmscope_core::analysis::Study;
use llmscope_core::capability::NonNormal;
use llmscope_core::{Analysis, Line, PowerTransform, Report};

const HEADER: [&str; 27] = [
    "source",
    "group",
    "metric",
    "unit",
    "n",
    "failed",
    "warmup",
    "missing",
    "chart",
    "verdict",
    "violations",
    "mean",
    "median",
    "p99",
    "sigma_within",
    "sigma_overall",
    "lower",
    "center",
    "upper",
    "cpk",
    "ppk",
    "runs",
    "sigma_between",
    "sigma_total",
    "supported",
    "ppk_supported",
    "lambda",
];

pub(crate) fn write(out: &mut impl Write, report: &Report) -> Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(HEADER)?;
    for analysis in &report.analyses {
        writer.write_record(row(analysis))?;
    }
    for study in &report.studies {
        writer.write_record(study_row(study))?;
    }
    writer.flush()?;
    Ok(())
}

/// Numbers have full precision. A cell is empty if the number does not apply or varies from point to point.
fn row(analysis: &Analysis) -> [String; HEADER.len()] {
    let text = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    let sigma = analysis.sigma;
    let limit = |pick: fn(&llmscope_core::ControlLimits) -> &Line| {
        text(analysis.limits.as_ref().and_then(|limits| pick(limits).constant()))
    };
    [
        analysis.source.join(" "),
        analysis.group_title(),
        analysis.metric.clone(),
        analysis.unit.to_string(),
        analysis.n.to_string(),
        analysis.excluded.failed.to_string(),
        analysis.excluded.warmup.to_string(),
        analysis.excluded.missing.to_string(),
        analysis.chart.to_string(),
        analysis.verdict.label().to_owned(),
        analysis.violations.len().to_string(),
        text(analysis.mean),
        text(analysis.median),
        text(analysis.quantiles.map(|quantiles| quantiles.p99)),
        text(sigma.and_then(|sigma| sigma.within)),
        text(sigma.and_then(|sigma| sigma.overall)),
        limit(|limits| &limits.lower),
        limit(|limits| &limits.center),
        limit(|limits| &limits.upper),
        text(analysis.capability.map(|capability| capability.cpk)),
        text(analysis.performance.map(|performance| performance.ppk)),
        String::new(),
        String::new(),
        String::new(),
        analysis.non_normal.as_ref().map(|non_normal| non_normal.supported.label().to_owned()).unwrap_or_default(),
        text(analysis.non_normal.as_ref().and_then(NonNormal::supported_ppk)),
        text(analysis.transform.map(PowerTransform::lambda)),
    ]
}

/// The line of a study. Its limits are those of the run means, `cpk` uses the within sigma, and `ppk` the total sigma.
fn study_row(study: &Study) -> [String; HEADER.len()] {
    let text = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    let limit = |pick: fn(&llmscope_core::ControlLimits) -> &Line| {
        text(study.limits.as_ref().and_then(|limits| pick(limits).constant()))
    };
    [
        study.runs.iter().map(|run| run.name.as_str()).collect::<Vec<_>>().join(" "),
        study.group_title(),
        study.metric.clone(),
        study.unit.to_string(),
        study.n.to_string(),
        String::new(),
        String::new(),
        String::new(),
        "run means".to_owned(),
        study.verdict.label().to_owned(),
        study.violations.len().to_string(),
        study.mean.to_string(),
        String::new(),
        String::new(),
        study.within.sigma.to_string(),
        String::new(),
        limit(|limits| &limits.lower),
        limit(|limits| &limits.center),
        limit(|limits| &limits.upper),
        text(study.capability.map(|capability| capability.cpk)),
        text(study.performance.map(|performance| performance.ppk)),
        study.runs.len().to_string(),
        study.between.sigma.to_string(),
        study.total.sigma.to_string(),
        String::new(),
        String::new(),
        String::new(),
    ]
}
