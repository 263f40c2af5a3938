//! Numbers as exports write them: with a decimal comma, with thousands separators, as durations, as text.

use std::str::FromStr;

use crate::error::{Error, Result};
use crate::metric::Unit;

/// The decimal separator of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Decimal {
    /// A point. A comma between digits is refused, because it has two meanings.
    #[default]
    Point,
    /// A point, as stated by the caller: commas separate thousands.
    StatedPoint,
    /// A comma, as stated by the caller: points separate thousands.
    Comma,
}

impl FromStr for Decimal {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "," | "comma" => Ok(Self::Comma),
            "." | "point" => Ok(Self::StatedPoint),
            _ => Err(Error::Parameter {
                name: "decimal separator",
                value: text.to_owned(),
                expected: "a comma (,) or a point (.)",
            }),
        }
    }
}

impl Decimal {
    /// The number in a text; infinite if the text says so.
    pub(super) fn number(self, text: &str) -> Option<f64> {
        match self {
            Self::Point => text.parse().ok(),
            Self::StatedPoint => text.parse().ok().or_else(|| grouped(text, ',', '.')),
            Self::Comma => grouped(text, '.', ','),
        }
    }
}

/// A number with these separators of thousands and decimals. Spaces and apostrophes separate thousands, too.
fn grouped(text: &str, thousands: char, decimal: char) -> Option<f64> {
    let (whole, fraction) = text.split_once(decimal).map_or((text, None), |(whole, rest)| (whole, Some(rest)));
    let (sign, digits) = match whole.strip_prefix(['-', '+']) {
        Some(digits) => (&whole[..1], digits),
        None => ("", whole),
    };
    let parts: Vec<&str> = digits.split([thousands, ' ', '\u{a0}', '\u{202f}', '\'', '\u{2019}']).collect();
    let is_digits = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    // No group of thousands begins with 0: `0.276` has a decimal point.
    let is_grouped = parts.len() == 1
        || (parts[0].len() <= 3 && !parts[0].starts_with('0') && parts[1..].iter().all(|part| part.len() == 3));
    if !is_grouped || !(parts.iter().all(is_digits) || (digits.is_empty() && fraction.is_some())) {
        return None;
    }
    let fraction = fraction.map_or(String::new(), |fraction| format!(".{fraction}"));
    format!("{sign}{}{fraction}", parts.concat()).parse().ok()
}

/// What makes a text with digits and commas ambiguous: the problem, and the two readings of it.
pub(super) fn ambiguous(text: &str) -> Option<(&'static str, [Option<f64>; 2])> {
    if !text.contains([',', ' ', '\u{a0}', '\u{202f}', '\'']) {
        return None;
    }
    let readings = [Decimal::Comma.number(text), Decimal::StatedPoint.number(text)];
    let problem = match readings {
        [Some(_), Some(_)] => "has a decimal comma or a thousands separator",
        [Some(_), None] => "has a decimal comma",
        [None, Some(_)] => "has a thousands separator",
        [None, None] => return None,
    };
    Some((problem, readings))
}

/// A duration as text, in seconds: `950ms`, `1.06s`, `1m2.2s`, `PT0.2S`, `00:01:02.5`.
pub(super) fn duration_s(text: &str) -> Option<f64> {
    let text = text.trim();
    if let Some(parts) = clock(text) {
        return Some(parts);
    }
    let iso = text.strip_prefix("PT").or_else(|| text.strip_prefix("pt"));
    let lower = iso.map(str::to_lowercase);
    let (mut rest, mut sum, mut last) = (lower.as_deref().unwrap_or(text), 0.0, f64::INFINITY);
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).filter(|&end| end > 0)?;
        let (number, tail) = rest.split_at(end);
        let tail = tail.trim_start();
        let end = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        let unit = match unit.trim().trim_end_matches('.') {
            "sec" | "secs" | "second" | "seconds" => "s",
            "msec" | "msecs" | "millis" | "millisecond" | "milliseconds" => "ms",
            "mins" | "minute" | "minutes" => "min",
            "hr" | "hrs" | "hour" | "hours" => "h",
            other => other,
        };
        let factor = Unit::Second.convert(1.0, unit).filter(|_| !unit.is_empty())?;
        // The parts of a duration become smaller: `1m2.2s`.
        if factor >= last {
            return None;
        }
        sum += Unit::Second.convert(number.parse().ok()?, unit)?;
        (rest, last) = (tail, factor);
    }
    Some(sum)
}

/// `00:01:02.5`: hours, minutes, seconds.
fn clock(text: &str) -> Option<f64> {
    let parts: Vec<&str> = text.split(':').collect();
    let [hours, minutes, seconds] = parts[..] else { return None };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && !part.is_empty();
    if ![hours, minutes, seconds].into_iter().all(digits) {
        return None;
    }
    let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok().filter(|&minutes| minutes < 60)?);
    let seconds: f64 = seconds.parse().ok().filter(|seconds| (0.0..60.0).contains(seconds))?;
    Some(f64::from(hours) * 3600.0 + f64::from(minutes) * 60.0 + seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_are_read_as_stated() {
        for (text, comma, point) in [
            ("126,4", Some(126.4), None),
            ("1,133", Some(1.133), Some(1133.0)),
            ("1.133", Some(1133.0), Some(1.133)),
            ("1.133,5", Some(1133.5), None),
            ("0.276", None, Some(0.276)),
            ("0,276", Some(0.276), None),
            ("1,133.5", None, Some(1133.5)),
            ("-1 133,5", Some(-1133.5), None),
            ("1'133.5", None, Some(1133.5)),
            ("1e3", None, Some(1000.0)),
            ("12,34,5", None, None),
            ("1.5", None, Some(1.5)),
            ("fast", None, None),
            (",5", Some(0.5), None),
            ("", None, None),
        ] {
            assert_eq!((Decimal::Comma.number(text), Decimal::StatedPoint.number(text)), (comma, point), "{text}");
        }
        assert_eq!(ambiguous("126,4").map(|(problem, _)| problem), Some("has a decimal comma"));
        assert!(ambiguous("fast, too").is_none() && ambiguous("1.5").is_none());
    }

    #[test]
    fn durations_are_read_with_their_units() {
        for (text, expected) in [
            ("950ms", Some(0.95)),
            ("1.06s", Some(1.06)),
            ("1m2.2s", Some(62.2)),
            ("PT0.2S", Some(0.2)),
            ("PT1M2S", Some(62.0)),
            ("350µs", Some(350.0 / 1e6)),
            ("2 min", Some(120.0)),
            ("1.5 seconds", Some(1.5)),
            ("00:01:02.5", Some(62.5)),
            ("2s1m", None),
            ("5 apples", None),
            ("ms", None),
            ("PT", None),
            ("1.5", None),
            ("", None),
            ("12:61:00", None),
        ] {
            assert_eq!(duration_s(text), expected, "{text}");
        }
    }
}
