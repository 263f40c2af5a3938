//! Code that the targets share.

use llmscope_core::analysis::{Plan, Selection, analyze};
use llmscope_core::ingest::{Content, Log};
use llmscope_core::{Measure, Metric};

/// Analyzes a log and checks that each report is valid JSON.
pub fn judge(log: &Log) {
    log.warnings.iter().for_each(|warning| drop(warning.to_string()));
    let mut measures: Vec<Measure> = Metric::ALL.map(Measure::Metric).to_vec();
    match &log.content {
        Content::Session(session) => {
            let attributes = session.records.iter().flat_map(|record| record.attributes.keys());
            measures.extend(attributes.take(8).cloned().map(Measure::Column));
        }
        Content::Table(table) => measures.extend(table.columns.iter().take(8).map(|c| Measure::Column(c.name.clone()))),
    }
    let defaults = Selection::default();
    let each = measures.into_iter().map(|measure| Selection { measures: vec![measure], ..Selection::default() });
    for selection in std::iter::once(defaults).chain(each) {
        let Ok(series) = selection.series([log]) else { continue };
        for series in &series {
            if let Ok(analysis) = analyze(series, &Plan { points: true, ..Plan::default() }) {
                // JSON cannot represent NaN or infinity: either becomes null, which does not read back as a number.
                let text = serde_json::to_string(&analysis).expect("a report is JSON");
                serde_json::from_str::<llmscope_core::analysis::Analysis>(&text).expect("a report reads back");
            }
        }
    }
}
