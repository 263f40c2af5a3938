//! Logfire's records of streams: a span until the stream begins, and a log with its duration at the end.

use super::spans::Span;

/// Logfire's attribute of the type of a span.
const TYPE: &str = "logfire.span_type";
const DURATION: &str = "duration";
const NANOSECONDS: f64 = 1e9;

/// Joins each log of a stream with the span of its request: the request lasted from the begin of the span for the
/// duration of the log. A log without a span is the request itself.
pub(super) fn merge(requests: &mut Vec<Span>) {
    let mut logs: Vec<Span> = Vec::new();
    let mut spans: Vec<Span> = Vec::new();
    for span in requests.drain(..) {
        let is_log = span.attributes.text(&[TYPE]) == Some("log") && span.attributes.number(DURATION).is_some();
        if is_log { logs.push(span) } else { spans.push(span) }
    }
    let mut joined = vec![false; spans.len()];
    for mut log in logs {
        #[allow(clippy::cast_possible_truncation, reason = "a duration is far below 2^63 ns")]
        let lasted = log.attributes.number(DURATION).map_or(0, |seconds| (seconds * NANOSECONDS).round() as i128);
        let is_of_log = |(index, span): &(usize, &Span)| {
            !joined[*index]
                && span.attributes.text(&[TYPE]) == Some("span")
                && if span.trace == log.trace { span.begin_ns <= log.begin_ns } else { began_with(span, &log, lasted) }
        };
        let found = spans.iter().enumerate().filter(is_of_log).max_by_key(|(_, span)| span.begin_ns).map(|(at, _)| at);
        match found {
            Some(at) => {
                joined[at] = true;
                let span = &mut spans[at];
                span.end_ns = span.begin_ns.map(|begin| begin + lasted);
                span.attributes.extend(log.attributes);
                span.failed |= log.failed;
                span.events.extend(log.events);
            }
            None => {
                log.end_ns = log.begin_ns;
                log.begin_ns = log.begin_ns.map(|end| end - lasted);
                spans.push(log);
            }
        }
    }
    *requests = spans;
}

/// True if a span and a log of different traces are of one request: the same model, and the stream began while the span was
/// open. Logfire starts a trace of its own for the log, because the span has ended by then.
fn began_with(span: &Span, log: &Span, lasted: i128) -> bool {
    const TOLERANCE_NS: i128 = 5_000_000;
    const MODEL: &[&str] = &["gen_ai.request.model"];
    let (Some(begin), Some(end), Some(logged)) = (span.begin_ns, span.end_ns, log.begin_ns) else { return false };
    let began = logged - lasted;
    span.attributes.text(MODEL) == log.attributes.text(MODEL)
        && (begin - TOLERANCE_NS..=end + TOLERANCE_NS).contains(&began)
}
