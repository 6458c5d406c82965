//! What was found in an input, until the cluster is known: kubectl prints RuntimeClasses after Pods.
use std::{
    io::{self, BufWriter, Read, Seek, Write},
    iter::Peekable,
    mem, vec,
};

use anyhow::{Context, Result};
use rehearsal::read::{Document, Found};
use tempfile::SpooledTempFile;

/// The texts of a larger input wait in a temporary file.
const IN_MEMORY: usize = 4 << 20;
/// A batch has at least as much, unless it is the last one.
const BATCH: usize = 1 << 16;

/// What was found, and its texts apart.
pub struct Waiting {
    found: Vec<(Found, usize)>,
    texts: BufWriter<SpooledTempFile>,
    written: io::Result<()>,
    /// The length of all texts.
    pub bytes: u64,
}

/// What waited, in the order in which it was found.
pub struct Batches {
    found: Peekable<vec::IntoIter<(Found, usize)>>,
    texts: SpooledTempFile,
}

/// Some of what waited.
pub struct Batch {
    found: Vec<(Found, usize)>,
    texts: Vec<u8>,
}

impl Default for Waiting {
    fn default() -> Self {
        let texts = BufWriter::with_capacity(BATCH, SpooledTempFile::new(IN_MEMORY));
        Self { found: vec![], texts, written: Ok(()), bytes: 0 }
    }
}

impl Waiting {
    /// Lets something wait. If it can't, [`Waiting::end`] returns the error.
    pub fn add(&mut self, mut found: Found) {
        let text = document(&mut found).map(|document| mem::take(&mut document.text)).unwrap_or_default();
        if self.written.is_ok() {
            self.written = self.texts.write_all(text.as_bytes());
            self.bytes += text.len() as u64;
            self.found.push((found, text.len()));
        }
    }

    /// What waited.
    ///
    /// # Errors
    /// The temporary file can't be written.
    pub fn end(self) -> Result<Batches> {
        const CANNOT: &str = "cannot keep the input in a temporary file";
        self.written.context(CANNOT)?;
        let mut texts = self.texts.into_inner().map_err(io::IntoInnerError::into_error).context(CANNOT)?;
        texts.rewind().context(CANNOT)?;
        Ok(Batches { found: self.found.into_iter().peekable(), texts })
    }
}

impl Batches {
    /// The next batch; none at the end.
    ///
    /// # Errors
    /// The temporary file can't be read.
    pub fn next(&mut self) -> Result<Option<Batch>> {
        let (mut found, mut bytes) = (vec![], 0);
        while let Some((next, length)) = self.found.next_if(|_| bytes < BATCH) {
            bytes += length;
            found.push((next, length));
        }
        if found.is_empty() {
            return Ok(None);
        }
        let mut texts = vec![0; bytes];
        self.texts.read_exact(&mut texts).context("cannot read the input in its temporary file")?;
        Ok(Some(Batch { found, texts }))
    }
}

impl Batch {
    /// The length of its texts.
    pub fn bytes(&self) -> usize {
        self.texts.len()
    }

    /// What was found, with its texts.
    pub fn found(self) -> impl Iterator<Item = Found> {
        let mut at = 0;
        self.found.into_iter().map(move |(mut found, length)| {
            if let Some(document) = document(&mut found) {
                let text = self.texts.get(at..at + length).unwrap_or_default();
                document.text = str::from_utf8(text).unwrap_or_default().into();
            }
            at += length;
            found
        })
    }
}

fn document(found: &mut Found) -> Option<&mut Document> {
    match found {
        Found::Object(document) | Found::NotAnObject(document) => Some(document),
        Found::Unreadable { .. } => None,
    }
}
