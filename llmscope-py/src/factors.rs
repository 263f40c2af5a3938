//! The constants of control charts.

use llmscope_core::{Error, factors as core};
use pyo3::prelude::*;

use crate::document::record;
use crate::error::Result;

record! {
    /// The factors of Shewhart charts with 3σ limits, for subgroups of n values (ASTM E2587; Montgomery, app. VI).
    Factors(core::Factors) {
        /// The size of the subgroups.
        n: usize,
        /// Expected range over σ: σ̂ = R̄/d₂.
        d2: f64,
        /// Standard deviation of the range over σ.
        d3: f64,
        /// Expected standard deviation over σ: σ̂ = S̄/c₄.
        c4: f64,
        /// 3/(d₂√n): limits of the mean are X̿ ± A₂R̄.
        A2: f64,
        /// 3/(c₄√n): limits of the mean are X̿ ± A₃S̄.
        A3: f64,
        /// Lower limit of the standard deviation: B₃S̄.
        B3: f64,
        /// Upper limit of the standard deviation: B₄S̄.
        B4: f64,
        /// Lower limit of the standard deviation when σ is known: B₅σ.
        B5: f64,
        /// Upper limit of the standard deviation when σ is known: B₆σ.
        B6: f64,
        /// Lower limit of the range: D₃R̄.
        D3: f64,
        /// Upper limit of the range: D₄R̄.
        D4: f64,
        /// 3/d₂: limits of individual values are X̄ ± E₂R̄.
        E2: f64,
    }
}

/// The factors of Shewhart charts, computed from their defining integrals for any n.
///
/// Args:
///     n: The size of the subgroups, at least 2.
///
/// Raises:
///     ParameterError: For n < 2, where the dispersion is undefined.
///
/// Example:
///     >>> import llmscope as ls
///     >>> round(ls.factors(5).A2, 4), round(ls.factors(5).D4, 4)
///     (0.5768, 2.1145)
#[pyfunction]
pub(crate) fn factors(n: usize) -> Result<Factors> {
    Ok(Factors(core::Factors::of(n).ok_or_else(|| too_small(n))?))
}

fn too_small(n: usize) -> Error {
    Error::Parameter {
        name: "n",
        value: n.to_string(),
        expected: "an integer of at least 2, because one value has no \
                                                                   dispersion",
    }
}

macro_rules! constant {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[pyfunction]
        pub(crate) fn $name(n: usize) -> Result<f64> {
            if n < 2 { Err(too_small(n))? } else { Ok(core::$name(n)) }
        }
    };
}

constant! {
    /// d₂(n): the expected range of n standard normal values (Tippett 1925).
    ///
    /// Example:
    ///     >>> import llmscope as ls
    ///     >>> round(ls.d2(5), 12)
    ///     2.325928947281
    d2
}
constant! {
    /// d₃(n): the standard deviation of the range of n standard normal values.
    ///
    /// Example:
    ///     >>> import llmscope as ls
    ///     >>> round(ls.d3(5), 6)
    ///     0.864082
    d3
}
constant! {
    /// d₄(n): the median of the range of n standard normal values.
    ///
    /// Example:
    ///     >>> import llmscope as ls
    ///     >>> round(ls.d4(2), 6)
    ///     0.953873
    d4
}
constant! {
    /// c₄(n): the expected standard deviation of n standard normal values.
    ///
    /// Example:
    ///     >>> import llmscope as ls
    ///     >>> round(ls.c4(5), 6)
    ///     0.939986
    c4
}
constant! {
    /// c₅(n) = √(1 − c₄²): the standard deviation of the standard deviation of n standard normal values.
    ///
    /// Example:
    ///     >>> import llmscope as ls
    ///     >>> round(ls.c5(5), 6)
    ///     0.341214
    c5
}
