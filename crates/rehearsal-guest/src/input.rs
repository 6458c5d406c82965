//! Input that the host of this guest has.
use std::io::{self, Read};

use serde::Serialize;
use wapc_guest::host_call;

/// A source of the host, from its start.
#[derive(Serialize)]
pub struct Source {
    source: usize,
    offset: usize,
    length: usize,
}

impl Source {
    /// The source of this number.
    pub fn of(source: usize) -> Self {
        Self { source, offset: 0, length: 0 }
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.length = buffer.len();
        let bytes = host_call("rehearsal", "input", "read", &serde_json::to_vec(self)?)
            .map_err(|error| io::Error::other(error.to_string()))?;
        let read = bytes.len().min(buffer.len());
        buffer[..read].copy_from_slice(&bytes[..read]);
        self.offset += read;
        Ok(read)
    }
}
