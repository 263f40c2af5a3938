//! Sets of points, one bit per point: one machine word tests 64 points.

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

    pub(super) fn set_word(&mut self, word: usize, value: u64) {
        self.words[word] = value;
    }

    pub(super) fn get(&self, point: usize) -> bool {
        self.words[point / WORD] >> (point % WORD) & 1 == 1
    }

    pub(super) fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The number of runs of successive points.
    pub(super) fn run_count(&self) -> usize {
        let begins = (0..self.words.len()).map(|w| self.words[w] & !self.word_later(w, 1));
        begins.map(|word| word.count_ones() as usize).sum()
    }

    pub(super) fn and(mut self, other: &Self) -> Self {
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a &= b);
        self
    }

    pub(super) fn and_not(mut self, other: &Self) -> Self {
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a &= !b);
        self
    }

    pub(super) fn or(mut self, other: &Self) -> Self {
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a |= b);
        self
    }

    /// Adds one bit to each point, as to a column of a binary number. Returns the carry to the next column.
    pub(super) fn add(&mut self, mut bit: Self) -> Self {
        for (sum, bit) in self.words.iter_mut().zip(&mut bit.words) {
            (*sum, *bit) = (*sum ^ *bit, *sum & *bit);
        }
        bit
    }

    /// Copies the points `part` from a set whose first point is `from` of this one. Both begin at a word boundary.
    pub(super) fn put(&mut self, part: Range<usize>, set: &Self, from: usize) {
        let words = part.start / WORD..part.end.div_ceil(WORD);
        let source = (part.start - from) / WORD;
        self.words[words.clone()].copy_from_slice(&set.words[source..source + words.len()]);
        if part.end == self.len {
            *self = std::mem::take(self).trimmed();
        }
    }

    /// The points that are not in the set.
    pub(super) fn complement(mut self) -> Self {
        self.words.iter_mut().for_each(|word| *word = !*word);
        self.trimmed()
    }

    /// Clears the bits beyond the last point.
    fn trimmed(mut self) -> Self {
        let beyond = self.words.len() * WORD - self.len;
        if let Some(last) = self.words.last_mut() {
            *last &= u64::MAX >> beyond;
        }
        self
    }

    /// The set shifted to later points: point i is in it if i − `by` was.
    pub(super) fn later(&self, by: usize) -> Self {
        let mut moved = Self::none(self.len);
        for w in by / WORD..self.words.len() {
            moved.words[w] = self.word_later(w, by);
        }
        moved.trimmed()
    }

    /// The set shifted to earlier points by one.
    pub(super) fn earlier(mut self) -> Self {
        for w in 0..self.words.len() {
            self.words[w] = self.word_earlier(w, 1);
        }
        self
    }

    /// The points that end `length` successive points of the set.
    pub(super) fn runs(self, length: usize) -> Self {
        // From the end, so that each word is read before it is overwritten.
        self.doubled(length, |set, by| {
            (0..set.words.len()).rev().for_each(|w| set.words[w] &= set.word_later(w, by));
        })
    }

    /// The points of the set, each with the `length` − 1 points before it.
    pub(super) fn with_points_before(self, length: usize) -> Self {
        self.doubled(length, |set, by| (0..set.words.len()).for_each(|w| set.words[w] |= set.word_earlier(w, by)))
    }

    /// The points of the set, each with the `length` − 1 points after it.
    pub(super) fn with_points_after(self, length: usize) -> Self {
        let widened = self.doubled(length, |set, by| {
            (0..set.words.len()).rev().for_each(|w| set.words[w] |= set.word_later(w, by));
        });
        widened.trimmed()
    }

    /// Joins the set with itself shifted by one point, then by two, four and so on, until it covers `length` points.
    #[inline]
    fn doubled(mut self, length: usize, join: impl Fn(&mut Self, usize)) -> Self {
        let mut covered = 1;
        while covered < length {
            let step = covered.min(length - covered);
            join(&mut self, step);
            covered += step;
        }
        self
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

    /// Word `w` of the set shifted to later points by `by`.
    #[inline]
    fn word_later(&self, w: usize, by: usize) -> u64 {
        let (words, bits) = (by / WORD, by % WORD);
        let word = |back: usize| w.checked_sub(back).map_or(0, |at| self.words[at]);
        if bits == 0 { word(words) } else { word(words) << bits | word(words + 1) >> (WORD - bits) }
    }

    /// Word `w` of the set shifted to earlier points by `by`.
    #[inline]
    fn word_earlier(&self, w: usize, by: usize) -> u64 {
        let (words, bits) = (by / WORD, by % WORD);
        let word = |ahead: usize| self.words.get(w + ahead).copied().unwrap_or(0);
        if bits == 0 { word(words) } else { word(words) >> bits | word(words + 1) << (WORD - bits) }
    }
}
