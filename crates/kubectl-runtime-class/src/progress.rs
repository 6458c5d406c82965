//! The progress of a rehearsal that takes longer than a second, on a terminal.
use std::{
    io::{self, BufRead, BufReader, Read},
    sync::Once,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The number of bytes that are read at once.
const AT_ONCE: usize = 1 << 16;
const PATIENCE: Duration = Duration::from_secs(1);

/// A bar of the bytes that are read, and then judged.
pub struct Progress {
    bar: ProgressBar,
    begun: Instant,
    shown: Once,
}

impl Default for Progress {
    fn default() -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {percent}% of {total_bytes}, {eta} left") {
            bar.set_style(style);
        }
        Self { bar, begun: Instant::now(), shown: Once::new() }
    }
}

impl Progress {
    /// The bar is full after this many bytes more.
    pub fn expect(&self, bytes: u64) {
        self.bar.set_length(self.bar.position() + bytes);
    }

    /// Counts the bytes of a reader.
    pub fn count<'p>(&'p self, reader: impl Read + 'p) -> impl BufRead + 'p {
        BufReader::with_capacity(AT_ONCE, Counted { reader, progress: self })
    }

    /// Counts bytes.
    pub fn add(&self, bytes: usize) {
        self.bar.inc(bytes as u64);
        // How much comes from a pipe is not known before its end.
        let is_known = self.bar.length() > Some(self.bar.position());
        if is_known && self.begun.elapsed() > PATIENCE {
            // Nothing is drawn if standard error is not a terminal.
            self.shown.call_once(|| self.bar.set_draw_target(ProgressDrawTarget::stderr()));
        }
    }

    /// Removes the bar.
    pub fn end(self) {
        self.bar.finish_and_clear();
    }
}

struct Counted<'p, R> {
    reader: R,
    progress: &'p Progress,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.reader.read(buffer)?;
        self.progress.add(bytes);
        Ok(bytes)
    }
}
