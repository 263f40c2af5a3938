//! The unit that a column's name gives: at its end, in brackets, as a ratio, or inside (`latency_ms_client`).

use super::name::{Name, is_in};
use super::vocabulary::{CLEAR_DURATION, COUNTED, DURATION, MONEY, PER_MINUTE, PER_SECOND, PLACES, SCORES, SHARES};
use crate::metric::Unit;

/// A name that gives two units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TwoUnits(pub(super) Unit, pub(super) Unit);

/// The unit that the name gives, if it gives one.
pub(super) fn of(name: &Name) -> Result<Option<Unit>, TwoUnits> {
    if name.is_summarized_by("count n variance") {
        return Ok(None);
    }
    let ratio = ratio_unit(name);
    let of_words = if ratio.is_some() { ratio } else { last_unit(name) };
    let inside =
        (0..name.words.len().saturating_sub(1)).filter(|_| ratio.is_none()).filter_map(|at| inner_unit(name, at));
    let mut found = None;
    for unit in name.bracketed.into_iter().chain(of_words).chain(inside) {
        match found {
            None => found = Some(unit),
            Some(other) if !is_same(other, unit) => return Err(TwoUnits(other, unit)),
            Some(_) => {}
        }
    }
    Ok(found.or_else(|| unit_of_kind(name)))
}

/// Seconds per token are counted in seconds.
fn is_same(one: Unit, other: Unit) -> bool {
    let plain = |unit: Unit| if unit == Unit::SecondPerToken { Unit::Second } else { unit };
    plain(one) == plain(other)
}

/// The unit of a kind of quantity: `tps`, `Failures %`.
fn unit_of_kind(name: &Name) -> Option<Unit> {
    let is_rate = name.has(PER_SECOND) && !name.has(SHARES);
    let rate = if name.has(PER_MINUTE) { Some(Unit::PerMinute) } else { is_rate.then_some(Unit::PerSecond) };
    rate.or_else(|| (name.is_percent && !name.words.is_empty()).then_some(Unit::Percent))
}

/// The unit of `tokens_per_s`, `Tokens/sec`, `ms_per_token`, `time_per_token_s`.
fn ratio_unit(name: &Name) -> Option<Unit> {
    let at = name.words.iter().position(|word| word == "per")?;
    let (above, below) = (&name.words[..at], &name.words[at + 1..]);
    let is_token = |words: &[String]| words.iter().any(|word| matches!(word.as_str(), "token" | "tokens" | "tok"));
    let before = above.last().map(String::as_str)?;
    if let Some(period) = below.first().and_then(|word| Unit::of_time(word)) {
        // `Time / s` is a time in seconds; `tokens/s` a rate.
        return if is_in(DURATION, before) { Some(period) } else { Unit::per(period) };
    }
    let per_token = |unit: Unit| if unit == Unit::Second && is_token(below) { Unit::SecondPerToken } else { unit };
    if let Some(unit) = Unit::of_time(before).filter(|_| before.len() > 1 || above.len() < 2 || is_token(below)) {
        return Some(per_token(unit));
    }
    if is_in(MONEY, before) {
        return Some(Unit::UsDollar).filter(|_| name.has("usd dollars $"));
    }
    // `decode_tokens_per_gpu_s`: tokens for each GPU and second.
    let suffix = time_suffix(name)?;
    if is_in(COUNTED, before) && suffix == Unit::Second { Unit::per(suffix) } else { Some(per_token(suffix)) }
}

/// The unit that the last word is.
fn last_unit(name: &Name) -> Option<Unit> {
    let last = name.last()?;
    if last == "ps" || is_rate_of_tokens(name) {
        return Unit::per(Unit::Second).filter(|_| last == "ts" || is_counted_before(name, name.words.len() - 1));
    }
    if let Some(unit) = of_amount(last) {
        return Some(unit);
    }
    let time = time_suffix(name)?;
    let is_duration = name.has(CLEAR_DURATION) || name.has("time");
    let is_rate =
        is_counted_before(name, name.words.len() - 1) && !is_duration && matches!(last, "s" | "sec" | "second");
    if is_rate { Unit::per(time) } else { Some(time) }
}

/// True for the rates of llama.cpp: `tg_ts`, `pp_ts`, `avg_ts`. Other columns of this ending are times.
pub(super) fn is_rate_of_tokens(name: &Name) -> bool {
    let of_tokens = name.words.len().checked_sub(1).and_then(|at| before(name, at));
    let is_phase = of_tokens.is_some_and(|before| is_in("tg pp tok toks", before));
    let is_statistic = name.words.len() == 1 && name.is_summarized_by("avg stddev");
    name.last() == Some("ts") && (is_phase || is_statistic)
}

/// A unit that is not one of time.
fn of_amount(word: &str) -> Option<Unit> {
    match word {
        "usd" | "dollars" | "$" => Some(Unit::UsDollar),
        "pct" | "percent" | "percentage" => Some(Unit::Percent),
        _ => None,
    }
}

fn is_counted_before(name: &Name, at: usize) -> bool {
    before(name, at).is_some_and(|before| is_in(COUNTED, before))
}

fn before(name: &Name, at: usize) -> Option<&str> {
    at.checked_sub(1).map(|at| name.words[at].as_str())
}

/// The unit of time that the last word is.
fn time_suffix(name: &Name) -> Option<Unit> {
    let last = name.last()?;
    // `p99_us` names a unit, a column `us` a country.
    let is_alone = name.words.len() == 1 && name.statistics.is_empty();
    let fits = match last {
        "s" => !is_alone,
        "us" | "ns" => !is_alone && !name.has(PLACES),
        // A height, an hour, a meter, a minute.
        "h" | "m" => !is_alone && last == "h" && name.has(DURATION),
        _ => !is_window(name, name.words.len() - 1),
    };
    Unit::of_time(last).filter(|_| fits)
}

/// The unit that a word before the last one is: `latency_ms_client`, `ms_latency`, `tok_s_gpu`. A word that has another
/// meaning, too, is a unit only after a duration or a thing that is counted.
fn inner_unit(name: &Name, at: usize) -> Option<Unit> {
    /// A number that is named after a duration is not one.
    const OTHERS: &str = "id ids bucket buckets bin class label status code ok count counts number";
    /// Areas and tiers after `us`.
    const AREAS: &str = "east west north south central gov eu asia apac ap ca";
    let (word, last) = (name.words[at].as_str(), name.last()?);
    let counts = [COUNTED, SHARES, SCORES, OTHERS].iter().any(|words| is_in(words, last));
    if counts || is_window(name, at) {
        return None;
    }
    if let Some(unit) = of_amount(word) {
        return Some(unit);
    }
    let time = Unit::of_time(word)?;
    let is_after_duration = before(name, at).is_some_and(|before| is_in(DURATION, before));
    let is_place = || name.has(PLACES) || is_in(AREAS, &name.words[at + 1]);
    match word {
        // A minute, an hour, a meter; the second of several.
        "m" | "h" | "hr" | "min" | "minute" | "hour" | "second" => None,
        "s" | "sec" if is_counted_before(name, at) => Unit::per(time),
        "s" | "sec" => Some(time).filter(|_| is_after_duration),
        "us" | "ns" => Some(time).filter(|_| is_after_duration && !is_place()),
        // Milliseconds of something, but not a number of it.
        _ => Some(time).filter(|_| name.has(CLEAR_DURATION) || !name.has(COUNTED)),
    }
}

/// True for the word after `last`, which with it gives a window of time: `errors_last_minutes`.
fn is_window(name: &Name, at: usize) -> bool {
    const WINDOWS: &str = "last past previous recent rolling trailing next every each within window";
    before(name, at).is_some_and(|before| is_in(WINDOWS, before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_inside_a_name_is_read() {
        for (unit, names) in [
            (
                Unit::Millisecond,
                "latency_ms_client ms_latency latency_ms_v2 p95_ms_total latencyMsP99 min_latency_ms latency/ms \
                 ttft(ms) TTFTMs ttft_ms_avg_client latency_ms_us_east duration_ms_per_request",
            ),
            (Unit::Second, "latency_s_client http_request_duration_seconds_sum response_time_s_total e2e_s_server"),
            (Unit::Microsecond, "latency_us_client latencyUsClient lat_usec_server us_per_op"),
            (Unit::Nanosecond, "wait_ns_total elapsed_nanos_client"),
            (Unit::PerSecond, "tok_s_gpu req_sec_total tokens_s_per_gpu tokens_ps req_ps decode_tokens_per_gpu_s"),
            (Unit::UsDollar, "cost_usd_total"),
            (Unit::Percent, "error_pct_total"),
        ] {
            for text in names.split(' ') {
                assert_eq!(of(&Name::of(text)), Ok(Some(unit)), "{text}");
            }
        }
    }

    #[test]
    fn words_with_another_meaning_are_no_units() {
        for text in [
            "us_east_latency",
            "latency_us_east",
            "s_total",
            "min_latency",
            "second_attempt_latency",
            "latency_last_5_minutes",
            "errors_last_hour",
            "m_latency",
            "h_total",
            "ns_requests_total",
            "latency_seconds_bucket",
            "latency_ms_count",
            "latency_ms_ratio",
            "latency_ms_samples",
            "ms_requests_total",
        ] {
            assert_eq!(of(&Name::of(text)), Ok(None), "{text}");
        }
    }

    #[test]
    fn two_units_are_none() {
        for (text, one, other) in [
            ("latency_ms_s", Unit::Second, Unit::Millisecond),
            ("ms_latency_us", Unit::Microsecond, Unit::Millisecond),
            ("latency_ms (s)", Unit::Second, Unit::Millisecond),
            ("latency_us_ms_total", Unit::Microsecond, Unit::Millisecond),
        ] {
            assert_eq!(of(&Name::of(text)), Err(TwoUnits(one, other)), "{text}");
        }
        assert_eq!(of(&Name::of("time_per_token_s (s)")), Ok(Some(Unit::Second)));
    }
}
