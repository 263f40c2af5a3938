//! Measurements in time order: [`Sample`] for single values, [`Subgroups`] for rational subgroups.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// How a gap in the data (a failed request, an empty cell) affects the points around it.
///
/// ```
/// use llmscope_core::{Missing, Sample};
///
/// let values = [Some(1.0), None, Some(3.0)];
/// assert!(Sample::gather(values, "error".parse()?).is_err());
/// assert_eq!(Sample::gather(values, Missing::Break)?.0.breaks(), [1]);
/// assert!(Sample::gather(values, Missing::Drop)?.0.breaks().is_empty());
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[doc(alias("NaN", "missing values"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// A gap is an error, which names its position.
    #[default]
    Error,
    /// A gap ends every run and every moving range that would span it.
    Break,
    /// A gap is dropped as if it had never been recorded: the values before and after it become adjacent.
    Drop,
}

impl FromStr for Missing {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "error" => Ok(Self::Error),
            "break" => Ok(Self::Break),
            "drop" => Ok(Self::Drop),
            _ => Err(Error::Unknown {
                what: "policy for missing values",
                name: name.to_owned(),
                expected: "error, break or drop".to_owned(),
            }),
        }
    }
}

/// Finite measurements in time order, with the positions of gaps.
///
/// A sample borrows its values if possible, so that an array is judged without a copy.
///
/// ```
/// use llmscope_core::{Missing, Sample};
///
/// let sample = Sample::new(&[0.31, 0.29, 0.30][..])?;
/// assert_eq!(sample.len(), 3);
///
/// // The second request failed: the moving range does not reach across the gap.
/// let (sample, kept) = Sample::gather([Some(0.31), None, Some(0.30)], Missing::Break)?;
/// assert_eq!((sample.values(), sample.breaks(), kept), (&[0.31, 0.30][..], &[1][..], vec![0, 2]));
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Sample<'a> {
    values: Cow<'a, [f64]>,
    breaks: Vec<usize>,
}

impl<'a> Sample<'a> {
    /// The largest accepted magnitude: its fourth power, which the moments need, is still finite.
    pub const MAX_MAGNITUDE: f64 = 1e75;

    /// Measurements without gaps. An empty sample is allowed; functions that need more data report an error.
    ///
    /// # Errors
    /// [`Error::NonFinite`] with the first NaN or infinity; [`Error::TooLarge`] beyond [`Self::MAX_MAGNITUDE`].
    ///
    /// ```
    /// use llmscope_core::Sample;
    ///
    /// assert_eq!(Sample::new(vec![0.31, 0.29])?.values(), [0.31, 0.29]);
    /// let error = Sample::new(vec![0.31, f64::NAN]).unwrap_err();
    /// assert!(error.to_string().contains("NaN"), "{error}");
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub fn new(values: impl Into<Cow<'a, [f64]>>) -> Result<Self> {
        let values = values.into();
        // Compares many values at once, without an early exit after each.
        let all_acceptable = |chunk: &[f64]| chunk.iter().fold(true, |all, value| all & is_acceptable(*value));
        if values.chunks(1024).all(all_acceptable) {
            return Ok(Self { values, breaks: Vec::new() });
        }
        let index = values.iter().position(|value| !is_acceptable(*value)).unwrap_or_default();
        Err(unacceptable(index, values[index]))
    }

    /// Adds gaps: position `i` in `breaks` means that a value is missing before value `i`.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless the positions are strictly increasing within `1..len`.
    ///
    /// ```
    /// use llmscope_core::Sample;
    ///
    /// let sample = Sample::new(vec![1.0, 2.0, 3.0])?.with_breaks(vec![2])?;
    /// assert_eq!(sample.segments().collect::<Vec<_>>(), [&[1.0, 2.0][..], &[3.0]]);
    /// assert!(Sample::new(vec![1.0, 2.0])?.with_breaks(vec![2]).is_err()); // nothing is after the last value
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub fn with_breaks(mut self, breaks: Vec<usize>) -> Result<Self> {
        let rising = breaks.windows(2).all(|pair| pair[0] < pair[1]);
        let inside =
            breaks.first().is_none_or(|&first| first > 0) && breaks.last().is_none_or(|&last| last < self.values.len());
        if !(rising && inside) {
            return Err(Error::Parameter {
                name: "breaks",
                value: format!("{breaks:?}"),
                expected: "strictly increasing positions from 1 to the number of values − 1",
            });
        }
        self.breaks = breaks;
        Ok(self)
    }

    /// Collects values with gaps. Also returns the input position of every value that was kept.
    ///
    /// # Errors
    /// Those of [`Sample::new`], with positions in the input; [`Error::Missing`] under [`Missing::Error`].
    ///
    /// ```
    /// use llmscope_core::{Missing, Sample};
    ///
    /// let (sample, kept) = Sample::gather([None, Some(0.3), None, Some(0.4)], Missing::Break)?;
    /// assert_eq!(sample.values(), [0.3, 0.4]);
    /// assert_eq!(sample.breaks(), [1]); // the gap at the start separates nothing
    /// assert_eq!(kept, [1, 3]);
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub fn gather(
        values: impl IntoIterator<Item = Option<f64>>,
        missing: Missing,
    ) -> Result<(Sample<'static>, Vec<usize>)> {
        let (mut present, mut kept, mut breaks) = (Vec::new(), Vec::new(), Vec::new());
        let mut after_gap = false;
        for (index, value) in values.into_iter().enumerate() {
            match value {
                Some(value) if is_acceptable(value) => {
                    if after_gap && missing == Missing::Break && !present.is_empty() {
                        breaks.push(present.len());
                    }
                    after_gap = false;
                    present.push(value);
                    kept.push(index);
                }
                Some(value) => return Err(unacceptable(index, value)),
                None if missing == Missing::Error => return Err(Error::Missing { index }),
                None => after_gap = true,
            }
        }
        Ok((Sample { values: Cow::Owned(present), breaks }, kept))
    }

    /// The measurements.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The measurements, borrowed if the sample borrows them.
    pub(crate) fn shared(&self) -> Cow<'a, [f64]> {
        self.values.clone()
    }

    /// Positions before which a value is missing.
    ///
    /// ```
    /// use llmscope_core::Sample;
    ///
    /// let sample = Sample::new(vec![1.0, 2.0, 3.0])?.with_breaks(vec![1])?;
    /// assert_eq!(sample.breaks(), [1]);
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    #[must_use]
    pub fn breaks(&self) -> &[usize] {
        &self.breaks
    }

    /// The number of measurements.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// True if there is no measurement.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The segments between gaps, in order.
    ///
    /// ```
    /// use llmscope_core::Sample;
    ///
    /// let sample = Sample::new(vec![1.0, 2.0, 3.0])?.with_breaks(vec![1])?;
    /// let lengths: Vec<usize> = sample.segments().map(<[f64]>::len).collect();
    /// assert_eq!(lengths, [1, 2]);
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub fn segments(&self) -> impl Iterator<Item = &[f64]> + '_ {
        segments(&self.values, &self.breaks)
    }

    /// The measurements `first..end`, with the gaps among them.
    ///
    /// # Panics
    /// If the range is not within the sample.
    ///
    /// ```
    /// use llmscope_core::Sample;
    ///
    /// let sample = Sample::new(vec![1.0, 2.0, 3.0, 4.0])?.with_breaks(vec![2])?;
    /// let later = sample.slice(1..4);
    /// assert_eq!((later.values(), later.breaks()), (&[2.0, 3.0, 4.0][..], &[1][..]));
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Sample<'_> {
        let breaks =
            self.breaks.iter().filter(|&&at| at > range.start && at < range.end).map(|at| at - range.start).collect();
        Sample { values: Cow::Borrowed(&self.values[range]), breaks }
    }
}

fn is_acceptable(value: f64) -> bool {
    value.abs() <= Sample::MAX_MAGNITUDE
}

pub(crate) fn unacceptable(index: usize, value: f64) -> Error {
    if value.is_finite() {
        Error::TooLarge { index, value, max: Sample::MAX_MAGNITUDE }
    } else {
        Error::NonFinite { index, value }
    }
}

/// Cuts `items` before every position in `breaks`.
pub(crate) fn segments<'s, T>(items: &'s [T], breaks: &'s [usize]) -> impl Iterator<Item = &'s [T]> + 's {
    ranges_between(breaks, items.len()).map(|range| &items[range])
}

/// The positions `0..count`, cut before every position in `breaks`.
pub(crate) fn ranges_between(breaks: &[usize], count: usize) -> impl Iterator<Item = Range<usize>> + '_ {
    let starts = std::iter::once(0).chain(breaks.iter().copied());
    let ends = breaks.iter().copied().chain(std::iter::once(count));
    starts.zip(ends).map(|(start, end)| start..end)
}

/// Rational subgroups in time order, each of at least two measurements; sizes may differ.
///
/// ```
/// use llmscope_core::{Sample, Subgroups};
///
/// let sample = Sample::new(vec![1.0, 2.0, 3.0, 4.0, 5.0])?;
/// let subgroups = Subgroups::of_size(&sample, 2)?;
/// assert_eq!(subgroups.iter().collect::<Vec<_>>(), [&[1.0, 2.0][..], &[3.0, 4.0]]);
/// assert_eq!(subgroups.left_over(), 1); // a single value has no dispersion
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[doc(alias = "rational subgroups")]
#[derive(Debug, Clone, PartialEq)]
pub struct Subgroups<'a> {
    values: Cow<'a, [f64]>,
    sizes: Vec<usize>,
    starts: Vec<usize>,
    left_over: usize,
    unlabelled: usize,
}

impl<'a> Subgroups<'a> {
    /// Successive subgroups of `size` measurements. A shorter last subgroup is kept if it has at least two
    /// measurements; otherwise its measurement is left over. Gaps do not end a subgroup: it holds the next `size`
    /// measurements that exist.
    ///
    /// # Errors
    /// [`Error::Parameter`] if `size` is below 2 or exceeds the number of measurements.
    ///
    /// ```
    /// use llmscope_core::{Sample, Subgroups};
    ///
    /// let sample = Sample::new(vec![1.0, 2.0, 3.0, 4.0, 5.0])?;
    /// let subgroups = Subgroups::of_size(&sample, 3)?;
    /// assert_eq!(subgroups.sizes(), [3, 2]); // the rest is a subgroup, too
    /// assert!(Subgroups::of_size(&sample, 1).is_err());
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub fn of_size(sample: &'a Sample<'_>, size: usize) -> Result<Self> {
        let n = sample.len();
        if size < 2 || size > n {
            return Err(Error::Parameter {
                name: "subgroup size",
                value: size.to_string(),
                expected: if size < 2 {
                    "at least 2, because one measurement has no dispersion (use an individuals chart)"
                } else {
                    "at most the number of measurements"
                },
            });
        }
        let rest = n % size;
        let left_over = usize::from(rest == 1);
        let mut sizes = vec![size; n / size];
        if rest > 1 {
            sizes.push(rest);
        }
        let starts = (0..n - left_over).step_by(size).collect();
        Ok(Self { values: Cow::Borrowed(&sample.values()[..n - left_over]), sizes, starts, left_over, unlabelled: 0 })
    }

    /// Subgroups of the given sizes, which must cover every measurement.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a size below 2; [`Error::LengthMismatch`] if the sum of the sizes is not the length of
    /// the sample.
    ///
    /// ```
    /// use llmscope_core::{Sample, Subgroups};
    ///
    /// let sample = Sample::new(vec![1.0, 2.0, 3.0, 4.0, 5.0])?;
    /// assert_eq!(Subgroups::of_sizes(&sample, vec![2, 3])?.starts(), [0, 2]);
    /// assert!(Subgroups::of_sizes(&sample, vec![2, 2]).is_err()); // one measurement has no subgroup
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub fn of_sizes(sample: &'a Sample<'_>, sizes: Vec<usize>) -> Result<Self> {
        if let Some(&size) = sizes.iter().find(|&&size| size < 2) {
            return Err(Error::Parameter { name: "subgroup size", value: size.to_string(), expected: "at least 2" });
        }
        let total = sizes.iter().sum::<usize>();
        if total != sample.len() {
            return Err(Error::LengthMismatch {
                left_name: "the subgroups together",
                left: total,
                right_name: "the sample",
                right: sample.len(),
            });
        }
        let starts = sizes.iter().scan(0, |next, size| Some(std::mem::replace(next, *next + size))).collect();
        Ok(Self { values: Cow::Borrowed(sample.values()), sizes, starts, left_over: 0, unlabelled: 0 })
    }

    /// Subgroups by label: measurements with equal labels form a subgroup, wherever they are. Subgroups are in the order
    /// of their first measurements. A measurement without a label belongs to no subgroup, and one that is alone in its
    /// subgroup has no dispersion: both are left out and counted.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] unless there is one label for each measurement.
    ///
    /// ```
    /// use llmscope_core::{Sample, Subgroups};
    ///
    /// let sample = Sample::new(vec![1.0, 2.0, 3.0, 4.0, 5.0])?;
    /// let labels = [Some("monday"), Some("tuesday"), Some("monday"), None, Some("friday")];
    /// let subgroups = Subgroups::of_labels(&sample, &labels)?;
    /// assert_eq!(subgroups.iter().collect::<Vec<_>>(), [&[1.0, 3.0][..]]);
    /// assert_eq!((subgroups.left_over(), subgroups.unlabelled()), (2, 1));
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub fn of_labels<L: Eq + Hash>(sample: &Sample<'_>, labels: &[Option<L>]) -> Result<Subgroups<'static>> {
        if labels.len() != sample.len() {
            return Err(Error::LengthMismatch {
                left_name: "the labels",
                left: labels.len(),
                right_name: "the sample",
                right: sample.len(),
            });
        }
        let mut groups: Vec<(usize, Vec<f64>)> = Vec::new();
        let mut places: HashMap<&L, usize> = HashMap::new();
        for (position, (label, &value)) in labels.iter().zip(sample.values()).enumerate() {
            let Some(label) = label else { continue };
            let place = *places.entry(label).or_insert_with(|| {
                groups.push((position, Vec::new()));
                groups.len() - 1
            });
            groups[place].1.push(value);
        }
        let unlabelled = labels.iter().filter(|label| label.is_none()).count();
        let left_over = groups.iter().filter(|(_, members)| members.len() < 2).count();
        groups.retain(|(_, members)| members.len() >= 2);
        let sizes = groups.iter().map(|(_, members)| members.len()).collect();
        let starts = groups.iter().map(|&(start, _)| start).collect();
        let values: Vec<f64> = groups.into_iter().flat_map(|(_, members)| members).collect();
        Ok(Subgroups { values: Cow::Owned(values), sizes, starts, left_over, unlabelled })
    }

    /// All measurements that belong to a subgroup, in order.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The size of each subgroup.
    #[must_use]
    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// The position of each subgroup's first measurement in the sample.
    ///
    /// ```
    /// use llmscope_core::{Sample, Subgroups};
    ///
    /// let sample = Sample::new(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0])?;
    /// assert_eq!(Subgroups::of_size(&sample, 2)?.starts(), [0, 2, 4]);
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    #[must_use]
    pub fn starts(&self) -> &[usize] {
        &self.starts
    }

    /// The number of subgroups.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sizes.len()
    }

    /// True if there is no subgroup.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sizes.is_empty()
    }

    /// The number of measurements outside all subgroups, because each would be alone in one.
    #[must_use]
    pub fn left_over(&self) -> usize {
        self.left_over
    }

    /// The number of measurements outside all subgroups, because they have no label.
    #[must_use]
    pub fn unlabelled(&self) -> usize {
        self.unlabelled
    }

    /// The subgroups, in order.
    ///
    /// ```
    /// use llmscope_core::{Sample, Subgroups};
    ///
    /// let sample = Sample::new(vec![1.0, 4.0, 2.0, 8.0])?;
    /// let ranges: Vec<f64> = Subgroups::of_size(&sample, 2)?.iter().map(|pair| (pair[1] - pair[0]).abs()).collect();
    /// assert_eq!(ranges, [3.0, 6.0]);
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = &[f64]> + '_ {
        let mut rest: &[f64] = &self.values;
        self.sizes.iter().map(move |&size| {
            let (subgroup, after) = rest.split_at(size);
            rest = after;
            subgroup
        })
    }

    /// The subgroups `first..end`.
    ///
    /// # Panics
    /// If the range is not within the subgroups.
    ///
    /// ```
    /// use llmscope_core::{Sample, Subgroups};
    ///
    /// let sample = Sample::new(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0])?;
    /// let subgroups = Subgroups::of_size(&sample, 2)?;
    /// assert_eq!(subgroups.slice(1..3).values(), [3.0, 4.0, 5.0, 6.0]);
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Subgroups<'_> {
        let start = self.sizes[..range.start].iter().sum::<usize>();
        let (sizes, starts) = (self.sizes[range.clone()].to_vec(), self.starts[range].to_vec());
        let end = start + sizes.iter().sum::<usize>();
        Subgroups { values: Cow::Borrowed(&self.values[start..end]), sizes, starts, left_over: 0, unlabelled: 0 }
    }
}
