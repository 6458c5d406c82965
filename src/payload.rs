//! The payload of an evaluation: a request, and the settings of the policy.
use crate::{
    admission::{Kind, Request},
    json::{FieldError, Member, Outline, Problem, Unreadable, Value, read},
};

/// The payload of a
/// [validation request](https://docs.kubewarden.io/reference/spec/validating-policies).
pub struct Payload<'a> {
    pub request: Request<'a>,
    pub settings: Option<Value<'a>>,
}

impl<'a> Payload<'a> {
    /// Reads the payload of `validate`, in one pass.
    ///
    /// # Errors
    /// It is not JSON, or not an object with a request.
    pub fn read(payload: &'a [u8]) -> Result<Self, Unreadable> {
        let mut payload = read(payload, PAYLOAD)?.into_object("payload", PAYLOAD)?;
        let request = payload.take_object("request", REQUEST)?;
        let request = request.ok_or_else(|| FieldError::new("request", Problem::Missing))?;
        Ok(Self { request: Request(request), settings: payload.take("settings")? })
    }
}

const PAYLOAD: Outline = Outline::Members(|key, _| match key {
    "request" => Member::Open(REQUEST),
    "settings" => Member::Open(Outline::FLAT),
    _ => Member::Skip,
});

/// The objects are opened if their kind comes before them, as it does in what policy-server sends.
/// Otherwise they are kept as text, and opened in a second pass.
const REQUEST: Outline = Outline::Members(|key, before| match key {
    "kind" | "userInfo" => Member::Open(Outline::FLAT),
    "operation" => Member::Keep,
    "object" | "oldObject" => match Kind::of(before).ok().and_then(|kind| kind.pod_spec()) {
        Some(pod_spec) => Member::Open(Outline::Path(pod_spec)),
        None => Member::Keep,
    },
    _ => Member::Skip,
});
