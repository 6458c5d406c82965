//! The policy, through its module.
mod bad_input;
mod budget;
mod cel;
mod decision;
mod kubernetes;
mod manifests;
mod metadata;
mod meter;
mod mutation;
mod native_guard;
mod readme;
mod requests;
mod runtime_class;
mod settings;
