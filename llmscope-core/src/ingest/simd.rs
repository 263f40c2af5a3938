//! Examines many bytes in one step.

use wide::{u8x16, u8x64};

/// The number of bytes before the first marked one.
fn length_before(bytes: &[u8], marks: impl Fn(u8x16) -> u8x16) -> usize {
    let mut length = 0;
    loop {
        let rest = &bytes[length..];
        let lanes = rest.first_chunk::<16>().copied().unwrap_or_else(|| padded(rest));
        let found = marks(u8x16::new(lanes)).to_bitmask();
        if found != 0 {
            return length + found.trailing_zeros() as usize;
        }
        length += 16;
    }
}

/// The bytes, padded with zeros.
fn padded<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut lanes = [0; N];
    lanes.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    lanes
}

/// The number of bytes before the first quotation mark, backslash or control character.
pub(super) fn plain_length(bytes: &[u8]) -> usize {
    // The padding zeros count as control characters.
    length_before(bytes, |lanes| {
        let is_control = lanes.min(u8x16::splat(0x1f)).simd_eq(lanes);
        lanes.simd_eq(u8x16::splat(b'"')) | lanes.simd_eq(u8x16::splat(b'\\')) | is_control
    })
}

/// The number of leading digits.
pub(super) fn digits(bytes: &[u8]) -> usize {
    length_before(bytes, |lanes| {
        let above_zero = lanes - u8x16::splat(b'0');
        !above_zero.min(u8x16::splat(9)).simd_eq(above_zero)
    })
}

/// The positions of delimiters and line feeds.
pub(super) fn field_ends(bytes: &[u8], delimiter: u8) -> impl Iterator<Item = usize> {
    let (mut first, mut next, mut marks) = (0, 0, 0);
    std::iter::from_fn(move || {
        while marks == 0 {
            let rest = bytes.get(next..).filter(|rest| !rest.is_empty())?;
            let lanes = u8x64::new(rest.first_chunk::<64>().copied().unwrap_or_else(|| padded(rest)));
            marks = (lanes.simd_eq(u8x64::splat(delimiter)) | lanes.simd_eq(u8x64::splat(b'\n'))).to_bitmask();
            (first, next) = (next, next + 64);
        }
        let place = first + marks.trailing_zeros() as usize;
        marks &= marks - 1;
        Some(place)
    })
}

/// True if the bytes begin with `expected`: calling a general comparison costs more than comparing so few bytes.
pub(super) fn begins_with(bytes: &[u8], expected: &[u8]) -> bool {
    let Some(bytes) = bytes.get(..expected.len()) else { return false };
    match (bytes.last_chunk::<8>(), expected.last_chunk::<8>()) {
        // The last eight bytes may overlap the ones before them.
        (Some(last), Some(expected_last)) => {
            let (words, expected_words) = (bytes.as_chunks::<8>().0, expected.as_chunks::<8>().0);
            last == expected_last && words.iter().zip(expected_words).all(|(one, other)| one == other)
        }
        _ => bytes.iter().zip(expected).all(|(one, other)| one == other),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_plain_text_ends_where_it_ends(text in "[a-z\u{1}\u{1f} \"\\\\äß\u{7f}!#]{0,40}") {
            let plain = |byte: &u8| !matches!(byte, b'"' | b'\\') && *byte >= 0x20;
            let expected = text.bytes().take_while(plain).count();
            prop_assert_eq!(plain_length(text.as_bytes()), expected);
        }

        #[test]
        fn digits_end_where_they_end(text in "[0-9]{0,20}[-/:a\u{7f}ä\u{ff}0-9]{0,4}") {
            let expected = text.bytes().take_while(u8::is_ascii_digit).count();
            prop_assert_eq!(digits(text.as_bytes()), expected);
        }

        #[test]
        fn fields_end_at_delimiters_and_line_feeds(
            text in "[,;a+\n\u{ac}ä]{0,150}",
            delimiter in prop::sample::select(vec![b',', b';']),
        ) {
            let all: Vec<usize> = field_ends(text.as_bytes(), delimiter).collect();
            let is_end = |(_, byte): &(usize, u8)| *byte == delimiter || *byte == b'\n';
            let expected: Vec<usize> = text.bytes().enumerate().filter(is_end).map(|(at, _)| at).collect();
            prop_assert_eq!(all, expected);
        }

        #[test]
        fn a_beginning_is_compared_to_its_end(text in "[ab]{0,20}", expected in "[ab]{0,20}", cut in 0_usize..20) {
            for expected in [&expected[..], &text[..cut.min(text.len())]] {
                prop_assert_eq!(begins_with(text.as_bytes(), expected.as_bytes()), text.starts_with(expected));
            }
        }
    }
}
