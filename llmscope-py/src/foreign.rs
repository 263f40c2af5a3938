//! Memory that another library owns: the only module with `unsafe` code.
//!
//! As long as a buffer lives, a reference to its Python owner or Arrow's release callback keeps its memory alive. As
//! everywhere with NumPy, a thread that writes to an array while another call reads it causes a mix of old and new
//! numbers. Lengths never change, so no read is out of bounds.
#![allow(unsafe_code, reason = "borrowing NumPy's and Arrow's memory avoids a copy")]

use std::panic::AssertUnwindSafe;
use std::ptr::NonNull;
use std::sync::Arc;

use arrow_array::ffi::{self, FFI_ArrowArray, FFI_ArrowSchema};
use arrow_array::ffi_stream::{ArrayStreamReader, FFI_ArrowArrayStream};
use arrow_array::{ArrayRef, make_array};
use arrow_buffer::{Buffer, ScalarBuffer};
use numpy::ndarray::ArrayView1;
use numpy::{Element, PyArray1, PyArrayMethods as _, PyUntypedArrayMethods as _};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};

/// The values of a contiguous, aligned array, without a copy; `None` if it is neither.
pub(crate) fn borrow_array(array: &Bound<'_, PyArray1<f64>>) -> Option<ScalarBuffer<f64>> {
    let pointer = NonNull::new(array.data())?;
    if !array.is_contiguous() || !pointer.is_aligned() {
        return None;
    }
    let owner = Arc::new(AssertUnwindSafe(array.clone().into_any().unbind()));
    let bytes = array.len() * size_of::<f64>();
    // SAFETY: NumPy keeps `len` contiguous f64 at this address while the array lives, and the buffer owns a reference
    // to the array.
    let buffer = unsafe { Buffer::from_custom_allocation(pointer.cast(), bytes, owner) };
    Some(ScalarBuffer::from(buffer))
}

/// A read-only NumPy view of values in `owner`, a frozen object.
pub(crate) fn view<'py, T: Element>(values: &[T], owner: Bound<'py, PyAny>) -> Bound<'py, PyArray1<T>> {
    let view = ArrayView1::from(values);
    // SAFETY: the owner is frozen, so the values do not move while it lives, and the array keeps it alive.
    let array = unsafe { PyArray1::borrow_from_array(&view, owner) };
    array.readwrite().make_nonwriteable();
    array
}

/// The chunks of an object that supports the Arrow PyCapsule protocol; `None` for other objects.
pub(crate) fn arrow_chunks(values: &Bound<'_, PyAny>) -> PyResult<Option<Vec<ArrayRef>>> {
    if values.hasattr("__arrow_c_array__")? {
        return Ok(Some(vec![arrow_array(values)?]));
    }
    if !values.hasattr("__arrow_c_stream__")? {
        return Ok(None);
    }
    let capsule = values.call_method0("__arrow_c_stream__")?.cast_into::<PyCapsule>()?;
    let stream = capsule.pointer_checked(Some(c"arrow_array_stream"))?.cast::<FFI_ArrowArrayStream>();
    // SAFETY: a capsule of this name contains such a stream, which is moved out of it and left released.
    let reader = unsafe { ArrayStreamReader::from_raw(stream.as_ptr()) }.map_err(refused)?;
    reader.map(|chunk| chunk.map_err(refused)).collect::<PyResult<_>>().map(Some)
}

fn arrow_array(values: &Bound<'_, PyAny>) -> PyResult<ArrayRef> {
    let pair = values.call_method0("__arrow_c_array__")?.cast_into::<PyTuple>()?;
    let (schema, array) = (pair.get_item(0)?.cast_into::<PyCapsule>()?, pair.get_item(1)?.cast_into::<PyCapsule>()?);
    let schema = schema.pointer_checked(Some(c"arrow_schema"))?.cast::<FFI_ArrowSchema>();
    let array = array.pointer_checked(Some(c"arrow_array"))?.cast::<FFI_ArrowArray>();
    // SAFETY: capsules of these names contain such structures; the array is moved out and left released, and the schema
    // is only read while its capsule lives.
    let mut data =
        unsafe { ffi::from_ffi(FFI_ArrowArray::from_raw(array.as_ptr()), schema.as_ref()) }.map_err(refused)?;
    data.align_buffers();
    Ok(make_array(data))
}

fn refused(error: arrow_schema::ArrowError) -> PyErr {
    PyValueError::new_err(format!("cannot read the Arrow data: {error}"))
}
