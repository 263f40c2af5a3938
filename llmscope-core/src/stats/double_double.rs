//! Sums that carry twice the precision of `f64`: an unevaluated sum of two numbers (Dekker 1971; Knuth 1969).

/// A number as the unevaluated sum `hi + lo`, with `|lo|` at most half a unit in the last place of `hi`.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct DoubleDouble {
    hi: f64,
    lo: f64,
}

impl DoubleDouble {
    pub(crate) const fn new(value: f64) -> Self {
        Self { hi: value, lo: 0.0 }
    }

    /// The nearest `f64`.
    pub(crate) const fn value(self) -> f64 {
        self.hi
    }

    /// What [`Self::value`] leaves out.
    pub(crate) const fn rest(self) -> f64 {
        self.lo
    }

    pub(crate) fn add(self, other: f64) -> Self {
        let (sum, error) = two_sum(self.hi, other);
        normalized(sum, error + self.lo)
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        let (sum, error) = two_sum(self.hi, other.hi);
        normalized(sum, error + self.lo + other.lo)
    }

    pub(crate) fn minus(self, other: Self) -> Self {
        self.plus(Self { hi: -other.hi, lo: -other.lo })
    }

    pub(crate) fn times(self, factor: f64) -> Self {
        let (product, error) = two_product(self.hi, factor);
        normalized(product, error + self.lo * factor)
    }

    pub(crate) fn divided_by(self, divisor: f64) -> Self {
        let quotient = self.hi / divisor;
        let (product, error) = two_product(quotient, divisor);
        normalized(quotient, ((self.hi - product) - error + self.lo) / divisor)
    }
}

/// The sum of `term(0) … term(count − 1)`, in eight interleaved lanes so that the compiler can vectorize it.
pub(crate) fn sum(count: usize, term: impl Fn(usize) -> f64) -> DoubleDouble {
    const LANES: usize = 8;
    let (mut sums, mut errors) = ([0.0; LANES], [0.0; LANES]);
    let whole = count - count % LANES;
    for start in (0..whole).step_by(LANES) {
        for lane in 0..LANES {
            let (sum, error) = two_sum(sums[lane], term(start + lane));
            sums[lane] = sum;
            errors[lane] += error;
        }
    }
    let mut total = DoubleDouble::default();
    for lane in 0..LANES {
        total = total.plus(DoubleDouble { hi: sums[lane], lo: errors[lane] });
    }
    (whole..count).fold(total, |total, index| total.add(term(index)))
}

/// `a + b` and its rounding error, without a branch (Knuth 1969).
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let b_part = sum - a;
    (sum, (a - (sum - b_part)) + (b - b_part))
}

/// `a · b` and its rounding error, by splitting each factor in halves (Veltkamp 1968; Dekker 1971).
fn two_product(a: f64, b: f64) -> (f64, f64) {
    let product = a * b;
    let ((a_hi, a_lo), (b_hi, b_lo)) = (split(a), split(b));
    (product, ((a_hi * b_hi - product) + a_hi * b_lo + a_lo * b_hi) + a_lo * b_lo)
}

fn split(a: f64) -> (f64, f64) {
    let scaled = 134_217_729.0 * a; // 2²⁷ + 1
    let hi = scaled - (scaled - a);
    (hi, a - hi)
}

fn normalized(hi: f64, lo: f64) -> DoubleDouble {
    let sum = hi + lo;
    DoubleDouble { hi: sum, lo: lo - (sum - hi) }
}
