//! The objects of an input, one at a time, in JSON or YAML.
use std::{
    fmt,
    io::{BufRead, Cursor, Read},
    sync::Arc,
};

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::{json, yaml};

/// The place of an object.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Place {
    #[serde(serialize_with = "as_text")]
    pub file: Arc<str>,
    pub document: usize,
    /// Its position in a List.
    pub item: Option<usize>,
}

/// An object, in JSON.
#[derive(Debug)]
pub struct Document {
    pub place: Place,
    pub text: Box<RawValue>,
    /// The kind that its List states. Items of a `PodList` may have none.
    pub listed_as: Option<Listed>,
}

/// The kind of a List's items.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listed {
    pub api_version: String,
    pub kind: String,
}

/// A part of the input that can't be read.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Unreadable {
    #[serde(flatten)]
    pub place: Place,
    pub message: String,
}

/// Receives the objects.
pub type Sink<'s> = dyn FnMut(Result<Document, Unreadable>) + 's;

/// The length of input that distinguishes JSON from YAML.
const START: usize = 4096;

/// Reads all objects of an input.
pub fn read(mut reader: impl BufRead, file: &Arc<str>, sink: &mut Sink) {
    let mut start = Vec::with_capacity(START);
    if let Err(error) = (&mut reader).take(START as u64).read_to_end(&mut start) {
        return sink(Err(Place::of(file, 1).unreadable(error)));
    }
    let is_json = is_json(&start);
    let whole = Cursor::new(start).chain(reader);
    if is_json { json::read(whole, file, sink) } else { yaml::read(whole, file, sink) }
}

/// JSON begins with an object whose first key is quoted, or with a list of such objects. YAML can begin with `{`, too.
fn is_json(start: &[u8]) -> bool {
    let mut tokens = start.iter().filter(|byte| !byte.is_ascii_whitespace());
    match tokens.next() {
        Some(b'{') => matches!(tokens.next(), Some(b'"' | b'}') | None),
        Some(b'[') => matches!(tokens.next(), Some(b'{' | b']') | None),
        _ => false,
    }
}

impl Place {
    pub fn of(file: &Arc<str>, document: usize) -> Self {
        Self { file: Arc::clone(file), document, item: None }
    }

    pub fn item(&self, item: usize) -> Self {
        Self { item: Some(item), ..self.clone() }
    }

    pub fn unreadable(self, why: impl fmt::Display) -> Unreadable {
        let why = why.to_string();
        Unreadable { place: self, message: why.lines().next().unwrap_or_default().to_owned() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, document {}", self.file, self.document)?;
        self.item.map_or(Ok(()), |item| write!(f, ", item {item}"))
    }
}

/// The message without the line, which is not the line of the file.
pub fn without_line(error: &impl ToString) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}

fn as_text<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}
