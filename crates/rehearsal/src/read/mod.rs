//! Objects, read from files as kubectl reads them.
//!
//! ```text
//! bytes ─► UTF-8 ─► documents ─┬► JSON ───────────┬► Lists opened ─► objects
//!                              └► YAML ─► JSON ───┘
//! ```
//! A document that cannot be read ends the file for kubectl. Here it is told, and the rest is read.

mod documents;
mod encoding;
mod events;
mod json;
mod list;
mod scalar;
mod value;
mod window;
mod yaml;

use std::fmt;
use std::io::BufRead;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::Value;

/// Where an object is.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Place {
    pub file: Arc<str>,
    /// From 1.
    pub document: usize,
    /// Which item of a List, from 1; one number for each List around it.
    #[serde(serialize_with = "item")]
    pub item: Vec<usize>,
    /// The line on which it begins, or the one that is wrong; from 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}, document {}", self.file, self.document)?;
        for (level, item) in self.item.iter().enumerate() {
            write!(f, "{}{item}", if level == 0 { ", item " } else { "." })?;
        }
        Ok(())
    }
}

/// Null for a document, a number for an item of a List, and a text such as `2.1` for one of a List in a List.
fn item<S: Serializer>(item: &[usize], serializer: S) -> Result<S::Ok, S::Error> {
    match item {
        [] => serializer.serialize_none(),
        [item] => item.serialize(serializer),
        items => items.iter().map(usize::to_string).collect::<Vec<_>>().join(".").serialize(serializer),
    }
}

/// What is in an input.
#[derive(Debug)]
pub enum Found {
    Object(Document),
    /// Something else than a Kubernetes object, such as the values of a chart: it has no kind.
    NotAnObject(Document),
    /// A document, or an item, that is broken.
    Unreadable {
        place: Place,
        /// One line, which names the line of the file.
        message: String,
    },
}

/// A Kubernetes object.
#[derive(Debug)]
pub struct Document {
    pub place: Place,
    kind: Box<str>,
    /// JSON, as it came: members may be there twice. See [`Document::value`].
    pub text: Box<str>,
}

impl Document {
    /// Its own, or that of its List.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The object, and the paths of its members that are there twice: the last one counts.
    ///
    /// # Errors
    /// What kubectl says of it, in one line: a number that is too large, `metadata` that cannot be that of an object.
    pub fn value(&self) -> Result<(Value, Vec<String>), String> {
        let (value, duplicates) = value::parse(&self.text)?;
        value::check_metadata(&value)?;
        Ok((value, duplicates))
    }
}

/// Reads an input: JSON, one after the other, or YAML. Large Lists in JSON are read item by item.
pub fn read(input: impl BufRead, file: &Arc<str>, found: &mut dyn FnMut(Found)) {
    documents::read(input, documents::Reader::objects(file, found));
}

/// The documents of a small file, such as the settings of a policy.
///
/// # Errors
/// What is wrong with the first one that cannot be read, and where.
pub fn documents(input: &[u8], file: &str) -> Result<Vec<Value>, String> {
    let mut values = Ok(Vec::new());
    documents::read(
        input,
        documents::Reader::documents(&Arc::from(file), &mut |found| {
            let Ok(read) = &mut values else { return };
            match found {
                Found::Object(document) => match value::parse(&document.text) {
                    Ok((value, _)) => read.push(value),
                    Err(message) => values = Err(format!("{}: {message}", document.place)),
                },
                Found::Unreadable { place, message } => values = Err(format!("{place}: {message}")),
                Found::NotAnObject(_) => {}
            }
        }),
    );
    values
}
