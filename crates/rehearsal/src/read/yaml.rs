//! A document of YAML as JSON text, as kubectl's parser makes it.
//!
//! The text has a line break wherever an element of a list begins on a later line: a line of the text is one of the document.

use std::borrow::Cow;
use std::collections::BTreeMap;

use memchr::memmem;

use super::events::{self, Data, Events, Mark, Style};
use super::scalar::{self, Scalar};
use super::value::{DEPTH, TOO_DEEP};

/// What libyaml says of a tag that goes on.
const NO_BLANK: &str = "did not find expected whitespace or line break";
/// Characters that no text has stand for a colon that libyaml refuses and kubectl reads, and for a byte order mark that
/// libyaml skips and kubectl reads.
const COLON: char = '\u{10FFFE}';
const MARK: char = '\u{10FFFF}';

pub(super) struct Yaml {
    /// JSON.
    pub(super) text: String,
    /// The line on which the document begins, from 0.
    pub(super) line: usize,
    /// kubectl reads one document up to a separator. Where another begins.
    pub(super) unread: Option<usize>,
}

pub(super) struct Error {
    pub(super) message: String,
    /// From 0.
    pub(super) line: usize,
}

/// `None`: there is nothing in it.
pub(super) fn to_json(document: &[u8]) -> Result<Option<Yaml>, Error> {
    let document = &marks_hidden(document);
    let mut tree = Tree::parse(document)?;
    let Some(root) = tree.nodes.first() else { return Ok(None) };
    let line = root.line as usize;
    let text = Writer::new(&tree, document.len()).write()?;
    Ok(Some(Yaml { text, line, unread: tree.unread.take() }))
}

/// The nodes of a document in its order: the children of a node follow it. A List of a cluster has millions: they are
/// small, with their values in one text.
#[derive(Default)]
struct Tree {
    nodes: Vec<Node>,
    values: String,
    tags: BTreeMap<usize, String>,
    unread: Option<usize>,
}

struct Node {
    line: u32,
    /// The first node that is not below this one.
    end: u32,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Scalar { start: u32, end: u32, plain: bool },
    Sequence,
    Mapping,
    Alias(u32),
}

/// Numbers of lines, bytes and nodes are far below 2³² in it.
const LARGEST: usize = 1 << 30;

impl Tree {
    fn parse(document: &[u8]) -> Result<Self, Error> {
        if document.len() > LARGEST {
            return Err(Error { message: "it is larger than 1 GB, which is read as JSON alone".into(), line: 0 });
        }
        let mut document = Cow::Borrowed(document);
        // Each time, all of it is parsed anew.
        let mut budget = 1_000_000 + 8 * document.len();
        loop {
            let error = match Parsing::new(&document).run() {
                Ok(tree) => return Ok(tree),
                Err(Refused::Yaml(error)) => error,
                Err(Refused::Here(error)) => return Err(error),
            };
            budget = budget.saturating_sub(document.len());
            match (budget > 0).then(|| mend(&document, &error)).flatten() {
                Some(mended) => document = mended.into(),
                None => {
                    let line = match error.offset {
                        Some(offset) => lines(document.get(..offset).unwrap_or_default()),
                        None => error.mark.line,
                    };
                    return Err(Error { message: error.problem.into(), line });
                }
            }
        }
    }
}

/// What libyaml refuses and kubectl's older parser reads, in words that both read.
fn mend(document: &[u8], error: &events::Error) -> Option<Vec<u8>> {
    let (before, after) = document.split_at_checked(error.mark.index)?;
    match (error.problem, after) {
        // `{a:, b}`
        ("found unexpected ':'", [b':', rest @ ..]) => Some([before, String::from(COLON).as_bytes(), rest].concat()),
        // `!a,b c`
        (NO_BLANK, [b',' | b'[' | b']', ..]) => {
            let end = after.iter().position(u8::is_ascii_whitespace).unwrap_or(after.len());
            let (tag, rest) = after.split_at(end);
            let mut mended = before.to_vec();
            for byte in tag {
                match byte {
                    b',' | b'[' | b']' => mended.extend_from_slice(format!("%{byte:02X}").as_bytes()),
                    _ => mended.push(*byte),
                }
            }
            mended.extend_from_slice(rest);
            Some(mended)
        }
        // `"it\'s"`
        ("found unknown escape character", [b'\\', b'\'', ..]) => {
            let mut mended = before.to_vec();
            let mut bytes = after.iter().copied();
            while let Some(byte) = bytes.next() {
                match byte {
                    b'\\' => match bytes.next() {
                        Some(b'\'') => mended.push(b'\''),
                        Some(escaped) => mended.extend([b'\\', escaped]),
                        None => mended.push(b'\\'),
                    },
                    b'"' => {
                        mended.push(b'"');
                        break;
                    }
                    _ => mended.push(byte),
                }
            }
            mended.extend(bytes);
            Some(mended)
        }
        _ => None,
    }
}

/// kubectl skips a byte order mark where a document starts, and only there.
fn marks_hidden(document: &[u8]) -> Cow<'_, [u8]> {
    let bom = "\u{FEFF}".as_bytes();
    let document = document.strip_prefix(bom).unwrap_or(document);
    if memmem::find(document, bom).is_none() {
        return document.into();
    }
    String::from_utf8_lossy(document).replace('\u{FEFF}', &String::from(MARK)).into_bytes().into()
}

/// The text that a scalar stands for.
fn unhidden(value: &str) -> Cow<'_, str> {
    if value.contains([COLON, MARK]) {
        value.replace(COLON, ":").replace(MARK, "\u{FEFF}").into()
    } else {
        value.into()
    }
}

fn lines(bytes: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', bytes).count()
}

enum Refused {
    Yaml(events::Error),
    Here(Error),
}

struct Parsing<'a> {
    document: &'a [u8],
    events: Events<'a>,
    tree: Tree,
    /// The collections that are open, and whether each is of the flow style.
    open: Vec<(usize, bool)>,
    anchors: BTreeMap<String, usize>,
    /// A scalar may have an escape that kubectl refuses.
    escapes: bool,
}

impl<'a> Parsing<'a> {
    fn new(document: &'a [u8]) -> Self {
        Parsing {
            document,
            events: Events::new(document),
            tree: Tree::default(),
            open: Vec::new(),
            anchors: BTreeMap::new(),
            escapes: memmem::find(document, b"\\/").is_some(),
        }
    }

    fn run(mut self) -> Result<Tree, Refused> {
        loop {
            let event = self.events.next().map_err(Refused::Yaml)?;
            let Mark { line, index } = event.mark;
            match event.data {
                Data::StreamStart => {}
                Data::DocumentStart(None | Some(1)) => {}
                Data::DocumentStart(_) => return refuse("found incompatible YAML document", line),
                Data::StreamEnd => return Ok(self.tree),
                Data::DocumentEnd => {
                    self.tree.unread = match self.events.next() {
                        Ok(next) => matches!(next.data, Data::DocumentStart(_)).then_some(next.mark.line),
                        // Directives alone are nothing to read.
                        Err(error) => (error.mark.index < self.document.len()).then_some(error.mark.line),
                    };
                    return Ok(self.tree);
                }
                Data::Alias(anchor) => match self.anchors.get(&anchor) {
                    Some(target) => {
                        let target = *target;
                        self.push(line, Kind::Alias(target as u32));
                    }
                    None => return refuse(format!("unknown anchor '{anchor}' referenced"), line),
                },
                Data::Scalar(scalar) => {
                    self.check(&scalar, index, line)?;
                    self.anchor(scalar.anchor);
                    if let Some(tag) = scalar.tag {
                        self.tree.tags.insert(self.tree.nodes.len(), tag);
                    }
                    let start = self.tree.values.len() as u32;
                    self.tree.values.push_str(&unhidden(&scalar.value));
                    let end = self.tree.values.len() as u32;
                    self.push(line, Kind::Scalar { start, end, plain: scalar.plain });
                }
                Data::Start { mapping, flow, anchor } => {
                    if self.open.len() >= DEPTH {
                        return refuse(TOO_DEEP, line);
                    }
                    self.open.push((self.tree.nodes.len(), flow));
                    self.anchor(anchor);
                    self.push(line, if mapping { Kind::Mapping } else { Kind::Sequence });
                }
                Data::End => {
                    let end = self.tree.nodes.len();
                    if let Some(node) = self.open.pop().and_then(|(node, _)| self.tree.nodes.get_mut(node)) {
                        node.end = end as u32;
                    }
                }
            }
        }
    }

    fn push(&mut self, line: usize, kind: Kind) {
        let end = self.tree.nodes.len() as u32 + 1;
        self.tree.nodes.push(Node { line: line as u32, end, kind });
    }

    /// The next node has it.
    fn anchor(&mut self, anchor: Option<String>) {
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, self.tree.nodes.len());
        }
    }

    /// What libyaml reads and kubectl's older parser refuses.
    fn check(&self, scalar: &events::Scalar, start: usize, line: usize) -> Result<(), Refused> {
        let flow = self.open.last().is_some_and(|(_, flow)| *flow);
        if flow && scalar.style == Style::Plain && scalar.value.contains('?') {
            return refuse("found '?' in a plain scalar between brackets; write it in quotes", line);
        }
        if flow && scalar.tag.is_some() && self.document.get(scalar.end) == Some(&b',') && scalar.value.is_empty() {
            let mark = Mark { index: scalar.end, line };
            return Err(Refused::Yaml(events::Error { problem: NO_BLANK, mark, offset: None }));
        }
        if self.escapes && scalar.style == Style::DoubleQuoted {
            let mut bytes = self.document.get(start..scalar.end).unwrap_or_default().iter();
            while let Some(byte) = bytes.next() {
                if *byte == b'\\' && bytes.next() == Some(&b'/') {
                    return refuse("found unknown escape character", line);
                }
            }
        }
        Ok(())
    }
}

fn refuse<T>(message: impl Into<String>, line: usize) -> Result<T, Refused> {
    Err(Refused::Here(Error { message: message.into(), line }))
}

/// Writes a tree as JSON, without recursion: aliases make it deep.
struct Writer<'a> {
    tree: &'a Tree,
    out: Vec<u8>,
    /// More is an expansion of aliases that no one meant.
    limit: usize,
    line: usize,
    open: Vec<Open<'a>>,
    /// The targets of the aliases that are being written.
    aliases: Vec<usize>,
    /// How many nodes were visited, and how many of them through an alias.
    visited: usize,
    aliased: usize,
}

enum Open<'a> {
    Sequence { next: usize, end: usize },
    Mapping { next: usize, end: usize },
    Merged(std::vec::IntoIter<(Cow<'a, str>, usize)>),
    Alias,
}

impl<'a> Writer<'a> {
    fn new(tree: &'a Tree, length: usize) -> Self {
        let line = tree.line(0);
        Writer {
            tree,
            out: Vec::with_capacity(length),
            limit: 10_000_000 + 10 * length,
            line,
            open: Vec::new(),
            aliases: Vec::new(),
            visited: 0,
            aliased: 0,
        }
    }

    fn write(mut self) -> Result<String, Error> {
        self.node(0)?;
        while let Some(open) = self.open.last_mut() {
            let value = match open {
                Open::Alias => {
                    self.open.pop();
                    self.aliases.pop();
                    continue;
                }
                Open::Sequence { next, end } if *next < *end => {
                    let node = *next;
                    *next = self.tree.end(node);
                    self.comma();
                    self.line_of(node);
                    node
                }
                Open::Sequence { .. } => {
                    self.close(b']');
                    continue;
                }
                Open::Mapping { next, end } if *next < *end => {
                    let key = *next;
                    let value = self.tree.end(key);
                    *next = self.tree.end(value);
                    let key = self.key(key)?;
                    self.member(&key, value)?;
                    value
                }
                Open::Merged(members) => match members.next() {
                    Some((key, value)) => {
                        self.member(&key, value)?;
                        value
                    }
                    None => {
                        self.close(b'}');
                        continue;
                    }
                },
                Open::Mapping { .. } => {
                    self.close(b'}');
                    continue;
                }
            };
            self.node(value)?;
        }
        // All that was written is text.
        Ok(String::from_utf8(self.out).unwrap_or_default())
    }

    fn close(&mut self, bracket: u8) {
        self.open.pop();
        self.out.push(bracket);
    }

    fn comma(&mut self) {
        if !matches!(self.out.last(), Some(b'[' | b'{')) {
            self.out.push(b',');
        }
    }

    fn line_of(&mut self, node: usize) {
        let line = self.tree.line(node);
        while self.line < line {
            self.out.push(b'\n');
            self.line += 1;
        }
    }

    fn member(&mut self, key: &str, value: usize) -> Result<(), Error> {
        self.comma();
        self.text(key, value)?;
        self.out.push(b':');
        Ok(())
    }

    fn text(&mut self, text: &str, node: usize) -> Result<(), Error> {
        serde_json::to_writer(&mut self.out, text).map_err(|error| self.tree.error(node, error.to_string()))
    }

    /// Writes a scalar, or opens what has more nodes below it.
    fn node(&mut self, index: usize) -> Result<(), Error> {
        self.visit(index)?;
        let Some(kind) = self.tree.kind(index) else { return Ok(()) };
        match kind {
            Kind::Alias(target) => {
                let target = target as usize;
                if self.aliases.contains(&target) {
                    return Err(self.tree.error(index, "an anchor's value contains itself"));
                }
                self.aliases.push(target);
                self.open.push(Open::Alias);
                return self.node(target);
            }
            Kind::Sequence => {
                self.out.push(b'[');
                self.open.push(Open::Sequence { next: index + 1, end: self.tree.end(index) });
            }
            Kind::Mapping => {
                self.out.push(b'{');
                let open = if self.tree.merges(index) {
                    let mut merged = Merged::default();
                    self.merge(index, &mut merged, 0)?;
                    Open::Merged(merged.members.into_iter())
                } else {
                    Open::Mapping { next: index + 1, end: self.tree.end(index) }
                };
                self.open.push(open);
            }
            Kind::Scalar { .. } => match self.tree.scalar(index)? {
                Scalar::Null => self.out.extend_from_slice(b"null"),
                Scalar::Bool(bool) => self.out.extend_from_slice(if bool { b"true" } else { b"false" }),
                Scalar::Int(int) => self.out.extend_from_slice(int.to_string().as_bytes()),
                Scalar::Uint(int) => self.out.extend_from_slice(int.to_string().as_bytes()),
                Scalar::Float(float) if !float.is_finite() => {
                    return Err(self.tree.error(index, format!("unsupported value: {float}")));
                }
                Scalar::Float(float) => {
                    let plain = float == 0.0 || (1e-6..1e21).contains(&float.abs());
                    let text = if plain { float.to_string() } else { format!("{float:e}") };
                    self.out.extend_from_slice(text.as_bytes());
                }
                Scalar::Text(text) => self.text(&text, index)?,
            },
        }
        if self.open.len() - self.aliases.len() > DEPTH {
            return Err(self.tree.error(index, TOO_DEEP));
        }
        Ok(())
    }

    /// kubectl's guard against the expansion of aliases: a share of what is visited, the smaller the more there is.
    fn visit(&mut self, index: usize) -> Result<(), Error> {
        const LOW: usize = 400_000;
        const HIGH: usize = 4_000_000;
        self.visited += 1;
        if !self.aliases.is_empty() {
            self.aliased += 1;
        }
        if self.aliased > 100 && self.visited > 1000 {
            let allowed = match self.visited {
                ..=LOW => 0.99,
                HIGH.. => 0.10,
                visited => 0.99 - 0.89 * ((visited - LOW) as f64 / (HIGH - LOW) as f64),
            };
            if self.aliased as f64 / self.visited as f64 > allowed || self.out.len() > self.limit {
                return Err(self.tree.error(index, "document contains excessive aliasing"));
            }
        }
        Ok(())
    }

    fn key(&mut self, index: usize) -> Result<Cow<'a, str>, Error> {
        self.visit(index)?;
        let key = match self.tree.kind(index) {
            Some(Kind::Alias(target)) => target as usize,
            _ => index,
        };
        if matches!(self.tree.kind(key), Some(Kind::Scalar { .. })) {
            scalar::key(self.tree.scalar(key)?).map_err(|message| self.tree.error(index, message))
        } else {
            Err(self.tree.error(index, "invalid map key: it must be a scalar"))
        }
    }

    /// The members of a mapping with those that `<<` brings, which count by its position.
    fn merge(&mut self, mapping: usize, merged: &mut Merged<'a>, depth: usize) -> Result<(), Error> {
        let (mut next, end) = (mapping + 1, self.tree.end(mapping));
        while next < end {
            let (key, value) = (next, self.tree.end(next));
            next = self.tree.end(value);
            if self.tree.is_merge(key) {
                self.merge_value(value, merged, depth)?;
            } else {
                let key = self.key(key)?;
                self.visit(value)?;
                merged.insert(key, value);
            }
        }
        Ok(())
    }

    fn merge_value(&mut self, value: usize, merged: &mut Merged<'a>, depth: usize) -> Result<(), Error> {
        self.visit(value)?;
        if depth > 100 {
            return Err(self.tree.error(value, "an anchor's value contains itself"));
        }
        match self.tree.kind(value) {
            Some(Kind::Mapping) => self.merge(value, merged, depth + 1),
            Some(Kind::Alias(target)) if matches!(self.tree.kind(target as usize), Some(Kind::Mapping)) => {
                self.aliases.push(target as usize);
                self.merge(target as usize, merged, depth + 1)?;
                self.aliases.pop();
                Ok(())
            }
            Some(Kind::Sequence) => {
                let mut values = Vec::new();
                let (mut next, end) = (value + 1, self.tree.end(value));
                while next < end {
                    values.push(next);
                    next = self.tree.end(next);
                }
                // The first in the list has the last word.
                for value in values.into_iter().rev() {
                    if matches!(self.tree.kind(value), Some(Kind::Sequence)) {
                        return Err(self.tree.want_map(value));
                    }
                    self.merge_value(value, merged, depth + 1)?;
                }
                Ok(())
            }
            _ => Err(self.tree.want_map(value)),
        }
    }
}

#[derive(Default)]
struct Merged<'a> {
    members: Vec<(Cow<'a, str>, usize)>,
    places: BTreeMap<Cow<'a, str>, usize>,
}

impl<'a> Merged<'a> {
    fn insert(&mut self, key: Cow<'a, str>, value: usize) {
        let place = *self.places.entry(key.clone()).or_insert(self.members.len());
        match self.members.get_mut(place) {
            Some(member) => member.1 = value,
            None => self.members.push((key, value)),
        }
    }
}

impl Tree {
    fn kind(&self, node: usize) -> Option<Kind> {
        self.nodes.get(node).map(|node| node.kind)
    }

    fn end(&self, node: usize) -> usize {
        self.nodes.get(node).map_or(self.nodes.len(), |node| node.end as usize)
    }

    fn line(&self, node: usize) -> usize {
        self.nodes.get(node).map_or(0, |node| node.line as usize)
    }

    fn scalar(&self, index: usize) -> Result<Scalar<'_>, Error> {
        let Some(Kind::Scalar { start, end, plain }) = self.kind(index) else { return Ok(Scalar::Null) };
        let value = self.values.get(start as usize..end as usize).unwrap_or_default();
        scalar::resolve(value, self.tag(index), plain).map_err(|message| self.error(index, message))
    }

    fn tag(&self, node: usize) -> Option<&str> {
        if self.tags.is_empty() { None } else { self.tags.get(&node).map(String::as_str) }
    }

    fn is_merge(&self, key: usize) -> bool {
        let Some(Kind::Scalar { start, end, plain }) = self.kind(key) else { return false };
        self.values.get(start as usize..end as usize) == Some("<<")
            && (plain || self.tag(key) == Some("tag:yaml.org,2002:merge"))
    }

    fn merges(&self, mapping: usize) -> bool {
        let (mut next, end) = (mapping + 1, self.end(mapping));
        while next < end {
            if self.is_merge(next) {
                return true;
            }
            next = self.end(self.end(next));
        }
        false
    }

    fn want_map(&self, node: usize) -> Error {
        self.error(node, "map merge requires map or sequence of maps as the value")
    }

    fn error(&self, node: usize, message: impl Into<String>) -> Error {
        Error { message: message.into(), line: self.line(node) }
    }
}
