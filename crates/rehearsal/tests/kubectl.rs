//! Every file of `test_data/kubectl`, read as kubectl read it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rehearsal::read::{Document, Found, documents, read};
use serde_json::Value;

/// Where this reader and kubectl differ, and why.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("documents-end-marker-only", "what kubectl drops behind `...` without a word is told"),
    ("documents-no-apiversion", "annotate takes it, the API server does not"),
    ("documents-sequence", ARRAY),
    ("json-array-of-lists", ARRAY),
    ("json-array-of-objects", ARRAY),
    ("list-nested", NESTED),
    ("list-nested-three", NESTED),
    ("list-nested-typed", NESTED),
    ("list-item-labels-bad", "annotate takes it, the API server does not"),
    ("list-metadata-bad", "kubectl refuses it; its items are read"),
    ("list-without-kind", "kubectl refuses it; its items are read"),
];

const ARRAY: &str = "kubectl refuses an array of objects, as `jq -s` makes it; it is read";
const NESTED: &str = "kubectl refuses Lists in Lists; they are read";

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test_data/kubectl")
}

#[derive(Debug, Default)]
struct Answer {
    objects: Vec<Value>,
    /// What is no object, or broken.
    errors: Vec<String>,
}

fn ours(input: &[u8]) -> Answer {
    let mut answer = Answer::default();
    read(input, &Arc::from("FILE"), &mut |found| match found {
        Found::Object(document) => match document.value() {
            Ok((value, _)) => answer.objects.push(value),
            Err(message) => answer.errors.push(message),
        },
        Found::NotAnObject(Document { place, .. }) => answer.errors.push(format!("{place}: not an object")),
        Found::Unreadable { place, message } => answer.errors.push(format!("{place}: {message}")),
    });
    answer
}

/// `annotate` prints no empty `metadata`, and no empty annotations.
fn less_empty(mut object: Value) -> Value {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        if metadata
            .get("annotations")
            .is_some_and(|value| value.is_null() || value.as_object().is_some_and(|map| map.is_empty()))
        {
            metadata.remove("annotations");
        }
        if metadata.is_empty() {
            object.as_object_mut().unwrap().remove("metadata");
        }
    } else if object.get("metadata").is_some_and(Value::is_null) {
        object.as_object_mut().unwrap().remove("metadata");
    }
    object
}

/// Numbers by value: integers as such, the others as floats.
fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => match (left.as_i64(), right.as_i64()) {
            (Some(left), Some(right)) => left == right,
            _ => left.as_f64() == right.as_f64(),
        },
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, value)| right.get(key).is_some_and(|other| equal(value, other)))
        }
        _ => left == right,
    }
}

fn difference(name: &str) -> Option<String> {
    let path = |ending: &str| data().join(format!("{name}.{ending}"));
    let ours = ours(&fs::read(path("in")).unwrap());
    // Two of them are too deep for serde_json alone.
    let theirs = fs::read(path("json"))
        .map_or_else(|_| Vec::new(), |json| documents(&json, name).unwrap().remove(0).as_array().unwrap().clone());
    let error = fs::read_to_string(path("err")).ok();
    // It stops at an error; the rest is read here.
    if error.is_none() && ours.objects.len() != theirs.len() {
        return Some(format!("{} objects, not {}: {ours:?}", ours.objects.len(), theirs.len()));
    }
    if error.is_some() == ours.errors.is_empty() {
        return Some(format!("kubectl: {error:?}, here: {ours:?}"));
    }
    let mut objects = ours.objects.into_iter();
    for their in theirs {
        let Some(our) = objects.next() else { return Some(format!("missing: {their}")) };
        if !equal(&less_empty(our.clone()), &less_empty(their.clone())) {
            return Some(format!("kubectl: {their}\nhere:    {our}"));
        }
    }
    None
}

#[test]
fn every_file_is_read_as_kubectl_reads_it() {
    let exceptions: BTreeMap<_, _> = EXCEPTIONS.iter().copied().collect();
    let mut names: Vec<String> = fs::read_dir(data())
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.strip_suffix(".in").map(str::to_owned))
        .collect();
    names.sort();
    assert!(names.len() > 253);
    let mut wrong = Vec::new();
    for name in &names {
        match (difference(name), exceptions.contains_key(name.as_str())) {
            (Some(difference), false) => wrong.push(format!("{name}: {difference}")),
            (None, true) => wrong.push(format!("{name} is no exception any more")),
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), names.len(), wrong.join("\n"));
}
