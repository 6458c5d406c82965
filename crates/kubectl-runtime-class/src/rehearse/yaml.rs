//! Objects in YAML. The parser reads its whole input. So a stream is cut at its document markers, and a List
//! in the form of kubectl at its items.
use std::{io::BufRead, mem, sync::Arc};

use anyhow::{Context, Result, anyhow};
use serde_json::value::{RawValue, to_raw_value};
use serde_yaml_ng::Value;

use super::{
    documents::{Document, Place, Sink, without_line},
    json,
};

/// Reads the documents of a stream.
pub fn read(mut reader: impl BufRead, file: &Arc<str>, sink: &mut Sink) {
    let mut document = Cut { place: Place::of(file, 1), lines: 0, begun: 0, text: vec![], items: Items::Unseen, sink };
    let mut line = vec![];
    loop {
        line.clear();
        match reader.read_until(b'\n', &mut line) {
            Ok(0) => return document.end(),
            Ok(_) => match after_marker(&line) {
                Some(rest) => {
                    document.end();
                    document.line(rest);
                }
                None => document.line(&line),
            },
            Err(error) => return (document.sink)(Err(document.place.unreadable(error))),
        }
    }
}

/// The text after the marker of a document's start or end, if this line has one. No scalar can hold such a line.
fn after_marker(line: &[u8]) -> Option<&[u8]> {
    let rest = line.strip_prefix(b"---").or_else(|| line.strip_prefix(b"..."))?;
    rest.first().is_none_or(u8::is_ascii_whitespace).then_some(rest)
}

/// A document that is being read, line by line.
struct Cut<'s, 'f> {
    place: Place,
    /// The number of lines that were read, in all and before this document.
    lines: usize,
    begun: usize,
    /// Its lines, without those of the items.
    text: Vec<u8>,
    items: Items,
    sink: &'s mut Sink<'f>,
}

/// The items of a List that is being read.
enum Items {
    Unseen,
    /// The line before was the key `items`.
    Announced,
    Within {
        indent: usize,
        number: usize,
        /// The number of lines before the item that is being read.
        begun: usize,
        /// Its lines.
        item: Vec<u8>,
    },
    Past,
}

impl Cut<'_, '_> {
    fn line(&mut self, line: &[u8]) {
        self.add(line);
        self.lines += 1;
    }

    fn add(&mut self, line: &[u8]) {
        match &mut self.items {
            Items::Unseen if line.trim_ascii_end() == b"items:" && may_be_a_list(&self.text) => {
                self.items = Items::Announced;
            }
            Items::Announced => match item_indent(line) {
                Some(indent) => {
                    let (begun, item) = (self.lines, without_dash(line));
                    self.items = Items::Within { indent, number: 1, begun, item };
                }
                None if is_blank(line) => {}
                None => {
                    self.items = Items::Unseen;
                    self.text.extend_from_slice(b"items:\n");
                    self.text.extend_from_slice(line);
                }
            },
            Items::Within { indent, number, begun, item } if item_indent(line) == Some(*indent) => {
                let before = mem::replace(item, without_dash(line));
                let (number_before, begun_before) = (*number, mem::replace(begun, self.lines));
                *number += 1;
                self.end_item(number_before, begun_before, &before);
            }
            Items::Within { indent, item, .. } if is_blank(line) || indent_of(line) > *indent => {
                item.extend_from_slice(line);
            }
            Items::Within { .. } => {
                self.end_items();
                self.text.extend_from_slice(line);
            }
            Items::Unseen | Items::Past => self.text.extend_from_slice(line),
        }
    }

    fn end_items(&mut self) {
        match mem::replace(&mut self.items, Items::Past) {
            Items::Within { number, begun, item, .. } => self.end_item(number, begun, &item),
            others => self.items = others,
        }
    }

    fn end_item(&mut self, number: usize, begun: usize, text: &[u8]) {
        let place = self.place.item(number);
        let read = to_json(text, begun).and_then(|text| text.context("the item is empty"));
        (self.sink)(match read {
            Ok(text) => Ok(Document { place, text, listed_as: None }),
            Err(error) => Err(place.unreadable(format_args!("{error:#}"))),
        });
    }

    /// Ends the document, and begins the next one.
    fn end(&mut self) {
        self.end_items();
        let items = mem::replace(&mut self.items, Items::Unseen);
        let (text, begun) = (mem::take(&mut self.text), mem::replace(&mut self.begun, self.lines));
        let had_items = matches!(items, Items::Past | Items::Announced);
        if !had_items && text.split(|byte| *byte == b'\n').all(is_blank) {
            return;
        }
        let next = Place::of(&self.place.file, self.place.document + 1);
        let place = mem::replace(&mut self.place, next);
        if let Err(error) = self.read(&text, begun, had_items, &place) {
            (self.sink)(Err(place.unreadable(format_args!("{error:#}"))));
        }
    }

    /// Reads a document, or all but the items of one that had some.
    fn read(&mut self, text: &[u8], begun: usize, had_items: bool, place: &Place) -> Result<()> {
        let text = if had_items {
            to_json(text, begun).map_err(|error| anyhow!("beside its items: {}", without_line(&error)))
        } else {
            to_json(text, begun)
        };
        let Some(text) = text? else { return Ok(()) };
        if !(had_items && json::may_be_a_list(text.get())) {
            json::read_document(text.get(), place, self.sink)?;
        }
        Ok(())
    }
}

/// Whether the keys before `items` leave it open that this is a List: kubectl writes the kind after the items.
fn may_be_a_list(text: &[u8]) -> bool {
    let mut lines = text.split(|byte| *byte == b'\n');
    lines.find(|line| line.starts_with(b"kind:")).is_none_or(|kind| kind.trim_ascii_end().ends_with(b"List"))
}

fn indent_of(line: &[u8]) -> usize {
    line.iter().take_while(|byte| **byte == b' ').count()
}

/// The indentation of the item that begins at this line.
fn item_indent(line: &[u8]) -> Option<usize> {
    let indent = indent_of(line);
    let after = line[indent..].strip_prefix(b"-")?;
    after.first().is_none_or(u8::is_ascii_whitespace).then_some(indent)
}

/// An item's first line, as the first line of a mapping.
fn without_dash(line: &[u8]) -> Vec<u8> {
    let indent = indent_of(line);
    [&line[..indent], b" ", &line[indent + 1..]].concat()
}

/// Nothing, a comment, or a directive.
fn is_blank(line: &[u8]) -> bool {
    matches!(line.trim_ascii_start().first(), None | Some(b'#' | b'%'))
}

/// A document in JSON; nothing if it is empty. An error names the line of the file, which has others before.
fn to_json(yaml: &[u8], lines_before: usize) -> Result<Option<Box<RawValue>>> {
    parse(yaml).or_else(|_| parse(&[&vec![b'\n'; lines_before], yaml].concat()))
}

fn parse(yaml: &[u8]) -> Result<Option<Box<RawValue>>> {
    // Not directly into JSON: this type rejects duplicate keys.
    let mut value: Value = serde_yaml_ng::from_slice(yaml)?;
    value.apply_merge()?;
    Ok(if value.is_null() { None } else { Some(to_raw_value(&value)?) })
}
