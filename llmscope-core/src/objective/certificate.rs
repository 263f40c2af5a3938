//! Certificates of the objectives of a run.

mod words;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Objective;
use crate::cast::float;
use crate::error::{Error, Result};
use crate::sample::{Sample, segments};
use crate::stats::special::normal_quantile_upper;
use crate::stats::{Autoregression, Dependence, Proportion, Ranking, student_quantile_upper};

/// Dependence cannot be estimated well enough from fewer effective requests.
const MIN_EFFECTIVE: f64 = 20.0;
/// The differences between fewer runs are not known well enough to be of use.
const FEWEST_RUNS: usize = 3;
/// A decision that needs more requests than this counts as out of reach.
const MOST_REQUESTS: usize = 10_000_000;

/// The answer to an objective of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CertificateStatus {
    /// The share is within the objective, with confidence.
    Met,
    /// The share exceeds what the objective allows, with confidence.
    Missed,
    /// The requests do not decide.
    CannotTell,
}

/// Whether the requests of one or several runs meet an objective, at a chance `alpha` of a wrong answer.
///
/// The objective allows a share of the requests to fail, or to exceed the limit: 1 − p for a quantile. It is met if
/// Clopper and Pearson's upper bound of the observed share is at most the allowed share, and missed if the lower bound
/// exceeds it. Both bounds are exact for independent requests. A share of n dependent requests is as precise as that of
/// n/V independent ones, with V = 1 + 2Σρ_k ≥ 1. The bounds are computed with this effective size (Korn & Graubard
/// 1998, *Survey Methodology* 24).
///
/// **Runs.** With three or more runs, the answer is about the runs that the build would give, and the differences between
/// them count: V is at least the design effect R/(R − 1)·Σnᵣ²(pᵣ − p)²/(n·p(1 − p)) of the runs' own shares pᵣ, and the
/// effective size is divided by (t/z)², with Student's quantile t of R − 1 degrees of freedom (Korn & Graubard 1998). With
/// one or two runs, the answer is about these runs.
///
/// V is estimated from the same requests. Failures in bursts are underestimated while few of them are in the data: with
/// no failure, V is 1. Share of wrong answers *met* for `errors=5%` at a true share of 5 % and alpha 1 %, by 2,000
/// simulations each. A request fails where an autoregressive Gaussian series exceeds its 95 % quantile:
///
/// | autocorrelation of the series | 300 requests | 1,000 | 3,000 |
/// | ---: | ---: | ---: | ---: |
/// | 0 | 0.6 % | 0.8 % | 0.5 % |
/// | 0.3 | 0.4 % | 0.8 % | 0.7 % |
/// | 0.6 | 1.7 % | 1.8 % | 1.2 % |
/// | 0.9 | 11.4 % | 4.0 % | 2.2 % |
///
/// The answer *missed* was wrong in at most 1.0 % of these simulations. For the quantiles p90 and p99 of such a series,
/// both answers were wrong in at most 1.4 %, and in less than 1 % but for one case, because its values show the dependence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Certificate {
    /// The objective.
    pub objective: Objective,
    /// Met, missed, or undecided.
    pub status: CertificateStatus,
    /// The chance that an answer is wrong: met if the share exceeds the objective, missed if it does not.
    pub alpha: f64,
    /// The share of the requests that failed, or that exceeded the limit; absent without requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<f64>,
    /// The one-sided bound of the share at confidence 1 − `alpha`: the lower one if more than the allowed share was
    /// observed, otherwise the upper one. Absent for fewer than 20 effective requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<f64>,
    /// The number of requests; for a quantile, of successful ones.
    pub n: usize,
    /// The number of independent requests with the same information.
    pub effective: f64,
    /// The number of runs. The differences between three or more runs are part of the answer.
    #[serde(default = "one_run")]
    pub runs: usize,
    /// How many more requests would decide if the observed share stays; without requests, if none fails or exceeds the
    /// limit. Absent if the objective is decided, or if the share is too close to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub need: Option<usize>,
    /// The answer in one sentence.
    pub text: String,
}

const fn one_run() -> usize {
    1
}

impl Objective {
    /// The certificate of an objective of a run at confidence 1 − `alpha`; `None` for an objective of a request.
    ///
    /// For `errors`, the sample holds 1 for each request that failed and 0 for each other one. For a quantile, it holds
    /// the values of the successful requests. `run_starts` are the positions at which another run begins.
    ///
    /// ```
    /// use llmscope_core::{Objective, Sample, objective::CertificateStatus};
    ///
    /// let objective: Objective = "errors=1%".parse()?;
    /// let failures: Vec<f64> = (0..300).map(|i| if i % 25 == 7 { 1.0 } else { 0.0 }).collect();
    /// let certificate = objective.certify(&Sample::new(failures)?, &[], 0.01)?.unwrap();
    /// assert_eq!(certificate.status, CertificateStatus::Missed);
    /// assert_eq!(
    ///     certificate.text,
    ///     "errors=1%: missed, 12 of 300 requests of this run failed (4.0 %, at least 1.8 % at 99 % confidence)"
    /// );
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Parameter`] unless 0 < `alpha` < ½, for a limit that is not finite and above 0, and for an allowed share
    /// that is not between 0 and 1.
    pub fn certify(self, sample: &Sample<'_>, run_starts: &[usize], alpha: f64) -> Result<Option<Certificate>> {
        let Some(allowed) = self.allowed_share() else { return Ok(None) };
        if !(alpha > 0.0 && alpha < 0.5) {
            let expected = "a number above 0 and below 0.5";
            return Err(Error::Parameter { name: "alpha", value: alpha.to_string(), expected });
        }
        let (Self::Request { limit, .. } | Self::Quantile { limit, .. } | Self::Errors { limit }) = self;
        if !(limit > 0.0 && limit.is_finite() && allowed > 0.0 && allowed < 1.0) {
            let expected = "a finite limit above 0, and a share or quantile between 0 and 1";
            return Err(Error::Parameter { name: "objective", value: self.to_string(), expected });
        }
        let counts = self.counting(sample);
        let runs = Runs::of(&counts, run_starts);
        let inflation = self.inflation(sample, &counts).max(runs.design_effect) * runs.uncertainty(alpha);
        Ok(Some(Evidence { counts, inflation, allowed, alpha }.certificate(self, runs.count)))
    }

    /// The certificate for `n` requests of which nothing tells whether they failed: no answer, and more requests do not
    /// help.
    pub(crate) fn without_outcomes(self, n: usize, alpha: f64) -> Certificate {
        let status = CertificateStatus::CannotTell;
        Certificate {
            objective: self,
            status,
            alpha,
            observed: None,
            bound: None,
            n,
            effective: float(n),
            runs: one_run(),
            need: None,
            text: format!("{self}: {}, no column says whether a request failed", status.label()),
        }
    }

    /// 1 for each request that failed or exceeded the limit, 0 for the others.
    fn counting(self, sample: &Sample<'_>) -> Vec<f64> {
        let threshold = match self {
            Self::Errors { .. } => 0.0,
            Self::Request { limit, .. } | Self::Quantile { limit, .. } => limit,
        };
        sample.values().iter().map(|&value| if value > threshold { 1.0 } else { 0.0 }).collect()
    }

    /// V of the share. For a quantile, the dependence of the values themselves counts, too: it is visible even if few
    /// of them exceed the limit.
    fn inflation(self, sample: &Sample<'_>, counts: &[f64]) -> f64 {
        let of_counts = Autoregression::of(counts, sample.breaks()).inflation();
        match self {
            Self::Quantile { p, .. } if !sample.is_empty() => {
                let (values, breaks) = (sample.values(), sample.breaks());
                let ranking = Ranking::of(values);
                let dependence = Dependence::of(&ranking, breaks);
                of_counts.max(dependence.inflation_at(p, values, breaks, ranking.sorted()))
            }
            _ => of_counts,
        }
    }
}

/// What the runs of a sample say about the precision of a share.
struct Runs {
    count: usize,
    design_effect: f64,
}

impl Runs {
    fn of(counts: &[f64], run_starts: &[usize]) -> Self {
        let count = run_starts.len() + 1;
        if count < FEWEST_RUNS {
            return Self { count, design_effect: 1.0 };
        }
        let (n, share) = (float(counts.len()), counts.iter().sum::<f64>() / float(counts.len()));
        let squares: f64 =
            segments(counts, run_starts).map(|run| (run.iter().sum::<f64>() - float(run.len()) * share).powi(2)).sum();
        let independent = n * share * (1.0 - share);
        let between = float(count) / (float(count) - 1.0) * squares;
        Self { count, design_effect: if independent > 0.0 { between / independent } else { 1.0 } }
    }

    /// (t/z)²: the design effect is an estimate from as many runs.
    fn uncertainty(&self, alpha: f64) -> f64 {
        if self.count < FEWEST_RUNS {
            return 1.0;
        }
        let student = student_quantile_upper(alpha, float(self.count - 1));
        student.zip(normal_quantile_upper(alpha)).map_or(1.0, |(t, z)| (t / z).powi(2))
    }
}

/// What decides an objective.
struct Evidence {
    /// 1 for each request that counts against the objective, 0 for the others.
    counts: Vec<f64>,
    inflation: f64,
    allowed: f64,
    alpha: f64,
}

impl Evidence {
    fn certificate(&self, objective: Objective, runs: usize) -> Certificate {
        let n = self.counts.len();
        let observed = (n > 0).then(|| self.counts.iter().sum::<f64>() / float(n));
        let status = observed.map_or(CertificateStatus::CannotTell, |share| self.status(share, n));
        let effective = float(n) / self.inflation;
        let undecided = status == CertificateStatus::CannotTell;
        let mut certificate = Certificate {
            objective,
            status,
            alpha: self.alpha,
            observed,
            bound: observed.and_then(|share| self.bound(share, effective)),
            n,
            effective,
            runs,
            need: if undecided { self.need(observed.unwrap_or(0.0)) } else { None },
            text: String::new(),
        };
        certificate.text = certificate.sentence();
        certificate
    }

    /// The answer if this share of `n` requests counted against the objective.
    fn status(&self, share: f64, n: usize) -> CertificateStatus {
        let size = float(n) / self.inflation;
        if size < MIN_EFFECTIVE {
            return CertificateStatus::CannotTell;
        }
        let proportion = Proportion { share, size };
        let (p, decided) = if share > self.allowed {
            (proportion.p_above(self.allowed), CertificateStatus::Missed)
        } else {
            (proportion.p_below(self.allowed), CertificateStatus::Met)
        };
        if p.is_some_and(|p| p <= self.alpha) { decided } else { CertificateStatus::CannotTell }
    }

    fn bound(&self, share: f64, size: f64) -> Option<f64> {
        let (lower, upper) = Proportion { share, size }.clopper_pearson(self.alpha)?;
        (size >= MIN_EFFECTIVE).then_some(if share > self.allowed { lower } else { upper })
    }

    /// How many more requests would decide. A share that stays is decided by all larger numbers.
    fn need(&self, share: f64) -> Option<usize> {
        let n = self.counts.len();
        let decides = |n: usize| self.status(share, n) != CertificateStatus::CannotTell;
        let (mut few, mut enough) = (n, n.max(1));
        while !decides(enough) {
            if enough >= MOST_REQUESTS {
                return None;
            }
            few = enough;
            enough = (2 * enough).min(MOST_REQUESTS);
        }
        while enough - few > 1 {
            let middle = usize::midpoint(few, enough);
            if decides(middle) {
                enough = middle;
            } else {
                few = middle;
            }
        }
        Some(enough - n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::split_mix::SplitMix64;
    use crate::stats::Sorted;

    fn certify(objective: &str, values: Vec<f64>) -> Certificate {
        certify_at(objective, values, 0.01)
    }

    fn certify_at(objective: &str, values: Vec<f64>, alpha: f64) -> Certificate {
        let objective: Objective = objective.parse().expect("an objective");
        let sample = Sample::new(values).expect("finite values");
        objective.certify(&sample, &[], alpha).expect("valid").expect("an objective of a run")
    }

    /// `failed` of `n` requests, spread evenly.
    fn failures(failed: usize, n: usize) -> Vec<f64> {
        (0..n).map(|i| if (i + 1) * failed / n > i * failed / n { 1.0 } else { 0.0 }).collect()
    }

    #[test]
    fn shares_are_decided_by_their_bounds() {
        use CertificateStatus::{CannotTell, Met, Missed};
        // Bounds: SciPy 1.17.1, binomtest(x, n, alternative).proportion_ci(0.99, method='exact'). Needs: the first n with
        // beta.isf(0.01, s·n + 1, n − s·n) ≤ 0.01 or beta.ppf(0.01, s·n, n − s·n + 1) > 0.01, one by one.
        for (failed, n, status, bound, need) in [
            (12, 300, Missed, 0.018_264_787_899_689, None),
            (0, 300, CannotTell, 0.015_233_347_889_842, Some(159)),
            (2, 300, CannotTell, 0.027_722_342_977_208, Some(4366)),
            (4, 300, CannotTell, 0.002_754_174_861_146, Some(5214)),
            (5, 300, CannotTell, 0.004_283_161_907_924, Some(1236)),
            (3, 300, CannotTell, 0.033_092_742_206_910, None),
            (0, 459, Met, 0.009_982_887_366_129, None),
        ] {
            let certificate = certify("errors=1%", failures(failed, n));
            assert_eq!((certificate.status, certificate.need), (status, need), "{}", certificate.text);
            let found = certificate.bound.expect("a bound");
            assert!((found - bound).abs() < 1e-12, "{failed} of {n}: {found}");
            assert_eq!((certificate.n, certificate.effective), (n, float(n)));
        }
    }

    #[test]
    fn a_quantile_limits_the_share_above_it() {
        let slow = |count: usize| failures(count, 1000).into_iter().map(|slow| 0.4 + 0.2 * slow).collect::<Vec<_>>();
        assert_eq!(certify("ttft.p99=500ms", slow(1)).status, CertificateStatus::Met);
        assert_eq!(certify("ttft.p99=500ms", slow(10)).status, CertificateStatus::CannotTell);
        assert_eq!(certify("ttft.p99=500ms", slow(30)).status, CertificateStatus::Missed);
        // A value at the limit is within it.
        assert_eq!(certify("ttft.p99=400ms", slow(1)).observed, Some(0.001));
    }

    #[test]
    fn few_effective_requests_do_not_decide() {
        let certificate = certify("errors=1%", failures(12, 15));
        assert_eq!((certificate.status, certificate.bound), (CertificateStatus::CannotTell, None));
        assert_eq!(certificate.need, Some(5));
        let none = certify("errors=1%", Vec::new());
        assert_eq!((none.status, none.observed, none.need), (CertificateStatus::CannotTell, None, Some(459)));
        let json = serde_json::to_string(&none).expect("JSON");
        assert_eq!(serde_json::from_str::<Certificate>(&json).expect("a certificate"), none);
    }

    #[test]
    fn a_burst_counts_as_few_requests() {
        let burst: Vec<f64> = (0..300).map(|i| if (100..112).contains(&i) { 1.0 } else { 0.0 }).collect();
        let certificate = certify("errors=1%", burst);
        assert_eq!(certificate.status, CertificateStatus::CannotTell);
        assert!(certificate.effective < 100.0, "{}", certificate.effective);
    }

    #[test]
    fn the_differences_between_runs_count() {
        let objective: Objective = "errors=5%".parse().expect("an objective");
        let runs = |failures: [Vec<f64>; 4]| {
            let sample = Sample::new(failures.concat()).expect("finite values");
            objective.certify(&sample, &[200, 400, 600], 0.05).expect("valid").expect("an objective of a run")
        };
        // Independent requests would decide both: 12 and 20 of 800 are 1.5 % and 2.5 %.
        let alike = runs([3, 3, 3, 3].map(|failed| failures(failed, 200)));
        assert_eq!((alike.status, alike.runs), (CertificateStatus::Met, 4));
        // t.isf(0.05, 3) and norm.isf(0.05) of SciPy 1.17.1: 800/(2.353363/1.644854)² = 390.8.
        assert!((alike.effective - 390.8).abs() < 0.1, "{}", alike.effective);
        // At random places: failures at equal distances are a dependence of their own, of more weight than the runs.
        let mut random = SplitMix64(1);
        let draws: Vec<f64> = (0..200).map(|_| random.uniform()).collect();
        let threshold = Sorted::of(&draws).values()[20];
        let scattered = draws.iter().map(|&draw| if draw < threshold { 1.0 } else { 0.0 }).collect();
        let unlike = runs([vec![0.0; 200], vec![0.0; 200], vec![0.0; 200], scattered]);
        assert_eq!(unlike.observed, Some(0.025));
        assert_eq!(unlike.status, CertificateStatus::CannotTell);
        // 4/3·(3·5² + 15²)/(800·0.025·0.975) = 20.5.
        assert!((unlike.effective - 390.8 / 20.512_8).abs() < 0.1, "{}", unlike.effective);
    }

    #[test]
    fn an_objective_of_a_request_has_no_certificate() {
        let objective: Objective = "ttft=500ms".parse().expect("an objective");
        let sample = Sample::new(vec![0.3; 100]).expect("finite values");
        assert_eq!(objective.certify(&sample, &[], 0.01), Ok(None));
        assert_eq!(objective.met_share([]), None);
    }

    #[test]
    fn impossible_settings_are_errors() {
        let sample = Sample::new(vec![0.0; 100]).expect("finite values");
        let refusal = |objective: Objective, alpha| objective.certify(&sample, &[], alpha).map(|_| ()).unwrap_err();
        let errors = Objective::Errors { limit: 0.01 };
        assert_eq!(refusal(errors, 0.5).to_string(), "invalid alpha 0.5: expected a number above 0 and below 0.5");
        for limit in [0.0, 1.0, f64::NAN] {
            assert!(matches!(refusal(Objective::Errors { limit }, 0.01), Error::Parameter { .. }), "{limit}");
        }
    }

    /// The shares of simulations that answer met and missed.
    fn answers(objective: &str, runs: u32, alpha: f64, mut run: impl FnMut() -> Vec<f64>) -> (f64, f64) {
        let (mut met, mut missed) = (0, 0);
        for _ in 0..runs {
            match certify_at(objective, run(), alpha).status {
                CertificateStatus::Met => met += 1,
                CertificateStatus::Missed => missed += 1,
                CertificateStatus::CannotTell => {}
            }
        }
        (f64::from(met) / f64::from(runs), f64::from(missed) / f64::from(runs))
    }

    #[test]
    fn an_answer_at_the_border_is_wrong_at_most_alpha_of_the_time() {
        let (runs, alpha) = (1000, 0.05);
        let mut random = SplitMix64(7);
        let most = alpha + 3.09 * (alpha * (1.0 - alpha) / f64::from(runs)).sqrt();
        for (objective, share) in [("errors=5%", 0.05), ("errors=20%", 0.2)] {
            let run = || (0..300).map(|_| if random.uniform() < share { 1.0 } else { 0.0 }).collect();
            let (met, missed) = answers(objective, runs, alpha, run);
            assert!(met <= most && missed <= most, "{objective}: met {met}, missed {missed}");
            assert!(met + missed > 0.01, "{objective} is never decided");
        }
        let (met, missed) = answers("ttft.p90=900ms", runs, alpha, || (0..300).map(|_| random.uniform()).collect());
        assert!(met <= most && missed <= most, "a quantile: met {met}, missed {missed}");
    }
}
