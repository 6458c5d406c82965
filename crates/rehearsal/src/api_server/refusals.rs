//! What the API server refuses, in its words.

use super::defaults::set_defaults;
use super::fields::{at, text};
use super::kinds::Kind;
use super::plugins::{admit_pod, overhead_of, same_resources};
use super::{Classes, validation};
use serde_json::Value;
use std::fmt;

/// The words of the API server, as kubectl prints them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

pub(super) const OTHER_OVERHEAD: &str = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";
const OVERHEAD_WITHOUT_CLASS: &str =
    "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead";

impl Refused {
    /// By an admission plugin.
    pub(super) fn forbidden(pod: &Value, why: impl fmt::Display) -> Self {
        Self(format!("pods {:?} is forbidden: {why}", name_of(pod)))
    }

    /// By the decoder.
    pub(super) fn bad_request(kind: &str, version: &str, why: &str) -> Self {
        Self(format!("{kind} in version {version:?} cannot be handled as a {kind}: json: {why}"))
    }

    /// By the validation of the object.
    fn invalid(kind: &str, object: &Value, errors: &[String]) -> Self {
        let errors = match errors {
            [error] => error.clone(),
            errors => format!("[{}]", errors.join(", ")),
        };
        Self(format!("The {kind} {:?} is invalid: {errors}", name_of(object)))
    }
}

fn name_of(object: &Value) -> &str {
    let names = ["metadata.name", "metadata.generateName"].map(|field| text(object, field));
    names.into_iter().find(|name| !name.is_empty()).unwrap_or("Unknown")
}

/// A name that the plugin can't even ask for.
pub(super) fn class_name(name: &str) -> Result<(), Refused> {
    let not_allowed = match name {
        "" => return Err(Refused("resource name may not be empty".to_owned())),
        "." | ".." => format!("may not be '{name}'"),
        name if name.contains('/') => "may not contain '/'".to_owned(),
        name if name.contains('%') => "may not contain '%'".to_owned(),
        _ => return Ok(()),
    };
    Err(Refused(format!("invalid resource name {name:?}: [{not_allowed}]")))
}

/// What the API server does with an object that a webhook changed: it reads it again, and the plugins run again on a Pod.
pub fn read_again(kind: &Kind, object: &mut Value, classes: Classes) -> Result<(), Refused> {
    set_defaults(kind.group, kind.name, object);
    if kind.is_pod() { admit_pod(object, classes) } else { Ok(()) }
}

/// Validates an object, after all mutating webhooks.
pub fn validate(kind: &Kind, object: &Value, classes: Classes) -> Result<(), Refused> {
    let errors = validation::errors(kind, object);
    if !errors.is_empty() {
        return Err(Refused::invalid(kind.name, object, &errors));
    }
    if kind.is_pod() { overhead(object, classes) } else { Ok(()) }
}

fn overhead(pod: &Value, classes: Classes) -> Result<(), Refused> {
    let overhead = at(pod, "spec.overhead");
    let expected = match (at(pod, "spec.runtimeClassName").and_then(Value::as_str), classes) {
        (Some(_), None) => return Ok(()),
        (Some(name), Some(classes)) => classes.get(name).and_then(overhead_of),
        (None, _) => None,
    };
    match (overhead, expected) {
        (Some(_), None) => Err(Refused::forbidden(pod, OVERHEAD_WITHOUT_CLASS)),
        (overhead, Some(expected)) if !overhead.is_some_and(|own| same_resources(own, &expected)) => {
            Err(Refused::forbidden(pod, OTHER_OVERHEAD))
        }
        _ => Ok(()),
    }
}
