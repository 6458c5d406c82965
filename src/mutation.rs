//! The mutation: another class in the spec of a Pod, and every other byte as it came.
use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    decision::Mutation,
    field::{FieldError, Problem},
    json::{Object, Value},
    runtime_class::RuntimeClass,
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
    let Some(spec) = pod.object_mut("spec") else { return Err(FieldError::new("spec", Problem::Missing)) };
    spec.set("runtimeClassName", Value::String(mutation.fallback));
    spec.retain(|key, _| key != "overhead");
    match &mutation.replaced {
        Some(class) => remove_scheduling(spec, class).map_err(|error| error.under("spec")),
        None => Ok(()),
    }
}

/// Removes every `nodeSelector` pair and every toleration that the class has.
fn remove_scheduling(spec: &mut Object, class: &RuntimeClass) -> Result<(), FieldError> {
    if let Some(mut selector) = spec.open(NODE_SELECTOR, &[])? {
        selector.retain(|key, own| !class.node_selector.get(key).is_ok_and(|of_class| are_same_text(of_class, own)));
        spec.set(NODE_SELECTOR, Value::Object(selector));
    }
    if let Some(mut tolerations) = spec.read::<Vec<&RawValue>>(TOLERATIONS, "a list")? {
        let of_class: Vec<_> = class.tolerations.iter().map(|toleration| Meaning::of(toleration)).collect();
        tolerations.retain(|own| !of_class.contains(&Meaning::of(own)));
        spec.set(TOLERATIONS, Value::List(tolerations));
    }
    Ok(())
}

fn are_same_text(one: Option<&Value>, other: &Value) -> bool {
    one.and_then(Value::as_text).is_some_and(|one| other.as_text() == Some(one))
}

/// A toleration, to be compared: as it is read or, if it has an unknown field, as it is written.
#[derive(PartialEq)]
enum Meaning<'a> {
    Known(Toleration<'a>),
    Unknown(&'a str),
}

impl<'a> Meaning<'a> {
    fn of(toleration: &'a RawValue) -> Self {
        serde_json::from_str(toleration.get()).map_or(Self::Unknown(toleration.get()), Self::Known)
    }
}

/// A [toleration](https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/).
#[derive(Default, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Toleration<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow, default = "equal")]
    operator: Cow<'a, str>,
    #[serde(borrow)]
    value: Cow<'a, str>,
    #[serde(borrow)]
    effect: Cow<'a, str>,
    toleration_seconds: Option<i64>,
}

/// The operator of a toleration that leaves it out.
fn equal() -> Cow<'static, str> {
    Cow::Borrowed("Equal")
}
