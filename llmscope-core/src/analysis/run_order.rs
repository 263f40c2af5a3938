//! The values of a series, run by run.

/// Values in the order of their runs, and in time order within each run.
pub(crate) struct RunOrder {
    /// The positions of the values in time.
    pub(crate) order: Vec<usize>,
    /// The places in this order at which another run begins.
    pub(crate) starts: Vec<usize>,
    /// True if runs overlap in time, so that the order is not that of time.
    is_regrouped: bool,
}

impl RunOrder {
    /// The order of `count` values, given the run of each of them.
    pub(crate) fn of(count: usize, run: impl Fn(usize) -> usize) -> Self {
        let mut order: Vec<usize> = (0..count).collect();
        let is_regrouped = !order.is_sorted_by_key(|&value| run(value));
        if is_regrouped {
            order.sort_by_key(|&value| run(value));
        }
        let starts = (1..count).filter(|&at| run(order[at]) != run(order[at - 1])).collect();
        Self { order, starts, is_regrouped }
    }

    /// The breaks of the values in this order, given those in time. In time, the requests of overlapping runs are next to
    /// those of other runs, so that only the starts of the runs remain.
    pub(crate) fn breaks(&self, in_time: &[usize]) -> Vec<usize> {
        if self.is_regrouped { self.starts.clone() } else { in_time.to_vec() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_that_overlap_are_put_one_after_the_other() {
        let overlapping = RunOrder::of(5, |value| [0, 1, 0, 1, 1][value]);
        assert_eq!((&overlapping.order[..], &overlapping.starts[..]), (&[0, 2, 1, 3, 4][..], &[2][..]));
        assert_eq!(overlapping.breaks(&[1, 2, 3]), [2]);
        let apart = RunOrder::of(4, |value| [0, 0, 1, 1][value]);
        assert_eq!((&apart.order[..], &apart.starts[..]), (&[0, 1, 2, 3][..], &[2][..]));
        assert_eq!(apart.breaks(&[1, 2]), [1, 2]);
    }
}
