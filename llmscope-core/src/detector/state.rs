//! The detector: what it has learned, and the evidence so far.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::alarm::{Alarm, Baseline, KEPT};
use super::allowance::{self, NEEDED};
use super::mixture::{Inflation, Mixture};
use super::prediction::{MOST_LAGS, Prediction};
use super::preparation::Preparation;
use super::reference::Reference;
use super::{Evidence, FalseAlarmRate, Learning, Settings};
use crate::cast::float;
use crate::error::{Error, Result};
use crate::stats::LoadModel;

/// Values join the reference while the evidence is smaller. A multiple of the threshold instead would let a slowdown become
/// normal before a rare promise notices it.
const JOINING: f64 = 25.0;
/// From this rate on, values join in blocks from the start: each value that joins at once takes a small change away.
const RARE: f64 = 10_000.0;
/// Of a state from outside: more would overflow.
const MOST_VALUES: u64 = 1 << 53;
const SCHEMA: &str = "llmscope.detector/1";

/// Judges values one by one, at a stated rate of false alarms. See the [module](super).
///
/// Its JSON is its complete state: a detector that is read back judges later values as the one that was written, bit for bit.
#[doc(alias("anomaly detection", "drift detection"))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(into = "State", try_from = "State")]
pub struct Detector(State);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct State {
    schema: String,
    settings: Settings,
    /// The evidence that raises an alarm, from the settings.
    #[serde(skip)]
    threshold: f64,
    /// More frequent false alarms that are allowed when the evidence starts again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    planned: Option<FalseAlarmRate>,
    /// Number of values, gaps included.
    pushed: u64,
    phase: Phase,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    /// The first values and their token counts, column by column.
    First {
        values: Vec<f64>,
        numbers: Vec<u64>,
        columns: Vec<Vec<Option<f64>>>,
    },
    Fitted(Box<Fitted>),
}

/// From the m-th value on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Fitted {
    preparation: Preparation,
    prediction: Prediction,
    inflation: Inflation,
    reference: Reference,
    /// The prepared values so far in time order, until the reference is kept as counts.
    values: Vec<f64>,
    /// The residuals of the last of them, if they do not join the reference yet. After an alarm, they join with the next fit.
    suspects: Vec<f64>,
    /// The number of values at which all is fitted again; `None` if never.
    next_fit: Option<usize>,
    /// Independent values that carry the information of the values so far.
    information: f64,
    /// The last prepared values with their numbers. They predict the next one. A residual of a former fit cannot be compared with those of the present one.
    recent: VecDeque<(u64, f64)>,
    /// The number of the first value that the next alarm can be about.
    #[serde(default)]
    begins: u64,
    mixture: Mixture,
    evidence: f64,
    scores: Scores,
}

/// What happens around a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Course {
    /// Alarms do not join incidents.
    Alone,
    /// No incident is open.
    Quiet,
    /// An incident is open: nothing is learned.
    Incident,
}

/// What is known after a value, and what an incident needs of it.
pub(super) struct Judged {
    pub(super) evidence: Evidence,
    /// Absent for gaps, and while the detector learns.
    pub(super) score: Option<Score>,
}

/// The normal score of a value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Score {
    pub(super) value: f64,
    pub(super) inflation: Inflation,
    /// How many independent values the value counts as.
    pub(super) information: f64,
    /// How strong the change is that raised an alarm with this value.
    pub(super) strength: Option<f64>,
}

/// Sums of lagged products of the scores, from which their inflation is learned on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Scores {
    count: usize,
    last: Vec<f64>,
    products: Vec<f64>,
    next_fit: usize,
}

impl Detector {
    /// A detector that has learned nothing.
    ///
    /// # Errors
    /// [`Error::Parameter`] for settings outside their bounds.
    ///
    /// ```
    /// use llmscope_core::detector::{Detector, Settings};
    ///
    /// let detector = Detector::new(Settings::default())?;
    /// assert_eq!((detector.evidence(), detector.pushed()), (0.0, 0));
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub fn new(settings: Settings) -> Result<Self> {
        settings.check()?;
        let phase = Phase::first(&settings);
        let threshold = settings.false_alarms.threshold();
        Ok(Self(State { schema: SCHEMA.to_owned(), settings, threshold, planned: None, pushed: 0, phase }))
    }

    /// Judges the next value with its token counts (NaN: unknown). NaN is a gap, as is a value without a logarithm on that scale:
    /// it changes nothing.
    ///
    /// # Errors
    /// [`Error::NonFinite`] for an infinite value and [`Error::LengthMismatch`] for another number of token counts than
    /// [`Settings::columns`]. The detector then remains as it was.
    ///
    /// ```
    /// use llmscope_core::detector::{Detector, Settings};
    ///
    /// let mut detector = Detector::new(Settings::default())?;
    /// let noise = |i: u32| (0.2 * ((f64::from(i) * 12.9898).sin() * 43_758.545).fract()).exp();
    /// for i in 0..300 {
    ///     assert!(detector.push(0.3 * noise(i), &[])?.alarm.is_none());
    /// }
    /// let alarm = (300..400).find_map(|i| detector.push(0.6 * noise(i), &[]).ok()?.alarm).unwrap();
    /// assert!(alarm.since.abs_diff(300) <= 2);
    /// assert!(detector.push(f64::INFINITY, &[]).is_err());
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub fn push(&mut self, value: f64, tokens: &[f64]) -> Result<Evidence> {
        self.judge(value, tokens, Course::Alone).map(|judged| judged.evidence)
    }

    /// The same for a detector alone, or for one whose alarms join incidents.
    pub(super) fn judge(&mut self, value: f64, tokens: &[f64], course: Course) -> Result<Judged> {
        let State { settings, threshold, pushed, phase, .. } = &mut self.0;
        let threshold = *threshold;
        if value.is_infinite() {
            return Err(Error::NonFinite { index: usize::try_from(*pushed).unwrap_or(usize::MAX), value });
        }
        if tokens.len() != settings.columns {
            let (left_name, right_name) = ("the token counts of a value", "the columns of the detector");
            return Err(Error::LengthMismatch { left_name, left: tokens.len(), right_name, right: settings.columns });
        }
        let number = *pushed;
        *pushed += 1;
        let (evidence, alarm, score) = match phase {
            Phase::First { values, numbers, columns } => {
                if settings.scale.takes(value) {
                    values.push(value);
                    numbers.push(number);
                    let known = tokens.iter().map(|&count| count.is_finite().then_some(count));
                    columns.iter_mut().zip(known).for_each(|(column, count)| column.push(count));
                }
                // Again and again, if most of the first values have no token counts.
                if !values.is_empty()
                    && values.len() % settings.learn == 0
                    && let Some(fitted) = Fitted::first(settings, threshold, values, numbers, columns)
                {
                    *phase = Phase::Fitted(Box::new(fitted));
                }
                (0.0, None, None)
            }
            Phase::Fitted(fitted) => match fitted.preparation.prepared(value, tokens, number) {
                Some(prepared) => {
                    let (score, alarm) = fitted.push(prepared, number, settings, threshold, course);
                    let evidence = fitted.evidence;
                    if evidence >= threshold {
                        fitted.restart(course);
                    }
                    (evidence, alarm, Some(score))
                }
                None => (fitted.evidence, None, None),
            },
        };
        if evidence >= threshold {
            self.keep_plan();
        }
        let evidence = Evidence { value: evidence, threshold, learning: self.learning(), alarm };
        Ok(Judged { evidence, score: score.filter(|_| evidence.learning.is_none()) })
    }

    /// Changes how often an alarm may be false. A rarer rate holds at once, a more frequent one from the next alarm on: otherwise
    /// evidence from the time before could raise one. True if this is another rate than the one that was set last.
    pub fn set_false_alarms(&mut self, rate: FalseAlarmRate) -> bool {
        if rate == self.0.planned.unwrap_or(self.0.settings.false_alarms) {
            return false;
        }
        let has_evidence = matches!(self.0.phase, Phase::Fitted(_));
        if has_evidence && rate.values() < self.0.settings.false_alarms.values() {
            self.0.planned = Some(rate);
        } else {
            self.0.planned = None;
            self.apply(rate);
        }
        true
    }

    fn keep_plan(&mut self) {
        if let Some(rate) = self.0.planned.take() {
            self.apply(rate);
        }
    }

    fn apply(&mut self, rate: FalseAlarmRate) {
        let State { settings, threshold, phase, .. } = &mut self.0;
        if rate == settings.false_alarms {
            return;
        }
        (settings.false_alarms, *threshold) = (rate, rate.threshold());
        if let Phase::Fitted(fitted) = phase {
            fitted.allow(*threshold);
        }
    }

    /// The evidence so far; 0 while the detector learns.
    #[must_use]
    pub fn evidence(&self) -> f64 {
        match &self.0.phase {
            Phase::First { .. } => 0.0,
            Phase::Fitted(fitted) => fitted.evidence,
        }
    }

    /// Why the detector does not judge yet; `None` if it does.
    ///
    /// ```
    /// use llmscope_core::detector::{Detector, Settings};
    ///
    /// let mut detector = Detector::new(Settings::default())?;
    /// detector.push(0.3, &[])?;
    /// assert_eq!(detector.learning().unwrap().values, 1);
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    #[must_use]
    pub fn learning(&self) -> Option<Learning> {
        match &self.0.phase {
            Phase::First { values, .. } => Some(Learning { values: values.len(), information: None }),
            Phase::Fitted(fitted) if fitted.information < NEEDED => {
                Some(Learning { values: self.learned(), information: Some(fitted.information) })
            }
            Phase::Fitted(_) => None,
        }
    }

    /// The evidence that raises an alarm.
    #[must_use]
    pub const fn threshold(&self) -> f64 {
        self.0.threshold
    }

    /// The smallest change of the level that this detector can ever show, as a ratio on the logarithmic scale, otherwise as a
    /// difference; `None` while it learns. A smaller change becomes part of what it has learned before it is noticed.
    #[must_use]
    pub fn smallest_visible(&self) -> Option<f64> {
        match &self.0.phase {
            Phase::Fitted(fitted) if fitted.information >= NEEDED => {
                Some(fitted.baseline(&self.0.settings).smallest_visible(self.0.threshold))
            }
            _ => None,
        }
    }

    /// How the load of a request enters; `None` if it does not, or while the detector learns.
    #[must_use]
    pub fn load(&self) -> Option<&LoadModel> {
        match &self.0.phase {
            Phase::First { .. } => None,
            Phase::Fitted(fitted) => fitted.preparation.load(),
        }
    }

    /// Number of values that later ones are compared with; during the first learning, those so far.
    #[must_use]
    pub fn learned(&self) -> usize {
        match &self.0.phase {
            Phase::First { values, .. } => values.len(),
            Phase::Fitted(fitted) => fitted.values.len().max(fitted.reference.len()),
        }
    }

    /// Number of values, gaps included.
    #[must_use]
    pub const fn pushed(&self) -> u64 {
        self.0.pushed
    }

    /// The settings.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Forgets what was learned, after a change that is to count as normal. The values keep their numbers.
    ///
    /// ```
    /// use llmscope_core::detector::{Detector, Settings};
    ///
    /// let mut detector = Detector::new(Settings::default())?;
    /// for i in 0..300 {
    ///     detector.push(0.3 + f64::from(i % 7) / 100.0, &[])?;
    /// }
    /// assert!(detector.learned() > 0);
    /// detector.relearn();
    /// assert_eq!((detector.learned(), detector.pushed()), (0, 300)); // values keep their numbers
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub fn relearn(&mut self) {
        self.keep_plan();
        self.0.phase = Phase::first(&self.0.settings);
    }
}

impl Phase {
    /// Nothing is known yet.
    fn first(settings: &Settings) -> Self {
        Self::First { values: Vec::new(), numbers: Vec::new(), columns: vec![Vec::new(); settings.columns] }
    }
}

/// What is fitted to all values so far.
struct Fit {
    prediction: Prediction,
    inflation: Inflation,
    reference: Reference,
    information: f64,
}

impl Fit {
    fn of(values: &[f64], threshold: f64) -> Self {
        let n = values.len();
        let prediction = Prediction::fit(values);
        let residuals = prediction.residuals(values);
        let inflation = allowance::inflation(&prediction, &residuals, n, threshold);
        let information = allowance::information(&prediction, n);
        let reference = if n < Settings::MOST { Reference::exact(residuals) } else { Reference::binned(residuals) };
        Self { prediction, inflation, reference, information }
    }
}

impl Fitted {
    /// Learns from the first values; `None` if too few are left.
    fn first(
        settings: &Settings,
        threshold: f64,
        values: &[f64],
        numbers: &[u64],
        columns: &[Vec<Option<f64>>],
    ) -> Option<Self> {
        let known = |column: &Vec<Option<f64>>| column.iter().map(|count| count.unwrap_or(f64::NAN)).collect();
        let columns: Vec<Vec<f64>> = columns.iter().map(known).collect();
        let preparation = Preparation::of(settings.scale, values, &columns);
        let tokens = |row: usize| columns.iter().map(|column| column[row]).collect::<Vec<_>>();
        let of_row = |row: usize| Some((numbers[row], preparation.prepared(values[row], &tokens(row), numbers[row])?));
        let numbered: Vec<(u64, f64)> = (0..values.len()).filter_map(of_row).collect();
        let prepared: Vec<f64> = numbered.iter().map(|&(_, value)| value).collect();
        if prepared.len() < Settings::FEWEST {
            return None;
        }
        let Fit { prediction, inflation, reference, information } = Fit::of(&prepared, threshold);
        let mut fitted = Self {
            preparation,
            prediction,
            inflation,
            reference,
            information,
            values: prepared,
            suspects: Vec::new(),
            next_fit: None,
            recent: numbered[numbered.len() - MOST_LAGS.min(numbered.len())..].iter().copied().collect(),
            begins: numbers.last().map_or(0, |last| last + 1),
            mixture: Mixture::default(),
            evidence: 0.0,
            scores: Scores::default(),
        };
        fitted.plan_next_fit();
        Some(fitted)
    }

    /// Fits all values so far. The value that is judged next is not one of them.
    fn fit(&mut self, threshold: f64) {
        let Fit { prediction, inflation, reference, information } = Fit::of(&self.values, threshold);
        (self.prediction, self.inflation, self.reference) = (prediction, inflation, reference);
        // Values that were judged once are judged further.
        self.information = self.information.max(information);
        self.suspects.clear();
        self.plan_next_fit();
    }

    /// After twice as many values. Once the reference is kept as counts, only the inflation is learned on.
    fn plan_next_fit(&mut self) {
        let n = self.values.len();
        self.next_fit = (n < Settings::MOST).then(|| (2 * n).min(Settings::MOST));
        if self.next_fit.is_none() {
            self.values = Vec::new();
            self.scores = Scores { next_fit: 3 * Settings::MOST, ..Scores::default() };
        }
    }

    /// The allowance for another threshold. Once the reference is kept as counts, it is the one of the next fit.
    fn allow(&mut self, threshold: f64) {
        if !self.values.is_empty() {
            let residuals = self.prediction.residuals(&self.values);
            self.inflation = allowance::inflation(&self.prediction, &residuals, self.values.len(), threshold);
        }
    }

    /// Judges a prepared value. After an alarm, the caller starts again.
    fn push(
        &mut self,
        value: f64,
        number: u64,
        settings: &Settings,
        threshold: f64,
        course: Course,
    ) -> (Score, Option<Alarm>) {
        let learns = course != Course::Incident;
        if self.next_fit.is_some_and(|next| self.values.len() >= next) && self.evidence < JOINING {
            self.fit(threshold);
        }
        let residual = self.prediction.residual(value, self.recent.iter().rev().map(|(_, before)| before));
        if self.recent.len() == KEPT + MOST_LAGS {
            self.recent.pop_front();
        }
        self.recent.push_back((number, value));
        let score = self.reference.score(residual);
        if learns && matches!(self.reference, Reference::Binned(_)) {
            self.scores.push(score);
            if let Some(level) = self.scores.inflation(threshold) {
                self.inflation.level = level;
            }
        }
        let mut scored = Score {
            value: score,
            inflation: self.inflation,
            information: allowance::information_of_each(&self.prediction),
            strength: None,
        };
        if self.information >= NEEDED {
            self.evidence = self.mixture.push(score, self.inflation, number);
        }
        if self.evidence < threshold {
            if learns {
                self.learn(value, residual, settings);
            }
            return (scored, None);
        }
        let baseline = self.baseline(settings);
        let recent = self.residuals();
        let (mut alarm, strength) = Alarm::of(self.mixture.leading(), &recent, &baseline).unzip();
        if let Some(alarm) = alarm.as_mut().filter(|_| !learns) {
            // A large change raises alarms after a few values each, which say little of its size and of its beginning.
            baseline.measure(alarm, &recent);
        }
        scored.strength = strength;
        (scored, alarm)
    }

    /// Adds a value to what is known. It joins the reference only while the evidence is small.
    fn learn(&mut self, value: f64, residual: f64, settings: &Settings) {
        let may_join = self.evidence < JOINING;
        match &mut self.reference {
            Reference::Binned(bins) => bins.wait(residual, may_join),
            Reference::Exact(_) if self.values.len() >= Settings::MOST => {}
            Reference::Exact(known) => {
                self.values.push(value);
                self.suspects.push(residual);
                if !may_join {
                    return;
                }
                for residual in self.suspects.drain(..) {
                    if settings.false_alarms.values() < RARE {
                        let at = known.partition_point(|&x| x < residual);
                        known.insert(at, residual);
                    }
                }
            }
        }
    }

    /// What led to an alarm is not among the values that the next one is compared with. The last residuals stay for the
    /// incident, if there are incidents.
    fn restart(&mut self, course: Course) {
        if let Reference::Binned(bins) = &mut self.reference {
            bins.drop_waiting();
        }
        self.suspects.clear();
        if let (Course::Alone, Some((last, _))) = (course, self.recent.back()) {
            self.begins = last + 1;
        }
        self.evidence = 0.0;
        self.mixture.restart();
    }

    /// The residuals of the last values by the present fit, with their numbers.
    fn residuals(&self) -> Vec<(u64, f64)> {
        let (numbers, values): (Vec<u64>, Vec<f64>) = self.recent.iter().copied().unzip();
        let of = |at: usize| (numbers[at], self.prediction.residual(values[at], values[..at].iter().rev()));
        (self.prediction.lags().min(values.len())..values.len())
            .filter(|&at| numbers[at] >= self.begins)
            .map(of)
            .collect()
    }

    fn baseline<'d>(&'d self, settings: &Settings) -> Baseline<'d> {
        let Self { prediction, reference, inflation, .. } = self;
        Baseline { scale: settings.scale, prediction, reference, inflation: *inflation }
    }
}

impl Scores {
    fn push(&mut self, score: f64) {
        self.products.resize(MOST_LAGS + 1, 0.0);
        self.last.insert(0, score);
        self.last.truncate(MOST_LAGS + 1);
        for (product, lagged) in self.products.iter_mut().zip(&self.last) {
            *product += score * lagged;
        }
        self.count += 1;
    }

    /// The inflation of all scores so far, each time that their number has doubled.
    fn inflation(&mut self, threshold: f64) -> Option<f64> {
        if self.count < self.next_fit {
            return None;
        }
        // 4, 8, 16, … times the values of the exact reference have been seen.
        self.next_fit = 2 * (self.next_fit + Settings::MOST) - Settings::MOST;
        let n = float(self.count);
        let covariances: Vec<f64> = self.products.iter().map(|product| product / n).collect();
        Some(allowance::of_scores(&covariances, self.count, threshold))
    }
}

impl From<Detector> for State {
    fn from(detector: Detector) -> Self {
        detector.0
    }
}

impl TryFrom<State> for Detector {
    type Error = Error;

    /// Checks a state from outside, so that no value of it can panic later.
    fn try_from(mut state: State) -> Result<Self> {
        let refuse = |what: &str, expected| {
            Err(Error::Parameter { name: "state of a detector", value: what.to_owned(), expected })
        };
        if state.schema != SCHEMA {
            return refuse(&state.schema, "schema llmscope.detector/1");
        }
        if state.pushed > MOST_VALUES {
            return refuse(&state.pushed.to_string(), "at most 2^53 values");
        }
        state.settings.check()?;
        state.threshold = state.settings.false_alarms.threshold();
        let columns = state.settings.columns;
        let is_valid = match &state.phase {
            Phase::First { values, numbers, columns: known } => {
                known.len() == columns
                    && numbers.len() == values.len()
                    && values.iter().all(|&value| state.settings.scale.takes(value))
                    && known.iter().all(|column| column.len() == values.len())
            }
            Phase::Fitted(fitted) => fitted.is_valid(columns),
        };
        if is_valid { Ok(Self(state)) } else { refuse("contradictory fields", "a state that a detector wrote") }
    }
}

impl Fitted {
    fn is_valid(&self, columns: usize) -> bool {
        let finite = |values: &[f64]| values.iter().all(|x| x.is_finite());
        let is_exact = matches!(self.reference, Reference::Exact(_));
        self.preparation.is_valid(columns)
            && self.prediction.is_valid()
            && self.reference.is_valid()
            && self.mixture.is_valid()
            && [self.inflation.level, self.inflation.spread].iter().all(|v| v.is_finite() && *v > 0.0)
            && self.information.is_finite()
            && self.evidence.is_finite()
            && finite(&self.values)
            && finite(&self.suspects)
            && self.suspects.len() <= self.values.len()
            && self.next_fit.is_some() == is_exact
            && self.recent.len() <= KEPT + MOST_LAGS
            && self.recent.iter().all(|(_, value)| value.is_finite())
            && finite(&self.scores.last)
            && finite(&self.scores.products)
            && self.scores.last.len() <= MOST_LAGS + 1
            && self.scores.products.len() <= MOST_LAGS + 1
    }
}
