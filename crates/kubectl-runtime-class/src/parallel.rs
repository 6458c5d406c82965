//! The work of a rehearsal on all cores, with a few objects in memory at a time.
use std::{mem, panic, thread};

use anyhow::Result;
use crossbeam_channel::{Sender, bounded};
use rehearsal::read::Found;

use crate::{
    progress::Progress,
    source::{self, Source},
};

/// The size of a batch for a core. A larger object is a batch of its own.
const BATCH: usize = 1 << 16;

/// Reads all objects of the sources, folds them on each core, and then folds the results of the cores.
///
/// # Errors
/// A source can't be opened.
pub fn fold<T: Default + Send>(
    sources: &[Source],
    progress: &Progress,
    step: impl Fn(&mut T, Found) + Sync,
    join: impl Fn(T, T) -> T,
) -> Result<T> {
    let cores = thread::available_parallelism().map_or(1, Into::into);
    let (sender, receiver) = bounded::<Vec<Found>>(cores);
    thread::scope(|scope| {
        let work = || {
            let mut result = T::default();
            receiver.iter().flatten().for_each(|found| step(&mut result, found));
            result
        };
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        let read = send_all(sources, progress, sender);
        let results =
            workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| panic::resume_unwind(panic)));
        let result = results.reduce(join).unwrap_or_default();
        read.map(|()| result)
    })
}

/// Sends all objects. The workers end when the sender is dropped.
fn send_all(sources: &[Source], progress: &Progress, sender: Sender<Vec<Found>>) -> Result<()> {
    let (mut batch, mut bytes) = (vec![], 0);
    let read = source::read(sources, progress, &mut |found| {
        bytes += if let Found::Object(document) = &found { document.text().len() } else { 0 };
        batch.push(found);
        if bytes >= BATCH {
            bytes = 0;
            // This fails if all workers panicked. Joining them reports it.
            let _ = sender.send(mem::take(&mut batch));
        }
    });
    let _ = sender.send(batch);
    read
}
