//! The change: another class in the pod spec of an object, and every other byte as it came.
use std::borrow::Cow;

use serde::{Deserialize, de::Error as _};
use serde_json::{Error, value::RawValue};

use crate::{
    json::{Node, Object, Path, Text, read},
    runtime_class::Scheduling,
};

const NODE_SELECTOR: &str = "nodeSelector";
const TOLERATIONS: &str = "tolerations";

/// Gives `object` the class `class`, at the `path` where its kind names it, and takes away what
/// belongs to the old class: the overhead and, if the pod spec has them `merged` in, the scheduling
/// constraints.
///
/// The API server adds those of the new class when it runs its
/// [RuntimeClass plugin](https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#runtimeclass)
/// again, and refuses a Pod that still has what is another class's.
///
/// # Errors
/// The scheduling constraints can't be read.
pub fn change_runtime_class<'a>(
    object: &mut Object<'a>,
    path: Path<'static>,
    class: &'a str,
    merged: Option<Scheduling<'a>>,
) -> Result<(), Error> {
    let (pod_spec, name) = object.parent_mut(path).ok_or_else(|| Error::custom("the pod spec is not there"))?;
    pod_spec.set(name, Node::Text(class));
    pod_spec.retain(|key, _| key != "overhead");
    merged.map_or(Ok(()), |scheduling| remove_scheduling(pod_spec, scheduling))
}

/// Removes from a Pod's spec every pair of `nodeSelector` and every toleration that the class has.
fn remove_scheduling<'a>(pod_spec: &mut Object<'a>, Scheduling(class): Scheduling<'a>) -> Result<(), Error> {
    let Some(class) = Object::read(class, "scheduling of the class")? else { return Ok(()) };

    if let (Some(merged), Some(selector)) = (class.raw(NODE_SELECTOR)?, pod_spec.raw(NODE_SELECTOR)?)
        && let Some(merged) = Object::read(merged, "nodeSelector of the class")?
        && let Some(mut selector) = Object::read(selector, "request.object.spec.nodeSelector")?
    {
        selector.retain(|key, value| match (merged.raw(key), value.raw()) {
            (Ok(Some(of_class)), Some(own)) => !same::<Text>(of_class, own),
            _ => true,
        });
        pod_spec.set(NODE_SELECTOR, Node::Object(selector));
    }
    if let (Some(merged), Some(tolerations)) = (class.raw(TOLERATIONS)?, pod_spec.raw(TOLERATIONS)?) {
        let merged = list(merged, "tolerations of the class")?;
        let mut tolerations = list(tolerations, "request.object.spec.tolerations")?;
        tolerations.retain(|own| !merged.iter().any(|of_class| same::<Toleration>(of_class, own)));
        pod_spec.set(TOLERATIONS, Node::List(tolerations));
    }
    Ok(())
}

/// The items of a list, as they came.
fn list<'a>(raw: &'a RawValue, place: &str) -> Result<Vec<&'a RawValue>, Error> {
    read(raw).map_err(|_| Error::custom(format_args!("invalid type, expected {place} to be a list")))
}

/// Whether the two are written alike, or say the same as a `T`.
fn same<'a, T: Deserialize<'a> + PartialEq>(one: &'a RawValue, other: &'a RawValue) -> bool {
    one.get() == other.get() || matches!((read::<T>(one), read(other)), (Ok(one), Ok(other)) if one == other)
}

/// A [toleration](https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/).
/// One with a field that is not known here is like none that is written otherwise.
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

/// What an operator that is left out means.
fn equal() -> Cow<'static, str> {
    Cow::Borrowed("Equal")
}
