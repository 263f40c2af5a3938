//! What the verdicts on many series of one process are.

use llmscope_core::analysis::answer::Part;
use llmscope_core::analysis::{Direction, Series, SeriesVerdict};
use llmscope_core::stats::Proportion;
use llmscope_core::{Analysis, Plan, Result, Verdict, analyze};

/// The two-sided error of an interval of a simulated share.
const MONTE_CARLO: f64 = 0.001;

/// The verdicts on the series of one process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) series: usize,
    pub(crate) changed: usize,
    pub(crate) failing: usize,
    /// Series without enough data for a verdict.
    pub(crate) withheld: usize,
    /// Series that changed for the worse, or fail.
    pub(crate) worse: usize,
    /// Series on whose chart one of Nelson's eight rules signals.
    pub(crate) signals: usize,
    /// Series whose level changed.
    pub(crate) level: usize,
    /// Those of them whose interval of the size holds the true quotient.
    pub(crate) size_held: usize,
    /// Those of them whose interval of the place holds the true place.
    pub(crate) place_held: usize,
}

/// The true change of a level.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Truth {
    pub(crate) ratio: f64,
    pub(crate) at: usize,
}

impl Count {
    /// Judges a series as the command line does by default.
    pub(crate) fn add(&mut self, series: &Series, truth: Option<Truth>) -> Result<()> {
        let analysis = analyze(series, &Plan::default())?;
        self.series += 1;
        self.signals += usize::from(analysis.patterns.verdict == Verdict::OutOfControl);
        let worse = analysis.answer.direction.is_none_or(Direction::counts_as_worse);
        match analysis.verdict {
            SeriesVerdict::Failing => {
                self.failing += 1;
                self.worse += 1;
            }
            SeriesVerdict::Changed => {
                self.changed += 1;
                self.worse += usize::from(worse);
            }
            SeriesVerdict::Stable => {}
            SeriesVerdict::NotEnoughData => self.withheld += 1,
        }
        if let Some(truth) = truth.filter(|_| analysis.verdict == SeriesVerdict::Changed) {
            self.compare(&analysis, truth);
        }
        Ok(())
    }

    fn compare(&mut self, analysis: &Analysis, truth: Truth) {
        let answer = &analysis.answer;
        if answer.part != Some(Part::Level) {
            return;
        }
        self.level += 1;
        let holds = |[low, high]: [f64; 2]| (low..=high).contains(&truth.ratio);
        self.size_held += usize::from(answer.interval.is_some_and(holds));
        let [first, last] = answer.since.as_ref().map_or([0, 0], |since| since.interval);
        self.place_held += usize::from((first..=last).contains(&truth.at));
    }

    /// Series with a verdict.
    pub(crate) const fn judged(&self) -> usize {
        self.series - self.withheld
    }

    /// The share of all series without a verdict.
    pub(crate) fn withheld_share(&self) -> Share {
        Share::of(self.withheld, self.series)
    }

    /// The share of the judged series that are called changed or failing.
    pub(crate) fn alarms(&self) -> Share {
        Share::of(self.changed + self.failing, self.judged())
    }
}

/// A simulated share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Share {
    pub(crate) hits: usize,
    pub(crate) of: usize,
}

impl Share {
    pub(crate) const fn of(hits: usize, of: usize) -> Self {
        Self { hits, of }
    }

    /// The share; 0 of nothing.
    pub(crate) fn value(self) -> f64 {
        self.hits as f64 / self.of.max(1) as f64
    }

    /// The interval of Clopper and Pearson (1934) at the 99.9 % level.
    pub(crate) fn interval(self) -> (f64, f64) {
        let proportion = Proportion { share: self.value(), size: self.of as f64 };
        proportion.clopper_pearson(MONTE_CARLO / 2.0).unwrap_or((0.0, 1.0))
    }
}

impl std::ops::AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.series += other.series;
        self.changed += other.changed;
        self.failing += other.failing;
        self.withheld += other.withheld;
        self.worse += other.worse;
        self.signals += other.signals;
        self.level += other.level;
        self.size_held += other.size_held;
        self.place_held += other.place_held;
    }
}
