//! The policies of a cluster, in the order in which the API server asks them.
use serde_json::Value;

use crate::{
    conditions::{Conditions, NotEvaluated},
    policy::{FailurePolicy, Policy},
};

/// Policies in the order of their webhooks' names.
pub struct Policies(Vec<Asked>);

/// A policy that is ready to be asked.
pub struct Asked {
    pub policy: Policy,
    /// None: no conditions.
    pub conditions: Option<Conditions>,
    /// Conditions that can't be evaluated, and count as true.
    pub not_evaluated: Vec<NotEvaluated>,
}

impl Policies {
    /// Settings alone.
    pub fn of_settings(settings: Value) -> Self {
        Self::new(vec![Policy::of_settings(settings)])
    }

    /// These policies.
    pub fn new(mut policies: Vec<Policy>) -> Self {
        policies.sort_by_key(|policy| policy.manifest.as_ref().map(|manifest| manifest.id()));
        Self(policies.into_iter().map(Asked::new).collect())
    }

    /// The policies among the objects of files.
    ///
    /// # Errors
    /// An object is not what its CRD says, or there is no policy.
    pub fn of_objects(objects: &[Value]) -> Result<Self, String> {
        let policies = objects.iter().filter(|object| Policy::is_manifest(object));
        let policies = policies.map(Policy::of_manifest).collect::<Result<Vec<_>, _>>()?;
        if policies.is_empty() {
            return Err("it has no ClusterAdmissionPolicy and no AdmissionPolicy".to_owned());
        }
        Ok(Self::new(policies))
    }

    pub fn iter(&self) -> impl Iterator<Item = &Asked> {
        self.0.iter()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Asked {
    fn new(policy: Policy) -> Self {
        let written = policy.manifest.as_ref().map(|manifest| manifest.match_conditions.as_slice()).unwrap_or_default();
        let (conditions, not_evaluated) = Conditions::compile(written);
        Self { conditions: Some(conditions).filter(|conditions| !conditions.is_empty()), not_evaluated, policy }
    }
}

impl Policy {
    /// What happens if it can't be asked.
    pub fn failure_policy(&self) -> FailurePolicy {
        self.manifest.as_ref().map(|manifest| manifest.failure_policy).unwrap_or_default()
    }

    /// What a user sees in place of the policy's own words.
    pub fn message(&self) -> Option<&str> {
        self.manifest.as_ref()?.message.as_deref()
    }
}
