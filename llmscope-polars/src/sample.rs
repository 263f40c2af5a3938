//! Columns as measurements.

use std::borrow::Cow;

use llmscope_core::{Missing, Sample};
use polars::prelude::{Column, DataType};

use crate::error::{Error, Result, guarded};

/// A column as measurements in time order. A contiguous `Float64` column is borrowed; any other numeric column is
/// copied.
///
/// # Errors
/// [`Error::Core`] for the first null, NaN or infinity, with its position; [`Error::Unsupported`] for a non-numeric
/// column.
///
/// ```
/// use llmscope_polars::{polars::prelude::{Column, NamedFrom, Series}, sample};
///
/// let column = Column::from(Series::new("ttft_s".into(), [0.31, 0.29, 0.30]));
/// assert_eq!(sample(&column)?.values(), [0.31, 0.29, 0.30]);
/// # Ok::<(), llmscope_polars::Error>(())
/// ```
pub fn sample(column: &Column) -> Result<Sample<'_>> {
    numeric(column)?;
    let series = column.as_materialized_series();
    match series.f64().and_then(|numbers| numbers.cont_slice()) {
        Ok(values) => Ok(Sample::new(Cow::Borrowed(values))?),
        Err(_) => Ok(gather(column, Missing::Error)?.0),
    }
}

/// A column with gaps as measurements, and the row of each measurement; see [`Sample::gather`].
///
/// # Errors
/// As [`sample`], but a null is an error only under [`Missing::Error`].
pub fn gather(column: &Column, missing: Missing) -> Result<(Sample<'static>, Vec<usize>)> {
    Ok(Sample::gather(numbers(column)?, missing)?)
}

/// The numbers of a column, `None` for null.
pub(crate) fn numbers(column: &Column) -> Result<Vec<Option<f64>>> {
    numeric(column)?;
    let column = guarded(column.name(), || column.cast(&DataType::Float64))?;
    Ok(column.f64()?.iter().collect())
}

fn numeric(column: &Column) -> Result<()> {
    let dtype = column.dtype();
    if dtype.is_numeric() || matches!(dtype, DataType::Null) {
        return Ok(());
    }
    Err(Error::Unsupported {
        source_name: "frame".to_owned(),
        column: column.name().to_string(),
        found: format!("{dtype}, not numbers"),
    })
}
