//! The policy, through its module.
mod bad_input;
mod budget;
mod decision;
mod meter;
mod mutation;
mod repository;
mod requests;
mod runtime_class;
mod settings;
