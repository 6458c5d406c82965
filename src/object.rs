//! JSON objects, opened where the policy looks into them and kept as text everywhere else; and why a field can't be used.
//!
//! A value that stays text costs no parsing, and it is written back byte for byte.
use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use simdutf8::basic::from_utf8;

use crate::message::{find, short};

/// A value, opened if it is an object that the policy looks into.
#[derive(Debug, Default)]
pub enum Value<'a> {
    #[default]
    Null,
    /// JSON as it came, or owned if the policy has set it.
    Raw(Cow<'a, RawValue>),
    Object(Members<'a>),
    /// What came in the place of an object. Its text is not known.
    Other(&'static str),
}

/// The members of an object, in their order.
pub type Members<'a> = Vec<(Cow<'a, str>, Value<'a>)>;

/// A string, borrowed unless it has escapes.
#[derive(Debug, Deserialize, PartialEq)]
pub struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

/// A struct that is read from an object alone: a derived `Deserialize` takes a list of its fields as well.
pub struct FromObject<T>(pub T);

/// A field that can't be used. Displayed as Kubernetes writes field errors, path first.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error("{path}{}{problem}", if path.is_empty() { "" } else { ": " })]
pub struct FieldError {
    pub path: String,
    pub problem: String,
}

type Result<T, E = FieldError> = std::result::Result<T, E>;

/// Reads a document, which messages call `name`.
///
/// # Errors
/// It is not JSON, or not a `T`.
pub fn read<'a, T: Deserialize<'a>>(name: &str, document: &'a [u8]) -> Result<T> {
    let json = from_utf8(document).map_err(|_| FieldError::new("invalid UTF-8").under(name))?;
    serde_json::from_str(json).map_err(|error| explain(json, &error).under(name))
}

/// What is wrong with a document. Where it is would be a position in a text that nobody sees.
#[cold]
fn explain(json: &str, error: &serde_json::Error) -> FieldError {
    let broken = serde_json::from_str::<IgnoredAny>(json).err();
    let error = broken.as_ref().unwrap_or(error);
    let (problem, words) = (if error.is_data() { "" } else { "invalid JSON: " }, error.to_string());
    let words = words.get(..find(&words, " at line ").unwrap_or(words.len())).unwrap_or_default();
    FieldError::new(&format!("{problem}{}", short(words)))
}

impl<'a> Value<'a> {
    /// What `read` makes of the value at `path`, or `None` if it is left out or null. Messages call this value `name`.
    ///
    /// # Errors
    /// A value on the path is not an object, a field on it is a duplicate, or `read` can't read the value.
    pub fn at<T>(&self, name: &str, path: &[&str], read: fn(&Self) -> Result<T>) -> Result<Option<T>> {
        let value = match (self, path) {
            // The key is the name, so an error collects its path on the way out.
            (Self::Object(members), [key, rest @ ..]) => {
                get(members, key).and_then(|value| value.map_or(Ok(None), |value| value.at(key, rest, read)))
            }
            (Self::Null, _) => Ok(None),
            (Self::Raw(json), _) if json.get() == "null" => Ok(None),
            (_, []) => read(self).map(Some),
            (closed, path) => closed.open().and_then(|members| Self::Object(members).at("", path, read)),
        };
        value.map_err(|error| error.under(name))
    }

    pub fn string(&self) -> Result<Cow<'a, str>> {
        match self.json().and_then(|json| json.strip_prefix('"')?.strip_suffix('"')) {
            Some(text) if !text.contains('\\') => Ok(Cow::Borrowed(text)),
            _ => self.parse("a string").map(|Text(text)| text),
        }
    }

    pub fn flag(&self) -> Result<bool> {
        match self.json() {
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            _ => Err(self.is_not("true or false")),
        }
    }

    pub fn strings(&self) -> Result<Vec<Text<'a>>> {
        self.parse("a list of strings")
    }

    /// The members of the object, opened from the text that it still is. Their values are text.
    pub fn open(&self) -> Result<Members<'a>> {
        let json = self.json().unwrap_or_default();
        let Ok(Self::Object(members)) = shallow(&mut serde_json::Deserializer::from_str(json)) else {
            return Err(self.is_not("an object"));
        };
        Ok(members)
    }

    /// What serde reads in the value; messages call that `expected`.
    pub fn parse<T: Deserialize<'a>>(&self, expected: &str) -> Result<T> {
        self.json().and_then(|json| serde_json::from_str(json).ok()).ok_or_else(|| self.is_not(expected))
    }

    /// The text of the value as it came, if it is known.
    fn json(&self) -> Option<&'a str> {
        if let Self::Raw(Cow::Borrowed(json)) = self { Some(json.get()) } else { None }
    }

    /// Whether a value that is kept as text is null, an empty string or an empty list.
    pub fn is_empty(&self) -> bool {
        let json = self.json().unwrap_or_default();
        let items = json.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        matches!(json, "null" | r#""""#) || items.is_some_and(|items| items.trim_ascii().is_empty())
    }

    #[cold]
    pub fn is_not(&self, expected: &str) -> FieldError {
        FieldError::new(&format!("expected {expected}, got {}", self.describe()))
    }

    /// The value for messages.
    pub fn describe(&self) -> Cow<'_, str> {
        match self {
            Self::Null => "null".into(),
            Self::Raw(json) => short(json.get()),
            Self::Object(_) => "an object".into(),
            Self::Other(kind) => (*kind).into(),
        }
    }

    /// A value that the policy sets.
    pub fn set(value: &(impl Serialize + ?Sized)) -> Result<Self> {
        let json = to_raw_value(value).map_err(|error| FieldError::new(&error.to_string()))?;
        Ok(Self::Raw(Cow::Owned(json)))
    }

    /// Writes the value as JSON, and what is kept as text as it came.
    ///
    /// # Errors
    /// The text is not known: the value came in the place of an object.
    pub fn write(&self, json: &mut Vec<u8>) -> Result<()> {
        match self {
            Self::Null => json.extend_from_slice(b"null"),
            Self::Raw(text) => json.extend_from_slice(text.get().as_bytes()),
            Self::Other(_) => return Err(self.is_not("an object")),
            Self::Object(members) => {
                let mut before = b'{';
                for (key, value) in members {
                    json.push(before);
                    before = b',';
                    if let Cow::Borrowed(key) = key {
                        // It came without escapes.
                        [br#"""#, key.as_bytes(), br#"":"#].iter().for_each(|bytes| json.extend_from_slice(bytes));
                    } else {
                        Self::set(key.as_ref())?.write(json)?;
                        json.push(b':');
                    }
                    value.write(json).map_err(|error| error.under(key))?;
                }
                json.extend_from_slice(if members.is_empty() { b"{}" } else { b"}" });
            }
        }
        Ok(())
    }
}

/// The value of `key`, or `None` if it is left out.
fn get<'m, 'a>(members: &'m Members<'a>, key: &str) -> Result<Option<&'m Value<'a>>> {
    let mut values = members.iter().filter(|(name, _)| name == key).map(|(_, value)| value);
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        // Which of them counts depends on the reader.
        _ => Err(FieldError::new("duplicate field").under(key)),
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Value<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Opener(LEVELS).deserialize(deserializer)
    }
}

/// Opens an object, and nothing in it.
pub fn shallow<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value<'de>, D::Error> {
    Opener(0).deserialize(deserializer)
}

/// The longest way to a pod spec, a CronJob's.
const LEVELS: usize = 5;

/// Opens an object and, down to so many levels, the members that can lead to a pod spec, whatever the kind.
struct Opener(usize);

impl<'de> DeserializeSeed<'de> for Opener {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Opener {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value<'de>, A::Error> {
        let mut members = Vec::with_capacity(16);
        while let Some(Text(key)) = map.next_key()? {
            let value = match (self.0.checked_sub(1), key.as_ref()) {
                (Some(levels), "spec" | "template" | "jobTemplate") => map.next_value_seed(Self(levels))?,
                _ => Value::Raw(Cow::Borrowed(map.next_value()?)),
            };
            members.push((key, value));
        }
        Ok(Value::Object(members))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value<'de>, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Other("a list"))
    }

    fn visit_str<E>(self, _: &str) -> Result<Value<'de>, E> {
        Ok(Value::Other("a string"))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Value<'de>, E> {
        Ok(Value::Other("a number"))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Value<'de>, E> {
        Ok(Value::Other("a number"))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value<'de>, E> {
        Ok(Value::Other("a number"))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value<'de>, E> {
        Ok(Value::Other("a boolean"))
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for FromObject<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FromMap<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for FromMap<T> {
            type Value = FromObject<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(FromObject)
            }
        }
        deserializer.deserialize_map(FromMap(PhantomData))
    }
}

impl FieldError {
    #[cold]
    pub fn new(problem: &str) -> Self {
        Self { path: String::new(), problem: problem.to_owned() }
    }

    /// The same error, seen from the object that has this one at `parent`.
    #[cold]
    pub fn under(mut self, parent: &str) -> Self {
        let dot = if parent.is_empty() || self.path.is_empty() { "" } else { "." };
        self.path = [parent, dot, &self.path].concat();
        self
    }
}
