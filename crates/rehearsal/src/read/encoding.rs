//! Bytes as UTF-8, as kubectl decodes a file: a byte order mark chooses UTF-8 or UTF-16 and is dropped, what is not
//! valid becomes U+FFFD.

use std::io::{self, BufRead};

/// What is in memory already comes in pieces, too.
const CHUNK: usize = 1 << 16;

pub(super) struct Utf8<R> {
    input: R,
    /// Unknown until the first bytes are read.
    encoding: Option<Encoding>,
    /// The start of a character whose end is still to come.
    rest: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Encoding {
    Utf8,
    Utf16(fn([u8; 2]) -> u16),
}

impl<R: BufRead> Utf8<R> {
    pub(super) fn new(input: R) -> Self {
        Utf8 { input, encoding: None, rest: Vec::new() }
    }

    /// Appends what comes next to `out`, always whole characters. `false` at the end of the input.
    pub(super) fn read(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        let chunk = loop {
            match self.input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        let chunk = chunk.get(..CHUNK).unwrap_or(chunk);
        let (length, end) = (chunk.len(), chunk.is_empty());
        if end && self.rest.is_empty() {
            return Ok(false);
        }
        let joined: Vec<u8>;
        let mut bytes = if self.rest.is_empty() {
            chunk
        } else {
            joined = [&self.rest, chunk].concat();
            &joined
        };
        let encoding = match self.encoding {
            Some(encoding) => encoding,
            // Three bytes tell: a pipe may give fewer at first.
            None if bytes.len() < 3 && !end => {
                self.rest = bytes.to_vec();
                self.input.consume(length);
                return Ok(true);
            }
            None => {
                let (encoding, mark) = match bytes {
                    [0xEF, 0xBB, 0xBF, ..] => (Encoding::Utf8, 3),
                    [0xFF, 0xFE, ..] => (Encoding::Utf16(u16::from_le_bytes), 2),
                    [0xFE, 0xFF, ..] => (Encoding::Utf16(u16::from_be_bytes), 2),
                    _ => (Encoding::Utf8, 0),
                };
                bytes = bytes.get(mark..).unwrap_or_default();
                *self.encoding.insert(encoding)
            }
        };
        let kept = match encoding {
            Encoding::Utf8 => utf8(bytes, end, out),
            Encoding::Utf16(unit) => utf16(bytes, unit, end, out),
        };
        self.rest = bytes.get(bytes.len().saturating_sub(kept)..).unwrap_or_default().to_vec();
        self.input.consume(length);
        Ok(true)
    }
}

/// Appends the characters of `bytes`; returns how many bytes at its end wait for more.
fn utf8(bytes: &[u8], end: bool, out: &mut Vec<u8>) -> usize {
    let mut left = bytes;
    loop {
        let error = match std::str::from_utf8(left) {
            Ok(text) => {
                out.extend_from_slice(text.as_bytes());
                return 0;
            }
            Err(error) => error,
        };
        let (valid, rest) = left.split_at(error.valid_up_to());
        out.extend_from_slice(valid);
        let bad = match error.error_len() {
            Some(bad) => bad,
            None if end => rest.len(),
            None => return rest.len(),
        };
        out.extend_from_slice("\u{FFFD}".as_bytes());
        left = rest.get(bad..).unwrap_or_default();
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16, end: bool, out: &mut Vec<u8>) -> usize {
    let (pairs, odd) = bytes.as_chunks::<2>();
    let mut kept = odd.len();
    let mut units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
    if !end && units.last().is_some_and(|last| (0xD800..0xDC00).contains(last)) {
        units.pop();
        kept += 2;
    }
    for character in char::decode_utf16(units) {
        let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
    if end && kept > 0 {
        out.extend_from_slice("\u{FFFD}".as_bytes());
        kept = 0;
    }
    kept
}
