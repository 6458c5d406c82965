//! The events of a YAML document, from libyaml: the parser that kubectl's is a port of. All that is unsafe is here.

use std::ffi::{CStr, c_char};
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::slice;

use libyaml_rs as sys;

pub(super) struct Events<'a> {
    /// Owned, and never moved: it points into itself.
    parser: *mut sys::yaml_parser_t,
    input: PhantomData<&'a [u8]>,
}

pub(super) struct Event {
    pub(super) mark: Mark,
    pub(super) data: Data,
}

/// A place in the document: both count from 0.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    /// In bytes.
    pub(super) index: usize,
    pub(super) line: usize,
}

pub(super) enum Data {
    StreamStart,
    StreamEnd,
    /// With the minor version of a `%YAML 1.N`.
    DocumentStart(Option<i32>),
    DocumentEnd,
    Alias(String),
    Scalar(Scalar),
    Start {
        mapping: bool,
        flow: bool,
        anchor: Option<String>,
    },
    End,
}

pub(super) struct Scalar {
    pub(super) value: String,
    pub(super) tag: Option<String>,
    pub(super) anchor: Option<String>,
    /// Nothing says that it is text: neither quotes nor a block, or the tag `!`.
    pub(super) plain: bool,
    pub(super) style: Style,
    /// In bytes: where it ends.
    pub(super) end: usize,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Style {
    Plain,
    DoubleQuoted,
    Other,
}

pub(super) struct Error {
    pub(super) problem: &'static str,
    pub(super) mark: Mark,
    /// In bytes, in place of the mark: where a character is that YAML does not allow.
    pub(super) offset: Option<usize>,
}

impl<'a> Events<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        let parser = Box::into_raw(Box::new(MaybeUninit::<sys::yaml_parser_t>::uninit())).cast();
        // SAFETY: `yaml_parser_initialize` writes the whole struct, and fails only where allocation does, which aborts.
        // The input lives as long as `Self` does.
        unsafe {
            let _ = sys::yaml_parser_initialize(parser);
            sys::yaml_parser_set_encoding(parser, sys::YAML_UTF8_ENCODING);
            sys::yaml_parser_set_input_string(parser, input.as_ptr(), input.len() as u64);
        }
        Events { parser, input: PhantomData }
    }

    /// The next event. Nothing is to be asked after an error or the end of the stream.
    pub(super) fn next(&mut self) -> Result<Event, Error> {
        let mut event = MaybeUninit::<sys::yaml_event_t>::uninit();
        // SAFETY: the parser is initialized; the event is written where it does not fail, and deleted once.
        unsafe {
            if sys::yaml_parser_parse(self.parser, event.as_mut_ptr()).fail {
                return Err(self.error());
            }
            let mut event = event.assume_init();
            let converted = Event { mark: mark(&event.start_mark), data: data(&event) };
            sys::yaml_event_delete(&raw mut event);
            Ok(converted)
        }
    }

    fn error(&self) -> Error {
        // SAFETY: the parser is initialized; libyaml's problems are literals that end in NUL.
        unsafe {
            let parser = &*self.parser;
            let problem = if parser.problem.is_null() {
                "it cannot be parsed"
            } else {
                CStr::from_ptr(parser.problem.cast::<c_char>()).to_str().unwrap_or_default()
            };
            let offset = (parser.error == sys::YAML_READER_ERROR).then_some(parser.problem_offset as usize);
            Error { problem, mark: mark(&parser.problem_mark), offset }
        }
    }
}

impl Drop for Events<'_> {
    fn drop(&mut self) {
        // SAFETY: made in `new`, deleted once.
        unsafe {
            sys::yaml_parser_delete(self.parser);
            drop(Box::from_raw(self.parser.cast::<MaybeUninit<sys::yaml_parser_t>>()));
        }
    }
}

fn mark(mark: &sys::yaml_mark_t) -> Mark {
    Mark { index: mark.index as usize, line: mark.line as usize }
}

/// # Safety
/// The event was written by `yaml_parser_parse`: its type says which field of the union is there.
unsafe fn data(event: &sys::yaml_event_t) -> Data {
    unsafe {
        match event.type_ {
            sys::YAML_STREAM_START_EVENT => Data::StreamStart,
            sys::YAML_DOCUMENT_START_EVENT => {
                Data::DocumentStart(event.data.document_start.version_directive.as_ref().map(|version| version.minor))
            }
            sys::YAML_DOCUMENT_END_EVENT => Data::DocumentEnd,
            sys::YAML_ALIAS_EVENT => Data::Alias(text(event.data.alias.anchor).unwrap_or_default()),
            sys::YAML_SCALAR_EVENT => {
                let scalar = &event.data.scalar;
                let bytes = slice::from_raw_parts(scalar.value, scalar.length as usize);
                Data::Scalar(Scalar {
                    value: str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes).into(), str::to_owned),
                    tag: text(scalar.tag),
                    anchor: text(scalar.anchor),
                    plain: scalar.plain_implicit,
                    style: match scalar.style {
                        sys::YAML_PLAIN_SCALAR_STYLE => Style::Plain,
                        sys::YAML_DOUBLE_QUOTED_SCALAR_STYLE => Style::DoubleQuoted,
                        _ => Style::Other,
                    },
                    end: mark(&event.end_mark).index,
                })
            }
            sys::YAML_SEQUENCE_START_EVENT => {
                let start = &event.data.sequence_start;
                let flow = start.style == sys::YAML_FLOW_SEQUENCE_STYLE;
                Data::Start { mapping: false, flow, anchor: text(start.anchor) }
            }
            sys::YAML_MAPPING_START_EVENT => {
                let start = &event.data.mapping_start;
                let flow = start.style == sys::YAML_FLOW_MAPPING_STYLE;
                Data::Start { mapping: true, flow, anchor: text(start.anchor) }
            }
            sys::YAML_SEQUENCE_END_EVENT | sys::YAML_MAPPING_END_EVENT => Data::End,
            _ => Data::StreamEnd,
        }
    }
}

/// # Safety
/// `pointer` is null, or a string of libyaml's.
unsafe fn text(pointer: *const u8) -> Option<String> {
    if pointer.is_null() {
        return None;
    }
    Some(unsafe { CStr::from_ptr(pointer.cast()) }.to_string_lossy().into_owned())
}
