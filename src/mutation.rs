//! The mutation: another class in the spec of a Pod, and every other byte as it came.
use std::borrow::Cow;

use serde::de::MapAccess;
use serde_json::value::RawValue;

use crate::{
    decision::Mutation,
    field::{Field, FieldError},
    json::{Members, Object, Unread, Value, members},
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
    for (key, value) in spec.members_mut() {
        match key.as_ref() {
            NODE_SELECTOR if !of_class.node_selector.is_empty() => remove_pairs(value, &of_class.node_selector)?,
            TOLERATIONS if !of_class.tolerations.is_empty() => remove_tolerations(value, &of_class.tolerations)?,
            _ => {}
        }
    }
    Ok(())
}

fn remove_pairs(value: &mut Value, of_class: &Object) -> Result<(), FieldError> {
    let Some(mut selector) = value.open(NODE_SELECTOR, &[])? else { return Ok(()) };
    selector.retain(|key, own| !of_class.get(key).is_ok_and(|theirs| are_same_text(theirs, own)));
    *value = Value::Object(selector);
    Ok(())
}

fn are_same_text(one: Option<&Value>, other: &Value) -> bool {
    one.and_then(Value::as_text).is_some_and(|one| other.as_text() == Some(one))
}

/// Removes the toleration that is written as the class has it. The API server writes both, so there is one. If there is
/// none, the policy removes those that mean the same.
fn remove_tolerations(value: &mut Value, of_class: &[&RawValue]) -> Result<(), FieldError> {
    let Some(mut tolerations) = value.list(TOLERATIONS)? else { return Ok(()) };
    let mut unlike = Vec::new();
    for of_class in of_class {
        let before = tolerations.len();
        tolerations.retain(|own| own.get() != of_class.get());
        if tolerations.len() == before {
            unlike.extend(meaning(of_class));
        }
    }
    if !unlike.is_empty() {
        tolerations.retain(|own| !meaning(own).is_some_and(|own| unlike.contains(&own)));
    }
    *value = Value::List(tolerations);
    Ok(())
}

/// A [toleration](https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/).
#[derive(Default)]
struct Toleration<'a> {
    key: Field<Value<'a>>,
    operator: Field<Value<'a>>,
    value: Field<Value<'a>>,
    effect: Field<Value<'a>>,
    seconds: Field<Value<'a>>,
    has_unknown_fields: bool,
}

impl<'a> Members<'a> for Toleration<'a> {
    fn read<V: MapAccess<'a>>(&mut self, key: Cow<'a, str>, value: Unread<'_, V>) -> Result<(), V::Error> {
        let field = match key.as_ref() {
            "key" => &mut self.key,
            "operator" => &mut self.operator,
            "value" => &mut self.value,
            "effect" => &mut self.effect,
            "tolerationSeconds" => &mut self.seconds,
            _ => {
                self.has_unknown_fields = true;
                return value.skip();
            }
        };
        field.set(value.keep()?);
        Ok(())
    }
}

/// What a toleration means: the values of its fields, of those that are left out as well. It is `None` if there are
/// unknown fields or values.
fn meaning(toleration: &RawValue) -> Option<[Cow<'_, str>; 5]> {
    let Toleration { key, operator, value, effect, seconds, has_unknown_fields } = members(toleration)?;
    let seconds = if let Some(Value::Text(number)) = seconds.get("").ok()? { number.get() } else { "" };
    let texts =
        [text(&key, "")?, text(&operator, "Equal")?, text(&value, "")?, text(&effect, "")?, Cow::Borrowed(seconds)];
    (!has_unknown_fields).then_some(texts)
}

fn text<'a>(field: &Field<Value<'a>>, default: &'static str) -> Option<Cow<'a, str>> {
    match field.get("").ok()? {
        None => Some(Cow::Borrowed(default)),
        Some(value) => value.as_text(),
    }
}
