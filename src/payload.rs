//! What the host sends for one evaluation: a request, and the settings of the policy.
use std::fmt;

use serde::Deserialize;
use serde_json::Error;
use simdutf8::compat::{Utf8Error, from_utf8};

use crate::{
    admission::Request,
    json::message,
    settings::{Given, Invalid},
};

/// The payload of a
/// [validation request](https://docs.kubewarden.io/reference/spec/validating-policies).
#[derive(Deserialize)]
#[serde(expecting = "an object with request and settings")]
pub struct Payload<'a> {
    #[serde(borrow)]
    pub request: Request<'a>,
    #[serde(borrow, default)]
    pub settings: Given<'a>,
}

/// Why there is nothing to be judged.
#[derive(Debug)]
pub enum Unreadable<'a> {
    NotUtf8(Utf8Error),
    Request(Error),
    Settings(Invalid<'a>),
}

impl<'a> Payload<'a> {
    /// Reads what the host sends.
    ///
    /// # Errors
    /// It is no JSON, or no request with settings.
    pub fn read(payload: &'a [u8]) -> Result<Self, Unreadable<'a>> {
        let text = from_utf8(payload).map_err(Unreadable::NotUtf8)?;
        Ok(serde_json::from_str(text)?)
    }
}

impl From<Error> for Unreadable<'_> {
    fn from(error: Error) -> Self {
        Self::Request(error)
    }
}

impl<'a> From<Invalid<'a>> for Unreadable<'a> {
    fn from(invalid: Invalid<'a>) -> Self {
        Self::Settings(invalid)
    }
}

impl fmt::Display for Unreadable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8(error) => write!(f, "the request can't be read: {error}"),
            Self::Request(error) => write!(f, "the request can't be read: {}", message(error)),
            Self::Settings(invalid) => write!(f, "the settings of the policy are not valid: {invalid}"),
        }
    }
}
