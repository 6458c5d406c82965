//! JSON objects, opened where the policy looks into them and kept as text everywhere else.
//!
//! One pass over a document opens the objects that an [`Outline`] selects. Every other value stays the
//! slice that it came as: it costs no parsing, and it is written back byte for byte.
use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Error, value::RawValue};
use simdutf8::compat::{Utf8Error, from_utf8};

/// The members of an opened object, in their order.
#[derive(Debug, Default)]
pub struct Object<'a>(Vec<(Cow<'a, str>, Value<'a>)>);

/// The value of a member.
#[derive(Debug)]
pub enum Value<'a> {
    /// As it came.
    Text(&'a RawValue),
    Object(Object<'a>),
    /// Set by the policy.
    String(&'a str),
    /// Set by the policy, of items as they came.
    List(Vec<&'a RawValue>),
    /// Not an object, although the outline expects one: what it is instead.
    Other(String),
}

/// The keys that lead from an object to another one in it, outermost first.
pub type Path = &'static [&'static str];

/// How the members of an object are read.
#[derive(Clone, Copy)]
pub enum Outline {
    /// The objects of a path are opened, and all other members are kept as text.
    Path(Path),
    /// As this tells, given the key and the members before it.
    Members(fn(&str, &Object) -> Member),
}

/// How a member is read.
pub enum Member {
    Skip,
    Keep,
    Open(Outline),
}

impl Outline {
    /// All members are kept as text.
    pub const FLAT: Self = Self::Path(&[]);

    fn member(self, key: &str, before: &Object) -> Member {
        match self {
            Self::Path([first, rest @ ..]) if *first == key => Member::Open(Self::Path(rest)),
            Self::Path(_) => Member::Keep,
            Self::Members(member) => member(key, before),
        }
    }
}

/// Why a document can't be read.
#[derive(Debug)]
pub enum Unreadable {
    NotUtf8(Utf8Error),
    NotJson(Error),
    Field(FieldError),
}

/// A field that can't be used. Displayed as Kubernetes writes field errors, path first.
#[derive(Debug, PartialEq)]
pub struct FieldError {
    path: String,
    problem: Problem,
}

#[derive(Debug, PartialEq)]
pub enum Problem {
    Missing,
    Duplicate,
    WrongType { expected: &'static str, got: String },
}

/// Reads a document, and opens its objects. Returns [`Value::Other`] for one that is not an object.
///
/// # Errors
/// The document is not JSON in UTF-8.
pub fn read(document: &[u8], outline: Outline) -> Result<Value<'_>, Unreadable> {
    let json = from_utf8(document).map_err(Unreadable::NotUtf8)?;
    open(json, outline).map_err(Unreadable::NotJson)
}

fn open(json: &str, outline: Outline) -> Result<Value<'_>, Error> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let value = Opener(outline).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

impl<'a> Object<'a> {
    pub fn members(&self) -> impl Iterator<Item = &(Cow<'a, str>, Value<'a>)> {
        self.0.iter()
    }

    /// The value of `key`, or `None` if it is left out or null.
    ///
    /// # Errors
    /// The key is a duplicate: which of its values counts depends on the reader.
    pub fn get(&self, key: &str) -> Result<Option<&Value<'a>>, FieldError> {
        let mut values = self.0.iter().filter(|(name, _)| name == key).map(|(_, value)| value);
        match (values.next(), values.next()) {
            (value, None) => Ok(value.filter(|value| !value.is_null())),
            _ => Err(FieldError::new(key, Problem::Duplicate)),
        }
    }

    /// The opened object at `path`, or `None` if there is none.
    ///
    /// # Errors
    /// A value on the path is not an object, or see [`Object::get`].
    pub fn at(&self, path: &[&str]) -> Result<Option<&Self>, FieldError> {
        let [key, rest @ ..] = path else { return Ok(Some(self)) };
        match self.get(key)? {
            None => Ok(None),
            Some(Value::Object(object)) => object.at(rest).map_err(|error| error.under(key)),
            Some(other) => Err(other.is_not("an object", key)),
        }
    }

    /// The value of `key` as a `T`, which messages call `expected`.
    ///
    /// # Errors
    /// The value is not a `T`, or see [`Object::get`].
    pub fn read<T: Deserialize<'a>>(&self, key: &str, expected: &'static str) -> Result<Option<T>, FieldError> {
        let Some(value) = self.get(key)? else { return Ok(None) };
        value.read().map(Some).ok_or_else(|| value.is_not(expected, key))
    }

    /// The string of `key`.
    ///
    /// # Errors
    /// The value is not a string, or see [`Object::get`].
    pub fn text(&self, key: &str) -> Result<Option<Cow<'a, str>>, FieldError> {
        Ok(self.read(key, "a string")?.map(|Text(text)| text))
    }

    /// The flag of `key`.
    ///
    /// # Errors
    /// The value is neither true nor false, or see [`Object::get`].
    pub fn flag(&self, key: &str) -> Result<Option<bool>, FieldError> {
        match self.get(key)? {
            None => Ok(None),
            Some(Value::Text(text)) if text.get() == "true" => Ok(Some(true)),
            Some(Value::Text(text)) if text.get() == "false" => Ok(Some(false)),
            Some(value) => Err(value.is_not("true or false", key)),
        }
    }

    /// The object of `key`, opened from the text that it still is.
    ///
    /// # Errors
    /// The value is not an object, or the key is a duplicate.
    pub fn open(&self, key: &str, outline: Outline) -> Result<Option<Self>, FieldError> {
        let Some(Value::Text(text)) = self.get(key)? else { return Ok(None) };
        Value::Text(text).into_object(key, outline).map(Some)
    }

    /// The opened object of `key`, to be edited.
    pub fn object_mut(&mut self, key: &str) -> Option<&mut Self> {
        self.0.iter_mut().find(|(name, _)| name == key).and_then(|(_, value)| match value {
            Value::Object(object) => Some(object),
            _ => None,
        })
    }

    /// Removes the value of `key`, and returns it unless it is null.
    ///
    /// # Errors
    /// The key is a duplicate.
    pub fn take(&mut self, key: &str) -> Result<Option<Value<'a>>, FieldError> {
        let Some(_) = self.get(key)? else { return Ok(None) };
        let at = self.0.iter().position(|(name, _)| name == key);
        Ok(at.map(|at| self.0.swap_remove(at).1))
    }

    /// Removes the object of `key`, and opens it if it still is text.
    ///
    /// # Errors
    /// The value is not an object, or the key is a duplicate.
    pub fn take_object(&mut self, key: &str, outline: Outline) -> Result<Option<Self>, FieldError> {
        let Some(value) = self.take(key)? else { return Ok(None) };
        value.into_object(key, outline).map(Some)
    }

    /// Sets the value of `key`, in its place or at the end.
    pub fn set(&mut self, key: &'static str, value: Value<'a>) {
        match self.0.iter_mut().find(|(name, _)| name == key) {
            Some((_, old)) => *old = value,
            None => self.0.push((Cow::Borrowed(key), value)),
        }
    }

    /// Writes the object as JSON, and what is kept as text as it came.
    ///
    /// # Errors
    /// A string can't be written, which is a bug.
    pub fn write(&self, json: &mut Vec<u8>) -> Result<(), Error> {
        let mut separator = b'{';
        for (key, value) in &self.0 {
            json.push(separator);
            separator = b',';
            write_key(key, json)?;
            json.push(b':');
            value.write(json)?;
        }
        if self.0.is_empty() {
            json.push(separator);
        }
        json.push(b'}');
        Ok(())
    }

    pub fn retain(&mut self, mut keep: impl FnMut(&str, &Value<'a>) -> bool) {
        self.0.retain(|(key, value)| keep(key, value));
    }
}

impl<'a> Value<'a> {
    /// The object that the value is, opened if it still is text. Messages call it `name`.
    ///
    /// # Errors
    /// The value is not an object.
    pub fn into_object(self, name: &str, outline: Outline) -> Result<Object<'a>, FieldError> {
        match self {
            Value::Object(object) => Ok(object),
            Value::Text(text) => match open(text.get(), outline) {
                Ok(Value::Object(object)) => Ok(object),
                _ => Err(Value::Text(text).is_not("an object", name)),
            },
            other => Err(other.is_not("an object", name)),
        }
    }

    /// The value as a `T`, if it is one.
    pub fn read<T: Deserialize<'a>>(&self) -> Option<T> {
        let Self::Text(text) = self else { return None };
        serde_json::from_str(text.get()).ok()
    }

    fn write(&self, json: &mut Vec<u8>) -> Result<(), Error> {
        match self {
            Value::Text(text) => json.extend_from_slice(text.get().as_bytes()),
            Value::Object(object) => object.write(json)?,
            Value::String(text) => serde_json::to_writer(json, text)?,
            Value::List(items) => serde_json::to_writer(json, items)?,
            Value::Other(text) => serde_json::to_writer(json, text)?,
        }
        Ok(())
    }

    fn is_not(&self, expected: &'static str, path: &str) -> FieldError {
        FieldError::new(path, Problem::WrongType { expected, got: self.describe() })
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Value::Text(text) if text.get() == RawValue::NULL.get())
    }

    /// Whether the value is an empty string or an empty list.
    pub fn is_empty(&self) -> bool {
        let Value::Text(text) = self else { return false };
        let items = text.get().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        text.get() == r#""""# || items.is_some_and(|items| items.trim_ascii().is_empty())
    }

    /// The value for messages: as it is written, unless that is long.
    pub fn describe(&self) -> String {
        const LONG: usize = 100;
        let text = match self {
            Value::Text(text) => text.get(),
            Value::Other(text) => text,
            Value::Object(_) => "an object",
            Value::String(_) => "a string",
            Value::List(_) => "a list",
        };
        match text.as_bytes() {
            short if short.len() <= LONG => text,
            [b'{', ..] => "an object",
            [b'[', ..] => "a list",
            [b'"', ..] => "a long string",
            _ => "a long number",
        }
        .to_owned()
    }
}

/// Writes a key. One that is borrowed came without escapes, so that it needs none.
#[expect(clippy::ptr_arg, reason = "whether the key is borrowed tells if it has escapes")]
fn write_key(key: &Cow<str>, json: &mut Vec<u8>) -> Result<(), Error> {
    match key {
        Cow::Borrowed(key) => {
            json.push(b'"');
            json.extend_from_slice(key.as_bytes());
            json.push(b'"');
            Ok(())
        }
        Cow::Owned(key) => serde_json::to_writer(json, key),
    }
}

impl FieldError {
    pub fn new(path: &str, problem: Problem) -> Self {
        Self { path: path.to_owned(), problem }
    }

    /// The same error, seen from the object that has this one at `parent`.
    pub fn under(mut self, parent: &str) -> Self {
        self.path = format!("{parent}.{}", self.path);
        self
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.path)?;
        match &self.problem {
            Problem::Missing => f.write_str("missing field"),
            Problem::Duplicate => f.write_str("duplicate field"),
            Problem::WrongType { expected, got } => write!(f, "expected {expected}, got {got}"),
        }
    }
}

impl From<FieldError> for Unreadable {
    fn from(error: FieldError) -> Self {
        Self::Field(error)
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8(error) => write!(f, "invalid UTF-8: {error}"),
            Self::NotJson(error) => write!(f, "invalid JSON: {error}"),
            Self::Field(error) => error.fmt(f),
        }
    }
}

/// A string, borrowed unless it has escapes.
#[derive(Debug, Deserialize, PartialEq)]
pub struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

/// Opens a value as its outline says.
struct Opener(Outline);

impl<'a> DeserializeSeed<'a> for Opener {
    type Value = Value<'a>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Opener {
    type Value = Value<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Object(Vec::with_capacity(16));
        while let Some(Text(key)) = map.next_key()? {
            let value = match self.0.member(&key, &members) {
                Member::Open(outline) => map.next_value_seed(Opener(outline))?,
                Member::Keep => Value::Text(map.next_value()?),
                Member::Skip => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            members.0.push((key, value));
        }
        Ok(Value::Object(members))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Value::Text(RawValue::NULL))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Value::Other(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Value::Other(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Value::Other(value.to_string()))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Value::Other("a number".to_owned()))
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Value::Other("a string".to_owned()))
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Other("a list".to_owned()))
    }
}
