//! JSON objects, opened where the policy looks into them and kept as text everywhere else.
//!
//! One pass over a document opens the objects that lie on the way to what is wanted. Every other value stays the
//! slice that it came as: it costs no parsing, and it is written back byte for byte.
use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor},
};
use serde_json::{Error, value::RawValue};
use simdutf8::compat::{Utf8Error, from_utf8};

use crate::{
    field::{FieldError, Problem},
    message::LONG,
};

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
}

/// The keys that lead from an object to another one in it, outermost first.
pub type Path = &'static [&'static str];

/// What an object is read into, member by member.
pub trait Members<'a> {
    /// Reads the member `key`.
    ///
    /// # Errors
    /// The document is not JSON.
    fn read<V: MapAccess<'a>>(&mut self, key: Cow<'a, str>, value: Unread<'_, V>) -> Result<(), V::Error>;
}

/// The members of an object or, if it is not one, the value.
pub type Opened<'a, M> = Result<M, Value<'a>>;

/// The value of a member, to be read in one of these ways.
pub struct Unread<'v, V> {
    values: &'v mut V,
    step_by_step: bool,
}

/// Why a document can't be read.
#[derive(Debug)]
pub enum Unreadable {
    NotUtf8(Utf8Error),
    NotJson(Error),
    Field(FieldError),
}

/// Reads a document.
///
/// # Errors
/// The document is not JSON in UTF-8.
pub fn read<'a, M: Members<'a>>(document: &'a [u8], members: impl Fn() -> M) -> Result<Opened<'a, M>, Unreadable> {
    let json = from_utf8(document).map_err(Unreadable::NotUtf8)?;
    open(json, members).map_err(Unreadable::NotJson)
}

/// Reads a document, and opens the objects along a path. It is kept as text if it is not an object.
///
/// # Errors
/// The document is not JSON in UTF-8.
pub fn read_value(document: &[u8], path: Path) -> Result<Value<'_>, Unreadable> {
    read(document, || Along::new(path)).map(Value::from)
}

/// Reads the members of an object, which are all kept or skipped, or returns `None` if the value is not one.
pub fn members<'a, M: Members<'a> + Default>(value: &'a RawValue) -> Option<M> {
    // An error takes memory, and a list may have a million values.
    if !value.get().starts_with('{') {
        return None;
    }
    parse(value.get(), Opener { members: M::default(), step_by_step: false }).ok()?.ok()
}

/// Opens an object in one pass or, if a value in it is not the object that it should be, step by step.
fn open<'a, M: Members<'a>>(json: &'a str, members: impl Fn() -> M) -> Result<Opened<'a, M>, Error> {
    match parse(json, Opener { members: members(), step_by_step: false }) {
        Err(error) if error.is_data() => open_step_by_step(json, members()),
        opened => opened,
    }
}

#[cold]
fn open_step_by_step<'a, M: Members<'a>>(json: &'a str, members: M) -> Result<Opened<'a, M>, Error> {
    match parse(json, Opener { members, step_by_step: true }) {
        Err(error) if error.is_data() => parse(json, PhantomData).map(|text| Err(Value::Text(text))),
        opened => opened,
    }
}

fn parse<'a, S: DeserializeSeed<'a>>(json: &'a str, seed: S) -> Result<S::Value, Error> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let value = seed.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

impl<'a> Object<'a> {
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
            Some(value) => value.object(key)?.at(rest).map_err(|error| error.under(key)),
        }
    }

    /// The string of `key`.
    ///
    /// # Errors
    /// The value is not a string, or see [`Object::get`].
    pub fn text(&self, key: &str) -> Result<Option<Cow<'a, str>>, FieldError> {
        self.get(key)?.map(|value| value.text(key)).transpose()
    }

    /// The list of `key`.
    ///
    /// # Errors
    /// The value is not a list, or see [`Object::get`].
    pub fn list(&self, key: &str) -> Result<Option<Vec<&'a RawValue>>, FieldError> {
        self.get(key)?.map_or(Ok(None), |value| value.list(key))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The members, in their order, to be edited.
    pub fn members_mut(&mut self) -> impl Iterator<Item = &mut (Cow<'a, str>, Value<'a>)> {
        self.0.iter_mut()
    }

    /// The object of `key`, opened from the text that it still is.
    ///
    /// # Errors
    /// The value is not an object, or the key is a duplicate.
    pub fn open(&self, key: &str, path: Path) -> Result<Option<Self>, FieldError> {
        self.get(key)?.map_or(Ok(None), |value| value.open(key, path))
    }

    /// The opened object of `key`, to be edited.
    ///
    /// # Errors
    /// There is none.
    pub fn object_mut(&mut self, key: &str) -> Result<&mut Self, FieldError> {
        let mut values = self.0.iter_mut().filter(|(name, _)| name == key);
        let object = values.find_map(|(_, value)| if let Value::Object(object) = value { Some(object) } else { None });
        object.ok_or_else(|| FieldError::new(key, Problem::Missing))
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
        let mut before = "{";
        for (key, value) in &self.0 {
            json.extend_from_slice(before.as_bytes());
            before = ",";
            write_key(key, json)?;
            value.write(json)?;
        }
        json.extend_from_slice(if self.0.is_empty() { b"{}" } else { b"}" });
        Ok(())
    }

    pub fn retain(&mut self, mut keep: impl FnMut(&str, &Value<'a>) -> bool) {
        self.0.retain(|(key, value)| keep(key, value));
    }
}

impl<'a> IntoIterator for Object<'a> {
    type Item = (Cow<'a, str>, Value<'a>);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> Value<'a> {
    pub const NULL: Self = Self::Text(RawValue::NULL);

    /// The object that the value is, opened if it still is text. Messages call it `name`.
    ///
    /// # Errors
    /// The value is not an object.
    pub fn into_object(self, name: &str, path: Path) -> Result<Object<'a>, FieldError> {
        match self {
            Value::Object(object) => Ok(object),
            value => value.open(name, path)?.ok_or_else(|| value.is_not("an object", name)),
        }
    }

    /// The object that the value is, opened from the text that it still is, or `None` if it is null.
    ///
    /// # Errors
    /// The value is not the text of an object.
    pub fn open(&self, name: &str, path: Path) -> Result<Option<Object<'a>>, FieldError> {
        if self.is_null() {
            return Ok(None);
        }
        let Self::Text(text) = self else { return Err(self.is_not("the text of an object", name)) };
        match open(text.get(), || Along::new(path)) {
            Ok(Ok(along)) => Ok(Some(along.object)),
            _ => Err(self.is_not("an object", name)),
        }
    }

    /// The members of the object that the value is.
    ///
    /// # Errors
    /// The value is not the text of an object.
    pub fn members<M: Members<'a> + Default>(&self, name: &str) -> Result<M, FieldError> {
        let Self::Text(text) = self else { return Err(self.is_not("the text of an object", name)) };
        members(text).ok_or_else(|| self.is_not("an object", name))
    }

    /// The items of the list that the value is, or `None` if it is null.
    ///
    /// # Errors
    /// The value is not a list.
    pub fn list(&self, name: &str) -> Result<Option<Vec<&'a RawValue>>, FieldError> {
        if self.is_null() { Ok(None) } else { self.read(name, "a list").map(Some) }
    }

    /// The opened object that the value is.
    ///
    /// # Errors
    /// The value is not an object.
    pub fn object(&self, name: &str) -> Result<&Object<'a>, FieldError> {
        match self {
            Value::Object(object) => Ok(object),
            other => Err(other.is_not("an object", name)),
        }
    }

    /// The value as a `T`, which messages call `expected`.
    ///
    /// # Errors
    /// The value is not a `T`.
    pub fn read<T: Deserialize<'a>>(&self, name: &str, expected: &'static str) -> Result<T, FieldError> {
        self.parse().ok_or_else(|| self.is_not(expected, name))
    }

    /// The value as a string.
    ///
    /// # Errors
    /// The value is not a string.
    pub fn text(&self, name: &str) -> Result<Cow<'a, str>, FieldError> {
        self.as_text().ok_or_else(|| self.is_not("a string", name))
    }

    /// The value as a flag.
    ///
    /// # Errors
    /// The value is neither true nor false.
    pub fn flag(&self, name: &str) -> Result<bool, FieldError> {
        match self {
            Self::Text(text) if text.get() == "true" => Ok(true),
            Self::Text(text) if text.get() == "false" => Ok(false),
            _ => Err(self.is_not("true or false", name)),
        }
    }

    /// The string that the value is, if it is one. Without escapes it is what is between the quotes.
    pub fn as_text(&self) -> Option<Cow<'a, str>> {
        let Self::Text(json) = self else { return None };
        match json.get().strip_prefix('"')?.strip_suffix('"')? {
            text if !text.contains('\\') => Some(Cow::Borrowed(text)),
            _ => self.parse().map(|Text(text)| text),
        }
    }

    fn parse<T: Deserialize<'a>>(&self) -> Option<T> {
        let Self::Text(text) = self else { return None };
        serde_json::from_str(text.get()).ok()
    }

    fn write(&self, json: &mut Vec<u8>) -> Result<(), Error> {
        match self {
            Value::Text(text) => json.extend_from_slice(text.get().as_bytes()),
            Value::Object(object) => object.write(json)?,
            Value::String(text) => serde_json::to_writer(json, text)?,
            Value::List(items) => serde_json::to_writer(json, items)?,
        }
        Ok(())
    }

    #[cold]
    pub fn is_not(&self, expected: &'static str, path: &str) -> FieldError {
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

    /// The value for messages: as it is written, unless that is long or has line breaks.
    pub fn describe(&self) -> String {
        // The policy asks for no other type where it has set a value.
        let Self::Text(text) = self else { return "an object".to_owned() };
        match text.get().as_bytes() {
            short if short.len() <= LONG && !short.iter().any(u8::is_ascii_control) => text.get(),
            [b'{', ..] => "an object",
            [b'[', ..] => "a list",
            [b'"', ..] => "a long string",
            _ => "a long number",
        }
        .to_owned()
    }
}

/// Writes a key and the colon. A key that is borrowed came without escapes, and needs none.
#[expect(clippy::ptr_arg, reason = "whether the key is borrowed tells if it has escapes")]
fn write_key(key: &Cow<str>, json: &mut Vec<u8>) -> Result<(), Error> {
    match key {
        Cow::Borrowed(key) => {
            json.push(b'"');
            json.extend_from_slice(key.as_bytes());
            json.extend_from_slice(b"\":");
        }
        Cow::Owned(key) => {
            serde_json::to_writer(&mut *json, key)?;
            json.push(b':');
        }
    }
    Ok(())
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

impl<'a, V: MapAccess<'a>> Unread<'_, V> {
    pub fn skip(self) -> Result<(), V::Error> {
        self.values.next_value().map(|IgnoredAny| ())
    }

    /// Keeps the value as text.
    pub fn keep(self) -> Result<Value<'a>, V::Error> {
        self.values.next_value().map(Value::Text)
    }

    /// Opens the objects along a path, and keeps all else as text.
    pub fn open(self, path: Path) -> Result<Value<'a>, V::Error> {
        self.read(|| Along::new(path)).map(Value::from)
    }

    /// Reads the members of an object.
    pub fn read<M: Members<'a>>(self, members: impl Fn() -> M) -> Result<Opened<'a, M>, V::Error> {
        if self.step_by_step {
            open(self.values.next_value::<&RawValue>()?.get(), members).map_err(V::Error::custom)
        } else {
            self.values.next_value_seed(Opener { members: members(), step_by_step: false })
        }
    }
}

/// Reads an object into its members.
struct Opener<M> {
    members: M,
    step_by_step: bool,
}

impl<'a, M: Members<'a>> DeserializeSeed<'a> for Opener<M> {
    type Value = Opened<'a, M>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'a, M: Members<'a>> Visitor<'a> for Opener<M> {
    type Value = Opened<'a, M>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(Err(Value::NULL))
    }

    fn visit_some<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut map: A) -> Result<Self::Value, A::Error> {
        while let Some(Text(key)) = map.next_key()? {
            self.members.read(key, Unread { values: &mut map, step_by_step: self.step_by_step })?;
        }
        Ok(Ok(self.members))
    }
}

/// An object that is opened along a path.
pub struct Along<'a> {
    path: Path,
    object: Object<'a>,
}

impl Along<'_> {
    fn new(path: Path) -> Self {
        Self { path, object: Object(Vec::with_capacity(16)) }
    }
}

impl<'a> Members<'a> for Along<'a> {
    fn read<V: MapAccess<'a>>(&mut self, key: Cow<'a, str>, value: Unread<'_, V>) -> Result<(), V::Error> {
        let value = match self.path {
            [first, rest @ ..] if *first == key => value.open(rest)?,
            _ => value.keep()?,
        };
        self.object.0.push((key, value));
        Ok(())
    }
}

impl<'a> From<Opened<'a, Along<'a>>> for Value<'a> {
    fn from(opened: Opened<'a, Along<'a>>) -> Self {
        opened.map_or_else(|other| other, |along| Self::Object(along.object))
    }
}
