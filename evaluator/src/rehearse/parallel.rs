//! Work on the objects of an input, on all cores, with a few in memory at a time.
use std::{mem, panic, thread};

use anyhow::Result;
use crossbeam_channel::{Sender, bounded};

use super::{
    documents::{self, Document, Unreadable},
    progress::Progress,
    source::Source,
};

/// How much is handed to a core at once; an object that is larger goes alone.
const BATCH: usize = 1 << 16;

type Batch = Vec<Result<Document, Unreadable>>;

/// Reads all objects of the sources, and folds them on each core, then the cores' results.
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

/// Reads all objects; the workers end when the sender is gone.
fn read_all(sources: &[Source], progress: &Progress, sender: Sender<Batch>) -> Result<()> {
    let (mut batch, mut bytes) = (vec![], 0);
    for source in sources {
        let reader = progress.count(source.open()?);
        documents::read(reader, &source.name, &mut |read| {
            bytes += read.as_ref().map_or(0, |document| document.text.get().len());
            batch.push(read);
            if bytes >= BATCH {
                bytes = 0;
                // It fails if all workers have panicked, which is told when they are joined.
                let _ = sender.send(mem::take(&mut batch));
            }
        });
    }
    let _ = sender.send(batch);
    Ok(())
}
