//! Comparisons of 64 points as the bits of a word, with AVX2. The portable code of `comparisons` gives the same bits.
//!
//! A comparison of four numbers fills each of four lanes with ones or zeros. Narrowing joins eight comparisons to one
//! byte for each of 32 points, and one instruction collects the highest bits of these bytes.

use std::arch::x86_64::{
    __m256d, _CMP_GT_OQ, _CMP_LT_OQ, _mm256_castpd_si256, _mm256_cmp_pd, _mm256_movemask_epi8, _mm256_packs_epi16,
    _mm256_packs_epi32, _mm256_set1_pd, _mm256_setr_pd,
};

use super::bits::WORD;

/// Eight registers of four points each.
type Half = [__m256d; 8];

/// The points above the upper and below the lower of each pair of lines.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn beyond(points: &[f64; WORD], lines: &[[f64; 2]], mut found: impl FnMut(usize, [u64; 2])) {
    for half in 0..2 {
        let points = load(points, half);
        for (line, &[upper, lower]) in lines.iter().enumerate() {
            let (upper, lower) = (_mm256_set1_pd(upper), _mm256_set1_pd(lower));
            let above = bits(|i| _mm256_cmp_pd::<_CMP_GT_OQ>(points[i], upper));
            let below = bits(|i| _mm256_cmp_pd::<_CMP_LT_OQ>(points[i], lower));
            found(line, [above << (32 * half), below << (32 * half)]);
        }
    }
}

/// The points above and below the points before them.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn directions(points: &[f64; WORD], before: &[f64; WORD]) -> [u64; 2] {
    let mut words = [0; 2];
    for half in 0..2 {
        let (points, before) = (load(points, half), load(before, half));
        words[0] |= bits(|i| _mm256_cmp_pd::<_CMP_GT_OQ>(points[i], before[i])) << (32 * half);
        words[1] |= bits(|i| _mm256_cmp_pd::<_CMP_LT_OQ>(points[i], before[i])) << (32 * half);
    }
    words
}

/// Half of the points. Narrowing works on each half of a register, so that these hold points i and i + 16.
#[target_feature(enable = "avx2")]
#[inline]
fn load(points: &[f64; WORD], half: usize) -> Half {
    let (pairs, _) = points.as_chunks::<2>();
    std::array::from_fn(|i| {
        let ([a, b], [c, d]) = (pairs[16 * half + i], pairs[16 * half + i + 8]);
        _mm256_setr_pd(a, b, c, d)
    })
}

/// The results of eight comparisons, in the order of the points.
#[target_feature(enable = "avx2")]
#[inline]
fn bits(compared: impl Fn(usize) -> __m256d) -> u64 {
    let pair = |i: usize| {
        let (left, right) = (_mm256_castpd_si256(compared(i)), _mm256_castpd_si256(compared(i + 1)));
        _mm256_packs_epi32(left, right)
    };
    let (lower, upper) = (_mm256_packs_epi32(pair(0), pair(2)), _mm256_packs_epi32(pair(4), pair(6)));
    u64::from(_mm256_movemask_epi8(_mm256_packs_epi16(lower, upper)).cast_unsigned())
}
