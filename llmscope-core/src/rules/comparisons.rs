//! Comparisons of points with lines and with each other, 64 per word. They are compiled for two instruction sets; the
//! processor selects one at run time.

use std::ops::Range;

use multiversion::multiversion;

use super::Side;
use super::batch::ChartLines;
use super::bits::{Bits, WORD};

/// One bit for each of 64 points that passes a test. Inlined, so that it is compiled for its caller's instruction set.
#[inline(always)]
fn word_of(test: impl Fn(usize) -> bool) -> u64 {
    let mut word = 0;
    for point in 0..WORD {
        word |= u64::from(test(point)) << point;
    }
    word
}

/// The points beyond constant lines.
#[multiversion(targets("x86_64+avx2"))]
pub(super) fn beyond_constant(points: &[f64], center: f64, sigma: f64, multiples: &[f64]) -> Vec<(f64, [Bits; 2])> {
    let none = || Bits::none(points.len());
    let mut beyond: Vec<_> = multiples.iter().map(|&multiple| (multiple, [none(), none()])).collect();
    let (chunks, rest) = points.as_chunks::<WORD>();
    for (multiple, [above, below]) in &mut beyond {
        let (upper, lower) = (center + *multiple * sigma, center - *multiple * sigma);
        for (w, chunk) in chunks.iter().enumerate() {
            above.set_word(w, word_of(|i| chunk[i] > upper));
            below.set_word(w, word_of(|i| chunk[i] < lower));
        }
        if !rest.is_empty() {
            above.set_word(chunks.len(), word_of(|i| rest.get(i).is_some_and(|&x| x > upper)));
            below.set_word(chunks.len(), word_of(|i| rest.get(i).is_some_and(|&x| x < lower)));
        }
    }
    beyond
}

/// The points beyond a varying line. Each point is compared with the line itself, CL ± kσ, so that a point equal to the
/// printed limit is not beyond it.
pub(super) fn beyond_varying(chart: &ChartLines<'_>, seen: &Range<usize>, multiple: f64) -> [Bits; 2] {
    let beyond = |side| Bits::of(seen.len(), |point| chart.at(seen.start + point).beyond(multiple) == Some(side));
    [beyond(Side::Above), beyond(Side::Below)]
}

/// The points above and below their predecessor; the first point has none.
#[multiversion(targets("x86_64+avx2"))]
pub(super) fn directions(points: &[f64]) -> [Bits; 2] {
    let (mut up, mut down) = (Bits::none(points.len()), Bits::none(points.len()));
    for w in 0..points.len().div_ceil(WORD) {
        // The sign of a difference equals the comparison: because of gradual underflow, a nonzero difference does not
        // vanish.
        let mut rises = [0.0; WORD];
        let pairs = points[w * WORD..].windows(2).take(WORD);
        rises.iter_mut().zip(pairs).for_each(|(rise, pair)| *rise = pair[1] - pair[0]);
        up.set_word(w, word_of(|i| rises[i] > 0.0));
        down.set_word(w, word_of(|i| rises[i] < 0.0));
    }
    [up.later(1), down.later(1)]
}
