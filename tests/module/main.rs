//! The policy, through its module.
mod bad_input;
mod budget;
mod change;
mod decision;
mod meter;
mod repository;
mod requests;
mod runtime_classes;
mod settings;
