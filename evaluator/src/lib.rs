//! A host for Kubewarden policies, as far as this project's tests and examples need one.
//!
//! It does with a module what `kwctl run` does, on the same engine: it passes on what policy-server
//! passes on, and answers in the AdmissionResponse that comes of it. What the real ones do is
//! described in the [reference](https://docs.kubewarden.io/reference/spec/intro-spec).
pub mod admission;
pub mod capabilities;
pub mod examples;
pub mod policy;
pub mod rehearse;
pub mod workspace;

pub use admission::{AdmissionRequest, AdmissionResponse};
pub use capabilities::{Capabilities, Exchange};
pub use policy::Policy;
