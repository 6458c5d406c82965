//! What policies would do to the objects of a cluster or a chart, as if they were created now.
//!
//! ```text
//! bytes ─► documents ─► objects ─┬► cluster (classes, namespaces, owners, nodes)      first
//!  read    (as kubectl reads)    └► requests (as the API server sends) ─► answers ─► outcomes ─► report
//!                                    api_server, request                  judge      look_first   tally, layout
//! ```
//!
//! It knows no engine, no file, no thread and no terminal. Its host feeds the [`Cluster`] with all objects, then the
//! [`Judge`] with each of them, and answers with the policy's module ([`Host`]).
mod cluster;
#[cfg_attr(not(feature = "cel"), path = "no_conditions.rs")]
mod conditions;
#[cfg_attr(not(feature = "cel"), path = "no_guards.rs")]
mod guards;
mod judge;
mod kustomize;
pub mod layout;
mod look_first;
mod null;
mod object;
mod outcome;
mod policies;
pub mod policy;
mod report;
mod request;
pub mod review;
pub mod selector;
mod tally;
mod templates;

pub mod api_server;
pub mod native;
pub mod read;

pub use cluster::Cluster;
pub use judge::{Answer, DEFAULT, Host, Judge, Passage, Question};
pub use outcome::{Field, NotAsked, Outcome, Verdict};
pub use policies::{Asked, Policies};
pub use policy::Policy;
pub use report::{FailOn, Report, Workload};
pub use request::{Operation, Resource, Subject};
pub use tally::{Tally, Unreadable};
