//! Values of JSON in a window, and Lists that are larger than it.

use std::fmt;
use std::io::{self, BufRead};
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::Place;
use super::documents::Reader;
use super::list::{self, Listed};
use super::window::Window;

/// What a value is, as far as it has to be known before it is parsed.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    Object(Head),
    Array,
    Null,
    Scalar,
}

/// The members of an object that tell what it is; the last one counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Head {
    pub(super) api_version: Option<String>,
    pub(super) kind: Option<String>,
    /// Where they are in the text.
    pub(super) items: Option<Range<usize>>,
}

pub(super) struct Error {
    pub(super) message: String,
    /// Of the text, from 0.
    pub(super) line: usize,
    /// The text ends too early.
    end: bool,
}

impl Shape {
    /// The value that `text` starts with, and its length. `None`: there is none.
    pub(super) fn read(text: &[u8]) -> Result<Option<(Shape, usize)>, Error> {
        let mut values = serde_json::Deserializer::from_slice(text).into_iter::<Peek>();
        match values.next() {
            None => Ok(None),
            Some(Ok(Peek { mut shape, items })) => {
                if let (Shape::Object(head), Some(items)) = (&mut shape, items) {
                    let start = items.get().as_ptr() as usize - text.as_ptr() as usize;
                    head.items = Some(start..start + items.get().len());
                }
                Ok(Some((shape, values.byte_offset())))
            }
            Some(Err(error)) => {
                Err(Error { message: message(&error), line: error.line().saturating_sub(1), end: error.is_eof() })
            }
        }
    }
}

/// What serde_json says, less the place: it knows only that in the text.
pub(super) fn message(error: &serde_json::Error) -> String {
    let message = error.to_string();
    match message.rsplit_once(" at line ") {
        Some((message, _)) => message.to_owned(),
        None => message,
    }
}

struct Peek<'a> {
    shape: Shape,
    items: Option<&'a RawValue>,
}

impl<'de> Deserialize<'de> for Peek<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Whole;
        impl<'de> Visitor<'de> for Whole {
            type Value = Peek<'de>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Peek<'de>, A::Error> {
                let (mut head, mut items) = (Head::default(), None);
                while let Some(key) = members.next_key()? {
                    match key {
                        Key::ApiVersion => head.api_version = text(members.next_value::<&RawValue>()?.get()),
                        Key::Kind => head.kind = text(members.next_value::<&RawValue>()?.get()),
                        Key::Items => items = Some(members.next_value()?),
                        Key::Other => {
                            members.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(Peek { shape: Shape::Object(head), items })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Peek<'de>, A::Error> {
                while elements.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Shape::Array.into())
            }

            fn visit_unit<E>(self) -> Result<Peek<'de>, E> {
                Ok(Shape::Null.into())
            }

            fn visit_bool<E>(self, _: bool) -> Result<Peek<'de>, E> {
                Ok(Shape::Scalar.into())
            }

            fn visit_i64<E>(self, _: i64) -> Result<Peek<'de>, E> {
                Ok(Shape::Scalar.into())
            }

            fn visit_u64<E>(self, _: u64) -> Result<Peek<'de>, E> {
                Ok(Shape::Scalar.into())
            }

            fn visit_f64<E>(self, _: f64) -> Result<Peek<'de>, E> {
                Ok(Shape::Scalar.into())
            }

            fn visit_str<E>(self, _: &str) -> Result<Peek<'de>, E> {
                Ok(Shape::Scalar.into())
            }
        }
        deserializer.deserialize_any(Whole)
    }
}

impl From<Shape> for Peek<'_> {
    fn from(shape: Shape) -> Self {
        Peek { shape, items: None }
    }
}

/// The text that a value is; an empty one is none.
fn text(value: &str) -> Option<String> {
    serde_json::from_str(value).ok().filter(|text: &String| !text.is_empty())
}

enum Key {
    ApiVersion,
    Kind,
    Items,
    Other,
}

impl Key {
    fn new(key: &str) -> Self {
        match key {
            "apiVersion" => Key::ApiVersion,
            "kind" => Key::Kind,
            "items" => Key::Items,
            _ => Key::Other,
        }
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl Visitor<'_> for Name {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_str<E>(self, key: &str) -> Result<Key, E> {
                Ok(Key::new(key))
            }
        }
        deserializer.deserialize_str(Name)
    }
}

/// What stands where a value is to begin.
pub(super) enum Next {
    Value(Shape, usize),
    /// There is more of it than the window is to hold.
    Large,
    Broken(String, usize),
    End,
}

/// Looks at the next value, which stays in the window. Blanks before it are to be taken first.
pub(super) fn next<R: BufRead>(window: &mut Window<R>, limit: usize) -> io::Result<Next> {
    loop {
        // No more than that, however much is there: how an input is cut makes no difference.
        let text = window.rest().get(..limit).unwrap_or(window.rest());
        let all = window.is_all() && text.len() == window.rest().len();
        match Shape::read(text) {
            // A number may go on.
            Ok(Some((Shape::Scalar, length))) if length == text.len() && !all => {}
            Ok(Some((shape, length))) => return Ok(Next::Value(shape, length)),
            Ok(None) if all => return Ok(Next::End),
            Ok(None) => {}
            Err(error) if error.end && !all => {}
            Err(error) => return Ok(Next::Broken(error.message, window.line + error.line)),
        }
        if text.len() >= limit {
            return Ok(Next::Large);
        }
        window.more()?;
    }
}

pub(super) enum Stop {
    Io(io::Error),
    /// What is wrong, and on which line.
    Broken(String, usize),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Stop::Io(error)
    }
}

/// A List that is being read, whose kind may come after its items.
#[derive(Default)]
struct Listing {
    listed: Listed,
    waiting: Vec<(Place, Box<str>, Shape)>,
    /// Its items were read.
    opened: bool,
}

/// Takes a value that is larger than the window, and opens it: an array, or a List item by item.
pub(super) fn large<R: BufRead>(window: &mut Window<R>, place: Place, reader: &mut Reader) -> Result<(), Stop> {
    match window.peek()? {
        Some(b'[') => elements(window, &place, None, reader),
        Some(b'{') => object(window, place, reader),
        _ => value(window).map(|_| reader.found(list::not_an_object("", place))),
    }
}

fn object<R: BufRead>(window: &mut Window<R>, place: Place, reader: &mut Reader) -> Result<(), Stop> {
    let mut listing = Listing::default();
    let length = members(window, &place, &mut listing, reader);
    for (place, text, shape) in listing.waiting {
        match length {
            // That the List is broken is told once, and not of each of its items.
            Err(_) if !listing.listed.is_known() => reader.found(list::not_an_object(&text, place)),
            _ => list::open(&text, shape, place, Some(&listing.listed), reader),
        }
    }
    let length = length?;
    if !listing.opened {
        // It was no List: all of it is still in the window.
        window.back(length, place.line);
        if let Next::Value(shape, length) = next(window, usize::MAX)? {
            list::open(text_of(window, length), shape, place, None, reader);
            window.take(length);
        }
    }
    Ok(())
}

/// Takes an object, and tells how long it is, less the items of a List.
fn members<R: BufRead>(
    window: &mut Window<R>,
    place: &Place,
    listing: &mut Listing,
    reader: &mut Reader,
) -> Result<usize, Stop> {
    window.take(1);
    let mut length = 1;
    let mut first = true;
    loop {
        length += window.blanks()?;
        match window.peek()? {
            Some(b'}') => {
                window.take(1);
                return Ok(length + 1);
            }
            Some(b',') if !first => {
                window.take(1);
                length += 1 + window.blanks()?;
            }
            _ if first => first = false,
            _ => return broken(window, "expected `,` or `}`"),
        }
        let key = value(window)?;
        length += key.len();
        let Ok(key) = serde_json::from_str::<Key>(&key) else { return broken(window, "key must be a string") };
        length += window.blanks()?;
        if window.peek()? != Some(b':') {
            return broken(window, "expected `:`");
        }
        window.take(1);
        length += 1 + window.blanks()?;
        if matches!(key, Key::Items) && window.peek()? == Some(b'[') {
            if listing.opened {
                return broken(window, "duplicate field `items`");
            }
            listing.opened = true;
            elements(window, place, Some(listing), reader)?;
            continue;
        }
        let member = value(window)?;
        length += member.len();
        match key {
            Key::ApiVersion => listing.listed.api_version = text(&member),
            Key::Kind => listing.listed.kind = text(&member),
            _ => {}
        }
    }
}

/// The elements of an array, or the items of a List.
fn elements<R: BufRead>(
    window: &mut Window<R>,
    place: &Place,
    mut listing: Option<&mut Listing>,
    reader: &mut Reader,
) -> Result<(), Stop> {
    if place.item.len() >= list::NESTED {
        return broken(window, list::TOO_DEEP);
    }
    window.take(1);
    let mut number = 0;
    loop {
        window.blanks()?;
        match window.peek()? {
            Some(b']') => break window.take(1),
            Some(b',') if number > 0 => {
                window.take(1);
                window.blanks()?;
            }
            Some(_) if number == 0 => {}
            Some(_) => return broken(window, "expected `,` or `]`"),
            None => return broken(window, "EOF while parsing a list"),
        }
        window.free();
        number += 1;
        let place = list::item(place, number, window.line);
        match next(window, reader.limit)? {
            Next::Value(shape, length) => {
                let text = text_of(window, length);
                let untyped = matches!(shape, Shape::Object(Head { api_version: None, kind: None, items: None }));
                match &mut listing {
                    Some(listing) if untyped && !listing.listed.is_known() => {
                        listing.waiting.push((place, text.into(), shape));
                    }
                    listing => {
                        let listed = listing.as_ref().map(|listing| &listing.listed);
                        list::open(text, shape, place, listed, reader);
                    }
                }
                window.take(length);
            }
            Next::Large => large(window, place, reader)?,
            Next::Broken(message, line) => return Err(Stop::Broken(message, line)),
            Next::End => return broken(window, "EOF while parsing a list"),
        }
    }
    Ok(())
}

/// Takes a value of any length.
fn value<R: BufRead>(window: &mut Window<R>) -> Result<String, Stop> {
    match next(window, usize::MAX)? {
        Next::Value(_, length) => {
            let value = text_of(window, length).to_owned();
            window.take(length);
            Ok(value)
        }
        Next::Broken(message, line) => Err(Stop::Broken(message, line)),
        Next::Large | Next::End => broken(window, "EOF while parsing an object"),
    }
}

fn text_of<R: BufRead>(window: &Window<R>, length: usize) -> &str {
    // The window holds UTF-8, and a value ends where a character does.
    str::from_utf8(window.rest().get(..length).unwrap_or_default()).unwrap_or_default()
}

fn broken<R, T>(window: &Window<R>, message: &str) -> Result<T, Stop> {
    Err(Stop::Broken(message.into(), window.line))
}
