//! The mutation: another class in the spec of a Pod, and every other byte as it came.
use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::{
    decision::Mutation,
    field::FieldError,
    json::{Object, Value},
    runtime_class::Scheduling,
};

const NODE_SELECTOR: &str = "nodeSelector";
const TOLERATIONS: &str = "tolerations";

/// Gives a Pod its new class, and removes the fields that belong to the old one: the overhead and, if
/// it is known, the scheduling.
///
/// The API server sets those of the new class when it runs its
/// [RuntimeClass plugin](https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#runtimeclass)
/// again, and rejects a Pod that still has those of another one.
///
/// # Errors
/// A field of the Pod's spec can't be read.
pub fn mutate<'a>(pod: &mut Object<'a>, mutation: &Mutation<'a>) -> Result<(), FieldError> {
    let spec = pod.object_mut("spec")?;
    spec.set("runtimeClassName", Value::String(mutation.fallback));
    spec.retain(|key, _| key != "overhead");
    match &mutation.scheduling {
        Some(scheduling) => remove_scheduling(spec, scheduling).map_err(|error| error.under("spec")),
        None => Ok(()),
    }
}

/// Removes every `nodeSelector` pair and every toleration of a class.
fn remove_scheduling(spec: &mut Object, of_class: &Scheduling) -> Result<(), FieldError> {
    if let Some(mut selector) = spec.open(NODE_SELECTOR, &[])? {
        selector.retain(|key, own| !of_class.node_selector.get(key).is_ok_and(|theirs| are_same_text(theirs, own)));
        spec.set(NODE_SELECTOR, Value::Object(selector));
    }
    if let Some(mut tolerations) = spec.list(TOLERATIONS)? {
        remove_tolerations(&mut tolerations, &of_class.tolerations);
        spec.set(TOLERATIONS, Value::List(tolerations));
    }
    Ok(())
}

fn are_same_text(one: Option<&Value>, other: &Value) -> bool {
    one.and_then(Value::as_text).is_some_and(|one| other.as_text() == Some(one))
}

/// Removes the tolerations of a class: the one that is written alike, as the API server writes both, or otherwise those
/// that mean the same. The API server leaves no toleration that another one covers, so there is nothing else to find.
fn remove_tolerations(tolerations: &mut Vec<&RawValue>, of_class: &[&RawValue]) {
    for of_class in of_class {
        let before = tolerations.len();
        tolerations.retain(|own| own.get() != of_class.get());
        if tolerations.len() == before {
            remove_meant(tolerations, of_class);
        }
    }
}

/// Removes the tolerations that mean the same as one of a class.
#[cold]
fn remove_meant(tolerations: &mut Vec<&RawValue>, of_class: &RawValue) {
    if let Some(of_class) = fields(of_class) {
        tolerations.retain(|own| fields(own).as_ref() != Some(&of_class));
    }
}

/// The fields of a [toleration](https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/), and
/// the value of each that is left out.
const FIELDS: [(&str, &str); 5] =
    [("key", ""), ("operator", "Equal"), ("value", ""), ("effect", ""), ("tolerationSeconds", "")];

/// The values of the fields of a toleration, or `None` if it has a field that is not known.
fn fields(toleration: &RawValue) -> Option<[Cow<'_, str>; FIELDS.len()]> {
    let toleration = Value::Text(toleration).open("toleration", &[]).ok()??;
    let is_known = |(key, _): (&str, &Value)| FIELDS.iter().any(|(name, _)| *name == key);
    toleration.members().all(is_known).then(|| {
        FIELDS.map(|(name, default)| match toleration.get(name) {
            Ok(Some(value)) => value.as_text().unwrap_or_else(|| Cow::Owned(value.describe())),
            _ => Cow::Borrowed(default),
        })
    })
}
