//! Text of JSON as a value: the last of two members with one key counts.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value, map::Entry};

use super::json::message;

/// serde_json goes 128 levels deep: a new start is made before.
const HOP: usize = 100;
/// Deeper than any object, and no danger to the stack. kubectl goes 10,000 levels deep.
pub(super) const DEPTH: usize = 500;
pub(super) const TOO_DEEP: &str = "it is nested too deeply";

/// The value, and the paths of members that are there twice.
pub(super) fn parse(text: &str) -> Result<(Value, Vec<String>), String> {
    parse_at(text, 0)
        .or_else(|error| match mend_surrogates(text) {
            Some(mended) => parse_at(&mended, 0),
            None => Err(error),
        })
        .map_err(|error| message(&error))
}

fn parse_at(text: &str, depth: usize) -> Result<(Value, Vec<String>), serde_json::Error> {
    let mut duplicates = Vec::new();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Node { depth, duplicates: &mut duplicates }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok((value, duplicates))
}

struct Node<'a> {
    depth: usize,
    duplicates: &'a mut Vec<String>,
}

impl Node<'_> {
    fn below(&mut self) -> Node<'_> {
        Node { depth: self.depth + 1, duplicates: self.duplicates }
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        use serde::de::Error;
        if self.depth >= DEPTH {
            return Err(D::Error::custom(TOO_DEEP));
        }
        if self.depth > 0 && self.depth.is_multiple_of(HOP) {
            let raw: &RawValue = serde::Deserialize::deserialize(deserializer)?;
            let below = serde_json::Deserializer::from_str(raw.get()).deserialize_any(self);
            return below.map_err(|error| D::Error::custom(message(&error)));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            let known = self.duplicates.len();
            let value = members.next_value_seed(self.below())?;
            for path in self.duplicates.iter_mut().skip(known) {
                *path = join(&key, path);
            }
            match map.entry(key) {
                Entry::Vacant(member) => drop(member.insert(value)),
                Entry::Occupied(mut member) => {
                    self.duplicates.push(member.key().clone());
                    member.insert(value);
                }
            }
        }
        Ok(Value::Object(map))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        loop {
            let known = self.duplicates.len();
            let Some(value) = elements.next_element_seed(self.below())? else { return Ok(Value::Array(list)) };
            for path in self.duplicates.iter_mut().skip(known) {
                *path = join(&format!("[{}]", list.len()), path);
            }
            list.push(value);
        }
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, bool: bool) -> Result<Value, E> {
        Ok(Value::Bool(bool))
    }

    fn visit_i64<E>(self, int: i64) -> Result<Value, E> {
        Ok(int.into())
    }

    /// kubectl knows integers of 64 bits with a sign; beyond, a number is a float.
    fn visit_u64<E>(self, int: u64) -> Result<Value, E> {
        Ok(i64::try_from(int).map_or_else(|_| (int as f64).into(), Value::from))
    }

    /// kubectl sends `1.0` as `1`.
    fn visit_f64<E>(self, float: f64) -> Result<Value, E> {
        let int = float as i64;
        if int as f64 == float && int != i64::MAX {
            return Ok(int.into());
        }
        Ok(Number::from_f64(float).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }
}

fn join(parent: &str, path: &str) -> String {
    let dot = if path.starts_with('[') { "" } else { "." };
    format!("{parent}{dot}{path}")
}

/// Half a surrogate pair is U+FFFD for Go, and an error for serde_json. `None`: there is none.
fn mend_surrogates(text: &str) -> Option<String> {
    let unit = |at: usize| {
        let escape = text.as_bytes().get(at..)?.strip_prefix(br"\u")?.get(..4)?;
        u16::from_str_radix(str::from_utf8(escape).ok()?, 16).ok()
    };
    let mut mended = String::with_capacity(text.len());
    let (mut copied, mut at) = (0, 0);
    while let Some(found) = memchr::memchr(b'\\', text.as_bytes().get(at..)?) {
        at += found;
        match unit(at) {
            Some(0xD800..0xDC00) if unit(at + 6).is_some_and(|low| (0xDC00..0xE000).contains(&low)) => at += 12,
            Some(0xD800..0xE000) => {
                mended.push_str(text.get(copied..at)?);
                mended.push_str(r"\ufffd");
                at += 6;
                copied = at;
            }
            Some(_) => at += 6,
            None => at += 2,
        }
    }
    mended.push_str(text.get(copied..)?);
    (copied > 0).then_some(mended)
}

/// What kubectl wants of `metadata` before it takes an object.
pub(super) fn check_metadata(object: &Value) -> Result<(), String> {
    let metadata = match object.get("metadata") {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Object(metadata)) => metadata,
        Some(other) => return Err(format!("metadata must be an object, got {}", short(other))),
    };
    for field in ["name", "generateName", "namespace", "uid", "resourceVersion"] {
        match metadata.get(field) {
            None | Some(Value::Null | Value::String(_)) => {}
            Some(other) => return Err(format!("metadata.{field} must be a string, got {}", short(other))),
        }
    }
    for field in ["labels", "annotations"] {
        let members = match metadata.get(field) {
            None | Some(Value::Null) => continue,
            Some(Value::Object(members)) => members,
            Some(other) => return Err(format!("metadata.{field} must be an object, got {}", short(other))),
        };
        for (key, value) in members {
            if !matches!(value, Value::Null | Value::String(_)) {
                return Err(format!("metadata.{field}.{key} must be a string, got {}", short(value)));
            }
        }
    }
    Ok(())
}

fn short(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "an object".into(),
        scalar => scalar.to_string(),
    }
}
