//! What a user hands over, as bytes and numbers of the core's.
//!
//! Owns which types are taken and what is said of others. The one invariant: bytes are borrowed
//! only while the interpreter's lock is held, and are copied before it is let go.

use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::{PyBufferError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyMapping, PyString};
use tidewire::{Code, Start};

use crate::error::own;

/// Bytes that belong to an object of Python's.
pub(crate) enum Input<'a, 'py> {
    None,
    Borrowed(&'a [u8]),
    Buffer(PyUntypedBuffer, Python<'py>),
}

impl<'a, 'py> Input<'a, 'py> {
    /// Anything with the buffer protocol, `str` as UTF-8, or `None`; `what` names it in errors.
    pub(crate) fn of(
        object: &'a Bound<'py, PyAny>,
        what: impl FnOnce() -> String,
    ) -> PyResult<Self> {
        if let Ok(bytes) = object.cast::<PyBytes>() {
            return Ok(Self::Borrowed(bytes.as_bytes()));
        }
        if let Ok(text) = object.cast::<PyString>() {
            return Ok(Self::Borrowed(text.to_str()?.as_bytes()));
        }
        if object.is_none() {
            return Ok(Self::None);
        }
        let Ok(buffer) = PyUntypedBuffer::get(object) else {
            return Err(PyTypeError::new_err(format!(
                "{} must be str, None or bytes-like (bytes, bytearray, memoryview, ...), not {}; \
                 encode it first",
                what(),
                type_name(object)
            )));
        };
        if !buffer.is_c_contiguous() {
            return Err(PyBufferError::new_err(format!(
                "{} is a buffer with gaps: pass bytes(...) of it",
                what()
            )));
        }
        Ok(Self::Buffer(buffer, object.py()))
    }

    /// The bytes; `None` if there are none.
    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::None => None,
            Self::Borrowed(bytes) => Some(bytes),
            Self::Buffer(buffer, _) if buffer.len_bytes() == 0 => Some(&[]),
            Self::Buffer(buffer, _) => {
                let (at, len) = (buffer.buf_ptr().cast::<u8>(), buffer.len_bytes());
                // SAFETY: the buffer is contiguous and is held by the view; its exporter may not
                // move it meanwhile. Only a thread with the interpreter's lock may write to it,
                // and that is here.
                Some(unsafe { std::slice::from_raw_parts(at, len) })
            }
        }
    }
}

/// The name of an object's type.
pub(crate) fn type_name(object: &Bound<'_, PyAny>) -> String {
    let name = object.get_type().name();
    name.map_or_else(|_| "?".to_owned(), |name| name.to_string())
}

/// Headers: a mapping, or pairs of a name and a value.
pub(crate) struct HeaderObjects<'py> {
    pairs: Vec<(Bound<'py, PyString>, Bound<'py, PyAny>)>,
}

impl<'py> HeaderObjects<'py> {
    pub(crate) fn of(object: Option<&Bound<'py, PyAny>>) -> PyResult<Self> {
        let mut pairs = Vec::new();
        let Some(object) = object.filter(|object| !object.is_none()) else {
            return Ok(Self { pairs });
        };
        if let Ok(dict) = object.cast::<PyDict>() {
            for (name, value) in dict.iter() {
                pairs.push((header_name(name)?, value));
            }
            return Ok(Self { pairs });
        }
        let items = match object.cast::<PyMapping>() {
            Ok(mapping) => mapping.items()?.into_any(),
            Err(_) => object.clone(),
        };
        let wrong = || {
            PyTypeError::new_err(format!(
                "headers must be a mapping of names to values, or pairs of them, not {}",
                type_name(object)
            ))
        };
        for pair in items.try_iter().map_err(|_| wrong())? {
            let pair = pair?;
            let (name, value): (Bound<'py, PyAny>, Bound<'py, PyAny>) =
                pair.extract().map_err(|_| wrong())?;
            pairs.push((header_name(name)?, value));
        }
        Ok(Self { pairs })
    }

    /// The headers' bytes, for as long as the objects live.
    pub(crate) fn inputs(&self) -> PyResult<Vec<(&str, Input<'_, 'py>)>> {
        let one =
            |(name, value): &'_ (Bound<'py, PyString>, Bound<'py, PyAny>)| -> PyResult<()> {
                if value.is_none() {
                    let text = format!(
                        "the value of header {name} must be str or bytes-like, not None"
                    );
                    return Err(PyTypeError::new_err(text));
                }
                Ok(())
            };
        let mut out = Vec::with_capacity(self.pairs.len());
        for pair in &self.pairs {
            one(pair)?;
            let (name, value) = pair;
            let input = Input::of(value, || format!("the value of header {name}"))?;
            out.push((name.to_str()?, input));
        }
        Ok(out)
    }
}

fn header_name<'py>(name: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyString>> {
    name.cast_into::<PyString>().map_err(|error| {
        let text =
            format!("a header's name must be str, not {}", type_name(&error.into_inner()));
        PyTypeError::new_err(text)
    })
}

/// A whole number within bounds; `what` names it in errors.
pub(crate) fn number<T: TryFrom<i128> + std::fmt::Display>(
    object: &Bound<'_, PyAny>,
    what: &str,
    (min, max): (T, T),
    code: Code,
) -> PyResult<T> {
    let wrong =
        || PyTypeError::new_err(format!("{what} must be int, not {}", type_name(object)));
    // A bool is an int to Python, and hardly ever meant.
    if object.is_instance_of::<pyo3::types::PyBool>() {
        return Err(wrong());
    }
    let index = object.call_method0("__index__").map_err(|_| wrong())?;
    let value: Option<i64> = index.extract().ok();
    let value = match value {
        Some(value) => Some(i128::from(value)),
        None => index.extract::<u64>().ok().map(i128::from),
    };
    value.and_then(|value| T::try_from(value).ok()).ok_or_else(|| {
        let text = format!("{what} is {index}, but should be from {min} to {max}");
        own(object.py(), code, &text)
    })
}

/// A partition, if one is named.
pub(crate) fn partition(object: Option<&Bound<'_, PyAny>>) -> PyResult<Option<u32>> {
    object
        .filter(|object| !object.is_none())
        .map(|object| number(object, "partition", (0, u32::MAX), Code::INVALID_ARGUMENT))
        .transpose()
}

/// A time in microseconds since the Unix epoch, if one is given.
pub(crate) fn time_us(object: Option<&Bound<'_, PyAny>>, what: &str) -> PyResult<Option<i64>> {
    let Some(object) = object.filter(|object| !object.is_none()) else { return Ok(None) };
    if object.hasattr("timestamp")? {
        return crate::batch::micros_of(object).map(Some);
    }
    let time = number(object, what, (i64::MIN, i64::MAX), Code::INVALID_ARGUMENT);
    time.map(Some).map_err(|error| {
        if error.is_instance_of::<PyTypeError>(object.py()) {
            return PyTypeError::new_err(format!(
                "{what} must be a datetime, or an int of microseconds since the Unix epoch, not {}",
                type_name(object)
            ));
        }
        error
    })
}

/// A record's id, if one is given.
pub(crate) fn id(object: Option<&Bound<'_, PyAny>>) -> PyResult<Option<[u8; 16]>> {
    let Some(object) = object.filter(|object| !object.is_none()) else { return Ok(None) };
    // A uuid.UUID.
    let uuid = object.getattr_opt("bytes")?.filter(|bytes| bytes.is_instance_of::<PyBytes>());
    let object = uuid.as_ref().unwrap_or(object);
    let input = Input::of(object, || "id".to_owned())?;
    let bytes = input.bytes().unwrap_or_default();
    bytes.try_into().map(Some).map_err(|_| {
        let text =
            format!("id has {} bytes, but should have 16, or be a uuid.UUID", bytes.len());
        own(object.py(), Code::INVALID_ARGUMENT, &text)
    })
}

/// A place in a partition: `earliest`, `latest`, an offset, `last:N`, `time:T`, a time.
pub(crate) fn start(object: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Start>> {
    let Some(object) = object.filter(|object| !object.is_none()) else { return Ok(None) };
    let py = object.py();
    if let Ok(text) = object.cast::<PyString>() {
        let start = text.to_str()?.parse::<Start>();
        return start.map(Some).map_err(|error| crate::error::raise(py, &error));
    }
    if object.hasattr("timestamp")? {
        return Ok(Some(Start::Timestamp(crate::batch::micros_of(object)?)));
    }
    let offset = number(object, "start", (0, u64::MAX), Code::INVALID_ARGUMENT);
    offset.map(|offset| Some(Start::Offset(offset))).map_err(|error| {
        if error.is_instance_of::<PyTypeError>(py) {
            return PyTypeError::new_err(format!(
                "start must be \"earliest\", \"latest\", an offset, a datetime or a timedelta, \
                 not {}",
                type_name(object)
            ));
        }
        error
    })
}

/// A whole number among a call's arguments, with an error that says what it should be.
pub(crate) struct Count<T>(pub(crate) T);

impl<'py> FromPyObject<'_, 'py> for Count<u32> {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        number(&object, "it", (0, u32::MAX), Code::INVALID_ARGUMENT).map(Self)
    }
}

impl<'py> FromPyObject<'_, 'py> for Count<u64> {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        number(&object, "it", (0, u64::MAX), Code::INVALID_ARGUMENT).map(Self)
    }
}
