//! What a tool records about a request in addition to the metrics that all tools define in the same way.

use crate::session::AttributeValue;

/// Named numbers. Absent and non-finite values are left out.
pub(super) fn numbers<'n>(
    fields: impl IntoIterator<Item = (&'n str, Option<f64>)>,
) -> impl Iterator<Item = (String, AttributeValue)> {
    let finite = |(name, value): (&str, Option<f64>)| {
        Some((name.to_owned(), AttributeValue::Number(value.filter(|value| value.is_finite())?)))
    };
    fields.into_iter().filter_map(finite)
}

/// Named texts. Absent and empty values are left out.
pub(super) fn texts<'n>(
    fields: impl IntoIterator<Item = (&'n str, Option<&'n str>)>,
) -> impl Iterator<Item = (String, AttributeValue)> {
    let present = |(name, text): (&str, Option<&str>)| {
        Some((name.to_owned(), AttributeValue::Text(text.filter(|text| !text.is_empty())?.to_owned())))
    };
    fields.into_iter().filter_map(present)
}

/// A text as a number if it parses as one, so that it can be charted; otherwise as text, to group by.
pub(super) fn scalar(text: &str) -> AttributeValue {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => AttributeValue::Number(number),
        _ => AttributeValue::Text(text.to_owned()),
    }
}

/// A count as a number.
pub(super) fn count(count: u64) -> f64 {
    // Exact below 2⁵³: no count of tokens, bytes or nanoseconds of a request reaches it.
    #[allow(clippy::cast_precision_loss, reason = "such counts are far below 2^53")]
    let number = count as f64;
    number
}
