//! The progress of a rehearsal that takes longer than a second, on a terminal.
use std::{
    cell::Cell,
    io::{self, BufRead, BufReader, Read},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The number of bytes that are read at once.
const AT_ONCE: usize = 1 << 16;
const PATIENCE: Duration = Duration::from_secs(1);

/// A bar of the bytes that are read.
pub struct Progress {
    bar: ProgressBar,
    begun: Instant,
    is_shown: Cell<bool>,
}

impl Progress {
    /// A bar that is full after `bytes`.
    pub fn of(bytes: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {percent}% of {total_bytes}, {eta} left") {
            bar.set_style(style);
        }
        Self { bar, begun: Instant::now(), is_shown: Cell::new(false) }
    }

    /// Counts bytes.
    pub fn count<'p>(&'p self, reader: impl Read + 'p) -> impl BufRead + 'p {
        BufReader::with_capacity(AT_ONCE, Counted { reader, progress: self })
    }

    fn add(&self, bytes: usize) {
        self.bar.inc(bytes as u64);
        if !self.is_shown.get() && self.begun.elapsed() > PATIENCE {
            self.is_shown.set(true);
            // Nothing is drawn if standard error is not a terminal.
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
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
