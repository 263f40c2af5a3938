//! The CSV report: one line per analysis and one per study of several runs. The columns of the answers are at the end.

use std::io::Write;

use anyhow::Result;
use llmscope_core::analysis::answer::{Direction, Part};
use llmscope_core::analysis::{DecidedBy, Study};
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

/// The columns of the answers, which a report has that the rules do not decide.
const ANSWER_HEADER: [&str; 11] = [
    "direction",
    "part",
    "since_index",
    "since",
    "ratio",
    "ratio_lower",
    "ratio_upper",
    "p",
    "p_call",
    "answer",
    "patterns",
];
/// The column that has the verdict of the answer instead of that of the rules.
const VERDICT: usize = 9;

pub(crate) fn write(out: &mut impl Write, report: &Report) -> Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    match report.decided_by {
        DecidedBy::Rules => {
            writer.write_record(HEADER)?;
            for row in report.analyses.iter().map(row).chain(report.studies.iter().map(study_row)) {
                writer.write_record(row)?;
            }
        }
        DecidedBy::Changes => {
            writer.write_record(HEADER.iter().chain(&ANSWER_HEADER))?;
            for analysis in &report.analyses {
                let mut row = row(analysis);
                analysis.verdict.name().clone_into(&mut row[VERDICT]);
                writer.write_record(row.iter().chain(&answer_cells(analysis)))?;
            }
            for study in &report.studies {
                writer.write_record(study_row(study).iter().chain(&study_answer_cells(study)))?;
            }
        }
    }
    writer.flush()?;
    Ok(())
}

/// The answer. The interval is that of the ratio, so it is empty if the change is a difference.
fn answer_cells(analysis: &Analysis) -> [String; ANSWER_HEADER.len()] {
    let answer = &analysis.answer;
    let interval = answer.interval.filter(|_| answer.ratio.is_some());
    [
        answer.direction.map(Direction::name).unwrap_or_default().to_owned(),
        answer.part.map(Part::name).unwrap_or_default().to_owned(),
        answer.since.as_ref().map(|since| since.index.to_string()).unwrap_or_default(),
        answer.since.as_ref().and_then(|since| since.t).map(|t| t.to_string()).unwrap_or_default(),
        text(answer.ratio),
        text(interval.map(|[lower, _]| lower)),
        text(interval.map(|[_, upper]| upper)),
        text(answer.p),
        text(answer.p_call),
        answer.text.clone(),
        analysis.patterns.verdict.label().to_owned(),
    ]
}

/// A study has no answer: the rules judge its run means.
fn study_answer_cells(study: &Study) -> [String; ANSWER_HEADER.len()] {
    let mut cells: [String; ANSWER_HEADER.len()] = Default::default();
    study.verdict.label().clone_into(&mut cells[ANSWER_HEADER.len() - 1]);
    cells
}

/// A number with full precision, or an empty cell.
fn text(value: Option<f64>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// Numbers have full precision. A cell is empty if the number does not apply or varies from point to point.
fn row(analysis: &Analysis) -> [String; HEADER.len()] {
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
        analysis.patterns.verdict.label().to_owned(),
        analysis.patterns.violations.len().to_string(),
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
