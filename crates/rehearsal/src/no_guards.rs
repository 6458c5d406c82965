//! In place of ValidatingAdmissionPolicies beside the policies, in a build without CEL.
use serde_json::Value;

use crate::{cluster::Cluster, policy::Manifest, request::Subject, tally::Tally};

/// A guard that can't be evaluated.
pub struct Guard {
    pub manifest: Manifest,
}

impl Guard {
    /// The guards among the objects of files. They select nothing.
    ///
    /// # Errors
    /// There are none.
    pub fn of_objects(objects: &[Value]) -> Result<Vec<Self>, String> {
        let guards = objects.iter().filter(|object| object["kind"] == "ValidatingAdmissionPolicyBinding");
        Ok(guards.map(|_| Self { manifest: Manifest::default() }).collect())
    }

    pub fn rejection(&self, _: &Subject, _: &Cluster, _: &mut Tally) -> Option<String> {
        None
    }
}
