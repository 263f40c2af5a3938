//! Human-readable numbers: few significant digits, with a unit of suitable size.

use std::fmt;

use crate::metric::Unit;

/// The most readable unit for values of this size: its factor and symbol. All values of a table or axis share it.
///
/// ```
/// use llmscope_core::{Unit, quantity::scale_of};
///
/// assert_eq!(scale_of(Unit::Second, 0.233), (1e3, "ms"));
/// assert_eq!(scale_of(Unit::Second, 12.0), (1.0, "s"));
/// assert_eq!(scale_of(Unit::UsDollar, 0.001), (1.0, "USD"));
/// ```
#[must_use]
pub fn scale_of(unit: Unit, magnitude: f64) -> (f64, &'static str) {
    let size = magnitude.abs();
    match unit {
        Unit::Second if size == 0.0 || size >= 1.0 => (1.0, "s"),
        Unit::Second if size >= 1e-3 => (1e3, "ms"),
        Unit::Second => (1e6, "µs"),
        Unit::SecondPerToken if size == 0.0 || size >= 1.0 => (1.0, "s/token"),
        Unit::SecondPerToken if size >= 1e-3 => (1e3, "ms/token"),
        Unit::SecondPerToken => (1e6, "µs/token"),
        other => (1.0, other.symbol()),
    }
}

/// A quantity with the symbol of its unit, as the title of an axis: `ttft_s in ms`.
///
/// ```
/// use llmscope_core::quantity::in_unit;
///
/// assert_eq!(in_unit("ttft_s", "ms"), "ttft_s in ms");
/// assert_eq!(in_unit("error_rate", ""), "error_rate");
/// ```
#[must_use]
pub fn in_unit(quantity: &str, symbol: &str) -> String {
    if symbol.is_empty() { quantity.to_owned() } else { format!("{quantity} in {symbol}") }
}

/// A value with four significant digits, in plain notation if that is short.
///
/// ```
/// use llmscope_core::quantity::number;
///
/// assert_eq!(number(0.123_456), "0.1235");
/// assert_eq!(number(1234.56), "1235");
/// assert_eq!(number(0.0), "0");
/// assert_eq!(number(1.5e-9), "1.5e-9");
/// ```
#[must_use]
pub fn number(value: f64) -> String {
    number_to(value, 0.0)
}

/// A value with four significant digits, or more if needed to distinguish values that differ by `resolution`.
///
/// ```
/// use llmscope_core::quantity::number_to;
///
/// // Piston rings of 74 mm vary by hundredths.
/// assert_eq!(number_to(73.988_05, 0.001), "73.988");
/// assert_eq!(number_to(73.988_05, 0.0), "73.99");
/// ```
#[must_use]
pub fn number_to(value: f64, resolution: f64) -> String {
    const DIGITS: f64 = 4.0;
    const MOST_DECIMALS: f64 = 9.0;
    if value == 0.0 {
        return "0".to_owned();
    }
    let magnitude = value.abs().log10().floor();
    if !(-4.0..7.0).contains(&magnitude) {
        return trimmed_exponent(&format!("{value:.3e}"));
    }
    let resolving = if resolution > 0.0 { (-resolution.log10()).ceil() } else { 0.0 };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=9")]
    let decimals = (DIGITS - 1.0 - magnitude).max(resolving).clamp(0.0, MOST_DECIMALS) as usize;
    format!("{value:.decimals$}")
}

/// A value in its most readable unit: `233.1 ms`.
///
/// ```
/// use llmscope_core::{Unit, quantity::with_unit};
///
/// assert_eq!(with_unit(Unit::Second, 0.2331), "233.1 ms");
/// assert_eq!(with_unit(Unit::PerSecond, 42.0), "42.00 1/s");
/// ```
#[must_use]
pub fn with_unit(unit: Unit, value: f64) -> String {
    with_unit_to(unit, value, 0.0)
}

/// A value in its most readable unit, with enough digits to distinguish values that differ by `resolution` (in the
/// metric's unit).
///
/// ```
/// use llmscope_core::{Unit, quantity::with_unit_to};
///
/// // Two runs that differ by 10 µs.
/// assert_eq!(with_unit_to(Unit::Second, 0.233_11, 0.000_01), "233.11 ms");
/// ```
#[must_use]
pub fn with_unit_to(unit: Unit, value: f64, resolution: f64) -> String {
    let (factor, symbol) = scale_of(unit, value);
    let text = number_to(value * factor, resolution * factor);
    if symbol.is_empty() { text } else { format!("{text} {symbol}") }
}

/// A share as a percentage with two or three digits: `4.0 %`, `119 %`.
///
/// ```
/// use llmscope_core::quantity::percent;
///
/// assert_eq!((percent(0.04), percent(1.19)), ("4.0 %".to_owned(), "119 %".to_owned()));
/// ```
#[must_use]
pub fn percent(share: f64) -> String {
    format!("{} %", short(100.0 * share))
}

/// A number with two or three digits.
pub(crate) fn short(value: f64) -> String {
    if value.abs() >= 9.95 || value == 0.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}

/// A count with its noun, in the singular or plural.
///
/// ```
/// use llmscope_core::quantity::counted;
///
/// assert_eq!(counted(1, "request"), "1 request");
/// assert_eq!(counted(3, "request"), "3 requests");
/// assert_eq!(counted(2, "series"), "2 series");
/// assert_eq!(counted(2, "retry"), "2 retries");
/// ```
#[must_use]
pub fn counted<N: Copy + fmt::Display + PartialEq + From<u8>>(count: N, noun: &str) -> String {
    let noun = noun_for(&count, noun);
    format!("{count} {noun}")
}

/// The noun alone, in the number that fits `count`: `request` or `requests`.
///
/// ```
/// use llmscope_core::quantity::noun_for;
///
/// assert_eq!((noun_for(&1, "request"), noun_for(&0, "request")), ("request".to_owned(), "requests".to_owned()));
/// ```
#[must_use]
pub fn noun_for<N: PartialEq + From<u8>>(count: &N, noun: &str) -> String {
    match noun {
        _ if *count == N::from(1) || noun == "series" => noun.to_owned(),
        _ => match noun.strip_suffix('y') {
            Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
            _ => format!("{noun}s"),
        },
    }
}

/// `1.500e-9` → `1.5e-9`.
fn trimmed_exponent(text: &str) -> String {
    match text.split_once('e') {
        Some((mantissa, exponent)) => format!("{}e{exponent}", mantissa.trim_end_matches('0').trim_end_matches('.')),
        None => text.to_owned(),
    }
}
