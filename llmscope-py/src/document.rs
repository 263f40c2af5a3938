//! What all results have in common: equality, pickling, `to_dict`, `to_json`, a readable `repr`.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The JSON of a result. Numbers round-trip exactly.
pub(crate) fn to_json(value: &impl Serialize) -> PyResult<String> {
    serde_json::to_string(value).map_err(|error| PyValueError::new_err(error.to_string()))
}

/// The same data as Python objects.
pub(crate) fn to_dict<'py>(py: Python<'py>, value: &impl Serialize) -> PyResult<Bound<'py, PyAny>> {
    py.import("json")?.call_method1("loads", (to_json(value)?,))
}

pub(crate) fn from_json<T: DeserializeOwned>(text: &str) -> PyResult<T> {
    serde_json::from_str(text).map_err(|error| PyValueError::new_err(error.to_string()))
}

/// The name of a variant without fields, as in JSON.
pub(crate) fn token(variant: &impl Serialize) -> String {
    serde_json::to_value(variant).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

/// `Name(field=value, …)`, without absent fields and with long lists shortened.
pub(crate) fn repr(name: &str, value: &impl Serialize) -> PyResult<String> {
    let fields = serde_json::to_value(value).map_err(|error| PyValueError::new_err(error.to_string()))?;
    let Value::Object(fields) = fields else { return Ok(format!("{name}({})", shown(&fields))) };
    let fields: Vec<String> = fields.iter().map(|(field, value)| format!("{field}={}", shown(value))).collect();
    Ok(format!("{name}({})", fields.join(", ")))
}

fn shown(value: &Value) -> String {
    const MOST: usize = 6;
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => format!("'{text}'"),
        Value::Array(items) => {
            let mut parts: Vec<String> = items.iter().take(MOST).map(shown).collect();
            if items.len() > MOST {
                parts.push(format!("… {} in all", items.len()));
            }
            format!("[{}]", parts.join(", "))
        }
        Value::Object(fields) => {
            let parts: Vec<String> = fields.iter().map(|(name, value)| format!("'{name}': {}", shown(value))).collect();
            format!("{{{}}}", parts.join(", "))
        }
    }
}

/// The function with which `pickle` restores the object: the native `_restore`, with the name of the class and its
/// JSON.
pub(crate) type Pickled<'py> = (Bound<'py, PyAny>, (&'static str, String));

pub(crate) fn reduce<'py>(py: Python<'py>, name: &'static str, state: &impl Serialize) -> PyResult<Pickled<'py>> {
    Ok((py.import("llmscope._native")?.getattr("_restore")?, (name, to_json(state)?)))
}

/// A frozen Python class around a plain struct of the core: one property per field, and what all results have in
/// common. `shown as` names the function of its `repr`, if this is not the list of the fields.
macro_rules! record {
    (
        $(#[$meta:meta])*
        $name:ident($core:ty) $(shown as $shown:path)? { $($(#[$doc:meta])* $field:ident: $type:ty $(= $convert:expr)?),* $(,)? }
        $({ $($method:tt)* })?
    ) => {
        $(#[$meta])*
        #[pyo3::pyclass(frozen, eq, module = "llmscope")]
        #[derive(Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        pub(crate) struct $name(pub(crate) $core);

        #[pyo3::pymethods]
        impl $name {
            $(
                $(#[$doc])*
                #[getter]
                #[allow(non_snake_case, reason = "the literature's names")]
                fn $field(&self) -> $type {
                    $crate::document::record!(@value self.0, $field $(, $convert)?)
                }
            )*

            $($($method)*)?

            /// The fields as a dictionary, without those that do not apply.
            fn to_dict<'py>(&self, py: pyo3::Python<'py>) -> pyo3::PyResult<pyo3::Bound<'py, pyo3::PyAny>> {
                $crate::document::to_dict(py, &self.0)
            }

            /// The fields as JSON. Numbers round-trip exactly.
            fn to_json(&self) -> pyo3::PyResult<String> {
                $crate::document::to_json(&self.0)
            }

            fn __repr__(&self) -> pyo3::PyResult<String> {
                $crate::document::record!(@repr $name, &self.0 $(, $shown)?)
            }

            fn __reduce__<'py>(&self, py: pyo3::Python<'py>) -> pyo3::PyResult<$crate::document::Pickled<'py>> {
                $crate::document::reduce(py, stringify!($name), &self.0)
            }
        }
    };
    (@value $this:expr, $field:ident) => { $this.$field.clone() };
    (@repr $name:ident, $value:expr) => { $crate::document::repr(stringify!($name), $value) };
    (@repr $name:ident, $value:expr, $shown:path) => { Ok($shown($value)) };
    (@value $this:expr, $field:ident, $convert:expr) => { ($convert)(&$this.$field) };
}
pub(crate) use record;
