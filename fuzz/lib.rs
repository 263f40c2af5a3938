//! What the targets share.

use llmscope_core::analysis::{Plan, Selection, analyze};
use llmscope_core::ingest::{Content, Log};
use llmscope_core::{Measure, Metric};

/// Takes a log as far as a report.
pub fn judge(log: &Log) {
    log.notices.iter().for_each(|notice| drop(notice.to_string()));
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
                // JSON has no words for numbers that are none: they would be null here, where a number is due.
                let text = serde_json::to_string(&analysis).expect("a report is JSON");
                serde_json::from_str::<llmscope_core::analysis::Analysis>(&text).expect("a report reads back");
            }
        }
    }
}
