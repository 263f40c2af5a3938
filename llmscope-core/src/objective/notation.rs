//! Objectives as text: `ttft=500ms`, `ttft.p99=500ms`, `errors=1%`.

use std::fmt;
use std::str::FromStr;

use super::Objective;
use crate::error::{Error, Result};
use crate::metric::{Metric, Unit};
use crate::quantity::scale_of;

/// Short names of metrics. The first one of a metric is written.
const SHORT_NAMES: [(&str, Metric); 5] = [
    ("ttft", Metric::Ttft),
    ("tpot", Metric::Tpot),
    ("itl", Metric::Tpot),
    ("e2e", Metric::E2e),
    ("e2el", Metric::E2e),
];
const ERRORS: &str = "errors";

impl Objective {
    /// Reads objectives that are separated by commas.
    ///
    /// # Errors
    /// Those of a single objective; [`Error::Parameter`] if two objectives limit the same figure.
    ///
    /// ```
    /// use llmscope_core::Objective;
    ///
    /// assert_eq!(Objective::list("ttft=500ms,errors=1%")?.len(), 2);
    /// assert!(Objective::list("ttft=500ms,ttft=1s").is_err()); // two limits of the same figure
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub fn list(text: &str) -> Result<Vec<Self>> {
        let mut objectives: Vec<Self> = Vec::new();
        for part in text.split(',') {
            let objective: Self = part.parse()?;
            if objectives.iter().any(|other| other.figure() == objective.figure()) {
                return Err(invalid(part, "one limit for each figure, and this figure has one already"));
            }
            objectives.push(objective);
        }
        Ok(objectives)
    }

    /// The limited figure: `ttft`, `ttft.p99`, `errors`.
    pub(super) fn figure(self) -> String {
        let name = |metric: Metric| {
            SHORT_NAMES.iter().find(|(_, other)| *other == metric).map_or(metric.name(), |(name, _)| name)
        };
        match self {
            Self::Request { metric, .. } => name(metric).to_owned(),
            Self::Quantile { metric, p, .. } => format!("{}.p{}", name(metric), percent(p)),
            Self::Errors { .. } => ERRORS.to_owned(),
        }
    }

    /// The limit as a number and its unit: `500` and `ms`.
    pub(super) fn limit_text(self) -> (String, &'static str) {
        match self {
            Self::Request { metric, limit } | Self::Quantile { metric, limit, .. } => scaled(metric.unit(), limit),
            Self::Errors { limit } => (percent(limit), "%"),
        }
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (limit, unit) = self.limit_text();
        write!(f, "{}={limit}{unit}", self.figure())
    }
}

impl FromStr for Objective {
    type Err = Error;

    /// Reads one objective. A limit needs a unit, so that 500 is not read as 500 seconds.
    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        let form = "a figure and its limit, such as ttft=500ms, ttft.p99=500ms or errors=1%";
        let (figure, limit) = text.split_once('=').ok_or_else(|| invalid(text, form))?;
        let (name, quantile) = match figure.trim().split_once('.') {
            Some((name, quantile)) => (name, Some(quantile)),
            None => (figure.trim(), None),
        };
        if name == ERRORS || name == Metric::ErrorRate.name() {
            return match quantile {
                None => Ok(Self::Errors { limit: share_of(text, limit)? }),
                Some(_) => Err(invalid(text, "a share of failed requests without a quantile, such as errors=1%")),
            };
        }
        let metric = metric_of(text, name)?;
        let p = quantile.map(|quantile| quantile_of(text, quantile)).transpose()?;
        let limit = limit_of(text, metric.unit(), limit)?;
        Ok(match p {
            Some(p) => Self::Quantile { metric, p, limit },
            None => Self::Request { metric, limit },
        })
    }
}

impl From<Objective> for String {
    fn from(objective: Objective) -> Self {
        objective.to_string()
    }
}

impl TryFrom<String> for Objective {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

fn invalid(text: &str, expected: &'static str) -> Error {
    Error::Parameter { name: "objective", value: text.trim().to_owned(), expected }
}

fn metric_of(text: &str, name: &str) -> Result<Metric> {
    if let Some((_, metric)) = SHORT_NAMES.iter().find(|(short, _)| *short == name) {
        return Ok(*metric);
    }
    match name.parse() {
        Ok(metric) if has_upper_limit(metric) => Ok(metric),
        Ok(_) => Err(invalid(text, "a figure of which less is better: a time, a cost or errors")),
        Err(_) => {
            let short = SHORT_NAMES.iter().map(|(name, _)| *name).chain([ERRORS]);
            let full = Metric::ALL.into_iter().filter(|metric| has_upper_limit(*metric)).map(Metric::name);
            let expected = short.chain(full).collect::<Vec<_>>().join(", ");
            Err(Error::Unknown { what: "objective", name: name.to_owned(), expected })
        }
    }
}

/// True if smaller values of the metric are better. An objective has only an upper limit.
fn has_upper_limit(metric: Metric) -> bool {
    matches!(metric.unit(), Unit::Second | Unit::SecondPerToken | Unit::UsDollar)
}

fn quantile_of(text: &str, name: &str) -> Result<f64> {
    let percent = name.trim().strip_prefix('p').and_then(|percent| percent.parse::<f64>().ok());
    let within = percent.filter(|percent| *percent > 0.0 && *percent < 100.0);
    within
        .map(|percent| percent / 100.0)
        .ok_or_else(|| invalid(text, "a quantile above p0 and below p100, such as p50, p99 or p99.9"))
}

fn share_of(text: &str, limit: &str) -> Result<f64> {
    let share = if lacks_unit(limit) { None } else { Unit::One.parse(limit).ok() };
    share
        .filter(|share| *share > 0.0 && *share < 1.0)
        .ok_or_else(|| invalid(text, "a percentage above 0% and below 100%, such as errors=1%"))
}

fn limit_of(text: &str, unit: Unit, limit: &str) -> Result<f64> {
    let cost = unit == Unit::UsDollar;
    if lacks_unit(limit) {
        let needed = if cost { "a limit with its unit, such as 0.01USD" } else { LIMIT_OF_TIME };
        return Err(invalid(text, needed));
    }
    let accepted = if cost {
        "a finite cost above 0 with the unit USD"
    } else {
        "a finite time above 0 with the unit ns, us, ms, s, min or h"
    };
    unit.parse(limit).ok().filter(|limit| *limit > 0.0).ok_or_else(|| invalid(text, accepted))
}

const LIMIT_OF_TIME: &str = "a limit with its unit, such as 500ms or 10s";

fn lacks_unit(limit: &str) -> bool {
    limit.trim().parse::<f64>().is_ok()
}

/// A share as the shortest percentage that reads back as the same share.
fn percent(share: f64) -> String {
    shortest(share * 100.0, |percent| percent / 100.0 == share).unwrap_or_else(|| (share * 100.0).to_string())
}

/// A limit in its most readable unit, or in the metric's own if that alone reads back as the same limit.
fn scaled(unit: Unit, limit: f64) -> (String, &'static str) {
    let (factor, symbol) = scale_of(unit, limit);
    // A limit per token is written like a time: `tpot=50ms`.
    let short = |symbol: &'static str| symbol.strip_suffix("/token").unwrap_or(symbol);
    let text = shortest(limit * factor, |value| unit.convert(value, symbol) == Some(limit));
    text.map_or_else(|| (limit.to_string(), short(unit.symbol())), |text| (text, short(symbol)))
}

/// The number with the fewest digits near `value` that `reads_back`.
fn shortest(value: f64, reads_back: impl Fn(f64) -> bool) -> Option<String> {
    const MOST_DIGITS: usize = 17;
    let rounded = (0..MOST_DIGITS).filter_map(|decimals| format!("{value:.decimals$e}").parse::<f64>().ok());
    rounded.into_iter().find(|&rounded| reads_back(rounded)).map(|rounded| rounded.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Objective::list(text).expect_err("an error").to_string()
    }

    #[test]
    fn objectives_read_back() {
        for text in [
            "ttft=500ms",
            "tpot=50ms",
            "tpot.p95=0.7µs",
            "e2e=10s",
            "ttft.p50=7ms",
            "ttft.p99.9=999.5ms",
            "ttft_from_write_s.p99=1.1s",
            "cost_usd=0.003USD",
            "errors=1%",
            "errors=0.7%",
            "errors=29%",
        ] {
            let objective: Objective = text.parse().expect(text);
            assert_eq!(objective.to_string(), text);
            let json = serde_json::to_string(&objective).expect("JSON");
            assert_eq!(serde_json::from_str::<Objective>(&json).expect("an objective"), objective);
        }
    }

    #[test]
    fn every_number_reads_back() {
        for tenths in 1..1000_u32 {
            let tenths = f64::from(tenths) / 10.0;
            for text in [format!("ttft={tenths}ms"), format!("errors={tenths}%"), format!("e2e.p{tenths}={tenths}s")] {
                let objective: Objective = text.parse().expect("an objective");
                assert_eq!(objective.to_string().parse(), Ok(objective), "{text}");
            }
        }
        let third = Objective::Request { metric: Metric::Ttft, limit: 1.0 / 3000.0 };
        assert_eq!(third.to_string().parse(), Ok(third));
    }

    #[test]
    fn other_names_and_units_are_read() {
        for (text, same) in [
            ("itl=50ms", "tpot=50ms"),
            ("tpot_s=50ms/token", "tpot=50ms"),
            ("e2el.p99=1min", "e2e.p99=60s"),
            (" ttft_s . p99 = 500 ms ", "ttft.p99=500ms"),
            ("ttft=500us", "ttft=500µs"),
            ("error_rate=1 %", "errors=1%"),
        ] {
            assert_eq!(text.replace(" . ", ".").parse::<Objective>().expect(text).to_string(), same);
        }
    }

    #[test]
    fn a_limit_needs_its_unit() {
        let asks = "expected a limit with its unit, such as 500ms or 10s";
        assert_eq!(error("ttft=500"), format!("invalid objective ttft=500: {asks}"));
        assert_eq!(error("tpot.p99=0.05"), format!("invalid objective tpot.p99=0.05: {asks}"));
        assert_eq!(
            error("errors=0.01"),
            "invalid objective errors=0.01: expected a percentage above 0% and below 100%, such as errors=1%"
        );
        assert_eq!(
            error("cost_usd=1"),
            "invalid objective cost_usd=1: expected a limit with its unit, such as 0.01USD"
        );
    }

    #[test]
    fn a_figure_has_one_limit() {
        for text in ["ttft=500ms,ttft_s=1s", "e2e.p99=1s,e2el.p99.0=2s", "errors=1%,errors=2%"] {
            assert!(error(text).ends_with("expected one limit for each figure, and this figure has one already"));
        }
        assert_eq!(Objective::list("ttft=500ms,ttft.p99=1s,ttft.p95=900ms").map(|list| list.len()), Ok(3));
    }

    #[test]
    fn nonsense_is_refused() {
        for (text, expected) in [
            ("", "missing objective: expected a figure and its limit"),
            ("ttft=500ms,", "missing objective"),
            ("ttft", "invalid objective ttft: expected a figure and its limit"),
            ("tttf=500ms", "unknown objective \"tttf\": expected ttft, tpot, itl, e2e, e2el, errors, ttft_s, e2e_s"),
            ("ttft.99=1s", "expected a quantile above p0 and below p100"),
            ("ttft.p100=1s", "expected a quantile above p0 and below p100"),
            ("ttft=-1s", "expected a finite time above 0"),
            ("ttft=0s", "expected a finite time above 0"),
            ("ttft=5 apples", "with the unit ns, us, ms, s, min or h"),
            ("errors=0%", "expected a percentage above 0%"),
            ("errors=100%", "expected a percentage above 0%"),
            ("errors.p99=1%", "without a quantile"),
            ("output_tokens_per_s=20/s", "expected a figure of which less is better"),
        ] {
            assert!(error(text).contains(expected), "{text}: {}", error(text));
        }
        assert!(error("tttf=500ms").ends_with("; did you mean \"ttft\"?"));
    }
}
