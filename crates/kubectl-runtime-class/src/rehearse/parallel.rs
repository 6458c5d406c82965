//! Evaluation on all cores, with a few objects in memory at a time.
use std::{mem, panic, thread};

use anyhow::Result;
use crossbeam_channel::{Sender, bounded};

use super::{
    documents::{self, Document, Unreadable},
    progress::Progress,
    source::Source,
};

/// The size of a batch for a core. A larger object is a batch of its own.
const BATCH: usize = 1 << 16;

type Batch = Vec<Result<Document, Unreadable>>;

/// Reads all objects of the sources, folds them on each core, and then folds the results of the cores.
///
/// # Errors
/// A source can't be opened.
pub fn fold<T: Default + Send>(
    sources: &[Source],
    progress: &Progress,
    step: impl Fn(&mut T, Result<Document, Unreadable>) + Sync,
    join: impl Fn(T, T) -> T,
) -> Result<T> {
    let cores = thread::available_parallelism().map_or(1, Into::into);
    let (sender, receiver) = bounded::<Batch>(cores);
    thread::scope(|scope| {
        let work = || {
            let mut result = T::default();
            receiver.iter().flatten().for_each(|read| step(&mut result, read));
            result
        };
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        let read = read_all(sources, progress, sender);
        let results =
            workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| panic::resume_unwind(panic)));
        let result = results.reduce(join).unwrap_or_default();
        read.map(|()| result)
    })
}

/// Reads all objects. The workers end when the sender is dropped.
fn read_all(sources: &[Source], progress: &Progress, sender: Sender<Batch>) -> Result<()> {
    let (mut batch, mut bytes) = (vec![], 0);
    for source in sources {
        let reader = progress.count(source.open()?);
        documents::read(reader, &source.name, &mut |read| {
            bytes += read.as_ref().map_or(0, |document| document.text.get().len());
            batch.push(read);
            if bytes >= BATCH {
                bytes = 0;
                // This fails if all workers panicked. Joining them reports it.
                let _ = sender.send(mem::take(&mut batch));
            }
        });
    }
    let _ = sender.send(batch);
    Ok(())
}
