//! The same JSON, written otherwise.
use std::{
    cell::RefCell,
    io::{self, Write},
};

use fastrand::Rng;
use serde::{Serialize, Serializer};
use serde_json::{Value, ser::Formatter};

/// Text that no parse into a [`Value`] keeps: numbers out of range, a member that is there twice, a
/// lone surrogate.
pub const OPAQUE: &str = r#"[1E400,-0.0,123456789012345678901234567890,{"a":1,"a":2},"\ud800\/"]"#;

/// A string in a [`Value`] that stands for [`OPAQUE`].
pub const PLACEHOLDER: &str = "@opaque@";

/// The text of `value`, without white space.
pub fn plain(value: &Value) -> String {
    with_opaque(&value.to_string())
}

/// The text of `value` with its members in another order, white space, and letters as escapes.
pub fn shuffled(value: &Value, seed: u64) -> String {
    let rng = RefCell::new(Rng::with_seed(seed));
    let mut text = vec![];
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, Spaced(Rng::with_seed(seed)));
    Shuffled(value, &rng).serialize(&mut serializer).expect("JSON");
    with_opaque(std::str::from_utf8(&text).expect("text"))
}

fn with_opaque(text: &str) -> String {
    text.replace(&format!("\"{PLACEHOLDER}\""), OPAQUE)
}

/// The text of an answer that a [`Value`] can hold again.
pub fn without_opaque(text: &str) -> String {
    text.replace(OPAQUE, &format!("\"{PLACEHOLDER}\""))
}

struct Shuffled<'a>(&'a Value, &'a RefCell<Rng>);

impl Serialize for Shuffled<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(value, rng) = self;
        match value {
            Value::Array(items) => serializer.collect_seq(items.iter().map(|item| Shuffled(item, rng))),
            Value::Object(members) => {
                let mut members: Vec<_> = members.iter().map(|(key, value)| (key, Shuffled(value, rng))).collect();
                rng.borrow_mut().shuffle(&mut members);
                serializer.collect_map(members)
            }
            _ => value.serialize(serializer),
        }
    }
}

/// Writes white space wherever JSON takes it.
struct Spaced(Rng);

impl Spaced {
    fn space<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        match self.0.u8(..16) {
            0 => writer.write_all(b" "),
            1 => writer.write_all(b"\r\n\t"),
            _ => Ok(()),
        }
    }
}

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if !first {
            writer.write_all(b",")?;
        }
        self.space(writer)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.space(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.begin_array_value(writer, first)
    }

    fn end_object_key<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.space(writer)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b":")?;
        self.space(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.space(writer)
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        if fragment == PLACEHOLDER {
            return writer.write_all(fragment.as_bytes());
        }
        for character in fragment.chars() {
            if character.is_ascii() && self.0.u8(..32) == 0 {
                write!(writer, "\\u{:04x}", u32::from(character))?;
            } else {
                write!(writer, "{character}")?;
            }
        }
        Ok(())
    }
}
