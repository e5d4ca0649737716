//! Options, given in code by the names of the table.
//!
//! Owns reading them out of a dictionary; ranges and defaults are the core's. The one invariant:
//! `None` is not given, whatever the URL and the environment say then counts.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use tidewire::{Acks, Code, Codec, QueueFull};
use tidewire_protocol::options::OptionInfo;

use crate::error::own;
use crate::input::{number, type_name};

/// What was given.
pub(crate) struct Options<'a, 'py> {
    given: &'a Bound<'py, PyDict>,
}

impl<'a, 'py> Options<'a, 'py> {
    pub(crate) fn new(given: &'a Bound<'py, PyDict>) -> Self {
        Self { given }
    }

    pub(crate) fn get(&self, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(self.given.get_item(name)?.filter(|value| !value.is_none()))
    }

    /// A number; its range is checked where it is used.
    pub(crate) fn number<T>(&self, name: &str) -> PyResult<Option<T>>
    where
        T: TryFrom<i128> + Bounds + std::fmt::Display,
    {
        let Some(value) = self.get(name)? else { return Ok(None) };
        let number = number(&value, name, T::BOUNDS, Code::INVALID_OPTION);
        number.map(Some).map_err(|error| {
            let py = value.py();
            let range = OptionInfo::find(name).and_then(|info| Some((info.min?, info.max?)));
            match range {
                // The table knows the bounds better than a type does.
                Some((min, max)) if !error.is_instance_of::<PyTypeError>(py) => {
                    let text = format!("{name} is {value}, but should be from {min} to {max}");
                    own(py, Code::INVALID_OPTION, &text)
                }
                _ => error,
            }
        })
    }

    pub(crate) fn text(&self, name: &str) -> PyResult<Option<String>> {
        let Some(value) = self.get(name)? else { return Ok(None) };
        value.extract().map(Some).map_err(|_| {
            PyTypeError::new_err(format!("{name} must be str, not {}", type_name(&value)))
        })
    }

    /// One of several words.
    pub(crate) fn word<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> PyResult<Option<T>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Ok(Some(*value));
        }
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let text = format!("{name} is \"{text}\", but should be one of {}", known.join(", "));
        Err(own(self.given.py(), Code::INVALID_OPTION, &text))
    }

    pub(crate) fn acks(&self) -> PyResult<Option<Acks>> {
        let words =
            [("none", Acks::None), ("written", Acks::Written), ("synced", Acks::Synced)];
        self.word("acks", &words)
    }

    pub(crate) fn queue_full(&self) -> PyResult<Option<QueueFull>> {
        let words = [
            ("block", QueueFull::Block),
            ("error", QueueFull::Error),
            ("drop", QueueFull::Drop),
        ];
        self.word("queue_full", &words)
    }

    /// A producer's: `topic` is what is not set.
    pub(crate) fn codec(&self, producer: bool) -> PyResult<Option<Codec>> {
        let words = [
            ("none", Some(Codec::None)),
            ("lz4", Some(Codec::Lz4)),
            ("zstd", Some(Codec::Zstd)),
            ("topic", None),
        ];
        let words = if producer { &words[..] } else { &words[..3] };
        Ok(self.word("codec", words)?.flatten())
    }
}

/// The bounds of a type.
pub(crate) trait Bounds: Sized {
    const BOUNDS: (Self, Self);
}

impl Bounds for u32 {
    const BOUNDS: (Self, Self) = (0, Self::MAX);
}

impl Bounds for u64 {
    const BOUNDS: (Self, Self) = (0, Self::MAX);
}

/// The name of a level of acknowledgement.
pub(crate) fn acks_name(acks: Acks) -> &'static str {
    match acks {
        Acks::None => "none",
        Acks::Written => "written",
        Acks::Synced => "synced",
        _ => "other",
    }
}

/// The name of a codec.
pub(crate) fn codec_name(codec: Codec) -> &'static str {
    match codec {
        Codec::None => "none",
        Codec::Lz4 => "lz4",
        Codec::Zstd => "zstd",
        _ => "other",
    }
}
