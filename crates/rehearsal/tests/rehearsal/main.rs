//! The rehearsal through the core's own door, with the policy compiled natively: no test waits for an engine.
mod deploy;
mod field;
mod host;
mod objects_and_policies;
mod review;
