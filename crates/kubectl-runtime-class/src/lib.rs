//! A host for Kubewarden policies, for the tests and the commands of this project.
//!
//! It runs a module like `kwctl run`, on the same engine, and returns the AdmissionResponse. The
//! protocol is described in the [reference](https://docs.kubewarden.io/reference/spec/intro-spec).
pub mod admission;
pub mod capabilities;
pub mod examples;
pub mod policy;
pub mod rehearse;
pub mod workspace;

pub use admission::{AdmissionRequest, AdmissionResponse};
pub use capabilities::{Capabilities, Exchange};
pub use policy::Policy;
