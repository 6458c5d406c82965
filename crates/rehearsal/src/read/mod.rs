//! stub
use std::{fmt, io::BufRead, sync::Arc};
use serde::Serialize;
use serde_json::{Value, value::RawValue};
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Place { pub file: Arc<str>, pub document: usize, pub item: Option<usize>, pub line: usize }
impl fmt::Display for Place { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "{}, document {}", self.file, self.document) } }
#[derive(Debug)]
pub enum Found { Object(Document), NotAnObject(Document), Unreadable { place: Place, message: String } }
#[derive(Debug)]
pub struct Document { pub place: Place, pub text: Box<RawValue> }
impl Document {
    pub fn kind(&self) -> &str { "" }
    pub fn value(&self) -> Result<(Value, Vec<String>), String> { serde_json::from_str(self.text.get()).map(|v| (v, vec![])).map_err(|e| e.to_string()) }
}
pub fn read(_reader: impl BufRead, _file: &Arc<str>, _sink: &mut dyn FnMut(Found)) {}
