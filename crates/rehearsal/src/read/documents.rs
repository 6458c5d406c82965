//! An input, taken apart into its documents where kubectl does so.

use std::io::{self, BufRead};
use std::sync::Arc;

use super::json::{self, Next, Shape, Stop};
use super::list;
use super::window::{Window, lines};
use super::yaml;
use super::{Document, Found, Place};

/// How far kubectl looks for the start of JSON.
const LOOK: usize = 4096;
/// What is larger is read item by item.
const LARGE: usize = 4 << 20;
/// How often reading starts anew behind what is broken in a stream of JSON.
const BROKEN: usize = 100;

/// What is done with the documents of a file.
pub(super) struct Reader<'a> {
    file: &'a Arc<str>,
    found: &'a mut dyn FnMut(Found),
    documents: usize,
    broken: usize,
    /// Every document is wanted as it is, not the objects in it.
    whole: bool,
    /// How long a value may be that is held in memory.
    pub(super) limit: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn objects(file: &'a Arc<str>, found: &'a mut dyn FnMut(Found)) -> Self {
        Reader { file, found, documents: 0, broken: 0, whole: false, limit: LARGE }
    }

    pub(super) fn documents(file: &'a Arc<str>, found: &'a mut dyn FnMut(Found)) -> Self {
        Reader { whole: true, limit: usize::MAX, ..Reader::objects(file, found) }
    }

    pub(super) fn found(&mut self, found: Found) {
        (self.found)(found);
    }

    fn place(&mut self, line: usize) -> Place {
        self.documents += 1;
        Place { file: self.file.clone(), document: self.documents, item: Vec::new(), line }
    }

    fn document(&mut self, text: &str, shape: Shape, line: usize) {
        match shape {
            // kubectl skips it.
            Shape::Null => {}
            _ if self.whole => {
                let place = self.place(line);
                self.found(Found::Object(Document { place, kind: Box::default(), text: text.into() }));
            }
            _ => {
                let place = self.place(line);
                list::open(text, shape, place, None, self);
            }
        }
    }

    fn unreadable(&mut self, message: &str, line: usize) {
        self.broken += 1;
        let place = self.place(line);
        self.found(Found::Unreadable { place, message: format!("line {line}: {message}") });
    }
}

pub(super) fn read(input: impl BufRead, mut reader: Reader) {
    let mut window = Window::new(input, 1);
    if let Err(error) = start(&mut window, &mut reader) {
        reader.unreadable(&format!("it cannot be read: {error}"), window.line);
    }
}

/// A `{` starts JSON, as for kubectl; and a `[`, which it refuses.
fn start<R: BufRead>(window: &mut Window<R>, reader: &mut Reader) -> io::Result<()> {
    while window.rest().len() < LOOK && !window.is_all() {
        window.more()?;
    }
    let start = String::from_utf8_lossy(window.rest().get(..LOOK).unwrap_or(window.rest()));
    let json = start.trim_start().starts_with(['{', '[']);
    let refused = if json { json_documents(window, false, reader)? } else { Some(None) };
    match refused {
        Some(message) => yaml_documents(window, message, reader),
        None => Ok(()),
    }
}

/// Values of JSON, one after the other. Where the first or second is none, the rest is YAML: returned is then what is
/// wrong with it as JSON.
fn json_documents<R: BufRead>(
    window: &mut Window<R>,
    certain: bool,
    reader: &mut Reader,
) -> io::Result<Option<Option<String>>> {
    let mut count = if certain { 2 } else { 0 };
    loop {
        window.free();
        let line = window.line;
        let blanks = window.blanks()?;
        let (message, line) = match json::next(window, reader.limit)? {
            Next::End => return Ok(None),
            Next::Value(shape, length) => {
                let text = str::from_utf8(window.rest().get(..length).unwrap_or_default()).unwrap_or_default();
                reader.document(text, shape, window.line);
                window.take(length);
                count += 1;
                continue;
            }
            Next::Large => {
                count += 1;
                let place = reader.place(window.line);
                match json::large(window, place, reader) {
                    Ok(()) => continue,
                    Err(Stop::Io(error)) => return Err(error),
                    Err(Stop::Broken(message, line)) => {
                        count = 2;
                        (message, line)
                    }
                }
            }
            Next::Broken(message, _) if count < 2 => {
                window.back(blanks, line);
                // Up to the end of the line, as kubectl does.
                let length = window.line_length()?;
                let text = str::from_utf8(window.rest().get(..length).unwrap_or_default()).unwrap_or_default();
                window.take(text.len() - text.trim_start().len());
                return Ok(Some(Some(message)));
            }
            Next::Broken(message, line) => (message, line),
        };
        reader.unreadable(&message, line);
        if reader.broken > BROKEN {
            reader.unreadable("too much is broken: the rest of the file is not read", line);
            return Ok(None);
        }
        if !next_start(window)? {
            return Ok(None);
        }
        if window.rest().starts_with(b"---") {
            return Ok(Some(None));
        }
    }
}

/// Takes lines until one that begins like a document.
fn next_start<R: BufRead>(window: &mut Window<R>) -> io::Result<bool> {
    loop {
        let length = window.line_length()?;
        if length == 0 {
            return Ok(false);
        }
        window.take(length);
        window.free();
        while window.rest().len() < 3 && !window.is_all() {
            window.more()?;
        }
        if window.rest().starts_with(b"{") || window.rest().starts_with(b"---") {
            return Ok(true);
        }
    }
}

/// Documents of YAML, between lines that begin with `---`. `refused`: what is wrong with the first one as JSON.
fn yaml_documents<R: BufRead>(
    window: &mut Window<R>,
    mut refused: Option<String>,
    reader: &mut Reader,
) -> io::Result<()> {
    let mut document = Vec::new();
    let mut first_line = window.line;
    // Behind a separator that kubectl refuses is no document.
    let mut skipped = false;
    loop {
        window.free();
        let length = window.line_length()?;
        let line = str::from_utf8(window.rest().get(..length).unwrap_or_default()).unwrap_or_default();
        let separator = line.strip_prefix("---").map(str::trim).map(|rest| rest.is_empty() || rest.starts_with('#'));
        let ended = (separator.is_some() || line.is_empty()) && !document.is_empty();
        if ended {
            if !skipped {
                yaml_document(&document, first_line, refused.take(), reader)?;
            }
            document.clear();
        }
        if line.is_empty() {
            return Ok(());
        }
        if let Some(valid) = separator {
            skipped = !valid;
            if skipped {
                reader.unreadable("invalid document separator: only a comment may follow `---`", window.line);
            }
        }
        // A separator with nothing before it is part of the document.
        if !(ended && separator.is_some()) {
            if document.is_empty() {
                first_line = window.line;
            }
            let content = line.strip_suffix('\n').unwrap_or(line);
            document.extend_from_slice(content.strip_suffix('\r').unwrap_or(content).as_bytes());
            document.push(b'\n');
        }
        window.take(length);
    }
}

fn yaml_document(document: &[u8], line: usize, refused: Option<String>, reader: &mut Reader) -> io::Result<()> {
    let error = match yaml::to_json(document) {
        Ok(None) => return Ok(()),
        Ok(Some(read)) => {
            match Shape::read(read.text.as_bytes()) {
                Ok(Some((shape, length))) => {
                    reader.document(read.text.get(..length).unwrap_or_default(), shape, line + read.line);
                }
                Ok(None) => {}
                Err(error) => reader.unreadable(&error.message, line + read.line),
            }
            if let Some(unread) = read.unread {
                let place = reader.place(line + unread);
                reader.found(list::not_an_object("", place));
            }
            return Ok(());
        }
        Err(error) => error,
    };
    // Lines of JSON: those behind the broken one are read.
    let blanks = document.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let json = document.get(blanks) == Some(&b'{');
    reader.unreadable(refused.filter(|_| json).as_deref().unwrap_or(&error.message), line + error.line);
    if !json {
        return Ok(());
    }
    let Some(next) = memchr::memmem::find(document.get(blanks..).unwrap_or_default(), b"\n{") else { return Ok(()) };
    let (broken, rest) = document.split_at(blanks + next + 1);
    json_documents(&mut Window::new(rest, line + lines(broken)), true, reader).map(|_| ())
}
