//! A field of an object, and why it can't be used.
use std::{borrow::Cow, fmt};

use serde::Deserialize;

use crate::json::{Object, Path, Value};

/// A field that counts if it is there once.
#[derive(Debug, Default)]
pub enum Field<T> {
    #[default]
    Missing,
    Value(T),
    Duplicate,
}

/// A field that can't be used. Displayed as Kubernetes writes field errors, path first.
#[derive(Debug, PartialEq)]
pub struct FieldError {
    path: String,
    problem: Problem,
}

#[derive(Debug, PartialEq)]
pub enum Problem {
    Missing,
    Duplicate,
    WrongType { expected: &'static str, got: String },
}

impl<T> Field<T> {
    pub fn set(&mut self, value: T) {
        *self = match self {
            Self::Missing => Self::Value(value),
            Self::Value(_) | Self::Duplicate => Self::Duplicate,
        };
    }

    /// The value, or `None` if the field is left out. Messages call it `key`.
    ///
    /// # Errors
    /// The field is a duplicate: which of its values counts depends on the reader.
    pub fn take(self, key: &str) -> Result<Option<T>, FieldError> {
        match self {
            Self::Missing => Ok(None),
            Self::Value(value) => Ok(Some(value)),
            Self::Duplicate => Err(FieldError::new(key, Problem::Duplicate)),
        }
    }
}

impl<'a> Field<Value<'a>> {
    /// The value, or `None` if the field is left out or null. Messages call it `key`.
    ///
    /// # Errors
    /// The field is a duplicate: which of its values counts depends on the reader.
    pub fn get(&self, key: &str) -> Result<Option<&Value<'a>>, FieldError> {
        match self {
            Self::Missing => Ok(None),
            Self::Value(value) => Ok(Some(value).filter(|value| !value.is_null())),
            Self::Duplicate => Err(FieldError::new(key, Problem::Duplicate)),
        }
    }

    /// The string.
    ///
    /// # Errors
    /// The value is not a string, or see [`Field::get`].
    pub fn text(&self, key: &str) -> Result<Option<Cow<'a, str>>, FieldError> {
        self.get(key)?.map(|value| value.text(key)).transpose()
    }

    /// The value as a `T`, which messages call `expected`.
    ///
    /// # Errors
    /// The value is not a `T`, or see [`Field::get`].
    pub fn read<T: Deserialize<'a>>(&self, key: &str, expected: &'static str) -> Result<Option<T>, FieldError> {
        self.get(key)?.map(|value| value.read(key, expected)).transpose()
    }

    /// The flag.
    ///
    /// # Errors
    /// The value is neither true nor false, or see [`Field::get`].
    pub fn flag(&self, key: &str) -> Result<Option<bool>, FieldError> {
        self.get(key)?.map(|value| value.flag(key)).transpose()
    }

    /// The object, opened if it still is text.
    ///
    /// # Errors
    /// The value is not an object, or see [`Field::get`].
    pub fn into_object(self, key: &str, path: Path) -> Result<Option<Object<'a>>, FieldError> {
        let value = self.take(key)?.filter(|value| !value.is_null());
        value.map(|value| value.into_object(key, path)).transpose()
    }
}

impl FieldError {
    #[cold]
    pub fn new(path: &str, problem: Problem) -> Self {
        Self { path: path.to_owned(), problem }
    }

    /// The same error, seen from the object that has this one at `parent`.
    #[cold]
    pub fn under(mut self, parent: &str) -> Self {
        self.path = format!("{parent}.{}", self.path);
        self
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.path)?;
        match &self.problem {
            Problem::Missing => f.write_str("missing field"),
            Problem::Duplicate => f.write_str("duplicate field"),
            Problem::WrongType { expected, got } => write!(f, "expected {expected}, got {got}"),
        }
    }
}
