//! Sets of points, one bit per point: one machine word tests 64 points.

use std::borrow::Cow;
use std::ops::Range;

/// Points in a word.
pub(super) const WORD: usize = u64::BITS as usize;

/// A set of points. Bits beyond the last point are 0.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Bits {
    words: Vec<u64>,
    len: usize,
}

impl Bits {
    pub(super) fn none(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(WORD)], len }
    }

    /// No points yet, with space for as many.
    pub(super) fn with_capacity(len: usize) -> Self {
        Self { words: Vec::with_capacity(len.div_ceil(WORD)), len: 0 }
    }

    /// The points that pass a test.
    pub(super) fn of(len: usize, test: impl Fn(usize) -> bool) -> Self {
        let mut bits = Self::none(len);
        for (w, word) in bits.words.iter_mut().enumerate() {
            let first = w * WORD;
            for point in first..len.min(first + WORD) {
                *word |= u64::from(test(point)) << (point - first);
            }
        }
        bits
    }

    /// The points at these positions, which must be below `len`.
    pub(super) fn at(len: usize, positions: &[usize]) -> Self {
        let mut bits = Self::none(len);
        for &position in positions {
            bits.words[position / WORD] |= 1 << (position % WORD);
        }
        bits
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The points of the set within a range.
    pub(super) fn within(mut self, range: &Range<usize>) -> Self {
        for (w, word) in self.words.iter_mut().enumerate() {
            let below = |end: usize| match end.saturating_sub(w * WORD) {
                bits if bits >= WORD => u64::MAX,
                bits => (1 << bits) - 1,
            };
            *word &= below(range.end) & !below(range.start);
        }
        self
    }

    /// Adds the points of a word. A word beyond the last point has none.
    #[inline]
    pub(super) fn add_word(&mut self, word: usize, points: u64) {
        if let Some(known) = self.words.get_mut(word) {
            *known |= points;
        }
    }

    pub(super) fn get(&self, point: usize) -> bool {
        self.words[point / WORD] >> (point % WORD) & 1 == 1
    }

    pub(super) fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    #[inline(always)]
    pub(super) fn and(mut self, other: &Self) -> Self {
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a &= b);
        self
    }

    #[inline(always)]
    pub(super) fn and_not(mut self, other: &Self) -> Self {
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a &= !b);
        self
    }

    #[inline(always)]
    pub(super) fn or(mut self, other: &Self) -> Self {
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a |= b);
        self
    }

    /// Adds one bit to each point, as to a column of a binary number. Returns the carry to the next column.
    #[inline(always)]
    pub(super) fn add(&mut self, mut bit: Self) -> Self {
        for (sum, bit) in self.words.iter_mut().zip(&mut bit.words) {
            (*sum, *bit) = (*sum ^ *bit, *sum & *bit);
        }
        bit
    }

    /// A part of the set, which begins at a word boundary.
    pub(super) fn part(&self, points: &Range<usize>) -> Self {
        let words = self.words[points.start / WORD..points.end.div_ceil(WORD)].to_vec();
        Self { words, len: points.len() }.trimmed()
    }

    /// Adds the points of a set behind this one, which ends at a word boundary.
    pub(super) fn append(&mut self, set: &Self) {
        self.words.extend_from_slice(&set.words);
        self.len += set.len;
    }

    /// The points that are not in the set.
    #[inline(always)]
    pub(super) fn complement(mut self) -> Self {
        self.words.iter_mut().for_each(|word| *word = !*word);
        self.trimmed()
    }

    /// Clears the bits beyond the last point.
    #[inline(always)]
    fn trimmed(mut self) -> Self {
        let beyond = self.words.len() * WORD - self.len;
        if let Some(last) = self.words.last_mut() {
            *last &= u64::MAX >> beyond;
        }
        self
    }

    /// The set shifted to later points: point i is in it if i − `by` was.
    #[inline(always)]
    pub(super) fn later(&self, by: usize) -> Self {
        self.with_later(by, |_, later| later).trimmed()
    }

    /// The set shifted to earlier points by one.
    #[inline(always)]
    pub(super) fn earlier(&self) -> Self {
        self.with_earlier(1, |_, earlier| earlier)
    }

    /// The points that end `length` successive points of the set.
    #[inline(always)]
    pub(super) fn runs(&self, length: usize) -> Self {
        let mut set = Cow::Borrowed(self);
        for by in steps(length) {
            set = Cow::Owned(set.with_later(by, |own, later| own & later));
        }
        set.into_owned()
    }

    /// The points of the set, each with the `length` − 1 points before it.
    #[inline(always)]
    pub(super) fn with_points_before(&self, length: usize) -> Self {
        let mut set = Cow::Borrowed(self);
        for by in steps(length) {
            set = Cow::Owned(set.with_earlier(by, |own, earlier| own | earlier));
        }
        set.into_owned()
    }

    /// The points of the set, each with the `length` − 1 points after it.
    #[inline(always)]
    pub(super) fn with_points_after(&self, length: usize) -> Self {
        let mut set = Cow::Borrowed(self);
        for by in steps(length) {
            set = Cow::Owned(set.with_later(by, |own, later| own | later));
        }
        set.into_owned().trimmed()
    }

    /// Joins each word with that of the set shifted to later points.
    #[inline(always)]
    fn with_later(&self, by: usize, join: impl Fn(u64, u64) -> u64) -> Self {
        let (skipped, bits) = ((by / WORD).min(self.words.len()), by % WORD);
        let (before, own) = self.words.split_at(skipped);
        let mut words = Vec::with_capacity(self.words.len());
        words.extend(before.iter().map(|&own| join(own, 0)));
        words.extend(own.first().map(|&own| join(own, self.words[0] << bits)));
        let pairs = self.words.windows(2).zip(own.get(1..).unwrap_or_default());
        words.extend(pairs.map(|(pair, &own)| join(own, pair[1] << bits | pair[0] >> 1 >> (WORD - 1 - bits))));
        Self { words, len: self.len }
    }

    /// Joins each word with that of the set shifted to earlier points.
    #[inline(always)]
    fn with_earlier(&self, by: usize, join: impl Fn(u64, u64) -> u64) -> Self {
        let (skipped, bits) = ((by / WORD).min(self.words.len()), by % WORD);
        let source = &self.words[skipped..];
        let mut words = Vec::with_capacity(self.words.len());
        let pairs = source.windows(2).zip(&self.words);
        words.extend(pairs.map(|(pair, &own)| join(own, pair[0] >> bits | pair[1] << 1 << (WORD - 1 - bits))));
        let mut rest = self.words[words.len()..].iter();
        words.extend(source.last().zip(rest.next()).map(|(&last, &own)| join(own, last >> bits)));
        words.extend(rest.map(|&own| join(own, 0)));
        Self { words, len: self.len }
    }

    /// The first point from `start` on that is in the set.
    pub(super) fn next(&self, start: usize) -> Option<usize> {
        self.search(start, |word| word)
    }

    /// The first point from `start` on that is not in the set; the number of points if all are.
    pub(super) fn next_outside(&self, start: usize) -> usize {
        self.search(start, |word| !word).unwrap_or(self.len)
    }

    fn search(&self, start: usize, pick: impl Fn(u64) -> u64) -> Option<usize> {
        if start >= self.len {
            return None;
        }
        let mut w = start / WORD;
        let mut word = pick(self.words[w]) & u64::MAX << (start % WORD);
        while word == 0 {
            w += 1;
            word = pick(*self.words.get(w)?);
        }
        let found = w * WORD + word.trailing_zeros() as usize;
        (found < self.len).then_some(found)
    }

    /// The positions of the set's points, in order.
    pub(super) fn positions(&self) -> impl Iterator<Item = usize> + '_ {
        let mut start = 0;
        std::iter::from_fn(move || {
            let found = self.next(start)?;
            start = found + 1;
            Some(found)
        })
    }
}

/// The shifts that join a set with itself until it covers `length` points: by one point, then by two, four and so on.
#[inline(always)]
fn steps(length: usize) -> impl Iterator<Item = usize> {
    let mut covered = 1;
    std::iter::from_fn(move || {
        let step = covered.min(length.saturating_sub(covered));
        covered += step;
        (step > 0).then_some(step)
    })
}
