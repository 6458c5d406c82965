//! The mutation: another class in the spec of a Pod, and every other value as it came.
use std::{borrow::Cow, collections::BTreeMap};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::decision::Mutation;
use crate::object::{FieldError, FromObject, Members, Value};
use crate::runtime_class::Scheduling;

/// Gives a Pod its new class, and removes the fields that belong to the old one: the overhead and, if
/// it is known, the scheduling.
///
/// The API server sets those of the new class when it runs its
/// [RuntimeClass plugin](https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#runtimeclass)
/// again, and rejects a Pod that still has those of another one.
///
/// # Errors
/// A field of the Pod can't be read, or not written again.
pub fn mutate(pod: &mut Value, mutation: &Mutation) -> Result<(), FieldError> {
    let Value::Object(pod) = pod else { return Err(pod.is_not("an object")) };
    let Some(Value::Object(spec)) = find(pod, "spec") else { return Err(FieldError::new("missing field")) };
    let class = Value::set(mutation.fallback)?;
    match find(spec, "runtimeClassName") {
        Some(old) => *old = class,
        None => spec.push((Cow::Borrowed("runtimeClassName"), class)),
    }
    spec.retain(|(key, _)| key != "overhead");
    match &mutation.scheduling {
        Some(scheduling) => remove_scheduling(spec, scheduling).map_err(|error| error.under("spec")),
        None => Ok(()),
    }
}

fn find<'m, 'a>(members: &'m mut Members<'a>, key: &str) -> Option<&'m mut Value<'a>> {
    members.iter_mut().find(|(name, _)| name == key).map(|(_, value)| value)
}

/// Removes every `nodeSelector` pair and every toleration of a class. What the class does not have is not read.
fn remove_scheduling(spec: &mut Members, of_class: &Scheduling) -> Result<(), FieldError> {
    for (key, value) in spec {
        match (key.as_ref(), &of_class.node_selector, &of_class.tolerations) {
            ("nodeSelector", Some(pairs), _) if !pairs.is_empty() => remove_pairs(value, pairs)?,
            ("tolerations", _, Some(own)) if !own.is_empty() => remove_tolerations(value, own)?,
            _ => {}
        }
    }
    Ok(())
}

fn remove_pairs(value: &mut Value, of_class: &BTreeMap<String, String>) -> Result<(), FieldError> {
    let Some(mut selector) = value.at("nodeSelector", &[], Value::open)? else { return Ok(()) };
    selector
        .retain(|(key, value)| !value.string().is_ok_and(|value| of_class.get(&**key).is_some_and(|v| *v == value)));
    *value = Value::Object(selector);
    Ok(())
}

/// Removes the toleration that is written as the class has it. The API server writes both, so there is one. If there is
/// none, the policy removes those that mean the same.
fn remove_tolerations(value: &mut Value, of_class: &[Box<RawValue>]) -> Result<(), FieldError> {
    let list = value.at("tolerations", &[], |value| value.parse::<Vec<&RawValue>>("a list"))?;
    let Some(mut tolerations) = list else { return Ok(()) };
    let mut unlike = Vec::new();
    for of_class in of_class {
        let before = tolerations.len();
        tolerations.retain(|own| own.get() != of_class.get());
        if tolerations.len() == before {
            unlike.extend(Toleration::read(of_class.get()));
        }
    }
    if !unlike.is_empty() {
        tolerations.retain(|own| !Toleration::read(own.get()).is_some_and(|own| unlike.contains(&own)));
    }
    *value = Value::set(&tolerations)?;
    Ok(())
}

/// A [toleration](https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/).
#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Toleration {
    key: Option<String>,
    operator: Option<String>,
    value: Option<String>,
    effect: Option<String>,
    toleration_seconds: Option<i64>,
}

impl Toleration {
    /// What a toleration means, or `None` if it has unknown fields or values. A field that is left out means its default.
    fn read(json: &str) -> Option<Self> {
        // An error takes memory, and a list may have a million values.
        if !json.starts_with('{') {
            return None;
        }
        let FromObject(mut toleration): FromObject<Self> = serde_json::from_str(json).ok()?;
        toleration.operator.get_or_insert_with(|| "Equal".to_owned());
        for text in [&mut toleration.key, &mut toleration.value, &mut toleration.effect] {
            text.get_or_insert_default();
        }
        Some(toleration)
    }
}
