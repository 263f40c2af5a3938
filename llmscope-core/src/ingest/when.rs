//! Times as tools and exports write them: with an offset, without one, as a count since 1970, or counted from the start
//! of a run.

use jiff::civil::{Date, DateTime, ISOWeekDate, Weekday};
use jiff::fmt::{rfc2822, strtime};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};

use super::Cell;
use super::time::Time;
use crate::column::TimeName;
use crate::metric::Unit;

/// What a caller states about the times of a table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TimeRules {
    /// The form of its times.
    pub form: TimeForm,
    /// The time zone of times without an offset; UTC by default.
    pub zone: Option<TimeZone>,
}

/// The form of the times of a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum TimeForm {
    /// Every form that has one meaning.
    #[default]
    Usual,
    /// A form in the notation of `strftime`, such as `%d/%m/%Y %H:%M:%S`.
    Stated(String),
    /// No column is a time.
    None,
}

/// When a row was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Moment {
    /// An instant.
    At(Time),
    /// An instant, if the time zone that was assumed is right.
    Naive(Time),
    /// Counted from the start of the run, in nanoseconds.
    Elapsed(Time),
}

impl TimeRules {
    /// The moment in a text; `None` if it is not in a form with one meaning.
    pub(super) fn of_text(&self, text: &str) -> Option<Moment> {
        let zoned = text.trim();
        if self.form == TimeForm::Usual
            && zoned.ends_with(']')
            && let Ok(at) = zoned.parse::<Zoned>()
        {
            return instant(at.timestamp());
        }
        let text = zoned.trim_matches(['[', ']', '"']);
        match &self.form {
            TimeForm::None => None,
            TimeForm::Stated(form) => self.of_form(form, text),
            TimeForm::Usual => {
                if let Ok(at) = text.parse::<Timestamp>() {
                    return instant(at);
                }
                let count = text.trim_start_matches('@').trim_start_matches("/Date(").trim_end_matches(")/");
                if let Ok(number) = count.parse::<f64>() {
                    return self.of_number(number);
                }
                if text.len() > LONGEST {
                    return None;
                }
                let plain = without_zone_names(text);
                of_offset(&plain).or_else(|| self.naive(date_time(&plain)?))
            }
        }
    }

    /// The instant in a cell of a column whose name only suggests a time; `None` if it holds something else, such as a
    /// duration or an ordinal number.
    pub(super) fn of_guess(&self, cell: &Cell, name: TimeName) -> Option<Moment> {
        if self.form != TimeForm::Usual {
            return None;
        }
        let of_count = |number: f64| {
            let fits = name.unit.is_none_or(|unit| unit_of(number) == Some(unit));
            self.of_number(number).filter(|_| fits)
        };
        let moment = match cell {
            Cell::Missing => None,
            Cell::Number(number) => of_count(*number),
            Cell::Text(text) => match text.trim().parse::<f64>() {
                Ok(number) => of_count(number),
                Err(_) => self.of_text(text),
            },
        }?;
        let (Moment::At(time) | Moment::Naive(time)) = moment else { return None };
        let year = time.get()?.to_zoned(TimeZone::UTC).year();
        (FIRST_YEAR..=LAST_YEAR).contains(&year).then_some(moment)
    }

    /// True if these cells are times whatever their name is: texts in a form with one meaning, or numbers of seconds or
    /// smaller units since 1970 within a year.
    pub(super) fn are_times(&self, cells: &[Cell]) -> bool {
        const YEAR_S: i64 = 366 * 86_400;
        let (mut first, mut last, mut any_text) = (i64::MAX, i64::MIN, false);
        for cell in cells.iter().filter(|cell| **cell != Cell::Missing) {
            any_text |= matches!(cell, Cell::Text(text) if text.trim().parse::<f64>().is_err());
            let Some(Moment::At(time) | Moment::Naive(time)) = self.of_guess(cell, TimeName::default()) else {
                return false;
            };
            let second = time.get().map_or(0, Timestamp::as_second);
            (first, last) = (first.min(second), last.max(second));
        }
        first < last && (any_text || last - first < YEAR_S)
    }

    /// The moment in a number, by its size.
    pub(super) fn of_number(&self, number: f64) -> Option<Moment> {
        match &self.form {
            TimeForm::None => None,
            TimeForm::Stated(form) => self.of_form(form, &number.to_string()),
            TimeForm::Usual => match compact_number(number) {
                Some(at) => self.naive(at),
                None => of_number(number),
            },
        }
    }

    fn of_form(&self, form: &str, text: &str) -> Option<Moment> {
        let parsed = strtime::parse(form, text).ok()?;
        match parsed.to_timestamp() {
            Ok(at) => instant(at),
            Err(_) => match parsed.to_datetime().or_else(|_| parsed.to_date().map(DateTime::from)) {
                Ok(at) => self.naive(at),
                // A time of day without a date orders the rows of a run.
                Err(_) => {
                    Some(elapsed_s(parsed.to_time().ok()?.duration_since(jiff::civil::Time::midnight()).as_secs_f64()))
                }
            },
        }
    }

    fn naive(&self, at: DateTime) -> Option<Moment> {
        let time = |zone: &TimeZone| zone.to_timestamp(at).ok().and_then(representable);
        match &self.zone {
            Some(zone) => time(zone).map(Moment::At),
            None => time(&TimeZone::UTC).map(Moment::Naive),
        }
    }
}

/// Smaller numbers of seconds are before 1973: they are counted from the start of a run.
pub(super) const EARLIEST_S: f64 = 1e8;

/// A count since 1970 in seconds, milliseconds, microseconds or nanoseconds, which its size tells apart from 1973 to
/// 5138. A smaller number is counted from the start of a run.
pub(super) fn of_number(number: f64) -> Option<Moment> {
    if !(0.0..9.2e18).contains(&number) {
        return None;
    }
    match unit_of(number) {
        None => Some(elapsed_s(number)),
        Some(unit) => super::mapping::since_1970(number, unit.symbol()).and_then(instant),
    }
}

/// The unit of a count since 1970, by its size.
fn unit_of(number: f64) -> Option<Unit> {
    Some(match number {
        n if n < EARLIEST_S => return None,
        n if n < EARLIEST_S * 1e3 => Unit::Second,
        n if n < EARLIEST_S * 1e6 => Unit::Millisecond,
        n if n < EARLIEST_S * 1e9 => Unit::Microsecond,
        _ => Unit::Nanosecond,
    })
}

/// The date and time in a number such as `20260105100000`. As milliseconds since 1970, it would be after the year 2500.
fn compact_number(number: f64) -> Option<DateTime> {
    if number.fract() != 0.0 || !(1.9e13..2.2e13).contains(&number) {
        return None;
    }
    parsed("%Y%m%d%H%M%S", &format!("{number:.0}"))
}

/// An instant; `None` outside the years that a [`Time`] represents.
fn instant(at: Timestamp) -> Option<Moment> {
    representable(at).map(Moment::At)
}

fn representable(at: Timestamp) -> Option<Time> {
    Some(Time::from(Some(at))).filter(|time| *time != Time::NONE)
}

/// A time counted from the start of a run, or since 1970, in seconds.
pub(super) fn of_seconds(seconds: f64) -> Option<Moment> {
    match seconds {
        s if !s.is_finite() || s < 0.0 => None,
        s if s < EARLIEST_S => Some(elapsed_s(s)),
        s => super::mapping::since_1970(s, "s").and_then(instant),
    }
}

fn elapsed_s(seconds: f64) -> Moment {
    Moment::Elapsed(super::mapping::since_1970(seconds, "s").into())
}

/// A time that ends with its offset: `+0000`, `+00:00`, `Z`, `UTC`, `GMT`.
fn of_offset(text: &str) -> Option<Moment> {
    let (rest, offset) = split_offset(text)?;
    let at = date_time(rest)?;
    let zone = TimeZone::fixed(offset);
    zone.to_timestamp(at).ok().and_then(instant).or_else(|| {
        let at = rfc2822::parse(text).ok()?;
        instant(at.timestamp())
    })
}

fn split_offset(text: &str) -> Option<(&str, Offset)> {
    for name in ["UTC", "GMT", "UT", "Z", "z"] {
        if let Some(rest) = text.strip_suffix(name) {
            return rest.contains(':').then(|| (rest.trim_end(), Offset::UTC));
        }
    }
    let at = text.rfind(['+', '-', '\u{2212}'])?;
    let (rest, offset) = text.split_at(at);
    let sign = if offset.starts_with('+') { 1 } else { -1 };
    let digits: String = offset.chars().skip(1).filter(|&c| c != ':').collect();
    let is_offset = matches!(digits.len(), 2 | 4) && digits.bytes().all(|byte| byte.is_ascii_digit());
    // The end of a date is not an offset.
    if !is_offset || !rest.contains(':') {
        return None;
    }
    let hours: i32 = digits.get(..2)?.parse().ok()?;
    let minutes: i32 = digits.get(2..).filter(|minutes| !minutes.is_empty()).map_or(Ok(0), str::parse).ok()?;
    Some((rest.trim_end(), Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()?))
}

/// Forms with the name of a month, which have one meaning: the common log format, RFC 2822, `asctime`, and those of
/// exports for reading. A numeric date begins with its year, or its meaning is not known.
const NAMED_MONTHS: [&str; 12] = [
    "%d/%b/%Y:%H:%M:%S%.f",
    "%a %d %b %Y %H:%M:%S%.f",
    "%a %b %d %H:%M:%S%.f %Y",
    "%b %d %Y %H:%M:%S%.f",
    "%d %b %Y %H:%M:%S%.f",
    "%d-%b-%Y %H:%M:%S%.f",
    "%b %d %Y %I:%M:%S %p",
    "%d %b %Y %I:%M:%S %p",
    "%B %d %Y %H:%M:%S%.f",
    "%B %d %Y %I:%M:%S %p",
    "%a %b %d %Y %H:%M:%S%.f",
    "%d-%b-%y %H:%M:%S%.f",
];
/// Longer texts are not times.
const LONGEST: usize = 80;
/// The years of measurements. A number or a text of a guessed column that gives another year is something else.
const FIRST_YEAR: i16 = 2000;
const LAST_YEAR: i16 = 2100;

/// The text without the name of a zone next to its offset, as Go (`+0000 UTC m=+0.1`) and JavaScript
/// (`GMT+0000 (Coordinated Universal Time)`) write it.
fn without_zone_names(text: &str) -> String {
    let text = text.split(" m=").next().unwrap_or(text);
    let text = text.split(" (").next().unwrap_or(text).replace("GMT+", "+").replace("GMT-", "-");
    match text.strip_suffix(" UTC").or_else(|| text.strip_suffix(" GMT")) {
        Some(rest) if split_offset(rest).is_some() => rest.to_owned(),
        _ => text,
    }
}

/// A date and a time of day without an offset.
fn date_time(text: &str) -> Option<DateTime> {
    if let Some(compact) = compact(text) {
        return compact.parse().ok();
    }
    if begins_with_a_year(text) {
        let text = match text.as_bytes().get(4) {
            Some(b'/') => text.replacen('/', "-", 2),
            Some(b'.') => text.replacen('.', "-", 2),
            _ => text.to_owned(),
        };
        let usual = text.replacen(", ", " ", 1);
        let other = ["%Y-%m-%d %I:%M:%S %p", "%Y-%m-%d_%H-%M-%S%.f", "%Y-%jT%H:%M:%S%.f"];
        let of_week = || week_date(&usual);
        return usual.parse().ok().or_else(|| other.iter().find_map(|form| parsed(form, &usual))).or_else(of_week);
    }
    let plain: Vec<&str> =
        text.split([' ', ',']).filter(|part| !part.is_empty() && *part != "@" && *part != "UTC").collect();
    let plain = plain.join(" ");
    NAMED_MONTHS.iter().find_map(|form| parsed(form, &plain))
}

/// The usual form of `20260105-100000`, as vLLM writes the date of a run.
fn compact(text: &str) -> Option<String> {
    let (date, time) = text.split_once(['-', '_', 'T'])?;
    let has_digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    (has_digits(date, 8) && has_digits(time, 6)).then(|| format!("{date}T{time}"))
}

fn parsed(form: &str, text: &str) -> Option<DateTime> {
    // A year of two digits is not one of the first century.
    strtime::parse(form, text).ok()?.to_datetime().ok().filter(|at| at.year() >= 1900)
}

/// `2026-W02-1T10:00:00`: year, week and day of the week.
fn week_date(text: &str) -> Option<DateTime> {
    let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, "00:00:00"));
    let mut parts = date.split('-');
    let (year, week) = (parts.next()?.parse().ok()?, parts.next()?.strip_prefix('W')?.parse().ok()?);
    let weekday = Weekday::from_monday_one_offset(parts.next()?.parse().ok()?).ok()?;
    let date: Date = ISOWeekDate::new(year, week, weekday).ok()?.date();
    Some(date.to_datetime(time.parse().ok()?))
}

fn begins_with_a_year(text: &str) -> bool {
    text.split_once(['-', '/', '.'])
        .is_some_and(|(year, _)| year.len() == 4 && year.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn shown(moment: Moment) -> String {
        let (kind, time) = match moment {
            Moment::At(time) => ("", time),
            Moment::Naive(time) => ("naive ", time),
            Moment::Elapsed(time) => ("elapsed ", time),
        };
        format!("{kind}{}", time.get().unwrap())
    }

    #[test]
    fn every_usual_form_is_read() {
        for (text, expected) in [
            ("2026-01-05T10:00:00Z", "2026-01-05T10:00:00Z"),
            ("2026-01-05T12:00:00+02:00", "2026-01-05T10:00:00Z"),
            ("2026-01-05 10:00:00", "naive 2026-01-05T10:00:00Z"),
            ("2026-01-05 10:00:00.25", "naive 2026-01-05T10:00:00.25Z"),
            ("2026-01-05 10:00:00,250", "naive 2026-01-05T10:00:00.25Z"),
            ("2026-01-05T10:00", "naive 2026-01-05T10:00:00Z"),
            ("2026-01-05", "naive 2026-01-05T00:00:00Z"),
            ("20260105-100000", "naive 2026-01-05T10:00:00Z"),
            ("20260105T100000", "naive 2026-01-05T10:00:00Z"),
            ("2026/01/05 10:00:00", "naive 2026-01-05T10:00:00Z"),
            ("2026-01-05 12:00:00 +0200", "2026-01-05T10:00:00Z"),
            ("2026-01-05 12:00:00+0200", "2026-01-05T10:00:00Z"),
            ("2026-01-05 10:00:00 UTC", "2026-01-05T10:00:00Z"),
            ("2026-01-05 10:00:00Z", "2026-01-05T10:00:00Z"),
            ("Mon, 05 Jan 2026 10:00:00 +0000", "2026-01-05T10:00:00Z"),
            ("Mon, 05 Jan 2026 10:00:00 GMT", "2026-01-05T10:00:00Z"),
            ("Mon, 5 Jan 2026 12:00:00 +0200", "2026-01-05T10:00:00Z"),
            ("[05/Jan/2026:12:00:00 +0200]", "2026-01-05T10:00:00Z"),
            ("05/Jan/2026:10:00:00", "naive 2026-01-05T10:00:00Z"),
            ("Mon Jan  5 10:00:00 2026", "naive 2026-01-05T10:00:00Z"),
            ("Jan 5, 2026 @ 10:00:00.250", "naive 2026-01-05T10:00:00.25Z"),
            ("Jan 5, 2026, 1:00:00 PM", "naive 2026-01-05T13:00:00Z"),
            ("1767607200", "2026-01-05T10:00:00Z"),
            ("1767607200.5", "2026-01-05T10:00:00.5Z"),
            ("1767607200123", "2026-01-05T10:00:00.123Z"),
            ("1767607200123456", "2026-01-05T10:00:00.123456Z"),
            ("2026-01-05T10:00:00[Europe/Berlin]", "2026-01-05T09:00:00Z"),
            ("2026-01-05T10:00:00+01:00[Europe/Berlin]", "2026-01-05T09:00:00Z"),
            ("2026-01-05 10:00:00.25 +0000 UTC", "2026-01-05T10:00:00.25Z"),
            ("2026-01-05 10:00:00 +0000 UTC m=+12.3", "2026-01-05T10:00:00Z"),
            ("Mon Jan 05 2026 12:00:00 GMT+0200 (Central Time)", "2026-01-05T10:00:00Z"),
            ("January 5, 2026 1:00:00 PM", "naive 2026-01-05T13:00:00Z"),
            ("05-Jan-26 10:00:00", "naive 2026-01-05T10:00:00Z"),
            ("2026.01.05 10:00:00", "naive 2026-01-05T10:00:00Z"),
            ("2026-01-05_10-00-00", "naive 2026-01-05T10:00:00Z"),
            ("2026-W02-1T10:00:00", "naive 2026-01-05T10:00:00Z"),
            ("2026-005T10:00:00Z", "2026-01-05T10:00:00Z"),
            ("20260105100000", "naive 2026-01-05T10:00:00Z"),
            ("@1767607200", "2026-01-05T10:00:00Z"),
            ("/Date(1767607200123)/", "2026-01-05T10:00:00.123Z"),
            ("0.25", "elapsed 1970-01-01T00:00:00.25Z"),
        ] {
            assert_eq!(TimeRules::default().of_text(text).map(shown).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_has_two_meanings_is_not_guessed() {
        for text in [
            "05/01/2026 10:00:00",
            "20261305-100000",
            "01-05-2026",
            "10:00",
            "soon",
            "",
            "-5",
            "2026",
            "nan",
            "20261305100000",
            "0026-01-05T10:00:00Z",
        ] {
            let moment = TimeRules::default().of_text(text);
            assert!(
                matches!(moment, None | Some(Moment::Elapsed(_))) && (moment.is_none() || text == "2026"),
                "{text}"
            );
        }
        let stated = TimeRules { form: TimeForm::Stated("%d/%m/%Y %H:%M:%S".to_owned()), zone: None };
        assert_eq!(stated.of_text("05/01/2026 10:00:00").map(shown).as_deref(), Some("naive 2026-01-05T10:00:00Z"));
        let zone = Some(TimeZone::fixed(Offset::from_seconds(7200).unwrap()));
        let zoned = TimeRules { zone, ..TimeRules::default() };
        assert_eq!(zoned.of_text("2026-01-05 12:00:00").map(shown).as_deref(), Some("2026-01-05T10:00:00Z"));
    }
}
