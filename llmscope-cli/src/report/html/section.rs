//! The section of one analysis: answer, charts, and the patterns: distribution, numbers, violations.

use llmscope_core::analysis::{Analysis, DecidedBy, Drawing, MOST_VIOLATIONS, Series, chart_of_runs, index};
use llmscope_core::quantity::{counted, in_unit, number, scale_of};
use llmscope_core::{Line, Metric, Missing, PowerTransform, Side, Verdict, Violation, plot};
use maud::{Markup, PreEscaped, html};

use super::change::DrawnChange;
use super::environment::Event;
use super::layout::{answer_badge, badge};
use super::{dispersion, histogram, island};
use crate::analyze::Judged;

/// The table lists this many violations. The JSON report has all of them.
const MAX_ROWS: usize = 400;

/// The id of the element that shows the analysis at this index of the report.
pub(super) fn id(index: usize) -> String {
    format!("series-{}", index + 1)
}

pub(super) fn section(judged: &Judged, position: usize, events: &[Event]) -> Markup {
    let (analysis, series) = (&judged.report.analyses[position], &judged.series[position]);
    let id = id(position);
    let group = analysis.group_title();
    let by_rules = judged.report.decided_by == DecidedBy::Rules;
    html! {
        section.series id=(id) aria-label={ (group) " " (analysis.metric_title()) } {
            header {
                @if !group.is_empty() { p.overline { (group) } }
                h2 { (title(analysis)) }
                @if by_rules { (badge(analysis.patterns.verdict)) } @else { (answer_badge(analysis)) }
            }
            @if by_rules {
                p.lead { (sentence(analysis)) }
                p.facts { (analysis.scope().join(" · ")) }
                (warnings(analysis))
                @if let Some(drawing) = &analysis.drawing { (charts(&id, analysis, drawing, events)) }
            } @else {
                p.lead { (analysis.answer.text) }
                p.facts { (analysis.scope().join(" · ")) }
                (runs(analysis, series))
                @if let Some(drawing) = &analysis.drawing { (charts(&id, analysis, drawing, events)) }
                h3.patterns id={ (id) "-patterns" } { "Patterns" }
                p {
                    (capitalized(analysis.patterns.verdict.label())) ". " (sentence(analysis))
                    @if let Some(share) = analysis.patterns.false_alarm { " " (capitalized(&share.describe())) "." }
                }
                (warnings(analysis))
            }
            (details(&id, analysis, series, judged.missing))
        }
    }
}

fn warnings(analysis: &Analysis) -> Markup {
    html! {
        @if !analysis.warnings.is_empty() {
            ul.callouts aria-label="Warnings" {
                @for warning in &analysis.warnings { li { (warning) } }
            }
        }
    }
}

/// The chart of the runs of a series of requests: the verdict between runs is about its points.
fn runs(analysis: &Analysis, series: &Series) -> Markup {
    let Ok(Some(chart)) = chart_of_runs(series, analysis) else { return html! {} };
    let change = match (&chart.answer.since, DrawnChange::of(&chart)) {
        (Some(since), Some(change)) => {
            let at = since.run.as_ref().and_then(|run| run.t).map(|t| format!(" ({})", t.strftime("%F")));
            format!("; {} since run {}{}", change.label, since.index, at.unwrap_or_default())
        }
        _ => String::new(),
    };
    html! {
        figure.runs {
            figcaption {
                span.what { "Chart of runs" } " "
                span.muted { "each point is the median of a run" (change) }
            }
            div.still { (PreEscaped(plot::svg(&chart))) }
        }
    }
}

/// The distribution, the numbers and the violations.
fn details(id: &str, analysis: &Analysis, series: &Series, missing: Option<Missing>) -> Markup {
    html! {
        div.columns {
            @if let Ok((sample, _)) = series.sample(missing) {
                @if !analysis.chart.is_attribute() { (histogram::figure(analysis, sample.values())) }
            }
            (numbers(analysis))
        }
        @if let Some(drawing) = &analysis.drawing { (violations(id, analysis, drawing)) }
    }
}

/// `Time to first token ttft_s` for a metric, or the name of a column.
fn title(analysis: &Analysis) -> Markup {
    match analysis.metric.parse::<Metric>() {
        Ok(metric) => html! { (capitalized(metric.label())) " " code { (metric.name()) } },
        Err(_) => html! { (analysis.metric) },
    }
}

/// The reason for the verdict of the rules in one or two sentences.
fn sentence(analysis: &Analysis) -> String {
    let Some(drawing) = &analysis.drawing else {
        let need =
            analysis.need.map(|need| format!(": a verdict needs {}", counted(need, "point"))).unwrap_or_default();
        return format!("There are not enough data{need}.");
    };
    let points = analysis.judged_points();
    let first = analysis.patterns.violations.iter().min_by_key(|violation| violation.first_signal);
    let Some(first) = first else {
        return match analysis.patterns.verdict {
            Verdict::OutOfControl => "The level is in control, the dispersion is not.".to_owned(),
            _ if drawing.chart.is_degenerate() => {
                format!("All {points} points are equal, so there is no variation to judge.")
            }
            _ if drawing.rules.rules().is_empty() => format!("No rule was applied to the {points} points."),
            _ => format!("No rule signals at any of the {points} points."),
        };
    };
    let signals = drawing.judgement.signals.iter().filter(|mask| !mask.is_empty()).count();
    let rules = drawing.rules.rules().iter().enumerate();
    let broken = rules.filter(|(rule, _)| drawing.judgement.signals.count_of(*rule) > 0).count();
    let verb = if broken == 1 { "signals" } else { "signal" };
    format!(
        "{} {verb} at {signals} of {points} points. First signal at point {}{}: {}{}.",
        counted(broken, "rule"),
        first.first_signal,
        time(drawing, first.first_signal).map(|at| format!(" ({at})")).unwrap_or_default(),
        meaning(drawing, first),
        if first.side == Side::Both { String::new() } else { format!(", {}", first.side.name()) }
    )
}

fn meaning(drawing: &Drawing, violation: &Violation) -> String {
    let rule = drawing.rules.rules().iter().find(|rule| *rule.code() == violation.rule);
    rule.map(|rule| rule.pattern().describe()).unwrap_or_default()
}

fn time(drawing: &Drawing, point: usize) -> Option<String> {
    drawing.time(point).map(|at| at.strftime("%F %T UTC").to_string())
}

fn charts(id: &str, analysis: &Analysis, drawing: &Drawing, events: &[Event]) -> Markup {
    let events = island::placed_events(analysis, drawing, events);
    let points = drawing.chart.points.len();
    html! {
        figure.chart data-analysis=(id) data-chart="0" {
            figcaption { span.what { (capitalized(analysis.chart.label())) ", phase " (analysis.phase.numeral()) } " " span.muted { (plotted(analysis, drawing)) } }
            div.still { (PreEscaped(plot::svg(analysis))) }
            @if !events.is_empty() {
                ul.chart-events aria-label="Events" {
                    @for event in &events {
                        li { b { (event.letter) } (event.at) ", before point " (event.point) ": " (event.message) }
                    }
                }
            }
            p.key {
                span { i.dot.beyond aria-hidden="true" {} "beyond a control limit" }
                span { i.dot.pattern aria-hidden="true" {} "completes the pattern of another rule" }
                span { i.band aria-hidden="true" {} "zones C, B, A: one, two, three sigmas from the center" }
                @if points > island::MAX_POINTS {
                    span {
                        "Of " (points) " points, the chart draws the lowest and highest of each interval, and every point that "
                        "begins, completes or ends a violation."
                    }
                }
            }
        }
        @if let Some(dispersion) = dispersion::still(analysis, drawing) {
            figure.chart.small data-analysis=(id) data-chart="1" {
                figcaption {
                    span.what { (capitalized(dispersion.title)) }
                    " " span.muted { (dispersion.verdict) }
                }
                div.still { (dispersion.picture) }
            }
        }
    }
}

/// The metric and the unit of the axis: `ttft_s in ms`.
fn plotted(analysis: &Analysis, drawing: &Drawing) -> String {
    let (low, high) = drawing.extent().unwrap_or_default();
    in_unit(&analysis.metric, scale_of(analysis.plotted_unit(), low.abs().max(high.abs())).1)
}

pub(super) fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Name, value and note.
type Row = (String, String, String);

fn numbers(analysis: &Analysis) -> Markup {
    html! {
        div.numbers {
            (pairs("Level and dispersion", &statistics(analysis)))
            (pairs("Specification and capability", &capability(analysis)))
        }
    }
}

fn pairs(title: &str, rows: &[Row]) -> Markup {
    html! {
        @if !rows.is_empty() {
            h3 { (title) }
            dl.values {
                @for (name, value, note) in rows {
                    div { dt { (name) } dd { (value) @if !note.is_empty() { " " span.note { (note) } } } }
                }
            }
        }
    }
}

fn statistics(analysis: &Analysis) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut add = |name: &str, value: Option<String>, note: String| {
        rows.extend(value.map(|value| (name.to_owned(), value, note)));
    };
    let quantity = |value: f64| analysis.quantity(value);
    if let Some(limits) = &analysis.limits {
        let line = |line: &Line| match line {
            Line::Constant(value) => Some(quantity(*value)),
            Line::PerPoint(_) => line.extent().map(|(low, high)| format!("{} to {}", quantity(low), quantity(high))),
        };
        let clamped = |is: bool| if is { "clamped to the possible range".to_owned() } else { String::new() };
        add("upper control limit", line(&limits.upper), clamped(limits.clamped.upper));
        add("center line", line(&limits.center), String::new());
        add("lower control limit", line(&limits.lower), clamped(limits.clamped.lower));
    }
    add("limits from", analysis.basis_words(), String::new());
    add("stages", analysis.stage_words(), String::new());
    add("mean", analysis.mean.map(quantity), String::new());
    add("median", analysis.median.map(quantity), String::new());
    if let Some(sigma) = analysis.sigma {
        let convention = sigma.estimator.map(|estimator| estimator.convention().to_owned()).unwrap_or_default();
        let sigma_quantity = |value: f64| analysis.sigma_quantity(value);
        add(
            "transformation",
            analysis.transform.map(PowerTransform::describe),
            "applies to sigma and zones".to_owned(),
        );
        add("sigma within", sigma.within.map(sigma_quantity), convention);
        add("sigma overall", sigma.overall.map(sigma_quantity), "sample standard deviation".to_owned());
        add("σz", sigma.inflation.map(number), "relative to binomial or Poisson variation".to_owned());
    }
    if let Some(q) = analysis.quantiles {
        for (name, value) in [("90 % quantile", q.p90), ("95 % quantile", q.p95), ("99 % quantile", q.p99)] {
            add(name, Some(quantity(value)), String::new());
        }
    }
    let lag1 = analysis.autocorrelation.map(|autocorrelation| format!("{:.2}", autocorrelation.lag1));
    let lag = if analysis.basis.is_some() { "lag 1, ranks within the stages" } else { "lag 1" };
    add("autocorrelation", lag1, lag.to_owned());
    let normality = analysis.normality;
    let p =
        normality.map(|test| format!("p {}", if test.p < 0.0001 { "below 0.0001".to_owned() } else { number(test.p) }));
    add("Anderson–Darling", normality.map(|test| format!("{:.2}", test.anderson_darling)), p.unwrap_or_default());
    rows
}

fn capability(analysis: &Analysis) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut add = |name: &str, value: Option<String>, note: &str| {
        rows.extend(value.map(|value| (name.to_owned(), value, note.to_owned())));
    };
    let quantity = |value: f64| analysis.quantity(value);
    if let Some(limits) = analysis.specification {
        add("upper limit (USL)", limits.upper.map(quantity), "");
        add("target", limits.target.map(quantity), "");
        add("lower limit (LSL)", limits.lower.map(quantity), "");
    }
    let level =
        analysis.confidence.map(|level| format!("{} % interval", (level * 1e4).round() / 100.0)).unwrap_or_default();
    if let Some(c) = analysis.capability {
        add("Cp", c.cp.map(|cp| index(cp, c.cp_interval)), &level);
        let convention = c.estimator.convention();
        let known = if c.cpk_interval.is_some() { format!("{level}; {convention}") } else { convention.to_owned() };
        let of = analysis.basis_measurements().map(|of| format!("; {of}")).unwrap_or_default();
        add("Cpk", Some(index(c.cpk, c.cpk_interval)), &format!("{known}{of}"));
    }
    if let Some(p) = analysis.performance {
        add("Pp", p.pp.map(|pp| index(pp, p.pp_interval)), &level);
        let of = analysis.basis.map(|_| format!("; all {}", counted(analysis.n, "measurement"))).unwrap_or_default();
        add("Ppk", Some(index(p.ppk, p.ppk_interval)), &format!("{level}{of}"));
        add("Cpm", p.cpm.map(|cpm| index(cpm, None)), "");
    }
    let expected = analysis.expected_ppm;
    add("observed outside", analysis.observed_ppm.map(number), "per million");
    let million = |ppm: f64| if ppm > 0.0 && ppm < 0.001 { "below 0.001".to_owned() } else { number(ppm) };
    add("expected, within", expected.and_then(|ppm| ppm.within).map(million), "per million, if normal");
    add("expected, overall", expected.and_then(|ppm| ppm.overall).map(million), "per million, if normal");
    rows
}

fn violations(id: &str, analysis: &Analysis, drawing: &Drawing) -> Markup {
    let all = &analysis.patterns.violations;
    let first = &all[..all.len().min(MOST_VIOLATIONS)];
    let rest = &all[first.len()..all.len().min(MAX_ROWS)];
    html! {
        @if !all.is_empty() {
            h3 id={ (id) "-violations" } { "Violations" }
            (violation_table("First violations", analysis, drawing, first))
            @if !rest.is_empty() {
                details {
                    summary { (counted(all.len() - first.len(), "more violation")) }
                    (violation_table("More violations", analysis, drawing, rest))
                    @if all.len() > MAX_ROWS {
                        p.muted { "The table lists the first " (MAX_ROWS) " violations; llmscope analyze --json lists all " (all.len()) "." }
                    }
                }
            }
        }
    }
}

fn violation_table(label: &str, analysis: &Analysis, drawing: &Drawing, rows: &[Violation]) -> Markup {
    let timed = rows.iter().any(|violation| time(drawing, violation.first_signal).is_some());
    html! {
        div.scroll tabindex="0" role="region" aria-label={ (label) " of " (analysis.group_title()) " " (analysis.metric) } {
            table.violations {
                thead {
                    tr {
                        th scope="col" { "Rule" }
                        th scope="col" { "Meaning" }
                        th scope="col" { "Side" }
                        th.number scope="col" { "From" }
                        th.number scope="col" { "To" }
                        th.number scope="col" { "Signals" }
                        th.number scope="col" { "First signal" }
                        th.number scope="col" { "Value" }
                        @if timed { th scope="col" { "Time" } }
                    }
                }
                tbody {
                    @for violation in rows {
                        tr data-first=(violation.first) data-last=(violation.last) {
                            th scope="row" { code { (violation.rule) } }
                            td { (meaning(drawing, violation)) }
                            td { (violation.side.name()) }
                            td.number { (violation.first) }
                            td.number { (violation.last) }
                            td.number { (violation.signals().len()) }
                            td.number { (violation.first_signal) }
                            td.number { (analysis.quantity(drawing.chart.points[violation.first_signal])) }
                            @if timed { td.time { @if let Some(at) = time(drawing, violation.first_signal) { (at) } } }
                        }
                    }
                }
            }
        }
    }
}
