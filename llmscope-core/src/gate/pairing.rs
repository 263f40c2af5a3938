//! Pairs the series of a candidate with those of a baseline.

use std::collections::{BTreeMap, BTreeSet};

use crate::analysis::Series;
use crate::error::{Error, Result};
use crate::metric::Metric;

type Group = BTreeMap<String, String>;

/// A series on each side.
#[derive(Clone, Copy)]
pub(super) struct SeriesPair<'s> {
    pub(super) baseline: &'s Series,
    pub(super) candidate: &'s Series,
}

impl SeriesPair<'_> {
    /// Why times per token of two definitions are not compared.
    fn of_two_definitions(&self) -> Error {
        let [baseline, candidate] = [self.baseline, self.candidate].map(|series| series.tpot_definition);
        let metric = format!("{} of {}", self.baseline.measure.name(), title(&self.baseline.group));
        Error::Definitions { metric, baseline, candidate }
    }

    /// The candidate's group, if it differs.
    pub(super) fn other_group(&self) -> Option<Group> {
        (self.baseline.group != self.candidate.group).then(|| self.candidate.group.clone())
    }
}

pub(super) struct Matched<'s> {
    /// One pair for each group and metric.
    pub(super) pairs: Vec<SeriesPair<'s>>,
    /// One pair for each group, with any metric: all metrics of a group have the same requests.
    pub(super) groups: Vec<SeriesPair<'s>>,
    pub(super) warnings: Vec<String>,
}

pub(super) fn matched<'s>(baseline: &'s [Series], candidate: &'s [Series]) -> Result<Matched<'s>> {
    let (ours, theirs) = (groups(baseline), groups(candidate));
    let mut warnings = Vec::new();
    let mut partners: Vec<(&Group, &Group)> =
        ours.iter().filter(|group| theirs.contains(group)).map(|&group| (group, group)).collect();
    if let ([one], [other]) = (&ours[..], &theirs[..])
        && one != other
    {
        warnings.push(format!("groups with different names are compared: {} with {}", title(one), title(other)));
        partners.push((one, other));
    }
    let sources = |series: &'s [Series]| series.iter().flat_map(|series| &series.sources).collect::<BTreeSet<_>>();
    let same: Vec<&str> = sources(baseline).intersection(&sources(candidate)).map(|source| source.as_str()).collect();
    if !same.is_empty() && !std::ptr::eq(baseline, candidate) {
        warnings.push(format!("both sides have the same requests: {}", same.join(", ")));
    }
    let alone = |group: &Group, side: &str| format!("{} is only in the {side} and is not compared", title(group));
    let paired = |group: &Group| partners.iter().any(|(one, other)| *one == group || *other == group);
    warnings.extend(ours.iter().filter(|group| !paired(group)).map(|group| alone(group, "baseline")));
    warnings.extend(theirs.iter().filter(|group| !paired(group)).map(|group| alone(group, "candidate")));
    if partners.is_empty() {
        let names = |groups: &[&Group]| groups.iter().map(|group| title(group)).collect::<Vec<_>>().join("; ");
        return Err(Error::Unknown {
            what: "candidate group",
            name: names(&theirs),
            expected: format!("a group of the baseline ({}), or grouping by another column", names(&ours)),
        });
    }
    warnings.extend(runs_apart(&partners, [baseline, candidate]));
    let mut pairs = Vec::new();
    let mut of_groups = Vec::new();
    let mut apart = Vec::new();
    for (one, other) in partners {
        let (ours, theirs) = (of(baseline, one), of(candidate, other));
        if let ([first, ..], [second, ..]) = (&ours[..], &theirs[..]) {
            of_groups.push(SeriesPair { baseline: first, candidate: second });
        }
        let missing = |series: &Series, side: &str| {
            format!("{} of {} is only in the {side} and is not compared", series.measure.name(), title(one))
        };
        for series in &ours {
            let named: Vec<_> = theirs.iter().filter(|other| other.measure == series.measure).copied().collect();
            match named.iter().find(|other| series.has_definition_of(other)) {
                Some(other) => pairs.push(SeriesPair { baseline: series, candidate: other }),
                None if is_error_rate(series) => {}
                None if !named.is_empty() => {
                    apart.extend(named.into_iter().map(|candidate| SeriesPair { baseline: series, candidate }));
                }
                None => warnings.push(missing(series, "baseline")),
            }
        }
        let unknown = theirs.iter().filter(|series| !ours.iter().any(|ours| ours.measure == series.measure));
        warnings.extend(unknown.filter(|series| !is_error_rate(series)).map(|series| missing(series, "candidate")));
    }
    pairs.retain(|pair| !is_error_rate(pair.baseline));
    for pair in &apart {
        let error = pair.of_two_definitions();
        if pairs.is_empty() {
            return Err(error);
        }
        warnings.push(format!("not compared: {error}"));
    }
    Ok(Matched { pairs, groups: of_groups, warnings })
}

/// A warning where a column `run` parts the files of each side. Runs of one build then have one group each, and the
/// differences between them are unknown. Loads that share a file are groups of their own.
fn runs_apart(partners: &[(&Group, &Group)], sides: [&[Series]; 2]) -> Option<String> {
    const RUN: &str = "run";
    let others =
        |group: &Group| group.iter().filter(|(name, _)| *name != RUN).map(|(_, value)| value.clone()).collect();
    let alike: BTreeSet<Vec<String>> = partners.iter().map(|(group, _)| others(group)).collect();
    let by_run = partners.len() > 1 && alike.len() == 1 && partners.iter().all(|(group, _)| group.contains_key(RUN));
    let one_file_each = |series: &[Series]| {
        let sources =
            |group: &Group| of(series, group).iter().flat_map(|series| &series.sources).collect::<BTreeSet<_>>();
        let all: BTreeSet<_> = partners.iter().flat_map(|(group, _)| sources(group)).collect();
        all.len() == partners.len() && partners.iter().all(|(group, _)| sources(group).len() == 1)
    };
    (by_run && sides.into_iter().all(one_file_each)).then(|| {
        let count = partners.len();
        format!("the column {RUN} makes {count} groups of one run a side: runs of one build belong in one group")
    })
}

fn is_error_rate(series: &Series) -> bool {
    series.measure.name() == Metric::ErrorRate.name()
}

fn of<'s>(series: &'s [Series], group: &Group) -> Vec<&'s Series> {
    series.iter().filter(|series| &series.group == group).collect()
}

/// The groups, in order of first appearance.
fn groups(series: &[Series]) -> Vec<&Group> {
    let mut groups: Vec<&Group> = Vec::new();
    for series in series {
        if !groups.contains(&&series.group) {
            groups.push(&series.group);
        }
    }
    groups
}

pub(super) fn title(group: &Group) -> String {
    if group.is_empty() {
        return "all requests".to_owned();
    }
    group.iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
}
