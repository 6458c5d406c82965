//! The work of a rehearsal on all cores, with the texts of a few objects in memory at a time.
use std::{
    panic,
    sync::{Mutex, PoisonError},
    thread,
};

use anyhow::Result;
use rehearsal::read::Found;

use crate::{progress::Progress, waiting::Batches};

/// Folds what waited on each core, and then folds the results of the cores.
///
/// # Errors
/// What waited can't be read.
pub fn fold<T: Default + Send>(
    batches: Batches,
    progress: &Progress,
    step: impl Fn(&mut T, Found) + Sync,
    join: impl Fn(T, T) -> T,
) -> Result<T> {
    let cores = thread::available_parallelism().map_or(1, Into::into);
    let batches = Mutex::new(batches);
    let next = || batches.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || {
        let mut result = T::default();
        while let Some(batch) = next()? {
            progress.add(batch.bytes());
            batch.found().for_each(|found| step(&mut result, found));
        }
        Ok(result)
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        let results =
            workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| panic::resume_unwind(panic)));
        results.reduce(|a, b| Ok(join(a?, b?))).unwrap_or_else(|| Ok(T::default()))
    })
}
