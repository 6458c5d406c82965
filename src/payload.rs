//! The payload of an evaluation: a request, and the settings of the policy.
use std::borrow::Cow;

use serde::de::MapAccess;

use crate::{
    admission::Request,
    field::{Field, FieldError, Problem},
    json::{Members, Opened, Unread, Unreadable, Value, read},
};

/// The payload of a
/// [validation request](https://docs.kubewarden.io/reference/spec/validating-policies).
#[derive(Default)]
pub struct Payload<'a> {
    request: Field<Opened<'a, Request<'a>>>,
    settings: Field<Value<'a>>,
}

impl<'a> Payload<'a> {
    /// Reads the payload of `validate`, in one pass, and returns the request and the settings.
    ///
    /// # Errors
    /// It is not JSON, or not an object with a request.
    pub fn read(payload: &'a [u8]) -> Result<(Request<'a>, Option<Value<'a>>), Unreadable> {
        let Self { request, settings } =
            read(payload, Self::default)?.map_err(|other| other.is_not("an object", "payload"))?;
        let request = match request.take("request")? {
            Some(Ok(request)) => request,
            Some(Err(other)) if !other.is_null() => return Err(other.is_not("an object", "request").into()),
            Some(Err(_)) | None => return Err(FieldError::new("request", Problem::Missing).into()),
        };
        Ok((request, settings.take("settings")?))
    }
}

impl<'a> Members<'a> for Payload<'a> {
    fn read<V: MapAccess<'a>>(&mut self, key: Cow<'a, str>, value: Unread<'_, V>) -> Result<(), V::Error> {
        match key.as_ref() {
            "request" => self.request.set(value.read(Request::default)?),
            "settings" => self.settings.set(value.open(&[])?),
            _ => value.skip()?,
        }
        Ok(())
    }
}
