//! Comparisons of points with lines and with each other, 64 per word. They are compiled for two instruction sets; the
//! processor selects one at run time.

use std::ops::Range;

use multiversion::multiversion;
use multiversion::target::match_target;

use super::Side;
use super::batch::ChartLines;
use super::bits::{Bits, WORD};
#[cfg(target_arch = "x86_64")]
use super::packed;

/// The points above the upper and below the lower of each pair of constant lines.
#[multiversion(targets("x86_64+avx2"))]
pub(super) fn beyond_constant(points: &[f64], lines: &[[f64; 2]]) -> Vec<[Bits; 2]> {
    let mut sets: Vec<_> = lines.iter().map(|_| [Bits::none(points.len()), Bits::none(points.len())]).collect();
    let (chunks, rest) = points.as_chunks::<WORD>();
    for (w, chunk) in chunks.iter().enumerate() {
        let found = |line: usize, words| add_words(&mut sets[line], w, words);
        match_target! {
            "x86_64+avx2" => packed::beyond(chunk, lines, found),
            _ => beyond(chunk, lines, found),
        }
    }
    beyond(rest, lines, |line, words| add_words(&mut sets[line], chunks.len(), words));
    sets
}

/// The points above and below their predecessor; the first point has none.
#[multiversion(targets("x86_64+avx2"))]
pub(super) fn directions(points: &[f64]) -> [Bits; 2] {
    let mut sets = [Bits::none(points.len()), Bits::none(points.len())];
    let later = points.get(1..).unwrap_or_default();
    let (chunks, rest) = later.as_chunks::<WORD>();
    for (w, (chunk, before)) in chunks.iter().zip(points.as_chunks::<WORD>().0).enumerate() {
        let words = match_target! {
            "x86_64+avx2" => packed::directions(chunk, before),
            _ => [word_of(chunk, |i, x| x > before[i]), word_of(chunk, |i, x| x < before[i])],
        };
        add_words(&mut sets, w, words);
    }
    let before = &points[chunks.len() * WORD..];
    add_words(&mut sets, chunks.len(), [word_of(rest, |i, x| x > before[i]), word_of(rest, |i, x| x < before[i])]);
    sets.map(|set| set.later(1))
}

/// The points beyond a varying line. Each point is compared with the line itself, CL ± kσ, so that a point equal to the
/// printed limit is not beyond it.
pub(super) fn beyond_varying(chart: &ChartLines<'_>, seen: &Range<usize>, multiple: f64) -> [Bits; 2] {
    let beyond = |side| Bits::of(seen.len(), |point| chart.at(seen.start + point).beyond(multiple) == Some(side));
    [beyond(Side::Above), beyond(Side::Below)]
}

/// The portable form of `packed::beyond`, for at most 64 points.
#[inline(always)]
fn beyond(points: &[f64], lines: &[[f64; 2]], mut found: impl FnMut(usize, [u64; 2])) {
    for (line, &[upper, lower]) in lines.iter().enumerate() {
        found(line, [word_of(points, |_, x| x > upper), word_of(points, |_, x| x < lower)]);
    }
}

/// One bit for each of at most 64 points that passes a test. Inlined, so that it is compiled for its caller's
/// instruction set.
#[inline(always)]
fn word_of(points: &[f64], test: impl Fn(usize, f64) -> bool) -> u64 {
    points.iter().enumerate().fold(0, |word, (i, &x)| word | u64::from(test(i, x)) << i)
}

#[inline(always)]
fn add_words(sets: &mut [Bits; 2], word: usize, words: [u64; 2]) {
    for (set, found) in sets.iter_mut().zip(words) {
        set.add_word(word, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both instruction sets give the bits of comparisons one by one, for any number of points and for values on a line.
    #[test]
    fn words_are_comparisons_point_by_point() {
        let values = [0.0, -0.0, 1.0, -1.0, 1.0 + f64::EPSILON, f64::MIN_POSITIVE, -5e-324, 5e-324, 1e75, -1e75];
        let lines = [[0.0, -0.0], [1.0, -1.0], [1e75, 5e-324]];
        for n in [0, 1, 2, 63, 64, 65, 128, 129, 200] {
            let points: Vec<f64> = (0..n).map(|i| values[i * i % 7 + i % 4]).collect();
            let beyond = beyond_constant(&points, &lines);
            for (sets, [upper, lower]) in beyond.iter().zip(lines) {
                assert_eq!(sets[0], Bits::of(n, |i| points[i] > upper));
                assert_eq!(sets[1], Bits::of(n, |i| points[i] < lower));
            }
            let [up, down] = directions(&points);
            assert_eq!(up, Bits::of(n, |i| i > 0 && points[i] > points[i - 1]));
            assert_eq!(down, Bits::of(n, |i| i > 0 && points[i] < points[i - 1]));
        }
    }

    /// The code of other processors, which this one may never select.
    #[test]
    fn the_portable_code_gives_the_same_words() {
        let points: Vec<f64> = (0..WORD).map(|i| ((i * 7) % 11) as f64 - 5.0).collect();
        let lines = [[2.0, -2.0]];
        let mut words = [0; 2];
        beyond(&points, &lines, |_, found| words = found);
        let sets = beyond_constant(&points, &lines);
        let mut portable = [Bits::none(WORD), Bits::none(WORD)];
        add_words(&mut portable, 0, words);
        assert_eq!(sets, [portable]);
    }
}
