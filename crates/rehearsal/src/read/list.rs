//! Lists opened. Whatever has `items` at its top is a List, as for kubectl. It refuses arrays, and Lists in Lists; here
//! they are opened as well.

use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

use super::documents::Reader;
use super::json::Shape;
use super::window::lines;
use super::{Document, Found, Place};

/// Lists in Lists beyond this are a mistake.
pub(super) const NESTED: usize = 32;
pub(super) const TOO_DEEP: &str = "Lists are nested too deeply";

/// What a List says of those of its items that say neither.
#[derive(Clone, Debug, Default)]
pub(super) struct Listed {
    pub(super) api_version: Option<String>,
    /// The List's own: `PodList` for Pods.
    pub(super) kind: Option<String>,
}

impl Listed {
    pub(super) fn is_known(&self) -> bool {
        self.api_version.is_some() && self.kind.is_some()
    }

    /// A `PodList` has Pods; what a `List` has is unknown.
    fn of_item(&self) -> Option<(&str, &str)> {
        let kind = self.kind.as_ref()?;
        let kind = kind.strip_suffix("List").unwrap_or(kind);
        (!kind.is_empty()).then_some((self.api_version.as_deref()?, kind))
    }
}

/// Opens what the text is. `text` has nothing around the value.
pub(super) fn open(text: &str, shape: Shape, place: Place, listed: Option<&Listed>, reader: &mut Reader) {
    let head = match shape {
        Shape::Object(head) => head,
        Shape::Array => return elements(text, text, &place, None, reader),
        Shape::Null | Shape::Scalar => return reader.found(not_an_object(text, place)),
    };
    if let Some(items) = head.items.clone().and_then(|items| text.get(items)) {
        let listed = Listed { api_version: head.api_version, kind: head.kind };
        let empty = items.strip_prefix('[').is_some_and(|items| items.trim_start().starts_with(']')) || items == "null";
        return match items {
            // kubectl refuses it, and nothing else would tell of it.
            _ if empty && listed.kind.is_none() => reader.found(not_an_object(text, place)),
            "null" => {}
            _ if items.starts_with('[') => elements(items, text, &place, Some(&listed), reader),
            _ => {
                let message = format!("line {}: items must be a list", place.line);
                reader.found(Found::Unreadable { place, message });
            }
        };
    }
    let kind = match (head.api_version, head.kind) {
        (None, None) => {
            let Some((api_version, kind)) = listed.and_then(Listed::of_item) else {
                return reader.found(untyped(text, "kind", place));
            };
            let text = with_type(text, api_version, kind);
            return reader.found(Found::Object(Document { place, kind: kind.into(), text }));
        }
        (Some(_), Some(kind)) => kind,
        (None, Some(_)) => return reader.found(untyped(text, "apiVersion", place)),
        (Some(_), None) => return reader.found(untyped(text, "kind", place)),
    };
    reader.found(Found::Object(Document { place, kind: kind.into(), text: text.into() }));
}

pub(super) fn not_an_object(text: &str, place: Place) -> Found {
    Found::NotAnObject(Document { place, kind: Box::default(), text: text.into() })
}

/// A map without `missing`. With `metadata` it is meant to be an object, and must not be left out without a word.
fn untyped(text: &str, missing: &str, place: Place) -> Found {
    #[derive(Deserialize)]
    struct Object {
        metadata: Option<IgnoredAny>,
    }
    match serde_json::from_str(text) {
        Ok(Object { metadata: Some(_) }) => {
            let message = format!("line {}: {missing}: missing field", place.line);
            Found::Unreadable { place, message }
        }
        _ => not_an_object(text, place),
    }
}

/// The object with the two members at its end, where they count even if they are there already.
fn with_type(object: &str, api_version: &str, kind: &str) -> Box<str> {
    let members = serde_json::json!({ "apiVersion": api_version, "kind": kind }).to_string();
    let object = object.strip_suffix('}').unwrap_or(object);
    let members = members.strip_prefix('{').unwrap_or(&members);
    let comma = if object.trim_end().ends_with('{') { "" } else { "," };
    [object, comma, members].concat().into()
}

fn elements(array: &str, text: &str, place: &Place, listed: Option<&Listed>, reader: &mut Reader) {
    let elements: Result<Vec<&RawValue>, _> = serde_json::from_str(array);
    let (Ok(elements), true) = (elements, place.item.len() < NESTED) else {
        let message = format!("line {}: {TOO_DEEP}", place.line);
        return reader.found(Found::Unreadable { place: place.clone(), message });
    };
    if elements.is_empty() && listed.is_none() {
        return reader.found(not_an_object(array, place.clone()));
    }
    let (mut line, mut counted) = (place.line, 0);
    for (index, element) in elements.into_iter().enumerate() {
        let start = element.get().as_ptr() as usize - text.as_ptr() as usize;
        line += lines(text.as_bytes().get(counted..start).unwrap_or_default());
        counted = start;
        let place = item(place, index + 1, line);
        match Shape::read(element.get().as_bytes()) {
            Ok(Some((shape, _))) => open(element.get(), shape, place, listed, reader),
            Ok(None) => {}
            Err(error) => {
                let message = format!("line {line}: {}", error.message);
                reader.found(Found::Unreadable { place, message });
            }
        }
    }
}

pub(super) fn item(list: &Place, number: usize, line: usize) -> Place {
    let item = list.item.iter().copied().chain([number]).collect();
    Place { file: list.file.clone(), document: list.document, item, line }
}
