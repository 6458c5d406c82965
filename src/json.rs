//! A JSON document, opened where the policy looks into it and left as text everywhere else.
//!
//! One pass over the text opens the objects on the way to what is wanted. Every other value stays
//! the slice that it came as: it costs no parsing, and it is written back byte for byte.
use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeSeed, Error as _, MapAccess, Visitor},
};
use serde_json::{Error, value::RawValue};

/// The keys that lead to a value, outermost first.
pub type Path<'p> = &'p [&'static str];

/// Where a value is in what the policy is sent, as messages say it: `request.object.spec`.
#[derive(Clone, Copy)]
pub struct Place<'p> {
    pub root: &'static str,
    pub path: Path<'p>,
}

/// An object's members, in their order.
#[derive(Debug, Default)]
pub struct Object<'a>(Vec<(Cow<'a, str>, Node<'a>)>);

/// The value of a member.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Node<'a> {
    /// As it came.
    Raw(&'a RawValue),
    /// An object that was opened.
    Object(Object<'a>),
    /// A list, its items as they came.
    List(Vec<&'a RawValue>),
    /// A string that was put there.
    Text(&'a str),
}

impl<'a> Object<'a> {
    /// Reads the object that `raw` is, with all its members; `None` for `null`.
    ///
    /// # Errors
    /// It is no object.
    pub fn read(raw: &'a RawValue, name: &'static str) -> Result<Option<Self>, Error> {
        Open::new(name, &[]).read(raw.get())
    }

    /// The string at `key`; `None` where there is none, or `null`. `place` is where that is, for messages.
    ///
    /// # Errors
    /// Something else than a string, or two of them.
    pub fn text(&self, key: &str, place: Place) -> Result<Option<Cow<'a, str>>, Error> {
        self.raw(key)?.map_or(Ok(None), |raw| OptionalText(place).read(raw.get()))
    }

    /// The value at `key`, as it came; `None` where there is none, or `null`.
    ///
    /// # Errors
    /// Two of them.
    pub fn raw(&self, key: &str) -> Result<Option<&'a RawValue>, Error> {
        Ok(self.get(key)?.and_then(Node::raw).filter(|raw| raw.get() != RawValue::NULL.get()))
    }

    /// The object that the value at `path` is a member of, or would be; `None` where there is none.
    ///
    /// # Errors
    /// Two of them.
    pub fn parent(&self, path: Path) -> Result<Option<&Self>, Error> {
        match path {
            [] | [_] => Ok(Some(self)),
            [key, rest @ ..] => match self.get(key)? {
                Some(Node::Object(object)) => object.parent(rest),
                _ => Ok(None),
            },
        }
    }

    /// The same, to be edited, with the key of the value.
    pub fn parent_mut(&mut self, path: Path) -> Option<(&mut Self, &'static str)> {
        match path {
            [] => None,
            [key] => Some((self, key)),
            [key, rest @ ..] => match self.get_mut(key) {
                Some(Node::Object(object)) => object.parent_mut(rest),
                _ => None,
            },
        }
    }

    /// The value at `key`. Two are an error: which one counts is up to the reader, and another
    /// reader may see it otherwise.
    fn get(&self, key: &str) -> Result<Option<&Node<'a>>, Error> {
        let mut values = self.0.iter().filter(|(name, _)| name == key).map(|(_, value)| value);
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            _ => Err(Error::custom(format_args!("{key} is there twice"))),
        }
    }

    fn get_mut(&mut self, key: &str) -> Option<&mut Node<'a>> {
        self.0.iter_mut().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Puts `value` at `key`: where the member is, or at the end.
    pub fn set(&mut self, key: &'static str, value: Node<'a>) {
        match self.get_mut(key) {
            Some(old) => *old = value,
            None => self.0.push((Cow::Borrowed(key), value)),
        }
    }

    /// Leaves the members that `keep` says to keep.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &Node<'a>) -> bool) {
        self.0.retain(|(key, value)| keep(key, value));
    }
}

impl<'a> Node<'a> {
    /// The value as it came; `None` for one that was opened or put there.
    pub fn raw(&self) -> Option<&'a RawValue> {
        match self {
            Node::Raw(raw) => Some(raw),
            _ => None,
        }
    }
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

impl<'a> IntoIterator for Object<'a> {
    type Item = (Cow<'a, str>, Node<'a>);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.root)?;
        self.path.iter().try_for_each(|key| write!(f, ".{key}"))
    }
}

/// A way to read a value that says what is wrong, and where, if it can't be.
pub trait Reader<'a>: DeserializeSeed<'a> + Sized {
    /// Reads the JSON text of a value.
    ///
    /// # Errors
    /// Broken JSON, or another value than the reader is for.
    fn read(self, json: &'a str) -> Result<Self::Value, Error> {
        let value = self.deserialize(&mut serde_json::Deserializer::from_str(json));
        value.map_err(|error| Error::custom(message(&error)))
    }
}

impl<'a, S: DeserializeSeed<'a>> Reader<'a> for S {}

/// Reads a value as a `T`.
///
/// # Errors
/// It is no `T`.
pub fn read<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, Error> {
    serde_json::from_str(raw.get())
}

/// Reads an object, and opens those in it that the path to a value leads through; `None` for `null`.
#[derive(Clone, Copy)]
pub struct Open<'p> {
    place: Place<'p>,
    depth: usize,
}

impl<'p> Open<'p> {
    /// To read the object at `root`, and in it what the `path` leads through.
    pub fn new(root: &'static str, path: Path<'p>) -> Self {
        Self { place: Place { root, path }, depth: 0 }
    }

    /// How the member `key` is to be opened, if the path leads through it.
    fn member(self, key: &str) -> Option<Self> {
        match self.place.path.get(self.depth..) {
            Some([name, _, ..]) if *name == key => Some(Self { depth: self.depth.saturating_add(1), ..self }),
            _ => None,
        }
    }
}

impl<'a> DeserializeSeed<'a> for Open<'_> {
    type Value = Option<Object<'a>>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Open<'_> {
    type Value = Option<Object<'a>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.place.path.get(..self.depth).unwrap_or_default();
        write!(f, "{} to be an object", Place { path, ..self.place })
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::with_capacity(16);
        while let Some(Text(key)) = map.next_key()? {
            let value = match self.member(&key) {
                Some(open) => map.next_value_seed(open)?.map_or(Node::Raw(RawValue::NULL), Node::Object),
                None => Node::Raw(map.next_value()?),
            };
            members.push((key, value));
        }
        Ok(Some(Object(members)))
    }
}

/// What is wrong, for people: with the line and column if the text is broken, without if it only
/// says something else than it should, for then the place is in the words.
pub fn message(error: &Error) -> String {
    let mut message = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    while error.is_data() && message.ends_with(&position) {
        message.truncate(message.len().saturating_sub(position.len()));
    }
    message
}

/// A string, borrowed unless it has escapes.
#[derive(Debug, PartialEq)]
pub struct Text<'a>(pub Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl<'a> Visitor<'a> for TextVisitor {
    type Value = Text<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'a str) -> Result<Self::Value, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }
}

/// Reads the string that is at a place; `None` for `null`.
#[derive(Clone, Copy)]
pub struct OptionalText<'p>(pub Place<'p>);

impl<'a> DeserializeSeed<'a> for OptionalText<'_> {
    type Value = Option<Cow<'a, str>>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for OptionalText<'_> {
    type Value = Option<Cow<'a, str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to be a string", self.0)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_borrowed_str<E>(self, text: &'a str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(text.to_owned())))
    }
}
