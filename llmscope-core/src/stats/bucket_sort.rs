//! Sorts many numbers by buckets that fit into the cache.

use super::ordinal::in_total_order;

/// Fewer items than this are sorted at once.
const MANY: usize = 1 << 12;
/// A bucket of more items than this is divided again.
const LARGE: usize = 64;

/// Makes an item of each value, of its integer in the order of [`f64::total_cmp`] and its position, and sorts the items by
/// that integer.
///
/// Many items are first distributed to buckets of equal width on the scale of these integers, which is about logarithmic, and
/// those of each bucket again to smaller ones. The first buckets are so few that the processor's cache holds the ends of all
/// of them, and so small that it holds a whole one.
pub(super) fn in_order<T: Copy + Default>(
    values: &[f64],
    item: impl Fn(u64, usize) -> T,
    key: impl Fn(&T) -> u64 + Copy,
) -> Vec<T> {
    let items = || values.iter().enumerate().map(|(at, &value)| item(in_total_order(value), at));
    if values.len() < MANY {
        let mut sorted: Vec<T> = items().collect();
        sorted.sort_unstable_by_key(key);
        return sorted;
    }
    let mut sorted = vec![T::default(); values.len()];
    let mut ends = Vec::new();
    distribute(items, &mut sorted, key, 9, &mut ends);
    let (mut inner, mut inner_ends, mut start) = (Vec::new(), Vec::new(), 0);
    for end in ends {
        let bucket = &mut sorted[start..end];
        start = end;
        if bucket.len() <= LARGE {
            bucket.sort_unstable_by_key(key);
            continue;
        }
        inner.clear();
        inner.extend_from_slice(bucket);
        distribute(|| inner.iter().copied(), bucket, key, 3, &mut inner_ends);
        let mut first = 0;
        for &last in &inner_ends {
            if last - first > 1 {
                bucket[first..last].sort_unstable_by_key(key);
            }
            first = last;
        }
    }
    sorted
}

/// Writes the items bucket by bucket, about 2^`size` of them in each, and the end of each bucket.
fn distribute<T, I: Iterator<Item = T>>(
    items: impl Fn() -> I,
    sorted: &mut [T],
    key: impl Fn(&T) -> u64,
    size: u32,
    ends: &mut Vec<usize>,
) {
    /// The largest number of buckets, as a power of two.
    const MOST: u32 = 12;
    let (least, largest) = items().fold((u64::MAX, 0), |(least, largest), item| {
        let key = key(&item);
        (least.min(key), largest.max(key))
    });
    let bits = sorted.len().ilog2().saturating_sub(size).min(MOST);
    let shift = (u64::BITS - (largest - least).leading_zeros()).saturating_sub(bits);
    #[allow(clippy::cast_possible_truncation, reason = "a number of at most 12 bits")]
    let bucket = |item: &T| ((key(item) - least) >> shift) as usize;
    // First the number of items of each bucket, then where the next of them goes.
    ends.clear();
    ends.resize((1 << bits) + 1, 0);
    items().for_each(|item| ends[bucket(&item) + 1] += 1);
    (1..ends.len()).for_each(|at| ends[at] += ends[at - 1]);
    for item in items() {
        let next = &mut ends[bucket(&item)];
        sorted[*next] = item;
        *next += 1;
    }
    ends.pop();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cast::float;
    use crate::split_mix::SplitMix64;

    #[test]
    fn items_are_those_of_a_sort() {
        let mut random = SplitMix64(5);
        let mut drawn = |of: fn(f64) -> f64| (0..30_000).map(|_| of(random.uniform())).collect::<Vec<f64>>();
        let (tail, clock, signs) = (drawn(|u| 0.2 - u.ln()), drawn(|u| (u * 9.0).floor()), drawn(|u| 1e9 * (u - 0.5)));
        let far = drawn(|u| if u < 0.001 { -1e300 } else { 1.0 + u / 1e6 });
        let rising = (0..9000).map(float).collect();
        let zeros = (0..5000).map(|i| if i % 3 == 0 { -0.0 } else { 0.0 }).collect();
        for values in [vec![], vec![2.0; 5000], tail, clock, signs, far, rising, zeros] {
            let mut expected: Vec<u64> = values.iter().map(|&value| in_total_order(value)).collect();
            expected.sort_unstable();
            let pairs = in_order(&values, |key, at| (key, at), |&(key, _)| key);
            assert_eq!(pairs.iter().map(|&(key, _)| key).collect::<Vec<_>>(), expected);
            assert!(pairs.iter().all(|&(key, at)| key == in_total_order(values[at])));
            assert_eq!(in_order(&values, |key, _| key, |&key| key), expected);
        }
    }
}
