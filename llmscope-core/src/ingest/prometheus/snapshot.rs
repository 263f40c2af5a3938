//! Snapshots in the text format: a row for each group of labels, with the mean and the count of each histogram and
//! summary, and the quantiles of summaries.

use std::collections::BTreeMap;

use super::Labels;
use crate::error::{Error, Location, Result, excerpt};
use crate::ingest::rows::whole_lines;
use crate::ingest::runs::Runs;
use crate::ingest::tool::Parsed;
use crate::quantity::counted;
use crate::session::Warning;

/// The prefixes of engines. A client library that negotiates OpenMetrics may write `vllm:` as `vllm_`.
const ENGINES: [&str; 4] = ["vllm:", "vllm_", "sglang:", "sglang_"];
/// What engines measure, by the name without its prefix, and our names for the times of a server.
const KNOWN: [(&str, &str); 7] = [
    ("time_to_first_token_seconds", "server_time_to_first_token_s"),
    ("time_per_output_token_seconds", "server_time_per_output_token_s"),
    ("inter_token_latency_seconds", "server_inter_token_latency_s"),
    ("e2e_request_latency_seconds", "server_e2e_s"),
    ("request_queue_time_seconds", "server_queue_s"),
    ("request_prefill_time_seconds", "server_prefill_s"),
    ("request_decode_time_seconds", "server_decode_s"),
];
/// Families of the process, not of its requests.
const OF_PROCESS: [&str; 4] = ["python_", "process_", "go_", "promhttp_"];

/// The parts of a histogram or summary of one group of labels.
#[derive(Default)]
struct Distribution {
    line: u64,
    sum: Option<f64>,
    count: Option<f64>,
    quantiles: Vec<(String, f64)>,
}

/// A line of the text format.
struct Sample<'t> {
    name: &'t str,
    labels: Labels,
    value: f64,
}

pub(in crate::ingest) fn read(source: &str, text: &str) -> Result<Parsed> {
    let (text, torn) = whole_lines(source, text);
    let mut kinds: BTreeMap<String, &str> = BTreeMap::new();
    let mut groups: BTreeMap<Labels, BTreeMap<&str, Distribution>> = BTreeMap::new();
    let mut others = 0_usize;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if let Some(described) = line.strip_prefix("# TYPE ") {
            kinds.extend(described.split_once(' ').map(|(family, kind)| (plain(family), kind)));
        }
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut sample = sample(line).ok_or_else(|| Error::Format {
            location: Location::of(source).line(number),
            problem: format!("\"{}\" is not a sample of a metric", excerpt(line)),
            fix: "give the text as the server wrote it".to_owned(),
        })?;
        let Some((family, part)) = part(&kinds, sample.name) else {
            others += usize::from(!OF_PROCESS.iter().any(|process| sample.name.starts_with(process)));
            continue;
        };
        let quantile = sample.labels.remove("quantile");
        sample.labels.remove("le");
        let found = groups.entry(sample.labels).or_default().entry(family).or_default();
        found.line = if found.line == 0 { number } else { found.line };
        match part {
            "_sum" => found.sum = Some(sample.value),
            "_count" => found.count = Some(sample.value),
            _ => found.quantiles.extend(quantile.map(|quantile| (quantile, sample.value))),
        }
    }
    let mut runs = rows(groups);
    runs.warnings = torn;
    if runs.table.rows() == 0 {
        return Err(Error::Format {
            location: Location::of(source),
            problem: "no histogram and no summary has a measurement".to_owned(),
            fix: "save the metrics of a server that has answered requests, and measures them in histograms".to_owned(),
        });
    }
    let mut warn = |message: String| runs.warnings.push(Warning { location: Location::of(source), message });
    warn("a snapshot covers all requests since the process began: snapshots of one process share them".to_owned());
    if others > 0 {
        warn(format!("left out {} of counters and gauges", counted(others, "sample")));
    }
    Ok(Parsed::Runs(runs))
}

fn rows(groups: BTreeMap<Labels, BTreeMap<&str, Distribution>>) -> Runs {
    let mut runs = Runs::default();
    for (labels, families) in groups {
        let measured: Vec<_> =
            families.iter().filter(|(_, found)| found.count.is_some_and(|count| count > 0.0)).collect();
        let Some(line) = measured.iter().map(|(_, found)| found.line).min() else { continue };
        runs.begin(line);
        for (name, label) in &labels {
            let name = if name == "model_name" { "model" } else { name };
            runs.text(name, Some(label));
        }
        for (family, found) in measured {
            let column = column(family);
            runs.number(&format!("{column}.mean"), found.sum.zip(found.count).map(|(sum, count)| sum / count));
            runs.number(&format!("{column}.count"), found.count);
            for (quantile, value) in &found.quantiles {
                let rank = quantile.parse::<f64>().ok().map(|quantile| (quantile * 1e6).round() / 1e4);
                if let Some(rank) = rank.filter(|rank| (0.0..=100.0).contains(rank)) {
                    runs.number(&format!("{column}.p{rank}"), Some(*value));
                }
            }
        }
    }
    runs
}

/// A name without colons: prometheus_client 0.26 writes `vllm_` in samples, and `vllm:` in the lines with their types.
fn plain(name: &str) -> String {
    name.replace(':', "_")
}

/// The histogram or summary that a sample belongs to, and the ending that says which part of it the sample is.
fn part<'t>(kinds: &BTreeMap<String, &str>, name: &'t str) -> Option<(&'t str, &'static str)> {
    let is_distribution = |family: &str| matches!(kinds.get(&plain(family)), Some(&"histogram" | &"summary"));
    if OF_PROCESS.iter().any(|process| name.starts_with(process)) {
        return None;
    }
    ["_sum", "_count", "_bucket", ""].into_iter().find_map(|ending| {
        name.strip_suffix(ending).filter(|family| is_distribution(family)).map(|family| (family, ending))
    })
}

/// Our name for a family: times of engines have known names.
fn column(family: &str) -> String {
    let own = ENGINES.iter().find_map(|engine| family.strip_prefix(engine)).unwrap_or_default();
    KNOWN
        .iter()
        .find(|(theirs, _)| *theirs == own)
        .map_or_else(|| family.replace(':', "_"), |(_, ours)| (*ours).to_owned())
}

/// `name{label="value"} value`, and a time that is not used.
fn sample(line: &str) -> Option<Sample<'_>> {
    let end = line.find(|c: char| c == '{' || c.is_ascii_whitespace())?;
    let (name, rest) = line.split_at(end);
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(inside) => labels(inside)?,
        None => (Labels::new(), rest),
    };
    // OpenMetrics adds an exemplar after `#`.
    let value = rest.split_ascii_whitespace().next()?;
    Some(Sample { name, labels, value: value.parse().ok()? })
}

/// The labels, and the text after the brace that ends them.
fn labels(mut rest: &str) -> Option<(Labels, &str)> {
    let mut found = Labels::new();
    loop {
        rest = rest.trim_start_matches([' ', ',']);
        if let Some(after) = rest.strip_prefix('}') {
            return Some((found, after));
        }
        let (name, after) = rest.split_once('=')?;
        let mut characters = after.trim_start().strip_prefix('"')?.char_indices();
        let inside = after.trim_start().get(1..)?;
        let mut value = String::new();
        let end = loop {
            match characters.next()? {
                (at, '"') => break at,
                (_, '\\') => value.push(match characters.next()?.1 {
                    'n' => '\n',
                    other => other,
                }),
                (_, other) => value.push(other),
            }
        };
        found.insert(name.trim().to_owned(), value);
        rest = &inside[end + 1..];
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn labels_are_unescaped_and_times_are_skipped() {
        let found = sample(r#"a:b_sum{x="1,\"}",le="+Inf", } 2.5e1 1796046577410"#).expect("is a sample");
        assert_eq!((found.name, found.value, found.labels["x"].as_str()), ("a:b_sum", 25.0, "1,\"}"));
        assert_eq!(sample("up 1 # {trace_id=\"x\"} 0.5").map(|found| found.value), Some(1.0));
        for broken in ["up", "up{a=\"1\" 2", "up{a=1} 2", "up{} x", "{a=\"1\"}"] {
            assert!(sample(broken).is_none(), "{broken}");
        }
    }

    proptest! {
        #[test]
        fn any_line_is_read_or_refused(line in "[a:{}=\",\\\\ ä1.#]{0,20}") {
            let _ = sample(&line);
        }
    }
}
