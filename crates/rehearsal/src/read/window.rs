//! The part of an input that is in memory.

use std::io::{self, BufRead};

use super::encoding::Utf8;

/// What was taken is dropped once it is this long.
const DROP: usize = 1 << 20;
/// As much is read at once.
const CHUNK: usize = 1 << 18;

pub(super) struct Window<R> {
    input: Utf8<R>,
    bytes: Vec<u8>,
    at: usize,
    /// The line of `at`, from 1.
    pub(super) line: usize,
    end: bool,
}

impl<R: BufRead> Window<R> {
    pub(super) fn new(input: R, line: usize) -> Self {
        Window { input: Utf8::new(input), bytes: Vec::new(), at: 0, line, end: false }
    }

    /// What is in memory and was not taken yet.
    pub(super) fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The whole input is in memory.
    pub(super) fn is_all(&self) -> bool {
        self.end
    }

    /// Reads on; twice as much as there is, so that what is looked at again and again costs no more than twice its length.
    pub(super) fn more(&mut self) -> io::Result<()> {
        let wanted = self.bytes.len() + self.rest().len().max(CHUNK);
        while self.bytes.len() < wanted && !self.end {
            self.end = !self.input.read(&mut self.bytes)?;
        }
        Ok(())
    }

    pub(super) fn peek(&mut self) -> io::Result<Option<u8>> {
        while self.rest().is_empty() && !self.end {
            self.more()?;
        }
        Ok(self.rest().first().copied())
    }

    pub(super) fn take(&mut self, length: usize) {
        self.line += lines(self.rest().get(..length).unwrap_or_default());
        self.at = self.bytes.len().min(self.at + length);
    }

    /// Goes back to where the window was `length` bytes ago.
    pub(super) fn back(&mut self, length: usize, line: usize) {
        self.at = self.at.saturating_sub(length);
        self.line = line;
    }

    /// Frees what was taken.
    pub(super) fn free(&mut self) {
        if self.at > DROP {
            self.bytes.drain(..self.at);
            self.at = 0;
        }
    }

    /// Takes the blanks of JSON, and tells how many.
    pub(super) fn blanks(&mut self) -> io::Result<usize> {
        let mut taken = 0;
        while self.peek()?.is_some() {
            let rest = self.rest();
            let blanks = rest.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
            let length = blanks.unwrap_or(rest.len());
            self.take(length);
            taken += length;
            if blanks.is_some() {
                break;
            }
        }
        Ok(taken)
    }

    /// The length of the line that begins here, with its end.
    pub(super) fn line_length(&mut self) -> io::Result<usize> {
        let mut searched = 0;
        loop {
            let rest = self.rest();
            if let Some(end) = memchr::memchr(b'\n', rest.get(searched..).unwrap_or_default()) {
                return Ok(searched + end + 1);
            }
            searched = rest.len();
            if self.end {
                return Ok(searched);
            }
            self.more()?;
        }
    }
}

pub(super) fn lines(bytes: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', bytes).count()
}
