//! The policy, through its module.
