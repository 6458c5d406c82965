//! The host of a Kubewarden policy, for the command and for the tests of this project.
//!
//! It runs a module like `kwctl run`, on the engine of policy-server, and returns the AdmissionResponse. The
//! protocol is described in the [reference](https://docs.kubewarden.io/reference/spec/intro-spec).
pub mod admission;
pub mod capabilities;
pub mod guest;
pub mod policy;
mod wasi;

pub use admission::{AdmissionRequest, AdmissionResponse};
pub use capabilities::{Capabilities, Exchange};
pub use policy::{MODULE, Policy};
