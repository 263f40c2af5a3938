//! The answer as one sentence, the same on every face.

use jiff::Timestamp;

use super::super::Series;
use super::change::{Change, Direction, Part};
use super::runs::NamedRuns;
use super::sequence::Sequences;
use super::{Answer, Failures, SeriesVerdict, SinceRun};
use crate::column::{Meaning, Preference};
use crate::measure::Measure;
use crate::metric::Unit;
use crate::quantity::{counted, number, percent, short, with_unit};

/// The sentence: the change and how far to trust it, or why there is no verdict; then failures, slow requests, load.
pub(super) fn text(series: &Series, sequences: &Sequences, verdict: SeriesVerdict, answer: &Answer) -> String {
    let writer = Writer { series, sequences, answer };
    let mut parts = Vec::new();
    if verdict == SeriesVerdict::Failing {
        parts.extend(answer.failures.as_ref().map(|failures| writer.failing(failures)));
    }
    match (writer.main(), verdict) {
        (Some(change), _) => parts.extend(writer.change(change, verdict)),
        (None, SeriesVerdict::Stable) => parts.push("no change".to_owned()),
        (None, SeriesVerdict::NotEnoughData) => parts.push(writer.too_few()),
        (None, SeriesVerdict::Failing | SeriesVerdict::Changed) => {}
    }
    if verdict != SeriesVerdict::Failing {
        parts.extend(answer.failures.as_ref().map(failed));
    }
    parts.extend(writer.failed_runs());
    parts.extend(answer.objectives.iter().map(|certificate| certificate.text.clone()));
    parts.extend(answer.goodput.iter().map(|one| format!("{}: {} of the requests", one.objective, percent(one.share))));
    parts.extend(writer.slow());
    parts.extend(writer.load());
    if sequences.lacks_tokens {
        parts.push("not adjusted for tokens: less than a third of the requests have counts".to_owned());
    }
    if sequences.without_tokens > 0 {
        parts.push(format!("{} without token counts not judged", counted(sequences.without_tokens, "request")));
    }
    parts.join("; ")
}

struct Writer<'a> {
    series: &'a Series,
    sequences: &'a Sequences,
    answer: &'a Answer,
}

impl Writer<'_> {
    /// The change that the answer is about.
    fn main(&self) -> Option<&Change> {
        let is_main = |change: &&Change| {
            Some(change.part) == self.answer.part && Some(&change.since) == self.answer.since.as_ref()
        };
        self.answer.changes.iter().find(is_main)
    }

    fn unit(&self) -> Unit {
        self.series.unit()
    }

    /// What one value is.
    fn noun(&self) -> &'static str {
        match self.series.measure {
            _ if self.series.of_runs => "run",
            Measure::Metric(_) => "request",
            Measure::Column(_) => "measurement",
        }
    }

    /// The change, its events, and how many more there are.
    fn change(&self, change: &Change, verdict: SeriesVerdict) -> Option<String> {
        if verdict == SeriesVerdict::Failing && change.part == Part::Failures {
            return None;
        }
        let mut text = format!("{} {}, {}", self.size(change), self.since(change), p_words(change.p_call));
        if !self.answer.adjusted_for.is_empty() && change.part != Part::Failures {
            text += &format!(", given {}", self.answer.adjusted_for.join(" and "));
        }
        text += &self.limits_of_last(change).unwrap_or_default();
        if !self.answer.events.is_empty() {
            text += &format!(" (event: {})", self.answer.events.join("; "));
        }
        let others = self.answer.changes.len() - 1;
        if others > 0 {
            text += &format!("; {}", counted(others, "further change"));
        }
        Some(text)
    }

    fn size(&self, change: &Change) -> String {
        match change.part {
            Part::Level => self.level(change),
            Part::Spread => spread(change),
            Part::Failures => {
                let verb = if change.after > change.before { "more" } else { "fewer" };
                format!("{verb} failures: {} before, {} after", percent(change.before), percent(change.after))
            }
            Part::SlowRequests => "slow requests".to_owned(),
        }
    }

    fn level(&self, change: &Change) -> String {
        let larger = change.ratio.map_or(change.difference.unwrap_or(0.0) > 0.0, |ratio| ratio > 1.0);
        let word = comparative(&self.series.meaning(), larger);
        match (change.ratio, change.difference) {
            (Some(ratio), _) => format!("{word} by {}{}", percent_change(ratio), self.percent_interval(change)),
            (None, Some(difference)) => {
                let shown = |x: f64| with_unit(self.unit(), x);
                let interval = change.interval.map(|[low, high]| {
                    let (low, high) = if larger { (low, high) } else { (-high, -low) };
                    if is_negligible(low, high) {
                        format!(" (at most {})", shown(high))
                    } else {
                        format!(" ({} to {})", shown(low), shown(high))
                    }
                });
                format!("{word} by {}{}", shown(difference.abs()), interval.unwrap_or_default())
            }
            (None, None) => word.to_owned(),
        }
    }

    fn percent_interval(&self, change: &Change) -> String {
        let Some(([low, high], ratio)) = change.interval.zip(change.ratio) else { return String::new() };
        let (low, high) = if ratio > 1.0 { (low, high) } else { (high, low) };
        let percent = |bound: f64| 100.0 * if ratio > 1.0 { bound - 1.0 } else { 1.0 - bound };
        let (low, high) = (percent(low), percent(high));
        let signed = |percent: f64| short(percent).replace('-', "−");
        if is_negligible(low, high) || short(low) == short(1e-9) {
            return format!(" (at most {} %)", signed(high));
        }
        format!(" ({} to {} %)", signed(low), signed(high))
    }

    /// `; the other 10 runs predict 95.3 ms to 105 ms for the last one, if runs are normal or lognormal`: why one run is a
    /// change.
    fn limits_of_last(&self, change: &Change) -> Option<String> {
        let is_of_last = change.part == Part::Level && change.since.run.as_ref().is_some_and(|run| run.count == 1);
        let runs = self.answer.runs.filter(|_| is_of_last)?;
        let [low, high] = runs.limits?.map(|limit| with_unit(self.unit(), limit));
        let shape = if change.ratio.is_some() { "normal or lognormal" } else { "normal" };
        Some(format!(
            "; the other {} runs predict {low} to {high} for the last one, if runs are {shape}",
            runs.count - 1
        ))
    }

    /// `since the run of 2026-11-10, 4 runs`, or `since run 7 (oha-08.json), 4 runs`.
    fn since_run(&self, run: &SinceRun) -> String {
        let [first, last] = run.interval;
        let index = run.index;
        let range = if first == last { String::new() } else { format!(", {first} to {last}") };
        let place = match run.t {
            Some(t) if range.is_empty() => format!("the run of {}", self.date(t)),
            Some(t) => format!("the run of {} (run {index}{range})", self.date(t)),
            None => format!("run {index} ({}{range})", run.name),
        };
        format!("since {place}, {}", counted(run.count, "run"))
    }

    /// The date of a run, with the time of day if another run has the same date.
    fn date(&self, t: Timestamp) -> String {
        let day = |t: Timestamp| t.strftime("%F").to_string();
        let series = self.series;
        let of_runs = (0..series.values.len()).filter(|&at| series.of_runs || is_first_of_run(series, at));
        let same = of_runs.filter_map(|at| series.observations.at(at)).filter(|&other| day(other) == day(t)).count();
        if same > 1 { format!("{t:.0}") } else { day(t) }
    }

    /// `since 2026-11-23T11:42:49Z (request 150, 148 to 152)`.
    fn since(&self, change: &Change) -> String {
        if let Some(run) = &change.since.run {
            return self.since_run(run);
        }
        let noun = if change.part == Part::Failures { "request" } else { self.noun() };
        let [first, last] = change.since.interval;
        let range = if first == last { String::new() } else { format!(", {first} to {last}") };
        let index = change.since.index;
        let until = self.next_of(change).map(|next| format!(" until {noun} {}", next.since.index)).unwrap_or_default();
        match change.since.t {
            Some(t) => format!("since {t:.0} ({noun} {index}{range}){until}"),
            None => format!("since {noun} {index}{range}{until}"),
        }
    }

    /// The next change of the same part, if it takes this one back.
    fn next_of(&self, change: &Change) -> Option<&Change> {
        let later = |next: &&Change| next.part == change.part && next.since.index > change.since.index;
        let next = self.answer.changes.iter().find(later)?;
        let takes_back = (next.after - change.before).abs() < (next.after - change.after).abs();
        takes_back.then_some(next)
    }

    fn too_few(&self) -> String {
        if self.sequences.unordered {
            return format!(
                "{}, sorted by their value: they have no order in time, and are not judged as a sequence",
                counted(self.sequences.observations.len(), self.noun())
            );
        }
        let need = self.answer.need.unwrap_or(0);
        if let Some(runs) = self.answer.runs.filter(|runs| runs.need.is_some()) {
            return format!("{}: {need} more are needed for a verdict between runs", counted(runs.count, "run"));
        }
        let n = self.sequences.len().max(self.sequences.observations.len());
        let have = counted(n, self.noun());
        match self.answer.effective_n {
            Some(effective) if effective + 1.0 < crate::cast::float(n) => {
                format!(
                    "{have} carry the information of {:.0} independent ones: about {need} more are needed",
                    effective.floor()
                )
            }
            _ => format!("{have}: {need} more are needed"),
        }
    }

    /// Why the series is failing.
    fn failing(&self, failures: &Failures) -> String {
        let mut text = failed(failures);
        if let Some(change) = self.main().filter(|change| change.part == Part::Failures && change.after > change.before)
        {
            text += &format!(", {} {}", percent(change.after), self.since(change));
        }
        if failures.last_in_a_row > 1 && failures.last_in_a_row < failures.count && failures.runs.is_none() {
            text += &format!(", the last {} in a row", failures.last_in_a_row);
        }
        text
    }

    /// `all requests of the run of 2026-11-10 failed`.
    fn failed_runs(&self) -> Option<String> {
        const NAMED: usize = 3;
        let all = self.answer.failures.as_ref()?.runs.filter(|runs| runs.all_failed > 0)?.all_failed;
        let counts = self.series.observations.counts();
        let has_failed = |&run: &usize| counts.failures(run).is_some_and(|(failed, requests)| failed >= requests);
        let runs = NamedRuns::new(self.series, (0..self.series.values.len()).collect());
        let name = |run: usize| match self.series.observations.at(run) {
            Some(t) => self.date(t),
            None => runs.since(run, [run, run]).name,
        };
        let names: Vec<String> = (0..self.series.values.len()).filter(has_failed).take(NAMED).map(name).collect();
        let more = if all > names.len() { format!(" and {} more", all - names.len()) } else { String::new() };
        let noun = if all == 1 { "run" } else { "runs" };
        Some(format!("every request of the {noun} of {}{more} failed", names.join(", ")))
    }

    fn slow(&self) -> Option<String> {
        let slow = self.answer.slow_requests?;
        let at = slow.t.map_or_else(String::new, |t| format!(" at {t:.0}"));
        let slowest = with_unit(self.unit(), slow.slowest);
        let median = with_unit(self.unit(), slow.median);
        let noun = if self.noun() == "request" { "slow request" } else { "slow measurement" };
        let which = if slow.count == 1 { "with" } else { "the slowest" };
        Some(format!(
            "{}, {which} {slowest} ({} {}{at}; median {median})",
            counted(slow.count, noun),
            self.noun(),
            slow.index
        ))
    }

    fn load(&self) -> Option<String> {
        let mut parts: Vec<String> = Vec::new();
        for change in self.answer.load.iter().flatten() {
            let more = if change.ratio > 1.0 { "more" } else { "fewer" };
            let name = change.name.replace('_', " ");
            parts.push(format!("{more} {name} (×{}) since request {}", number_short(change.ratio), change.index));
        }
        if parts.is_empty() {
            return None;
        }
        let note = if self.answer.adjusted_for.is_empty() { "load" } else { "load, adjusted for" };
        Some(format!("{note}: {}", parts.join(", ")))
    }
}

/// True for the first observation of a source.
fn is_first_of_run(series: &Series, at: usize) -> bool {
    let source = |at: usize| series.observations.source(at);
    !(0..at).rev().any(|before| source(before) == source(at))
}

/// What a level is that became larger or smaller.
pub(crate) fn comparative(meaning: &Meaning, larger: bool) -> &'static str {
    let is_latency = meaning.role.is_duration() && meaning.preference == Preference::Lower;
    match (is_latency, larger) {
        (true, true) => "slower",
        (true, false) => "faster",
        (false, true) => "higher",
        (false, false) => "lower",
    }
}

fn spread(change: &Change) -> String {
    let larger = change.ratio.map_or(change.difference.unwrap_or(0.0) > 0.0, |ratio| ratio > 1.0);
    let word = if larger { "more irregular" } else { "more regular" };
    match (change.ratio, change.interval) {
        (Some(ratio), Some([low, high])) => {
            let (near, far) = if ratio > 1.0 { (low, high) } else { (high, low) };
            let is_open =
                is_negligible((near - 1.0).abs(), (far - 1.0).abs()) || number_short(near) == number_short(1.0);
            let [ratio, low, high, far] = [ratio, low, high, far].map(number_short);
            match (is_open, larger) {
                (false, _) => format!("{word}, spread ×{ratio} ({low} to {high})"),
                (true, true) => format!("{word}, spread ×{ratio} (at most ×{far})"),
                (true, false) => format!("{word}, spread ×{ratio} (at least ×{far})"),
            }
        }
        (Some(ratio), None) => format!("{word}, spread ×{}", number_short(ratio)),
        _ => word.to_owned(),
    }
}

/// True if the lower bound of a size is next to no change. A change next to the limit of detection was found, but its size
/// is only known to be at most the upper bound.
fn is_negligible(low: f64, high: f64) -> bool {
    const SHARE: f64 = 0.01;
    (0.0..SHARE * high).contains(&low)
}

/// `12 of 300 requests failed (4.0 %): timeout 8, http_status 503 4 ("busy")`.
fn failed(failures: &Failures) -> String {
    let mut text =
        format!("{} of {} failed ({})", failures.count, counted(failures.requests, "request"), percent(failures.share));
    let kind = |kind: &super::FailureCount| {
        let example = kind.example.as_ref().map(|example| format!(" (\"{}\")", cut(example))).unwrap_or_default();
        format!("{} {}{example}", kind.count, kind.label)
    };
    let kinds: Vec<String> = failures.kinds.iter().map(kind).collect();
    if !kinds.is_empty() {
        text += &format!(": {}", kinds.join(", "));
    }
    if let Some(runs) = failures.runs {
        text += &format!(", in {} of {}", runs.with_failures, counted(runs.count, "run"));
    }
    text
}

fn cut(example: &str) -> String {
    const LENGTH: usize = 60;
    let short: String = example.chars().take(LENGTH).collect();
    if short.len() < example.len() { format!("{short}…") } else { short }
}

/// `+119 %` as `119 %`, because the word before it says the direction.
fn percent_change(ratio: f64) -> String {
    percent((ratio - 1.0).abs())
}

/// Alpha as a percentage: `1 %`, `0.1 %`.
pub(super) fn alpha_words(alpha: f64) -> String {
    let percent = format!("{:.4}", 100.0 * alpha);
    format!("{} %", percent.trim_end_matches('0').trim_end_matches('.'))
}

/// A factor with two digits.
fn number_short(value: f64) -> String {
    if value < 10.0 { format!("{value:.2}") } else { number(value) }
}

/// A p-value of a call.
fn p_words(p: f64) -> String {
    if p < 0.0001 { "p < 0.0001".to_owned() } else { format!("p {p:.4}") }
}

impl Direction {
    /// The direction as a mark for narrow tables.
    #[must_use]
    pub const fn mark(self) -> &'static str {
        match self {
            Self::Worse | Self::Unknown => "▲",
            Self::Better => "▼",
        }
    }
}
