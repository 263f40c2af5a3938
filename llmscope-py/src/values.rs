//! Sequences of numbers from Python as a sample of the core.

use arrow_array::cast::AsArray as _;
use arrow_array::types::{
    Decimal128Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{AnyDictionaryArray, Array, ArrayRef, ArrowPrimitiveType};
use arrow_buffer::{NullBuffer, ScalarBuffer};
use arrow_schema::DataType;
use llmscope_core::{Missing, Sample, error};
use numpy::{PyArray1, PyArrayDescrMethods as _, PyUntypedArray, PyUntypedArrayMethods as _};
use pyo3::exceptions::{PyImportError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict as _, PyMapping, PyString};

use crate::error::Result;
use crate::{foreign, work};

/// Numbers, some of which may be missing. Contiguous f64 values are not copied.
#[derive(Clone)]
pub(crate) struct Values {
    data: ScalarBuffer<f64>,
    nulls: Option<NullBuffer>,
}

impl From<Vec<f64>> for Values {
    fn from(data: Vec<f64>) -> Self {
        Self { data: data.into(), nulls: None }
    }
}

impl Values {
    /// Reads NumPy, pandas, polars and Arrow data, objects with the buffer protocol, and sequences of numbers.
    pub(crate) fn read(values: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(array) = values.cast::<PyUntypedArray>() {
            return Self::of_array(array);
        }
        if is_pandas(values) {
            return Self::of_pandas(values);
        }
        match foreign::arrow_chunks(values) {
            Ok(Some(chunks)) if is_duration(&chunks) => return Err(not_numbers(values)),
            Ok(Some(chunks)) => return Self::of_chunks(&chunks),
            // NumPy may read what Arrow cannot import, such as a polars column of nulls.
            Err(error) if !error.is_instance_of::<PyValueError>(values.py()) => return Err(error),
            _ => {}
        }
        if values.is_instance_of::<PyString>() || values.is_instance_of::<PyMapping>() {
            return Err(not_numbers(values));
        }
        let array = values.py().import(intern!(values.py(), "numpy"))?.call_method1("asarray", (values,))?;
        Self::of_array(array.cast::<PyUntypedArray>()?)
    }

    /// The given name of values, else that of the Series, else `value`.
    pub(crate) fn name(values: &Bound<'_, PyAny>, given: Option<String>) -> PyResult<String> {
        let own = || -> PyResult<Option<String>> {
            let name = values.getattr_opt(intern!(values.py(), "name"))?;
            Ok(name.and_then(|name| name.extract::<String>().ok()).filter(|name| !name.is_empty()))
        };
        Ok(given.map_or_else(own, |given| Ok(Some(given)))?.unwrap_or_else(|| "value".to_owned()))
    }

    pub(crate) fn len(&self) -> usize {
        self.data.len()
    }

    /// The value at a position, if there is one.
    pub(crate) fn get(&self, index: usize) -> Option<f64> {
        self.nulls.as_ref().is_none_or(|nulls| nulls.is_valid(index)).then(|| self.data[index])
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Option<f64>> + '_ {
        (0..self.len()).map(|index| self.get(index))
    }

    /// The positions of the values that a sample contains.
    pub(crate) fn kept(&self, missing: Missing) -> impl Iterator<Item = usize> + '_ {
        self.present(missing).enumerate().filter_map(|(index, value)| value.map(|_| index))
    }

    /// The values with their gaps. Unless the policy is `error`, a NaN is a gap too, as in pandas; an infinity never
    /// is.
    fn present(&self, missing: Missing) -> impl Iterator<Item = Option<f64>> + '_ {
        self.iter().map(move |value| value.filter(|value| missing == Missing::Error || !value.is_nan()))
    }

    /// All values, with NaN where one is missing.
    pub(crate) fn filled(&self) -> Vec<f64> {
        self.iter().map(|value| value.unwrap_or(f64::NAN)).collect()
    }

    /// The sample, borrowed if no value is missing.
    pub(crate) fn sample(&self, missing: Missing) -> error::Result<Sample<'_>> {
        let gaps_allowed = missing != Missing::Error;
        if self.nulls.is_none() && !(gaps_allowed && self.data.iter().any(|value| value.is_nan())) {
            return Sample::new(&self.data[..]);
        }
        Ok(Sample::gather(self.present(missing), missing)?.0)
    }

    fn of_array(array: &Bound<'_, PyUntypedArray>) -> PyResult<Self> {
        let py = array.py();
        if array.ndim() != 1 {
            let shape = array.getattr(intern!(py, "shape"))?;
            return Err(PyTypeError::new_err(format!("expected one-dimensional data, got an array of shape {shape}")));
        }
        if array.hasattr(intern!(py, "mask"))? {
            // NumPy's conversion of a masked array would expose the masked values.
            let floats = array.call_method1("astype", ("float64",))?.call_method1("filled", (f64::NAN,))?;
            return Self::of_array(floats.cast::<PyUntypedArray>()?);
        }
        if let Ok(floats) = array.cast::<PyArray1<f64>>()
            && let Some(data) = foreign::borrow_array(floats)
        {
            return Ok(Self { data, nulls: None });
        }
        match array.dtype().kind() {
            b'f' | b'i' | b'u' | b'b' => {
                let keywords = [("dtype", "float64")].into_py_dict(py)?;
                let copy = array.call_method("astype", (), Some(&keywords))?;
                let copy = py.import("numpy")?.call_method1("ascontiguousarray", (copy,))?;
                let data = foreign::borrow_array(copy.cast::<PyArray1<f64>>()?);
                Ok(Self { data: data.ok_or_else(|| not_numbers(array))?, nulls: None })
            }
            b'O' => Self::of_objects(array),
            _ => Err(not_numbers(array)),
        }
    }

    /// A list such as `[0.3, None, 0.2]`.
    fn of_objects(array: &Bound<'_, PyAny>) -> PyResult<Self> {
        let (mut data, mut present) = (Vec::new(), Vec::new());
        for (index, item) in array.try_iter()?.enumerate() {
            let item = item?;
            let missing = item.is_none() || item.get_type().name()? == "NAType";
            present.push(!missing);
            data.push(if missing { 0.0 } else { item.extract::<f64>().map_err(|_| not_a_number(index, &item))? });
        }
        Ok(Self::with_nulls(data.into(), Some(NullBuffer::from(present))))
    }

    fn of_pandas(values: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = values.py();
        if values.getattr(intern!(py, "dtype"))?.getattr_opt("kind")?.is_some_and(|kind| kind.eq("m").unwrap_or(false))
        {
            return Err(not_numbers(values));
        }
        // An extension dtype records missing values and exports them through Arrow; without pyarrow they become NaN.
        if has_extension_dtype(values)? {
            match foreign::arrow_chunks(values) {
                Ok(Some(chunks)) if is_duration(&chunks) => return Err(not_numbers(values)),
                Ok(Some(chunks)) => return Self::of_chunks(&chunks),
                Err(error) if !error.is_instance_of::<PyImportError>(py) => return Err(error),
                _ => {
                    let keywords = [("dtype", "float64")].into_py_dict(py)?;
                    keywords.set_item("na_value", f64::NAN)?;
                    let array = values.call_method("to_numpy", (), Some(&keywords))?;
                    return Self::of_array(array.cast::<PyUntypedArray>()?);
                }
            }
        }
        Self::of_array(values.call_method0(intern!(py, "to_numpy"))?.cast::<PyUntypedArray>()?)
    }

    fn of_chunks(chunks: &[ArrayRef]) -> PyResult<Self> {
        if let [chunk] = chunks {
            return Self::of_chunk(chunk);
        }
        let parts = chunks.iter().map(Self::of_chunk).collect::<PyResult<Vec<_>>>()?;
        let data: Vec<f64> = parts.iter().flat_map(|part| part.data.iter().copied()).collect();
        let some_missing = parts.iter().any(|part| part.nulls.is_some());
        let present = || parts.iter().flat_map(|part| (0..part.len()).map(|index| part.get(index).is_some())).collect();
        Ok(Self::with_nulls(data.into(), some_missing.then(present)))
    }

    pub(crate) fn of_chunk(chunk: &ArrayRef) -> PyResult<Self> {
        fn cast<T: ArrowPrimitiveType>(chunk: &ArrayRef, to_f64: impl Fn(T::Native) -> f64) -> ScalarBuffer<f64> {
            chunk.as_primitive::<T>().values().iter().map(|&value| to_f64(value)).collect()
        }
        #[allow(clippy::cast_precision_loss, reason = "counts beyond 2^53 are rounded, as NumPy rounds them")]
        let data = match chunk.data_type() {
            DataType::Float64 => chunk.as_primitive::<Float64Type>().values().clone(),
            DataType::Float32 => cast::<Float32Type>(chunk, f64::from),
            DataType::Float16 => cast::<Float16Type>(chunk, f64::from),
            DataType::Int8 => cast::<Int8Type>(chunk, f64::from),
            DataType::Int16 => cast::<Int16Type>(chunk, f64::from),
            DataType::Int32 => cast::<Int32Type>(chunk, f64::from),
            DataType::Int64 => cast::<Int64Type>(chunk, |value| value as f64),
            DataType::UInt8 => cast::<UInt8Type>(chunk, f64::from),
            DataType::UInt16 => cast::<UInt16Type>(chunk, f64::from),
            DataType::UInt32 => cast::<UInt32Type>(chunk, f64::from),
            DataType::UInt64 => cast::<UInt64Type>(chunk, |value| value as f64),
            DataType::Boolean => chunk.as_boolean().values().iter().map(|flag| f64::from(u8::from(flag))).collect(),
            DataType::Decimal128(_, scale) => {
                let unit = 10_f64.powi((*scale).into());
                cast::<Decimal128Type>(chunk, |value| value as f64 / unit)
            }
            DataType::Null => vec![0.0; chunk.len()].into(),
            DataType::Dictionary(..) => Self::of_dictionary(chunk.as_any_dictionary())?,
            other => {
                return Err(PyTypeError::new_err(format!("expected numbers, got Arrow data of type {other}")));
            }
        };
        Ok(Self::with_nulls(data, chunk.logical_nulls()))
    }

    /// The number that each key of a dictionary names; 0 where it is missing.
    fn of_dictionary(chunk: &dyn AnyDictionaryArray) -> PyResult<ScalarBuffer<f64>> {
        let values = Self::of_chunk(chunk.values())?;
        if values.len() == 0 {
            return Ok(vec![0.0; chunk.len()].into());
        }
        Ok(chunk.normalized_keys().into_iter().map(|key| values.data[key]).collect())
    }

    fn with_nulls(data: ScalarBuffer<f64>, nulls: Option<NullBuffer>) -> Self {
        Self { data, nulls: nulls.filter(|nulls| nulls.null_count() > 0) }
    }
}

/// Computes a result from a sample, with `steps` steps of work per value.
pub(crate) fn with_sample<T: Send + 'static>(
    values: &Bound<'_, PyAny>,
    missing: &str,
    steps: usize,
    work: impl FnOnce(&Sample<'_>) -> error::Result<T> + Send + 'static,
) -> Result<T> {
    let (py, values, missing) = (values.py(), Values::read(values)?, missing.parse()?);
    Ok(work::run(py, values.len().saturating_mul(steps), move || work(&values.sample(missing)?))??)
}

/// A matrix whose rows are subgroups, in row-major order, and its number of columns; `None` for anything else.
pub(crate) fn matrix(values: &Bound<'_, PyAny>) -> PyResult<Option<(Values, usize)>> {
    let py = values.py();
    if values.getattr_opt(intern!(py, "columns"))?.is_some() || is_nested(values)? {
        let array = py.import("numpy")?.call_method1("asarray", (values,))?;
        return matrix(&array);
    }
    let Ok(array) = values.cast::<PyUntypedArray>() else { return Ok(None) };
    if array.ndim() != 2 {
        return Ok(None);
    }
    let columns = array.shape()[1];
    // C order, regardless of the order in memory.
    let flat = array.call_method1("reshape", (-1,))?;
    Ok(Some((Values::read(&flat)?, columns)))
}

/// A list of lists.
fn is_nested(values: &Bound<'_, PyAny>) -> PyResult<bool> {
    let is_list = |item: &Bound<'_, PyAny>| {
        item.is_instance_of::<pyo3::types::PyList>() || item.is_instance_of::<pyo3::types::PyTuple>()
    };
    Ok(is_list(values) && values.len()? > 0 && is_list(&values.get_item(0)?))
}

/// pandas' own dtypes have a missing value that NumPy does not support.
pub(crate) fn has_extension_dtype(series: &Bound<'_, PyAny>) -> PyResult<bool> {
    series.getattr(intern!(series.py(), "dtype"))?.hasattr(intern!(series.py(), "na_value"))
}

pub(crate) fn is_pandas(values: &Bound<'_, PyAny>) -> bool {
    package_of(values) == "pandas"
}

/// The top package of the type of these values, such as `polars`.
pub(crate) fn package_of(values: &Bound<'_, PyAny>) -> String {
    let module = values.get_type().module().map(|module| module.to_string()).unwrap_or_default();
    module.split('.').next().unwrap_or_default().to_owned()
}

fn not_numbers(values: &Bound<'_, PyAny>) -> PyErr {
    let kind = values.get_type().to_string();
    let dtype = values.getattr("dtype").map(|dtype| format!(" of dtype {dtype}")).unwrap_or_default();
    let is_duration = ["timedelta", "duration"].iter().any(|name| dtype.to_lowercase().contains(name));
    let hint = if is_duration { duration_hint(values) } else { "" };
    PyTypeError::new_err(format!("expected numbers, got {kind}{dtype}{hint}"))
}

fn is_duration(chunks: &[ArrayRef]) -> bool {
    chunks.first().is_some_and(|chunk| matches!(chunk.data_type(), DataType::Duration(_)))
}

/// How the library of these values converts durations. Without `fractional`, polars drops what is below a second.
fn duration_hint(values: &Bound<'_, PyAny>) -> &'static str {
    match package_of(values).as_str() {
        "polars" => "; convert durations to seconds first: .dt.total_seconds(fractional=True)",
        "pandas" => "; convert durations to seconds first: .dt.total_seconds()",
        "numpy" => "; convert durations to seconds first: values / numpy.timedelta64(1, \"s\")",
        _ => "; convert durations to seconds first",
    }
}

fn not_a_number(index: usize, item: &Bound<'_, PyAny>) -> PyErr {
    let shown = item.repr().map(|text| text.to_string()).unwrap_or_default();
    let shown: String = shown.chars().take(60).collect();
    PyTypeError::new_err(format!("value {index} is {shown}: expected a number or None"))
}
