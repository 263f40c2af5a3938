//! Parses readings of the system and rejects implausible ones.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::str::FromStr;

/// Maximum size of a file with one value, in bytes.
const LONGEST: u64 = 4096;

/// The text of a file with one line; absent if it is unreadable, empty or not printable.
pub(super) fn text(path: &Path) -> Option<String> {
    let mut text = String::new();
    File::open(path).ok()?.take(LONGEST).read_to_string(&mut text).ok()?;
    printable(text)
}

/// A text without surrounding space; absent if it is empty or contains control characters.
pub(super) fn printable(text: impl AsRef<str>) -> Option<String> {
    let text = text.as_ref().trim_matches(|c: char| c.is_whitespace() || c == '\0');
    (!text.is_empty() && !text.contains(char::is_control)).then(|| text.to_owned())
}

/// The integer in a file. Fractions are rejected: no kernel writes them, and `inf` and `NaN` are not readings.
pub(super) fn number<N: FromStr>(path: &Path) -> Option<N> {
    text(path)?.parse().ok()
}

/// A size in bytes; 0 is not plausible.
pub(super) fn size(bytes: u64) -> Option<u64> {
    (bytes > 0).then_some(bytes)
}

/// A share from a percentage, rounded to a hundredth of a percent.
pub(super) fn share(percent: f64) -> Option<f64> {
    (0.0..=100.0).contains(&percent).then(|| (percent * 100.0).round() / 10_000.0)
}

/// A plausible temperature of silicon. Disconnected sensors report 0, or far more than the melting point of solder.
pub(super) fn temperature(celsius: f64) -> Option<f64> {
    (celsius > 0.0 && celsius <= 150.0).then_some(celsius)
}

/// A temperature from a file in thousandths of a degree Celsius.
pub(super) fn millicelsius(path: &Path) -> Option<f64> {
    number::<i32>(path).and_then(|thousandths| temperature(f64::from(thousandths) / 1e3))
}

/// Power or energy. A device that is on draws some, so 0 means that it is not measured.
pub(super) fn consumption(value: f64) -> Option<f64> {
    (value.is_finite() && value > 0.0).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn implausible_readings_are_absent() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0] {
            assert_eq!((share(bad), temperature(bad), consumption(bad)), (None, None, None), "{bad}");
        }
        assert_eq!(
            (share(0.0), share(33.333_333), share(100.0), share(100.1)),
            (Some(0.0), Some(0.3333), Some(1.0), None)
        );
        assert_eq!((temperature(0.0), temperature(47.5), temperature(150.5)), (None, Some(47.5), None));
        assert_eq!((consumption(0.0), consumption(0.5)), (None, Some(0.5)));
        assert_eq!((size(0), size(1)), (None, Some(1)));
    }

    #[test]
    fn a_text_is_one_printable_line() {
        assert_eq!(printable("  AMD EPYC \n\0"), Some("AMD EPYC".to_owned()));
        for bad in ["", " \n", "\0\0", "two\nlines", "\u{1b}[31mred"] {
            assert_eq!(printable(bad), None, "{bad:?}");
        }
    }
}
