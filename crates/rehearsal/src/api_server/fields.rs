//! Reaching into an object whose shape nobody has checked.

use serde_json::{Map, Value};

/// What a field is set to where it is missing.
#[derive(Clone, Copy)]
pub enum Fill {
    Text(&'static str),
    Number(i64),
    Flag(bool),
    Object,
    Null,
}

/// A path to objects, a field of theirs, and its default.
pub type Row = (&'static str, &'static str, Fill);

impl From<Fill> for Value {
    fn from(fill: Fill) -> Self {
        match fill {
            Fill::Text(text) => text.into(),
            Fill::Number(number) => number.into(),
            Fill::Flag(flag) => flag.into(),
            Fill::Object => Value::Object(Map::new()),
            Fill::Null => Value::Null,
        }
    }
}

/// Calls `change` with each object at `path`: keys with dots between them, and `[]` behind a key for each item of a list.
pub fn each(value: &mut Value, path: &str, change: &mut dyn FnMut(&mut Map<String, Value>)) {
    if path.is_empty() {
        if let Some(object) = value.as_object_mut() {
            change(object);
        }
        return;
    }
    let (step, rest) = first_step(path);
    let list = step.strip_suffix("[]");
    match value.get_mut(list.unwrap_or(step)) {
        Some(Value::Array(items)) if list.is_some() => items.iter_mut().for_each(|item| each(item, rest, change)),
        Some(next) if list.is_none() => each(next, rest, change),
        _ => {}
    }
}

/// Sets the fields of `rows` that are missing, in their order: a row may make the object that a later one fills.
pub fn fill(value: &mut Value, rows: &[Row]) {
    for rows in rows.chunk_by(|(a, ..), (b, ..)| a == b) {
        let path = rows.first().map_or("", |(path, ..)| path);
        each(value, path, &mut |object| {
            rows.iter().for_each(|(_, field, default)| set_missing(object, field, *default))
        });
    }
}

/// Makes the objects at `path`, keys with dots between them, that are missing.
pub fn make(value: &mut Value, path: &str) {
    let (step, rest) = first_step(path);
    if let Some(object) = value.as_object_mut()
        && !step.is_empty()
    {
        set_missing(object, step, Fill::Object);
        object.get_mut(step).into_iter().for_each(|next| make(next, rest));
    }
}

pub fn set_missing(object: &mut Map<String, Value>, field: &str, default: impl Into<Value>) {
    if !object.contains_key(field) {
        object.insert(field.to_owned(), default.into());
    }
}

/// The value at `path`, keys with dots between them.
pub fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    if path.is_empty() {
        return Some(value);
    }
    let (step, rest) = first_step(path);
    at(value.get(step)?, rest)
}

/// The first key of a path, and the path below it. Paths are short: this is faster than a search.
pub fn first_step(path: &str) -> (&str, &str) {
    match path.bytes().position(|byte| byte == b'.') {
        Some(dot) => (path.get(..dot).unwrap_or_default(), path.get(dot + 1..).unwrap_or_default()),
        None => (path, ""),
    }
}

/// The text at `path`; `""` where there is none, as in the API server's own types.
pub fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    at(value, path).and_then(Value::as_str).unwrap_or_default()
}

/// The items of the list at `path`.
pub fn items<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    at(value, path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

pub fn items_mut<'a>(value: &'a mut Value, field: &str) -> impl Iterator<Item = &'a mut Value> {
    value.get_mut(field).and_then(Value::as_array_mut).into_iter().flatten()
}

/// Adds to the list at `field`. `false` where something else stands there.
pub fn push(object: &mut Map<String, Value>, field: &str, value: Value) -> bool {
    list_mut(object, field).map(|list| list.push(value)).is_some()
}

/// The list at `field`, made if it is missing. `None` where something else stands there.
pub fn list_mut<'a>(object: &'a mut Map<String, Value>, field: &str) -> Option<&'a mut Vec<Value>> {
    set_missing(object, field, Value::Array(Vec::new()));
    object.get_mut(field)?.as_array_mut()
}

/// The object at `field`, made if it is missing. `None` where something else stands there.
pub fn object_mut<'a>(object: &'a mut Map<String, Value>, field: &str) -> Option<&'a mut Map<String, Value>> {
    set_missing(object, field, Fill::Object);
    object.get_mut(field)?.as_object_mut()
}
