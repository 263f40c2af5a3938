//! The methods of the page: formula and source of each number that the page contains.

use std::collections::BTreeSet;

use llmscope_core::analysis::DecidedBy;
use llmscope_core::analysis::answer::Part;
use llmscope_core::{Analysis, ChartKind, Phase, Report, SigmaEstimator};
use maud::{Markup, html};

/// A number, its formula, and the publication.
struct Method {
    name: String,
    formula: String,
    source: &'static str,
}

pub(super) fn section(report: &Report) -> Markup {
    let analyses = &report.analyses;
    html! {
        section.plain.methods id="methods" aria-labelledby="methods-title" {
            h2 id="methods-title" { "How these numbers were computed" }
            p {
                "Points x₁…xₙ, mean x̄, center line CL, within sigma σ̂, overall sample standard deviation s (n − 1). "
                "Sums use double-double precision. Comparisons with a limit are strict."
            }
            dl.methods {
                @for method in methods(report) {
                    div {
                        dt { (method.name) }
                        dd { (method.formula) " " cite { (method.source) } }
                    }
                }
            }
            h3 { "Rules" }
            p {
                "A rule signals at each point that completes its pattern. A violation consists of consecutive signals of one "
                "rule and the points of the first pattern. A point on a line is not beyond the line. A gap in the data ends "
                "every pattern. Rules are evaluated independently of each other."
            }
            dl.pairs {
                @for (code, pattern) in rules(analyses) { div { dt { code { (code) } } dd { (pattern) } } }
            }
            h3 { "Command" }
            pre tabindex="0" { code { (command()) } }
            p.muted { "llmscope " (env!("CARGO_PKG_VERSION")) }
        }
    }
}

fn methods(report: &Report) -> Vec<Method> {
    let analyses = &report.analyses;
    let mut methods = Vec::new();
    let mut add = |applies: bool, name: &str, formula: &str, source: &'static str| {
        if applies {
            methods.push(Method { name: name.to_owned(), formula: formula.to_owned(), source });
        }
    };
    let any = |test: fn(&Analysis) -> bool| analyses.iter().any(test);
    let is_of_values = |part: Part| matches!(part, Part::Level | Part::Spread);
    let has_changes = analyses.iter().flat_map(|a| &a.answer.changes).any(|change| is_of_values(change.part));
    add(
        has_changes && report.decided_by == DecidedBy::Changes,
        "changes of level and spread",
        "A change is where the rank sums before and after differ most within one of many intervals. The size is the \
         median of the ratios, or of the differences, of all pairs across the change, with its 95 % interval. p is \
         Bonferroni-corrected over intervals, parts and series, and the variance of the rank sums is inflated for \
         autocorrelation.",
        "Miller & Siegmund 1982; Kovács et al. 2023; Hodges & Lehmann 1963",
    );
    for kind in kinds(analyses) {
        let (formula, source) = chart(kind);
        add(true, kind.label(), formula, source);
    }
    add(
        any(|a| a.limits.as_ref().is_some_and(|l| l.clamped.lower || l.clamped.upper)),
        "clamped limits",
        "A limit outside the possible range of the quantity, such as a latency below 0, is set to the bound of the range.",
        "",
    );
    add(
        any(|a| a.transform.is_some()),
        "transformation",
        "xᵏ with k = λ, or ln x for λ = 0. Rules, σ̂, s, capability, autocorrelation and normality use the transformed \
         values. Center line, limits and zones are transformed back to the unit of the metric.",
        "Box & Cox 1964",
    );
    add(
        any(|a| a.basis.is_some()),
        "limits of the last stage",
        "A stage begins where the answer found a change of level or spread. Its outliers are left out: values farther from \
         the median than 0.01 of as many normal values are on each side by chance, by the median absolute deviation, and at \
         most 5 % of the stage. The rules judge the points of this stage.",
        "Hampel 1974",
    );
    add(
        any(|a| !a.stages.is_empty()),
        "stages",
        "Each stage has its own limits. Detected stages begin where the rank sums before and after differ most within \
         one of many intervals. p is Bonferroni-corrected over all intervals, and the variance of the rank sum is \
         inflated for autocorrelation.",
        "Miller & Siegmund 1982; Kovács et al. 2023",
    );
    add(
        any(|a| a.phase == Phase::II),
        "phase II",
        "The data are judged against limits that were estimated before and are not re-estimated.",
        "Woodall 2000",
    );
    for estimator in estimators(analyses) {
        let (formula, source) = sigma(estimator);
        add(true, &format!("sigma: {}", estimator.convention()), formula, source);
    }
    add(any(|a| a.sigma.is_some_and(|s| s.overall.is_some())), "sigma overall", "s = √(Σ(xᵢ − x̄)²/(n − 1)).", "");
    add(
        any(|a| a.quantiles.is_some()),
        "quantiles",
        "Linear interpolation at position (n − 1)p + 1 of the sorted values.",
        "Hyndman & Fan 1996, type 7",
    );
    add(
        any(|a| a.autocorrelation.is_some() && a.basis.is_some()),
        "autocorrelation of ranks",
        "Mean product of neighboring scores (R − (n + 1)/2)/n over their mean square, R the rank within a stage.",
        "Wald & Wolfowitz 1943",
    );
    add(
        any(|a| a.autocorrelation.is_some() && a.basis.is_none()),
        "autocorrelation",
        "Σ(xᵢ − x̄)(xᵢ₊₁ − x̄)/Σ(xᵢ − x̄)².",
        "Box & Jenkins 1976",
    );
    add(
        any(|a| a.normality.is_some()),
        "normality",
        "A² = −n − (1/n)Σ(2i − 1)[ln Φ(zᵢ) + ln(1 − Φ(zₙ₊₁₋ᵢ))] of the sorted z = (x − x̄)/s, with Stephens’ p-value.",
        "Anderson & Darling 1954; Stephens 1986",
    );
    add(
        any(|a| !a.chart.is_attribute()),
        "histogram",
        "At most 80 bins of equal width, about 2·IQR/∛n, for the values within three IQR of the quartiles.",
        "Freedman & Diaconis 1981; Tukey 1977",
    );
    add(
        any(|a| a.capability.is_some()),
        "capability",
        "Cp = (USL − LSL)/6σ̂, Cpk = min((USL − x̄)/3σ̂, (x̄ − LSL)/3σ̂). With \
         one specification limit, Cpk is the one-sided index, and Cp is not defined.",
        "AIAG SPC 2005; ISO 22514-2",
    );
    add(
        any(|a| a.performance.is_some()),
        "performance",
        "Pp and Ppk: like Cp and Cpk, with s instead of σ̂.",
        "AIAG SPC 2005; ISO 22514-2",
    );
    add(
        any(|a| a.performance.is_some_and(|p| p.cpm.is_some())),
        "Cpm",
        "(USL − LSL)/6√(Σ(x − T)²/(n − 1)), T the target.",
        "Chan, Cheng & Spiring 1988",
    );
    add(
        any(|a| a.performance.is_some()),
        "intervals",
        "Cp and Pp: χ² interval. Cpk and Ppk: normal approximation with the degrees of freedom of the sigma.",
        "Bissell 1990",
    );
    add(
        any(|a| a.observed_ppm.is_some()),
        "outside, per million",
        "Observed: the share of the measurements beyond a specification limit. Expected: the share beyond the limits of \
         a normal distribution with mean x̄ and the given sigma.",
        "",
    );
    methods
}

/// The kinds of charts on the page, including dispersion charts.
fn kinds(analyses: &[Analysis]) -> Vec<ChartKind> {
    let mut kinds = Vec::new();
    for analysis in analyses.iter().filter(|analysis| analysis.limits.is_some()) {
        for kind in [Some(analysis.chart), analysis.dispersion.as_ref().map(|d| d.chart)].into_iter().flatten() {
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
    }
    kinds
}

fn chart(kind: ChartKind) -> (&'static str, &'static str) {
    match kind {
        ChartKind::Individuals => ("CL = x̄, limits x̄ ± 3σ̂.", "Shewhart 1931; Montgomery ch. 6.4"),
        ChartKind::MovingRange => (
            "|xᵢ − xᵢ₋₁|: CL = d₂σ̂, limits d₂σ̂ ± 3d₃σ̂, not below 0. Its signals do not affect the verdict.",
            "Rigdon, Cruthis & Champ 1994",
        ),
        ChartKind::XbarR | ChartKind::XbarS => {
            ("Subgroup means: CL = mean of all measurements, limits CL ± 3σ̂/√nᵢ.", "Shewhart 1931; Montgomery ch. 6")
        }
        ChartKind::Range => ("Subgroup ranges: CL = d₂(nᵢ)σ̂, limits ± 3d₃(nᵢ)σ̂.", "Montgomery ch. 6.2"),
        ChartKind::StandardDeviation => {
            ("Subgroup standard deviations: CL = c₄(nᵢ)σ̂, limits ± 3σ̂√(1 − c₄²).", "Montgomery ch. 6.3")
        }
        ChartKind::P => ("pᵢ = Dᵢ/nᵢ: CL = p̄ = ΣD/Σn, limits p̄ ± 3√(p̄(1 − p̄)/nᵢ).", "Montgomery ch. 7.2"),
        ChartKind::Np => ("Dᵢ: CL = nᵢp̄, limits nᵢp̄ ± 3√(nᵢp̄(1 − p̄)).", "Montgomery ch. 7.2"),
        ChartKind::C => ("cᵢ: CL = c̄, limits c̄ ± 3√c̄.", "Montgomery ch. 7.3"),
        ChartKind::U => ("uᵢ = cᵢ/aᵢ: CL = ū = Σc/Σa, limits ū ± 3√(ū/aᵢ).", "Montgomery ch. 7.3"),
        ChartKind::LaneyP | ChartKind::LaneyU => {
            ("Like the p or u chart, with limits widened by σz = MR̄/d₂ of the standardized points.", "Laney 2002")
        }
        ChartKind::Ewma => {
            ("zᵢ = λxᵢ + (1 − λ)zᵢ₋₁, z₀ = CL = x̄, limits CL ± Lσ̂√(λ/(2 − λ)·(1 − (1 − λ)²ⁱ)).", "Roberts 1959")
        }
        _ => ("See docs/methods.md.", ""),
    }
}

fn estimators(analyses: &[Analysis]) -> Vec<SigmaEstimator> {
    let mut found = Vec::new();
    for analysis in analyses {
        let own = [analysis.sigma.and_then(|sigma| sigma.estimator), analysis.capability.map(|c| c.estimator)];
        for estimator in own.into_iter().flatten() {
            if !found.contains(&estimator) {
                found.push(estimator);
            }
        }
    }
    found
}

fn sigma(estimator: SigmaEstimator) -> (&'static str, &'static str) {
    match estimator {
        SigmaEstimator::AverageMovingRange => {
            ("Mean of |xᵢ − xᵢ₋₁| / d₂(2), d₂(2) = 1.128.", "Shewhart 1931; Tippett 1925")
        }
        SigmaEstimator::MedianMovingRange => ("Median of |xᵢ − xᵢ₋₁| / d₄(2), d₄(2) = 0.954.", "Montgomery ch. 6.4"),
        SigmaEstimator::AverageRange => ("R̄/d₂(n); unequal sizes weighted by d₂²/d₃².", "Burr 1969"),
        SigmaEstimator::AverageStandardDeviation => ("S̄/c₄(n); unequal sizes weighted by c₄²/(1 − c₄²).", "Burr 1969"),
        SigmaEstimator::Pooled => ("√(Σ(nᵢ − 1)sᵢ²/Σ(nᵢ − 1)) / c₄(Σ(nᵢ − 1) + 1).", "AIAG SPC 2005"),
        SigmaEstimator::PooledBiased => ("√(Σ(nᵢ − 1)sᵢ²/Σ(nᵢ − 1)).", "AIAG SPC 2005"),
        SigmaEstimator::Overall => ("s.", ""),
        SigmaEstimator::OverallUnbiased => ("s/c₄(n).", "Montgomery ch. 6.3"),
        _ => ("Given, not estimated.", ""),
    }
}

/// The codes of the applied rules with their patterns.
fn rules(analyses: &[Analysis]) -> Vec<(String, String)> {
    let mut seen = BTreeSet::new();
    let drawn = analyses.iter().filter_map(|analysis| analysis.drawing.as_ref());
    let rules = drawn.flat_map(|drawing| drawing.rules.rules());
    let rule = |rule: &llmscope_core::Rule| (rule.code().to_string(), rule.pattern().describe());
    rules.map(rule).filter(|rule| seen.insert(rule.clone())).collect()
}

/// The command line, quoted for a shell.
fn command() -> String {
    let quoted = |argument: String| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./,=:+%@".contains(c);
        if !argument.is_empty() && argument.chars().all(plain) {
            argument
        } else {
            format!("'{}'", argument.replace('\'', "'\\''"))
        }
    };
    let typed = std::env::args_os().skip(1).map(|argument| quoted(argument.to_string_lossy().into_owned()));
    std::iter::once("llmscope".to_owned()).chain(typed).collect::<Vec<_>>().join(" ")
}
